"""Records as plain tar files of a limited size, to carry them from one machine to another.

Archives have the names `records-NNN.tar`. A record's run.json goes in last, so that where it lies,
the whole record does. What comes in is checked before anything of it is put in place.
"""

import io
import math
import shutil
import subprocess
import sys
import tarfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from dip.errors import InputError
from dip.files import fresh_file, fresh_folder, is_temporary, sha256_of
from dip.records.record import check_files, load_record
from dip.records.store import find_records, put_in_place

Member = tuple[str, bytes]  # a file's name in the archive, and its content
LARGEST, LARGEST_TEXT = 2**30, 2**24  # bytes of a record's file, and of its run.json
PIECE = 2**20  # bytes that are held in memory at a time


def warn(error: InputError) -> None:
    """Name a record that was left out, on the error output."""
    print(f"{error}; this record was left out", file=sys.stderr)


def pack(
    results: Path, folder: Path, size_mib: float, tell: Callable[[InputError], object] = warn
) -> list[Path]:
    """Write the records of `results` that are new as archives into `folder`; the paths written.

    New is what git does not hold as it is, and what no archive in `folder` holds. An archive has at
    most `size_mib`, but for one file that is larger, which goes into an archive of its own. A
    record that is damaged, or of which an archive holds another, goes to `tell` and is left out.
    Raises InputError if the size is too small.
    """
    limit = int(size_mib * 2**20) if math.isfinite(size_mib) else 0
    if limit < tarfile.RECORDSIZE:
        raise InputError(f"--size {size_mib:g} MiB is too small for an archive, or no size")
    folder.mkdir(parents=True, exist_ok=True)
    packed = {
        name: sha256_of(file.read(size))
        for path in _archives_in(folder).values()
        for name, size, file in _members(path)
        if name.endswith("/run.json")
    }
    changed = _changed(results)
    members: list[Member] = []
    for place in find_records(results):
        name = place.relative_to(results).as_posix()
        held = packed.get(f"{name}/run.json")
        is_old = changed is not None and name not in changed
        if is_old or held == sha256_of(place / "run.json"):
            continue
        try:
            found = _files_of(place, name)
            if held:
                raise InputError(
                    f"an archive in '{folder}' holds another record of this run: pack into another"
                    " folder, and unpack that with --replace",
                    place,
                )
            members += found
        except InputError as error:
            tell(error)
    return _write_archives(folder, members, limit)


def _files_of(place: Path, name: str) -> list[Member]:
    """The files of a record, run.json last; raises InputError if it is damaged."""
    files = [*load_record(place, files=True).data["files"], "run.json"]
    return [(f"{name}/{file}", (place / file).read_bytes()) for file in files]


def _changed(results: Path) -> set[str] | None:
    """The names of the records that git does not hold as they are; None where there is no git."""
    git = ["git", "-C", str(results)]
    try:
        prefix, status = (
            subprocess.run([*git, *words], capture_output=True, text=True, check=True).stdout
            for words in (
                ["rev-parse", "--show-prefix"],
                ["status", "--porcelain", "-z", "-uall", "--", "."],
            )
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    paths = [entry[3:].removeprefix(prefix.strip()) for entry in status.split("\0") if entry]
    return {"/".join(PurePosixPath(path).parts[:3]) for path in paths}


def _archives_in(folder: Path) -> dict[int, Path]:
    """The archives of a folder by number."""
    named = {path.stem.partition("-")[2]: path for path in folder.glob("records-*.tar")}
    return {int(number): path for number, path in named.items() if number.isdecimal()}


def _write_archives(folder: Path, members: Iterable[Member], limit: int) -> list[Path]:
    """Write members in order as the next archives of `folder`, each whole or not at all.

    An archive has at most `limit` bytes, or one member.
    """
    block, record = tarfile.BLOCKSIZE, tarfile.RECORDSIZE  # a tar file is padded to whole records
    room = limit // record * record - 2 * block  # two empty blocks end it
    waiting, written = deque(members), list[Path]()
    while waiting:
        path = folder / f"records-{1 + max(_archives_in(folder), default=0):03d}.tar"
        with (
            fresh_file(path) as file,
            tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as archive,
        ):
            needed = 0
            while waiting and (not archive.offset or archive.offset + needed <= room):
                name, data = waiting.popleft()
                header = tarfile.TarInfo(name)
                header.size = len(data)
                archive.addfile(header, io.BytesIO(data))
                needed = block + -(-len(waiting[0][1]) // block) * block if waiting else 0
        written.append(path)
    return written


def unpack(archives: Iterable[Path], results: Path, replace: bool = False) -> list[str]:
    """Put the records of `archives`, in any order, into `results`; a line for each record.

    Every record is checked against its hashes first. Raises InputError for a damaged archive, a
    record that is not whole, a wrong hash, and for other records in the same places; nothing is
    then written. With `replace` those others are moved to `superseded/KEY/` instead.
    """
    results.mkdir(parents=True, exist_ok=True)
    with fresh_folder(results) as fresh:
        for path in archives:
            for file_name, size, file in _members(path):
                _extract(fresh, file_name, size, file, path)
        places = sorted(path for path in fresh.glob("*/*/*") if path.is_dir())
        names = [place.relative_to(fresh) for place in places]
        if not names:
            raise InputError("no record in these archives")
        for name in names:
            _check(fresh / name, name)
        others = [name for name in names if _is_other(fresh / name, results / name)]
        if others and not replace:
            raise InputError(
                f"another record stands at {', '.join(map(str, others))}: move it away first,"
                " or let --replace move it to superseded",
                results,
            )
        lines = []
        for name in names:
            known = name not in others and (results / name).exists()
            aside = None if known else put_in_place(fresh / name, results / name)
            what = "was there already" if known else "unpacked"
            lines.append(f"{name}: {what}" + (f"; the old record is now {aside}" if aside else ""))
        return lines


def _members(path: Path) -> Iterator[tuple[str, int, IO[bytes]]]:
    """The files of an archive: name, size, and the archive where the content begins.

    Plain tar alone is read, header by header, so that nothing is longer than it stands there.
    Raises InputError if the archive is damaged or packed, or has what is no plain file.
    """
    if not path.is_file():
        raise InputError("is not a plain file" if path.exists() else "no such archive", path)
    with path.open("rb") as file:
        end, block = path.stat().st_size, tarfile.BLOCKSIZE
        while (head := file.read(block)).strip(b"\0"):
            try:
                header = tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
            except tarfile.TarError as error:
                raise InputError(
                    f"the archive is damaged, or no plain tar: {error}", path
                ) from None
            name, size, start = header.name, header.size, file.tell()
            if not name.isprintable():
                raise InputError(f"{name!a} is not the name of a record's file", path)
            if header.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
                raise InputError(f"'{name}' is no plain file", path)
            if not 0 <= size <= end - start:
                raise InputError(f"the archive is damaged: '{name}' is cut off", path)
            if size > LARGEST or (name.endswith("/run.json") and size > LARGEST_TEXT):
                raise InputError(f"'{name}' is larger than any file of a record", path)
            yield name, size, file
            file.seek(start + -(-size // block) * block)


def _extract(fresh: Path, name: str, size: int, file: IO[bytes], archive: Path) -> None:
    """Write a file under `fresh`; raises InputError for a name that is none of a record's files."""
    parts = PurePosixPath(name).parts
    # "..", too, begins with a dot, as every temporary name does.
    is_foreign = any(is_temporary(part) or part == "/" or set(part) & set("\\:") for part in parts)
    if not 4 <= len(parts) <= 5 or is_foreign:
        raise InputError(f"'{name}' is not the name of a record's file", archive)
    target = fresh.joinpath(*parts)
    if shutil.disk_usage(fresh).free < 2 * size:
        raise InputError("the disk is full", fresh)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as copy:
            for start in range(0, size, PIECE):
                copy.write(file.read(min(PIECE, size - start)))
    except OSError as error:  # another file stands where a folder is to be
        raise InputError(f"'{name}' cannot be written: {error.strerror}", archive) from None


def _check(fresh: Path, name: Path) -> None:
    """Check a record that came in: that it is whole, its hashes, and that it has no other files."""
    came = {path.relative_to(fresh).as_posix() for path in fresh.rglob("*") if path.is_file()}
    record = load_record(fresh) if "run.json" in came else None
    if record is None or not record.data["files"].keys() <= came:
        raise InputError(f"a part of '{name}' is missing: give every archive at once")
    check_files(record)
    stray = came - {"run.json", *record.data["files"]}
    if stray:
        raise InputError(f"the archive has '{min(stray)}', which the record does not name")


def _is_other(fresh: Path, place: Path) -> bool:
    """Whether anything else than the record that came in stands in its place."""
    if not place.exists():
        return False
    try:
        load_record(place, files=True)
    except InputError:
        return True
    return (place / "run.json").read_bytes() != (fresh / "run.json").read_bytes()
