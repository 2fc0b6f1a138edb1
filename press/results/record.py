"""Records of runs, as they lie under results/: plain files, never trusted when damaged.

A record is a folder with `run.json`, and for a run with iterations `curve.csv` and `snapshots/`.
"""

import csv
import json
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import lru_cache
from math import inf
from pathlib import Path
from typing import Any

from press.errors import InputError
from press.files import content_of, sha256_of

FORMAT = 1
NEEDED = (
    "format", "kind", "suite", "image", "seed", "method", "experiment", "key", "metrics", "stops",
    "environment", "seconds", "files", "seal",
)  # fmt: skip


@dataclass(frozen=True)
class Curve:
    """What was measured in the course of a run, as it lies in its CSV file.

    A column is read when it is asked for: a page needs one or two of them.
    """

    columns: tuple[str, ...] = ()
    rows: tuple[list[str], ...] = ()
    path: Path = Path()
    _read: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def points(self, column: str, after: float = -1) -> list[tuple[float, float]]:
        """The iterations above `after` at which a column has a value, each with that value.

        Raises InputError with the line that is damaged.
        """
        if column not in self.columns:
            return []
        if column not in self._read:
            place, found = self.columns.index(column), list[tuple[float, float]]()
            for line, row in enumerate(self.rows, 2):
                try:
                    if row[place]:
                        found.append((float(row[0]), float(row[place])))
                except ValueError:
                    raise InputError("the curve is damaged in this line", self.path, line) from None
            self._read[column] = found
        points = self._read[column]
        return points[bisect_right(points, (after, inf)) :]


@dataclass(frozen=True)
class Record:
    """A recorded run, baseline or mean of runs: its folder and the content of `run.json`."""

    folder: Path
    data: dict[str, Any]

    @property
    def kind(self) -> str:
        """What was recorded: run, baseline or mean."""
        return str(self.data["kind"])

    @property
    def key(self) -> str:
        """The key under which the numbers were made, 16 hexadecimal digits."""
        return str(self.data["key"])

    @property
    def metrics(self) -> dict[str, Any]:
        """The scores of input, snapshots, final, average and clean_z; PSNR in dB."""
        metrics: dict[str, Any] = self.data["metrics"]
        return metrics

    def snapshot_names(self) -> list[str]:
        """The names of the record's images: iterations in their order, then the others."""
        names = [Path(name).stem for name in self.data["files"] if name.startswith("snapshots/")]
        return sorted(names, key=lambda name: (not name.isdigit(), name.zfill(9)))

    def file(self, name: str) -> Path:
        """The path of one of its files, hash checked; raises InputError if it is damaged."""
        path = self.folder / name
        if not path.is_file():
            raise InputError("the record is damaged: this file is missing", path)
        if sha256_of(path) != self.data["files"][name]:
            raise InputError("the record is damaged: the hash in run.json is another", path)
        return path


def read_record(folder: Path) -> Record:
    """The record in `folder`; raises InputError with its place if it is absent or damaged."""
    path = folder / "run.json"
    try:
        state = path.stat()
        return _record(folder, state.st_mtime_ns, state.st_size)
    except FileNotFoundError:
        raise InputError("no such record", path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the record cannot be read: {error}", path) from None


@lru_cache(maxsize=4096)
def _record(folder: Path, _changed_ns: int, _size: int) -> Record:
    """Read a record; kept for as long as its file does not change, so that `serve` sees it."""
    path = folder / "run.json"
    try:
        data = json.loads(content_of(path).decode())
    except json.JSONDecodeError as error:
        sentence = f"the record is damaged: {error.msg}"
        raise InputError(sentence, path, error.lineno, error.colno) from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise InputError(f"the record is damaged or of another format than {FORMAT}", path)
    for name in NEEDED:
        if name not in data:
            raise InputError(f"the record is damaged: it lacks '{name}'", path)
    if data["seal"] != _seal_of(data):
        raise InputError("the record was changed after it was written: its seal does not fit", path)
    return Record(folder, data)


def _seal_of(data: dict[str, Any]) -> str:
    """The hash of all that run.json says but the seal itself, as its writer makes it."""
    rest = {name: value for name, value in data.items() if name != "seal"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return sha256_of(text.encode())


@lru_cache(maxsize=256)
def parse_curve(text: str, path: Path) -> Curve:
    """A curve from CSV text; raises InputError with the line that is damaged."""
    columns, *rows = list(csv.reader(text.splitlines())) or [[]]
    if columns[:1] != ["iteration"]:
        raise InputError("the curve is damaged: its first column is not 'iteration'", path, 1)
    if set(map(len, rows)) - {len(columns)}:
        line = next(n for n, cells in enumerate(rows, 2) if len(cells) != len(columns))
        raise InputError("the curve is damaged in this line", path, line)
    return Curve(tuple(columns), tuple(rows), path)
