"""Records from a table of results that exists already: a CSV file with a row for each run.

The columns `case`, `seed`, `method`, `title`, `seconds` and `command` say what a row is of; those
that are named as settings are settings; each other one is a metric of the last output, or, as in
`stop.oracle:accuracy`, of another.
"""

import csv
from collections.abc import Collection, Iterator, Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from press.errors import InputError, nearest
from press.files import text_of
from press.results.recording import Draft

TEXTS = ("case", "method", "title", "command")
NUMBERS = ("seed", "seconds")


def import_csv(
    table: Path,
    suite: str,
    results: Path,
    settings: Collection[str] = (),
    measure: str = "",
    replace: bool = False,
) -> str:
    """Write a record for each row of `table`; what was done, as a sentence.

    Nothing is written if anything is wrong with any row. Raises InputError with the line.
    """
    drafts = list(_drafts(table, suite, settings, measure))
    stand = [draft.stands(results) for draft in drafts]
    if (others := stand.count(False)) and not replace:
        place = drafts[stand.index(False)].place(results)
        more = f", as at {others - 1} more places" if others > 1 else ""
        raise InputError(f"another record stands here{more}; --replace moves it aside", place)
    for draft in drafts:
        draft.write(results, replace)
    there = f"; {stand.count(True)} stood there already" if any(stand) else ""
    return f"{len(drafts) - stand.count(True)} records written to {results / suite}{there}"


def _drafts(table: Path, suite: str, settings: Collection[str], measure: str) -> Iterator[Draft]:
    lines = text_of(table).splitlines() or [""]
    rows = csv.DictReader(lines, delimiter=max(",;\t", key=lines[0].count), strict=True)
    _check_columns(rows.fieldnames or (), settings, table)
    seen: dict[tuple[Any, ...], int] = {}
    try:
        for row in rows:
            if None in row or None in row.values():
                raise InputError("the row has not as many cells as the first line")
            data = _data(row, settings)
            draft = Draft.of({**data, "suite": suite, "measure": measure, "environment": {},
                              "facts": {"imported from": table.name}})  # fmt: skip
            what = data["case"], data["seed"], data["method"]
            if what in seen:
                raise InputError(f"the same case, and seed or method, as in line {seen[what]}")
            seen[what] = rows.line_num
            yield draft
    except (InputError, csv.Error) as error:
        sentence = error.sentence if isinstance(error, InputError) else str(error)
        raise InputError(sentence, table, rows.line_num) from None
    if not seen:
        raise InputError("the table has no rows", table)


def _check_columns(columns: Collection[str], settings: Collection[str], table: Path) -> None:
    for needed in ("case", *settings):
        if needed not in columns:
            sentence = f"the table has no column '{needed}'{nearest(needed, columns)}"
            raise InputError(sentence, table, 1)
    if not {"seed", "method"} & set(columns):
        raise InputError("the table has neither a column 'seed' nor a column 'method'", table, 1)
    if len(set(columns)) < len(columns):
        raise InputError("two columns of the table have the same name", table, 1)


def _data(row: Mapping[str, str], settings: Collection[str]) -> dict[str, Any]:
    """What a row says of its run; an empty cell says nothing."""
    cells = {name.strip(): text.strip() for name, text in row.items() if text.strip()}
    data: dict[str, Any] = {name: cells.get(name) for name in TEXTS}
    data |= {name: _number(name, cells[name]) for name in NUMBERS if name in cells}
    if ("seed" in data) == (data["method"] is not None):
        raise InputError("a row names either a seed or a method")
    metrics: dict[str, dict[str, float]] = {"final": {}}
    for name, text in cells.items():
        if name not in (*TEXTS, *NUMBERS, *settings):
            selector, _, metric = name.rpartition(":")
            metrics.setdefault(selector or "final", {})[metric] = _number(name, text)
    kind = "run" if data["method"] is None else "baseline"
    chosen = {name: _value(cells[name]) for name in settings if name in cells}
    return {"seed": 0, **data, "kind": kind, "settings": chosen, "metrics": metrics}


def _number(name: str, text: str) -> int | float:
    value = _value(text)
    if isinstance(value, str) or not isfinite(value):
        raise InputError(f"column '{name}': expected a number, got '{text}'")
    return value


def _value(text: str) -> int | float | str:
    """A cell as what it looks like: an integer, a number, or a text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
