"""What is missing, and in which order."""

from dataclasses import replace
from pathlib import Path

import pytest
from made_records import write_baseline, write_run
from small_runs import SUITES, write_project

from dip.errors import InputError
from dip.experiments.experiment import Experiment
from dip.experiments.suites import Suite, load_suites
from dip.experiments.test_images import ListedImage, load_images
from dip.planning.jobs import choose_jobs, duration, find_suites, jobs_of, problem_of, record_of
from dip.records.record import load_record, pixels_of


@pytest.fixture
def project(tmp_path: Path) -> tuple[dict[str, Suite], dict[str, ListedImage]]:
    content, _ = write_project(tmp_path)
    return load_suites(content / "experiments.toml"), load_images(content / "images.toml")


Project = tuple[dict[str, Suite], dict[str, ListedImage]]


def test_baselines_first_then_seed_by_seed(project: Project) -> None:
    suites, _ = project
    assert [job.name for job in jobs_of(suites["tiny"])] == [
        "tiny/waves/nearest-known-pixel", "tiny/waves/biharmonic",
        "tiny/rings/nearest-known-pixel", "tiny/rings/biharmonic",
        "tiny/waves/seed0", "tiny/rings/seed0",
    ]  # fmt: skip
    assert [job.name for job in jobs_of(suites["seeded"])] == [
        "seeded/waves/seed0", "seeded/waves/seed1"
    ]  # fmt: skip


def test_a_baseline_hangs_on_the_problem_alone(project: Project) -> None:
    suites, _ = project
    experiment = suites["tiny"].experiments[0]
    problem = problem_of(experiment)
    assert problem == Experiment(image="made/waves", mask="bernoulli", preview_side=32)


def test_a_mean_has_no_arithmetic_of_its_own(tmp_path: Path) -> None:
    shared = SUITES.replace(
        "seeds = [0, 1]", 'seeds = [0, 1]\nproblem_seed = 1\narithmetic = "tf32"'
    )
    content, _ = write_project(tmp_path, shared)
    *runs, mean = jobs_of(load_suites(content / "experiments.toml")["seeded"])
    assert {run.experiment.arithmetic for run in runs} == {"tf32"}
    assert (mean.kind, mean.experiment.arithmetic) == ("mean", "default")


def test_jobs_are_chosen_by_image_and_seed(project: Project) -> None:
    suites, _ = project
    both = find_suites(suites, ["all"])
    assert {job.name for job in choose_jobs(both, ["rings"])} == {
        "tiny/rings/nearest-known-pixel", "tiny/rings/biharmonic", "tiny/rings/seed0",
    }  # fmt: skip
    assert [job.name for job in choose_jobs(both, ["made/waves"], [1])] == ["seeded/waves/seed1"]


def test_a_record_counts_only_for_its_own_description(project: Project, tmp_path: Path) -> None:
    suites, images = project
    suite, results = suites["tiny"], tmp_path / "results"
    run = jobs_of(suite)[-2]
    assert record_of(run, results, images) is None
    write_run(results, suite, run.experiment, 30.0)
    assert record_of(run, results, images) is None, "made with other pixels"
    zeros = dict.fromkeys(pixels_of(run.experiment, images), "0" * 64)
    record = load_record(run.folder(results))
    assert zeros == record.data["pixels_sha256"]
    of_these = {
        name: replace(image, pixels_sha256=zeros.get(name, image.pixels_sha256))
        for name, image in images.items()
    }
    assert record_of(run, results, of_these) == record


def test_a_damaged_record_is_named(project: Project, tmp_path: Path) -> None:
    suites, images = project
    results = tmp_path / "results"
    write_baseline(results, suites["tiny"], "made/waves", "biharmonic", 30.0)
    job = jobs_of(suites["tiny"])[1]
    picture = job.folder(results) / "snapshots/output.webp"
    picture.write_bytes(picture.read_bytes()[:-1])
    with pytest.raises(InputError) as told:
        record_of(job, results, images)
    assert str(told.value).startswith(f"{picture}: the record is damaged")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (99, "99 s"), (100, "2 min"), (5940, "99 min"), (11_100, "3 h 05 min")],
)
def test_durations_are_written_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text
