"""Records from a table of results that exists already: a CSV file with a row for each run.

docs/records.md says what its columns are.
"""

import csv
import re
from collections.abc import Collection, Iterator, Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from press.diagnostics import counted
from press.errors import InputError, nearest
from press.files import text_of
from press.results.record import parse_curve
from press.results.recording import Draft

TEXTS = ("title", "command")
NO_NAME = re.compile("[^A-Za-z0-9_.+-]+")
NUMBERS = ("seed", "seconds")
KNOWN = ("case", "method", "curve", *TEXTS, *NUMBERS)


def import_csv(
    table: Path,
    suite: str,
    results: Path,
    settings: Collection[str] = (),
    columns: Collection[str] = (),
    measure: str = "",
    replace: bool = False,
) -> str:
    """Write a record for each row of `table`; what was done, as a sentence.

    `columns` say as NAME=HEADING which name the column under a heading is to have. Nothing is
    written if anything is wrong with any row. Raises InputError with the line.
    """
    drafts = list(_drafts(table, suite, settings, columns, measure))
    stand = [draft.stands(results) for draft in drafts]
    if (others := stand.count(False)) and not replace:
        place = drafts[stand.index(False)].place(results)
        more = f", as at {others - 1} more places" if others > 1 else ""
        raise InputError(f"another record stands here{more}; --replace moves it aside", place)
    for draft in drafts:
        draft.write(results, replace)
    there = f"; {stand.count(True)} stood there already" if any(stand) else ""
    written = counted(len(drafts) - stand.count(True), "record")
    return f"{written} written to {results / suite}{there}\n{_taken(drafts)}"


def _taken(drafts: list[Draft]) -> str:
    """What the columns were taken to be, so that one taken for another is seen."""
    outputs = [output for draft in drafts for output in draft.data["metrics"].values()]
    metrics = ", ".join(dict.fromkeys(name for output in outputs for name in output))
    settings = ", ".join(dict.fromkeys(name for draft in drafts for name in draft.data["settings"]))
    first = drafts[0].data
    measure = first.get("measure") or next(iter(first["metrics"]["final"]))
    none = "none; --settings names the columns that are"
    return f"metrics: {metrics}; the measure: {measure}; settings: {settings or none}"


def _drafts(
    table: Path, suite: str, settings: Collection[str], columns: Collection[str], measure: str
) -> Iterator[Draft]:
    lines = text_of(table).splitlines() or [""]
    rows = csv.DictReader(lines, delimiter=max(",;\t", key=lines[0].count), strict=True)
    headings = [heading.strip() for heading in rows.fieldnames or ()]
    try:
        rows.fieldnames = _names(headings, settings, columns)
    except InputError as error:
        raise InputError(error.sentence, table, 1) from None
    seen: dict[tuple[Any, ...], int] = {}
    try:
        for row in rows:
            if None in row or None in row.values():
                raise InputError("the row has not as many cells as the first line")
            data, curve, pictures = _parts(row, settings, table.parent)
            data |= {"suite": suite, "measure": measure, "environment": {}}
            draft = Draft.of({**data, "facts": {"imported from": table.name}}, curve, pictures)
            what = data["case"], data["seed"], data["method"]
            if what in seen:
                raise InputError(f"the same case, and seed or method, as in line {seen[what]}")
            seen[what] = rows.line_num
            yield draft
    except (InputError, csv.Error) as error:
        if isinstance(error, InputError) and error.line:  # of a curve's file
            raise
        raise InputError(str(error), table, rows.line_num) from None
    if not seen:
        raise InputError("the table has no rows", table)


def _names(headings: list[str], settings: Collection[str], columns: Collection[str]) -> list[str]:
    """The names of the columns under these headings; raises InputError."""
    renamed = {}
    for word in columns:
        name, _, heading = word.partition("=")
        if heading not in headings:
            raise InputError(f"no column is headed '{heading}'{nearest(heading, headings)}")
        renamed[heading] = name
    names = [renamed.get(heading, heading) for heading in headings]
    for needed in ("case", *settings):
        if needed not in names:
            raise InputError(f"the table has no column '{needed}'{nearest(needed, names)}")
    if not {"seed", "method"} & set(names):
        raise InputError("the table has neither a column 'seed' nor a column 'method'")
    if len(set(names)) < len(names):
        raise InputError("two columns of the table have the same name")
    return names


Parts = tuple[dict[str, Any], Mapping[str, list[Any]] | None, dict[str, Path]]


def _parts(row: Mapping[str, str], settings: Collection[str], folder: Path) -> Parts:
    """What a row says of its run, its curve, its pictures; an empty cell says nothing."""
    cells = {name: text.strip() for name, text in row.items() if text.strip()}
    texts = {name: cells[name] for name in TEXTS if name in cells}
    data: dict[str, Any] = {"seed": 0, "method": None, "title": cells.get("case"), **texts}
    for name in {"case", "method"} & cells.keys():  # folders are called so
        data[name] = NO_NAME.sub("-", cells[name]).strip("-")
    data |= {name: _number(name, cells[name]) for name in NUMBERS if name in cells}
    if ("seed" in cells) == ("method" in cells):
        raise InputError("a row names either a seed or a method")
    of_outputs: dict[str, dict[str, Any]] = {"metrics": {"final": {}}, "steps": {}}
    pictures = {}
    for name, text in cells.items():
        if name in (*KNOWN, *settings):
            continue
        selector, _, metric = name.rpartition(":")
        selector = selector or "final"
        if metric == "picture":
            pictures[selector] = folder / text
        elif metric == "step":
            of_outputs["steps"][selector] = _number(name, text)
        elif metric.isidentifier():
            number = _number(name, text, "; --settings takes it as a setting")
            of_outputs["metrics"].setdefault(selector, {})[metric] = number
        else:
            tip = f"--columns accuracy='{name}' would give it one"
            raise InputError(f"column '{name}' has no name that a metric may have; {tip}")
    data["settings"] = {name: _value(cells[name]) for name in settings if name in cells}
    data["kind"] = "baseline" if "method" in cells else "run"
    curve = _curve(folder / cells["curve"]) if "curve" in cells else None
    return data | of_outputs, curve, pictures


def _curve(path: Path) -> dict[str, list[float | None]]:
    """The columns of a curve's CSV file; raises InputError with its line."""
    text = text_of(path)
    curve = parse_curve(text, path, text.partition("\n")[0].partition(",")[0])
    columns: dict[str, list[float | None]] = {name: [] for name in curve.columns}
    for line, row in enumerate(curve.rows, 2):
        try:
            for name, cell in zip(curve.columns, row, strict=True):
                columns[name].append(_number(name, cell) if cell else None)
        except InputError as error:
            raise InputError(error.sentence, path, line) from None
    return columns


def _number(name: str, text: str, tip: str = "") -> int | float:
    value = _value(text)
    if isinstance(value, str) or not isfinite(value):
        raise InputError(f"column '{name}': expected a number, got '{text}'{tip}")
    return value


def _value(text: str) -> int | float | str:
    """A cell as what it looks like: an integer, a number, or a text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
