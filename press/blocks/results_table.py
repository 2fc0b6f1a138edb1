"""Tables of numbers: rows of cells with a dot plot on one axis, from records and claims."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from press.blocks.arguments import figure
from press.blocks.pictures import absent, thumbnail
from press.charts.chart import Dot, DotAxis
from press.results.claims import MEAN, Claim, ClaimTable
from press.results.numbers import Measured, NotRun, Quantity, decimal, linked, signed
from press.results.run import Run
from press.results.scores import ScoreTable
from press.results.stability import spike_mark
from press.results.suite import SuiteView
from press.results.verdicts import Judge, Verdict

if TYPE_CHECKING:
    from press.page import Directive, PageContext

METHOD_NAMES = {
    "nearest-known-pixel": "Nearest known pixel",
    "biharmonic": "Biharmonic fill",
    "total-variation": "Total variation",
    "non-local-means": "Non-local means",
    "bicubic": "Bicubic",
}
DASH = Markup('<span class="none" title="not stated">–</span>')


@dataclass(frozen=True)
class Column:
    """A column: its heading, whether it holds numbers, and the mark that stands for it."""

    title: str
    numeric: bool = True
    mark: str = ""


@dataclass(frozen=True)
class TableRow:
    """A row: the image's name and thumbnail, the dots of its plot, its cells, a class."""

    title: str
    thumbnail: Markup
    dots: Sequence[Dot]
    cells: Sequence[Markup]
    kind: str = ""
    plot: Markup = field(default=Markup(""))


def mark_of(method: str) -> str:
    """Name the mark that stands for a method without a network."""
    return "nearest" if method == "nearest-known-pixel" else "fill"


def cell(value: Quantity | Claim | Verdict | str | None, digits: int = 2) -> Markup:
    """Write a cell: a number without its unit (the heading has it), a verdict, or words."""
    if value is None:
        return DASH
    if isinstance(value, Claim):
        return value.marked(decimal(value, digits))
    if isinstance(value, Measured):
        return linked(decimal(value, digits), value.origin)
    return escape(value)


def with_spread(value: Quantity) -> Markup:
    """Write a mean with its standard deviation, where there is one."""
    if isinstance(value, NotRun) or value.spread is None:
        return cell(value)
    spread = Markup(' <span class="spread">± {}</span>').format(decimal(value.spread))
    return cell(value) + spread


def difference(verdict: Verdict | None) -> Markup:
    """Write the difference of a verdict with its sign; nothing where there is none."""
    value = verdict.difference_db if verdict else None
    return linked(signed(value), value.origin) if isinstance(value, Measured) else Markup("")


def small_picture(context: "PageContext", runs: Sequence[Run]) -> Markup:
    """Show our last output of the first of the runs that is recorded; nothing if none is kept."""
    for run in runs:
        path = run.picture(run.iterations) if run.recorded else None
        if path is not None:
            return thumbnail(context, path, 128, f"{run.title}, our result")
    shown = next((run for run in runs if run.recorded and run.case.pictures), None)
    return absent(context, shown) if shown else Markup("")


def level_of(value: Quantity | Claim | None) -> float | None:
    """Give a number for a plot; None where there is none."""
    return float(value) if isinstance(value, Measured | Claim) else None


def ours_dot(value: Quantity) -> Dot:
    """Make the filled mark of our own mean, with its whisker."""
    spread = value.spread if isinstance(value, Measured) else None
    return Dot("ours", "ours", level_of(value), spread)


def plotted(rows: Sequence[TableRow]) -> tuple[DotAxis, list[TableRow]]:
    """Draw the dots of every row on one axis."""
    levels = [dot.level for row in rows for dot in row.dots if dot.level is not None]
    axis = DotAxis.around(levels)
    drawn = [
        TableRow(row.title, row.thumbnail, row.dots, row.cells, row.kind, axis.row(row.dots))
        for row in rows
    ]
    return axis, drawn


def dot_table(
    call: "Directive",
    context: "PageContext",
    title: str,
    made: tuple[list[TableRow], list[Column], dict[str, Any] | None],
    note: str,
) -> Markup:
    """Write a numbered table of rows and columns with its dot plot, and the plain one if given."""
    rows, columns, details = made
    axis, drawn = plotted(rows)
    content = context.render(
        "blocks/dot-table.html",
        rows=drawn,
        columns=columns,
        axis=axis,
        details=details,
        pictures=any(row.thumbnail for row in drawn),
        title=title,
    )
    return figure(call, context, content, note=note, kind="table")


def not_comparable(view: SuiteView) -> str:
    """Say of a preview that its levels are no match for the paper's; empty for other suites."""
    if not view.preview:
        return ""
    return f"{view.label[:1].upper()}{view.label[1:]}, not comparable with the paper's numbers. "


def levels_note(view: SuiteView) -> str:
    """Say what the levels of a table are."""
    if view.measure == "psnr_luma_db":
        return "Levels in dB, of luma in the centre box, as the paper scores super-resolution."
    return "Levels in dB."


def claim_of(table: ClaimTable, row: str | None, column: str) -> Claim | None:
    """Give the number that a method has in a column of a source's table."""
    return table.rows[row].get(column) if row in table.rows else None


def judges_last_iterates(view: SuiteView, table: ClaimTable) -> bool:
    """Tell whether a table compares last iterates by the PSNR that a curve follows."""
    compared = table.rows[table.ours].compare if table.ours else None
    return compared == "final" and view.measure == "psnr_db"


def judged(
    judge: Judge, table: ClaimTable, column: str
) -> tuple[Claim | None, Quantity, Verdict | None]:
    """What the source prints in a column of the row that our runs answer, ours, and the verdict.

    Sources print some numbers as means only; there is no verdict without a number.
    """
    assert table.ours
    row = table.rows[table.ours]
    claim, ours = row.get(column), judge.ours(table, row, column)
    return claim, ours, judge.judge(table, row, column, claim) if claim is not None else None


def judged_row(
    context: "PageContext", judge: Judge, view: SuiteView, table: ClaimTable, image: str | None
) -> TableRow:
    """Make a row of the results: the source's numbers, ours, the difference, the verdict."""
    column = table.column(image) if image else MEAN
    others = [claim_of(table, row, column) for row in table.beside]
    claim, ours, verdict = judged(judge, table, column)
    dots = [Dot("other", table.rows[row].name, level_of(claim))
            for row, claim in zip(table.beside, others, strict=True)]  # fmt: skip
    dots += [Dot("paper", "the paper", level_of(claim)), ours_dot(ours)]
    runs = [run for run in view.runs if run.image == image]
    marked = runs or [run for run in view.runs if run.image in table.images]
    mark = spike_mark(marked) if judges_last_iterates(view, table) else Markup("")
    level = DASH if isinstance(ours, NotRun) else with_spread(ours) + mark
    return TableRow(
        runs[0].title if runs else "Mean",
        small_picture(context, runs) if runs else Markup(""),
        dots,
        [*map(cell, others), cell(claim), level, difference(verdict),
         DASH if verdict is None else escape(verdict)],
        "" if runs else "mean",
    )  # fmt: skip


def measured_row(
    context: "PageContext", view: SuiteView, baselines: dict[str, ScoreTable], image: str | None
) -> TableRow:
    """Make a row of a preview: the baselines' numbers, then ours."""

    def value(scores: ScoreTable) -> Quantity:
        return scores.of(image) if image else scores.mean()

    others = {method: value(scores) for method, scores in baselines.items()}
    ours = value(view.final)
    runs = [run for run in view.runs if run.image == image]
    dots = [
        Dot(mark_of(method), METHOD_NAMES[method], level_of(level))
        for method, level in others.items()
    ]
    return TableRow(
        runs[0].title if runs else "Mean",
        small_picture(context, runs) if runs else Markup(""),
        [*dots, ours_dot(ours)],
        [*map(cell, others.values()), with_spread(ours) + spike_mark(runs)],
        "" if runs else "mean",
    )
