"""A page for each recorded run and baseline, with its run.json beside it, and a list of all."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from press.blocks.curves import curve_panel, lines_of, stop_marks
from press.blocks.images import compared, picture, why_not_shown
from press.blocks.images import in_words as describe_iterate
from press.blocks.tables import METHOD_NAMES
from press.files import content_of
from press.page import PageContext
from press.results.numbers import decimal, grouped, powers
from press.results.numbers import in_words as format_duration
from press.results.outputs import level_in_db, output_name, psnr_of
from press.results.run import Run
from press.results.suite import SuiteView

if TYPE_CHECKING:
    from press.results.store import Results

INDEX = "runs/index.html"
MEASURES = {
    "psnr_db": "PSNR, dB",
    "psnr_luma_db": "of luma",
    "psnr_unknown_db": "unknown pixels",
    "psnr_known_db": "known pixels",
}
ENVIRONMENT = {
    "device": "device", "instruction_set": "instruction set", "threads": "threads",
    "driver": "driver", "torch": "torch", "cuda": "CUDA", "cudnn": "cuDNN", "numpy": "numpy",
    "python": "Python", "platform": "platform",
}  # fmt: skip


def run_pages(results: "Results") -> dict[str, Callable[[PageContext], str]]:
    """What makes each page about runs, by address: the list of them all, and one each."""
    views = [results.suite(name) for name in results.suites]
    runs = [run for view in views for run in (*view.runs, *view.baselines, *view.means)]
    pages = {run.page: partial(_page_of, run.name) for run in runs if run.recorded}
    return {INDEX: index_page, **pages} if views else {}


def _page_of(name: str, context: PageContext) -> str:
    return run_page(context.results.run(name), context)


def run_page(run: Run, context: PageContext) -> str:
    """Make the page of a recorded run; its run.json is written beside it."""
    assert run.record
    path = run.folder / "run.json"
    context.note(path)
    context.add(run.page.removesuffix(".html") + ".json", content_of(path))
    view = context.results.suite(run.suite.name)
    title = f"{run.title}, {title_of(run)}"
    return context.render(
        "run.html",
        page={
            "title": title,
            "summary": f"{view.title}: {title}, one recorded run",
            "url": run.page,
        },
        run=run,
        suite=view,
        facts=facts(run),
        measures=measures_of(run).values(),
        outcome=psnr_of(run, "output"),
        took=format_duration(run.record.data["seconds"]),
        before_and_after=_before_and_after(run, context),
        scores=score_rows(run),
        snapshots=snapshot_rows(run),
        chart=_chart(run),
        gallery=list(_gallery(run, context)),
        settings=run.record.data["experiment"].items(),
        files=run.record.data["files"].items(),
        verify=f"python -m dip verify {run.suite.name} --image {run.case.folder}",
        why_not_shown=why_not_shown(context, run),
    )


def title_of(run: Run) -> str:
    """Name a run within its image: "seed 0", or the method."""
    return METHOD_NAMES.get(run.method, run.method) if run.method else f"seed {run.seed}"


def facts(run: Run) -> list[tuple[str, str]]:
    """List what identifies a run, and what it was run on."""
    assert run.record
    data = run.record.data
    pixels = ", ".join(f"{name} {sha256[:16]}" for name, sha256 in data["pixels_sha256"].items())
    dirty = ", with changes that were not committed" if data.get("commit_dirty") else ""
    rows = [
        ("key", run.record.key),
        ("arithmetic", data["arithmetic"]),
        ("trajectory revision", str(data["trajectory_revision"])),
        ("pixels, SHA-256", pixels),
        ("size", f"{data['width']}×{data['height']}, {data['channels']} channels"),
        ("loss spikes", str(data["spikes"])),
        ("commit", f"{data['commit'] or 'unknown'}{dirty}"),
        ("started", data["started"]),
        ("took", _took(run)),
    ]
    used = data["environment"]
    return rows + [(name, str(used[key])) for key, name in ENVIRONMENT.items() if used.get(key)]


def _took(run: Run) -> str:
    assert run.record
    data = run.record.data
    each = data["seconds_per_iteration"]
    rate = f", {1000 * each:.3g} ms an iteration" if each else ""
    return f"{format_duration(data['seconds'])}{rate}"


def score_rows(run: Run) -> list[dict[str, Any]]:
    """List the outputs that a run ends in: name, PSNR, on unknown and known pixels, SSIM, loss."""
    assert run.record
    metrics, stops = run.record.metrics, run.record.data["stops"]
    rows = [("the input", metrics["input"])]
    rows += [(point.row, stops[rule]) for rule, point in run.stop_points.items()]
    if "fixed" not in run.stop_points:
        rows.append(("the last output", metrics["final"]))
    rows += [
        ("average of the last outputs", metrics["average"]),
        ("the last weights, z without noise", metrics["clean_z"]),
    ]
    measures = measures_of(run)
    rows += _last_fifth(run, measures)
    return [_score_row(name, values, measures) for name, values in rows if values]


def _last_fifth(run: Run, measures: Iterable[str]) -> list[tuple[str, dict[str, Any]]]:
    """Summarise each level over the last fifth of the iterations, where a curve has it."""
    if run.method or not run.stable.known:
        return []
    levels = {name: run.stable.levels(name) for name in measures if name in run.curve().columns}
    summaries: dict[str, Callable[[list[float]], float]]
    summaries = {"median": median, "lowest": min, "highest": max}
    return [
        (f"last fifth, {word}", {name: summary(found) for name, found in levels.items()})
        for word, summary in summaries.items()
    ]


def measures_of(run: Run) -> dict[str, str]:
    """Name the levels that a run is scored by, each with its heading."""
    assert run.record
    final = run.record.metrics["final"]
    return {name: words for name, words in MEASURES.items() if name == "psnr_db" or final.get(name)}


def snapshot_rows(run: Run) -> list[dict[str, Any]]:
    """List the scores of the iterates that were kept."""
    assert run.record
    measures = measures_of(run)
    return [
        _score_row(grouped(int(iteration)), values, measures)
        for iteration, values in run.record.metrics["snapshots"].items()
    ]


def _score_row(name: str, values: dict[str, Any], measures: Iterable[str]) -> dict[str, Any]:
    def number(quantity: str, digits: int) -> str:
        value = values.get(quantity)
        return "" if value is None else decimal(value, digits)

    levels = [number(measure, 2) for measure in measures]
    loss = values.get("loss")
    return {"name": name, "cells": [*levels, number("ssim", 4), powers(loss) if loss else ""]}


def _chart(run: Run) -> Markup:
    lines = lines_of(run)
    return curve_panel(run, lines, None, stop_marks(run)).svg() if lines else Markup("")


def _before_and_after(run: Run, context: PageContext) -> Markup:
    """Show the input and the last output; nothing where one of them is not kept."""
    outputs = ("input", "final")
    if any(run.output(name).picture is None for name in outputs):
        return Markup("")
    return compared(context, run, *outputs)


def _gallery(run: Run, context: PageContext) -> Iterator[dict[str, Any]]:
    """Show every picture of the record, with what it is and its PSNR."""
    assert run.record
    for name in run.record.snapshot_names():
        path = run.picture(name)
        if path is None:
            continue
        level, label = level_in_db(psnr_of(run, name)), output_name(run, name)
        if name.isdigit() and level is not None:
            words = describe_iterate(run, int(name), level)
        else:
            words = f"{run.title}: {label}"
        yield {"picture": picture(context, run, path, words), "label": label,
               "level": "" if level is None else decimal(level)}  # fmt: skip


def index_page(context: PageContext) -> str:
    """Make the list of all suites and runs, recorded or not."""
    suites = [_suite_rows(context.results.suite(name)) for name in context.results.suites]
    return context.render(
        "runs.html",
        page={"title": "All runs", "summary": "Every run behind this site", "url": INDEX},
        suites=suites,
    )


def _suite_rows(view: SuiteView) -> dict[str, Any]:
    """Set a suite's images against its seeds and baselines."""
    suite = view.suite
    names = [f"seed {seed}" for seed in suite.seeds]
    names += [METHOD_NAMES.get(method, method) for method in suite.baselines]
    rows, found = [], False
    for image in suite.images:
        runs = [run for run in (*view.runs, *view.baselines) if run.image == image]
        found = found or any(run.recorded for run in runs)
        rows.append({"title": runs[0].title, "cells": _cells(runs)})
    return {"view": view, "heads": names, "rows": rows, "any": found}


def _cells(runs: list[Run]) -> list[dict[str, Any]]:
    """Give a cell for each run; those that follow each other and are not run share one."""
    cells: list[dict[str, Any]] = []
    for run in runs:
        if cells and not run.recorded and not cells[-1]["run"].recorded:
            cells[-1]["span"] += 1
        else:
            cells.append({"run": run, "level": level_in_db(psnr_of(run, "output")), "span": 1})
    return cells
