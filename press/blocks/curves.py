"""Blocks that draw curves: PSNR against the iteration, and losses on a scale of powers of ten."""

from itertools import cycle
from math import ceil, floor, log10

from markupsafe import Markup

from press.blocks.declaration import (
    FALLBACK,
    IMAGES,
    NAMES,
    RUNS,
    SUITE,
    Argument,
    Call,
    Figure,
    block,
    chosen_runs,
    named,
    not_run,
)
from press.charts.curve_chart import CurvePanel, Line, Mark, db_range
from press.results.numbers import SUPERSCRIPTS, grouped
from press.results.run import Run
from press.results.suite import SuiteView

TICKS = (0, 250, 1000, 2000, 5000, 11000)  # iterations that an axis names
LOSS_KINDS = ("ours", "known", "unknown", "faint", "dashed")  # how lines of losses are drawn


def lines_of(run: Run) -> list[Line]:
    """A run's curves: PSNR on all pixels, and apart on known and unknown ones."""
    recorded = run.curve()
    whole = "all pixels" if run.case.settings.get("mask") else "output"
    kinds = (
        (whole, "ours", "psnr_db"),
        ("known", "known", "psnr_known_db"),
        ("unknown", "unknown", "psnr_unknown_db"),
    )
    lines = [Line(label, kind, recorded.points(column)) for label, kind, column in kinds]
    return [line for line in lines if line.points]


def curve_panel(
    run: Run,
    lines: list[Line],
    y_range: tuple[float, float] | None,
    marks: list[Mark] | None = None,
) -> CurvePanel:
    """The panel of a run's lines, which says in words where they end."""
    ends = ", ".join(f"{line.label} {line.points[-1][1]:.2f} dB" for line in lines)
    title = f"PSNR of {run.title} against the iteration; at the end: {ends}"
    if marks:
        marked = ", ".join(f"{mark.label} at {grouped(int(mark.iteration))}" for mark in marks)
        title += f"; marked: {marked}"
    return CurvePanel(title, lines, _ticks(run.iterations), marks or [], y_range)


def _ticks(last: int) -> list[int]:
    return sorted({*(k for k in TICKS if k < last), last})


def stop_marks(run: Run) -> list[Mark]:
    """Marks where each stopping rule stops, and where the paper does, if the run is that long."""
    points = run.stop_points
    marks = [
        Mark(points[rule].mark, points[rule].iteration)
        for rule in ("oracle", "es-wmv")
        if rule in points
    ]
    count = run.case.paper_iterations
    if count is not None and count <= run.iterations:
        marks.append(Mark("the paper stops", count, "paper"))
    return marks


@block(
    "curve",
    "PSNR against the iteration, a panel for each run, on one axis",
    Argument("runs", RUNS, "the runs; or name a `suite`"),
    Argument("suite", SUITE, "whose runs are drawn"),
    IMAGES,
    FALLBACK,
    Argument("names", NAMES, "the panels' titles; the images' names if they are not given"),
    numbered="figure",
    example='runs="inpainting/house inpainting/peppers" names="House, Peppers" id="fig-curves"',
)
def curve(
    call: Call,
    runs: list[Run],
    suite: SuiteView | None,
    images: list[str],
    fallback: SuiteView | None,
    names: list[str],
) -> Figure:
    """The PSNR curves of one or more runs."""
    note = ""
    if not runs:
        if suite is None:
            raise call.needs("suite")
        runs, note = chosen_runs(call, suite, images, fallback)
    titles = [f"{run.title}, seed {run.seed}" if run.seed else run.title for run in runs]
    titles = named(call, names, titles, "runs")
    if not any(run.recorded for run in runs):
        return not_run(call, runs)
    drawn = {run.name: lines_of(run) for run in runs}
    shared = db_range([line for lines in drawn.values() for line in lines])
    panels = [
        {
            "title": title,
            "svg": curve_panel(run, drawn[run.name], shared).svg() if run.recorded else None,
        }
        for run, title in zip(runs, titles, strict=True)
    ]
    return Figure(call.page.render("blocks/curve.html", panels=panels), runs, note)


@block(
    "loss-curves",
    "the losses of a suite's runs in one chart, on a scale of powers of ten",
    Argument("suite", SUITE, "whose runs are drawn", required=True),
    numbered="figure",
    width="text",
    example='suite="noise-impedance" id="fig-losses"',
)
def loss_curves(call: Call, suite: SuiteView) -> Figure:
    """The losses of all runs of a suite that are recorded."""
    runs = [run for run in suite.runs if run.recorded]
    if not runs:
        return not_run(call, suite.runs)
    lines = [_loss_line(run, kind) for run, kind in zip(runs, cycle(LOSS_KINDS), strict=False)]
    chart = Markup('<div class="one-chart">{}</div>').format(_loss_panel(runs, lines).svg())
    return Figure(chart, runs)


def _loss_line(run: Run, kind: str) -> Line:
    points = [(k, log10(loss)) for k, loss in run.curve().points("loss") if loss > 0]
    return Line(run.case.variant or run.title, kind, points)


def _loss_panel(runs: list[Run], lines: list[Line]) -> CurvePanel:
    levels = [level for line in lines for _, level in line.points]
    low, high = floor(min(levels)), ceil(max(levels))
    ends = ", ".join(f"{line.label} {10 ** line.points[-1][1]:.2g}" for line in lines)
    return CurvePanel(
        f"Loss against the iteration; at the end: {ends}",
        lines,
        _ticks(max(run.iterations for run in runs)),
        y_range=(low, high),
        y_ticks=[(k, _power(k)) for k in range(low, high + 1)],
        y_label="loss (mean squared error)",
    )


def _power(exponent: int) -> str:
    return f"10{str(exponent).translate(SUPERSCRIPTS)}" if exponent else "1"
