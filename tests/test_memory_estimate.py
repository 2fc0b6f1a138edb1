"""The one estimate of memory: near what was measured, and the same in every message."""

import subprocess
import sys
from pathlib import Path

import pytest

from dip.experiments.experiment import Experiment
from dip.planning.estimates import bytes_needed, side_that_fits, size

ROOT = Path(__file__).parent.parent
# Sides, channels, colours, and the MiB of a process beyond one that only imports torch, at its
# peak: AMD EPYC (AVX2), torch 2.13.0, float32, one thread.
MEASURED = [
    (128, 128, 1, 279), (256, 128, 1, 538), (384, 128, 1, 910), (512, 128, 1, 1449),
    (256, 128, 3, 611), (512, 128, 3, 1642), (256, 32, 1, 235), (512, 32, 1, 667),
    (128, 32, 3, 135), (256, 32, 3, 322), (512, 32, 3, 946), (256, 64, 1, 364),
]  # fmt: skip


def an_experiment(channels: int = 128) -> Experiment:
    return Experiment(image="own/picture", mask="bernoulli", channels=(channels,) * 5)


@pytest.mark.parametrize(("side", "channels", "colours", "mib"), MEASURED)
def test_the_estimate_is_near_the_peak_that_was_measured(
    side: int, channels: int, colours: int, mib: int
) -> None:
    needed = bytes_needed(an_experiment(channels), (colours, side, side), "ieee")
    assert needed / 2**20 == pytest.approx(mib, rel=0.14)


def test_sides_are_those_that_the_network_runs_on() -> None:
    needed = [bytes_needed(an_experiment(), (1, side, 256), "ieee") for side in (225, 256, 257)]
    assert needed[0] == needed[1] < needed[2]


def test_16_bits_halve_what_lies_between_convolutions() -> None:
    wide, narrow = (bytes_needed(an_experiment(), (1, 512, 512), x) for x in ("ieee", "bf16"))
    assert 0.5 * wide < narrow < 0.8 * wide


@pytest.mark.parametrize("free_gib", [0.25, 1, 8, 80])
@pytest.mark.parametrize("shape", [(3, 3000, 4000), (1, 64, 64)])
def test_what_is_said_to_fit_does(free_gib: float, shape: tuple[int, int, int]) -> None:
    colours, height, width = shape
    side = side_that_fits(an_experiment(32), shape, "ieee", round(free_gib * 2**30))
    assert side % 32 == 0
    assert side > 0
    like = (colours, side * height // max(height, width), side * width // max(height, width))
    assert bytes_needed(an_experiment(32), like, "ieee") < free_gib * 2**30


def test_nothing_fits_into_nothing() -> None:
    assert side_that_fits(an_experiment(), (1, 512, 512), "ieee", 100 * 2**20) == 0


def test_sizes_are_written_for_people() -> None:
    assert [size(mib * 2**20) for mib in (350, 1434)] == ["350 MiB", "1.4 GiB"]


PEAK = """
import sys, torch
def peak_kib():  # ru_maxrss would begin with the peak of the process that started this one
    return int(next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1])
before = peak_kib()
from dip.commands.plain import made_task
from dip.engine.fit import Fit
from dip.experiments.experiment import Experiment
side, channels, iterations = map(int, sys.argv[1:])
experiment = Experiment(
    image="a/b", mask="bernoulli", channels=(channels,) * 5, iterations=iterations
)
for _ in Fit(made_task(side), experiment, threads=1):
    pass
print((peak_kib() - before) / 2**20)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts memory as Linux does")
@pytest.mark.parametrize(("side", "channels", "iterations"), [(256, 32, 4), (512, 128, 2)])
def test_the_estimate_is_near_the_peak_here(side: int, channels: int, iterations: int) -> None:
    pytest.importorskip("torch")
    command = [sys.executable, "-c", PEAK, *map(str, (side, channels, iterations))]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    peak_gib = float(done.stdout)
    needed = bytes_needed(an_experiment(channels), (1, side, side), "ieee")
    assert peak_gib == pytest.approx(needed / 2**30, rel=0.3)
    assert peak_gib < 1.7, "at the most, of what the paper's network takes"
