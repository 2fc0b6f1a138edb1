"""Verdicts: what a source prints, joined with the records by the rule of content/claims.toml.

The difference is the mean over seeds less the claim. No word of a verdict is ever typed.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from press.errors import InputError, nearest
from press.results.claims import MEAN, Claim, Claims, ClaimTable, Row, Rule
from press.results.numbers import THIN_SPACE, Measured, NotRun, Quantity, decimal, signed
from press.results.scores import UNITS, ScoreTable
from press.results.store import Results
from press.results.suite import SuiteView

REPRODUCED, BETTER, WORSE, NOT_RUN = "reproduced", "better", "worse", "not run yet"
WORDS = (REPRODUCED, BETTER, WORSE, NOT_RUN)
MARKS = {REPRODUCED: "=", BETTER: "▲", WORSE: "▼", NOT_RUN: "–"}


@dataclass(frozen=True)
class Verdict:
    """One claim judged: our number (mean over seeds), the difference, the tolerance, the word."""

    claim: Claim
    ours: Quantity
    rule: Rule

    @property
    def difference_db(self) -> Quantity:
        """Give our mean less the claim."""
        if isinstance(self.ours, NotRun):
            return self.ours
        return Measured(self.ours - self.claim, "dB", self.ours.origin)

    @property
    def tolerance_db(self) -> float:
        """How far the mean may lie from the claim and still count as reproduced."""
        ours = self.ours
        spread, n = (ours.spread, ours.n) if isinstance(ours, Measured) else (None, 0)
        return self.rule.tolerance_db(spread, n)

    @property
    def n(self) -> int:
        """The number of seeds behind our mean."""
        return self.ours.n if isinstance(self.ours, Measured) else 0

    @property
    def word(self) -> str:
        """The verdict: reproduced, better, worse or not run yet."""
        difference = self.difference_db
        if isinstance(difference, NotRun):
            return NOT_RUN
        if abs(difference) <= self.tolerance_db + 1e-9:
            return REPRODUCED
        return BETTER if difference > 0 else WORSE

    @property
    def mark(self) -> str:
        """The mark that stands beside the word."""
        return MARKS[self.word]

    @property
    def runs(self) -> str:
        """Say on how many runs it stands, where they are too few for a spread."""
        if not 0 < self.n < self.rule.from_seeds:
            return ""
        return "on one run" if self.n == 1 else f"on {self.n} runs"

    @property
    def reason(self) -> str:
        """Say in one line how the word came about."""
        difference = self.difference_db
        if isinstance(difference, NotRun):
            return "no run of it is recorded yet"
        spread = self.ours.spread if isinstance(self.ours, Measured) else None
        between = f", standard deviation {decimal(spread)}" if spread is not None else ""
        unit = f"{THIN_SPACE}dB"
        within = f"tolerance {decimal(self.tolerance_db)}{unit}"
        return f"{signed(difference)}{unit} from the source ({within}; n = {self.n}{between})"

    def __str__(self) -> str:
        """The word."""
        return self.word

    def __html__(self) -> str:
        """Write the word, with how it came about."""
        kind = self.word.replace(" ", "-")
        text = f"{self.word}, {self.runs}" if self.runs else self.word
        return str(
            Markup('<span class="verdict verdict-{}" title="{}">{}</span>').format(
                kind, self.reason, text
            )
        )


class Judge:
    """Joins claims with records."""

    def __init__(self, claims: Claims, results: Results) -> None:
        """Hold both."""
        self.claims, self.results = claims, results

    def verdict(self, id: str) -> Verdict:
        """Judge one claim; raises InputError if it is unknown or not compared with our runs."""
        claim = self.claims.claim(id)
        table_id, row_id, column = id.split(".")
        table = self.claims.tables[table_id]
        return self.judge(table, table.rows[row_id], column, claim)

    def judge(self, table: ClaimTable, row: Row, column: str, claim: Claim) -> Verdict:
        """Judge the number in one cell of a table."""
        return Verdict(claim, self.ours(table, row, column), self.claims.rule)

    def ours(self, table: ClaimTable, row: Row, column: str) -> Quantity:
        """Give our number for a cell of a table, whether the source has one there or not."""
        if not row.compare or not table.suite:
            claim = f"{table.id}.{row.id}.{column}"
            raise InputError(f"claim '{claim}' is not compared with our runs")
        known = self.results.suites
        if table.suite not in known:
            if known:
                sentence = f"unknown suite '{table.suite}'{nearest(table.suite, known)}"
                self.claims.fail(sentence, table.id, "suite")
            return NotRun(f"suite {table.suite}")
        view = self.results.suite(table.suite)
        if view.preview:
            raise InputError(f"'{table.suite}' is a preview, which is never judged")
        scores, quantity = answering(view, row.compare)
        for image in table.images:
            if image not in view.suite.images:
                near = nearest(image, view.suite.images)
                raise InputError(
                    f"table '{table.id}' names '{image}', which suite '{view.name}' lacks{near}"
                )
        if column == MEAN:
            return scores.mean(quantity, table.images)
        image = next(name for name in table.images if table.column(name) == column)
        return scores.of(image, quantity)

    def table(self, name: str) -> list[Verdict]:
        """Judge our row of a table, image by image, in the source's order."""
        table = self.claims.table(name)
        if not table.ours:
            raise InputError(f"table '{name}' has no row that our runs answer")
        row = table.rows[table.ours]
        columns = [table.column(image) for image in table.images]
        return [
            self.judge(table, row, column, claim)
            for column in columns
            if (claim := row.get(column)) is not None
        ]

    def count(self, name: str) -> dict[str, int]:
        """The number of the verdicts of a table by their word."""
        return count(self.table(name))


def count(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """Count verdicts by their word; every word has its number."""
    found = Counter(verdict.word for verdict in verdicts)
    return {word: found[word] for word in WORDS}


def answering(view: SuiteView, compare: str) -> tuple[ScoreTable, str]:
    """The scores of a suite that answer a row, and the quantity: "final.psnr_unknown_db"."""
    selector, _, quantity = compare.rpartition(".")
    if quantity in UNITS:
        return view.output(selector), quantity
    return view.output(compare), view.measure
