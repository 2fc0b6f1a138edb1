"""Blocks that set our results beside a source's numbers: the verdict strip, and tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from markupsafe import Markup

from press.blocks.declaration import CLAIMS_TABLE, SUITE, WORDS, Argument, Call, Figure, block
from press.blocks.tables import (
    SPIKE_NOTE,
    Column,
    Value,
    baseline_columns,
    cell,
    dot_table,
    level_note,
    spike_mark,
    stability_cells,
)
from press.errors import InputError, nearest
from press.results.claims import MEAN, ClaimTable, Row
from press.results.names import sentence
from press.results.numbers import Measured, Quantity, linked, listed, with_sign, written
from press.results.run import Run
from press.results.selectors import FINAL
from press.results.suite import SuiteView
from press.results.verdicts import Judge, Verdict

SUITE_OF_TABLE = Argument("suite", SUITE, "whose runs are compared", required=True)
TABLE = Argument("table", CLAIMS_TABLE, "the source's table; that of the suite if not given")


def table_of(call: Call, judge: Judge, view: SuiteView, table: ClaimTable | None) -> ClaimTable:
    """The source's table that a suite answers; raises InputError if it answers `table` not.

    A preview answers none: it gets no verdict and no place on the axis of a source.
    """
    if view.preview:
        sentence = f"'{view.name}' is a preview, which no source's numbers stand beside"
        raise call.error("suite", sentence)
    if table and table.suite != view.name:
        whose = f"the runs of '{table.suite}'" if table.suite else "no runs of ours"
        raise call.error("table", f"{whose} answer table '{table.id}'")
    answered = [one for one in judge.claims.tables.values() if one.suite == view.name]
    if not answered:
        sentence = f"content/claims.toml has no table that suite '{view.name}' answers"
        raise call.error("suite", sentence)
    table = table or answered[0]
    for row in table.rows.values():
        if row.compare:
            with judge.compared(table, row):  # else a name mistyped there would be a row left out
                view.suite.method_of(row.compare)
    return table


def printed(table: ClaimTable, row: Row, title: str, mark: str = "other") -> Column:
    """What a source prints of a method, image by image."""
    return Column(title, lambda image: row.get(table.column(image)), mark)


def measured(quantity: Quantity) -> Measured | None:
    """Our number; None if it is not run yet."""
    return quantity if isinstance(quantity, Measured) else None


def difference(verdict: Verdict | None) -> Markup:
    """The difference of a verdict with its sign; empty where there is none."""
    if not verdict or not isinstance(value := verdict.difference, Measured):
        return Markup("")
    return linked(with_sign(written(value, verdict.metric)), value.origin)


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
    judge = Judge(call.page.results)
    table = table_of(call, judge, suite, table)
    verdicts = judge.table(table.id)
    if preview and not preview.preview:
        raise call.error("preview", f"suite '{preview.name}' is no preview")
    has_mean = table.rows[table.ours or ""].get(MEAN) is not None
    whole = verdicts.mean if has_mean else verdicts.all[0] if verdicts.total == 1 else None
    return call.page.render(
        "blocks/verdict-strip.html",
        suite=suite,
        title=table.title if table.title != table.id else suite.title,
        verdicts=verdicts,
        whole=whole,
        quantity=sentence(f"{'mean ' if has_mean else ''}{whole.metric.label}") if whole else "",
        preview=preview,
        names=call.page.results.names,
    )


@block(
    "results-table",
    "the source's numbers, ours, difference and verdict, case by case",
    SUITE_OF_TABLE,
    TABLE,
    Argument("images", WORDS, "cases of the table; all of them, and their mean, if not given"),
    numbered="table",
    example='suite="inpainting" id="tab-results"',
)
def results_table(
    call: Call, suite: SuiteView, table: ClaimTable | None, images: list[str]
) -> Figure:
    """Our runs beside the numbers of a source, each with its verdict."""
    judge = Judge(call.page.results)
    answering = table_of(call, judge, suite, table)
    with call.at("images"):
        chosen = [suite.run(name).image for name in images]
        if strange := next((name for name in chosen if name not in answering.cases), None):
            near = nearest(strange, answering.cases)
            raise InputError(f"table '{answering.id}' has no case '{strange}'{near}")
    answered = Answered(judge, suite, answering, chosen)
    with call.at("table" if table else "suite"):
        row = answered.row
    table, judged = answered.table, answered.judged
    columns = [
        *(printed(table, table.rows[name], table.rows[name].name) for name in table.beside),
        printed(table, row, judge.results.names.paper, "paper"),
        Column("ours", lambda image: measured(judged[image][0]), "ours", after=answered.spike_mark),
        Column("difference", lambda image: difference(judged[image][1])),
        Column("verdict", lambda image: judged[image][1], numeric=False),
    ]
    note = level_note(suite, row.metric)
    if row.metric.difference:
        note += f" Differences in {row.metric.difference}."
    if row.compare != FINAL:
        note += f" Of {judge.results.names.paper} and of our runs: {row.name}."
    if any(map(answered.spike_mark, judged)):
        note += SPIKE_NOTE
    whole = judged[None][0].n if None in judged else 0
    if whole and len({ours.n for ours, _ in judged.values()}) > 1:
        note += f" The mean is over the seeds that have every case (n = {whole})."
    asked = [run.recorded for run in answered.runs(None)]
    if not all(asked):
        note += f" {sum(asked)} of {len(asked)} runs are recorded."
    details = [answered.details(image) for image in judged]
    cases, metric = list(judged), row.metric
    return dot_table(call, suite, cases, columns, note, details=details, metric=metric)


@dataclass(frozen=True)
class Answered:
    """The row of a source's table that the runs of a suite answer."""

    judge: Judge
    view: SuiteView
    table: ClaimTable
    chosen: Sequence[str] = ()  # cases of the table; all of them, and their mean, if there are none

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

        Sources print some numbers as means only; there is no verdict without a number. One case
        has no mean beside it, unless a source prints one.
        """
        found: dict[str | None, tuple[Quantity, Verdict | None]] = {}
        cases: list[str | None] = [*(self.chosen or self.table.cases)]
        if not self.chosen and (len(cases) > 1 or self.row.get(MEAN) is not None):
            cases.append(None)
        for image in cases:
            column = self.table.column(image)
            ours, claim = self.judge.ours(self.table, self.row, column), self.row.get(column)
            judged = None if claim is None else Verdict(claim, ours, self.judge.claims.rule)
            found[image] = ours, judged
        return found

    @cached_property
    def of_last_iterates(self) -> bool:
        """Whether last iterates are compared, by the metric that their curves follow."""
        followed = [run.stable.metric for run in self.runs(None) if run.recorded]
        is_usual = self.row.compare == FINAL and self.row.metric.name == self.view.measure
        return is_usual and self.row.metric in followed

    def runs(self, image: str | None) -> list[Run]:
        """The runs of an image; of None, of all images of the table."""
        images = (image,) if image else self.chosen or self.table.cases
        return [run for run in self.view.runs if run.image in images]

    def spike_mark(self, image: str | None) -> Markup:
        """The mark of a number in which a last iterate that lies in a loss spike takes part."""
        if not self.of_last_iterates or measured(self.judged[image][0]) is None:
            return Markup("")
        runs = self.runs(image)
        if image is None:  # of which those seeds take part that have every case
            recorded = {(run.image, run.seed) for run in runs if run.recorded}
            cases = {run.image for run in runs}
            runs = [run for run in runs if all((case, run.seed) in recorded for case in cases)]
        return spike_mark(runs)

    def details(self, image: str | None) -> dict[str, Value]:
        """The row of the plain table: each seed, and how the verdict comes about."""
        column = self.table.column(image)
        ours, verdict = self.judged[image]
        assert self.row.compare
        scores, metric = self.view.output(self.row.compare), self.row.metric
        runs = self.runs(image) if image else []
        beside = [self.table.rows[row] for row in self.table.beside]
        row: dict[str, Value] = {
            sentence(self.judge.results.names.case): (
                self.view.run(image).title if image else "Mean"
            ),
            **{row.name: row.get(column) for row in beside},
            sentence(self.judge.results.names.paper): self.row.get(column),
            **{
                f"seed {seed}": scores.one(image, seed, metric.name) if image else ""
                for seed in scores.seeds
            },
            "Mean": ours,
            "s.d.": None if ours.spread is None else written(ours.spread, metric),
            "n": str(ours.n),
            "Difference": difference(verdict),
            "Tolerance": verdict.tolerance_written if verdict else None,
            "Verdict": verdict.word if verdict else None,
        }
        if self.of_last_iterates:
            row["Last fifth, mean of medians"], row["range of all"] = stability_cells(runs)
        return row


@block(
    "baselines-table",
    "the suite's baselines beside the source's numbers",
    SUITE_OF_TABLE,
    TABLE,
    numbered="table",
    example='suite="inpainting" id="tab-baselines"',
)
def baselines_table(call: Call, suite: SuiteView, table: ClaimTable | None) -> Figure:
    """A suite's baselines, as we ran them, beside what a source prints of them.

    Where it prints nothing of them, what it prints of the method that our runs answer.
    """
    table = table_of(call, Judge(call.page.results), suite, table)
    own = [row for row in table.rows.values() if row.compare and row.compare.kind == "baseline"]
    rows = own or [table.rows[name] for name in (table.ours,) if name]
    metric = rows[0].metric if rows else suite.metrics[suite.measure]
    columns = baseline_columns(call, suite, table.cases, metric.name)
    others = [row for row in map(table.rows.__getitem__, table.beside) if row not in own]
    columns += [printed(table, row, row.name) for row in others]
    columns += [printed(table, row, f"{row.name}, printed", "paper") for row in rows]
    images, note = (*table.cases, None), level_note(suite, metric)
    return dot_table(call, suite, images, columns, note, pictures=False, metric=metric)


@block(
    "claims-table",
    "a table of `claims.toml` as it stands",
    Argument("table", CLAIMS_TABLE, "which one", required=True),
    numbered="table",
    example='table="denoising-f16" id="tab-f16" width="text"',
)
def claims_table(call: Call, table: ClaimTable) -> Figure:
    """A table of a source as it stands there, every number with its id."""
    results, titles = call.page.results, dict[str, str]()
    view = results.suite(table.suite) if table.suite and table.suite in results.suites else None
    for case in table.cases:
        is_run = view is not None and case in view.suite.images
        title = view.run(case).title if view and is_run else results.suites.images.title(case)
        titles[table.column(case)] = title
    titles[MEAN] = "Mean"
    rows = table.rows.values()
    used = {c: title for c, title in titles.items() if any(c in row.numbers for row in rows)}
    content = call.page.render("blocks/claims-table.html", heads=used, rows=rows, cell=cell)
    metrics = listed(list(dict.fromkeys(row.metric.phrase for row in rows)))
    sources = [table.source] if table.source else [row.source for row in rows if row.source]
    source = f"Source: {'; '.join(dict.fromkeys(sources))}. " if sources else ""
    return Figure(content, note=f"{source}{sentence(metrics)}.")
