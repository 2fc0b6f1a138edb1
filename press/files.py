"""Files read as text, and their hashes."""

import hashlib
from pathlib import Path

from press.errors import InputError


def text_of(path: Path) -> str:
    """A file read as UTF-8, with or without a byte order mark; raises InputError with the line."""
    try:
        return path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputError("this is not UTF-8 text", path, line, 1) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path) from None


def sha256_of(data: bytes | Path) -> str:
    """The SHA-256 of bytes, or of a file's content, in hexadecimal."""
    return hashlib.sha256(data.read_bytes() if isinstance(data, Path) else data).hexdigest()
