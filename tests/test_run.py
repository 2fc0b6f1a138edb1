"""Runs become records; killed and gone on equals uninterrupted, bit for bit."""

import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_records import changed
from PIL import Image
from reading import Told
from small_runs import SUITES, write_project

torch = pytest.importorskip("torch")

from dip.cli import main
from dip.errors import InputError
from dip.experiments.suites import load_suites
from dip.experiments.test_images import load_images
from dip.planning.jobs import Job, jobs_of, record_of
from dip.records.archive import pack
from dip.records.environment import environment
from dip.records.record import Record, check_files, identity, load_record
from dip.records.store import move_aside
from dip.runs.checkpoint import Busy, RunProgress, Work
from dip.runs.recording import RunContext, frames_of, webp, what_would_fit
from dip.runs.run import perform
from dip.tasks.images import read_picture
from dip.tasks.metrics import psnr_db, scores


class Lines(list[str]):
    """A listener that keeps what it is told."""

    def begin(self, name: str, first: int, last: int) -> None:
        """Keep where a run begins."""
        self.append(f"{name} {first} {last}")

    def step(self, step: object) -> None:
        """Keep silent."""

    def say(self, sentence: str) -> None:
        """Keep a sentence."""
        self.append(sentence)


def project(folder: Path, suites: str = SUITES, **more: object) -> tuple[list[Job], RunContext]:
    content, images = write_project(folder, suites)
    jobs = [
        job
        for suite in load_suites(content / "experiments.toml").values()
        for job in jobs_of(suite)
    ]
    listed = load_images(content / "images.toml")
    return jobs, RunContext(folder / "results", listed, images, threads=1, **more)  # type: ignore[arg-type]


def test_a_run_is_recorded_in_its_form(tmp_path: Path) -> None:
    jobs, context = project(tmp_path)
    job = next(job for job in jobs if job.name == "tiny/waves/seed0")
    perform(job, context)
    record = load_record(tmp_path / "results/tiny/waves/seed0")
    check_files(record)
    assert record_of(job, context.results, context.images)
    assert set(record.metrics) == {"input", "snapshots", "final", "average", "clean_z"}
    assert set(record.metrics["snapshots"]) == {"0", "1", "8", "20", "25", "60"}
    assert record.snapshot_names() == [
        "0", "1", "8", "20", "25", "60", "input", "average", "stop-oracle",
    ]  # fmt: skip
    curve = record.curve()
    assert [row[0] for row in curve] == list(range(61))
    last, final = curve[-1], record.metrics["final"]
    assert last[2] == pytest.approx(final["psnr_db"], abs=1e-4)
    assert record.data["stops"]["fixed"] == {"iteration": 60, **final}
    assert record.data["stops"]["es-wmv"] is None, "60 iterations are fewer than its window"
    best = max(row[2] or 0 for row in curve)
    assert record.data["stops"]["oracle"]["psnr_db"] == pytest.approx(best, abs=1e-4)
    assert record.data["environment"]["threads"] == 1
    assert not [*(tmp_path / "results/.work").iterdir()]
    truth = context.task(job.experiment).x
    with Image.open(record.snapshot(60)) as picture:
        output = np.asarray(picture.convert("L"))[None] / 255
    assert truth is not None
    assert psnr_db(output, truth) == pytest.approx(final["psnr_db"], abs=0.05)


def test_an_image_not_to_be_shown_has_no_pictures(tmp_path: Path) -> None:
    jobs, context = project(tmp_path)
    for job in jobs:
        if job.experiment.image == "made/rings":
            record = perform(job, context)
            assert record
            assert set(record.data["files"]) <= {"curve.csv"}
            assert record.metrics["final"]["psnr_db"]
            assert record.data["channels"] == 3


@pytest.mark.parametrize(
    ("task", "has_input", "has_change"),
    [
        ('"jpeg"', False, True),
        ('"fit"', False, False),
        ('"fit"\ntarget = "shuffled"', True, False),
        ('"fit"\nseeds = [1]\nproblem_seed = 0', False, False),
    ],
)
def test_no_record_keeps_a_copy_of_a_clean_test_image(
    tmp_path: Path, task: str, has_input: bool, has_change: bool
) -> None:
    suite = SUITES.partition("[seeded]")[0].replace('task = "inpainting"', f"task = {task}")
    for line in ('mask = "bernoulli"\n', 'baselines = ["nearest-known-pixel", "biharmonic"]\n'):
        suite = suite.replace(line, "")
    jobs, context = project(tmp_path, suite.replace("60", "3").replace("20, ", ""))
    record = perform(next(job for job in jobs if "waves" in job.name), context)
    assert record
    assert ("input" in record.snapshot_names()) == has_input
    assert ("change" in record.snapshot_names()) == has_change
    if has_change:
        given, output = context.task(record.experiment).shown, read_picture(record.snapshot(3))
        found = read_picture(record.snapshot("change"))[:1]
        by = 8 * np.abs(output - given).mean(axis=0, keepdims=True)
        assert np.abs(found - np.clip(by, 0, 1)).max() <= 8 / 255
    assert "3" in record.snapshot_names()
    assert ("average" in record.snapshot_names()) == ("fit" not in task), "a fit restores nothing"


def test_past_seed_0_only_the_last_output_is_kept(tmp_path: Path) -> None:
    jobs, context = project(tmp_path)
    records = [perform(job, context) for job in jobs if job.suite.name == "seeded"]
    assert all(records)
    first, second = (record.snapshot_names() for record in records if record)
    assert {"0", "2", "3", "input", "average"} < set(first)
    assert second == ["3"]
    assert records[1]
    assert set(records[1].metrics["snapshots"]) == {"0", "2", "3"}, "scored all the same"


def test_a_suite_keeps_pictures_of_the_images_it_names(tmp_path: Path) -> None:
    suite = SHARED.replace("frames_of", 'pictures_of = ["made/rings"]\nframes_of')
    jobs, context = project(tmp_path, suite.replace("[0, 20, 60]", "[0, 2]").replace("60", "5"))
    of_waves = [job for job in jobs if job.name.startswith("tiny/waves/")]
    names = {}
    for job in of_waves:
        record = perform(job, context)
        assert record
        names[job.name.rpartition("/")[2]] = record.snapshot_names()
        if not job.method:
            assert set(record.metrics["snapshots"]) == {"0", "2", "5"}, "scored all the same"
            assert record.curve()
    needed = ["average"]  # by the mean, wherever it is made
    assert names == {
        "nearest-known-pixel": [], "biharmonic": [], "seed0": needed, "seed1": needed,
        "mean-seeds-0-1": [],
    }  # fmt: skip


def test_a_baseline_is_recorded_like_a_run(tmp_path: Path) -> None:
    jobs, context = project(tmp_path)
    record = perform(jobs[0], context)
    assert record
    assert (record.kind, record.data["method"]) == ("baseline", "nearest-known-pixel")
    assert record.snapshot_names() == ["output"], "the input is the run's"
    assert record.metrics["final"]["psnr_db"] > record.metrics["input"]["psnr_db"]
    assert record.metrics["final"]["psnr_known_db"] is None, "known pixels are kept exactly"
    assert record_of(jobs[0], context.results, context.images)


def test_one_baseline_s_record_does_not_pass_for_another_s(tmp_path: Path) -> None:
    jobs, context = project(tmp_path)
    nearest, biharmonic = jobs[:2]
    perform(nearest, context)
    shutil.copytree(nearest.folder(context.results), biharmonic.folder(context.results))
    assert record_of(nearest, context.results, context.images)
    assert record_of(biharmonic, context.results, context.images) is None


SHARED = SUITES.replace('"made/rings"]', '"made/rings"]\nseeds = [0, 1]\nproblem_seed = 7', 1)


def test_runs_of_one_input_are_averaged(tmp_path: Path) -> None:
    jobs, context = project(tmp_path, SHARED.replace("[0, 20, 60]", "[]").replace("60", "5"))
    jobs = [job for job in jobs if job.suite.name == "tiny" and "rings" not in job.name]
    *runs, mean = [job for job in jobs if job.method is None or job.seeds]
    assert mean.name == "tiny/waves/mean-seeds-0-1"
    with pytest.raises(InputError, match="the average needs tiny/waves/seed0, which is not recor"):
        perform(mean, context)
    one, two = (perform(run, context) for run in runs)
    exact = perform(mean, context)
    assert one and two and exact
    assert exact.data["averaged_from"] == "float32 averages"
    kept = two.folder / "average.npy"
    np.save(kept, np.load(kept) * np.float32(0.5))  # as of another run
    of_another = perform(mean, context)
    kept.unlink()
    from_pictures = perform(mean, context)
    assert of_another and from_pictures
    assert of_another.metrics == from_pictures.metrics
    assert from_pictures.data["averaged_from"] == "8-bit pictures"
    pictures = [read_picture(record.snapshot("average"))[:1] for record in (one, two)]
    task = context.task(mean.experiment)
    both = np.stack(pictures).mean(axis=0, dtype=np.float64).astype(np.float32)
    assert from_pictures.metrics["final"] == scores(task, both), "never one of each"
    assert exact.kind == "mean"
    assert record_of(mean, context.results, context.images)
    levels = [record.metrics["average"]["psnr_db"] for record in (one, two)]
    level = exact.metrics["final"]["psnr_db"]
    assert level > sum(levels) / 2, (
        "the mean of two is nearer to the truth than they are on average"
    )
    assert from_pictures.metrics["final"]["psnr_db"] == pytest.approx(level, abs=0.02)
    assert one.metrics["input"] == two.metrics["input"], "the same degraded input"


def test_a_mean_counts_only_for_the_runs_that_it_is_made_of(tmp_path: Path) -> None:
    jobs, context = project(tmp_path, SHARED.replace("[0, 20, 60]", "[]").replace("60", "5"))
    jobs = [job for job in jobs if job.suite.name == "tiny" and "rings" not in job.name]
    *runs, mean = [job for job in jobs if job.method is None or job.seeds]
    records = [perform(run, context) for run in runs]
    made = perform(mean, context)
    assert made
    assert made.data["runs"] == {r.folder.name: r.data["seal"] for r in records if r}
    assert record_of(mean, context.results, context.images)
    changed(runs[1].folder(context.results), lambda data: data.update(seconds=0.125))
    assert record_of(mean, context.results, context.images) is None, "it was remade"
    changed(made.folder, lambda data: data.pop("runs"))
    assert record_of(mean, context.results, context.images), "an older mean does not say"
    of_bf16 = identity(runs[1].experiment, context.images, "bf16", 1)
    changed(runs[1].folder(context.results), lambda data: data.update(of_bf16))
    with pytest.raises(InputError, match="seeds-0-1 are in bf16 and ieee: no mean joins them"):
        perform(mean, context)
    with pytest.raises(InputError, match="seed1 is in bf16, and this one would be in ieee, which"):
        perform(runs[0], context)
    meant = replace(runs[0], experiment=replace(runs[0].experiment, arithmetic="ieee"))
    assert perform(meant, context), "whose precision is named is compared, not joined"
    suite = replace(runs[0].suite, experiments=tuple(
        replace(one, arithmetic="bf16") if one.seed else one
        for one in runs[0].suite.experiments
    ))  # fmt: skip
    assert perform(replace(runs[0], suite=suite), context), "nor is it with another's named one"


def test_stopped_and_gone_on_equals_uninterrupted(tmp_path: Path) -> None:
    jobs, context = project(tmp_path / "a")
    job = next(job for job in jobs if job.name == "tiny/waves/seed0")
    whole = perform(job, context)
    calls = iter(range(10_000))
    lines = Lines()
    _, stopping = project(tmp_path / "b", should_stop=lambda: next(calls) % 17 == 16)
    stopping = replace(stopping, listener=lines)
    record = None
    while record is None:
        record = perform(job, stopping)
    assert whole
    assert record.data["files"] == whole.data["files"]
    assert record.metrics == whole.metrics
    assert record.data["stops"] == whole.data["stops"]
    assert lines == [f"tiny/waves/seed0 {first} 60" for first in (0, 17, 34, 51)]


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "another"])
def test_a_damaged_checkpoint_is_named_and_set_aside(tmp_path: Path, damage: str) -> None:
    jobs, context = project(tmp_path, should_stop=lambda: True)
    job = next(job for job in jobs if job.name == "tiny/waves/seed0")
    assert perform(job, context) is None
    (path,) = (tmp_path / "results/.work").glob("*/checkpoint.npz")
    data = bytearray(path.read_bytes())
    if damage == "flipped":
        data[len(data) // 2] ^= 1
    broken = {"cut": data[:-100], "empty": b"", "flipped": data}.get(damage)
    if broken is not None:
        path.write_bytes(broken)
    else:
        with np.load(path) as archive:
            arrays = dict(archive)
        text = arrays["told"].tobytes().replace(b'"torch": "', b'"torch": "9')
        np.savez(path, **{**arrays, "told": np.frombuffer(text, np.uint8)})
    lines = Lines()
    record = perform(job, replace(context, listener=lines, should_stop=bool))
    reason = "was made with another torch" if damage == "another" else "is damaged"
    assert lines[0].startswith(f"{path}: the checkpoint {reason}")
    named = "checkpoint.set-aside.npz" if damage != "another" else r"checkpoint.[0-9a-f]{8}.npz"
    assert re.search(f"it is now {named}$", lines[0])
    assert lines[1] == "tiny/waves/seed0 0 60"
    assert record
    assert path.parent.name == f"{record.key}-tiny-waves-seed0"
    assert not path.parent.exists()


def test_two_kinds_of_machines_that_take_turns_keep_a_checkpoint_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on(machine: str, threads: int, steps: int) -> tuple[Lines, Record | None]:
        described = environment("cpu") | {"device": machine}
        monkeypatch.setattr("dip.runs.run.environment", lambda device: described)
        lines, calls = Lines(), iter(range(10_000))
        stopping = replace(
            context, threads=threads, listener=lines, should_stop=lambda: next(calls) == steps - 1
        )
        return lines, perform(job, stopping)

    jobs, context = project(tmp_path, SUITES.replace("60", "120"))
    job = next(job for job in jobs if job.name == "tiny/waves/seed0")
    assert on("A", 1, 100) == (["tiny/waves/seed0 0 120"], None)
    (told, begun), _ = on("B", 2, 3)
    assert "made with another device (A, not B)" in told
    assert begun == "tiny/waves/seed0 0 120"
    (told, *threads, begun), record = on("A", 1, 1000)
    assert "made with another device (B, not A)" in told
    assert threads == [] and begun == "tiny/waves/seed0 100 120"
    assert record and record.data["environment"]["threads"] == 1


def test_a_run_goes_on_with_the_threads_that_it_began_with(tmp_path: Path) -> None:
    jobs, context = project(tmp_path, should_stop=lambda: True)
    job = next(job for job in jobs if job.name == "tiny/waves/seed0")
    assert perform(job, context) is None
    lines, threads = Lines(), torch.get_num_threads()
    record = perform(job, replace(context, threads=2, listener=lines, should_stop=bool))
    assert record
    folder = tmp_path / f"results/.work/{record.key}-tiny-waves-seed0"
    told = "tiny/waves/seed0 began with --threads 1 and goes on so, not with 2, which would round"
    told += f" otherwise; to begin anew, delete {folder}"
    assert lines == [told, "tiny/waves/seed0 1 60"]
    assert record.data["environment"]["threads"] == 1
    assert torch.get_num_threads() == threads, "the next run has its own"


def test_the_same_run_of_another_suite_leaves_a_checkpoint_alone(tmp_path: Path) -> None:
    twin = '[twin]\nlike = "tiny"\ntitle = "Twin"\npictures_of = []\n'
    calls = iter(range(10_000))
    jobs, context = project(tmp_path, SUITES + twin, should_stop=lambda: next(calls) == 9)
    by_name = {job.name: job for job in jobs}
    assert perform(by_name["tiny/waves/seed0"], context) is None
    record, lines = perform(by_name["twin/waves/seed0"], context), Lines()
    gone_on = perform(by_name["tiny/waves/seed0"], replace(context, listener=lines))
    assert lines == ["tiny/waves/seed0 10 60"]
    assert record and gone_on
    assert record.key == gone_on.key
    assert record.curve() == gone_on.curve()


def test_a_disk_that_is_full_costs_a_checkpoint_and_a_stop_but_no_run(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")  # Windows has none
    usual, steps = resource.getrlimit(resource.RLIMIT_FSIZE), iter(range(10_000))

    def full_from_5_to_10() -> bool:
        step = next(steps)
        largest = 8192 if 5 <= step < 10 else usual[0]
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, usual[1]))
        return stops_at == step

    jobs, context = project(tmp_path, should_stop=full_from_5_to_10, checkpoint_seconds=0.0)
    job = next(job for job in jobs if job.name == "tiny/waves/seed0")
    stops_at = 7
    try:
        with pytest.raises(InputError, match=r"checkpoint.npz: cannot be written: File too large"):
            perform(job, context)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    steps, stops_at, lines = iter(range(10_000)), -1, Lines()
    record = perform(job, replace(context, listener=lines, checkpoint_seconds=1e-9))
    assert record
    said = [line for line in lines if "cannot be written" in line]
    assert len(said) == 1 and said[0].endswith("; the run goes on without a new checkpoint")
    assert lines[0].startswith("tiny/waves/seed0 ") and lines[0] != "tiny/waves/seed0 0 60"


def test_pack_takes_the_place_of_an_archive_of_its_own_alone(tmp_path: Path) -> None:
    jobs, context = project(tmp_path)
    perform(jobs[0], context)
    archive, photo = tmp_path / "packed.tar", tmp_path / "images/made/waves.png"
    assert pack(context.results, archive) == pack(context.results, archive) == (1, [])
    before = photo.read_bytes()
    for other in (photo, tmp_path / "images"):
        with pytest.raises(InputError, match="is there already, and is no archive of records"):
            pack(context.results, other)
    assert photo.read_bytes() == before


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    code = (
        "import signal; from dip.runs.progress import Interrupts\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN); asked = Interrupts()\n"
        "signal.raise_signal(signal.SIGINT); assert not asked.asked\n"
        "signal.raise_signal(signal.SIGTERM); assert asked.asked\n"
        "assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN"
    )
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1], check=True)


def test_the_list_names_work_that_no_suite_asks_for_any_more(tmp_path: Path, capsys: Told) -> None:
    jobs, context = project(tmp_path, should_stop=lambda: True)
    job = next(job for job in jobs if job.name == "tiny/waves/seed0")
    assert perform(job, context) is None
    (place,) = (tmp_path / "results/.work").iterdir()
    words = ["--content", str(tmp_path / "content"), "list", "--results", str(context.results)]
    assert main(words) == 0
    assert "asks for" not in capsys.readouterr().out
    suites = tmp_path / "content/experiments.toml"
    suites.write_text(SUITES.replace("60", "50"))
    assert main(words) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[-1] == f"{place}: of a run that no suite asks for; it can be deleted"


def test_a_folder_is_gone_once_its_lock_is_released(tmp_path: Path) -> None:
    with Work(tmp_path / "work") as work:
        work.save({}, RunProgress("now"), {})
        work.remove()
        work.folder.mkdir(exist_ok=True)  # so it is left where the lock is open, as on Windows
    assert not work.folder.exists()


@pytest.mark.skipif(os.name == "nt", reason="the first lock is still open there")
def test_a_folder_that_another_process_took_since_stays(tmp_path: Path) -> None:
    with Work(tmp_path / "work") as first:
        first.remove()
        second = Work(tmp_path / "work").__enter__()
    with second, pytest.raises(Busy):
        Work(tmp_path / "work").__enter__()


def test_a_killed_process_holds_no_lock(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from dip.runs.checkpoint import Work\n"
        "with Work(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "work")], stdout=subprocess.PIPE, text=True,
        cwd=Path(__file__).parents[1],
    )  # fmt: skip
    assert child.stdout
    assert child.stdout.readline() == "held\n"
    with pytest.raises(Busy, match="another process is at this run"):
        Work(tmp_path / "work").__enter__()
    child.kill()
    child.wait()
    with Work(tmp_path / "work") as work:
        assert work.load({}) is None


def test_a_checkpoint_is_read_as_it_was_written(tmp_path: Path) -> None:
    told = RunProgress("now", 1.5, [(0, 0.1, None), (1, float(np.float32(0.3)), 2.0)],
                {"0": {"loss": 0.1}}, {"0": b"webp"}, 3)  # fmt: skip
    state = {"theta": np.arange(5, dtype=np.float32), "counts": np.array([1, 2])}
    with Work(tmp_path / "work") as work:
        work.save({"device": "d"}, told, state)
        found = work.load({"device": "d"})
        assert found
        assert found[0] == told
        assert all(np.array_equal(found[1][name], state[name]) for name in state)
        with pytest.raises(InputError, match=r"another device \(d, not e\)"):
            work.load({"device": "e"})
        assert work.load({"device": "e"}) is None, "it was set aside"


def test_an_old_record_is_moved_aside_never_lost(tmp_path: Path) -> None:
    jobs, context = project(tmp_path)
    old = perform(jobs[0], context)
    assert old
    before = (old.folder / "run.json").read_bytes()
    keeping = replace(context, keeps_records=True)
    with pytest.raises(Busy, match="another process has recorded this run"):
        perform(jobs[0], keeping)
    assert not (tmp_path / "results/superseded").exists()
    assert not list((tmp_path / "results/.work").iterdir())
    perform(jobs[0], context)
    (aside,) = (tmp_path / "results/superseded" / old.key).glob("*/nearest-known-pixel/run.json")
    assert aside.read_bytes() == before
    (old.folder / "run.json").write_text("{")
    place = move_aside(old.folder)
    assert place
    assert place.parent.parent.name == "damaged"
    assert not old.folder.exists()


def test_a_record_is_on_the_disk_before_its_checkpoint_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, context = project(tmp_path, SHARED.replace("[0, 20, 60]", "[]").replace("60", "3"))
    sync, remove = os.fsync, shutil.rmtree
    synced: set[int] = set()
    at_removal: list[set[int]] = []

    def noted_sync(descriptor: int) -> None:
        sync(descriptor)
        synced.add(os.fstat(descriptor).st_ino)

    def noted_remove(path: Path, **more: Any) -> None:
        if path.parent.name == ".work":
            at_removal.append(set(synced))
        remove(path, **more)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(shutil, "rmtree", noted_remove)
    record = perform(next(job for job in jobs if job.kind == "run"), context)
    assert record
    needed = {record.folder, *record.folder.rglob("*"), *record.folder.parents[:3]}
    assert {"run.json", "curve.csv", "average.npy", "results"} < {path.name for path in needed}
    (found,) = at_removal
    assert {path.stat().st_ino for path in needed} <= found


def test_frames_are_closest_at_the_beginning() -> None:
    jobs = load_suites(Path(__file__).parent.parent / "content/experiments.toml")["inpainting"]
    experiment = next(e for e in jobs.experiments if e.frames)
    frames = sorted(frames_of(experiment))
    assert len(frames) == 24
    assert (frames[0], frames[-1]) == (0, experiment.iterations)
    gaps = np.diff(frames)
    assert (np.diff(gaps) > 0).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_are_lossless(channels: int) -> None:
    levels = np.random.Generator(np.random.Philox(5)).integers(0, 256, (channels, 9, 13))
    path = Image.open(__import__("io").BytesIO(webp(levels / 255)))
    read = np.asarray(path.convert("RGB" if channels == 3 else "L"))
    assert np.array_equal(read if channels == 3 else read[..., None], levels.transpose(1, 2, 0))


def test_out_of_memory_says_what_would_fit(tmp_path: Path) -> None:
    jobs, context = project(tmp_path)
    sentence = what_would_fit(jobs[-1].experiment, context)
    assert sentence.startswith("out of memory: 32x32 pixels need about")
    assert sentence.endswith("pixels would fit")


LONGER = SUITES.replace("iterations = 60", "iterations = 300").replace(
    "snapshots = [0, 20, 60]", "snapshots = [0, 20, 150, 300]"
)


def start(folder: Path, results: Path, *more: str) -> "subprocess.Popen[str]":
    """Start `dip run` of one run in a process of its own, whose folder is none of the project's."""
    command = [
        sys.executable, "-m", "dip", "--content", str(folder / "content"), "run", "tiny",
        "--image", "waves", "--seed", "0", "--results", str(results), "--images",
        str(folder / "images"), "--device", "cpu", "--threads", "1", "--plain", *more,
    ]  # fmt: skip
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    code = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    return subprocess.Popen(command, cwd=elsewhere, env=code, stdout=subprocess.PIPE, text=True)


def wait_for_checkpoint(child: "subprocess.Popen[str]", results: Path) -> None:
    """Wait until the child has written a checkpoint, or has ended."""
    began = time.time()
    while child.poll() is None:
        with contextlib.suppress(FileNotFoundError):  # removed as the run ends
            paths = (results / ".work").glob("*/checkpoint.npz")
            if any(path.stat().st_mtime > began for path in paths):
                return
        time.sleep(0.005)


@pytest.mark.slow
def test_killed_at_random_moments_equals_uninterrupted(tmp_path: Path) -> None:
    """`kill -9` in fresh processes; the record is the same but for seconds and dates."""
    write_project(tmp_path, LONGER)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert start(tmp_path, whole).wait() == 0
    chance, beginnings = random.Random(), []
    while len(beginnings) < 6 or max(beginnings) == 0:
        child = start(tmp_path, killed, "--checkpoint-every", "0.02")
        assert child.stdout
        line = child.stdout.readline()
        if "iteration" not in line:
            child.wait()
            shutil.rmtree(killed)  # it was finished: once more from the beginning
            continue
        beginnings.append(int(line.split("iteration ")[1].split()[0]))
        wait_for_checkpoint(child, killed)
        time.sleep(chance.uniform(0, 0.3))
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert start(tmp_path, killed).wait() == 0
    told = [json.loads((r / "tiny/waves/seed0/run.json").read_text()) for r in (whole, killed)]
    for data in told:
        for changing in (
            "started", "seconds", "seconds_per_iteration", "commit_dirty", "commit", "seal",
        ):  # fmt: skip
            data.pop(changing)
    assert told[0] == told[1]
    shutil.rmtree(killed)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_saves_and_the_same_command_goes_on(tmp_path: Path, number: signal.Signals) -> None:
    write_project(tmp_path, LONGER)
    # As at a terminal: in a script's background job the tests ignore it, and so would the child.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    child = start(tmp_path, tmp_path / "results")
    assert child.stdout
    assert "begins; iteration 0 of 300" in child.stdout.readline()
    child.send_signal(number)
    # After Ctrl-C a shell ends its loop only if the process dies of it.
    assert child.wait() == (1 if number == signal.SIGTERM else -number)
    assert "stopped; the same command goes on from here" in child.stdout.read()
    child = start(tmp_path, tmp_path / "results", "--time-limit", "0")
    assert child.wait() == 0, "a time limit is no failure"
    child = start(tmp_path, tmp_path / "results")
    assert child.stdout
    assert "goes on at iteration" in child.stdout.readline()
    assert child.wait() == 0
