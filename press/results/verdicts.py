"""Verdicts: what a source prints, joined with the records by the rule of content/claims.toml.

The difference is the mean over seeds less the claim. No word of a verdict is ever typed.
"""

from collections import Counter
from dataclasses import dataclass

from markupsafe import Markup

from press.errors import InputError, nearest
from press.results.claims import MEAN, Claim, Claims, ClaimTable, Row, Rule
from press.results.numbers import THIN_SPACE, NotRun, Quantity, decimal, signed, with_unit
from press.results.scores import UNITS, ScoreTable
from press.results.store import Results
from press.results.suite import SuiteView

REPRODUCED, BETTER, WORSE, NOT_RUN = "reproduced", "better", "worse", "not run yet"


@dataclass(frozen=True)
class Verdict:
    """One claim judged: our number (mean over seeds), the difference, the tolerance, the word."""

    claim: Claim
    ours: Quantity
    rule: Rule

    @property
    def difference_db(self) -> Quantity:
        """Our mean less the claim."""
        difference: Quantity = self.ours - self.claim
        return difference

    @property
    def tolerance_db(self) -> float:
        """How far the mean may lie from the claim and still count as reproduced."""
        return self.rule.tolerance_db(self.ours.spread, self.n)

    @property
    def n(self) -> int:
        """The number of seeds behind our mean."""
        return self.ours.n

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
    def runs(self) -> str:
        """On how many runs it stands, where they are too few for a spread; else empty."""
        if not 0 < self.n < self.rule.from_seeds:
            return ""
        return "on one run" if self.n == 1 else f"on {self.n} runs"

    @property
    def reason(self) -> str:
        """How the word came about, in one line."""
        difference, spread = self.difference_db, self.ours.spread
        if isinstance(difference, NotRun):
            return "no run of it is recorded yet"
        between = f", standard deviation {decimal(spread)}" if spread is not None else ""
        within = f"tolerance {with_unit(self.tolerance_db, 'dB')}; n = {self.n}{between}"
        return f"{signed(difference)}{THIN_SPACE}dB from the source ({within})"

    def __str__(self) -> str:
        return self.word

    def __html__(self) -> str:
        """Write the word, with how it came about."""
        kind = self.word.replace(" ", "-")
        text = f"{self.word}, {self.runs}" if self.runs else self.word
        span = Markup('<span class="verdict verdict-{}" title="{}">{}</span>')
        return str(span.format(kind, self.reason, text))


class Verdicts:
    """The verdicts on a table's images, how many of each word, and the one on the mean."""

    def __init__(self, judge: "Judge", row: str, images: list[Verdict]) -> None:
        """`row` is the id of our row: table and row."""
        self.all, self.total, self._judge, self._row = images, len(images), judge, row
        counts = Counter(verdict.word for verdict in images)
        self.reproduced, self.better = counts[REPRODUCED], counts[BETTER]
        self.worse, self.not_run = counts[WORSE], counts[NOT_RUN]

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
        """The verdict on the mean over the table's images."""
        return self._judge.verdict(f"{self._row}.{MEAN}")


class Judge:
    """Joins the claims of a page's content with its results."""

    def __init__(self, results: Results) -> None:
        """Nothing is read yet but content/claims.toml."""
        self.results = results
        self.claims = Claims(results.content / "claims.toml", results.note)

    def verdict(self, id: str) -> Verdict:
        """Judge one claim; raises InputError if it is unknown or not compared with our runs."""
        claim = self.claims.claim(id)
        table_id, row_id, column = id.split(".")
        table = self.claims.tables[table_id]
        ours = self.ours(table, table.rows[row_id], column)
        return Verdict(claim, ours, self.claims.rule)

    def ours(self, table: ClaimTable, row: Row, column: str) -> Quantity:
        """Our number for a cell of a table, whether the source has one there or not."""
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

    def table(self, name: str) -> Verdicts:
        """Judge our row of a table, image by image, in the source's order."""
        table = self.claims.table(name)
        if not table.ours:
            raise InputError(f"table '{name}' has no row that our runs answer")
        row = table.rows[table.ours]
        claims = [row.get(table.column(image)) for image in table.images]
        verdicts = [self.verdict(claim.id) for claim in claims if claim is not None]
        return Verdicts(self, f"{name}.{row.id}", verdicts)


def answering(view: SuiteView, compare: str) -> tuple[ScoreTable, str]:
    """The scores of a suite that answer a row, and the quantity: "final.psnr_unknown_db"."""
    selector, _, quantity = compare.rpartition(".")
    if quantity in UNITS:
        return view.output(selector), quantity
    return view.output(compare), view.measure
