"""One run, or one baseline, as a post sees it: its scores, curve and pictures, recorded or not."""

from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dip.experiments.experiment import Experiment
from dip.experiments.suites import Suite
from dip.records.record import CurveRow, Record, parse_curve
from press.errors import InputError, nearest
from press.files import sha256_of
from press.results.answers import Asked, answers
from press.results.numbers import Measured, NotRun, Quantity, listed
from press.results.scores import Score
from press.results.stability import Stability
from press.results.stops import RULES, StopPoint, paper_stops

if TYPE_CHECKING:
    from press.results.store import Results


def measure_of(suite: Suite) -> str:
    """Name the score that the paper gives for a suite's task: of luma for super-resolution."""
    is_larger = suite.experiments[0].task == "super-resolution"
    return "psnr_luma_db" if is_larger else "psnr_db"


class Run:
    """One run of a suite, or one baseline on one of its images, recorded or not."""

    def __init__(
        self, results: "Results", suite: Suite, image: str, seed: int, method: str | None = None
    ) -> None:
        """Name the run; its record is read when it is first asked for."""
        self._results, self.suite, self.image, self.seed = results, suite, image, seed
        self.method = method

    @property
    def name(self) -> str:
        """Name the run: suite, image, and seed or method."""
        return f"{self.suite.name}/{self.suite.image_folder(self.image)}/{self.last}"

    @property
    def last(self) -> str:
        """Give the last part of the run's folder: seed0, or the baseline's name."""
        return self.method or f"seed{self.seed}"

    @property
    def folder(self) -> Path:
        """Give the folder where the run's record belongs."""
        return self._results.path / self.name

    @property
    def page(self) -> str:
        """Give the address of the run's page from the site's root."""
        return f"runs/{self.name}.html"

    @property
    def url(self) -> str:
        """Give the address of the run's page from the page being made; empty if not recorded."""
        return self._results.root + self.page if self.recorded else ""

    @cached_property
    def record(self) -> Record | None:
        """Read the run's record; None if there is none of this very experiment."""
        record = self._results.read(self.folder)
        asked = Asked(self.suite, self.experiment, self.method)
        if record and answers(record, asked, self._results):
            return record
        if self.method is None:
            self._results.lacks(self.suite.name, self.image, self.seed)
        return None

    @property
    def experiment(self) -> Experiment:
        """Give the description of the run (for a baseline: that of the suite's first seed)."""
        seed = self.suite.seeds[0] if self.method else self.seed
        return next(
            experiment
            for experiment in self.suite.experiments
            if (experiment.case, experiment.seed) == (self.image, seed)
        )

    @property
    def recorded(self) -> bool:
        """Tell whether there is a record of this very experiment."""
        return self.record is not None

    @property
    def title(self) -> str:
        """Give the image's name as a page writes it."""
        experiment = self.experiment
        title = self._results.images.title(experiment.image)
        return f"{title}, {experiment.variant}" if experiment.variant else title

    @property
    def shown(self) -> bool:
        """Tell whether pictures of this image may be shown."""
        return self._results.images.shown(self.experiment.image) and self.experiment.pictures

    @property
    def measure(self) -> str:
        """Name the score that the paper gives for such a task."""
        return measure_of(self.suite)

    @property
    def has_original(self) -> bool:
        """Tell whether there is a picture without damage to score against, as far as is known."""
        return not self.record or self.record.metrics["final"]["psnr_db"] is not None

    @property
    def iterations(self) -> int:
        """Give the number of updates of theta."""
        return self.experiment.iterations

    @property
    def paper_iterations(self) -> int | None:
        """Give after how many iterations the paper stops on such a problem, where it says so."""
        full = [suite for suite in self._results.suites.values() if not suite.preview]
        return paper_stops(self.experiment, (e for suite in full for e in suite.experiments))

    @property
    def final(self) -> Score:
        """Give the scores of the last iterate (of a baseline: of its only output)."""
        metrics = self.record.metrics["final"] if self.record else None
        return self._score(self.name, metrics, None if self.method else self.iterations)

    def _score(self, name: str, metrics: Any, iteration: int | None = None) -> Score:
        return Score(name, metrics, self.url, iteration, self.suite.preview)

    def __getattr__(self, quantity: str) -> Quantity:
        """Give a score of the last iterate: psnr_db, ssim, loss ..."""
        if quantity.startswith("_"):
            raise AttributeError(quantity)
        return getattr(self.final, quantity)  # type: ignore[no-any-return]

    def at(self, iteration: int) -> Score:
        """Give the scores of a snapshot; raises InputError if that iteration has none."""
        metrics = None
        if self.record:
            snapshots = self.record.metrics["snapshots"]
            if str(iteration) not in snapshots:
                known = listed(sorted(snapshots, key=int), "or")
                raise InputError(f"{self.name} has no snapshot at {iteration}; it has {known}")
            metrics = snapshots[str(iteration)]
        return self._score(f"{self.name} at {iteration}", metrics, iteration)

    def stop(self, rule: str) -> Score:
        """Give the scores where a stopping rule stops: fixed, oracle or es-wmv."""
        if rule not in RULES:
            raise InputError(f"unknown stopping rule '{rule}'{nearest(rule, RULES)}")
        if not self.record:
            return self._score(self.name, None)
        point = self.stop_points.get(rule)
        if not point:
            raise InputError(f"the rule '{rule}' never stopped {self.name}")
        found = self.record.data["stops"][rule]
        name = f"{self.name}, {rule}"
        return Score(name, found, self.url, point.iteration, self.suite.preview, point)

    @property
    def stop_points(self) -> dict[str, StopPoint]:
        """Give what each stopping rule chose, by rule; a rule that chose nothing is absent."""
        stops = (self.record.data["stops"] if self.record else None) or {}
        return {
            rule: StopPoint(rule, found["iteration"], self.iterations)
            for rule, found in stops.items()
            if found and rule in RULES
        }

    @property
    def input(self) -> Score:
        """Give the scores of the degraded input."""
        return self._besides(f"input of {self.name}", "input")

    @property
    def average(self) -> Score:
        """Give the scores of the sliding-window average."""
        return self._besides(f"average of {self.name}", "average")

    @property
    def clean(self) -> Score:
        """Give the scores of the output for z without noise, at the last iterate."""
        return self._besides(f"output of {self.name} without noise on z", "clean_z")

    def _besides(self, name: str, what: str) -> Score:
        """Give the scores of what a record has beside its iterates; what it has not is no score."""
        return self._score(name, (self.record.metrics[what] or {}) if self.record else None)

    @cached_property
    def stable(self) -> Stability:
        """The levels near the run's end: median, lowest and highest over its last fifth."""
        return Stability(self)

    @property
    def seconds(self) -> Quantity:
        """Give the run's wall seconds."""
        if not self.record:
            return NotRun(self.name)
        return Measured(self.record.data["seconds"], "s", self.url)

    @property
    def spikes(self) -> int | NotRun:
        """Count the iterates that were taken back because their loss had jumped."""
        return int(self.record.data["spikes"]) if self.record else NotRun(self.name)

    @property
    def device(self) -> str | NotRun:
        """Give the model of the processor that ran it."""
        return str(self.record.data["environment"]["device"]) if self.record else NotRun(self.name)

    @property
    def size(self) -> tuple[int, int]:
        """Give the width and height of the record's pictures, in pixels."""
        assert self.record
        return int(self.record.data["width"]), int(self.record.data["height"])

    @property
    def command(self) -> str:
        """Give the command that makes the run."""
        image = self.suite.image_folder(self.image)
        seed = "" if self.method else f" --seed {self.seed}"
        return f"python -m dip run {self.suite.name} --image {image}{seed}"

    def curve(self) -> list[CurveRow]:
        """Read the run's curve; empty if it is not recorded or has none."""
        if not self.record or "curve.csv" not in self.record.data["files"]:
            return []
        path = self.file("curve.csv")
        return list(_parsed(path.read_text(encoding="utf-8"), path))

    def picture(self, name: str | int) -> Path | None:
        """Give the path of a picture of the record; None if absent or not to be shown."""
        if not self.record or not self.shown:
            return None
        file = f"snapshots/{name}.webp"
        if file in self.record.data["files"]:
            return self.file(file)
        if self.method and name == "input":  # it had that of the first seed's run
            return self._results.one(self.suite, self.image, self.suite.seeds[0]).picture(name)
        return None

    def file(self, name: str) -> Path:
        """Give the path of a file of the record, its hash checked; raises InputError if damaged."""
        assert self.record
        path = self.record.path(name)
        self._results.note(path)
        if not path.is_file():
            raise InputError("the record is damaged: this file is missing", path)
        if sha256_of(path) != self.record.data["files"][name]:
            raise InputError("the record is damaged: the hash in run.json is another", path)
        return path


@lru_cache(maxsize=256)
def _parsed(text: str, path: Path) -> tuple[CurveRow, ...]:
    return tuple(parse_curve(text, path))
