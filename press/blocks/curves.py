"""Blocks that draw curves: metrics in the course of runs, over iterations, epochs or the like."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, cycle

from markupsafe import Markup

from press.blocks.declaration import (
    IMAGES,
    NAMES,
    RUNS,
    SUITE,
    WORD,
    WORDS,
    Argument,
    Call,
    Figure,
    block,
    chosen_runs,
    named,
    not_run,
)
from press.charts.curve_chart import SERIES, CurvePanel, Line, Mark, extent
from press.errors import InputError, nearest
from press.results.metrics import Metric
from press.results.names import sentence
from press.results.numbers import grouped, with_unit
from press.results.run import Run
from press.results.suite import SuiteView


@dataclass(frozen=True)
class RunChart:
    """Curves of a run on one axis: of the metrics `names`, else of what its suite is judged by.

    Then those in the same unit are drawn too, as far as the site declares them. Raises InputError
    for a metric of which a recorded run has no curve.
    """

    run: Run  # recorded or not
    names: Sequence[str] = ()

    @cached_property
    def metrics(self) -> list[Metric]:
        """What is drawn, the one that names the axis first; empty without a curve."""
        columns, known = self.run.curve().columns[1:], self.run.metrics
        for name in self.names:
            if columns and name not in columns:
                near = nearest(name, columns)
                raise InputError(f"{self.run.name} has no curve of '{name}'{near}")
        if self.names or not columns:
            return [known[name] for name in self.names if name in columns]
        usual = (self.run.stable.metric.name, *known)  # that of the suite, else the first declared
        first = known[next((name for name in usual if name in columns), columns[0])]
        same = [one for one in known.values() if one.unit and one.unit == first.unit]
        return [first, *(one for one in same if one.name in columns and one is not first)]

    @cached_property
    def by_unit(self) -> list["RunChart"]:
        """A chart for each unit of the metrics: levels of two units share no axis."""
        units = dict[str, list[str]]()
        for metric in self.metrics:
            units.setdefault(self.unit_of(metric), []).append(metric.name)
        return [RunChart(self.run, names) for names in units.values()] or [self]

    @staticmethod
    def unit_of(metric: Metric) -> str:
        """The unit of a metric; one without a unit stands by itself."""
        return metric.unit or metric.name

    @cached_property
    def unit(self) -> str:
        """The unit of the first metric; empty without a curve."""
        return self.unit_of(self.metrics[0]) if self.metrics else ""

    @cached_property
    def lines(self) -> list[Line]:
        """A line for each metric; its label is what it says beyond the first one's."""
        return [
            Line(metric.label.removeprefix(self._of_first), self.run.curve().points(metric.name), k)
            for metric, k in zip(self.metrics, cycle(range(1, SERIES + 1)), strict=False)
        ]

    @property
    def _of_first(self) -> str:
        """How the label of a metric begins that is the first one, of a part: "PSNR, "."""
        return f"{self.metrics[0].label}, " if self.metrics else ""

    @property
    def _heading(self) -> str:
        """What the levels are: the first metric, or the unit that others have with it."""
        first, *others = self.metrics
        if all(metric.label.startswith(self._of_first) for metric in others):
            return first.heading
        return first.unit if {metric.unit for metric in others} == {first.unit} else ""

    def panel(
        self, marks: Sequence[Mark] = (), ends: tuple[float, float] | None = None
    ) -> CurvePanel:
        """The panel of the lines, which says in words where they end."""
        first, axis = self.metrics[0], self.run.axis
        last = ", ".join(
            f"{line.label} {with_unit(line.points[-1][1], metric)}"
            for line, metric in zip(self.lines, self.metrics, strict=True)
            if line.points
        )
        title = (
            f"{sentence(first.label)} of {self.run.title} against the {axis}; at the end: {last}"
        )
        if marks:
            marked = ", ".join(f"{mark.label} at {grouped(mark.step)}" for mark in marks)
            title += f"; marked: {marked}"
        return CurvePanel(title, self.lines, self._heading, axis, marks, ends, is_log(first))


def charts_of(run: Run) -> list[RunChart]:
    """Charts of what a run's suite is judged by, then of every other metric that the site declares.

    Of a site that declares none, of every column of the run's curve; never of an empty one.
    """
    usual, curve = [metric.name for metric in RunChart(run).metrics], run.curve()
    columns = [name for name in curve.columns[1:] if curve.points(name)]
    others = [name for name in run.metrics if name in columns] or columns
    drawn = [name for name in dict.fromkeys([*usual, *others]) if name in columns]
    return RunChart(run, drawn).by_unit if drawn else []


def is_log(metric: Metric) -> bool:
    """Whether a metric is drawn by powers of ten."""
    return metric.scale == "log"


def stop_marks(run: Run, paper: str) -> list[Mark]:
    """Marks where each stopping rule stops, and where `paper` does, if the run is that long."""
    found = [point for point in run.stop_points.values() if point.rule != "fixed"]
    marks = [Mark(point.mark, point.iteration) for point in found]
    count, last = run.case.paper_iterations, run.last_step or 0
    if count is not None and count <= last:
        marks.append(Mark(f"{paper} stops", count, "paper"))
    return marks


@block(
    "curve",
    "metrics in the course of runs, a panel for each run, on one axis",
    Argument("runs", RUNS, "the runs; or name a `suite`"),
    Argument("suite", SUITE, "whose runs are drawn"),
    IMAGES,
    Argument("metrics", WORDS, "columns of the curves; the suite's measure if they are not given"),
    Argument("names", NAMES, "the panels' titles; the cases' names if they are not given"),
    numbered="figure",
    example='runs="inpainting/house inpainting/peppers" names="House, Peppers" id="fig-curves"',
)
def curve(
    call: Call,
    runs: list[Run],
    suite: SuiteView | None,
    images: list[str],
    metrics: list[str],
    names: list[str],
) -> Figure:
    """The curves of one or more runs."""
    if runs and (suite or images):
        raise call.error("suite" if suite else "images", "name either runs, or a suite")
    if not runs:
        if suite is None:
            raise call.needs("suite")
        runs = chosen_runs(call, suite, images)
    titles = [f"{run.title}, seed {run.seed}" if run.seed else run.title for run in runs]
    titles = named(call, names, titles, "runs")
    if not any(run.recorded for run in runs):
        return not_run(call, runs)
    with call.at("metrics"):
        found = [RunChart(run, metrics).by_unit for run in runs]
    charts = dict[str, list[RunChart]]()
    for chart in chain(*found):
        charts.setdefault(chart.unit, []).append(chart)
    shared = {
        unit: extent([*chain(*(chart.lines for chart in same))], is_log(same[0].metrics[0]))
        for unit, same in charts.items()
        if unit
    }
    panels = [
        {"title": title,
         "svg": chart.panel((), shared[chart.unit]).svg() if chart.metrics else "",
         "absent": "it has no curve" if chart.run.recorded else "not run yet"}
        for of_run, title in zip(found, titles, strict=True) for chart in of_run
    ]  # fmt: skip
    return Figure(call.page.render("blocks/curve.html", panels=panels), runs)


@block(
    "loss-curves",
    "a metric in the course of all runs of a suite, in one chart",
    Argument("suite", SUITE, "whose runs are drawn", required=True),
    IMAGES,
    Argument("metric", WORD, "a column of their curves", default="loss"),
    numbered="figure",
    width="text",
    example='suite="noise-impedance" id="fig-losses"',
)
def loss_curves(call: Call, suite: SuiteView, images: list[str], metric: str) -> Figure:
    """The curves of all runs of a suite, or of some cases of it, that are recorded."""
    with call.at("images"):
        chosen = {suite.suite.find(name) for name in images} or {*suite.suite.images}
    runs = [run for run in suite.runs if run.recorded and run.image in chosen]
    if not runs:
        return not_run(call, suite.runs)
    with call.at("metric" if "metric" in call.directive.arguments else "suite"):
        for run in runs:
            if not any(line.points for line in RunChart(run, [metric]).lines):
                raise InputError(f"{run.name} has no curve of '{metric}'")
    shown, cases = suite.metrics[metric], list(dict.fromkeys(run.image for run in runs))
    if len(cases) > SERIES:
        many = f"{len(cases)} cases are more than a chart tells apart: name up to {SERIES}"
        raise call.error("images", many)
    lines, last = list[Line](), []
    is_by_variant = len({run.case.variant for run in runs} - {""}) == len(cases)
    for k, run in enumerate(runs):
        label = run.case.variant if is_by_variant else run.title
        series = cases.index(run.image) % SERIES + 1
        if len(cases) == 1 < len(runs) <= SERIES:
            label, series = f"seed {run.seed}", k % SERIES + 1
        points = run.curve().points(metric)
        is_first = label not in (line.label for line in lines)
        lines.append(Line(label if is_first else "", points, series))
        last.append(f"{label} {with_unit(points[-1][1], shown)}")
    axis = runs[0].axis
    title = f"{sentence(shown.label)} against the {axis}; at the end: {', '.join(last)}"
    panel = CurvePanel(title, lines, shown.heading, axis, powers=is_log(shown))
    return Figure(Markup('<div class="one-chart">{}</div>').format(panel.svg()), runs)
