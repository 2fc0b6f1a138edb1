"""What sources print about the experiments, read from content/claims.toml."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Self

from markupsafe import Markup

from press.errors import InputError, nearest
from press.results.each import Each
from press.results.metrics import Metric
from press.results.numbers import Quoted, with_unit
from press.results.selectors import KINDS, Selector, parse_selector
from press.results.store import Results
from press.toml_file import TomlFile

TABLE_KEYS = {
    "title": "text", "suite": "text", "metric": "text", "set": "text", "ours": "text",
    "beside": "a list of names", "cases": "a list of names", "source": "text",
}  # fmt: skip
ROW_KEYS = {"name": "text", "source": "text", "compare": "text"}
RULE_KEYS = {"deviations": "a number", "from_seeds": "an integer", "why": "text"}
MEAN = "mean"


class Claim(Quoted):
    """A number that a source prints: its id, and the row in which it stands."""

    id: str
    row: "Row"
    decimals: int  # as the file has them

    def __new__(cls, value: float, id: str, row: "Row") -> Self:
        """Wrap `value`."""
        claim = super().__new__(cls, value)
        claim.id, claim.row, claim.decimals = id, row, getattr(value, "decimals", 0)
        return claim

    @property
    def metric(self) -> Metric:
        """What the number counts, with at least the decimals that the source prints."""
        metric = self.row.metric
        return replace(metric, digits=max(metric.digits, self.decimals))

    def __html__(self) -> Markup:
        """Write the number so that a reader sees its source, and `check` its id."""
        return self.marked(with_unit(self, self.metric))

    def marked(self, text: str) -> Markup:
        """Mark `text` as this claim's number."""
        return Markup(
            '<data class="claim q" value="{}" data-claim="{}" title="{}">{}</data>'
        ).format(float(self), self.id, self.row.source, text)


@dataclass(frozen=True)
class Row:
    """One method's numbers in a table, by case or "mean"."""

    id: str
    name: str
    source: str
    compare: Selector | None  # which of our outputs answers it; None: it is not compared
    find_metric: Callable[[], Metric]  # called when it is asked for, since a suite may tell it
    numbers: dict[str, Claim] = field(default_factory=dict)

    @property
    def metric(self) -> Metric:
        """What the numbers count."""
        return self.find_metric()

    def get(self, column: str) -> Claim | None:
        """The number of a case, or of "mean"; None where the source prints none."""
        return self.numbers.get(column)


@dataclass(frozen=True)
class ClaimTable:
    """A table of a source: its methods' numbers for each case, and the suite that answers it."""

    id: str
    title: str
    suite: str | None
    cases: tuple[str, ...]  # full names, in the source's order
    source: str
    ours: str | None  # the row that our runs answer
    beside: tuple[str, ...]  # the rows that a table of results shows beside ours
    rows: dict[str, Row]
    prefix: str = ""  # of the names of cases, which the file leaves out

    def column(self, case: str | None) -> str:
        """The word that stands for a case in an id; for None, that of the mean."""
        return case.removeprefix(self.prefix) if case else MEAN


@dataclass(frozen=True)
class Rule:
    """When a number counts as reproduced, beside what its metric says of tolerances."""

    deviations: float = 2.0
    from_seeds: int = 3
    why: str = ""

    def tolerance(self, metric: Metric, spread: float | None, n: int) -> float:
        """How far a mean over `n` seeds may lie from the claim; InputError if nothing says so."""
        least = float(stated(metric, "tolerance"))
        if spread is None or n < self.from_seeds:
            return least
        return min(max(least, self.deviations * spread), metric.at_most)


def stated(metric: Metric, key: str) -> Any:
    """What a metric says of verdicts; raises InputError if it does not."""
    value = getattr(metric, key)
    if value in (None, ""):
        where = f"[metrics.{metric.name}] of content/site.toml"
        raise InputError(f"there is no verdict on '{metric.label}': {where} states no '{key}'")
    return value


def split_compare(text: str) -> tuple[Selector | None, str]:
    """The output that `compare` names, and its metric, or "": "final.accuracy".

    Raises InputError for what is no output.
    """
    kind, _, metric = text.partition(".")
    if not text or not KINDS.get(kind):
        return parse_selector(kind) if text else None, metric
    name, _, last = metric.rpartition(".")
    if not name or not last.isidentifier():  # a name may have a dot: baseline.gpt-3.5
        name, last = metric, ""
    return parse_selector(f"{kind}.{name}"), last


class Claims:
    """Every table of a claims.toml, and its rule; empty if there is no such file."""

    def __init__(self, results: Results) -> None:
        """Read the file; a mistake raises InputError with its line."""
        path = results.content / "claims.toml"
        results.note(path)
        self._results = results
        self.file = TomlFile(path)

    @cached_property
    def rule(self) -> Rule:
        """The rule of verdicts."""
        data = self.file.table("rule")
        self.file.expect(RULE_KEYS, data, "rule")
        for key, least in (("deviations", 0), ("from_seeds", 2)):
            if data.get(key, least) < least:
                self.file.fail(f"'{key}' is {least} or more", "rule", key)
        return Rule(**data)

    @cached_property
    def tables(self) -> dict[str, ClaimTable]:
        """Every table by its id."""
        found = {}
        for name, data in self.file.data.items():
            if not isinstance(data, dict):
                self.file.fail(f"'{name}' is no table of claims", key=name)
            if name != "rule":
                found[name] = self._table(name, data)
        return found

    def table(self, name: str) -> ClaimTable:
        """A table; raises InputError with the nearest id."""
        if name not in self.tables:
            raise InputError(f"unknown table of claims '{name}'{nearest(name, self.tables)}")
        return self.tables[name]

    def claim(self, id: str) -> Claim:
        """A number by its id; raises InputError with the nearest id."""
        if id not in self._numbers:
            raise InputError(f"unknown claim '{id}'{nearest(id, self._numbers)}")
        return self._numbers[id]

    def row(self, id: str) -> Each:
        """The numbers of a row, case by case, by "table.row"; raises InputError."""
        name, _, row = id.partition(".")
        table = self.table(name)
        if not row:
            raise InputError(f"name a row of '{name}': '{name}.{next(iter(table.rows), 'row')}'")
        if row not in table.rows:
            raise InputError(f"table '{name}' has no row '{row}'{nearest(row, table.rows)}")
        found = {case: table.rows[row].get(table.column(case)) for case in table.cases}
        return Each(
            f'claims("{id}")', {(case, None): one for case, one in found.items() if one is not None}
        )

    @cached_property
    def _numbers(self) -> dict[str, Claim]:
        rows = [row for table in self.tables.values() for row in table.rows.values()]
        return {claim.id: claim for row in rows for claim in row.numbers.values()}

    def _table(self, name: str, data: dict[str, Any]) -> ClaimTable:
        words = {k: v for k, v in data.items() if k in TABLE_KEYS or not isinstance(v, dict)}
        rows = {key: value for key, value in data.items() if key not in words}
        self.file.expect(TABLE_KEYS, words, name)
        for dotted in (word for word in (name, *rows) if "." in word):
            sentence = f"'{dotted}' has a dot, which stands between the parts of a number's id"
            self.file.fail(sentence, name if dotted == name else f"{name}.{dotted}")
        for key, named in (("ours", [data["ours"]] if "ours" in data else []),
                           ("beside", data.get("beside", []))):  # fmt: skip
            for row in named:
                if row not in rows:
                    self.file.fail(f"'{key}' names no row{nearest(row, rows)}", name, key)
        for key in ("cases", "beside"):
            named = data.get(key, [])
            if twice := [one for place, one in enumerate(named) if one in named[:place]]:
                self.file.fail(f"'{key}' names '{twice[0]}' twice", name, key)
        if "suite" not in data and "metric" not in data:
            self.file.fail("the table names neither its metric nor the suite that answers it", name)
        self._known_metric(data.get("metric", ""), name, "metric")
        prefix = f"{data['set']}/" if "set" in data else ""
        return ClaimTable(
            name,
            data.get("title", name),
            data.get("suite"),
            tuple(prefix + case for case in data.get("cases", ())),
            data.get("source", ""),
            data.get("ours"),
            tuple(data.get("beside", ())),
            {key: self._row(name, key, row, data) for key, row in rows.items()},
            prefix,
        )

    def _row(self, table: str, name: str, row: dict[str, Any], data: dict[str, Any]) -> Row:
        where = f"{table}.{name}"
        known = (*data.get("cases", ()), MEAN)
        unknown = next((key for key in row if key not in (*known, *ROW_KEYS)), "")
        if unknown and isinstance(row[unknown], int | float):
            near = nearest(unknown, known) if "cases" in data else ": it states none"
            sentence = f"'{unknown}' is none of the table's 'cases'{near}"
            self.file.fail(sentence, where, unknown)
        self.file.expect(dict.fromkeys(known, "a number") | ROW_KEYS, row, where)
        source, title = row.get("source", data.get("source", "")), row.get("name", name)
        try:
            compare, metric = split_compare(row.get("compare", ""))
        except InputError as error:
            self.file.fail(error.sentence, where, "compare")
        self._known_metric(metric, where, "compare")
        find_metric = partial(self._metric, metric or data.get("metric", ""), data.get("suite", ""))
        found = Row(name, title, source, compare, find_metric)
        for key in (key for key in row if key not in ROW_KEYS):
            found.numbers[key] = Claim(row[key], f"{where}.{key}", found)
        return found

    def _known_metric(self, metric: str, table: str, key: str) -> None:
        """Check that the site declares a metric; an empty text names none."""
        known = self._results.metrics
        if metric and metric not in known:
            self.file.fail(f"unknown metric '{metric}'{nearest(metric, known)}", table, key)

    def _metric(self, named: str, suite: str) -> Metric:
        """The metric that a table or row names, else that of the suite that answers it.

        Where nothing is planned yet, the site's first one.
        """
        if not named and suite in self._results.suites:
            named = self._results.suite(suite).measure
        return self._results.metrics[named or next(iter(self._results.metrics), "")]
