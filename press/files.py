"""Files read as text, their hashes, and files written whole."""

import hashlib
import os
import time
from functools import lru_cache
from pathlib import Path

from press.errors import InputError

PICTURES = (".webp", ".png", ".jpg", ".jpeg", ".gif")
SETTLED_NS = 2_000_000_000  # a file that changed less than this ago may change again unseen
Stamp = tuple[int, ...]  # tells one state of a file from another


def text_of(path: Path) -> str:
    """A file read as UTF-8, with or without a byte order mark; raises InputError with the line."""
    try:
        return path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputError("this is not UTF-8 text", path, line, 1) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path) from None


def content_of(path: Path) -> bytes:
    """A file's content; raises OSError. A record's text is read once while it does not change."""
    stamp = None if path.suffix in PICTURES else _stamp(path)
    return path.read_bytes() if stamp is None else _content(path, stamp)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that whoever reads it meanwhile gets the old one or the new; or OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".new.{os.getpid()}.{path.name}")
    temporary.write_bytes(data)
    os.replace(temporary, path)


def sha256_of(data: bytes | Path) -> str:
    """The SHA-256 of bytes, or of a file's content, in hexadecimal."""
    if isinstance(data, bytes):
        return hashlib.sha256(data).hexdigest()
    stamp = _stamp(data)
    return sha256_of(content_of(data)) if stamp is None else _sha256(data, stamp)


def _stamp(path: Path) -> Stamp | None:
    """What tells this state of a file; None while the file is so young that nothing does."""
    stat = os.stat(path)
    changed_ns = max(stat.st_ctime_ns, stat.st_mtime_ns)
    if time.time_ns() - changed_ns < SETTLED_NS:
        return None
    return stat.st_dev, stat.st_ino, stat.st_ctime_ns, stat.st_mtime_ns, stat.st_size


@lru_cache(maxsize=1024)
def _content(path: Path, _stamp: Stamp) -> bytes:
    return path.read_bytes()


@lru_cache(maxsize=16384)
def _sha256(path: Path, _stamp: Stamp) -> str:
    return sha256_of(content_of(path))
