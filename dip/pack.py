"""Records as archives of a limited size, to carry them from one machine to another.

Archives are plain tar files. A file that does not fit is cut into pieces, `NAME.piece-2-of-3`, that
may lie in several archives.
"""

import io
import math
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

from dip.problems import InputError
from dip.records import check_files, load_record
from dip.schedule import places_in
from dip.superseded import put_in_place

BLOCK = 512  # a tar file's unit; it ends with two empty ones
PIECE = re.compile(r"(.+)\.piece-(\d+)-of-(\d+)")
Member = tuple[str, bytes]


def pack(
    results: Path,
    folder: Path,
    size_mib: float,
    tell: Callable[[InputError], object] | None = None,
) -> list[Path]:
    """Write the records of `results` that are new as archives of at most `size_mib` into `folder`.

    New is what git does not hold as it is, and what no archive in `folder` holds. A record's
    run.json goes in last, so that where it lies, the whole record does. Gives the archives written.
    Raises InputError if the size is too small or a record is damaged; with `tell`, damaged ones are
    told and left out.
    """
    if not math.isfinite(size_mib) or int(size_mib * 2**20) < 8 * BLOCK:
        raise InputError(f"--size {size_mib:g} MiB is too small for an archive, or no size")
    folder.mkdir(parents=True, exist_ok=True)
    packed = {name for path in folder.glob("records-*.tar") for name in _names(path)}
    changed = _changed(results)
    members: list[Member] = []
    for place in places_in(results):
        name = place.relative_to(results).as_posix()
        if f"{name}/run.json" in packed or (changed is not None and name not in changed):
            continue
        try:
            members += _members_of(place, name)
        except InputError as error:
            if tell is None:
                raise
            tell(error)
    return _write(folder, _shares(members, int(size_mib * 2**20)))


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


def _names(path: Path) -> list[str]:
    """Name the files that an archive holds or, of those in pieces, ends."""
    with tarfile.open(path) as archive:
        pieces = [(name, PIECE.fullmatch(name)) for name in archive.getnames()]
    return [
        found[1] if found else name for name, found in pieces if not found or found[2] == found[3]
    ]


def _shares(members: Iterable[Member], limit: int) -> Iterator[list[Member]]:
    """Share members out among archives of at most `limit` bytes, cutting those too large."""
    share: list[Member] = []
    room = free = limit - 2 * BLOCK
    for name, data in members:
        for member in _pieces(name, data, room - BLOCK):
            needed = BLOCK + -(-len(member[1]) // BLOCK) * BLOCK
            if needed > free:
                yield share
                share, free = [], room
            share.append(member)
            free -= needed
    if share:
        yield share


def _pieces(name: str, data: bytes, limit: int) -> list[Member]:
    """Give a file whole, or in pieces of at most `limit` bytes."""
    limit = limit // BLOCK * BLOCK
    count = -(-len(data) // limit)
    if count <= 1:
        return [(name, data)]
    return [
        (f"{name}.piece-{i + 1}-of-{count}", data[i * limit : (i + 1) * limit])
        for i in range(count)
    ]


def _write(folder: Path, shares: Iterable[list[Member]]) -> list[Path]:
    written: list[Path] = []
    number = 1 + max([int(p.stem.split("-")[1]) for p in folder.glob("records-*.tar")], default=0)
    for share in shares:
        path = folder / f"records-{number + len(written):03d}.tar"
        stream = io.BytesIO()
        for name, data in share:
            header = tarfile.TarInfo(name)
            header.size, header.mode = len(data), 0o644
            stream.write(header.tobuf(tarfile.USTAR_FORMAT))
            stream.write(data + bytes(-len(data) % BLOCK))
        fresh = path.with_suffix(".new")
        fresh.write_bytes(stream.getvalue() + bytes(2 * BLOCK))
        os.replace(fresh, path)
        written.append(path)
    return written


def unpack(archives: Iterable[Path], results: Path, replace: bool = False) -> list[str]:
    """Put the records of `archives` into `results`; give a line for each.

    Every record is checked against its hashes first. Raises InputError for a damaged archive, a
    missing piece, a wrong hash, and for other records in the same places; nothing is then written.
    With `replace` those others are moved to `superseded/<key>/` instead.
    """
    results.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=results, prefix=".unpack.") as temporary:
        fresh = Path(temporary)
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
        return [f"{name}: {_put_record(fresh / name, results / name, results)}" for name in names]


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
    """Put a record that came in into its place unless it is there; say what was done."""
    if place.exists() and not _is_other(fresh, place):
        return "was there already"
    aside = put_in_place(fresh, place, results)
    return f"unpacked; the old record is now {aside}" if aside else "unpacked"


def _extract(archives: Iterable[Path], fresh: Path) -> None:
    """Write every file of the archives under `fresh`, joining the pieces."""
    pieces: dict[tuple[str, int], dict[int, bytes]] = {}  # by name and number of pieces
    whole: set[str] = set()
    for path in archives:
        for name, data in _members(path):
            found = PIECE.fullmatch(name)
            if not found:
                _put(fresh, name, data, path)
                continue
            which = found[1], int(found[3])
            parts = pieces.setdefault(which, {})
            parts[int(found[2])] = data
            if len(parts) == int(found[3]):
                _put(fresh, found[1], b"".join(parts[i] for i in sorted(parts)), path)
                del pieces[which]
                whole.add(found[1])
    for name, _ in pieces:
        if name not in whole:  # else a beginning that was packed once more
            raise InputError(f"a piece of '{name}' is missing: give every archive at once")


def _members(path: Path) -> Iterator[Member]:
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isfile() else None
                if file is None:
                    raise InputError(f"'{member.name}' is no plain file", path)
                yield member.name, file.read()
    except FileNotFoundError:
        raise InputError("no such archive", path) from None
    except (tarfile.TarError, OSError, EOFError) as error:
        raise InputError(f"the archive is damaged: {error}", path) from None


def _put(fresh: Path, name: str, data: bytes, archive: Path) -> None:
    parts = PurePosixPath(name).parts
    if not 4 <= len(parts) <= 5 or any(part.startswith(".") or part == "/" for part in parts):
        raise InputError(f"'{name}' is not the name of a record's file", archive)
    target = fresh.joinpath(*parts)
    if shutil.disk_usage(fresh).free < 2 * len(data):
        raise InputError("the disk is full", fresh)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
