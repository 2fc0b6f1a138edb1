"""Tables of our results, case by case, with a dot plot on one axis."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from statistics import mean, median
from typing import NamedTuple

from markupsafe import Markup, escape

from press.blocks.declaration import NAMES, SUITE, SUITES, Argument, Call, Figure, block, named
from press.blocks.images import small_picture
from press.charts.dot_plot import CORNERS, Dot, DotAxis, sign
from press.errors import InputError
from press.results.claims import Claim
from press.results.metrics import LOWER, Metric
from press.results.names import sentence
from press.results.numbers import (
    Measured,
    NotRun,
    Quantity,
    difference,
    linked,
    with_sign,
    with_unit,
    written,
)
from press.results.run import BEFORE, Run
from press.results.suite import ScoreTable, SuiteView
from press.results.verdicts import Verdict

SPIKE_MARK = "†"
SPIKE_NOTE = f" {SPIKE_MARK} The last iterate of a run lies in a loss spike."
DASH = Markup('<span class="none" title="not stated">–</span>')
Value = Quantity | Claim | Verdict | str | None


def cell(value: Value) -> Markup:
    """A cell: a number without its unit (the note or the heading has it), a verdict, or words."""
    if value is None:
        return DASH
    if isinstance(value, Claim):
        return value.marked(written(value, value.metric))
    if isinstance(value, Measured):
        return linked(written(value, value.metric), value.origin)
    return escape(value)


def with_spread(value: Value) -> Markup:
    """A mean with its standard deviation, where there is one."""
    if not isinstance(value, Measured) or value.spread is None:
        return cell(value)
    spread = Markup(' <span class="spread">± {}</span>').format(written(value.spread, value.metric))
    return cell(value) + spread


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, and its value for a case, or for None, the mean.

    With a `mark` its numbers are dots of the plot too: ours, paper, baseline, other or choice.
    """

    title: str
    value: Callable[[str | None], Value]
    mark: str = ""
    numeric: bool = True
    after: Callable[[str | None], Markup] = lambda image: Markup("")  # behind the number


class Row(NamedTuple):
    """A row: the name of the case and its thumbnail, the dots of its plot, its cells, a class."""

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
    metric: Metric | None = None,
) -> Figure:
    """A table with a dot plot of a metric: a row for each case, and for None, the mean.

    `last` are further rows; `details` those of the plain table of all figures, by their heads.
    """
    shapes = _shapes(columns)
    rows = [_row(call, view, image, columns, shapes, pictures) for image in images]
    if any('class="spread"' in one for row in rows for one in row.cells):
        note += " ±: the standard deviation between seeds."
    axis = f"axis.{call.directive.number}"
    content = call.page.render(
        "blocks/dot-table.html",
        rows=[*rows, *last],
        columns=columns,
        signs=[sign(*shape) if shape[0] else "" for shape in shapes],
        axis=DotAxis.around([end for row in rows for dot in row.dots for end in dot.ends], axis),
        details=[{head: cell(value) for head, value in row.items()} for row in details],
        pictures=any(row.thumbnail for row in rows),
        title=view.title,
        metric=metric or view.metrics[view.measure],
        case=call.page.results.names.case,
    )
    return Figure(content, note=note)


def _shapes(columns: Sequence[Column]) -> list[tuple[str, str]]:
    """The kind and the shape of each column's mark: of all but circles, another for each."""
    shapes = cycle(CORNERS)
    is_circle = ("", "ours", "paper")
    return [(one.mark, "circle" if one.mark in is_circle else next(shapes)) for one in columns]


def _row(
    call: Call,
    view: SuiteView,
    image: str | None,
    columns: Sequence[Column],
    shapes: Sequence[tuple[str, str]],
    pictures: bool,
) -> Row:
    dots, cells = [], []
    for column, (kind, shape) in zip(columns, shapes, strict=True):
        value = column.value(image)
        cells.append(with_spread(value) + column.after(image))
        if kind and isinstance(value, Measured | Claim):
            spread = getattr(value, "spread", None) if kind == "ours" else None
            words = with_unit(value, value.metric)
            dots.append(Dot(kind, column.title, float(value), words, spread, shape))
    over = {"ours": 1, "paper": 2}  # ours over the others; the paper's ring hides nothing
    dots.sort(key=lambda dot: over.get(dot.kind, 0))
    if image is None:
        return Row("Mean", Markup(""), dots, cells, "mean")
    runs = [run for run in view.runs if run.image == image]
    small = small_picture(call.page, runs) if pictures else Markup("")
    return Row(view.run(image).title, small, dots, cells)


def level_note(view: SuiteView, metric: Metric | None = None) -> str:
    """What the levels of a table are; of a preview, that they are no match for the source's."""
    label, metric = view.label.capitalize(), metric or view.metrics[view.measure]
    paper = view.names.paper
    apart = f"{label}, not comparable with {paper}’s numbers. " if view.preview else ""
    lower = "; lower is better" if metric.better == LOWER else ""
    return f"{apart}{sentence(metric.phrase)}{lower}."


def scored_metrics(runs: Sequence[Run], of_all: bool = False) -> list[Metric]:
    """The metrics that the last outputs of runs have, or all outputs of theirs.

    Those that the site declares come first, in its order.
    """
    found = {
        name
        for run in runs
        for selector, values in (run.record.metrics.items() if run.record else ())
        for name, value in values.items()
        if value is not None and (of_all or selector == "final")
    }
    if not found:
        return []
    known = runs[0].metrics
    return [known[name] for name in (*known, *sorted(found - set(known))) if name in found]


def of_images(
    scores: ScoreTable, images: tuple[str, ...] | None = None, metric: str = ""
) -> Callable[..., Quantity]:
    """Look up the level of a case in scores; of None, the mean over `images`."""
    return lambda image: scores.of(image, metric) if image else scores.mean(metric, images)


def baseline_columns(
    call: Call, view: SuiteView, images: tuple[str, ...] | None = None, metric: str = ""
) -> list[Column]:
    """A column for each baseline of a suite."""
    title = call.page.results.names.method
    return [
        Column(title(name), of_images(view.output(f"baseline.{name}"), images, metric), "baseline")
        for name in view.suite.baselines
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
    images = (*suite.suite.images, *([None] if suite.cases > 1 else []))
    metrics = scored_metrics(suite.runs) or [suite.metrics[suite.measure]]
    case = sentence(call.page.results.names.case)
    details: list[dict[str, Value]] = [
        {
            case: run.title,
            "Seed": str(run.seed),
            **{metric.heading: _of_last(run, metric.name) for metric in metrics},
            "Seconds": None if run.record and run.record.seconds is None else run.seconds,
        }
        for run in suite.runs
    ]
    note = level_note(suite) + (SPIKE_NOTE if any(map(spiked, images)) else "")
    return dot_table(call, suite, images, columns, note, details=details)


def _of_last(run: Run, metric: str) -> Quantity | None:
    """A metric of a run's last output; None where it was not scored so."""
    return run.final.get(metric) if run.recorded else NotRun(run.name)


def against(title: str, columns: Sequence[Column], other: Value) -> list[Row]:
    """The row of each column's mean less another; a dash where one of them is not there."""
    means = [column.value(None) for column in columns]
    cells = [
        Markup(with_sign(written(less, mean.metric)))
        if isinstance(mean, Measured)
        and isinstance(other, Measured)
        and isinstance(less := difference(mean, other), Measured)
        else DASH
        for mean in means
    ]
    return [Row(title, Markup(""), [], cells, "mean")]


@block(
    "suites-table",
    "suites that differ in a setting, case by case; the first is ours",
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
    if not images:
        raise call.error("suites", "these suites have no case in common")
    if len({view.preview for view in suites}) > 1:
        raise call.error("suites", "a preview is not compared with a suite in full size")
    marks = ["ours", *["choice"] * (len(suites) - 1)]
    columns = [
        Column(title, of_images(view.final, images, ours.measure), mark)
        for view, title, mark in zip(suites, titles, marks, strict=True)
    ]
    last = against("Against ours", columns, columns[0].value(None))
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
        sentence = f"no manifest states the settings of suite '{suite.name}'"
        raise InputError(f"{sentence}; {{{{ setting('{suite.name}').NAME }}}} writes one of them")
    return Figure(call.page.render("blocks/settings.html", rows=suite.suite.settings))


def spike_mark(runs: Sequence[Run]) -> Markup:
    """The mark of a number in which a last iterate that lies in a loss spike takes part."""
    spiked = [run for run in runs if run.recorded and run.method is None and run.stable.in_spike]
    if not spiked:
        return Markup("")
    words = "; ".join(
        f"{run.last}: the last iterate lies in a loss spike,"
        f" {with_unit(run.stable.fall, run.stable.metric.of_differences)} worse than the median of"
        f" the {BEFORE} before it"
        for run in spiked
    )
    return Markup('<span class="spiked" title="{}">{}</span>').format(words, SPIKE_MARK)


def stability_cells(runs: Sequence[Run]) -> list[str | None]:
    """Over the last fifth: the mean of the runs' medians, and the range of them all."""
    steady = [run.stable for run in runs if run.recorded and run.stable.known]
    if not steady:
        return [None, None]
    levels, write = [each.levels() for each in steady], partial(written, metric=steady[0].metric)
    lowest, highest = min(map(min, levels)), max(map(max, levels))
    return [write(mean(map(median, levels))), f"{write(lowest)} to {write(highest)}"]
