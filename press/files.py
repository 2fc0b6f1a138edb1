"""Files read as text, their hashes, and files written whole."""

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EINVAL
from functools import lru_cache
from math import isfinite
from pathlib import Path
from stat import S_ISREG
from typing import Any

from press.errors import InputError

PICTURES = (".webp", ".png", ".jpg", ".jpeg", ".gif")
TEMPORARY = ".new."  # how the name of what is not whole yet begins
LEFT_AFTER_S = 24 * 3600.0  # nothing is written under one temporary name for as long as a day
SETTLED_NS = 2_000_000_000  # a file that changed less than this ago may change again unseen
# What neither XML nor a page can hold, and what else has no place in a text of one line.
FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
NOT_IN_LINE = re.compile(rf"{FORBIDDEN.pattern}|[\t\n\r\x7f-\x9f\u2028\u2029]")
Stamp = tuple[int, ...]  # tells one state of a file from another


def text_of(path: Path) -> str:
    """A file read as UTF-8, with or without a byte order mark; raises InputError with the line."""
    try:
        return content_of(path).decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputError("this is not UTF-8 text", path, line, 1) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path) from None


def json_of(text: str, path: Path) -> Any:
    """The value of a JSON text; raises InputError with its place in `path` if it is none.

    Numbers that are not finite are none, nor are those of thousands of digits, nor half a letter.
    """

    def finite(digits: str) -> float:
        if isfinite(number := float(digits)):
            return number
        named = re.search(rf'"([^"]*)"\s*:[^":]*?(?<![\w.+-]){re.escape(digits)}(?![\w.])', text)
        name, line = ("a number", None)
        if named:
            name, line = f"'{named[1]}'", text.count("\n", 0, named.end()) + 1
        raise InputError(f"{name} is {digits}, which is not finite", path, line)

    try:
        value = json.loads(text, parse_constant=finite, parse_float=finite)
        if re.search(r"\\u[dD][89a-fA-F]", text):
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise InputError(error.msg, path, error.lineno, error.colno) from None
    except RecursionError:
        raise InputError("it is nested too deeply", path) from None
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        line = text[: text.lower().find(half)].count("\n") + 1
        raise InputError(f"{half} is half a letter", path, line) from None
    except ValueError:  # the only other one
        raise InputError("a number in it has too many digits", path) from None
    return value


def content_of(path: Path) -> bytes:
    """A file's content; raises OSError. A record's text is read once while it does not change."""
    stamp = _stamp(path)
    return path.read_bytes() if path.suffix in PICTURES else _content(path, stamp)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Have what the system refuses inside, such as a full disk, name this file if none is named."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that whoever reads it meanwhile gets the old one or the new; or OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{TEMPORARY}{os.urandom(8).hex()}")
    try:
        with naming(path), temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def fresh_folder(
    parent: Path, prefix: str = TEMPORARY, left_after_s: float = LEFT_AFTER_S
) -> Iterator[Path]:
    """A new folder to fill and then to rename; what is left of it in the end is removed.

    What a killed process left under such a name goes first, if it is that old.
    """
    sweep(parent, prefix, left_after_s)
    folder = parent / f"{prefix}{os.urandom(8).hex()}"
    folder.mkdir()  # with the permissions that the umask leaves
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(folder: Path, prefix: str = TEMPORARY, left_after_s: float = LEFT_AFTER_S) -> None:
    """Remove what a killed process left in a folder under a temporary name, if it is that old."""
    for left in [path for path in folder.iterdir() if path.name.startswith(prefix)]:
        with suppress(OSError):  # another process sweeps too, or it is not ours
            if time.time() - left.stat().st_mtime >= left_after_s:
                shutil.rmtree(left) if left.is_dir() else left.unlink()


def sync_tree(folder: Path) -> None:
    """Wait until a folder and all that is in it is on the disk, as before it takes a place.

    A file with a second name stands elsewhere too, and was on the disk before.
    """
    from concurrent.futures import ThreadPoolExecutor

    def sync(path: Path) -> None:
        if path.stat().st_nlink == 1:
            with path.open("r+b") as file:
                os.fsync(file.fileno())

    places = [(Path(place), names) for place, _, names in os.walk(folder)]
    with ThreadPoolExecutor(16) as pool:  # a disk does many at once in the time of a few
        list(pool.map(sync, [place / name for place, names in places for name in names]))
        list(pool.map(sync_names, [place for place, _ in places]))


def sync_names(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where the system can be asked for that."""
    with suppress(OSError):  # Windows opens no folder, and some network disks sync none
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sha256_of(data: bytes | Path) -> str:
    """The SHA-256 of bytes, or of a file's content, in hexadecimal."""
    if isinstance(data, bytes):
        return hashlib.sha256(data).hexdigest()
    return _sha256(data, _stamp(data))


def state_of(path: Path) -> Stamp:
    """What tells this state of a file, whatever time it was given.

    Raises OSError for what is none, such as a FIFO, which would keep its reader waiting.
    """
    stat = os.stat(path)
    if not S_ISREG(stat.st_mode):
        raise OSError(EINVAL, "this is not a plain file", str(path))
    return stat.st_ctime_ns, stat.st_mtime_ns, stat.st_dev, stat.st_ino, stat.st_size


def _stamp(path: Path) -> Stamp:
    """The state of a file; another each time while the file is still young."""
    state, now = state_of(path), time.time_ns()
    return *state, now if now - max(state[:2]) < SETTLED_NS else 0


@lru_cache(maxsize=1024)
def _content(path: Path, _stamp: Stamp) -> bytes:
    return path.read_bytes()


@lru_cache(maxsize=16384)
def _sha256(path: Path, _stamp: Stamp) -> str:
    return sha256_of(content_of(path))
