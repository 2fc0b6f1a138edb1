"""A person's own photograph restored: settings for each command, early stopping, what is taken.

The settings are the paper's for each task (supplement), at a width that the device can bear.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dip.experiments.experiment import Experiment
from dip.planning.jobs import duration

if TYPE_CHECKING:
    from dip.engine.fit import Fit, Step
    from dip.tasks.degradations import Task

CHANNELS = {"cuda": 128, "mps": 128, "cpu": 32}  # the paper's width; what a CPU can bear
# Iterations on a GPU are the paper's; ES-WMV, or the user, may stop earlier.
# A narrow network learns more slowly, and is stopped by what it has learnt, not by the count.
PATIENCE = 500  # iterations without a lower windowed variance, after which noise is learnt
# The average looks back over some 200 outputs. On three noisy photographs of 128 and 192 pixels it
# was best 250 to 400 iterations after the variance was least: there 0.5 to 0.8 dB better.
LATER = 250
AVERAGED = 300  # iterations before which the average still holds the first, random outputs
SETTLED = 1 / 255  # change of the average, in 200 iterations, from which on it stands still
SETTLING = 200
LEARNT = 1000  # iterations: on the small photographs tried, between 500 and 1,200
LARGE_HOLE = 24  # pixels across, from which on a hole is large


def settings_for(command: str, device_kind: str, channels: int | None, factor: int) -> Experiment:
    """The settings of denoise, inpaint, upscale or clean-jpeg on cpu, cuda or mps.

    `channels` is the network's width, None for what the device can bear; `factor` 4 or 8 is that
    of upscale. The paper's supplement, where no comment says otherwise.
    """
    width = channels or CHANNELS[device_kind]
    base = Experiment(
        image="own/photograph", task="denoising", channels=(width,) * 5, spike_return="weights"
    )
    if command == "denoise":
        return replace(base, iterations=4000)
    if command == "inpaint":
        iterations = 3000 if device_kind == "cpu" else 6000
        return replace(base, task="inpainting", mask="own/mask", iterations=iterations)
    if command == "upscale":
        sigma_p, iterations = (1 / 30, 2000) if factor == 4 else (1 / 20, 4000)
        return replace(
            base, task="super-resolution", factor=factor, sigma_p=sigma_p, iterations=iterations
        )
    # Not the supplement's narrow network for the snail, a drawing: on a photograph of 128x128
    # pixels at JPEG quality 12 that one blurred faces away, 2 dB behind this one after 500
    # iterations. Nor its 2,400 iterations: the blocks are learnt without a rise of the variance.
    # On two photographs, quality 10 and 12, the average was best after 700 and 1,000 iterations.
    return replace(base, task="jpeg", iterations=900)


def settings_for_shapes(settings: Experiment, device_kind: str) -> Experiment:
    """`settings` changed to continue shapes into a large hole: the supplement's for its vase.

    z holds the coordinates, and no skip connection leads past the deep layers. Of four photographs
    with a hole of 40 pixels, two came out better so, by 1 and 2 dB, and two worse, by 1.5 and 6.
    """
    iterations = 1200 if device_kind == "cpu" else 5000
    without = (0,) * len(settings.channels)
    return replace(
        settings, z="meshgrid", z_channels=2, skip_channels=without, iterations=iterations
    )


REASONS = {
    "variance": "stopped by itself, from then on it learns the noise;"
    " taken: the average at {taken_from}",
    "settled": "stopped by itself: the picture stood still",
    "last": "all iterations done",
    "time": "stopped when the time was over",
    "asked": "stopped as asked",
}


@dataclass(frozen=True)
class Restored:
    """What a fit gave: the image, (C, H, W) float32 in [0, 1], and how it came to stop."""

    output: np.ndarray
    iterations: int  # that were done
    taken_from: int  # the iteration whose average, or output, the image is
    reason: str  # a key of REASONS
    seconds: float

    @property
    def learnt(self) -> bool:
        """Whether it is more than the network's first, random outputs."""
        return self.reason not in ("time", "asked") or self.iterations >= AVERAGED

    def __str__(self) -> str:
        """How many iterations the fit took, how long, and why it stopped, in words."""
        reason = REASONS[self.reason].format(taken_from=self.taken_from)
        early = self.reason in ("time", "asked") and self.iterations < LEARNT
        warning = f"; few: it takes some {LEARNT} to learn a photograph, so give more minutes"
        return (
            f"{self.iterations} iterations in {duration(self.seconds)}; {reason}"
            f"{warning if early else ''}"
        )


class EarlyStopping:
    """When to stop a fit without knowing the truth, and which image to take.

    Against noise (`noisy`): the sliding average shortly after the windowed variance of the
    outputs is least (ES-WMV, arXiv 2112.06074). Else: the sliding average once it stands still.
    """

    def __init__(self, fit: "Fit", noisy: bool) -> None:
        """Watch `fit` from its first step."""
        self.fit, self.noisy = fit, noisy
        self.least, self.least_at = float("inf"), 0
        self.taken: np.ndarray | None = None
        self.earlier: np.ndarray | None = None

    def reason_to_stop(self, step: "Step") -> str:
        """Take in a step; the reason (a key of REASONS) to stop after it, or an empty string."""
        return self._variance(step) if self.noisy else self._settled(step)

    def _variance(self, step: "Step") -> str:
        variance = step.windowed_variance
        if variance is not None and variance < self.least:
            self.least, self.least_at, self.taken = variance, step.iteration, None
        quiet_for = step.iteration - self.least_at
        if quiet_for == LATER and self.least_at:
            self.taken = self.fit.average
        return "variance" if self.taken is not None and quiet_for >= PATIENCE else ""

    def _settled(self, step: "Step") -> str:
        if step.iteration % SETTLING or step.iteration < 5 * SETTLING:
            return ""
        now, before = self.fit.average, self.earlier
        self.earlier = now
        if now is None or before is None:
            return ""
        return "settled" if float(np.sqrt(np.mean((now - before) ** 2))) < SETTLED else ""

    def result(self, iteration: int) -> tuple[np.ndarray, int]:
        """The image to take after `iteration`, (C, H, W), and the iteration that it comes from."""
        if self.taken is not None:
            return self.taken, self.least_at + LATER
        average = self.fit.average
        if average is None or iteration < AVERAGED:
            return self.fit.clean_output(), iteration
        return average, iteration


def restore(
    task: "Task",
    experiment: Experiment,
    device: str,
    watch: Callable[["Fit", "Step"], str],
    threads: int | None = None,
) -> Restored:
    """Fit a task until it stops by itself, ends, or `watch`, called each step, gives a reason."""
    from dip.engine.fit import Fit

    began = time.perf_counter()
    fit = Fit(task, experiment, device=device, threads=threads)
    stopping = EarlyStopping(fit, noisy=experiment.task == "denoising")
    reason, iteration = "last", 0
    for step in fit:
        iteration = step.iteration
        asked = watch(fit, step)
        if stop := stopping.reason_to_stop(step) or asked:
            reason = stop
            break
    output, taken_from = stopping.result(iteration)
    return Restored(output, iteration, taken_from, reason, time.perf_counter() - began)
