"""Scores of one output, where stopping rules stop, and means over cases and seeds.

ES-WMV waits: it has stopped only once 1,000 iterations brought no lower variance. A run that ends
before that has a least variance so far and no stop, and a page says so. Records hold the iteration
alone; that, and how long the run was, tells which of the two it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from press.errors import InputError, nearest
from press.results.metrics import Metrics
from press.results.numbers import Measured, NotRun, Quantity, grouped

RULES = {"fixed": "the last iteration", "oracle": "the best iterate", "es-wmv": "ES-WMV"}
PATIENCE = {"es-wmv": 1000}  # iterations, as the engine has it


def require_rule(name: str) -> None:
    """Raise InputError with the nearest name if there is no such rule."""
    if name not in RULES:
        raise InputError(f"unknown stopping rule '{name}'{nearest(name, RULES)}")


@dataclass(frozen=True)
class StopPoint:
    """What a rule chose of a run whose last step on its axis is `last`.

    A rule of another name than those in `RULES` is called by that.
    """

    rule: str
    iteration: int
    last: int
    axis: str = "iteration"

    @property
    def name(self) -> str:
        """The rule, as a page calls it."""
        return RULES.get(self.rule, self.rule)

    @property
    def reached(self) -> bool:
        """Whether the rule stopped within the run."""
        return self.last - self.iteration > PATIENCE.get(self.rule, -1)

    @property
    def words(self) -> str:
        """Say where it stops: "stops at iteration 8,031", or that it did not."""
        if self.reached:
            return f"stops at {self.axis} {grouped(self.iteration)}"
        so_far = f"least variance so far at {self.axis} {grouped(self.iteration)}"
        return f"not stopped within the run; {so_far}"

    @property
    def row(self) -> str:
        """Name its output in a table of scores."""
        if self.rule == "fixed":
            return f"the last output, {self.axis} {grouped(self.iteration)}"
        if self.reached:
            return f"{self.name}, {self.axis} {grouped(self.iteration)}"
        return f"{self.name}: {self.words}"

    @property
    def label(self) -> str:
        """Name its output under a picture."""
        if self.rule in ("fixed", "oracle"):
            return self.name
        return f"where {self.name} stops" if self.reached else f"{self.name}: {self.words}"

    @property
    def mark(self) -> str:
        """Name it over a curve, in a word or two."""
        if self.rule == "oracle":
            return "best"
        return self.name if self.reached else "least variance so far"


@dataclass(frozen=True, eq=False, repr=False)
class Score:
    """How good one output is: each metric by its name, as a `Measured`.

    It is a `NotRun` where the run is not recorded.
    """

    name: str
    metrics: Metrics  # of the site
    _values: Mapping[str, Any] | None  # run.json's metrics; None: the run is not recorded
    origin: str
    _iteration: int | None
    preview: bool
    _point: StopPoint | None  # what a stopping rule chose, where the output is its choice
    label: str  # its name under a picture
    _picture: Callable[[], Path | None]
    _ask: Callable[[str], None]  # is told each metric that is asked for

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
        """A score by its metric; None where it was not scored, or the run is not recorded."""
        self._ask(quantity)
        value = (self._values or {}).get(quantity)
        if value is None:
            return None
        return Measured(value, self.metrics[quantity], self.origin, preview=self.preview)

    def __getattr__(self, quantity: str) -> Quantity:
        """A score by its metric; raises InputError if it is unknown or was not scored."""
        if quantity.startswith("_"):
            raise AttributeError(quantity)
        known = {**self.metrics, **(self._values or {})}
        if quantity not in known:
            raise InputError(f"{self.name} has no '{quantity}'{nearest(quantity, known)}")
        if self._values is None:
            return NotRun(self.name)
        found = self.get(quantity)
        if found is None:
            raise InputError(f"{self.name} has no {quantity}: it was not scored so")
        return found


@dataclass(frozen=True, eq=False, repr=False)
class ScoreTable:
    """The same score of every run of a suite: by case, and as a mean over the cases."""

    name: str
    metrics: Metrics  # of the site
    cases: tuple[str, ...]
    seeds: tuple[int, ...]
    _score: Callable[[str, int], Score]  # of a case and a seed
    _page: str  # where the origin of a mean leads
    measure: str  # the quantity that is meant where none is named

    def __getattr__(self, quantity: str) -> Quantity:
        """`mean_` and a metric: its mean over all cases; raises InputError if unknown."""
        if quantity.startswith("_"):
            raise AttributeError(quantity)
        wanted = quantity.removeprefix("mean_")
        if wanted == quantity:
            known = [f"mean_{name}" for name in self.metrics]
            raise InputError(f"{self.name} has no '{quantity}'{nearest(quantity, known)}")
        return self.mean(wanted)

    def one(self, case: str, seed: int, quantity: str = "") -> Quantity:
        """The score of one run."""
        return getattr(self._score(case, seed), quantity or self.measure)  # type: ignore[no-any-return]

    def of(self, case: str, quantity: str = "") -> Quantity:
        """The mean over the recorded seeds of one case, with its spread and n."""
        scores = [self.one(case, seed, quantity) for seed in self.seeds]
        found = [score for score in scores if isinstance(score, Measured)]
        return over_seeds(found) if found else NotRun(f"{self.name}, {case}")

    def mean(self, quantity: str = "", cases: tuple[str, ...] | None = None) -> Quantity:
        """The mean over `cases` (all by default), from the seeds that have every one."""
        means = []
        for seed in self.seeds:
            scores = [self.one(case, seed, quantity) for case in cases or self.cases]
            found = [score for score in scores if isinstance(score, Measured)]
            if found and len(found) == len(scores):
                over_cases, one = mean(map(float, found)), found[0]
                means.append(Measured(over_cases, one.metric, self._page, preview=one.preview))
        return over_seeds(means) if means else NotRun(f"mean of {self.name}")


def over_seeds(found: list[Measured]) -> Measured:
    """Join the numbers of several seeds: their mean, their standard deviation, how many."""
    spread = stdev(map(float, found)) if len(found) > 1 else None
    over, one = mean(map(float, found)), found[0]
    return Measured(over, one.metric, one.origin, spread, len(found), one.preview)
