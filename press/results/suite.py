"""A suite as a post sees it: how much of it is recorded, and means over its cases."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from statistics import mean, stdev

from press.diagnostics import format_duration
from press.errors import InputError, nearest
from press.results.each import Each
from press.results.manifest import Suite
from press.results.metrics import Metrics
from press.results.names import Names
from press.results.numbers import Measured, NotRun, Quantity, listed
from press.results.run import Run, rules_of
from press.results.selectors import Selector, parse_selector
from press.results.stops import require_rule


class SuiteView:
    """A suite's runs together: what was recorded, and means over its cases."""

    def __init__(
        self,
        suite: Suite,
        metrics: Metrics,
        names: Names,
        one: Callable[[str, int, str | None], Run],
        index: str,
    ) -> None:
        """Wrap a suite; its records are read when they are first asked for.

        `one` gives a run of it by case, seed and method; `index` is the address of the list of
        all runs from the page being made.
        """
        self.suite, self.metrics, self.names, self._one = suite, metrics, names, one
        self.name, self.title, self.why = suite.name, suite.title, suite.why
        self.preview, self.measure = suite.preview, suite.measure
        self.page = f"{index}#{suite.name}"  # its list of runs, from the page being made

    def __getattr__(self, quantity: str) -> Quantity:
        """A mean of the last iterates: `mean_` and a metric."""
        if quantity.startswith("_"):
            raise AttributeError(quantity)
        return getattr(self.final, quantity)  # type: ignore[no-any-return]

    @property
    def label(self) -> str:
        """What kind of suite it is: "preview, 128×128", "preview", or an empty string."""
        side = next(iter(self.suite.cases.values())).preview_side
        return f"preview, {side}×{side}" if side else "preview" if self.preview else ""

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """Every run of the suite, recorded or not, in order of worth."""
        planned = self.suite.planned.values()
        return tuple(self._one(run.case, run.seed, None) for run in planned if run.kind == "run")

    @property
    def cases(self) -> int:
        """The number of the suite's cases."""
        return len(self.suite.images)

    @property
    def planned(self) -> int:
        """The number of the suite's runs."""
        return len(self.runs)

    @property
    def recorded(self) -> int:
        """The number of the suite's runs that are recorded."""
        return sum(run.recorded for run in self.runs)

    @property
    def n(self) -> int:
        """The number of the seeds of which every case is recorded."""
        return self.final.mean().n

    @property
    def seconds(self) -> Quantity:
        """The wall seconds of all recorded runs together; InputError if one does not say."""
        found = self._seconds
        if not found:
            return NotRun(self.name)
        if lacking := found.count(None):
            sentence = f"{lacking} of its {len(found)} recorded runs have none"
            raise InputError(f"the seconds of '{self.name}' are not known: {sentence}")
        metric, n = self.metrics["seconds"], len(found)
        return Measured(sum(filter(None, found)), metric, self.page, n=n, preview=self.preview)

    @property
    def timed(self) -> bool:
        """Whether there are recorded runs, and the seconds of each are known."""
        return bool(self._seconds) and None not in self._seconds

    @property
    def _seconds(self) -> list[float | None]:
        """The seconds of each recorded run, where its record says them."""
        return [run.record.seconds for run in self.runs if run.record]

    @property
    def devices(self) -> str | NotRun:
        """The processors that ran the recorded runs; "" if no record says."""
        names = dict.fromkeys(str(run.device) for run in self.runs if run.recorded and run.device)
        return listed(list(names)) if self.recorded else NotRun(self.name)

    @property
    def duration(self) -> str | NotRun:
        """The seconds of all recorded runs together, in words."""
        seconds = self.seconds
        return format_duration(seconds) if isinstance(seconds, Measured) else NotRun(self.name)

    @property
    def baselines(self) -> tuple[Run, ...]:
        """The suite's baselines, case by case, recorded or not."""
        return tuple(
            self._one(case, 0, method)
            for case in self.suite.images
            for method in self.suite.baselines
        )

    @property
    def means(self) -> tuple[Run, ...]:
        """The average of each case's runs, recorded or not; none where runs share no input."""
        cases, mean = self.suite.images, self.suite.mean
        return tuple(self._one(case, 0, mean) for case in cases if mean)

    @property
    def all_runs(self) -> tuple[Run, ...]:
        """Everything that may have a record: runs, then baselines, then means."""
        return (*self.runs, *self.baselines, *self.means)

    def run(self, name: str, seed: int | None = None) -> Run:
        """One run; raises InputError with the nearest name."""
        case = self.suite.find(name)
        return self._one(case, self.suite.seed(seed), None)

    def output(self, selector: str | Selector) -> "ScoreTable":
        """The scores of one output of every run, by its selector; raises InputError."""
        chosen = parse_selector(selector)
        name = self.name if chosen.kind == "final" else f"{self.name}, {chosen}"
        seeds = self.suite.seeds[:1] if self.suite.method_of(chosen) else self.suite.seeds
        return ScoreTable(self, name, chosen, seeds)

    def each(self, selector: str | Selector) -> Each:
        """One output of each run, or each of its baselines or means; raises InputError."""
        chosen = parse_selector(selector)
        method, is_final = self.suite.method_of(chosen), chosen.kind == "final"
        runs = [self._one(case, 0, method) for case in self.suite.images] if method else self.runs
        if chosen.kind == "stop":  # a rule that never stopped a run has chosen nothing of it
            runs = [
                run for run in runs if not run.record or chosen.name in run.record.rules
            ] or runs
        of_runs = {(run.image, None if method else run.seed): run for run in runs}
        name = f'"{self.name}"' if is_final else f'"{self.name}", "{chosen}"'
        found = Each(f"runs({name})", of_runs)
        return found if method or is_final else found.map(lambda run: run.output(chosen))

    @cached_property
    def final(self) -> "ScoreTable":
        """The scores of the last iterates."""
        return self.output("final")

    def stopped(self, rule: str) -> int:
        """The number of the recorded runs in which a stopping rule stopped before their end."""
        points = [run.stop_points.get(rule) for run in self.runs if run.recorded]
        if not any(points):
            require_rule(rule, rules_of(self.runs))
        return sum(point.reached for point in points if point)


@dataclass(frozen=True, eq=False, repr=False)
class ScoreTable:
    """The same score of every run of a suite: by case, and as a mean over the cases.

    The metric that is meant where none is named is the suite's measure.
    """

    _view: SuiteView
    name: str
    _chosen: Selector
    seeds: tuple[int, ...]  # the first alone, of what is one for all

    def __getattr__(self, quantity: str) -> Quantity:
        """`mean_` and a metric: its mean over all cases; raises InputError if unknown."""
        if quantity.startswith("_"):
            raise AttributeError(quantity)
        wanted = quantity.removeprefix("mean_")
        if wanted == quantity:
            known = [f"mean_{name}" for name in self._view.metrics]
            raise InputError(f"{self.name} has no '{quantity}'{nearest(quantity, known)}")
        return self.mean(wanted)

    def one(self, case: str, seed: int, quantity: str = "") -> Quantity:
        """The score of one run."""
        score = self._view._one(case, seed, None).output(self._chosen)
        return getattr(score, quantity or self._view.measure)  # type: ignore[no-any-return]

    def of(self, case: str, quantity: str = "") -> Quantity:
        """The mean over the recorded seeds of one case, with its spread and n."""
        case = self._view.suite.find(case)
        scores = [self.one(case, seed, quantity) for seed in self.seeds]
        found = [score for score in scores if isinstance(score, Measured)]
        self._require_one_precision([case])
        if len(found) < 2:
            return found[0] if found else NotRun(f"{self.name}, {case}")
        mean = over_seeds(found)
        mean.origin = self._view.page  # it stands on no run's page
        return mean

    def mean(self, quantity: str = "", cases: tuple[str, ...] | None = None) -> Quantity:
        """The mean over `cases` (all by default), from the seeds that have every one."""
        means, cases = [], cases or self._view.suite.images
        self._require_one_precision(cases)
        for seed in self.seeds:
            scores = [self.one(case, seed, quantity) for case in cases]
            found = [score for score in scores if isinstance(score, Measured)]
            if found and len(found) == len(scores):
                over_cases, one = mean(map(float, found)), found[0]
                page = self._view.page
                means.append(Measured(over_cases, one.metric, page, preview=one.preview))
        return over_seeds(means) if means else NotRun(f"mean of {self.name}")

    def _require_one_precision(self, cases: Iterable[str]) -> None:
        """Raise InputError where runs of these cases state more than one arithmetic."""
        if self._view.suite.method_of(self._chosen):
            return
        runs = [self._view._one(case, seed, None) for case in cases for seed in self.seeds]
        made = {run.record.facts.get("arithmetic") for run in runs if run.record}
        if len(stated := sorted(filter(None, made))) > 1:
            sentence = f"the runs of {self.name} are in {listed(stated)}: no mean joins them"
            raise InputError(sentence)


def over_seeds(found: list[Measured]) -> Measured:
    """Join the numbers of several seeds: their mean, their standard deviation, how many."""
    spread = stdev(map(float, found)) if len(found) > 1 else None
    over, one = mean(map(float, found)), found[0]
    return Measured(over, one.metric, one.origin, spread, len(found), one.preview)
