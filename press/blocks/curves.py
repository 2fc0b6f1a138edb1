"""Blocks that draw curves: PSNR against the iteration, and losses on a scale of powers of ten."""

from collections.abc import Sequence
from itertools import chain, cycle
from math import log10

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
from press.charts.curve_chart import SERIES, CurvePanel, Line, Mark, level_range
from press.results.numbers import grouped
from press.results.run import Run
from press.results.suite import SuiteView


def lines_of(run: Run) -> list[Line]:
    """A run's curves: PSNR on all pixels, and apart on known and unknown ones."""
    recorded = run.curve()
    lines = [
        Line("all pixels" if run.case.settings.get("mask") else "output",
             recorded.points("psnr_db")),
        Line("known", recorded.points("psnr_known_db"), 2),
        Line("unknown", recorded.points("psnr_unknown_db"), 3),
    ]  # fmt: skip
    return [line for line in lines if line.points]


def curve_panel(
    run: Run,
    lines: Sequence[Line],
    marks: Sequence[Mark] = (),
    y_range: tuple[float, float] | None = None,
) -> CurvePanel:
    """The panel of a run's lines, which says in words where they end."""
    ends = ", ".join(f"{line.label} {line.points[-1][1]:.2f} dB" for line in lines)
    title = f"PSNR of {run.title} against the iteration; at the end: {ends}"
    if marks:
        marked = ", ".join(f"{mark.label} at {grouped(mark.step)}" for mark in marks)
        title += f"; marked: {marked}"
    return CurvePanel(title, lines, "PSNR, dB", "iteration", marks, y_range)


def stop_marks(run: Run) -> list[Mark]:
    """Marks where each stopping rule stops, and where the paper does, if the run is that long."""
    found = [run.stop_points.get(rule) for rule in ("oracle", "es-wmv")]
    marks = [Mark(point.mark, point.iteration) for point in found if point]
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
    drawn = [lines_of(run) for run in runs]
    shared = level_range(list(chain(*drawn)))
    panels = [
        {"title": title, "svg": curve_panel(run, lines, (), shared).svg() if run.recorded else ""}
        for run, title, lines in zip(runs, titles, drawn, strict=True)
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
    lines = []
    for run, series in zip(runs, cycle(range(1, SERIES + 1)), strict=False):
        points = [(k, log10(loss)) for k, loss in run.curve().points("loss") if loss > 0]
        lines.append(Line(run.case.variant or run.title, points, series))
    ends = ", ".join(f"{line.label} {10 ** line.points[-1][1]:.2g}" for line in lines)
    panel = CurvePanel(
        f"Loss against the iteration; at the end: {ends}",
        lines,
        "loss (mean squared error)",
        "iteration",
        powers=True,
    )
    return Figure(Markup('<div class="one-chart">{}</div>').format(panel.svg()), runs)
