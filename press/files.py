"""Files read as text, their hashes, and files written whole."""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EINVAL
from functools import lru_cache
from pathlib import Path
from stat import S_ISREG

from press.errors import InputError

PICTURES = (".webp", ".png", ".jpg", ".jpeg", ".gif")
SETTLED_NS = 2_000_000_000  # a file that changed less than this ago may change again unseen
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


def content_of(path: Path) -> bytes:
    """A file's content; raises OSError. A record's text is read once while it does not change."""
    stamp = _stamp(path)
    return path.read_bytes() if path.suffix in PICTURES else _content(path, stamp)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that whoever reads it meanwhile gets the old one or the new; or OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".new.{os.getpid()}.{path.name}")
    temporary.write_bytes(data)
    os.replace(temporary, path)


@contextmanager
def fresh_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """A new folder to fill and then to rename; what is left of it in the end is removed."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(dir=parent, prefix=prefix, ignore_cleanup_errors=True) as name:
        os.chmod(name, 0o755)
        yield Path(name)


def sha256_of(data: bytes | Path) -> str:
    """The SHA-256 of bytes, or of a file's content, in hexadecimal."""
    if isinstance(data, bytes):
        return hashlib.sha256(data).hexdigest()
    return _sha256(data, _stamp(data))


def _stamp(path: Path) -> Stamp:
    """What tells this state of a file; another each time while the file is still young.

    Raises OSError for what is none, such as a FIFO, which would keep its reader waiting.
    """
    stat = os.stat(path)
    if not S_ISREG(stat.st_mode):
        raise OSError(EINVAL, "this is not a plain file", str(path))
    now, times = time.time_ns(), (stat.st_ctime_ns, stat.st_mtime_ns)
    young = now if now - max(times) < SETTLED_NS else 0
    return stat.st_dev, stat.st_ino, *times, stat.st_size, young


@lru_cache(maxsize=1024)
def _content(path: Path, _stamp: Stamp) -> bytes:
    return path.read_bytes()


@lru_cache(maxsize=16384)
def _sha256(path: Path, _stamp: Stamp) -> str:
    return sha256_of(content_of(path))
