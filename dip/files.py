"""Files written whole or not at all, and their hashes."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path


def write_bytes_whole(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a reader sees the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_text_whole(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, whole or not at all."""
    write_bytes_whole(path, text.encode())


def replace_folder(new: Path, old: Path) -> None:
    """Put the finished folder `new` where `old` is; `old` is removed only once `new` stands."""
    old.parent.mkdir(parents=True, exist_ok=True)
    if not old.exists():
        os.replace(new, old)
        return
    aside = Path(tempfile.mkdtemp(dir=old.parent, prefix=f".{old.name}.old."))
    os.replace(old, aside / old.name)
    os.replace(new, old)
    shutil.rmtree(aside, ignore_errors=True)


def sha256_of(data: bytes | Path) -> str:
    """Give the SHA-256 of bytes, or of a file's content, in hexadecimal."""
    return hashlib.sha256(data.read_bytes() if isinstance(data, Path) else data).hexdigest()
