"""Blocks that tell what came out: the verdict strip, and tables with a dot plot on one axis."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from press.blocks.declaration import (
    CLAIMS_TABLE,
    NAMES,
    SUITE,
    SUITES,
    WORDS,
    Argument,
    Call,
    Figure,
    block,
    named,
)
from press.blocks.images import small_picture
from press.charts.dot_plot import Dot, DotAxis
from press.errors import InputError, nearest
from press.results.claims import MEAN, Claim, ClaimTable
from press.results.claims import Row as ClaimRow
from press.results.expressions import Verdicts, judge_of, mean_sd
from press.results.numbers import Measured, NotRun, Quantity, decimal, linked, signed
from press.results.run import Run
from press.results.scores import ScoreTable
from press.results.stability import SPIKE_MARK, spike_mark, stability_cells
from press.results.suite import SuiteView
from press.results.verdicts import NOT_RUN, Judge, Verdict, answering

METHOD_NAMES = {
    "nearest-known-pixel": "Nearest known pixel",
    "biharmonic": "Biharmonic fill",
    "total-variation": "Total variation",
    "non-local-means": "Non-local means",
    "bicubic": "Bicubic",
}
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


def difference(verdict: Value) -> Markup:
    """The difference of a verdict with its sign; empty where there is none."""
    value = verdict.difference_db if isinstance(verdict, Verdict) else None
    return linked(signed(value), value.origin) if isinstance(value, Measured) else Markup("")


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, and its value for an image, or for None, the mean.

    With a `mark` its numbers are dots of the plot too: ours, paper, other, choice, fill, nearest.
    """

    title: str
    value: Callable[[str | None], Value]
    mark: str = ""
    numeric: bool = True
    write: Callable[[Value], Markup] = cell
    after: Callable[[str | None], Markup] = lambda image: Markup("")  # behind the number


class Row(NamedTuple):
    """A row: the image's name and thumbnail, the dots of its plot, its cells, a class."""

    title: str
    thumbnail: Markup
    dots: Sequence[Dot]
    cells: Sequence[Markup]
    kind: str = ""
    plot: Markup = Markup("")


def table_rows(
    call: Call,
    view: SuiteView,
    images: Sequence[str | None],
    columns: Sequence[Column],
    pictures: bool = True,
) -> list[Row]:
    """The rows of a table: one for each image, None for the mean."""
    rows = []
    for image in images:
        runs = [run for run in view.runs if run.image == image]
        values = [column.value(image) for column in columns]
        dots = [_dot(column, value) for column, value in zip(columns, values, strict=True)
                if column.mark]  # fmt: skip
        dots.sort(key=lambda dot: dot.kind == "ours")  # ours is drawn last, on top
        cells = [column.write(value) + column.after(image)
                 for column, value in zip(columns, values, strict=True)]  # fmt: skip
        small = small_picture(call.page, runs) if runs and pictures else Markup("")
        kind = "" if runs else "mean"
        rows.append(Row(runs[0].title if runs else "Mean", small, dots, cells, kind))
    return rows


def _dot(column: Column, value: Value) -> Dot:
    level = float(value) if isinstance(value, Measured | Claim) else None
    spread = value.spread if column.mark == "ours" and isinstance(value, Measured) else None
    return Dot(column.mark, column.title, level, spread)


def dot_table(
    call: Call,
    title: str,
    rows: Sequence[Row],
    columns: Sequence[Column],
    note: str,
    details: dict[str, Any] | None = None,
) -> Figure:
    """A table with its dot plot, and the plain one of all figures if it is given."""
    axis = DotAxis.around([dot.level for row in rows for dot in row.dots if dot.level is not None])
    content = call.page.render(
        "blocks/dot-table.html",
        rows=[row._replace(plot=axis.row(row.dots)) for row in rows],
        columns=columns,
        axis=axis,
        details=details,
        pictures=any(row.thumbnail for row in rows),
        title=title,
    )
    return Figure(content, note=note)


def level_note(view: SuiteView) -> str:
    """What the levels of a table are; of a preview, that they are no match for the paper's."""
    label = f"{view.label[:1].upper()}{view.label[1:]}"
    apart = f"{label}, not comparable with the paper's numbers. " if view.preview else ""
    luma = ", of luma in the centre box, as the paper scores super-resolution"
    return f"{apart}Levels in dB{luma if view.measure == 'psnr_luma_db' else ''}."


def of_images(scores: ScoreTable, images: tuple[str, ...] | None = None) -> Callable[..., Quantity]:
    """Look up the level of an image in scores; of None, the mean over `images`."""
    return lambda image: scores.of(image) if image else scores.mean(images=images)


def method_column(view: SuiteView, method: str, images: tuple[str, ...] | None = None) -> Column:
    """The column of a method without a network."""
    mark = "nearest" if method == "nearest-known-pixel" else "fill"
    return Column(METHOD_NAMES[method], of_images(view.output(f"baseline.{method}"), images), mark)


def claim_column(table: ClaimTable, row: str | None, title: str, mark: str) -> Column:
    """The column of what a source prints of one method."""
    numbers = table.rows[row].numbers if row in table.rows else {}
    return Column(title, lambda image: numbers.get(table.column(image) if image else MEAN), mark)


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
        judged=[v for v in verdicts.all if v.word != NOT_RUN],
        ours=mean_sd(verdicts.mean.ours),
        preview=preview
        and {
            "suite": preview,
            "ours": mean_sd(preview.final.mean()),
            "baselines": [
                {"name": METHOD_NAMES[method], "level": preview.output(f"baseline.{method}").mean()}
                for method in preview.suite.baselines
            ],
        },
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
    rows = table_rows(call, suite, (*table.images, None), columns)
    note = level_note(suite)
    if row.compare != "final":
        note += f" Of the paper and of our runs: {row.name}."
    if answered.spike_mark(None):
        note += f" {SPIKE_MARK} The last iterate of a run lies in a loss spike."
    asked = [run.recorded for run in answered.runs(None)]
    if not all(asked):
        note += f" {sum(asked)} of {len(asked)} runs are recorded."
    return dot_table(call, suite.title, rows, columns, note, answered.details())


def _ours(value: Value) -> Markup:
    return DASH if isinstance(value, NotRun) else with_spread(value)


@dataclass(frozen=True)
class Answered:
    """The row of a source's table that the runs of a suite answer."""

    judge: Judge
    view: SuiteView
    table: ClaimTable

    @cached_property
    def row(self) -> ClaimRow:
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
        *(method_column(suite, method) for method in suite.suite.baselines),
        Column("ours", of_images(suite.final), "ours", write=with_spread, after=spiked),
    ]
    mean = [None] if suite.images > 1 else []
    rows = table_rows(call, suite, (*suite.suite.images, *mean), columns)
    masked = all(case.settings.get("mask") for case in suite.suite.cases.values())
    parts = PARTS if masked else {}
    details = {
        "heads": ["Image", "Seed", "PSNR", *parts, "SSIM", "Seconds"],
        "rows": [_run_details(run, list(parts.values())) for run in suite.runs],
    }
    return dot_table(call, suite.title, rows, columns, level_note(suite), details)


def _run_details(run: Run, parts: list[str]) -> list[Markup]:
    cells = [getattr(run, part) for part in (run.measure, *parts)]
    last = [cell(run.ssim, 3), cell(run.seconds, 0)]
    return [cell(run.title), cell(str(run.seed)), *map(cell, cells), *last]


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
    rows = table_rows(call, suite, (*table.images, None), columns, pictures=False)
    return dot_table(call, suite.title, rows, columns, level_note(suite))


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


@block(
    "stops-table",
    "the outputs that one may choose of a run, and what each loses to the best",
    Argument("suite", SUITE, "whose runs are shown", required=True),
    numbered="table",
    example='suite="denoising-preview" id="tab-stops"',
)
def stops_table(call: Call, suite: SuiteView) -> Figure:
    """Last and best iterate, ES-WMV and averages, side by side."""
    chosen: dict[str, ScoreTable] = {
        "last": suite.final,
        "best": suite.output("stop.oracle"),
        "ES-WMV": suite.output("stop.es-wmv"),
        "average": suite.output("average"),
    }
    if suite.suite.mean:
        chosen["mean of runs"] = suite.output("mean")
    columns = [
        Column(name, _scored(scores), "ours" if name == "last" else "choice", write=with_spread)
        for name, scores in chosen.items()
    ]
    rows = table_rows(call, suite, (*suite.suite.images, None), columns)
    rows.append(_against("Against the best", columns, _scored(chosen["best"])(None)))
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
    return dot_table(call, suite.title, rows, columns, note)


def _scored(scores: ScoreTable) -> Callable[[str | None], Quantity | None]:
    """Look up a level of an image, or the mean; None where a run has no such output."""

    def value(image: str | None) -> Quantity | None:
        try:
            return of_images(scores)(image)
        except InputError:
            return None

    return value


def _against(title: str, columns: Sequence[Column], other: Value, skip: int = 0) -> Row:
    """The row of each column's mean less another; a dash where one of them is not there."""
    cells = [DASH] * skip
    for column in columns[skip:]:
        mean = column.value(None)
        if isinstance(mean, Measured) and isinstance(other, Measured):
            cells.append(Markup(signed(mean - other)))
        else:
            cells.append(DASH)
    return Row(title, Markup(""), [], cells, "mean")


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
        Column(title, of_images(view.final, images), mark, write=with_spread)
        for view, title, mark in zip(suites, titles, marks, strict=True)
    ]
    rows = table_rows(call, ours, (*images, None), columns)
    rows.append(_against("Against ours", columns, columns[0].value(None), skip=1))
    return dot_table(call, ours.title, rows, columns, level_note(ours))
