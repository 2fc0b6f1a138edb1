"""Records from a table of results that exists already: a CSV file with a row for each run.

docs/records.md says what its columns are.
"""

import csv
import re
from collections.abc import Collection, Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from press.diagnostics import counted
from press.errors import InputError, nearest
from press.files import text_of
from press.results.record import parse_curve
from press.results.recording import Draft, draft, stands, write
from press.results.schema import is_finite

NO_NAME = re.compile("[^A-Za-z0-9_.+-]+")
TEXTS, NUMBERS = ("title", "command"), ("seed", "seconds")
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
    same = {"suite": suite, "measure": measure, "environment": {}}
    same["facts"] = {"imported from": table.name}
    drafts = list(_drafts(table, results, settings, columns, same))
    stand = [stands(one) for one in drafts]
    if False in stand and not replace:
        place = drafts[stand.index(False)].folder
        raise InputError("another record stands here; --replace moves it aside", place)
    for one in drafts:
        write(one, replace)
    there = f"; {stand.count(True)} stood there already" if any(stand) else ""
    written = counted(len(drafts) - stand.count(True), "record")
    outputs = [output for one in drafts for output in one.data["metrics"].values()]
    metrics = ", ".join(dict.fromkeys(name for output in outputs for name in output))
    measure = measure or next(iter(drafts[0].data["metrics"]["final"]))
    taken = ", ".join(settings) or "none; --settings names the columns that are"
    return (
        f"{written} written to {results / suite}{there}\n"
        f"metrics: {metrics}; the measure: {measure}; settings: {taken}"
    )


def _drafts(
    table: Path,
    results: Path,
    settings: Collection[str],
    columns: Collection[str],
    same: Mapping[str, Any],
) -> Iterator[Draft]:
    names = list[str]()
    seen = dict[Path, int]()
    folders = dict[tuple[str, str], str]()
    for line, cells in _rows(table):
        try:
            if not names:
                names = _names([heading.strip() for heading in cells], settings, columns)
                continue
            if len(cells) != len(names):
                raise InputError("the row has not as many cells as the first line")
            row = dict(zip(names, cells, strict=True))
            _tell_apart(row, folders)
            data, curve, pictures = _parts(row, settings, table.parent)
            one = draft(results, {**data, **same}, curve, pictures)
            if first := seen.get(one.folder):
                raise InputError(f"the same case, and seed or method, as in line {first}")
        except InputError as error:
            if error.line:  # of a curve's file
                raise
            raise InputError(str(error), table, line) from None
        seen[one.folder] = line
        yield one
    if not seen:
        raise InputError("the table has no rows", table)


def _tell_apart(row: Mapping[str, str], folders: dict[tuple[str, str], str]) -> None:
    """Two cases, or methods, of one folder would be averaged as one; raises InputError."""
    for column in ("case", "method"):
        word = row.get(column, "").strip()
        folder = _folder(word)
        if folder and (other := folders.setdefault((column, folder.casefold()), word)) != word:
            where = f", '{folder}'" if folder == _folder(other) else " on macOS and Windows"
            sentence = f"'{other}' and '{word}' would have the same folder{where}"
            raise InputError(f"column '{column}': {sentence}; give one another name")


def _folder(word: str) -> str:
    return NO_NAME.sub("-", word).strip("-")


def _rows(table: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each behind the line where it begins; raises InputError."""
    text = text_of(table)
    divider = max(",;\t", key=text.lstrip("\n").partition("\n")[0].count)
    rows, line = csv.reader(StringIO(text), delimiter=divider, strict=True), 1
    try:
        for cells in rows:
            if cells:
                yield line, cells
            line = rows.line_num + 1
    except csv.Error as error:
        unclosed = str(error) == "unexpected end of data"
        sentence = "a quotation mark opens in this row and is not closed"
        raise InputError(sentence if unclosed else str(error), table, line) from None


def _names(headings: list[str], settings: Collection[str], columns: Collection[str]) -> list[str]:
    """The names of the columns under these headings; raises InputError."""
    renamed = {heading: name for name, _, heading in (word.partition("=") for word in columns)}
    for heading in renamed:
        if heading not in headings:
            raise InputError(f"no column is headed '{heading}'{nearest(heading, headings)}")
    names = [renamed.get(heading, heading) for heading in headings]
    for needed in ("case", *settings):
        if needed not in names:
            tip = f"--columns {needed}=HEADING says which it is"
            raise InputError(f"the table has no column '{needed}'; {tip}")
    if len(set(names)) < len(names):
        raise InputError("two columns of the table have the same name")
    return names


Parts = tuple[dict[str, Any], Mapping[str, list[Any]] | None, dict[str, Path]]


def _parts(row: Mapping[str, str], settings: Collection[str], folder: Path) -> Parts:
    """What a row says of its run, its curve, its pictures; an empty cell says nothing."""
    cells = {name: text.strip() for name, text in row.items() if text.strip()}
    if ("seed" in cells) == ("method" in cells):
        raise InputError("a row names either a seed or a method")
    data: dict[str, Any] = {
        "kind": "baseline" if "method" in cells else "run", "title": cells.get("case"),
        "seed": 0, "method": None,
        **{name: cells[name] for name in TEXTS if name in cells},
        **{name: _number(name, cells[name]) for name in NUMBERS if name in cells},
        "settings": {name: _value(cells[name]) for name in settings if name in cells},
        "metrics": {"final": {}}, "steps": {},
    }  # fmt: skip
    for name in {"case", "method"} & cells.keys():  # folders are called so
        data[name] = _folder(cells[name])
        if not data[name]:
            sentence = f"no folder can be named after '{cells[name]}'; that takes letters of a to z"
            raise InputError(f"column '{name}': {sentence}, or digits")
    pictures = {}
    for name, text in cells.items():
        if name in (*KNOWN, *settings):
            continue
        selector, _, metric = name.rpartition(":")
        selector = selector or "final"
        if metric == "picture":
            pictures[selector] = folder / text
        elif metric == "step":
            data["steps"][selector] = _number(name, text)
        elif metric.isidentifier():
            number = _number(name, text, "; --settings takes it as a setting")
            data["metrics"].setdefault(selector, {})[metric] = number
        else:
            tip = f"--columns accuracy='{name}' would give it one"
            raise InputError(f"column '{name}' has no name that a metric may have; {tip}")
    return data, _curve(folder / cells["curve"]) if "curve" in cells else None, pictures


def _curve(path: Path) -> dict[str, list[float | None]]:
    """The columns of a curve's CSV file; raises InputError with its line."""
    text = text_of(path)
    head = next(csv.reader(text.splitlines()[:1]), [])
    curve = parse_curve(text, path, *head[:1])
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
    if isinstance(value, str) or not is_finite(value):
        looks_like_one = re.fullmatch(r"[-\u2212]?[\d.,]+ ?%?", text)
        if looks_like_one:
            tip = "; a number has a point, a hyphen as its minus, and no unit"
        elif text.lower() in ("nan", "n/a", "na", "-", "--", "none", "null"):
            tip = "; the cell of what was not measured is empty"
        raise InputError(f"column '{name}': expected a number, got '{text}'{tip}")
    return value


def _value(text: str) -> int | float | str:
    """A cell as what it looks like: an integer, a number, or a text."""
    for kind in (int, float) if "_" not in text else ():  # to Python 32_64 is 3264
        try:
            return kind(text)
        except ValueError:
            continue
    return text
