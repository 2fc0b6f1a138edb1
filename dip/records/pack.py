"""Records as archives of a limited size, to carry them from one machine to another.

The archives themselves are `dip/records/archives.py`'s.
"""

import math
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from dip.errors import InputError
from dip.files import fresh_folder, is_temporary, sha256_of
from dip.records.archives import BLOCK, Contents, Member, archives_in, shares, write_archives
from dip.records.record import check_files, find_records, load_record
from dip.records.superseded import put_in_place


def warn(error: InputError) -> None:
    """Name a record that was left out, on the error output."""
    print(f"{error}; this record was left out", file=sys.stderr)


def pack(
    results: Path, folder: Path, size_mib: float, tell: Callable[[InputError], object] = warn
) -> list[Path]:
    """Write the records of `results` that are new as archives of at most `size_mib` into `folder`.

    New is what git does not hold as it is, and what no archive in `folder` holds. A record's
    run.json goes in last, so that where it lies, the whole record does. Gives the archives written.
    A record that is damaged, or of which an archive holds another, is told and left out. Raises
    InputError if the size is too small.
    """
    if not math.isfinite(size_mib) or int(size_mib * 2**20) < 8 * BLOCK:
        raise InputError(f"--size {size_mib:g} MiB is too small for an archive, or no size")
    folder.mkdir(parents=True, exist_ok=True)
    files = Contents(archives_in(folder))
    packed = {name: sha256_of(data) for _, name, data in files if name.endswith("/run.json")}
    changed = _changed(results)
    members: list[Member] = []
    for place in find_records(results):
        name = place.relative_to(results).as_posix()
        held = packed.get(f"{name}/run.json")
        is_old = changed is not None and name not in changed
        if is_old or held == sha256_of(place / "run.json"):
            continue
        try:
            found = _members_of(place, name)
            if held:
                raise InputError(
                    f"an archive in '{folder}' holds another record of this run: pack into another"
                    " folder, and unpack that with --replace",
                    place,
                )
            members += found
        except InputError as error:
            tell(error)
    return write_archives(folder, shares(members, int(size_mib * 2**20)))


def _members_of(place: Path, name: str) -> list[Member]:
    """Read the files of a record, run.json last; raises InputError if it is damaged."""
    record = load_record(place)
    check_files(record)
    files = [*record.data["files"], "run.json"]
    return [(f"{name}/{file}", (place / file).read_bytes()) for file in files]


def _changed(results: Path) -> set[str] | None:
    """Name the records that git does not hold as they are; None where there is no git."""
    command = ["git", "-C", str(results), "status", "--porcelain", "-z", "-uall", "--", "."]
    try:
        top = subprocess.run(
            ["git", "-C", str(results), "rev-parse", "--show-prefix"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        told = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    prefix = top.stdout.strip()
    paths = [entry[3:].removeprefix(prefix) for entry in told.stdout.split("\0") if entry]
    return {"/".join(PurePosixPath(path).parts[:3]) for path in paths}


def unpack(archives: Iterable[Path], results: Path, replace: bool = False) -> list[str]:
    """Put the records of `archives` into `results`; give a line for each.

    Every record is checked against its hashes first. Raises InputError for a damaged archive, a
    missing piece, a wrong hash, and for other records in the same places; nothing is then written.
    With `replace` those others are moved to `superseded/<key>/` instead.
    """
    results.mkdir(parents=True, exist_ok=True)
    with fresh_folder(results) as fresh:
        _extract(archives, fresh)
        names = [place.relative_to(fresh) for place in _places(fresh)]
        for name in names:
            _check(fresh / name)
        others = [name for name in names if _is_other(fresh / name, results / name)]
        if others and not replace:
            raise InputError(
                f"another record stands at {', '.join(map(str, others))}: move it away first,"
                " or let --replace move it to superseded",
                results,
            )
        known = [name for name in names if name not in others and (results / name).exists()]
        return [
            f"{name}: was there already"
            if name in known
            else f"{name}: {_put_record(fresh / name, results / name, results)}"
            for name in names
        ]


def _places(fresh: Path) -> list[Path]:
    """List the folders of records, each with its run.json; raises InputError if there is none."""
    places = sorted(path for path in fresh.glob("*/*/*") if path.is_dir())
    if not places:
        raise InputError("no record in these archives")
    for place in places:
        if not (place / "run.json").exists():
            name = place.relative_to(fresh)
            raise InputError(f"a part of '{name}' is missing: give every archive at once")
    return places


def _check(fresh: Path) -> None:
    """Check a record that came in: its hashes, and that it has no other files."""
    record = load_record(fresh)
    check_files(record)
    stray = {p.relative_to(fresh).as_posix() for p in fresh.rglob("*") if p.is_file()}
    stray -= {"run.json", *record.data["files"]}
    if stray:
        raise InputError(f"the archive has '{min(stray)}', which the record does not name")


def _is_other(fresh: Path, place: Path) -> bool:
    """Tell whether anything else than the record that came in stands in its place."""
    if not place.exists():
        return False
    try:
        check_files(load_record(place))
    except InputError:
        return True
    return (place / "run.json").read_bytes() != (fresh / "run.json").read_bytes()


def _put_record(fresh: Path, place: Path, results: Path) -> str:
    """Put a record that came in into its place; say what was done."""
    aside = put_in_place(fresh, place, results)
    return f"unpacked; the old record is now {aside}" if aside else "unpacked"


def _extract(archives: Iterable[Path], fresh: Path) -> None:
    """Write every file of the archives under `fresh`; raises InputError if a piece is missing."""
    contents = Contents(archives)
    for path, name, data in contents:
        _put(fresh, name, data, path)
    for name in contents.missing:
        raise InputError(f"a piece of '{name}' is missing: give every archive at once")


def _put(fresh: Path, name: str, data: bytes, archive: Path) -> None:
    parts = PurePosixPath(name).parts
    if not 4 <= len(parts) <= 5 or any(is_temporary(part) or part == "/" for part in parts):
        raise InputError(f"'{name}' is not the name of a record's file", archive)
    target = fresh.joinpath(*parts)
    if shutil.disk_usage(fresh).free < 2 * len(data):
        raise InputError("the disk is full", fresh)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
