"""Blocks that tell what came out: the verdict strip, and the tables of results."""

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from press.blocks.arguments import at, check_arguments, figure, suite_of
from press.blocks.results_table import (
    METHOD_NAMES,
    Column,
    TableRow,
    cell,
    claim_of,
    difference,
    dot_table,
    judged,
    judged_row,
    judges_last_iterates,
    level_of,
    levels_note,
    mark_of,
    measured_row,
    not_comparable,
)
from press.charts.chart import Dot
from press.errors import InputError, nearest
from press.results.claims import MEAN, ClaimTable
from press.results.expressions import Verdicts, judge_of, mean_sd
from press.results.numbers import Measured, decimal
from press.results.run import Run
from press.results.stability import SPIKE_MARK, spike_mark, stability_cells
from press.results.suite import SuiteView
from press.results.verdicts import NOT_RUN, Judge, answering

if TYPE_CHECKING:
    from press.page import Directive, PageContext

PARTS = {"unknown pixels": "psnr_unknown_db", "known pixels": "psnr_known_db"}


def table_of(call: "Directive", judge: Judge, view: SuiteView) -> ClaimTable:
    """Give the source's table that a suite answers, or that of `table`, if the suite answers it.

    A preview answers none: it gets no verdict and no place on the axis of a source.
    """
    with at(call, "suite"):
        if view.preview:
            raise InputError(f"'{view.name}' is a preview, which no source's numbers stand beside")
    if "table" not in call.arguments:
        found = [table for table in judge.claims.tables.values() if table.suite == view.name]
        with at(call, "suite"):
            if not found:
                sentence = "content/claims.toml has no table that suite '{}' answers"
                raise InputError(sentence.format(view.name))
        return found[0]
    with at(call, "table"):
        table = judge.claims.table(call.arguments["table"])
        if table.suite != view.name:
            whose = f"the runs of '{table.suite}'" if table.suite else "no runs of ours"
            raise InputError(f"{whose} answer table '{table.id}'")
    return table


def verdict_strip(call: "Directive", context: "PageContext") -> Markup:
    """On the first screen: what came out, how sure it is, how long it took, how to redo it."""
    check_arguments(call, "preview", "table", needed=("suite",))
    view, judge = suite_of(call, context), judge_of(context.results)
    table = table_of(call, judge, view)
    verdicts = Verdicts(judge, table.id)
    return context.render(
        "blocks/verdict-strip.html",
        suite=view,
        verdicts=verdicts,
        judged=[v for v in verdicts.all if v.word != NOT_RUN],
        ours=mean_sd(verdicts.mean.ours),
        preview=_preview(call, context) if "preview" in call.arguments else None,
    )


def _preview(call: "Directive", context: "PageContext") -> dict[str, Any]:
    view = suite_of(call, context, "preview")
    if not view.preview:
        with at(call, "preview"):
            raise InputError(f"suite '{view.name}' is no preview")
    baselines = [
        {"name": METHOD_NAMES[method], "level": view.output(f"baseline.{method}").mean()}
        for method in view.suite.baselines
    ]
    return {"suite": view, "ours": mean_sd(view.final.mean()), "baselines": baselines}


def results_table(call: "Directive", context: "PageContext") -> Markup:
    """Set our runs beside the numbers of a source, image by image, each with its verdict."""
    check_arguments(call, "table", "id", "width", needed=("suite",))
    view, judge = suite_of(call, context), judge_of(context.results)
    table = table_of(call, judge, view)
    with at(call, "table" if "table" in call.arguments else "suite"):
        score = compared(table)
    rows = [judged_row(context, judge, view, table, image) for image in (*table.images, None)]
    others = [Column(table.rows[row].name, mark="other") for row in table.beside]
    columns = [
        *others,
        Column("the paper", mark="paper"),
        Column("ours", mark="ours"),
        Column("difference"),
        Column("verdict", numeric=False),
    ]
    note = levels_note(view)
    if score != "final" and table.ours:
        note += f" Of the paper and of our runs: {table.rows[table.ours].name}."
    runs = [run for run in view.runs if run.image in table.images]
    if judges_last_iterates(view, table) and spike_mark(runs):
        note += f" {SPIKE_MARK} The last iterate of a run lies in a loss spike."
    asked = [run.recorded for run in runs]
    if not all(asked):
        note += f" {sum(asked)} of {len(asked)} runs are recorded."
    details = _judged_details(judge, view, table)
    return dot_table(call, context, view.title, (rows, columns, details), note)


def compared(table: ClaimTable) -> str:
    """Name the score of our runs that answers a source's table; raises InputError if none does."""
    score = table.rows[table.ours].compare if table.ours else None
    if not score:
        raise InputError(f"table '{table.id}' has no row that our runs answer")
    return score


def _judged_details(judge: Judge, view: SuiteView, table: ClaimTable) -> dict[str, Any]:
    seeds = [f"seed {seed}" for seed in view.suite.seeds]
    heads = [*(table.rows[row].name for row in table.beside), "The paper", *seeds,
             "Mean", "s.d.", "n", "Difference", "Tolerance", "Verdict"]  # fmt: skip
    if judges_last_iterates(view, table):
        heads += ["Last fifth, median", "range"]
    rows = [_judged_detail(judge, view, table, image) for image in (*table.images, None)]
    return {"heads": ["Image", *heads], "rows": rows}


def _judged_detail(
    judge: Judge, view: SuiteView, table: ClaimTable, image: str | None
) -> list[Markup]:
    column = table.column(image) if image else MEAN
    claim, ours, verdict = judged(judge, table, column)
    spread = ours.spread if isinstance(ours, Measured) else None
    scores, quantity = answering(view, compared(table))
    seeds = [
        cell(scores.one(image, seed, quantity)) if image else Markup("")
        for seed in view.suite.seeds
    ]
    title = view.run(image).title if image else "Mean"
    steady = judges_last_iterates(view, table)
    runs = [run for run in view.runs if run.image == image]
    return [
        cell(title),
        *(cell(claim_of(table, row, column)) for row in table.beside),
        cell(claim),
        *seeds,
        cell(ours),
        cell(decimal(spread) if spread is not None else None),
        cell(str(ours.n if isinstance(ours, Measured) else 0)),
        difference(verdict),
        cell(decimal(verdict.tolerance_db) if verdict else None),
        cell(verdict.word if verdict else None),
        *(map(cell, stability_cells(runs)) if steady else ()),
    ]


def preview_table(call: "Directive", context: "PageContext") -> Markup:
    """Set a preview's runs beside baselines on the same reduced pictures; no verdicts."""
    check_arguments(call, "id", "width", needed=("suite",))
    view = suite_of(call, context)
    baselines = {method: view.output(f"baseline.{method}") for method in view.suite.baselines}
    mean = [None] if view.images > 1 else []
    rows = [measured_row(context, view, baselines, image) for image in (*view.suite.images, *mean)]
    columns = [Column(METHOD_NAMES[method], mark=mark_of(method)) for method in baselines]
    note = f"{not_comparable(view)}{levels_note(view)}"
    masked = all(case.settings.get("mask") for case in view.suite.cases.values())
    parts = PARTS if masked else {}
    details = {
        "heads": ["Image", "Seed", "PSNR", *parts, "SSIM", "Seconds"],
        "rows": [_run_detail(run, list(parts.values())) for run in view.runs],
    }
    columns.append(Column("ours", mark="ours"))
    return dot_table(call, context, view.title, (rows, columns, details), note)


def _run_detail(run: Run, parts: list[str]) -> list[Markup]:
    cells = [getattr(run, part) for part in (run.measure, *parts)]
    last = [cell(run.ssim, 3), cell(run.seconds, 0)]
    return [cell(run.title), cell(str(run.seed)), *map(cell, cells), *last]


def baselines_table(call: "Directive", context: "PageContext") -> Markup:
    """Set methods without a network, run by us in full size, beside the numbers of a source."""
    check_arguments(call, "table", "id", "width", needed=("suite",))
    view, judge = suite_of(call, context), judge_of(context.results)
    table = table_of(call, judge, view)
    rows = [_baseline_row(view, table, image) for image in (*table.images, None)]
    methods = [
        Column(METHOD_NAMES[method], mark=mark_of(method)) for method in view.suite.baselines
    ]
    taken = {column.title for column in methods}
    names = [table.rows[row].name for row in table.beside]
    others = [Column(f"{n}, printed" if n in taken else n, mark="other") for n in names]
    columns = [*methods, *others, Column("the paper", mark="paper")]
    return dot_table(call, context, view.title, (rows, columns, None), levels_note(view))


def _baseline_row(view: SuiteView, table: ClaimTable, image: str | None) -> TableRow:
    column = table.column(image) if image else MEAN
    scores = {method: view.output(f"baseline.{method}") for method in view.suite.baselines}
    levels = {m: s.of(image) if image else s.mean(images=table.images) for m, s in scores.items()}
    claims = {row: claim_of(table, row, column) for row in table.beside}
    paper = claim_of(table, table.ours, column)
    dots = [Dot(mark_of(m), METHOD_NAMES[m], level_of(x)) for m, x in levels.items()]
    dots += [Dot("other", table.rows[row].name, level_of(x)) for row, x in claims.items()]
    dots.append(Dot("paper", "the paper", level_of(paper)))
    title = view.run(image).title if image else "Mean"
    cells = [*map(cell, levels.values()), *map(cell, claims.values()), cell(paper)]
    return TableRow(title, Markup(""), dots, cells, "" if image else "mean")


def claims_table(call: "Directive", context: "PageContext") -> Markup:
    """Print a table of a source as it stands there, every number with its id."""
    check_arguments(call, "rows", "id", "width", needed=("table",))
    with at(call, "table"):
        table = judge_of(context.results).claims.table(call.arguments["table"])
    names = call.arguments.get("rows", "").split() or list(table.rows)
    for name in names:
        if name not in table.rows:
            with at(call, "rows"):
                raise InputError(
                    f"table '{table.id}' has no row '{name}'{nearest(name, table.rows)}"
                )
    columns = [*map(table.column, table.images), MEAN]
    used = [c for c in columns if any(table.rows[name].get(c) is not None for name in names)]
    titles = {table.column(image): context.results.images.title(image) for image in table.images}
    content = context.render(
        "blocks/claims-table.html",
        heads=[titles.get(column, "Mean") for column in used],
        rows=[
            {"row": table.rows[name], "cells": [cell(table.rows[name].get(c)) for c in used]}
            for name in names
        ],
    )
    return figure(
        call, context, content, kind="table", note=f"Source: {table.source}. Levels in dB."
    )
