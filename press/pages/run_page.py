"""A page for each recorded run and baseline, with its run.json beside it, and a list of all."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import groupby
from statistics import median
from typing import Any

from press.blocks.curves import curve_panel, lines_of, stop_marks
from press.blocks.images import compared, picture, why_not_shown
from press.blocks.images import in_words as describe_iterate
from press.diagnostics import format_duration
from press.files import content_of
from press.page import PageContext
from press.results.names import Names
from press.results.numbers import decimal, grouped, powers
from press.results.record import Record
from press.results.run import Run
from press.results.store import Results
from press.results.suite import SuiteView

INDEX = "runs/index.html"
MEASURES = {
    "psnr_db": "PSNR, dB", "psnr_luma_db": "of luma",
    "psnr_unknown_db": "unknown pixels", "psnr_known_db": "known pixels",
}  # fmt: skip


def run_pages(results: Results) -> dict[str, Callable[[PageContext], str]]:
    """What makes each page about runs, by address: the list of them all, and one each."""
    views = [results.suite(name) for name in results.suites]
    runs = [run for view in views for run in (*view.runs, *view.baselines, *view.means)]
    pages = {run.page: partial(run_page, run.name) for run in runs if run.recorded}
    return {INDEX: index_page, **pages} if views else {}


def run_page(name: str, context: PageContext) -> str:
    """Make the page of a recorded run; its run.json is written beside it."""
    run = context.results.run(name)
    record, path = run.record, run.folder / "run.json"
    assert record, "only recorded runs have pages"
    measures = measures_of(record)
    context.note(path)
    context.add(run.page.removesuffix(".html") + ".json", content_of(path))
    view = context.results.suite(run.suite.name)
    names = context.results.names
    within = names.method(run.method) if run.method else f"seed {run.seed}"
    title = f"{run.title}, {within}"
    summary = f"{view.title}: {title}, one recorded run"
    lines = lines_of(run)
    has_both = run.output("input").picture and run.final.picture
    return context.render(
        "run.html",
        page={"title": title, "summary": summary, "url": run.page},
        run=run,
        suite=view,
        facts=record.facts.items(),
        measures=measures.values(),
        outcome=run.final.get(run.measure),
        took=format_duration(record.seconds or 0),
        before_and_after=compared(context, run, "input", "final") if has_both else "",
        scores=score_rows(run),
        snapshots=[
            _score_row(grouped(record.steps[selector]), values, measures)
            for selector, values in record.metrics.items()
            if selector.startswith("at.")
        ],
        chart=curve_panel(run, lines, stop_marks(run)).svg() if lines else "",
        gallery=list(_gallery(run, context)),
        record=record,
        why_not_shown=why_not_shown(context, run),
    )


def measures_of(record: Record) -> dict[str, str]:
    """The scores in dB that a run has, each with its heading."""
    final = record.metrics["final"]
    return {name: words for name, words in MEASURES.items() if name == "psnr_db" or final.get(name)}


def score_rows(run: Run) -> list[dict[str, Any]]:
    """The outputs that a run ends in: name, PSNR, on unknown and known pixels, SSIM, loss."""
    assert run.record, "only recorded runs have scores"
    metrics = run.record.metrics
    measures = measures_of(run.record)
    rows: list[tuple[str, Mapping[str, float | None]]] = [("the input", metrics.get("input", {}))]
    rows += [(point.row, metrics[f"stop.{rule}"]) for rule, point in run.stop_points.items()]
    if "fixed" not in run.stop_points:
        rows.append(("the last output", metrics["final"]))
    rows += [
        ("average of the last outputs", metrics.get("average", {})),
        ("the last weights, z without noise", metrics.get("clean", {})),
    ]
    if not run.method and run.stable.known:
        levels = {name: run.stable.levels(name) for name in measures if name in run.curve().columns}
        summaries: dict[str, Callable[[list[float]], float]]
        summaries = {"median": median, "lowest": min, "highest": max}
        for word, of in summaries.items():
            values = {name: of(found) for name, found in levels.items()}
            rows.append((f"last fifth, {word}", values))
    return [_score_row(name, values, measures) for name, values in rows if values]


def _score_row(
    name: str, values: Mapping[str, float | None], measures: Iterable[str]
) -> dict[str, Any]:
    digits = {**dict.fromkeys(measures, 2), "ssim": 4}
    found = [(values.get(quantity), number) for quantity, number in digits.items()]
    cells = ["" if value is None else decimal(value, number) for value, number in found]
    loss = values.get("loss")
    return {"name": name, "cells": [*cells, powers(loss) if loss else ""]}


def _gallery(run: Run, context: PageContext) -> Iterator[dict[str, Any]]:
    """Every picture of the record, with what it is and its PSNR."""
    for output in run.kept():
        path, level = output.picture, output.get(run.measure)
        words = f"{run.title}: {output.label}"
        if path and path.stem.isdigit() and level is not None:
            words = describe_iterate(run, int(path.stem), level)
        if path:
            yield {"picture": picture(context, run, path, words), "label": output.label,
                   "level": "" if level is None else decimal(level)}  # fmt: skip


def index_page(context: PageContext) -> str:
    """Make the list of all suites and runs, recorded or not."""
    page = {"title": "All runs", "summary": "Every run behind this site", "url": INDEX}
    views = [context.results.suite(name) for name in context.results.suites]
    names = context.results.names
    suites = [_suite_rows(view, names) for view in views]
    return context.render("runs.html", page=page, suites=suites, names=names)


def _suite_rows(view: SuiteView, names: Names) -> dict[str, Any]:
    """A suite's cases against its seeds and baselines."""
    heads = [f"seed {seed}" for seed in view.suite.seeds]
    heads += map(names.method, view.suite.baselines)
    runs = (*view.runs, *view.baselines)
    of_images = [[run for run in runs if run.image == image] for image in view.suite.images]
    rows = [{"title": found[0].title, "cells": [*_cells(found)]} for found in of_images]
    return {"view": view, "heads": heads, "rows": rows, "any": any(run.recorded for run in runs)}


def _cells(runs: list[Run]) -> Iterator[dict[str, Any]]:
    """A cell for each run; those that follow each other and are not run share one."""
    for _, found in groupby(runs, key=lambda run: run.name if run.recorded else None):
        run, *others = found
        yield {"run": run, "level": run.final.get(run.measure), "span": 1 + len(others)}
