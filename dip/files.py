"""Files and folders written whole or not at all, and their hashes.

What is being written has a temporary name beside its place until it is renamed. No reader of
results takes such a name for a result, and `sweep` removes what a killed process left.
"""

import errno
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

TEMPORARY = ".new."  # how the name of everything begins that is not whole yet
LEFT_AFTER_S = 24 * 3600.0  # nothing is written under one temporary name for as long as a day


def is_temporary(name: str) -> bool:
    """Whether a name stands for work in progress: it begins with a dot, as `.new.*` and `.work`."""
    return name.startswith(".")


def _free_name(folder: Path) -> Path:
    """A temporary name that nothing has. What is made there gets the permissions of the umask."""
    return folder / f"{TEMPORARY}{os.urandom(8).hex()}"


@contextmanager
def fresh_file(path: Path) -> Iterator[IO[bytes]]:
    """A file to write, synced and renamed to `path` at the end; removed if anything goes wrong."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _free_name(path.parent)
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


@contextmanager
def fresh_folder(parent: Path) -> Iterator[Path]:
    """An empty folder in `parent` to fill and to rename; removed if it still stands at the end."""
    parent.mkdir(parents=True, exist_ok=True)
    folder = _free_name(parent)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(folder: Path, older_than_s: float = LEFT_AFTER_S) -> None:
    """Remove what has a temporary name in `folder`, or up to two folders below, and is that old.

    It is renamed first: a process that still writes it then fails, and never renames a part.
    """
    for below in ("", "*/", "*/*/"):
        for path in folder.glob(f"{below}{TEMPORARY}*"):
            with suppress(OSError):  # it was renamed, another process sweeps too, or it is not ours
                if time.time() - path.stat().st_mtime >= older_than_s:
                    gone = _free_name(path.parent)
                    os.replace(path, gone)
                    shutil.rmtree(gone, ignore_errors=True) if gone.is_dir() else gone.unlink()


def write_bytes_whole(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a reader sees the old file or the new one, never a part."""
    with fresh_file(path) as file:
        file.write(data)


def write_text_whole(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, whole or not at all."""
    write_bytes_whole(path, text.encode())


def sync_tree(folder: Path) -> None:
    """Wait until every file and folder in `folder`, and itself, is on the disk."""
    for place, _, names in os.walk(folder, topdown=False):
        for name in names:
            with open(os.path.join(place, name), "r+b") as file:
                os.fsync(file.fileno())
        sync_folder(Path(place))


def sync_folder(folder: Path) -> None:
    """Wait until the names in `folder` are on the disk, where the system can be asked for that."""
    if os.name == "nt":  # there a folder cannot be opened
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:  # some network file systems refuse it for folders
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def sha256_of(data: bytes | Path) -> str:
    """The SHA-256 of bytes, or of a file's content, in hexadecimal."""
    return hashlib.sha256(data.read_bytes() if isinstance(data, Path) else data).hexdigest()
