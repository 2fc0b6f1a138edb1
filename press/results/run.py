"""One run, or one baseline, as a post sees it: its outputs, curve and pictures, recorded or not.

The last iterate is one draw from iterates that rise and fall. So the median and the
range over the last fifth of the iterations stand beside it, and a last iterate that lies in a loss
spike is told as such. A curve has every tenth iteration there.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from pathlib import Path
from statistics import median
from typing import Any

from press.errors import InputError, nearest
from press.files import text_of
from press.results.manifest import Case, Images, Planned, Suite
from press.results.metrics import Metric, Metrics
from press.results.numbers import Measured, NotRun, Quantity, grouped, listed
from press.results.record import CURVE, Curve, Record, parse_curve, read_record
from press.results.selectors import Selector, parse_selector
from press.results.stops import RULES, StopPoint, require_rule

SHARE = 5  # the last one of so many equal parts of the iterations
BEFORE = 500  # iterations before the last one, which in a spike is worse than their median
ITERATION = "iteration"  # the axis that the two speak of
# How a page calls an output that is no iterate.
BESIDES = {
    "input": "the input",
    "average": "average of the last outputs",
    "clean": "the output for z without noise",
    "change": "the change, eightfold",
}


@dataclass(eq=False, repr=False)
class Run:
    """One run of a suite, or one baseline on one of its images, recorded or not.

    Its record is read when it is first asked for.
    """

    suite: Suite
    image: str  # the case
    seed: int
    method: str | None
    _images: Images  # this and what follows as `Results` has it
    metrics: Metrics
    _results: Path
    _note: Callable[[Path], None]
    _root: str
    _lacks: Callable[["Run"], None]
    _other: Callable[[str, int, str | None], "Run"]  # of the suite, by case, seed and method
    asked: dict[tuple[str, str], None] = field(default_factory=dict)  # scores: selector, metric

    @property
    def measure(self) -> str:
        """The name of the score that the paper gives for such a task."""
        return self.suite.measure

    @property
    def case(self) -> Case:
        """What is solved: the image, its variant, and the settings."""
        return self.suite.cases[self.image]

    @property
    def name(self) -> str:
        """Suite, image, and seed or method: its place under results/."""
        return f"{self.suite.name}/{self.case.folder}/{self.last}"

    @property
    def last(self) -> str:
        """The last part of the run's folder: seed0, or the baseline's name."""
        return self.method or f"seed{self.seed}"

    @property
    def folder(self) -> Path:
        """The folder where the run's record belongs."""
        return self._results / self.name

    @property
    def page(self) -> str:
        """The address of the run's page from the site's root."""
        return f"runs/{self.name}.html"

    @property
    def url(self) -> str:
        """The address of the run's page from the page being made; empty if not recorded."""
        return self._root + self.page if self.recorded else ""

    @property
    def planned(self) -> Planned | None:
        """What the manifest says of it; None if it says nothing."""
        return self.suite.planned.get((self.image, self.seed, self.method))

    @cached_property
    def record(self) -> Record | None:
        """The run's record; None if there is none of this very run. InputError if damaged."""
        self._note(self.folder / "run.json")
        planned = self.planned
        if planned and planned.state in ("recorded", "damaged"):
            record = read_record(self.folder)
            if planned.state == "damaged":  # in a way that only the project can tell
                raise InputError((planned.why or {})["sentence"])
            return record
        self._lacks(self)
        return None

    @property
    def recorded(self) -> bool:
        """Whether there is a record of this very run; one that is sound is not read for that."""
        planned = self.planned
        return bool(planned and planned.state == "recorded") or self.record is not None

    @property
    def title(self) -> str:
        """The image's name as a page writes it, with the variant."""
        title = self._images.title(self.case.image)
        return f"{title}, {self.case.variant}" if self.case.variant else title

    @property
    def shown(self) -> bool:
        """Whether pictures of this image may be shown."""
        return self._images.shown(self.case.image) and self.case.pictures

    @property
    def iterations(self) -> int:
        """The number of updates of theta that were planned."""
        return self.case.iterations

    @property
    def axis(self) -> str:
        """What its steps count: iteration, epoch ...; "" for what is made in one piece."""
        return self.record.axis if self.record else ITERATION if self.case.iterations else ""

    @property
    def last_step(self) -> int | None:
        """The last step on its axis, of a run that is not recorded as planned; None without."""
        return self.record.last_step if self.record else self.case.iterations or None

    def output(self, selector: str | Selector) -> "Score":
        """One output, by its selector; raises InputError if the run has no such output."""
        chosen = parse_selector(selector)
        match chosen.kind:
            case "final":
                return self.final
            case "at":
                return self._at(int(chosen.name))
            case "curve":
                return self._in_curve(int(chosen.name))
            case "stop":
                return self._stop(chosen.name)
            case "baseline" | "mean":
                return self._other(self.image, 0, self.suite.method_of(chosen)).final
        label = BESIDES[chosen.kind]  # what it has not is not scored
        return Score(self, chosen.kind, f"{self.name}, {label}", label)

    @property
    def final(self) -> "Score":
        """The last output (of a baseline: its only one)."""
        step = None if self.method else self.last_step
        return Score(self, "final", self.name, self._at_step(step), step)

    def _at(self, step: int) -> "Score":
        """A snapshot; raises InputError if that step has none."""
        selector = f"at.{step}"
        if self.record and not self._has(selector):
            steps = sorted(int(s[3:]) for s in self.record.metrics if s.startswith("at."))
            known = f"it has {listed([str(step) for step in steps], 'or')}"
            if not steps:
                there = listed(list(self.record.metrics))
                known = f"recorded are {there}, and '{selector}' of press.record's metrics is not"
            raise InputError(f"{self.name} has no snapshot at {step}; {known}")
        return Score(self, selector, f"{self.name} at {step}", self._at_step(step), step)

    def _has(self, selector: str) -> bool:
        """Whether the record has a score or a picture of an output."""
        record = self.record
        return record is not None and selector in {*record.metrics, *record.pictures}

    def _in_curve(self, step: int) -> "Score":
        """A step as the curve has it; raises InputError if it has nothing of that step."""
        name, values = f"{self.name}, curve at {step}", self.curve().at(step)
        if self.record and not values:
            raise InputError(f"the curve of {self.name} has no step {step}")
        return Score(self, f"curve.{step}", name, self._at_step(step), step, _of_curve=values)

    def _at_step(self, step: int | None) -> str:
        """Name an output by its step; "the output" where it has none."""
        return "the output" if step is None else f"{self.axis or 'step'} {grouped(step)}"

    def _stop(self, rule: str) -> "Score":
        """Where a stopping rule stops: fixed, oracle, es-wmv, or another of the record."""
        selector, point = f"stop.{rule}", self.stop_points.get(rule)
        if not point and not self._has(selector):
            planned = self.suite.planned.items()
            require_rule(
                rule, rules_of(self._other(*key) for key, one in planned if one.state == "recorded")
            )
            if self.record:
                raise InputError(f"the rule '{rule}' never stopped {self.name}")
        label = point.label if point else RULES.get(rule, rule)
        step = point.iteration if point else None
        return Score(self, selector, f"{self.name}, {rule}", label, step, point)

    def __getattr__(self, quantity: str) -> Quantity:
        """A metric of the last output."""
        if quantity.startswith("_"):
            raise AttributeError(quantity)
        return getattr(self.final, quantity)  # type: ignore[no-any-return]

    @property
    def stop_points(self) -> dict[str, StopPoint]:
        """What each stopping rule chose, by rule; a rule that chose nothing is absent."""
        steps = self.record.steps if self.record else {}
        # How long it was is not known of every run: its rules then stopped.
        last, stops = steps.get("final", inf), [s[5:] for s in steps if s.startswith("stop.")]
        rules = [rule for rule in RULES if rule in stops] + [r for r in stops if r not in RULES]
        axis = self.axis or "step"
        return {rule: StopPoint(rule, steps[f"stop.{rule}"], last, axis) for rule in rules}

    @cached_property
    def stable(self) -> "Stability":
        """The levels near the run's end: median, lowest and highest over its last fifth."""
        followed = self.record.followed if self.record else ""
        return Stability(self, self.metrics[followed or self.measure])

    @property
    def seconds(self) -> Quantity:
        """The run's wall seconds; raises InputError if its record does not say."""
        if not self.record:
            return NotRun(self.name)
        if self.record.seconds is None:
            raise InputError(f"{self.name} has no seconds: its record does not say")
        metric, is_preview = self.metrics["seconds"], self.suite.preview
        return Measured(self.record.seconds, metric, self.url, preview=is_preview)

    @property
    def spikes(self) -> int | NotRun:
        """The number of iterates that were rolled back in a loss spike; InputError if not said."""
        if not self.record:
            return NotRun(self.name)
        spikes = self.record.data.get("spikes")
        if not isinstance(spikes, int):
            raise InputError(f"{self.name} has no spikes: its record does not count them")
        return spikes

    @property
    def device(self) -> str | NotRun:
        """The model of the processor that ran it; "" if the record does not say."""
        if not self.record:
            return NotRun(self.name)
        return str(self.record.environment.get("device") or "")

    @property
    def command(self) -> str:
        """The command that makes the run; empty if it is not known."""
        return self.planned.command if self.planned else ""

    def curve(self) -> Curve:
        """The run's curve; empty if it is not recorded or has none."""
        if not self.record or CURVE not in self.record.files:
            return Curve()
        path = self.file(CURVE)
        return parse_curve(text_of(path), path, self.record.axis)

    def picture(self, selector: str) -> Path | None:
        """The path of the picture of an output; None if absent or not to be shown."""
        if not self.record or not self.shown:
            return None
        if selector in self.record.pictures:
            return self.file(self.record.pictures[selector])
        if self.method and selector == "input":  # it had that of the first seed's run
            return self._other(self.image, self.suite.seeds[0], None).picture(selector)
        return None

    def kept(self) -> list["Score"]:
        """The outputs of which the record has a picture, each picture once, iterates first."""
        once = dict[str, str]()
        for selector, file in self.record.pictures.items() if self.record else ():
            once.setdefault(file, selector)
        return [self.output(selector) for selector in once.values()]

    def file(self, name: str) -> Path:
        """The path of a file of the record, its hash checked; raises InputError if damaged."""
        assert self.record
        self._note(self.record.folder / name)
        return self.record.file(name)


@dataclass(frozen=True, eq=False, repr=False)
class Score:
    """How good one output is: each metric by its name, as a `Measured`.

    It is a `NotRun` where the run is not recorded.
    """

    _run: Run  # recorded or not
    _selector: str
    name: str
    label: str = ""  # under a picture
    _iteration: int | None = None
    _point: StopPoint | None = None  # what a stopping rule chose, where the output is its choice
    _of_curve: Mapping[str, float] = field(default_factory=dict)  # where it is a step of that

    @property
    def _values(self) -> Mapping[str, Any] | None:
        """What the record has by metric; None if the run is not recorded."""
        record = self._run.record
        return {**record.metrics.get(self._selector, {}), **self._of_curve} if record else None

    @property
    def picture(self) -> Path | None:
        """The path of its picture; None where there is none, or it may not be shown."""
        return self._run.picture(self._selector)

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
        run = self._run
        run.asked[self._selector, quantity] = None
        value = (self._values or {}).get(quantity)
        if value is None:
            return None
        return Measured(value, run.metrics[quantity], run.url, preview=run.suite.preview)

    def __getattr__(self, quantity: str) -> Quantity:
        """A score by its metric; raises InputError if it is unknown or was not scored."""
        if quantity.startswith("_"):
            raise AttributeError(quantity)
        known = {*self._run.metrics, self._run.measure, *(self._values or {})}
        if quantity not in known:
            raise InputError(f"{self.name} has no '{quantity}'{nearest(quantity, known)}")
        if self._values is None:
            return NotRun(self.name)
        found = self.get(quantity)
        if found is None:
            raise InputError(f"{self.name} has no {quantity}: it was not scored so")
        return found


def rules_of(runs: Iterable[Run]) -> Iterator[str]:
    """The stopping rules that chose an output of one of these runs."""
    for run in runs:
        yield from run.record.rules if run.record else ()


def taken_names() -> set[str]:
    """The names of what a run has beside its metrics, its seconds apart, which are one."""
    return (_own_names(Run) | _own_names(Score)) - {"seconds"}


def _own_names(of: type[Run] | type[Score]) -> set[str]:
    names = {*vars(of), *of.__dataclass_fields__}
    return {name for name in names if not name.startswith("_")}


def refuse_clash(of: object, name: str) -> None:
    """Raise InputError for a name that is a metric of a run, or an output, and something else."""
    if not isinstance(of, Run | Score) or name not in _own_names(type(of)):
        return
    score = of.final if isinstance(of, Run) else of
    if name in (score._values or {}):
        own = " of every run" if isinstance(of, Run) else " of every output"
        raise InputError(f"'{name}' is a metric here, and something else{own}: rename the metric")


@dataclass(eq=False)
class Stability:
    """A metric of a run's iterates near its end, as its curve over iterations has it."""

    run: Run  # recorded or not
    metric: Metric

    def levels(self, column: str = "", back: int | None = None) -> list[float]:
        """The values of a curve's column over so many iterations, by default the last fifth.

        Of other parts a coarse curve may have none. Raises InputError if the recorded run has no
        such curve: it is a baseline, there is no original to score against, or the curve is not
        over iterations.
        """
        column = column or self.metric.name
        if self.run.axis not in (ITERATION, ""):
            why = f"the last fifth is told of iterations, and its curve goes over '{self.run.axis}'"
            raise InputError(f"{self.run.name} has no such level: {why}")
        curve = self.run.curve()
        points = curve.points(column) if column in curve.columns else []
        last = self.run.last_step or (points[-1][0] if points else 0)
        first = last - (last // SHARE if back is None else back)
        found = [value for step, value in points if step > first]
        if self.run.recorded and not found and back is None:
            raise InputError(f"{self.run.name} has no curve of {column} over iterations")
        return found

    @cached_property
    def known(self) -> bool:
        """Whether there is a curve to speak of."""
        try:
            return bool(self.levels())
        except InputError:
            return False

    @property
    def median(self) -> Quantity:
        """The median over the last fifth of the iterations."""
        return self._measured(median)

    @property
    def lowest(self) -> Quantity:
        """The lowest level there."""
        return self._measured(min)

    @property
    def highest(self) -> Quantity:
        """The highest level there."""
        return self._measured(max)

    def _measured(self, summary: Callable[[list[float]], float]) -> Quantity:
        if not self.run.recorded:
            return NotRun(self.run.name)
        value, preview = summary(self.levels()), self.run.suite.preview
        return Measured(value, self.metric, self.run.url, preview=preview)

    @property
    def fall(self) -> float:
        """By how much the last iterate is worse than the median of the 500 iterations before it."""
        before = self.levels(back=BEFORE + 1)
        return self.metric.gain(median(before[:-1]) - before[-1]) if len(before) > 1 else 0.0

    @property
    def in_spike(self) -> bool:
        """Whether the last iterate lies in a loss spike: worse than that by over `at_most`."""
        return self.known and self.fall > self.metric.at_most
