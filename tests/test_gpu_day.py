"""The day on a GPU, tried whole on the CPU: tiny pictures, time limits, archives."""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("torch")
from dip import gpu_modes as modes
from dip import gpu_rules as rules
from dip.gpu_day import Day
from dip.gpu_queue import ORDER, SEARCH, Plan, breaks_gpu, jobs_for, seconds_for, write_plan
from dip.images import load_images
from dip.report import Setting
from dip.suites import load_suites

ROOT = Path(__file__).parent.parent


def plan(**changes):
    values = {
        "results": "r", "out": "o", "content": str(ROOT / "content"), "images": None,
        "device": "cuda", "mode": "tf32", "until": 0.0, "ms": {"256": 2.0, "512": 8.0},
        "tiny": False, "gate": True,
    }  # fmt: skip
    return Plan(**values | changes)


def test_the_order_of_worth_names_suites_that_exist():
    suites = load_suites(ROOT / "content" / "experiments.toml")
    assert {name for name, _ in (*ORDER, *SEARCH)} <= set(suites)


def test_the_four_small_images_come_first_and_a_closed_gate_turns_the_order():
    names = [job.name for job in jobs_for(plan())]
    assert names[0] == "inpainting/house/seed0"
    assert {name.split("/")[1] for name in names[:4]} == {
        "house", "peppers", "cameraman", "montage"
    }  # fmt: skip
    assert len(names) == len(set(names))
    assert jobs_for(plan(gate=False))[0].suite.name == "open-settings"


def test_denoising_goes_image_by_image_and_each_ends_with_its_mean():
    names = [job.name.split("/")[1:] for job in jobs_for(plan()) if job.suite.name == "denoising"]
    assert len(names) == 27
    assert [last for _, last in names[:6]] == ["seed0", "seed1", "mean-seeds-0-1"] * 2
    assert {image for image, _ in names[:3]} == {"House256"}
    assert jobs_for(plan(gate=False))[-1].seeds == ()


@pytest.mark.skipif("DIP_IMAGES" not in os.environ, reason="needs DIP_IMAGES")
def test_a_mean_waits_for_its_runs_and_is_made_and_packed_once(tmp_path):
    names = [f"denoising/House256/{last}" for last in ("seed0", "seed1", "mean-seeds-0-1")]

    def told(*only):
        file = write_plan(
            plan(results=str(tmp_path / "r"), out=str(tmp_path / "o"), tiny=True, device="cpu",
                 images=os.environ["DIP_IMAGES"], until=time.time() + 300, only=only),
            tmp_path / "plan.json",
        )  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "dip.gpu_queue", file],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        told = [json.loads(line) for line in done.stdout.splitlines()]
        return [line["job"] for line in told if "begins" not in line]

    assert told(names[0], names[2]) == names[:1]
    assert told(*names) == names
    assert [path.name for path in (tmp_path / "o").iterdir()] == ["records-001.tar"]
    record = json.loads((tmp_path / "r" / names[2] / "run.json").read_text())
    assert record["seeds"] == [0, 1] and record["kind"] == "mean"


def test_the_estimate_grows_with_the_pixels():
    setting = Setting(results=Path("r"), images=load_images(ROOT / "content" / "images.toml"))
    jobs = {job.name: job for job in jobs_for(plan())}
    small, large = (
        seconds_for(jobs[f"inpainting/{image}/seed0"], plan(), setting)
        for image in ("house", "barbara")
    )
    assert 22 + 12 < small < 22 * 1.2 + 12
    assert 88 + 12 < large < 88 * 1.2 + 12


class Found:
    """What a day found, without a day."""

    def __init__(self, steps, **decided):
        self.known = {"steps": steps, "decided": decided, "said": []}
        self.args = argparse.Namespace(tiny=False)

    def say(self, sentence):
        self.known["said"].append(sentence)


def checked(fused_ms, **wrong):
    steps = {"kernels": {"good": True}}
    for path, mode in rules.WAYS:
        for what in ("first", "exact"):
            steps[f"{what} {path} {mode}"] = {"good": True}
        for size in ("256", "512"):
            steps[f"speed {path} {mode} {size}"] = {"ms": fused_ms if path == "fused" else 2.0}
    return {**steps, **wrong}


@pytest.mark.parametrize(
    ("steps", "path"),
    [
        (checked(1.5), "fused"),
        (checked(1.99), "stock"),
        (checked(1.5, kernels={"good": False}), "stock"),
        (checked(1.5, **{"exact fused tf32": {"good": False}}), "stock"),
        (checked(1.5, **{"speed fused tf32 512": {"failed": "..."}}), "stock"),
        (checked(2.5, **{"exact stock tf32": {"good": False}}), "fused"),
        (checked(2.5, **{"first stock tf32": {"failed": "..."}, "kernels": {}}), "stock"),
    ],
)
def test_kernels_are_used_if_right_exact_and_faster(steps, path):
    day = Found(steps)
    rules.decide_path(day)
    assert day.known["decided"]["path"] == path


def test_where_nothing_can_be_captured_graphs_are_given_up_once():
    firsts = [f"first {path} {mode}" for path, mode in (*rules.WAYS, ("stock", "ieee"))]
    day = Found({name: {"failed": "..."} for name in firsts[1:]} | {firsts[0]: {"good": True}})
    assert not rules.gives_up_graphs(day)
    day = Found({name: {"failed": "..."} for name in firsts})
    assert rules.gives_up_graphs(day) and day.known["decided"]["eager"]
    assert not set(firsts) & set(day.known["steps"])
    assert not rules.gives_up_graphs(day)


def test_a_queue_that_dies_tells_why_and_what_it_was_at(tmp_path, monkeypatch):
    """A process that ends without a word of its own, as after a fault in a driver."""
    words = 'import os, sys\nif "dip.gpu_queue" in sys.orig_argv:\n'
    words += '    print(\'{"begins": "a/b/c"}\', flush=True)\n    os.abort()\n'
    (tmp_path / "sitecustomize.py").write_text(words)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    args = argparse.Namespace(
        out=tmp_path / "out", work=tmp_path / "work", earlier=None, tiny=True, minutes=1.0,
        content=ROOT / "content", images=None, concurrent=1, commit=None,
    )  # fmt: skip
    (told,) = Day(args).runs("ieee")
    assert told == {"job": "a/b/c", "failed": "ended with -6", "broken": True}


def test_what_one_run_broke_is_told_from_what_it_lacked():
    assert breaks_gpu(RuntimeError("CUDA error: an illegal memory access was encountered"))
    assert breaks_gpu(RuntimeError("Triton Error [CUDA]: an illegal memory access"))
    assert not breaks_gpu(RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"))
    names = [job.name for job in jobs_for(plan(skip=("inpainting/house/seed0",)))]
    assert names[0] == "inpainting/peppers/seed0"


def tried(house, montage, known=47.0):
    return checked(1.5) | {
        f"trial {image} {mode}": {"psnr_db": value, "known_db": known, "seconds": 110.0}
        for image, values in ((modes.HOUSE, house), (modes.MONTAGE, montage))
        for mode, value in zip(("tf32", "fp16", "ieee"), values, strict=True)
    }


@pytest.mark.parametrize(
    ("steps", "gate", "mode"),
    [
        (tried((39.2, 39.1, 39.6), (34.0, 33.9, 34.0)), True, "fp16"),
        (tried((39.2, 39.1, 39.0), (34.0, 33.7, 34.4)), True, "tf32"),
        (tried((39.2, 39.2, 39.8), (34.0, 34.0, 34.0)), True, "ieee"),
        (tried((37.9, 37.9, 38.0), (34.0, 34.0, 34.0)), False, "tf32"),
        (tried((37.0, 37.9, 39.0), (34.0, 34.0, 34.0)), True, "ieee"),
        (tried((39.2, 39.2, 39.2), (34.0, 34.0, 34.0), known=45.0), False, "tf32"),
    ],
)
def test_the_gate_and_the_mode(steps, gate, mode):
    day = Found(steps, path="fused", ms={"256": 1.5, "512": 5.0})
    modes.decide_mode(day)
    decided = day.known["decided"]
    assert (decided["gate"], decided["mode"]) == (gate, mode)
    if mode == "ieee":  # timed by its trial: 110 s for 11,000 iterations
        assert decided["ms"]["256"] == pytest.approx(10)


def test_a_reference_that_could_not_be_had_decides_nothing():
    steps = tried((39.2, 39.1, 40.0), (34.0, 33.9, 34.0))
    steps[f"trial {modes.HOUSE} ieee"] = {"failed": "it was not done in 133 s"}
    del steps[f"trial {modes.MONTAGE} ieee"]  # which then decides nothing either
    day = Found(steps, path="fused", ms={"256": 1.5, "512": 5.0})
    modes.decide_mode(day)
    assert day.known["decided"]["mode"] == "fp16"


def test_nothing_is_decided_before_every_trial():
    steps = tried((39.2, 39.1, 39.2), (34.0, 33.9, 34.0))
    del steps[f"trial {modes.MONTAGE} fp16"]
    day = Found(steps, path="fused", ms={})
    modes.decide_mode(day)
    assert "mode" not in day.known["decided"]


def part(number, out, minutes, *words):
    command = [
        sys.executable, "-m", "dip.gpu_day", "--tiny", "--part", str(number), "--out", str(out),
        "--minutes", str(minutes), "--images", os.environ["DIP_IMAGES"], *map(str, words),
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads((out / "day.json").read_text())


@pytest.mark.slow
@pytest.mark.skipif("DIP_IMAGES" not in os.environ, reason="needs DIP_IMAGES")
def test_the_whole_day_on_the_cpu(tmp_path):
    """Cut by its time, carried on, carried to another folder, unpacked."""
    out, work = tmp_path / "out", tmp_path / "work"
    known = part(1, out, 0.05, "--work", work)  # three seconds: not even a fast machine decides
    assert "mode" not in known["decided"]
    for _ in range(8):
        known = part(2, out, 1.5, "--work", work)
        if (out / "records-001.tar").exists():
            break
    assert not [step for step in known["steps"].values() if "failed" in step]
    assert known["steps"]["exact stock ieee"]["good"]
    assert known["decided"]["mode"] == "ieee" and known["decided"]["path"] == "stock"
    later = tmp_path / "later"
    known = part(3, later, 1.0, "--work", tmp_path / "work2", "--earlier", out)
    assert known["steps"]["verify house"]["good"]
    assert len(list(later.iterdir())) <= 8
    results = tmp_path / "results"
    archives = sorted(map(str, later.glob("records-*.tar")))
    subprocess.run(
        [sys.executable, "-m", "dip", "unpack", *archives, "--results", str(results)],
        cwd=ROOT, check=True,
    )  # fmt: skip
    assert (results / "inpainting" / "house" / "seed0" / "run.json").exists()
