"""Records of runs, as they lie under results/: plain files, never trusted when damaged.

A record is a folder with `run.json`, and, where there are such, `curve.csv` and pictures. In memory
it is of format 2 (docs/records.md), whichever it was written in.
"""

import csv
import json
import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from math import inf, isfinite, nextafter
from operator import itemgetter
from pathlib import Path
from typing import Any

from press.errors import InputError, nearest
from press.files import Stamp, content_of, json_of, sha256_of, state_of
from press.results.format_1 import general_form
from press.results.schema import mistakes

CURVE = "curve.csv"
FORMATS = (1, 2)
EXACT, INTEGER = 2.0**53, re.compile(r" *[+-]?[0-9]+ *")  # above it a float skips integers


@dataclass(frozen=True)
class Curve:
    """What was measured in the course of a run, as it lies in its CSV file.

    A column is read when it is asked for: a page needs one or two of them.
    """

    columns: tuple[str, ...] = ()
    rows: tuple[list[str], ...] = ()
    path: Path = Path()
    _read: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def points(self, column: str, after: float = -inf) -> list[tuple[float, float]]:
        """The steps above `after` at which a column has a value, each with that value.

        Of a run without a curve there are none. Raises InputError for a column that the curve has
        not, and with the line that is damaged.
        """
        if not self.columns:
            return []
        if column not in self.columns:
            raise InputError(f"the curve has no '{column}'{nearest(column, self.columns)}")
        if column not in self._read:
            self._read[column] = self._points(self.columns.index(column))
        points = self._read[column]
        return points[bisect_right(points, after, key=itemgetter(0)) :]

    def at(self, step: int) -> dict[str, float]:
        """What its columns have at a step; those without a value there are left out."""
        before = nextafter(step, -inf)
        found = {name: self.points(name, after=before)[:1] for name in self.columns[1:]}
        return {name: one[0][1] for name, one in found.items() if one and one[0][0] == step}

    def _points(self, place: int) -> list[tuple[float, float]]:
        """The points of a column; only what is asked for is read as numbers."""
        points, last = list[tuple[float, float]](), -inf
        for line, row in enumerate(self.rows, 2):
            if not row[place]:
                continue
            try:
                step, value = float(row[0]), float(row[place])
            except ValueError:
                raise InputError("the curve is damaged in this line", self.path, line) from None
            if not (last < step < inf and isfinite(value)):
                sentence = f"the curve is not finite in this line, or '{self.columns[0]}' falls"
                raise InputError(sentence, self.path, line)
            if abs(value) >= EXACT and INTEGER.fullmatch(row[place]) and int(row[place]) != value:
                sentence = "an integer in this line is above 2^53, and no float holds it exactly"
                raise InputError(sentence, self.path, line)
            points.append((step, value))
            last = step
        return points


@dataclass(frozen=True)
class Record:
    """A recorded run, baseline or mean of runs, in format 2 whichever it was written in.

    An output of it is chosen by its selector: final, at.1000, stop.oracle, average, clean, input.
    """

    folder: Path
    data: Mapping[str, Any]  # what run.json says, unchanged
    kind: str  # run, baseline or mean
    suite: str
    case: str  # what was solved, as its folder has it
    seed: int
    method: str | None  # of a baseline or mean; None for a run
    key: str  # under which the numbers were made
    settings: Mapping[str, Any]
    metrics: Mapping[str, Mapping[str, float | None]]  # by selector and metric; None: not scored
    measure: str  # the metric that is meant where none is named
    environment: Mapping[str, Any]  # the device, versions
    files: Mapping[str, str]  # the SHA-256 of each
    followed: str = ""  # the metric that its curve has in place of the measure, if another
    title: str = ""  # of the case, as a page writes it
    axis: str = ""  # what the curve's first column counts: iteration, epoch ...
    steps: Mapping[str, int] = field(default_factory=dict)  # by selector, on that axis
    pictures: Mapping[str, str] = field(default_factory=dict)  # files by selector; two may share
    preview: bool = False  # of a smaller problem than the paper's, so never judged
    facts: Mapping[str, str] = field(default_factory=dict)  # what else its page says of it, by name
    started: str = ""  # in UTC: 2026-11-24T06:55:55Z
    seconds: float | None = None  # wall seconds, if known
    command: str = ""  # that makes it, if known

    @property
    def run(self) -> str:
        """The last part of its place: seed0, or the method's name."""
        return self.method or f"seed{self.seed}"

    @property
    def last_step(self) -> int | None:
        """Where the last output was taken; None for what is made in one piece."""
        return self.steps.get("final")

    @property
    def rules(self) -> list[str]:
        """The stopping rules that chose an output of it."""
        return [selector[5:] for selector in self.metrics if selector.startswith("stop.")]

    def file(self, name: str) -> Path:
        """The path of one of its files, hash checked; raises InputError if it is damaged."""
        path = self.folder / name
        if not path.is_file():
            raise InputError("the record is damaged: this file is missing", path)
        if sha256_of(path) != self.files[name]:
            raise InputError("the record is damaged: the hash in run.json is another", path)
        return path


def read_record(folder: Path) -> Record:
    """The record in `folder`; raises InputError with its place if it is absent or damaged."""
    path = folder / "run.json"
    try:
        return _record(folder, state_of(path))
    except FileNotFoundError:
        damaged = "the record is damaged: this file is missing"
        raise InputError(damaged if folder.is_dir() else "no such record", path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the record cannot be read: {error}", path) from None


@lru_cache(maxsize=4096)
def _record(folder: Path, _state: Stamp) -> Record:
    """Read a record; kept for as long as its file does not change, so that `serve` sees it."""
    path = folder / "run.json"

    def damaged(sentence: str, line: int | None = None, column: int | None = None) -> InputError:
        return InputError(f"the record is damaged: {sentence}", path, line, column)

    text = content_of(path).decode()
    try:
        data = json_of(text, path)
    except InputError as error:
        raise damaged(error.sentence, error.line, error.column) from None
    if not isinstance(data, dict) or data.get("format") not in FORMATS:
        known = " or ".join(map(str, FORMATS))
        raise InputError(f"the record is damaged or of another format than {known}", path)
    try:
        if data["seal"] != seal_of(data):
            sentence = "the record was changed after it was written: its seal does not fit"
            raise InputError(sentence, path)
        general = data if data["format"] == 2 else general_form(data, folder.parent.name)
    except KeyError as error:
        raise damaged(f"it lacks {error}") from None
    except (TypeError, AttributeError):
        raise damaged("a part of it is of a wrong type") from None
    for sentence, line in mistakes(general, text):
        raise damaged(sentence, line)
    return Record(folder, data, **_fields(general))


def _fields(general: dict[str, Any]) -> dict[str, Any]:
    """What a record's attributes are, with what format 2 leaves out where it is plain."""
    steps = {s: int(s[3:]) for s in general["metrics"] if s.startswith("at.")}
    fields = {name: value for name, value in general.items() if name in Record.__annotations__}
    fields["steps"] = steps | general.get("steps", {})
    fields.setdefault("measure", next(iter(general["metrics"]["final"]), ""))
    return fields


def seal_of(data: Mapping[str, Any]) -> str:
    """The hash of all that run.json says but the seal; ValueError for a number not finite."""
    rest = {name: value for name, value in data.items() if name != "seal"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return sha256_of(text.encode())


@lru_cache(maxsize=256)
def parse_curve(text: str, path: Path, axis: str = "iteration") -> Curve:
    """A curve over `axis` from CSV text; raises InputError with the line that is damaged."""
    lines = csv.reader(text.splitlines())
    try:
        columns, *rows = list(lines) or [[]]
    except csv.Error:
        raise InputError("the curve is damaged in this line", path, lines.line_num) from None
    if columns[:1] != [axis]:
        raise InputError(f"the curve is damaged: its first column is not '{axis}'", path, 1)
    if set(map(len, rows)) - {len(columns)}:
        line = next(n for n, cells in enumerate(rows, 2) if len(cells) != len(columns))
        raise InputError("the curve is damaged in this line", path, line)
    return Curve(tuple(columns), tuple(rows), path)
