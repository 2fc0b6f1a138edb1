"""Blocks that set scores side by side: ways to choose one output, suites that differ, losses."""

from collections.abc import Mapping
from itertools import cycle
from math import ceil, floor, log10
from typing import TYPE_CHECKING

from markupsafe import Markup

from press.blocks.arguments import at, check_arguments, figure, names_of, suite_of
from press.blocks.images import TICKS, not_run
from press.blocks.results_table import (
    Column,
    TableRow,
    cell,
    dot_table,
    level_of,
    levels_note,
    not_comparable,
    small_picture,
    with_spread,
)
from press.charts.chart import CurvePanel, Dot, Line
from press.errors import InputError
from press.results.numbers import SUPERSCRIPTS, Measured, Quantity, signed
from press.results.run import Run
from press.results.scores import ScoreTable
from press.results.suite import SuiteView

if TYPE_CHECKING:
    from press.page import Directive, PageContext

# How the lines of a loss chart are drawn.
LOSS_KINDS = ("ours", "known", "unknown", "faint", "dashed")


def stops_table(call: "Directive", context: "PageContext") -> Markup:
    """The outputs that one may choose of a run, and what each loses to the best."""
    check_arguments(call, "id", "width", needed=("suite",))
    view = suite_of(call, context)
    ways: dict[str, ScoreTable] = {
        "last": view.final,
        "best": view.output("stop.oracle"),
        "ES-WMV": view.output("stop.es-wmv"),
        "average": view.output("average"),
    }
    if view.suite.mean:
        ways["mean of runs"] = view.output("mean")
    columns = [Column(name, mark="ours" if name == "last" else "choice") for name in ways]
    rows = [_row(context, view, ways, image) for image in (*view.suite.images, None)]
    rows.append(_lost(ways))
    note = (
        f"{not_comparable(view)}{levels_note(view)} The best iterate can only be told with the"
        " original at hand; the last row is each choice less the best iterate, on the mean."
        f"{_waiting(view)}"
    )
    return dot_table(call, context, view.title, (rows, columns, None), note)


def _waiting(view: SuiteView) -> str:
    """Say in how many runs ES-WMV had not run out of patience."""
    stopped = view.stopped("es-wmv")
    if stopped == view.recorded:
        return ""
    return (
        f" ES-WMV had stopped in {stopped or 'none'} of {view.recorded} runs when they ended;"
        " otherwise its column has the least variance so far."
    )


def _row(
    context: "PageContext", view: SuiteView, ways: Mapping[str, ScoreTable], image: str | None
) -> TableRow:
    levels = {name: _level(table, image) for name, table in ways.items()}
    runs = [run for run in view.runs if run.image == image]
    dots = [Dot("choice", name, level_of(x)) for name, x in levels.items() if name != "last"]
    dots.append(Dot("ours", "last", level_of(levels["last"])))
    cells = [_written(level) for level in levels.values()]
    picture = small_picture(context, runs) if runs else Markup("")
    return TableRow(runs[0].title if runs else "Mean", picture, dots, cells, "" if runs else "mean")


def _written(level: Quantity | None) -> Markup:
    return with_spread(level) if level is not None else cell(None)


def _level(table: ScoreTable, image: str | None) -> Quantity | None:
    """Give a level of a table; None where a run has no such output."""
    try:
        return table.of(image) if image else table.mean()
    except InputError:
        return None


def _lost(ways: Mapping[str, ScoreTable]) -> TableRow:
    """Make the row that tells what each way loses to the best iterate."""
    best = _level(ways["best"], None)
    cells = [_difference(_level(table, None), best) for table in ways.values()]
    return TableRow("Against the best", Markup(""), [], cells, "mean")


def _difference(level: Quantity | None, other: Quantity | None) -> Markup:
    """Write one level less another; a dash where one is not there."""
    if isinstance(level, Measured) and isinstance(other, Measured):
        return Markup(signed(float(level) - float(other)))
    return cell(None)


def suites_table(call: "Directive", context: "PageContext") -> Markup:
    """Set suites that differ in one setting side by side, image by image; the first is ours."""
    check_arguments(call, "names", "id", "width", needed=("suites",))
    with at(call, "suites"):
        views = [context.results.suite(name) for name in call.arguments["suites"].split()]
    names = names_of(call, [view.name for view in views], "suites")
    images = [image for image in views[0].suite.images if _in_all(image, views)]
    rows = [_setting_row(context, views, names, image) for image in images]
    rows += _mean_rows(views, names, tuple(images))
    columns = [Column(name, mark="choice" if i else "ours") for i, name in enumerate(names)]
    note = f"{not_comparable(views[0])}{levels_note(views[0])}"
    return dot_table(call, context, views[0].title, (rows, columns, None), note)


def _in_all(image: str, views: list[SuiteView]) -> bool:
    return all(image in view.suite.images for view in views)


def _setting_row(
    context: "PageContext", views: list[SuiteView], names: list[str], image: str
) -> TableRow:
    levels = [view.final.of(image) for view in views]
    runs = [run for run in views[0].runs if run.image == image]
    cells = [with_spread(level) for level in levels]
    return TableRow(runs[0].title, small_picture(context, runs), _dots(names, levels), cells)


def _dots(names: list[str], levels: list[Quantity]) -> list[Dot]:
    kinds = ["ours", *["choice"] * (len(names) - 1)]
    rows = zip(kinds, names, levels, strict=True)
    return [Dot(kind, name, level_of(level)) for kind, name, level in rows][::-1]


def _mean_rows(views: list[SuiteView], names: list[str], images: tuple[str, ...]) -> list[TableRow]:
    means = [view.final.mean(images=images) for view in views]
    rows = [TableRow("Mean", Markup(""), _dots(names, means), [*map(with_spread, means)], "mean")]
    cells = [cell(None), *(_difference(mean, means[0]) for mean in means[1:])]
    return [*rows, TableRow("Against ours", Markup(""), [], cells, "mean")]


def loss_curves(call: "Directive", context: "PageContext") -> Markup:
    """Draw the losses of a suite's runs in one chart, on a scale of powers of ten."""
    check_arguments(call, "id", "width", needed=("suite",))
    view = suite_of(call, context)
    runs = [run for run in view.runs if run.recorded]
    if not runs:
        return not_run(call, context, list(view.runs))
    lines = [_loss_line(run, kind) for run, kind in zip(runs, cycle(LOSS_KINDS), strict=False)]
    panel = _loss_panel(runs, lines)
    content = context.render("blocks/loss-curves.html", chart=panel.svg())
    return figure(call, context, content, runs=runs, width="text")


def _loss_line(run: Run, kind: str) -> Line:
    points = [(k, log10(loss)) for k, loss in run.curve().points("loss") if loss > 0]
    return Line(run.case.variant or run.title, kind, points)


def _loss_panel(runs: list[Run], lines: list[Line]) -> CurvePanel:
    levels = [level for line in lines for _, level in line.points]
    low, high = floor(min(levels)), ceil(max(levels))
    last = max(run.iterations for run in runs)
    ends = ", ".join(f"{line.label} {10 ** line.points[-1][1]:.2g}" for line in lines)
    return CurvePanel(
        f"Loss against the iteration; at the end: {ends}",
        lines,
        sorted({*(k for k in TICKS if k < last), last}),
        y_range=(low, high),
        y_ticks=[(k, _power(k)) for k in range(low, high + 1)],
        y_label="loss (mean squared error)",
    )


def _power(exponent: int) -> str:
    return f"10{str(exponent).translate(SUPERSCRIPTS)}" if exponent else "1"
