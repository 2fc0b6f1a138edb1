"""Verdicts: what a source prints, joined with the records.

The difference is the mean over seeds less the claim. The rule of content/claims.toml and the
metric say how far it may be, and which way is better. A deterministic method has no luck to allow
for: it is not reproduced, it agrees or differs. No word of a verdict is ever typed.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from markupsafe import Markup

from press.errors import InputError, nearest
from press.results.claims import MEAN, Claim, Claims, ClaimTable, Row, Rule, stated
from press.results.metrics import Metric
from press.results.numbers import (
    Measured,
    NotRun,
    Quantity,
    decimal,
    difference,
    is_same,
    unit_behind,
    with_sign,
    with_unit,
    written,
)  # fmt: skip
from press.results.run import Run
from press.results.selectors import FINAL
from press.results.store import Results

REPRODUCED, BETTER, WORSE, NOT_RUN = "reproduced", "better", "worse", "not run yet"
AGREES, DIFFERS = "agrees", "differs"
WORDS = (REPRODUCED, BETTER, WORSE, AGREES, DIFFERS, NOT_RUN)
SHARE_WITHIN = Metric("share_within", "iterates within the tolerance", "%", 0)


@dataclass(frozen=True)
class Verdict:
    """One claim judged: our number (mean over seeds), the difference, the tolerance, the word."""

    claim: Claim
    ours: Quantity
    rule: Rule
    judged: tuple[Run, ...] = ()  # whose last iterates are compared, recorded or not

    @property
    def metric(self) -> Metric:
        """What the two numbers count."""
        return self.claim.row.metric

    @property
    def is_deterministic(self) -> bool:
        """Whether no seed takes part in our number."""
        compare = self.claim.row.compare
        return compare is not None and compare.kind == "baseline"

    @property
    def is_of_seeds(self) -> bool:
        """Whether our number is a mean over seeds, rather than one result for all of them."""
        compare = self.claim.row.compare
        return compare is None or compare.kind not in ("baseline", "mean")

    @property
    def difference(self) -> Quantity:
        """Our mean less the claim."""
        return difference(self.ours, self.claim)

    @property
    def tolerance(self) -> float:
        """How far the mean may lie from the claim and still count as the same.

        Raises InputError if the metric states none.
        """
        if self.is_deterministic:
            return float(stated(self.metric, "agrees"))
        return self.rule.tolerance(self.metric, self.ours.spread, self.n)

    @property
    def tolerance_written(self) -> str:
        """The tolerance, with the decimals that it was stated with if the metric has fewer."""
        metric, tolerance = self.metric, self.tolerance
        told = [t for t in (metric.tolerance, metric.at_most, metric.agrees) if t == tolerance]
        digits = max([metric.digits, *(getattr(one, "decimals", 0) for one in told)])
        if digits > metric.digits:
            return decimal(tolerance, digits)
        return written(tolerance, metric)

    @property
    def n(self) -> int:
        """The number of seeds behind our mean."""
        return self.ours.n

    @property
    def word(self) -> str:
        """The verdict: reproduced, better or worse; agrees or differs; not run yet."""
        difference = self.difference
        if isinstance(difference, NotRun):
            return NOT_RUN
        is_within = self._is_within(difference)
        if self.is_deterministic:
            return AGREES if is_within else DIFFERS
        stated(self.metric, "better")
        if is_within:
            return REPRODUCED
        return BETTER if self.metric.gain(difference) > 0 else WORSE

    def _is_within(self, difference: float) -> bool:
        gap, tolerance = abs(difference), self.tolerance
        return gap <= tolerance or is_same(gap, tolerance)

    def iterates_within(self, seed: int | None = None) -> Quantity:
        """How many of the last fifth of the iterates lie within the tolerance too, in per cent.

        They are those of one seed's run, or of all runs that are judged. Raises InputError where
        no last iterates are compared, or they have no curve.
        """
        judged = [run for run in self.judged if seed in (None, run.seed)]
        if not judged and isinstance(self.ours, NotRun):
            return self.ours
        if not judged:
            whose = "last iterates" if seed is None else f"a last iterate of seed {seed}"
            raise InputError(f"claim '{self.claim.id}' is not compared with {whose}")
        recorded = [run for run in judged if run.recorded]
        if not recorded:
            return NotRun(judged[0].name)
        levels = [level for run in recorded for level in run.stable.levels(self.metric.name)]
        within = sum(self._is_within(level - self.claim) for level in levels)
        page = recorded[0].url if len(recorded) == 1 else self.ours.origin
        return Measured(100 * within / len(levels), SHARE_WITHIN, page, n=len(recorded))

    @property
    def runs(self) -> str:
        """On how many runs it stands, where they are too few for a spread; else empty."""
        if not self.is_of_seeds or not 0 < self.n < self.rule.from_seeds:
            return ""
        return "on one run" if self.n == 1 else f"on {self.n} runs"

    @property
    def reason(self) -> str:
        """How the word came about, in one line."""
        difference, spread, metric = self.difference, self.ours.spread, self.metric
        if isinstance(difference, NotRun):
            return "no run of it is recorded yet"
        within = f"tolerance {unit_behind(self.tolerance_written, metric.of_differences)}"
        if self.is_of_seeds:
            within += f"; n = {self.n}"
        if spread is not None:
            within += f", standard deviation {written(spread, metric)}"
        signed = with_sign(with_unit(difference, difference.metric))
        return f"{signed} from the source ({within})"

    def __str__(self) -> str:
        return self.word

    def __html__(self) -> Markup:
        """Write the word, with how it came about."""
        kind = self.word.replace(" ", "-")
        text = f"{self.word}, {self.runs}" if self.runs else self.word
        span = Markup('<span class="verdict verdict-{}" title="{}">{}</span>')
        return span.format(kind, self.reason, text)


class Verdicts:
    """The verdicts on a table's cases, how many of each word, and the one on the mean."""

    def __init__(self, judge: "Judge", row: str, cases: list[Verdict]) -> None:
        """`row` is the id of our row: table and row."""
        self.all, self.total, self._judge, self._row = cases, len(cases), judge, row
        counts = Counter(verdict.word for verdict in cases)
        self.reproduced, self.better = counts[REPRODUCED], counts[BETTER]
        self.worse, self.not_run = counts[WORSE], counts[NOT_RUN]
        self.same = self.reproduced + counts[AGREES]
        self.is_deterministic = any(verdict.is_deterministic for verdict in cases)
        self._counts = counts

    @property
    def agrees(self) -> int:
        """How many agree; raises InputError where our row is of runs that a seed begins."""
        return self._of_deterministic(AGREES)

    @property
    def differs(self) -> int:
        """How many differ; raises InputError as `agrees` does."""
        return self._of_deterministic(DIFFERS)

    def _of_deterministic(self, word: str) -> int:
        if not self.is_deterministic:
            table, _, row = self._row.partition(".")
            sentence = f"verdicts(\"{table}\") counts the row '{row}' alone, and of runs with"
            raise InputError(f"{sentence} seeds no case {word}: it is reproduced, better or worse")
        return self._counts[word]

    @property
    def runs(self) -> str:
        """On how many runs each verdict stands, where some are too few for a spread."""
        judged = [verdict for verdict in self.all if verdict.n]
        if not any(verdict.runs for verdict in judged):
            return ""
        fewest, most = min(v.n for v in judged), max(v.n for v in judged)
        each = " each" if len(judged) > 1 else ""
        return (judged[0].runs if fewest == most else f"on {fewest} to {most} runs") + each

    @property
    def mean(self) -> Verdict:
        """The verdict on the mean over the table's cases; InputError if the source prints none."""
        table, _, row = self._row.partition(".")
        if MEAN not in self._judge.claims.tables[table].rows[row].numbers:
            raise InputError(f"row '{self._row}' of content/claims.toml has no '{MEAN}'")
        return self._judge.verdict(f"{self._row}.{MEAN}")


class Judge:
    """Joins the claims of a page's content with its results."""

    def __init__(self, results: Results) -> None:
        """Nothing is read yet but content/claims.toml."""
        self.results = results
        self.claims = Claims(results)

    def verdict(self, id: str) -> Verdict:
        """Judge one claim; raises InputError if it is unknown or not compared with our runs."""
        claim = self.claims.claim(id)
        table, _, column = id.split(".", 2)  # a case may have a dot in its name
        ours = self.ours(self.claims.tables[table], claim.row, column)
        return Verdict(claim, ours, self.claims.rule, self._judged(table, claim.row, column))

    def _judged(self, table: str, row: Row, column: str) -> tuple[Run, ...]:
        """The runs whose last iterates a cell of a table is compared with, recorded or not."""
        found = self.claims.tables[table]
        known = found.suite if found.suite in self.results.suites else None
        if row.compare != FINAL or column == MEAN or known is None:
            return ()
        runs = self.results.suite(known).runs
        case = next((case for case in found.cases if found.column(case) == column), "")
        return tuple(run for run in runs if run.image == case)

    def ours(self, table: ClaimTable, row: Row, column: str) -> Quantity:
        """Our number for a cell of a table, whether the source has one there or not."""
        if not row.compare or not table.suite:
            claim = f"{table.id}.{row.id}.{column}"
            raise InputError(f"claim '{claim}' is not compared with our runs")
        known = self.results.suites
        if table.suite not in known:
            if known:
                sentence = f"unknown suite '{table.suite}'{nearest(table.suite, known)}"
                self.claims.file.fail(sentence, table.id, "suite")
            self.results.absent(table.suite)
            return NotRun(f"suite {table.suite}")
        view = self.results.suite(table.suite)
        if view.preview:
            raise InputError(f"'{table.suite}' is a preview, which is never judged")
        quantity = row.metric.name
        for case in table.cases:
            if case not in view.suite.images:
                near = nearest(case, view.suite.images)
                raise InputError(
                    f"table '{table.id}' names '{case}', which suite '{view.name}' lacks{near}"
                )
        with self.compared(table, row):
            scores = view.output(row.compare)
            if column == MEAN:
                return scores.mean(quantity, table.cases)
            case = next(name for name in table.cases if table.column(name) == column)
            return scores.of(case, quantity)

    @contextmanager
    def compared(self, table: ClaimTable, row: Row) -> Iterator[None]:
        """Give an InputError, such as of an output that no run has, the row's place."""
        try:
            yield
        except InputError as error:
            if error.path:  # such as of a damaged record
                raise
            self.claims.file.fail(error.sentence, f"{table.id}.{row.id}", "compare")

    def table(self, name: str) -> Verdicts:
        """Judge our row of a table, case by case, in the source's order.

        Where the source prints a mean alone, that is the one case.
        """
        table = self.claims.table(name)
        if not table.ours:
            raise InputError(f"table '{name}' has no row that our runs answer")
        row = table.rows[table.ours]
        columns = [column for column in map(table.column, table.cases) if column in row.numbers]
        columns = columns or [*row.numbers]  # of no case: the mean alone
        verdicts = [self.verdict(row.numbers[column].id) for column in columns]
        return Verdicts(self, f"{name}.{row.id}", verdicts)
