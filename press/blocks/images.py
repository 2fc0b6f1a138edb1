"""Blocks that show pictures and curves of runs: film strip, scrubber, curve, figure."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from press.blocks.arguments import (
    at,
    check_arguments,
    figure,
    instead_note,
    names_of,
    runs_of,
    whole_number,
)
from press.blocks.pictures import absent, image, in_words, picture, thumbnail
from press.charts.chart import CurvePanel, Line, Mark, db_range
from press.errors import InputError
from press.results.numbers import Measured, grouped
from press.results.run import Run
from press.results.stops import RULES

if TYPE_CHECKING:
    from press.page import Directive, PageContext

TICKS = (0, 250, 1000, 2000, 5000, 11000)


def film_strip(call: "Directive", context: "PageContext") -> Markup:
    """Show iterates of one or more runs, a step for each iteration, with their PSNR."""
    check_arguments(call, "images", "fallback", "id", "width", needed=("suite", "iterations"))
    runs, view = runs_of(call, context)
    if not any(run.recorded for run in runs):
        return not_run(call, context, runs)
    words = call.arguments["iterations"].split()
    iterations = [whole_number(call, "iterations", word) for word in words]
    with at(call, "iterations"):
        steps = [
            {"iteration": k, "pictures": [_step(context, run, k) for run in runs]}
            for k in iterations
        ]
    content = context.render("blocks/film-strip.html", steps=steps)
    return figure(call, context, content, runs=runs, note=instead_note(call, context, view))


def not_run(call: "Directive", context: "PageContext", runs: list[Run]) -> Markup:
    """Stand in for a figure of which no run is recorded, with the command that makes the first."""
    content = context.render("blocks/not-run.html", runs=runs)
    return figure(call, context, content)


def _step(context: "PageContext", run: Run, iteration: int) -> dict[str, Any]:
    level = getattr(run.output(f"at.{iteration}"), run.measure) if run.has_original else ""
    if not run.recorded:
        return {"picture": absent(context, run), "title": run.title, "level": ""}
    words = in_words(run, iteration, level if isinstance(level, Measured) else None)
    shown = picture(context, run, iteration, alternative=words)
    return {"picture": shown, "title": run.title, "level": level}


def lines_of(run: Run) -> list[Line]:
    """Read a run's curves: PSNR on all pixels, and apart on known and unknown ones."""
    recorded = run.curve()
    whole = "all pixels" if run.case.settings.get("mask") else "output"
    kinds = (
        (whole, "ours", "psnr_db"),
        ("known", "known", "psnr_known_db"),
        ("unknown", "unknown", "psnr_unknown_db"),
    )
    lines = [Line(label, kind, recorded.points(column)) for label, kind, column in kinds]
    return [line for line in lines if line.points]


def curve(call: "Directive", context: "PageContext") -> Markup:
    """Draw the PSNR curves of one or more runs, a panel each on one axis."""
    check_arguments(call, "suite", "images", "fallback", "runs", "names", "id", "width")
    if "runs" in call.arguments:
        with at(call, "runs"):
            runs = [context.results.run(name) for name in call.arguments["runs"].split()]
            if not runs:
                raise InputError("this names no run")
        note = ""
    else:
        check_arguments(call, "images", "fallback", "names", "id", "width", needed=("suite",))
        runs, view = runs_of(call, context)
        note = instead_note(call, context, view)
    titles = [f"{run.title}, seed {run.seed}" if run.seed else run.title for run in runs]
    names = names_of(call, titles, "runs")
    if not any(run.recorded for run in runs):
        return not_run(call, context, runs)
    drawn = {run.name: lines_of(run) for run in runs}
    shared = db_range([line for lines in drawn.values() for line in lines])
    panels = [
        {
            "title": name,
            "svg": curve_panel(run, drawn[run.name], shared).svg() if run.recorded else None,
        }
        for run, name in zip(runs, names, strict=True)
    ]
    content = context.render("blocks/curve.html", panels=panels)
    return figure(call, context, content, runs=runs, note=note)


def curve_panel(
    run: Run,
    lines: list[Line],
    y_range: tuple[float, float] | None,
    marks: list[Mark] | None = None,
) -> CurvePanel:
    """Make the panel of a run's lines, which say in words where they end."""
    ends = ", ".join(f"{line.label} {line.points[-1][1]:.2f} dB" for line in lines)
    title = f"PSNR of {run.title} against the iteration; at the end: {ends}"
    if marks:
        marked = ", ".join(f"{mark.label} at {grouped(int(mark.iteration))}" for mark in marks)
        title += f"; marked: {marked}"
    ticks = sorted({*(k for k in TICKS if k < run.iterations), run.iterations})
    return CurvePanel(title, lines, ticks, marks or [], y_range)


def scrubber(call: "Directive", context: "PageContext") -> Markup:
    """Tie a run's frames to its curve; the film strip of the frames is there without scripts."""
    check_arguments(call, "suite", "image", "fallback", "run", "id", "width")
    if "run" in call.arguments:
        with at(call, "run"):
            run, note = context.results.run(call.arguments["run"]), ""
    else:
        check_arguments(call, "fallback", "id", "width", needed=("suite", "image"))
        runs, view = runs_of(call, context)
        run, note = runs[0], instead_note(call, context, view)
    if not run.recorded:
        return not_run(call, context, [run])
    if not run.shown:
        return figure(call, context, absent(context, run), note=note)
    frames = frame_names(run)
    if not frames:
        raise InputError(f"{run.name} has no frames to show")
    panel = curve_panel(run, lines_of(run)[:1], None, stop_marks(run))
    content = context.render(
        "blocks/scrubber.html",
        run=run,
        last=picture(context, run, frames[-1], alternative="", lazy=True),
        chart=panel.svg(),
        strip=[_frame(context, run, k) for k in frames],
        data=_json(_scrubber_data(context, run, panel, frames)),
    )
    return figure(call, context, content, runs=[run], note=f"{note} {_not_stopped(run)}".strip())


def _not_stopped(run: Run) -> str:
    """Say of a rule that did not stop within a run that it did not; else nothing."""
    late = [point for point in run.stop_points.values() if not point.reached]
    return " ".join(f"{RULES[point.rule]}: {point.words}." for point in late)


def frame_names(run: Run) -> list[int]:
    """List the iterations of which a run has a picture and scores."""
    assert run.record
    names = [name for name in run.record.snapshot_names() if name.isdigit()]
    return [int(name) for name in names if name in run.record.metrics["snapshots"]]


def level_at(run: Run, iteration: int) -> float:
    """Give the PSNR of a recorded snapshot, in dB."""
    level = run.output(f"at.{iteration}").psnr_db
    assert isinstance(level, Measured)
    return float(level)


def stop_marks(run: Run) -> list[Mark]:
    """Mark where each stopping rule stops, and where the paper does, if the run is that long."""
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


def _frame(context: "PageContext", run: Run, iteration: int) -> dict[str, Any]:
    path = run.picture(iteration)
    assert path
    words = in_words(run, iteration, level_at(run, iteration))
    return {"iteration": iteration, "picture": thumbnail(context, path, 128, words)}


def _scrubber_data(
    context: "PageContext", run: Run, panel: CurvePanel, frames: list[int]
) -> dict[str, Any]:
    """Give the script what it needs: each frame's address, level, and place on the curve."""
    described = []
    for k in frames:
        path, level = run.picture(k), level_at(run, k)
        assert path
        place = [round(panel.x(k), 1), round(panel.y(level), 1)]
        described.append(
            {"iteration": k, "psnr_db": round(level, 2), "src": context.copy(path), "at": place}
        )
    return {"title": run.title, "frames": described}


def _json(value: object) -> Markup:
    """Write JSON for a script element: nothing in it can close the element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return Markup(text.replace("<", "\\u003c").replace("&", "\\u0026"))


def plain_figure(call: "Directive", context: "PageContext") -> Markup:
    """Show a picture file that stands beside the post."""
    check_arguments(call, "id", "width", needed=("src", "alt"))
    from PIL import Image

    with at(call, "src"):
        path = context.content_dir / call.arguments["src"]
        if not path.is_file():
            path = Path(call.place.path).parent / call.arguments["src"]
        url = context.copy(path)
        try:
            with Image.open(path) as opened:
                width, height = opened.size
        except (OSError, Image.DecompressionBombError):
            raise InputError(f"'{path.name}' is no picture that can be read") from None
    shown = image(url, width, height, call.arguments["alt"])
    return figure(call, context, shown, width="text")
