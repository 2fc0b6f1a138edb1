"""The site on disk, whole or not at all: a new folder is made complete, then takes the place.

A file that did not change stays the same file, with its time.
"""

import contextlib
import ctypes
import errno
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from press.build.state import Content, Signature, Unchanged, is_as_written
from press.errors import InputError
from press.files import content_of, fresh_folder, naming, sha256_of, sync_names, sync_tree

# Tells GitHub to leave a site as it is, and us what stands at its top by our doing, a line each.
MARK = ".nojekyll"
PRESERVED = (".gitignore", ".gitkeep", "CNAME")
NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP)  # of a file system
HERE = -100  # AT_FDCWD: paths are as seen from the working folder
OS_FILES = (".DS_Store", "Thumbs.db", "desktop.ini")  # left by programs that show folders


class ChangedMeanwhileError(Exception):
    """The old site is no longer what it was when this build began."""


def check_folder(out: Path, written: Iterable[str]) -> None:
    """Raise InputError if `out` holds what the press did not make, or cannot be exchanged.

    `written` are the addresses of the last build's site, in case that the list in it is damaged.
    """
    if not out.exists():
        return
    if os.path.ismount(os.path.realpath(out)):
        sentence = "a mounted folder cannot be exchanged; name one within it, or mount its parent"
        raise InputError(sentence, out)
    if not out.is_dir():
        raise InputError("the output is to be a folder, and this is a file", out)
    names = {path.name for path in out.iterdir()}
    if MARK in names:
        listed = (out / MARK).read_text(encoding="utf-8", errors="replace").splitlines()
        tops = {url.partition("/")[0] for url in written}
        names -= {MARK, *listed, *tops} - {".git"}  # never a repository
    for foreign in sorted(names - {*PRESERVED, *OS_FILES}):
        sentence = f"this folder holds '{foreign}', which the press did not make; name another"
        raise InputError(sentence, out)


@contextlib.contextmanager
def lock(cache: Path) -> Iterator[None]:
    """Let one build at a time put its site in place; the others wait, where files can be locked."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("a") as file:
        with contextlib.suppress(ImportError):  # Windows: its renames fail rather than mix sites
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX)
            except OSError as error:
                if error.errno not in NO_LOCKS:
                    raise
        yield


def write_site(
    out: Path, files: Mapping[str, Content], old: Mapping[str, Signature]
) -> dict[str, Signature]:
    """Put a site of these files in the place of `out`, under the lock; returns what was written.

    Raises ChangedMeanwhileError if a file that was to be kept is no longer there.
    """
    check_folder(out, old)
    out = _behind_links(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = out.parent / f".{out.name}.old"
    if aside.is_dir() and not out.exists():  # a build was stopped between two renames
        os.replace(aside, out)
    shutil.rmtree(aside, ignore_errors=True)
    with fresh_folder(out.parent, f".{out.name}.new.", 0) as fresh:
        top = sorted({url.partition("/")[0] for url in files})
        mark = "".join(f"{name}\n" for name in top).encode()
        written = {
            url: _write(fresh / url, out / url, content, old.get(url))
            for url, content in sorted({**files, MARK: mark}.items())
        }
        for name in PRESERVED:
            if (out / name).is_file():
                shutil.copy2(out / name, fresh / name)
        sync_tree(fresh)
        _swap(fresh, out, aside)
        sync_names(out.parent)
    return written


def _behind_links(out: Path) -> Path:
    """The folder that `out` names; that is what is exchanged, and a link to it stays."""
    real = Path(os.path.realpath(out))
    if real.is_symlink():
        raise InputError("this link leads back to itself", out)
    return real


def _write(target: Path, old_path: Path, content: Content, old: Signature | None) -> Signature:
    target.parent.mkdir(parents=True, exist_ok=True)
    sha256 = content.sha256 if isinstance(content, Unchanged) else sha256_of(content)
    if not (old and old[2] == sha256 and _link(old_path, target, old)):
        if isinstance(content, Unchanged):
            raise ChangedMeanwhileError(str(old_path))
        with naming(target):
            target.write_bytes(content_of(content) if isinstance(content, Path) else content)
    stat = target.stat()
    return stat.st_size, stat.st_mtime_ns, sha256


def _link(source: Path, target: Path, known: Signature) -> bool:
    """Make `target` the same file as `source`, if every byte of that is as it was written."""
    with contextlib.suppress(OSError):
        if is_as_written(source, known) and sha256_of(source.read_bytes()) == known[2]:
            try:
                os.link(source, target)
            except OSError:  # a file system without links
                shutil.copy2(source, target)
            return True
    return False


def _swap(fresh: Path, out: Path, aside: Path) -> None:
    """Exchange two folders in one step where the system can; else in two renames."""
    if not out.exists():
        os.replace(fresh, out)
        return
    one, other = os.fsencode(fresh.absolute()), os.fsencode(out.absolute())
    with contextlib.suppress(AttributeError, OSError, TypeError):  # the system has no such call
        system = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            failed = system.renamex_np(one, other, 2)
        else:
            failed = system.renameat2(HERE, one, HERE, other, 2)
        if not failed:
            return
    os.replace(out, aside)
    try:
        os.replace(fresh, out)
    except BaseException:  # an interrupt too
        os.replace(aside, out)
        raise
    shutil.rmtree(aside, ignore_errors=True)
