"""Records of runs: plain files, never trusted when damaged.

A record is a folder with `run.json`, and for a run of the network `curve.csv` and `snapshots/`.
Reading one needs neither torch nor numpy.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import NoneType
from typing import Any

from dip.errors import InputError
from dip.experiments.experiment import Experiment, key
from dip.experiments.test_images import ListedImage, named
from dip.files import sha256_of

FORMAT = 1
CURVE_COLUMNS = (
    "iteration", "loss", "psnr_db", "psnr_known_db", "psnr_unknown_db", "psnr_average_db",
    "windowed_variance",
)  # fmt: skip
NUMBER = (int, float)
NEEDED: dict[str, type | tuple[type, ...]] = {  # what run.json says, and as what
    "kind": str, "suite": str, "image": str, "seed": int, "method": (str, NoneType),
    "experiment": dict, "key": str, "pixels_sha256": dict, "arithmetic": str,
    "trajectory_revision": int, "height": int, "width": int, "channels": int, "metrics": dict,
    "stops": (dict, NoneType), "spikes": int, "environment": dict, "commit": (str, NoneType),
    "started": str, "seconds": NUMBER, "seconds_per_iteration": (*NUMBER, NoneType),
    "files": dict, "seal": str,
}  # fmt: skip

FILE = re.compile(r"\w[\w.-]*(?:/\w[\w.-]*)*")  # the path of a file within the record

CurveRow = tuple[float | None, ...]  # one value for each of CURVE_COLUMNS


def pixels_of(experiment: Experiment, images: Mapping[str, ListedImage]) -> dict[str, str]:
    """The SHA-256 of the pixels of every image that a run reads; raises InputError."""
    return {name: named(name, images).pixels_sha256 for name in experiment.images()}


def identity(
    experiment: Experiment,
    images: Mapping[str, ListedImage],
    precision: str = "ieee",
    revision: int = 1,
) -> dict[str, Any]:
    """All that a record's numbers depend on, and its key, as run.json has them.

    `precision` is ieee, tf32 or bf16; `revision` is the trajectory revision of a kind of device in
    that precision. Raises InputError for an image that is not listed.
    """
    pixels = pixels_of(experiment, images)
    return {
        "experiment": experiment.to_dict(), "key": key(experiment, pixels, precision, revision),
        "pixels_sha256": pixels, "arithmetic": precision, "trajectory_revision": revision,
    }  # fmt: skip


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

    @cached_property
    def experiment(self) -> Experiment:
        """The whole description of what was run."""
        return Experiment.from_dict(self.data["experiment"])

    def path(self, name: str) -> Path:
        """The path of one of the record's files; raises InputError if it has no such file."""
        if name not in self.data["files"]:
            raise InputError(f"the record has no file '{name}'", self.folder / "run.json")
        return self.folder / name

    def snapshot(self, name: str | int) -> Path:
        """The path of an image: an iteration, input, change, average or stop-es-wmv, say."""
        return self.path(f"snapshots/{name}.webp")

    def snapshot_names(self) -> list[str]:
        """The names of the record's images: iterations in their order, then the others."""
        names = [Path(name).stem for name in self.data["files"] if name.startswith("snapshots/")]
        return sorted(names, key=lambda name: (not name.isdigit(), name.zfill(9)))

    def curve(self) -> list[CurveRow]:
        """Read the curve, a row for each recorded iteration; raises InputError if damaged."""
        path = self.path("curve.csv")
        return parse_curve(path.read_text(encoding="utf-8"), path)


def load_record(folder: Path, *, files: bool = False) -> Record:
    """Read a record, its `files` too if asked for; raises InputError if absent or damaged."""
    path = folder / "run.json"
    if not path.is_file():
        damaged = "the record is damaged: this file is missing"
        raise InputError(damaged if folder.is_dir() else "no such record", path)
    try:
        data = json.loads(
            path.read_text(encoding="utf-8"), parse_constant=_finite, parse_float=_finite
        )
    except json.JSONDecodeError as error:
        sentence = f"the record is damaged: {error.msg}"
        raise InputError(sentence, path, error.lineno, error.colno) from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"the record cannot be read: {error}", path) from None
    record = Record(folder, data)
    _check_form(path, record)
    if files:
        check_files(record)
    return record


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text} is no number")
    return number


def _check_form(path: Path, record: Record) -> None:
    data: Any = record.data
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise InputError(f"the record is damaged or of another format than {FORMAT}", path)
    for name in NEEDED:
        if name not in data:
            raise InputError(f"the record is damaged: it lacks '{name}'", path)
    if data["seal"] != seal_of(data):
        raise InputError("the record was changed after it was written: its seal does not fit", path)
    for name, kind in NEEDED.items():
        if not isinstance(data[name], kind):
            raise InputError(f"the record is damaged: '{name}' is {data[name]!r:.80}", path)
    try:
        _ = record.experiment
    except (InputError, TypeError, AttributeError, ValueError, LookupError) as error:
        raise InputError(f"the record is damaged: {error}", path) from None
    inner = data["metrics"].get("snapshots"), data["metrics"].get("final"), data.get("runs", {})
    if not all(isinstance(table, dict) for table in inner):
        raise InputError("the record is damaged: its metrics or its runs are no tables", path)
    if not isinstance(data["metrics"]["final"].get("psnr_db", ""), (*NUMBER, NoneType)):
        raise InputError("the record is damaged: metrics.final.psnr_db is no number", path)
    if not all(map(FILE.fullmatch, [*data["files"], data["key"]])):
        raise InputError("the record is damaged: it has a file or a key of a wrong form", path)


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


def parse_curve(text: str, path: Path) -> list[CurveRow]:
    """Read a curve from CSV text; raises InputError with the line that is damaged."""
    header, *rows = text.splitlines() or [""]
    if header != ",".join(CURVE_COLUMNS):
        raise InputError(
            f"the curve is damaged: its columns are not {', '.join(CURVE_COLUMNS)}", path, 1
        )
    return [_row(row.split(","), path, number) for number, row in enumerate(rows, 2)]


def _row(cells: list[str], path: Path, line: int) -> CurveRow:
    try:
        values = [float(cell) if cell else None for cell in cells]
        if len(values) != len(CURVE_COLUMNS) or values[0] is None:
            raise ValueError
        return (int(values[0]), *values[1:])
    except (ValueError, OverflowError):  # of an iteration that is infinite
        raise InputError("the curve is damaged in this line", path, line) from None
