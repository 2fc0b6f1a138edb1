"""Tables of our results, image by image, with a dot plot on one axis."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from typing import NamedTuple

from markupsafe import Markup, escape

from press.blocks.declaration import NAMES, SUITE, SUITES, Argument, Call, Figure, block, named
from press.blocks.images import small_picture
from press.charts.dot_plot import Dot, DotAxis
from press.errors import InputError
from press.results.claims import Claim
from press.results.numbers import Measured, Quantity, decimal, linked, signed, with_unit
from press.results.run import spike_mark
from press.results.scores import ScoreTable
from press.results.suite import SuiteView
from press.results.verdicts import Verdict

BASELINE_MARKS = ("stroke", "box")  # of the baselines of a table, in turn
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

    With a `mark` its numbers are dots of the plot too: ours, paper, other, choice, box, stroke.
    """

    title: str
    value: Callable[[str | None], Value]
    mark: str = ""
    numeric: bool = True
    after: Callable[[str | None], Markup] = lambda image: Markup("")  # behind the number


class Row(NamedTuple):
    """A row: the image's name and thumbnail, the dots of its plot, its cells, a class."""

    title: str
    thumbnail: Markup
    dots: Sequence[Dot]
    cells: Sequence[Markup]
    kind: str = ""


def dot_table(
    call: Call,
    view: SuiteView,
    images: Sequence[str | None],
    columns: Sequence[Column],
    note: str,
    *,
    last: Sequence[Row] = (),
    details: Sequence[dict[str, Value]] = (),
    pictures: bool = True,
) -> Figure:
    """A table with a dot plot: a row for each image, and for None, the mean.

    `last` are further rows; `details` those of the plain table of all figures, by their heads.
    """
    rows = [_row(call, view, image, columns, pictures) for image in images]
    content = call.page.render(
        "blocks/dot-table.html",
        rows=[*rows, *last],
        columns=columns,
        axis=DotAxis.around([dot.level for row in rows for dot in row.dots]),
        details=[{head: cell(value) for head, value in row.items()} for row in details],
        pictures=any(row.thumbnail for row in rows),
        title=view.title,
        case=call.page.results.names.case,
    )
    return Figure(content, note=note)


def _row(
    call: Call, view: SuiteView, image: str | None, columns: Sequence[Column], pictures: bool
) -> Row:
    dots, cells = [], []
    for column in columns:
        value = column.value(image)
        cells.append(with_spread(value) + column.after(image))
        if column.mark and isinstance(value, Measured | Claim):
            spread = getattr(value, "spread", None) if column.mark == "ours" else None
            words = with_unit(value, value.metric)
            dots.append(Dot(column.mark, column.title, float(value), words, spread))
    dots.sort(key=lambda dot: dot.kind == "ours")  # ours is drawn last, on top
    runs = [run for run in view.runs if run.image == image]
    if not runs:
        return Row("Mean", Markup(""), dots, cells, "mean")
    small = small_picture(call.page, runs) if pictures else Markup("")
    return Row(runs[0].title, small, dots, cells)


def level_note(view: SuiteView) -> str:
    """What the levels of a table are; of a preview, that they are no match for the paper's."""
    label = view.label.capitalize()
    apart = f"{label}, not comparable with the paper's numbers. " if view.preview else ""
    luma = ", of luma in the centre box, as the paper scores super-resolution"
    return f"{apart}Levels in dB{luma if view.measure == 'psnr_luma_db' else ''}."


def of_images(scores: ScoreTable, images: tuple[str, ...] | None = None) -> Callable[..., Quantity]:
    """Look up the level of an image in scores; of None, the mean over `images`."""
    return lambda image: scores.of(image) if image else scores.mean(images=images)


def baseline_columns(
    call: Call, view: SuiteView, images: tuple[str, ...] | None = None
) -> list[Column]:
    """A column for each baseline of a suite."""
    title = call.page.results.names.method
    return [
        Column(title(name), of_images(view.output(f"baseline.{name}"), images), mark)
        for name, mark in zip(view.suite.baselines, cycle(BASELINE_MARKS), strict=False)
    ]


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
        *baseline_columns(call, suite),
        Column("ours", of_images(suite.final), "ours", after=spiked),
    ]
    images = (*suite.suite.images, *([None] if suite.images > 1 else []))
    masked = all(case.settings.get("mask") for case in suite.suite.cases.values())
    levels = {"PSNR": suite.measure, **(PARTS if masked else {})}
    details: list[dict[str, Value]] = [
        {"Image": run.title, "Seed": str(run.seed)}
        | {head: getattr(run, level) for head, level in levels.items()}
        | {"SSIM": cell(run.ssim, 3), "Seconds": cell(run.seconds, 0)}
        for run in suite.runs
    ]
    return dot_table(call, suite, images, columns, level_note(suite), details=details)


@block(
    "stops-table",
    "the outputs that one may choose of a run, and what each loses to the best",
    Argument("suite", SUITE, "whose runs are shown", required=True),
    numbered="table",
    example='suite="denoising-preview" id="tab-stops"',
)
def stops_table(call: Call, suite: SuiteView) -> Figure:
    """Last and best iterate, ES-WMV and averages, side by side."""
    chosen = {"last": "final", "best": "stop.oracle", "ES-WMV": "stop.es-wmv", "average": "average"}
    if suite.suite.mean:
        chosen["mean of runs"] = "mean"
    columns = [
        Column(name, _scored(suite.output(output)), "ours" if name == "last" else "choice")
        for name, output in chosen.items()
    ]
    last = _against("Against the best", columns, columns[1].value(None))
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
        with suppress(InputError):
            return of_images(scores)(image)
        return None

    return value


def _against(title: str, columns: Sequence[Column], other: Value) -> list[Row]:
    """The row of each column's mean less another; a dash where one of them is not there."""
    means = [column.value(None) for column in columns]
    cells = [
        Markup(signed(mean - other))
        if isinstance(mean, Measured) and isinstance(other, Measured)
        else DASH
        for mean in means
    ]
    return [Row(title, Markup(""), [], cells, "mean")]


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
        Column(title, of_images(view.final, images), mark)
        for view, title, mark in zip(suites, titles, marks, strict=True)
    ]
    last = _against("Against ours", columns, columns[0].value(None))
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
