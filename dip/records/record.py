"""Records of runs: plain files, written whole, never trusted when damaged.

A record is a folder with `run.json`, and for a run of the network `curve.csv` and `snapshots/`.
Reading one needs neither torch nor numpy.
"""

import csv
import io
import json
import math
import os
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dip.errors import InputError
from dip.experiments.experiment import Experiment, key
from dip.files import fresh_folder, is_temporary, sha256_of

FORMAT = 1
CURVE_COLUMNS = (
    "iteration",
    "loss",
    "psnr_db",
    "psnr_known_db",
    "psnr_unknown_db",
    "psnr_average_db",
    "windowed_variance",
)
NEEDED = (
    "format", "kind", "suite", "image", "seed", "method", "experiment", "key", "pixels_sha256",
    "arithmetic", "trajectory_revision", "height", "width", "channels", "metrics", "stops",
    "spikes", "environment", "commit", "started", "seconds", "seconds_per_iteration", "files",
    "seal",
)  # fmt: skip

CurveRow = tuple[float | None, ...]  # one value for each of CURVE_COLUMNS


@dataclass(frozen=True)
class Record:
    """A recorded run, baseline or mean of runs: its folder and the content of `run.json`."""

    folder: Path
    data: dict[str, Any]

    @property
    def kind(self) -> str:
        """Tell what was recorded: run, baseline or mean."""
        return str(self.data["kind"])

    @property
    def key(self) -> str:
        """Give the key under which the numbers were made."""
        return str(self.data["key"])

    @property
    def metrics(self) -> dict[str, Any]:
        """Give the scores: input, snapshots, final, average, clean_z."""
        metrics: dict[str, Any] = self.data["metrics"]
        return metrics

    @cached_property
    def experiment(self) -> Experiment:
        """Give the whole description of what was run."""
        return Experiment.from_dict(self.data["experiment"])

    def path(self, name: str) -> Path:
        """Give the path of one of the record's files; raises InputError if it has no such file."""
        if name not in self.data["files"]:
            raise InputError(f"the record has no file '{name}'", self.folder / "run.json")
        return self.folder / name

    def snapshot(self, name: str | int) -> Path:
        """Give the path of a picture: an iteration, input, average, stop-oracle or stop-es-wmv."""
        return self.path(f"snapshots/{name}.webp")

    def snapshot_names(self) -> list[str]:
        """Name the record's pictures: iterations in their order, then the others."""
        names = [Path(name).stem for name in self.data["files"] if name.startswith("snapshots/")]
        return sorted(names, key=lambda name: (not name.isdigit(), name.zfill(9)))

    def curve(self) -> list[CurveRow]:
        """Read the curve, a row for each recorded iteration; raises InputError if damaged."""
        path = self.path("curve.csv")
        return parse_curve(path.read_text(encoding="utf-8"), path)


def load_record(folder: Path) -> Record:
    """Read the record in `folder`; raises InputError with its place if absent or damaged."""
    path = folder / "run.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError("no such record", path) from None
    except json.JSONDecodeError as error:
        sentence = f"the record is damaged: {error.msg}"
        raise InputError(sentence, path, error.lineno, error.colno) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the record cannot be read: {error}", path) from None
    _check_form(path, data)
    return Record(folder, data)


def _check_form(path: Path, data: Any) -> None:
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise InputError(f"the record is damaged or of another format than {FORMAT}", path)
    for name in NEEDED:
        if name not in data:
            raise InputError(f"the record is damaged: it lacks '{name}'", path)
    if data["seal"] != seal_of(data):
        raise InputError("the record was changed after it was written: its seal does not fit", path)
    try:
        Experiment.from_dict(data["experiment"])
    except (InputError, TypeError, AttributeError) as error:
        raise InputError(f"the record is damaged: {error}", path) from None


def seal_of(data: Mapping[str, Any]) -> str:
    """Hash all that run.json says but the seal itself, so that no number in it is edited unseen."""
    rest = {name: value for name, value in data.items() if name != "seal"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return sha256_of(text.encode())


def check_files(record: Record) -> None:
    """Compare every file of a record with its hash; raises InputError that names the file."""
    for name, expected in record.data["files"].items():
        path = record.folder / name
        if not path.is_file():
            raise InputError("the record is damaged: this file is missing", path)
        if sha256_of(path) != expected:
            raise InputError("the record is damaged: the hash in run.json is another", path)


def matches(
    record: Record,
    experiment: Experiment,
    pixels: Mapping[str, str],
    *,
    kind: str | None = None,
    method: str | None = None,
) -> bool:
    """Tell whether a record is of this very experiment, whatever revision made it.

    The mode of arithmetic must be the one asked for, or any where the default is asked for. The
    key does not tell one baseline from another: where `kind` is given ("run", "baseline", "mean"),
    it and `method` must be the record's.
    """
    if kind and (kind, method) != (record.kind, record.data["method"]):
        return False
    mode, revision = record.data["arithmetic"], record.data["trajectory_revision"]
    wanted = experiment.arithmetic
    if wanted not in ("default", mode):
        return False
    if not set(experiment.images()) <= set(pixels):
        return False
    has_snapshots = set(map(str, experiment.snapshots)) <= set(record.metrics["snapshots"])
    return has_snapshots and record.key == key(experiment, pixels, mode, revision)


def find_records(results: Path, suite: str = "*") -> list[Path]:
    """The folders of a suite's records, or of all suites', in order.

    What has a temporary name, or was superseded, is no record.
    """
    places = (path.parent for path in results.glob(f"{suite}/*/*/run.json"))
    return sorted(place for place in places if _is_place(place.relative_to(results).parts))


def _is_place(parts: tuple[str, ...]) -> bool:
    return parts[0] != "superseded" and not any(map(is_temporary, parts))


def write_record(
    folder: Path,
    data: Mapping[str, Any],
    files: Mapping[str, bytes],
    put: Callable[[Path, Path], object] = os.replace,
    local_files: Mapping[str, bytes] | None = None,
) -> Record:
    """Write a record whole or not at all, with the hash of each of its files and a seal on all.

    `data` is run.json without "format", "files" and "seal"; `files` maps names to contents;
    `local_files` are sealed too, but stay on this machine: a record is whole without them. `put`
    moves the finished folder to `folder`.
    """
    described = {"format": FORMAT, **data, "files": _hashes(files)}
    if local_files:
        described["local_files"] = _hashes(local_files)
    described["seal"] = seal_of(described)
    with fresh_folder(folder.parent) as fresh:
        for name, content in {**files, **(local_files or {})}.items():
            target = fresh / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        text = json.dumps(described, indent=1, ensure_ascii=False, allow_nan=False)
        (fresh / "run.json").write_text(text + "\n", encoding="utf-8")
        load_record(fresh)
        put(fresh, folder)
    return Record(folder, described)


def _hashes(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: sha256_of(content) for name, content in sorted(files.items())}


def curve_text(rows: Iterable[CurveRow]) -> str:
    """Write a curve as CSV; floats with the fewest digits that give the same float32 again."""
    lines = [",".join(CURVE_COLUMNS)]
    lines += [",".join(_cell(value) for value in row) for row in rows]
    return "\n".join(lines) + "\n"


def _cell(value: float | None) -> str:
    if value is None or math.isnan(value):
        return ""
    return str(value) if isinstance(value, int) else _shortest_float32(value)


def _shortest_float32(value: float) -> str:
    """Give the fewest digits from which the float32 nearest to `value` can be read again."""
    single = struct.unpack("f", struct.pack("f", value))[0]
    for digits in range(1, 10):
        text = f"{single:.{digits}g}"
        if struct.unpack("f", struct.pack("f", float(text)))[0] == single:
            return text
    return repr(single)


def parse_curve(text: str, path: Path) -> list[CurveRow]:
    """Read a curve from CSV text; raises InputError with the line that is damaged."""
    rows = csv.reader(io.StringIO(text))
    if tuple(next(rows, ())) != CURVE_COLUMNS:
        raise InputError(
            f"the curve is damaged: its columns are not {', '.join(CURVE_COLUMNS)}", path, 1
        )
    return [_row(cells, path, number) for number, cells in enumerate(rows, 2)]


def _row(cells: list[str], path: Path, line: int) -> CurveRow:
    try:
        values = [float(cell) if cell else None for cell in cells]
        if len(values) != len(CURVE_COLUMNS) or values[0] is None:
            raise ValueError
    except ValueError:
        raise InputError("the curve is damaged in this line", path, line) from None
    return (int(values[0]), *values[1:])
