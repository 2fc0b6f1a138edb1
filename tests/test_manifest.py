"""The manifest: what is planned, what of it is recorded, and the files that it depends on."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from made_records import changed, write_baseline, write_mean, write_run
from reading import Told
from small_runs import SUITES, write_project

from dip.cli import main
from dip.experiments.suites import Suite, load_suites
from dip.records.environment import cores, cpu_model

ROOT = Path(__file__).parent.parent
SHARED = '\n[shared]\nlike = "seeded"\ntitle = "One mask for both"\nproblem_seed = 1\n'
CHOICES = """
[learning_rate]
name = "Learning rate"
origin = "paper"

[sigma_p]
name = "Noise on z"
origin = "ours"
shown = "deviation {}"
why = "not stated"

[seeded.sigma_p]
origin = "supplement"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose images have the pixels of the records that tests make."""
    content, _ = write_project(tmp_path, SUITES + SHARED)
    images = (content / "images.toml").read_text()
    zeros = re.sub(r'pixels_sha256 = "\w+"', f'pixels_sha256 = "{"0" * 64}"', images)
    (content / "images.toml").write_text(zeros)
    (content / "choices.toml").write_text(CHOICES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def suites(project: Path) -> dict[str, Suite]:
    return load_suites(project / "content/experiments.toml")


def manifest(told: Told, *options: str) -> dict[str, Any]:
    assert main([*options, "manifest"]) == 0
    printed: dict[str, Any] = json.loads(told.readouterr().out)
    return printed


def run_of(told: Told, name: str) -> dict[str, Any]:
    """One run of the manifest, by name."""
    runs = manifest(told)["suites"][name.partition("/")[0]]["runs"]
    found: dict[str, Any] = next(run for run in runs if run["name"] == name)
    return found


def test_a_suite_has_all_that_a_page_says_of_it(project: Path, capsys: Told) -> None:
    told = manifest(capsys)
    assert told["manifest"] == 1
    suite = told["suites"]["shared"]
    assert (suite["title"], suite["why"], suite["preview"]) == ("One mask for both", "", True)
    assert (suite["images"], suite["seeds"], suite["baselines"]) == (["made/waves"], [0, 1], [])
    assert (suite["measure"], suite["mean"]) == ("psnr_db", "mean-seeds-0-1")
    assert told["suites"]["seeded"]["mean"] is None, "each seed has its own mask"
    case = suite["cases"]["made/waves"]
    assert (case["folder"], case["image"], case["variant"]) == ("waves", "made/waves", "")
    assert (case["preview_side"], case["pictures"], case["iterations"]) == (32, True, 3)
    assert case["paper_iterations"] is None, "no suite has this problem in full size"
    assert (case["settings"]["channels"], case["settings"]["problem_seed"]) == ([8, 8], 1)
    names = [run["name"] for run in suite["runs"]]
    assert names == [f"shared/waves/{last}" for last in ("seed0", "seed1", "mean-seeds-0-1")]
    network = told["networks"][suite["network"]]
    assert (network["height"], network["image_channels"]) == (32, 1)
    assert told["suites"]["tiny"]["network"] == suite["network"], "which is told once"


def test_images_have_what_is_stated_of_them(project: Path, capsys: Told) -> None:
    (project / "content/images.toml").write_text('["made/waves"]\ntitle = "Waves"\nshow = false\n')
    told = manifest(capsys)
    assert told["images"]["made/waves"] == {
        "title": "Waves", "show": False, "why": None, "licence": None, "width": None,
        "height": None, "mode": None, "pixels_sha256": None,
    }  # fmt: skip
    seconds = {run["kind"]: run["seconds"] for run in told["suites"]["tiny"]["runs"]}
    assert seconds == {"baseline": 2.0, "run": None}, "an image of unknown size"


def test_settings_are_told_in_words_with_their_source(project: Path, capsys: Told) -> None:
    suites = manifest(capsys)["suites"]
    assert suites["tiny"]["settings"][1] == {
        "setting": "sigma_p", "name": "Noise on z", "value": "deviation 1/30", "origin": "ours",
        "source": "ours", "why": "not stated",
    }  # fmt: skip
    assert suites["seeded"]["settings"][1]["source"] == "the supplement"
    assert suites["tiny"]["settings"][0]["value"] == "0.01"


def test_a_run_is_recorded_or_has_a_command_and_an_expected_time(
    project: Path, suites: dict[str, Suite], capsys: Told
) -> None:
    write_run(project / "results", suites["tiny"], suites["tiny"].experiments[0], 30.0)
    assert run_of(capsys, "tiny/waves/seed0") == {
        "name": "tiny/waves/seed0", "case": "made/waves", "seed": 0, "method": None,
        "kind": "run", "state": "recorded", "why": None, "seconds": None, "estimate": None,
        "command": "python -m dip run tiny --image waves --seed 0",
        "again": ["python -m dip run tiny --image waves --seed 0 --rerun",
                  "python -m dip verify tiny --image waves"],
    }  # fmt: skip
    missing = run_of(capsys, "tiny/rings/seed0")
    assert (missing["state"], missing["why"], missing["estimate"]) == ("missing", None, "a guess")
    assert missing["seconds"] is not None
    baseline = run_of(capsys, "tiny/waves/biharmonic")
    assert (baseline["kind"], baseline["method"]) == ("baseline", "biharmonic")
    assert baseline["command"] == "python -m dip run tiny --image waves --method biharmonic"


@pytest.mark.parametrize(
    ("old", "new", "differences"),
    [
        ("iterations = 60", "iterations = 61", {"iterations": [60, 61]}),
        ("iterations = 60", "iterations = 60\nslope = 0.1", {"slope": [0.2, 0.1]}),
        ("[0, 20, 60]", "[0, 21, 60]", {"snapshots": [[0, 20, 60], [0, 21, 60]]}),
        ("frames = 5", 'arithmetic = "bf16"', {"arithmetic": ["ieee", "bf16"]}),
        ("frames = 5", 'arithmetic = "ieee"', None),
        ("frames = 5", "frames = 4", None),
        ("[0, 20, 60]", "[0, 60]", None),
    ],
)  # fmt: skip
def test_an_outdated_run_names_the_settings(
    project: Path,
    suites: dict[str, Suite],
    capsys: Told,
    old: str,
    new: str,
    differences: dict[str, Any] | None,
) -> None:
    tiny = suites["tiny"]
    write_run(project / "results", tiny, tiny.experiments[0], 30.0)
    write_baseline(project / "results", tiny, "made/waves", "biharmonic", 29.0)
    path = project / "content/experiments.toml"
    path.write_text(path.read_text().replace(old, new))
    run = run_of(capsys, "tiny/waves/seed0")
    assert run["why"] == (differences and {"changed": differences})
    assert run["state"] == ("outdated" if differences else "recorded")
    assert (run["seconds"] is None) == (run["state"] == "recorded")
    baseline = run_of(capsys, "tiny/waves/biharmonic")
    assert baseline["state"] == "recorded", "it depends on the problem alone"


def test_an_outdated_baseline_names_what_makes_its_problem(
    project: Path, suites: dict[str, Suite], capsys: Told
) -> None:
    write_baseline(project / "results", suites["tiny"], "made/waves", "biharmonic", 29.0)
    path = project / "content/experiments.toml"
    path.write_text(path.read_text().replace("iterations = 60", "iterations = 60\nkeep = 0.9"))
    run = run_of(capsys, "tiny/waves/biharmonic")
    assert run["why"] == {"changed": {"keep": [0.5, 0.9]}}


def test_other_pixels_and_another_method_make_a_record_outdated(
    project: Path, suites: dict[str, Suite], capsys: Told
) -> None:
    results, tiny = project / "results", suites["tiny"]
    write_run(results, tiny, tiny.experiments[0], 30.0)
    write_baseline(results, tiny, "made/waves", "biharmonic", 29.0)
    nearest = results / "tiny/waves/nearest-known-pixel"
    (results / "tiny/waves/biharmonic").rename(nearest)
    why = {"changed": {"method": ["biharmonic", "nearest-known-pixel"]}}
    assert run_of(capsys, "tiny/waves/nearest-known-pixel")["why"] == why
    path = project / "content/images.toml"
    path.write_text(path.read_text().replace("0" * 64, "1" * 64))
    why = {"changed": {"pixels of made/waves": ["0" * 64, "1" * 64]}}
    assert run_of(capsys, "tiny/waves/seed0")["why"] == why


def test_a_key_that_is_not_of_its_settings_is_told(
    project: Path, suites: dict[str, Suite], capsys: Told
) -> None:
    tiny = suites["tiny"]
    record = write_run(project / "results", tiny, tiny.experiments[0], 30.0)
    changed(record.folder, lambda data: data.update(key="0" * 16))
    run = run_of(capsys, "tiny/waves/seed0")
    assert run["why"] == {"sentence": "its key is not that of its settings"}


def test_a_damaged_record_is_told_with_its_place(
    project: Path, suites: dict[str, Suite], capsys: Told
) -> None:
    tiny = suites["tiny"]
    write_run(project / "results", tiny, tiny.experiments[0], 30.0)
    path = Path("results/tiny/waves/seed0/run.json")
    text = path.read_text()
    path.write_text(text.replace('"spikes": 0', '"spikes": 1'))
    run = run_of(capsys, "tiny/waves/seed0")
    assert run["state"] == "damaged"
    assert run["why"]["sentence"].startswith(f"{path}: the record was changed after")
    path.write_text("{")
    assert run_of(capsys, "tiny/waves/seed0")["why"]["sentence"].startswith(f"{path}:1:2: ")


def test_a_mean_counts_as_long_as_its_runs_stand(
    project: Path, suites: dict[str, Suite], capsys: Told
) -> None:
    results, shared = project / "results", suites["shared"]
    runs = [write_run(results, shared, experiment, 30.0) for experiment in shared.experiments]
    mean = write_mean(results, shared, "made/waves", 31.0)
    made_of = {run.folder.name: run.data["seal"] for run in runs}
    changed(mean.folder, lambda data: data.update(runs=made_of))
    assert run_of(capsys, "shared/waves/mean-seeds-0-1")["state"] == "recorded"
    write_run(results, shared, shared.experiments[1], 30.5)
    told = run_of(capsys, "shared/waves/mean-seeds-0-1")
    assert (told["state"], told["why"]["sentence"]) == (
        "outdated", "a run that it is made of was made again since"
    )  # fmt: skip


def test_inputs_are_named_as_the_folders_were_given(project: Path, capsys: Told) -> None:
    (project / "content").rename(project / "my content")
    folders = ["--content", "my content", "--results", "kept"]
    assert main(["manifest", *folders]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {"my content/experiments.toml", "kept/tiny/rings/seed0/run.json"} <= set(told["inputs"])
    suite = told["suites"]["tiny"]
    assert suite["command"] == "python -m dip run tiny"
    assert suite["runs"][-1]["command"] == "python -m dip run tiny --image rings --seed 0"


def test_images_choices_and_results_may_be_absent(project: Path, capsys: Told) -> None:
    for name in ("images", "choices"):
        (project / f"content/{name}.toml").unlink()
    told = manifest(capsys)
    assert (told["images"], told["networks"]) == ({}, {})
    assert {suite["settings"] for suite in told["suites"].values()} == {None}
    assert {"content/images.toml", "content/choices.toml"} <= set(told["inputs"])


@pytest.mark.parametrize(
    ("file", "text", "sentence"),
    [
        ("experiments", "[tiny\n", "content/experiments.toml:1:6: not valid TOML"),
        ("images", '["a/b"]\nwidth = "x"', "content/images.toml:2:1: 'width' of image 'a/b'"),
        ("choices", '[slope]\norigin = "our"', "content/choices.toml:2:1: the origin is not"),
        ("choices", '[slpoe]\norigin = "ours"', "content/choices.toml:1:2: unknown setting 'sl"),
        ("choices", "slope = 5", "content/choices.toml:1:1: 'slope': expected a table, got 5"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(
    project: Path, capsys: Told, file: str, text: str, sentence: str
) -> None:
    (project / f"content/{file}.toml").write_text(text)
    assert main(["manifest"]) == 1
    told = capsys.readouterr()
    assert told.out == "" and told.err.startswith(sentence)


WATCHED = """
import json, sys
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
from dip.cli import main
assert main(sys.argv[1:]) == 0
heavy = {"torch", "numpy", "PIL", "skimage", "psutil"} & set(sys.modules)
assert not heavy, heavy
json.dump(opened, sys.stderr)
"""


def test_the_repository_s_own_is_told_with_every_file_that_was_read() -> None:
    done = subprocess.run(
        [sys.executable, "-B", "-c", WATCHED, "manifest"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    told, opened = json.loads(done.stdout), json.loads(done.stderr)
    inputs = set(told["inputs"])
    read = {Path(path).as_posix() for path in opened if path.endswith((".toml", ".json"))}
    sources = {path.replace("__pycache__/", "").split(".")[0] + ".py" for path in opened
               if path.endswith((".py", ".pyc")) and f"{ROOT}/dip/" in path}  # fmt: skip
    assert {str(Path(path).relative_to(ROOT)) for path in sources} | read <= inputs
    assert "dip/planning/manifest.py" in inputs
    suites = load_suites(ROOT / "content/experiments.toml")
    assert list(told["suites"]) == list(suites)
    for name, suite in told["suites"].items():
        assert list(suite["cases"]) == suite["images"], name
        assert suite["network"] in told["networks"]
        rows = {row["setting"] for row in suite["settings"]}
        assert {"learning_rate", "iterations", "slope"} <= rows
        runs = [run for run in suite["runs"] if run["kind"] == "run"]
        assert len(runs) == len(suites[name].experiments)
        assert {f"results/{run['name']}/run.json" for run in suite["runs"]} <= inputs
        assert {run["state"] for run in suite["runs"]} <= {"recorded", "missing"}


def test_the_paper_stops_where_the_shortest_run_in_full_size_does(
    monkeypatch: pytest.MonkeyPatch, capsys: Told
) -> None:
    monkeypatch.chdir(ROOT)
    suites = manifest(capsys)["suites"]

    def stops(name: str) -> int | None:
        counts = {case["paper_iterations"] for case in suites[name]["cases"].values()}
        return counts.pop() if len(counts) == 1 else None

    assert stops("denoising-f16-preview") == stops("denoising-f16") == 1800
    assert (stops("super-resolution-x4-preview"), stops("super-resolution-x8")) == (2000, 4000)
    assert stops("restoration-preview") == stops("open-spikes-preview") == 11000
    assert stops("text-inpainting-preview") == 6000
    for name in ("noise-impedance", "noise-impedance-grey", "flash-preview", "large-hole-library"):
        assert stops(name) is None, "the number of iterations is ours"
    assert suites["super-resolution-x4"]["measure"] == "psnr_luma_db"


def test_a_record_tells_how_long_the_others_would_take(
    project: Path, suites: dict[str, Suite], capsys: Told
) -> None:
    tiny = suites["tiny"]
    record = write_run(project / "results", tiny, tiny.experiments[0], 30.0, seconds=120.0)
    here = record.data["environment"] | {"device": cpu_model()}
    changed(record.folder, lambda data: data.update(trajectory_revision=2, environment=here))
    path = project / "content/experiments.toml"
    path.write_text(path.read_text().replace("iterations = 60", "iterations = 120"))
    run = run_of(capsys, "tiny/waves/seed0")
    assert (run["state"], run["estimate"]) == ("outdated", "measured")
    assert run["seconds"] == pytest.approx(2.0 * (120 + 1))


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no process is bound to cores")
def test_a_guess_counts_the_cores_that_this_process_may_use(project: Path, capsys: Told) -> None:
    name, usual = "tiny/waves/seed0", os.sched_getaffinity(0)
    here, guess = cores(), run_of(capsys, name)
    assert guess["estimate"] == "a guess"
    try:
        os.sched_setaffinity(0, {min(usual)})
        bound = run_of(capsys, name)
    finally:
        os.sched_setaffinity(0, usual)
    assert bound["seconds"] == pytest.approx(here * guess["seconds"])
