"""Records as a plain tar file, to carry them from one machine to another.

What comes in is checked before anything of it is put in place.
"""

import io
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from dip.errors import InputError
from dip.files import fresh_file, fresh_folder, is_temporary
from dip.records.record import check_files, load_record
from dip.records.store import find_records, put_in_place

LARGEST, LARGEST_TEXT = 2**30, 2**24  # bytes of a record's file, and of its run.json
PIECE = 2**20  # bytes that are held in memory at a time


def pack(results: Path, archive: Path) -> tuple[int, list[InputError]]:
    """Write the records of `results` that git does not hold as they are into one tar file, whole.

    Returns how many these are, and what is wrong with damaged ones, which are left out. Where
    there is none, no file is written. Raises InputError if the folder is absent, or if something
    else than an archive of records has the file's name.
    """
    if not results.is_dir():
        raise InputError("no such folder of results", results)
    if archive.exists() and not _has_records(archive):
        raise InputError("is there already, and is no archive of records: name another", archive)
    tracked, changed = _git_knows(results)
    damaged, whole = list[InputError](), {}
    for place in find_records(results):
        name = place.relative_to(results).as_posix()
        try:
            record = load_record(place)
            files = [*record.data["files"], "run.json"]
            if name in changed or not {f"{name}/{file}" for file in files} <= tracked:
                check_files(record)
                for file in files:
                    tarfile.TarInfo(f"{name}/{file}").tobuf(tarfile.USTAR_FORMAT)
                whole[name] = files
        except InputError as error:
            damaged.append(error)
        except ValueError as error:
            damaged.append(InputError(f"cannot be packed: {error}", place))
    if whole:
        with (
            fresh_file(archive) as out,
            tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar,
        ):
            for path in (f"{name}/{file}" for name, files in whole.items() for file in files):
                data, header = (results / path).read_bytes(), tarfile.TarInfo(path)
                header.size = len(data)
                tar.addfile(header, io.BytesIO(data))
    return len(whole), damaged


def _has_records(archive: Path) -> bool:
    """Whether a file is a plain tar with a record in it."""
    try:
        return any(PurePosixPath(name).name == "run.json" for name, _, _ in _members(archive))
    except InputError:
        return False


def _git_knows(results: Path) -> tuple[set[str], set[str]]:
    """The files that git holds, and the records that differ there; none of both without git."""
    git = ["git", "-C", str(results)]
    try:
        prefix, tracked, status = (
            subprocess.run(  # names as Python has them, whatever the locale
                [*git, *words],
                capture_output=True,
                check=True,
                encoding=sys.getfilesystemencoding(),
                errors="surrogateescape",
            ).stdout
            for words in (
                ["rev-parse", "--show-prefix"],
                ["ls-files", "-z", "--", "."],
                ["status", "--porcelain", "-z", "-uall", "--", "."],
            )
        )
    except (OSError, subprocess.CalledProcessError):
        return set(), set()
    prefix = prefix.removesuffix("\n")  # alone: a folder's name may begin with a space
    paths = [entry[3:].removeprefix(prefix) for entry in status.split("\0") if entry]
    changed = {"/".join(PurePosixPath(path).parts[:3]) for path in paths}
    return {*tracked.split("\0")}, changed


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
        raise InputError(f"a part of '{name}' is missing in the archive")
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
