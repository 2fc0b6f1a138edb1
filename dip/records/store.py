"""Where records stand: written whole or not at all, found, and moved aside, never lost.

A record stands at `SUITE/IMAGE/RUN` of a folder of results; one that gave way to another, at
`superseded/KEY/`.
"""

import json
import math
import os
import struct
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from dip.errors import InputError
from dip.files import fresh_folder, is_temporary, sha256_of, sync_folder, sync_tree
from dip.records.record import CURVE_COLUMNS, FORMAT, CurveRow, Record, load_record, seal_of


def write_record(
    folder: Path,
    data: Mapping[str, Any],
    files: Mapping[str, bytes],
    local_files: Mapping[str, bytes] | None = None,
    announce: Callable[[str], object] = lambda sentence: None,
) -> Record:
    """Write the record of `folder`, which is `RESULTS/SUITE/IMAGE/RUN`, whole or not at all.

    `data` is run.json without "format", "files" and "seal"; `files` maps relative names to
    contents; `local_files` are sealed too, but stay on this machine: a record is whole without
    them. Raises ValueError for a number that is not finite, and InputError for an incomplete
    record; what stood in `folder` then stands there still.
    """
    # What is written: every file and its hash, a seal on run.json; under a temporary name.
    described = {"format": FORMAT, **data, "files": _hashes(files)}
    if local_files:
        described["local_files"] = _hashes(local_files)
    described["seal"] = seal_of(described)
    text = json.dumps(described, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    with fresh_folder(folder.parent) as fresh:
        for name, content in {**files, **(local_files or {}), "run.json": text.encode()}.items():
            target = fresh / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        load_record(fresh)  # a record that could not be read again is never put in place
        # What is superseded: the record that stood here, once the new one is on the disk.
        aside = put_in_place(fresh, folder)
    # What is announced: where the old record went.
    if aside:
        announce(f"{'/'.join(folder.parts[-3:])}: the old record is now {aside}")
    return Record(folder, described)


def _hashes(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: sha256_of(content) for name, content in sorted(files.items())}


def put_in_place(fresh: Path, folder: Path) -> Path | None:
    """Rename a finished folder to `folder`; the new place of the record that stood there, or None.

    The old record is moved aside first, by one rename, and comes back if the second one fails. The
    new one is on the disk, with all its files and the names that lead to it, when this returns.
    """
    sync_tree(fresh)
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = move_aside(folder)
    try:
        os.replace(fresh, folder)
    except BaseException:  # an interrupt too
        if aside:
            os.replace(aside, folder)
        raise
    for place in filter(None, (aside, folder)):
        for parent in place.parents[:3]:  # each may be new
            sync_folder(parent)
    return aside


def move_aside(folder: Path) -> Path | None:
    """Move a record to `superseded/KEY/`, or `damaged/`; its new place, None without one."""
    if not folder.exists():
        return None
    try:
        key = load_record(folder, files=True).key
    except InputError:
        key = "damaged"
    place = folder.parents[2] / "superseded" / key
    place.mkdir(parents=True, exist_ok=True)
    name = "-".join(folder.parts[-3:])
    aside = place / f"{name}-{os.urandom(4).hex()}" / folder.name
    aside.parent.mkdir()
    os.replace(folder, aside)
    return aside


def find_records(results: Path, suite: str = "*") -> list[Path]:
    """The folders of a suite's records, or of all; without temporary and superseded ones."""
    places = sorted(path.parent for path in results.glob(f"{suite}/*/*/run.json"))
    names = {place: place.parts[-3:] for place in places}
    ours = (place for place in places if names[place][0] != "superseded")
    return [place for place in ours if not any(map(is_temporary, names[place]))]


def curve_text(rows: Iterable[CurveRow]) -> str:
    """A curve as CSV; floats with the fewest digits that give the same float32 again."""
    lines = [CURVE_COLUMNS, *([_cell(value) for value in row] for row in rows)]
    return "".join(f"{','.join(line)}\n" for line in lines)


def _cell(value: float | None) -> str:
    if value is None or math.isnan(value):
        return ""
    return str(value) if isinstance(value, int) else _shortest_float32(value)


def _shortest_float32(value: float) -> str:
    """The fewest digits from which the float32 nearest to `value` can be read again."""
    single = struct.unpack("f", struct.pack("f", value))[0]
    for digits in range(1, 10):
        text = f"{single:.{digits}g}"
        if struct.unpack("f", struct.pack("f", float(text)))[0] == single:
            return text
    return repr(single)
