"""Blocks that set our results beside a source's numbers: the verdict strip, and tables."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from markupsafe import Markup

from press.blocks.declaration import (
    CLAIMS_TABLE,
    SUITE,
    WORDS,
    Argument,
    Call,
    Figure,
    block,
)
from press.blocks.tables import (
    DASH,
    METHOD_NAMES,
    Column,
    Value,
    cell,
    dot_table,
    level_note,
    method_column,
    with_spread,
)
from press.errors import InputError, nearest
from press.results.claims import MEAN, ClaimTable, Row
from press.results.expressions import Verdicts, judge_of
from press.results.numbers import Measured, NotRun, Quantity, decimal, linked, signed
from press.results.run import SPIKE_MARK, Run, spike_mark, stability_cells
from press.results.suite import SuiteView
from press.results.verdicts import Judge, Verdict, answering

SUITE_OF_TABLE = Argument("suite", SUITE, "whose runs are compared", required=True)
TABLE = Argument("table", CLAIMS_TABLE, "the source's table; that of the suite if not given")


def table_of(call: Call, judge: Judge, view: SuiteView, table: ClaimTable | None) -> ClaimTable:
    """The source's table that a suite answers; raises InputError if it answers `table` not.

    A preview answers none: it gets no verdict and no place on the axis of a source.
    """
    if view.preview:
        sentence = f"'{view.name}' is a preview, which no source's numbers stand beside"
        raise call.error("suite", sentence)
    if table is None:
        found = (one for one in judge.claims.tables.values() if one.suite == view.name)
        table = next(found, None)
        if table is None:
            sentence = f"content/claims.toml has no table that suite '{view.name}' answers"
            raise call.error("suite", sentence)
    elif table.suite != view.name:
        whose = f"the runs of '{table.suite}'" if table.suite else "no runs of ours"
        raise call.error("table", f"{whose} answer table '{table.id}'")
    return table


def claim_column(table: ClaimTable, row: str | None, title: str, mark: str) -> Column:
    """The column of what a source prints of one method."""
    numbers = table.rows[row].numbers if row in table.rows else {}
    return Column(title, lambda image: numbers.get(table.column(image) if image else MEAN), mark)


def difference(verdict: Value) -> Markup:
    """The difference of a verdict with its sign; empty where there is none."""
    value = verdict.difference_db if isinstance(verdict, Verdict) else None
    return linked(signed(value), value.origin) if isinstance(value, Measured) else Markup("")


@block(
    "verdict-strip",
    "what came out, for the first screen; a preview beside it, never compared",
    SUITE_OF_TABLE,
    Argument("preview", SUITE, "a preview to be shown beside it"),
    TABLE,
    example='suite="inpainting" preview="inpainting-preview"',
)
def verdict_strip(
    call: Call, suite: SuiteView, preview: SuiteView | None, table: ClaimTable | None
) -> Markup:
    """What came out, how sure it is, how long it took, how to redo it."""
    judge = judge_of(call.page.results)
    verdicts = Verdicts(judge, table_of(call, judge, suite, table).id)
    if preview and not preview.preview:
        raise call.error("preview", f"suite '{preview.name}' is no preview")
    return call.page.render(
        "blocks/verdict-strip.html",
        suite=suite,
        verdicts=verdicts,
        preview=preview,
        method_names=METHOD_NAMES,
    )


@block(
    "results-table",
    "the source's numbers, ours, difference and verdict, image by image",
    SUITE_OF_TABLE,
    TABLE,
    numbered="table",
    example='suite="inpainting" id="tab-results"',
)
def results_table(call: Call, suite: SuiteView, table: ClaimTable | None) -> Figure:
    """Our runs beside the numbers of a source, each with its verdict."""
    judge = judge_of(call.page.results)
    answered = Answered(judge, suite, table_of(call, judge, suite, table))
    with call.at("table" if table else "suite"):
        row = answered.row
    table, judged = answered.table, answered.judged

    def spiked(image: str | None) -> Markup:
        return answered.spike_mark(image) if judged[image][0] else Markup("")

    columns = [
        *(claim_column(table, name, table.rows[name].name, "other") for name in table.beside),
        claim_column(table, table.ours, "the paper", "paper"),
        Column("ours", lambda image: judged[image][0], "ours", write=_ours, after=spiked),
        Column("difference", lambda image: judged[image][1], write=difference),
        Column("verdict", lambda image: judged[image][1], numeric=False),
    ]
    note = level_note(suite)
    if row.compare != "final":
        note += f" Of the paper and of our runs: {row.name}."
    if answered.spike_mark(None):
        note += f" {SPIKE_MARK} The last iterate of a run lies in a loss spike."
    asked = [run.recorded for run in answered.runs(None)]
    if not all(asked):
        note += f" {sum(asked)} of {len(asked)} runs are recorded."
    images = (*table.images, None)
    return dot_table(call, suite, images, columns, note, details=answered.details())


def _ours(value: Value) -> Markup:
    return DASH if isinstance(value, NotRun) else with_spread(value)


@dataclass(frozen=True)
class Answered:
    """The row of a source's table that the runs of a suite answer."""

    judge: Judge
    view: SuiteView
    table: ClaimTable

    @cached_property
    def row(self) -> Row:
        """The source's row; raises InputError if there is none."""
        row = self.table.rows[self.table.ours] if self.table.ours else None
        if not row or not row.compare:
            raise InputError(f"table '{self.table.id}' has no row that our runs answer")
        return row

    @cached_property
    def judged(self) -> dict[str | None, tuple[Quantity, Verdict | None]]:
        """Our number and the verdict, by image, and of the mean by None.

        Sources print some numbers as means only; there is no verdict without a number.
        """
        found: dict[str | None, tuple[Quantity, Verdict | None]] = {}
        for image in (*self.table.images, None):
            column = self.table.column(image) if image else MEAN
            claim = self.row.get(column)
            if claim is None:
                found[image] = self.judge.ours(self.table, self.row, column), None
            else:
                verdict = self.judge.judge(self.table, self.row, column, claim)
                found[image] = verdict.ours, verdict
        return found

    @property
    def of_last_iterates(self) -> bool:
        """Whether last iterates are compared, by the PSNR that a curve follows."""
        return self.row.compare == "final" and self.view.measure == "psnr_db"

    def runs(self, image: str | None) -> list[Run]:
        """The runs of an image; of None, of all images of the table."""
        images = (image,) if image else self.table.images
        return [run for run in self.view.runs if run.image in images]

    def spike_mark(self, image: str | None) -> Markup:
        """The mark of a number in which a last iterate that lies in a loss spike takes part."""
        return spike_mark(self.runs(image)) if self.of_last_iterates else Markup("")

    def details(self) -> dict[str, Any]:
        """Heads and rows of the plain table: each seed, and how the verdict comes about."""
        table, seeds = self.table, self.view.suite.seeds
        heads = ["Image", *(table.rows[row].name for row in table.beside), "The paper",
                 *(f"seed {seed}" for seed in seeds), "Mean", "s.d.", "n", "Difference",
                 "Tolerance", "Verdict"]  # fmt: skip
        if self.of_last_iterates:
            heads += ["Last fifth, median", "range"]
        return {"heads": heads, "rows": [self._details(image) for image in self.judged]}

    def _details(self, image: str | None) -> list[Markup]:
        column = self.table.column(image) if image else MEAN
        ours, verdict = self.judged[image]
        spread, n = (ours.spread, ours.n) if isinstance(ours, Measured) else (None, 0)
        scores, quantity = answering(self.view, self.row.compare or "")
        runs = self.runs(image) if image else []
        return [
            cell(runs[0].title if runs else "Mean"),
            *(cell(self.table.rows[row].get(column)) for row in self.table.beside),
            cell(self.row.get(column)),
            *(cell(scores.one(image, seed, quantity) if image else "")
              for seed in self.view.suite.seeds),
            cell(ours),
            cell(decimal(spread) if spread is not None else None),
            cell(str(n)),
            difference(verdict),
            cell(decimal(verdict.tolerance_db) if verdict else None),
            cell(verdict.word if verdict else None),
            *(map(cell, stability_cells(runs)) if self.of_last_iterates else ()),
        ]  # fmt: skip


@block(
    "baselines-table",
    "methods without a network beside the source's numbers",
    SUITE_OF_TABLE,
    TABLE,
    numbered="table",
    example='suite="inpainting" id="tab-baselines"',
)
def baselines_table(call: Call, suite: SuiteView, table: ClaimTable | None) -> Figure:
    """Methods without a network, run by us in full size, beside the numbers of a source."""
    table = table_of(call, judge_of(call.page.results), suite, table)
    columns = [method_column(suite, method, table.images) for method in suite.suite.baselines]
    taken = {column.title for column in columns}
    for row in table.beside:
        name = table.rows[row].name
        title = f"{name}, printed" if name in taken else name
        columns.append(claim_column(table, row, title, "other"))
    columns.append(claim_column(table, table.ours, "the paper", "paper"))
    images = (*table.images, None)
    return dot_table(call, suite, images, columns, level_note(suite), pictures=False)


@block(
    "claims-table",
    "a table of `claims.toml` as it stands",
    Argument("table", CLAIMS_TABLE, "which one", required=True),
    Argument("rows", WORDS, "the rows; all of them if it is not given"),
    numbered="table",
    example='table="denoising-f16" id="tab-f16" width="text"',
)
def claims_table(call: Call, table: ClaimTable, rows: list[str]) -> Figure:
    """A table of a source as it stands there, every number with its id."""
    for name in rows:
        if name not in table.rows:
            sentence = f"table '{table.id}' has no row '{name}'{nearest(name, table.rows)}"
            raise call.error("rows", sentence)
    chosen = [table.rows[name] for name in rows or table.rows]
    titles = {table.column(image): call.page.results.images.title(image) for image in table.images}
    titles[MEAN] = "Mean"
    used = [c for c in titles if any(row.get(c) is not None for row in chosen)]
    content = call.page.render(
        "blocks/claims-table.html",
        heads=[titles[column] for column in used],
        rows=[{"row": row, "cells": [cell(row.get(c)) for c in used]} for row in chosen],
    )
    return Figure(content, note=f"Source: {table.source}. Levels in dB.")
