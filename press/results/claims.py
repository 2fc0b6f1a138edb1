"""What sources print about the experiments, read from content/claims.toml."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from markupsafe import Markup

from press.errors import InputError, nearest
from press.results.numbers import Quoted, with_unit
from press.toml_file import TomlFile

TABLE_KEYS = {
    "title": "text", "suite": "text", "set": "text", "ours": "text", "beside": "a list of names",
    "images": "a list of names", "source": "text",
}  # fmt: skip
ROW_KEYS = {"name": "text", "source": "text", "compare": "text"}
RULE_KEYS = {
    "within_db": "a number", "deviations": "a number", "from_seeds": "an integer",
    "at_most_db": "a number", "why": "text",
}  # fmt: skip
MEAN = "mean"


class Claim(Quoted):
    """A number in dB that a source prints: its id, and where it stands there."""

    id: str
    source: str
    name: str

    def __html__(self) -> str:
        """Write the number so that a reader sees its source, and `check` its id."""
        return str(self.marked(with_unit(self, "dB")))

    def marked(self, text: str) -> Markup:
        """Mark `text` as this claim's number."""
        return Markup(
            '<data class="claim q" value="{}" data-claim="{}" title="{}">{}</data>'
        ).format(float(self), self.id, self.source, text)


@dataclass(frozen=True)
class Row:
    """One method's numbers in a table, by image or "mean"."""

    id: str
    name: str
    source: str
    compare: str | None  # which of our scores answers it; None: it is not compared
    numbers: dict[str, Claim]

    def get(self, column: str) -> Claim | None:
        """The number of an image, or of "mean"; None where the source prints none."""
        return self.numbers.get(column)


@dataclass(frozen=True)
class ClaimTable:
    """A table of a source: its methods' numbers for each image, and the suite that answers it."""

    id: str
    title: str
    suite: str | None
    images: tuple[str, ...]  # full names, in the source's order
    source: str
    ours: str | None  # the row that our runs answer
    beside: tuple[str, ...]  # the rows that a table of results shows beside ours
    rows: dict[str, Row]

    def column(self, image: str | None) -> str:
        """The word that stands for an image in an id; for None, that of the mean."""
        return image.rpartition("/")[2] if image else MEAN


@dataclass(frozen=True)
class Rule:
    """When a number counts as reproduced; all in dB but `deviations` and `from_seeds`."""

    within_db: float = 0.5
    deviations: float = 2.0
    from_seeds: int = 3
    at_most_db: float = 1.0
    why: str = ""

    def tolerance_db(self, spread_db: float | None, n: int) -> float:
        """How far a mean over `n` seeds may lie from the claim."""
        if spread_db is None or n < self.from_seeds:
            return self.within_db
        return min(max(self.within_db, self.deviations * spread_db), self.at_most_db)


class Claims:
    """Every table of a claims.toml, and its rule; empty if there is no such file."""

    def __init__(self, path: Path, note: Callable[[Path], None]) -> None:
        """Read the file; a mistake raises InputError with its line."""
        note(path)
        self._file = TomlFile(path) if path.exists() else None

    @cached_property
    def rule(self) -> Rule:
        """The rule of verdicts."""
        if not self._file:
            return Rule()
        self._file.expect({"rule": "a table"}, self._file.data, None)
        data = self._file.data.get("rule", {})
        for key in data:
            if key not in RULE_KEYS:
                self.fail(f"unknown key '{key}'{nearest(key, RULE_KEYS)}", "rule", key)
        self._file.expect(RULE_KEYS, data, "rule")
        return Rule(**data)

    @cached_property
    def tables(self) -> dict[str, ClaimTable]:
        """Every table by its id."""
        if not self._file:
            return {}
        return {
            name: self._table(name, data)
            for name, data in self._file.data.items()
            if name != "rule" and isinstance(data, dict)
        }

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

    @cached_property
    def _numbers(self) -> dict[str, Claim]:
        rows = [row for table in self.tables.values() for row in table.rows.values()]
        return {claim.id: claim for row in rows for claim in row.numbers.values()}

    def _table(self, name: str, data: dict[str, Any]) -> ClaimTable:
        rows = {key: value for key, value in data.items() if isinstance(value, dict)}
        for key in data:
            if key not in TABLE_KEYS and key not in rows:
                self.fail(f"unknown key '{key}'{nearest(key, TABLE_KEYS)}", name, key)
        assert self._file
        self._file.expect(TABLE_KEYS, data, name)
        for key, named in (("ours", [data["ours"]] if "ours" in data else []),
                           ("beside", data.get("beside", []))):  # fmt: skip
            for row in named:
                if row not in rows:
                    self.fail(f"'{key}' names no row{nearest(row, rows)}", name, key)
        prefix = f"{data['set']}/" if "set" in data else ""
        return ClaimTable(
            name,
            data.get("title", name),
            data.get("suite"),
            tuple(prefix + image for image in data.get("images", ())),
            data.get("source", ""),
            data.get("ours"),
            tuple(data.get("beside", ())),
            {key: self._row(name, key, row, data) for key, row in rows.items()},
        )

    def _row(self, table: str, name: str, row: dict[str, Any], data: dict[str, Any]) -> Row:
        where = f"{table}.{name}"
        assert self._file
        self._file.expect(ROW_KEYS, row, where)
        known = (*data.get("images", ()), MEAN)
        numbers = {}
        source = row.get("source", data.get("source", ""))
        for key, value in row.items():
            if key in ROW_KEYS:
                continue
            if key not in known:
                self.fail(f"unknown image '{key}'{nearest(key, known)}", where, key)
            self._file.expect({key: "a number"}, row, where)
            numbers[key] = claim = Claim(value)
            claim.id, claim.source = f"{where}.{key}", source
            claim.name = row.get("name", name)
        return Row(name, row.get("name", name), source, row.get("compare"), numbers)

    def fail(self, sentence: str, table: str, key: str) -> NoReturn:
        """Raise InputError with the place of a key."""
        assert self._file
        self._file.fail(sentence, table, key)
