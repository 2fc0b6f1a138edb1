"""Tables of our results, image by image, with a dot plot on one axis."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from press.blocks.declaration import (
    NAMES,
    SUITE,
    SUITES,
    Argument,
    Call,
    Figure,
    block,
    named,
)
from press.blocks.images import small_picture
from press.charts.dot_plot import Dot, DotAxis
from press.errors import InputError
from press.results.claims import Claim
from press.results.numbers import Measured, Quantity, decimal, linked, signed
from press.results.run import Run, spike_mark
from press.results.scores import ScoreTable
from press.results.suite import SuiteView
from press.results.verdicts import Verdict

METHOD_NAMES = {
    "nearest-known-pixel": "Nearest known pixel",
    "biharmonic": "Biharmonic fill",
    "total-variation": "Total variation",
    "non-local-means": "Non-local means",
    "bicubic": "Bicubic",
}
PARTS = {"unknown pixels": "psnr_unknown_db", "known pixels": "psnr_known_db"}
DASH = Markup('<span class="none" title="not stated">–</span>')
Value = Quantity | Claim | Verdict | str | None


def cell(value: Value, digits: int = 2) -> Markup:
    """A cell: a number without its unit (the heading has it), a verdict, or words."""
    if value is None:
        return DASH
    if isinstance(value, Claim):
        return value.marked(decimal(value, digits))
    if isinstance(value, Measured):
        return linked(decimal(value, digits), value.origin)
    return escape(value)


def with_spread(value: Value) -> Markup:
    """A mean with its standard deviation, where there is one."""
    if not isinstance(value, Measured) or value.spread is None:
        return cell(value)
    spread = Markup(' <span class="spread">± {}</span>').format(decimal(value.spread))
    return cell(value) + spread


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, and its value for an image, or for None, the mean.

    With a `mark` its numbers are dots of the plot too: ours, paper, other, choice, fill, nearest.
    """

    title: str
    value: Callable[[str | None], Value]
    mark: str = ""
    numeric: bool = True
    write: Callable[[Value], Markup] = cell
    after: Callable[[str | None], Markup] = lambda image: Markup("")  # behind the number


class Row(NamedTuple):
    """A row: the image's name and thumbnail, the dots of its plot, its cells, a class."""

    title: str
    thumbnail: Markup
    dots: Sequence[Dot]
    cells: Sequence[Markup]
    kind: str = ""
    plot: Markup = Markup("")


def dot_table(
    call: Call,
    view: SuiteView,
    images: Sequence[str | None],
    columns: Sequence[Column],
    note: str,
    *,
    last: Row | None = None,
    details: dict[str, Any] | None = None,
    pictures: bool = True,
) -> Figure:
    """A table with a dot plot: a row for each image, and for None, the mean.

    `last` is a further row; `details` are heads and rows of the plain table of all figures.
    """
    rows = [_row(call, view, image, columns, pictures) for image in images]
    axis = DotAxis.around([dot.level for row in rows for dot in row.dots if dot.level is not None])
    content = call.page.render(
        "blocks/dot-table.html",
        rows=[row._replace(plot=axis.row(row.dots)) for row in (*rows, *([last] if last else []))],
        columns=columns,
        axis=axis,
        details=details,
        pictures=any(row.thumbnail for row in rows),
        title=view.title,
    )
    return Figure(content, note=note)


def _row(
    call: Call, view: SuiteView, image: str | None, columns: Sequence[Column], pictures: bool
) -> Row:
    runs = [run for run in view.runs if run.image == image]
    values = [(column, column.value(image)) for column in columns]
    dots = [_dot(column, value) for column, value in values if column.mark]
    dots.sort(key=lambda dot: dot.kind == "ours")  # ours is drawn last, on top
    cells = [column.write(value) + column.after(image) for column, value in values]
    if not runs:
        return Row("Mean", Markup(""), dots, cells, "mean")
    small = small_picture(call.page, runs) if pictures else Markup("")
    return Row(runs[0].title, small, dots, cells)


def _dot(column: Column, value: Value) -> Dot:
    level = float(value) if isinstance(value, Measured | Claim) else None
    spread = value.spread if column.mark == "ours" and isinstance(value, Measured) else None
    return Dot(column.mark, column.title, level, spread)


def level_note(view: SuiteView) -> str:
    """What the levels of a table are; of a preview, that they are no match for the paper's."""
    label = f"{view.label[:1].upper()}{view.label[1:]}"
    apart = f"{label}, not comparable with the paper's numbers. " if view.preview else ""
    luma = ", of luma in the centre box, as the paper scores super-resolution"
    return f"{apart}Levels in dB{luma if view.measure == 'psnr_luma_db' else ''}."


def of_images(scores: ScoreTable, images: tuple[str, ...] | None = None) -> Callable[..., Quantity]:
    """Look up the level of an image in scores; of None, the mean over `images`."""
    return lambda image: scores.of(image) if image else scores.mean(images=images)


def method_column(view: SuiteView, method: str, images: tuple[str, ...] | None = None) -> Column:
    """The column of a method without a network."""
    mark = "nearest" if method == "nearest-known-pixel" else "fill"
    return Column(METHOD_NAMES[method], of_images(view.output(f"baseline.{method}"), images), mark)


@block(
    "preview-table",
    "our runs beside the suite's baselines; no verdicts",
    Argument("suite", SUITE, "whose runs are shown", required=True),
    numbered="table",
    example='suite="inpainting-preview" id="tab-preview"',
)
def preview_table(call: Call, suite: SuiteView) -> Figure:
    """A preview's runs beside baselines on the same reduced images."""

    def spiked(image: str | None) -> Markup:
        return spike_mark([run for run in suite.runs if run.image == image])

    columns = [
        *(method_column(suite, method) for method in suite.suite.baselines),
        Column("ours", of_images(suite.final), "ours", write=with_spread, after=spiked),
    ]
    images = (*suite.suite.images, *([None] if suite.images > 1 else []))
    masked = all(case.settings.get("mask") for case in suite.suite.cases.values())
    parts = PARTS if masked else {}
    details = {
        "heads": ["Image", "Seed", "PSNR", *parts, "SSIM", "Seconds"],
        "rows": [_run_details(run, list(parts.values())) for run in suite.runs],
    }
    return dot_table(call, suite, images, columns, level_note(suite), details=details)


def _run_details(run: Run, parts: list[str]) -> list[Markup]:
    cells = [getattr(run, part) for part in (run.measure, *parts)]
    last = [cell(run.ssim, 3), cell(run.seconds, 0)]
    return [cell(run.title), cell(str(run.seed)), *map(cell, cells), *last]


@block(
    "stops-table",
    "the outputs that one may choose of a run, and what each loses to the best",
    Argument("suite", SUITE, "whose runs are shown", required=True),
    numbered="table",
    example='suite="denoising-preview" id="tab-stops"',
)
def stops_table(call: Call, suite: SuiteView) -> Figure:
    """Last and best iterate, ES-WMV and averages, side by side."""
    chosen: dict[str, ScoreTable] = {
        "last": suite.final,
        "best": suite.output("stop.oracle"),
        "ES-WMV": suite.output("stop.es-wmv"),
        "average": suite.output("average"),
    }
    if suite.suite.mean:
        chosen["mean of runs"] = suite.output("mean")
    columns = [
        Column(name, _scored(scores), "ours" if name == "last" else "choice", write=with_spread)
        for name, scores in chosen.items()
    ]
    last = _against("Against the best", columns, _scored(chosen["best"])(None))
    note = (
        f"{level_note(suite)} The best iterate can only be told with the"
        " original at hand; the last row is each choice less the best iterate, on the mean."
    )
    stopped = suite.stopped("es-wmv")
    if stopped != suite.recorded:
        note += (
            f" ES-WMV had stopped in {stopped or 'none'} of {suite.recorded} runs when they ended;"
            " otherwise its column has the least variance so far."
        )
    return dot_table(call, suite, (*suite.suite.images, None), columns, note, last=last)


def _scored(scores: ScoreTable) -> Callable[[str | None], Quantity | None]:
    """Look up a level of an image, or the mean; None where a run has no such output."""

    def value(image: str | None) -> Quantity | None:
        try:
            return of_images(scores)(image)
        except InputError:
            return None

    return value


def _against(title: str, columns: Sequence[Column], other: Value, skip: int = 0) -> Row:
    """The row of each column's mean less another; a dash where one of them is not there."""
    cells = [DASH] * skip
    for column in columns[skip:]:
        mean = column.value(None)
        if isinstance(mean, Measured) and isinstance(other, Measured):
            cells.append(Markup(signed(mean - other)))
        else:
            cells.append(DASH)
    return Row(title, Markup(""), [], cells, "mean")


@block(
    "suites-table",
    "suites that differ in a setting, image by image; the first is ours",
    Argument("suites", SUITES, "which ones", required=True),
    Argument("names", NAMES, "the columns' titles; the suites' names if they are not given"),
    numbered="table",
    example='suites="open-settings open-slope" names="as we chose, slope of 0.01" id="tab-open"',
)
def suites_table(call: Call, suites: list[SuiteView], names: list[str]) -> Figure:
    """Suites side by side, on the images that all of them have."""
    ours = suites[0]
    titles = named(call, names, [view.name for view in suites], "suites")
    images = tuple(i for i in ours.suite.images if all(i in view.suite.images for view in suites))
    marks = ["ours", *["choice"] * (len(suites) - 1)]
    columns = [
        Column(title, of_images(view.final, images), mark, write=with_spread)
        for view, title, mark in zip(suites, titles, marks, strict=True)
    ]
    last = _against("Against ours", columns, columns[0].value(None), skip=1)
    return dot_table(call, ours, (*images, None), columns, level_note(ours), last=last)


@block(
    "settings",
    "every setting with its source, from `content/choices.toml`",
    Argument("suite", SUITE, "whose settings are shown", required=True),
    numbered="table",
    example='suite="inpainting" id="tab-settings"',
)
def settings(call: Call, suite: SuiteView) -> Figure:
    """A suite's settings, each with its source, and why."""
    if suite.suite.settings is None:
        raise InputError(f"the manifest states no settings of suite '{suite.name}'")
    return Figure(call.page.render("blocks/settings.html", rows=suite.suite.settings))
