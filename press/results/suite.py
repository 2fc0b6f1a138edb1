"""A suite as a post sees it: how much of it is recorded, and means over its images."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from dip.experiments.suites import Suite
from press.errors import InputError, nearest
from press.results.numbers import Measured, NotRun, Quantity, in_words, listed
from press.results.run import Run, measure_of
from press.results.scores import Score, ScoreTable
from press.results.stops import RULES

if TYPE_CHECKING:
    from press.results.store import Results


class SuiteView:
    """A suite's runs together: what was recorded, and means over its images."""

    def __init__(self, results: "Results", suite: Suite) -> None:
        """Wrap a suite; its records are read when they are first asked for."""
        self._results, self.suite = results, suite

    def __getattr__(self, quantity: str) -> Quantity:
        """Give a mean of the last iterates: mean_psnr_db, mean_ssim ..."""
        if quantity.startswith("_"):
            raise AttributeError(quantity)
        return getattr(self.final, quantity)  # type: ignore[no-any-return]

    @property
    def name(self) -> str:
        """Give the suite's name."""
        return self.suite.name

    @property
    def title(self) -> str:
        """Give the suite's title."""
        return self.suite.title

    @property
    def why(self) -> str:
        """Give the sentence that says why these settings."""
        return self.suite.why

    @property
    def preview(self) -> bool:
        """Tell whether the suite works on reduced pictures."""
        return self.suite.preview

    @property
    def measure(self) -> str:
        """Name the score that the paper gives for such a task."""
        return measure_of(self.suite)

    @property
    def label(self) -> str:
        """Say what kind of suite it is: "preview, 128×128", or an empty string."""
        side = self.suite.experiments[0].preview_side
        return f"preview, {side}×{side}" if side else ""

    @property
    def page(self) -> str:
        """Give the address of the suite's list of runs, from the page being made."""
        return f"{self._results.root}runs/index.html#{self.name}"

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """Give every run of the suite, recorded or not, in order of worth."""
        return tuple(
            Run(self._results, self.suite, experiment.case, experiment.seed)
            for experiment in self.suite.experiments
        )

    @property
    def images(self) -> int:
        """Count the suite's images."""
        return len(self.suite.images)

    @property
    def planned(self) -> int:
        """Count the suite's runs."""
        return len(self.runs)

    @property
    def recorded(self) -> int:
        """Count the suite's runs that are recorded."""
        return sum(run.recorded for run in self.runs)

    @property
    def n(self) -> int:
        """Count the seeds of which every image is recorded."""
        value = self.final.mean()
        return value.n if isinstance(value, Measured) else 0

    @property
    def seconds(self) -> Quantity:
        """Give the wall seconds of all recorded runs together."""
        found = [run.seconds for run in self.runs if run.recorded]
        total = sum(float(seconds) for seconds in found if isinstance(seconds, Measured))
        return Measured(total, "s", self.page, n=len(found)) if found else NotRun(self.name)

    @property
    def devices(self) -> str | NotRun:
        """Name the processors that ran the recorded runs."""
        names = dict.fromkeys(str(run.device) for run in self.runs if run.recorded)
        return listed(list(names)) if names else NotRun(self.name)

    @property
    def duration(self) -> str | NotRun:
        """Give the seconds of all recorded runs together, in words."""
        seconds = self.seconds
        return in_words(seconds) if isinstance(seconds, Measured) else NotRun(self.name)

    @property
    def baselines(self) -> tuple[Run, ...]:
        """Give the suite's baselines, image by image, recorded or not."""
        return tuple(
            self._results.one(self.suite, image, 0, method)
            for image in self.suite.images
            for method in self.suite.baselines
        )

    @property
    def means(self) -> tuple[Run, ...]:
        """The average of each image's runs, recorded or not; none where runs share no input."""
        suite = self.suite
        images = suite.images if suite.averages_runs else ()
        return tuple(self._results.one(suite, image, 0, suite.mean_method) for image in images)

    def run(self, image: str, seed: int | None = None) -> Run:
        """Give one run; raises InputError with the nearest name."""
        return self._results.run(f"{self.name}/{image}", seed)

    @cached_property
    def final(self) -> ScoreTable:
        """Give the scores of the last iterates."""
        return self._table(self.name, lambda run: run.final)

    def at(self, iteration: int) -> ScoreTable:
        """Give the scores of the snapshots at one iteration."""
        return self._table(f"{self.name} at {iteration}", lambda run: run.at(iteration))

    def stop(self, rule: str) -> ScoreTable:
        """Give the scores where a stopping rule stops: fixed, oracle or es-wmv."""
        return self._table(f"{self.name}, {rule}", lambda run: run.stop(rule))

    def stopped(self, rule: str) -> int:
        """Count the recorded runs in which a stopping rule stopped before their end."""
        if rule not in RULES:
            raise InputError(f"unknown stopping rule '{rule}'{nearest(rule, RULES)}")
        points = [run.stop_points.get(rule) for run in self.runs if run.recorded]
        return sum(point.reached for point in points if point)

    @property
    def average(self) -> ScoreTable:
        """Give the scores of the sliding-window averages."""
        return self._table(f"average of {self.name}", lambda run: run.average)

    @property
    def mean_of_runs(self) -> ScoreTable:
        """Give the scores of the average over the seeds' outputs; raises InputError if none is."""
        if not self.suite.averages_runs:
            raise InputError(f"suite '{self.name}' averages no runs")
        return self._of_method(self.suite.mean_method)

    @property
    def input(self) -> ScoreTable:
        """Give the scores of the degraded inputs."""
        return self._table(f"input of {self.name}", lambda run: run.input)

    def baseline(self, method: str) -> ScoreTable:
        """Give the scores of a baseline; raises InputError if the suite has no such one."""
        known = self.suite.baselines
        if method not in known:
            raise InputError(
                f"suite '{self.name}' has no baseline '{method}'{nearest(method, known)}"
            )

        return self._of_method(method)

    def _of_method(self, method: str) -> ScoreTable:
        def score(image: str, _seed: int) -> Score:
            return self._results.one(self.suite, image, 0, method).final

        return ScoreTable(
            f"{self.name}, {method}", self.suite.images, (0,), score, self.page, self.measure
        )

    def _table(self, name: str, choose: Callable[[Run], Score]) -> ScoreTable:
        runs = {(run.image, run.seed): run for run in self.runs}
        suite = self.suite
        return ScoreTable(
            name,
            suite.images,
            suite.seeds,
            lambda image, seed: choose(runs[image, seed]),
            self.page,
            self.measure,
        )
