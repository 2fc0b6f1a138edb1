"""Scores of one output, and of a whole suite: means over images, spread between seeds."""

from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from press.errors import InputError, nearest
from press.results.numbers import Measured, NotRun, Quantity
from press.results.stops import StopPoint

UNITS = {
    "psnr_db": "dB",
    "psnr_luma_db": "dB",
    "psnr_known_db": "dB",
    "psnr_unknown_db": "dB",
    "ssim": "",
    "loss": "",
}


class Score:
    """How good one output is: psnr_db, ssim, loss, psnr_known_db and psnr_unknown_db.

    Super-resolution has psnr_luma_db too, which is how the paper scores it.
    Each is a `Measured`, or a `NotRun` where the run is not recorded.
    """

    def __init__(
        self,
        name: str,
        values: Mapping[str, Any] | None,
        origin: str,
        iteration: int | None = None,
        preview: bool = False,
        point: StopPoint | None = None,
        label: str = "",
        picture: Callable[[], Path | None] = lambda: None,
    ) -> None:
        """Hold the values of run.json's metrics; None stands for a run that is not recorded.

        `point` is what a stopping rule chose, where the output is its choice; `label` names it
        under a picture, which `picture` finds.
        """
        self.name, self.origin, self.preview, self._point = name, origin, preview, point
        self._values, self._iteration, self.label = values, iteration, label
        self._picture = picture

    @property
    def picture(self) -> Path | None:
        """The path of its picture; None where there is none, or it may not be shown."""
        return self._picture()

    @property
    def iteration(self) -> "int | NotRun | None":
        """The iteration of this output; None for what is no iterate."""
        return NotRun(self.name) if self._values is None else self._iteration

    @property
    def words(self) -> str | NotRun:
        """Where a stopping rule stops, or that it did not within the run."""
        if self._values is None:
            return NotRun(self.name)
        if self._point is None:
            raise InputError(f"{self.name} is not the choice of a stopping rule")
        return self._point.words

    def get(self, quantity: str) -> Measured | None:
        """A score by its name; None where it was not scored, or the run is not recorded."""
        value = (self._values or {}).get(quantity)
        if value is None:
            return None
        return Measured(value, UNITS[quantity], self.origin, preview=self.preview)

    def __getattr__(self, quantity: str) -> Quantity:
        """A score by its name; raises InputError if it is unknown or was not scored."""
        if quantity.startswith("_"):
            raise AttributeError(quantity)
        if quantity not in UNITS:
            raise InputError(f"{self.name} has no '{quantity}'{nearest(quantity, UNITS)}")
        if self._values is None:
            return NotRun(self.name)
        found = self.get(quantity)
        if found is None:
            raise InputError(f"{self.name} has no {quantity}: it was not scored so")
        return found


class ScoreTable:
    """The same score of every run of a suite: by image, and as a mean over the images.

    `score` gives the score of an image and a seed; `page` is where the origin of a mean leads;
    `measure` is the quantity that is meant where none is named.
    """

    def __init__(
        self,
        name: str,
        images: tuple[str, ...],
        seeds: tuple[int, ...],
        score: Callable[[str, int], Score],
        page: str = "",
        measure: str = "psnr_db",
    ) -> None:
        """Hold what is needed to look scores up."""
        self.name, self.images, self.seeds, self.measure = name, images, seeds, measure
        self._score, self._page = score, page

    def __getattr__(self, quantity: str) -> Quantity:
        """`mean_psnr_db`, `mean_ssim` ... over all images; raises InputError if unknown."""
        if quantity.startswith("_"):
            raise AttributeError(quantity)
        wanted = quantity.removeprefix("mean_")
        if wanted == quantity or wanted not in UNITS:
            known = [f"mean_{unit}" for unit in UNITS]
            raise InputError(f"{self.name} has no '{quantity}'{nearest(quantity, known)}")
        return self.mean(wanted)

    def one(self, image: str, seed: int, quantity: str = "") -> Quantity:
        """The score of one run."""
        return getattr(self._score(image, seed), quantity or self.measure)  # type: ignore[no-any-return]

    def of(self, image: str, quantity: str = "") -> Quantity:
        """The mean over the recorded seeds of one image, with its spread and n."""
        scores = [self.one(image, seed, quantity) for seed in self.seeds]
        found = [score for score in scores if isinstance(score, Measured)]
        return over_seeds(found) if found else NotRun(f"{self.name}, {image}")

    def mean(self, quantity: str = "", images: tuple[str, ...] | None = None) -> Quantity:
        """The mean over `images` (all by default), from the seeds that have every one."""
        means = []
        for seed in self.seeds:
            scores = [self.one(image, seed, quantity) for image in images or self.images]
            found = [score for score in scores if isinstance(score, Measured)]
            if found and len(found) == len(scores):
                over_images, one = mean(map(float, found)), found[0]
                means.append(Measured(over_images, one.unit, self._page, preview=one.preview))
        return over_seeds(means) if means else NotRun(f"mean of {self.name}")


def over_seeds(found: list[Measured]) -> Measured:
    """Join the numbers of several seeds: their mean, their standard deviation, how many."""
    spread = stdev(map(float, found)) if len(found) > 1 else None
    over, one = mean(map(float, found)), found[0]
    return Measured(over, one.unit, one.origin, spread, len(found), one.preview)
