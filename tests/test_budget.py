"""What the suites would store when whole: each has its share of results/, 120 MB in all."""

import re
import subprocess
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest

from dip.experiments.experiment import Experiment
from dip.experiments.suites import Suite, load_suites
from dip.experiments.test_images import ListedImage, load_images, named
from dip.planning.jobs import Job, jobs_of
from dip.runs.mean import AVERAGE
from dip.runs.recording import in_curve, input_is_the_image, keeps_change, pictured

ROOT = Path(__file__).parent.parent
LIMIT_MB = 120
RUN_JSON, OTHER_JSON = 8e3, 2.5e3  # bytes of a run's description, and of a baseline's or a mean's
# Bytes a pixel of an output and of an input as lossless WebP in colour, measured on the records;
# an image in grey takes half.
PER_PIXEL = {
    "inpainting": (1.2, 1.5), "denoising": (1.7, 2.7), "super-resolution": (1.6, 0.3),
    "fit": (2.1, 2.7), "jpeg": (0.7, 0.7), "flash": (1.3, 1.3),
}  # fmt: skip


@cache
def images() -> dict[str, ListedImage]:
    return load_images(ROOT / "content/images.toml")


@cache
def suites() -> dict[str, Suite]:
    return load_suites(ROOT / "content/experiments.toml")


def estimated_mb(suite: Suite) -> float:
    return sum(_of_job(job) for job in jobs_of(suite)) / 1e6


def _of_job(job: Job) -> float:
    """Estimate the bytes of a record, all its images and its curve."""
    experiment, show = job.experiment, named(job.experiment.image, images()).show
    output, observation = _bytes_of_images(experiment)
    if job.kind != "run":
        return OTHER_JSON + output * (show and experiment.pictures)
    count = len(pictured(experiment, show))
    shown = show and experiment.pictures and experiment.seed == 0
    restores = experiment.task != "fit"
    averaged = show and experiment.problem_seed is not None
    count += 3 * (shown and restores) or bool(averaged and restores)  # average and two stops
    count += shown and keeps_change(experiment)
    kept_input = observation * (shown and not input_is_the_image(experiment))
    return RUN_JSON + _curve(experiment) + count * output + kept_input


def _bytes_of_images(experiment: Experiment) -> tuple[float, float]:
    image, side = named(experiment.image, images()), experiment.preview_side
    pixels = side * side if side else image.width * image.height
    grey = 2 if image.mode == "L" else 1
    output, observation = PER_PIXEL[experiment.task]
    return pixels * output / grey, pixels * observation / grey


def _curve(experiment: Experiment) -> float:
    last = experiment.iterations
    rows = sum(in_curve(iteration, last) for iteration in range(last + 1))
    return rows * (70 if experiment.mask else 50)


def recorded_mb(name: str) -> float:
    """What is stored of a suite; a run's float32 average stays on the machine that made it."""
    files = [path for path in (ROOT / "results" / name).glob("*/*/**/*") if path.is_file()]
    return sum(path.stat().st_size for path in files if path.name != AVERAGE) / 1e6


def stated_shares() -> dict[str, float]:
    """Read the table of shares in the documentation."""
    text = (ROOT / "docs/experiments.md").read_text()
    return {
        name: float(mb)
        for name, mb in re.findall(r"^\| `([\w-]+)` \| ([\d.]+) \|$", text, re.MULTILINE)
    }


def test_each_suite_keeps_to_its_share_and_all_to_the_limit() -> None:
    shares = {name: estimated_mb(suite) for name, suite in suites().items()}
    table = "\n".join(f"| `{name}` | {share:.1f} |" for name, share in shares.items())
    total = sum(shares.values())
    assert total < LIMIT_MB, f"{total:.1f} MB in all\n{table}"
    stated = stated_shares()
    assert stated.keys() == shares.keys(), table
    for name, share in shares.items():
        assert stated[name] == pytest.approx(share, abs=0.051), f"{name}\n{table}"


@pytest.mark.parametrize("name", ["denoising-preview", "inpainting-preview", "open-spikes-preview"])
def test_the_estimate_is_near_what_whole_suites_take(name: str) -> None:
    assert recorded_mb(name) == pytest.approx(estimated_mb(suites()[name]), rel=0.3)


def test_no_test_image_is_stored() -> None:
    command = ["git", "ls-files"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    tracked = [ROOT / name for name in listed.stdout.splitlines()]
    files = [path for path in tracked if path.suffix in (".png", ".jpg", ".webp")]
    hashes = {sha256(path.read_bytes()).hexdigest(): path for path in files if path.exists()}
    assert len(hashes) > 100
    assert not [hashes[image.sha256] for image in images().values() if image.sha256 in hashes]


def test_what_is_recorded_keeps_to_the_shares() -> None:
    recorded = {name: recorded_mb(name) for name in suites()}
    assert 0 < sum(recorded.values()) < LIMIT_MB
    for name, share in stated_shares().items():
        assert recorded[name] <= 1.3 * share + 0.1, name
