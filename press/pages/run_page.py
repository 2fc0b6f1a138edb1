"""A page for each recorded run and baseline, with its run.json beside it, and a list of all."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from statistics import median
from typing import Any

from press.blocks.curves import charts_of, stop_marks
from press.blocks.images import compared, describe_iterate, named_step, picture, why_not_shown
from press.blocks.tables import scored_metrics
from press.diagnostics import Place, counted, format_duration
from press.files import content_of
from press.page import PageContext
from press.results.export import origin_of
from press.results.metrics import Metric
from press.results.names import Names, sentence
from press.results.numbers import grouped, with_unit, written
from press.results.record import CURVE, Record
from press.results.run import Run, Stability
from press.results.store import Results
from press.results.suite import SuiteView

INDEX = "runs/index.html"


def run_pages(results: Results) -> dict[str, Callable[[PageContext], str]]:
    """What makes each page about runs, by address: the list of them all, and one each."""
    views = [results.suite(name) for name in results.suites]
    runs = [run for view in views for run in view.all_runs]
    pages = {run.page: partial(run_page, run.name) for run in runs if run.recorded}
    return {INDEX: index_page, **pages} if views else {}


def run_page(name: str, context: PageContext) -> str:
    """Make the page of a recorded run; its run.json and its curve are written beside it."""
    run = context.results.run(name)
    record, path = run.record, run.folder / "run.json"
    assert record, "only recorded runs have pages"
    context.note(path)
    stem, curve = run.page.removesuffix(".html"), run.curve()
    context.add(f"{stem}.json", content_of(path))
    if curve.rows:
        origin = f"# The curve of {origin_of(run)}\n".encode()
        context.add(f"{stem}.csv", origin + content_of(run.file(CURVE)))
    view = context.results.suite(run.suite.name)
    names = context.results.names
    within = names.method(run.method) if run.method else f"seed {run.seed}"
    title = f"{run.title}, {within}"
    summary = f"{view.title}: {title}, one recorded run"
    metrics, charts = scored_metrics([run], of_all=True), charts_of(run)
    if differs := _other_settings(run, view):
        context.warn(Place(str(path), 1, 1), differs)
    said, has_both = facts(record), run.output("input").picture and run.final.picture
    return context.render(
        "run.html",
        page={"title": title, "summary": summary, "url": run.page},
        run=run,
        suite=view,
        facts=said,
        metrics=metrics,
        outcome=run.final.get(run.measure),
        after=counted(run.last_step, run.axis or "step") if run.last_step is not None else "",
        took=said.get("took", ""),
        before_and_after=compared(context, run, ("input", "final")) if has_both else "",
        scores=score_rows(run, metrics),
        snapshots=[
            _score_row(grouped(record.steps[selector]), values, metrics)
            for selector, values in record.metrics.items()
            if selector.startswith("at.")
        ],
        charts=[one.panel(stop_marks(run, view.names.paper)).svg() for one in charts],
        has_curve=bool(curve.rows),
        gallery=list(_gallery(run, context)),
        record=record,
        again=(run.planned and run.planned.again)
        or [*filter(None, [run.command or record.command])],
        why_not_shown=why_not_shown(context, run),
    )


def _other_settings(run: Run, view: SuiteView) -> str:
    """In what else than a seed a run was set otherwise than its case's first; "" if in nothing.

    Nor where a project plans the suite: it knows which settings make a run another one.
    """
    if run.method or view.suite.command:
        return ""
    first = next(one for one in view.runs if one.image == run.image and one.record)
    assert run.record and first.record
    here, there = run.record.settings, first.record.settings
    names = [name for name in {**there, **here} if here.get(name) != there.get(name)]
    for name in names:
        if "seed" not in name:
            values = f"'{name}' is {here.get(name)}, and {there.get(name)} in {first.name}"
            return f"{values}: a mean over seeds joins them all the same"
    return ""


def facts(record: Record) -> dict[str, str]:
    """What a run's page says of it: what its writer chose to say, then what every record has."""
    took = "" if record.seconds is None else format_duration(record.seconds)
    found = {"key": record.key, "started": record.started, "took": took, **record.environment}
    words = {
        name.replace("_", " "): ", ".join(map(str, value)) if isinstance(value, list) else value
        for name, value in found.items()
    }
    said = {**record.facts, **words}
    return {name: str(value) for name, value in said.items() if value not in (None, "")}


def score_rows(run: Run, metrics: Sequence[Metric]) -> list[dict[str, Any]]:
    """The outputs that a run ends in, and of iterates how the last of them vary."""
    assert run.record, "only recorded runs have scores"
    found = run.record.metrics
    names = {f"stop.{rule}": point.row for rule, point in run.stop_points.items()}
    if "stop.fixed" not in names:
        names["final"] = "the last output"
    besides = [one for one in found if not one.startswith(("at.", "final")) and one not in names]
    names = {"input": "the input", **names} | {name: run.output(name).label for name in besides}
    rows = [(words, found[selector]) for selector, words in names.items() if selector in found]
    if not run.method and run.stable.known:
        levels = {m.name: Stability(run, m).levels() for m in metrics if Stability(run, m).known}
        summaries: dict[str, Callable[[list[float]], float]]
        summaries = {"median": median, "lowest": min, "highest": max}
        for word, of in summaries.items():
            rows.append((f"last fifth, {word}", {name: of(each) for name, each in levels.items()}))
    return [_score_row(name, values, metrics) for name, values in rows]


def _score_row(
    name: str, values: Mapping[str, float | None], metrics: Iterable[Metric]
) -> dict[str, Any]:
    found = [(values.get(metric.name), metric) for metric in metrics]
    cells = ["" if value is None else written(value, metric) for value, metric in found]
    return {"name": name, "cells": cells}


def _gallery(run: Run, context: PageContext) -> Iterator[dict[str, Any]]:
    """Every picture of the record, with what it is and its level."""
    for output in run.kept():
        path, level, step = output.picture, output.get(run.measure), named_step(run, output)
        words = f"{run.title}: {output.label}"
        if step is not None and level is not None:
            words = describe_iterate(run, step, level)
        if path:
            yield {"picture": picture(context, run, path, words), "label": output.label,
                   "level": "" if level is None else with_unit(level, level.metric)}  # fmt: skip


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
    rows = []
    for image in view.suite.images:
        runs = [view.run(image, seed) for seed in view.suite.seeds]
        runs += [run for run in view.baselines if run.image == image]
        rows.append({"title": view.run(image).title, "cells": [*_cells(runs)]})
    return {
        "view": view,
        "levels": sentence(view.metrics[view.measure].phrase),
        "heads": heads,
        "rows": rows,
        "any": any(run.recorded for run in (*view.runs, *view.baselines)),
    }


def _cells(runs: list[Run]) -> Iterator[dict[str, Any]]:
    """A cell for each run; those that follow each other and are not run share one."""
    for _, found in groupby(runs, key=lambda run: run.name if run.recorded else None):
        run, *others = found
        level = run.final.get(run.measure)
        words = "recorded" if level is None else written(level, level.metric)
        yield {"run": run, "words": words, "span": 1 + len(others)}
