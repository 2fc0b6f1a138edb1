"""How long runs would take: what counts as measured, and what is a guess."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from made_records import ENVIRONMENT, write_run
from reading import Told
from small_runs import SUITES, write_project

from dip.cli import main
from dip.errors import InputError
from dip.experiments.experiment import Experiment
from dip.experiments.suites import load_suites
from dip.experiments.test_images import ListedImage, load_images
from dip.planning.estimates import (
    COMPARABLE,
    Machine,
    Speed,
    known_speeds,
    multiply_adds,
    seconds_per_iteration,
)

CONTENT = Path(__file__).parent.parent / "content"
HERE = Machine("cpu", "Example CPU 3000", "AVX512", 2)


@pytest.fixture
def images(tmp_path: Path) -> dict[str, ListedImage]:
    content, _ = write_project(tmp_path)
    return load_images(content / "images.toml")


def an_experiment(**changed: Any) -> Experiment:
    return Experiment(image="made/waves", mask="bernoulli", **changed)


def a_speed(images: dict[str, ListedImage], seconds: float = 1.0, **changed: Any) -> Speed:
    """Give a speed of the machine HERE for the experiment's whole picture, or for `of`."""
    of = changed.pop("of", an_experiment())
    made = {"arithmetic": "ieee", "trajectory_revision": 2, **changed}
    environment = {**ENVIRONMENT, **made.pop("environment", {})}
    work = multiply_adds(of, images)
    return Speed(environment=environment, work=work, seconds=seconds, **made)


def test_an_estimate_comes_from_this_device_precision_and_revision(
    images: dict[str, ListedImage],
) -> None:
    told = seconds_per_iteration(an_experiment(), images, [a_speed(images, 0.2)], HERE)
    assert (told.seconds, told.threads, told.measured) == (pytest.approx(0.2), 2, True)
    for other in (
        {"environment": {"device": "Another CPU"}},
        {"environment": {"instruction_set": "AVX2"}},
        {"environment": {"device_kind": "cuda"}},
        {"arithmetic": "bf16", "trajectory_revision": 1},
        {"trajectory_revision": 1},
    ):
        told = seconds_per_iteration(an_experiment(), images, [a_speed(images, **other)], HERE)
        assert not told.measured, other
        assert told.seconds > 0


def test_each_precision_is_estimated_by_itself(images: dict[str, ListedImage]) -> None:
    speeds = [a_speed(images, 0.9), a_speed(images, 0.4, arithmetic="bf16", trajectory_revision=1)]
    narrow = seconds_per_iteration(an_experiment(arithmetic="bf16"), images, speeds, HERE)
    assert narrow.seconds == pytest.approx(0.4)
    guesses = [
        seconds_per_iteration(an_experiment(arithmetic=name), images, [], HERE).seconds
        for name in ("ieee", "bf16")
    ]
    assert guesses[0] > guesses[1]
    with pytest.raises(InputError, match="arithmetic 'tf32' is not available on cpu"):
        seconds_per_iteration(an_experiment(arithmetic="tf32"), images, speeds, HERE)


def test_the_threads_of_a_run_come_first_then_the_nearest_size(
    images: dict[str, ListedImage],
) -> None:
    large = an_experiment(preview_side=128)
    of_one = {"threads": 1}
    speeds = [a_speed(images, 3.0, environment=of_one), a_speed(images, 1.0, of=large)]
    whole = multiply_adds(an_experiment(), images) / multiply_adds(large, images)
    told = seconds_per_iteration(an_experiment(), images, speeds, HERE)
    assert (told.seconds, told.threads) == (pytest.approx(whole), 2)
    told = seconds_per_iteration(an_experiment(), images, speeds[:1], HERE)
    assert (told.seconds, told.threads) == (pytest.approx(3.0), 1), "as it was recorded"
    speeds += [a_speed(images, seconds) for seconds in (0.1, 0.7, 9.0)]
    assert seconds_per_iteration(an_experiment(), images, speeds, HERE).seconds == 0.7


def test_a_run_of_much_less_work_says_nothing_of_a_large_one(
    images: dict[str, ListedImage],
) -> None:
    small = an_experiment(preview_side=16, channels=(2, 2), skip_channels=(1, 1))
    whole = multiply_adds(an_experiment(), images) / multiply_adds(small, images)
    assert whole > COMPARABLE
    of_run = a_speed(images, 1.0, of=small)
    told = seconds_per_iteration(an_experiment(), images, [of_run], HERE)
    assert not told.measured and told.seconds < whole / 10
    assert seconds_per_iteration(small, images, [of_run], HERE).measured


def test_records_tell_their_speed(tmp_path: Path, images: dict[str, ListedImage]) -> None:
    suite = load_suites(tmp_path / "content/experiments.toml")["tiny"]
    record = write_run(tmp_path / "results", suite, suite.experiments[0], 30.0, seconds=12.0)
    (speed,) = known_speeds(tmp_path / "results", images)
    assert speed.seconds == record.data["seconds_per_iteration"]
    assert (speed.environment["device"], speed.threads) == ("Example CPU 3000", 2)


def test_a_run_in_progress_tells_its_speed(
    tmp_path: Path, images: dict[str, ListedImage], capsys: Told
) -> None:
    pytest.importorskip("torch")
    results = tmp_path / "results"
    longer = SUITES.replace("iterations = 60", "iterations = 100000")
    (tmp_path / "content/experiments.toml").write_text(longer)
    common = ["--content", str(tmp_path / "content")]
    run = ["run", "tiny", "--image", "waves", "--seed", "0", "--time-limit", "2", "--threads", "1"]
    where = ["--results", str(results), "--images", str(tmp_path / "images"), "--device", "cpu"]
    assert main([*common, *run, *where, "--plain"]) == 0
    (speed,) = known_speeds(results, images)
    assert (speed.threads, speed.arithmetic, speed.trajectory_revision) == (1, "ieee", 2)
    assert 0 < speed.seconds < 60
    capsys.readouterr()
    assert main([*common, "list", "tiny", "--results", str(results), "--device", "cpu"]) == 0
    told = capsys.readouterr().out
    assert "here, 1 thread\n" in told
    assert "a guess" not in told


@pytest.mark.parametrize("damage", [lambda data: data[:99], lambda _: b"", lambda _: b"PK"])
def test_a_damaged_checkpoint_tells_nothing(
    tmp_path: Path, images: dict[str, ListedImage], damage: Callable[[bytes], bytes]
) -> None:
    folder = tmp_path / "results/.work/0123456789abcdef"
    folder.mkdir(parents=True)
    (folder / "checkpoint.npz").write_bytes(damage(b"PK\3\4" + bytes(500)))
    assert known_speeds(tmp_path / "results", images) == []


def test_steps_are_timed_once_and_kept(tmp_path: Path, capfd: Told) -> None:
    pytest.importorskip("torch")
    write_project(tmp_path)
    kept = tmp_path / "results/.work/speed.json"
    command = ["--content", str(tmp_path / "content"), "list", "tiny", "--device", "cpu"]
    command += ["--threads", "1", "--results", str(tmp_path / "results")]

    def listed(*more: str) -> str:
        assert main([*command, *more]) == 0
        return capfd.readouterr().out

    assert "here, 1 thread, a guess" in listed()
    measured = listed("--measure")
    assert "here, 1 thread\n" in measured
    written = kept.read_bytes()
    assert listed("--measure") == listed() == measured
    assert kept.read_bytes() == written, "what was timed once is used from then on"
    for damaged in ('[["a", 5]]', '[[{}, "ieee", 2, 1e9, 1.0]]'):
        kept.write_text(damaged)
        assert "a guess" in listed()
