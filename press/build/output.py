"""The site on disk, whole or not at all: a new folder is made complete, then takes the place.

A file that did not change stays the same file, with its time.
"""

import contextlib
import ctypes
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from press.errors import InputError
from press.files import content_of, sha256_of

MARK = (
    ".nojekyll"  # tells GitHub to leave a site as it is, and us what we wrote: names, a line each
)
PRESERVED = (".gitignore", ".gitkeep", "CNAME")
# What we write at a site's top, beside the pages at old addresses of posts.
ALWAYS = (
    "404.html", "assets", "feed.xml", "index.html", "media", "posts", "robots.txt", "runs",
    "sitemap.xml",
)  # fmt: skip
OS_FILES = (".DS_Store", "Thumbs.db", "desktop.ini")  # left by programs that show folders


@dataclass(frozen=True)
class Unchanged:
    """A file that stands in the old site as it is to be in the new one."""

    sha256: str


Content = bytes | Path | Unchanged
Outputs = dict[str, tuple[int, int, str]]  # address -> size, time in ns, hash


class ChangedMeanwhileError(Exception):
    """The old site is no longer what it was when this build began."""


def check_folder(out: Path) -> None:
    """Raise InputError if `out` holds something that the press did not make."""
    if out.exists() and not out.is_dir():
        raise InputError("the output is to be a folder, and this is a file", out)
    names = {path.name for path in out.iterdir()} if out.exists() else set()
    foreign = sorted(
        names - {*PRESERVED, *OS_FILES, *(_written_by_us(out) if MARK in names else ())}
    )
    if foreign:
        sentence = f"this folder holds '{foreign[0]}', which the press did not make; name another"
        raise InputError(sentence, out)


def _written_by_us(out: Path) -> set[str]:
    """Give the names at the top of a site that we may have written; never that of a repository."""
    try:
        listed = (out / MARK).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        listed = []
    return {MARK, *ALWAYS, *listed} - {".git"}


def _mark(files: Mapping[str, Content]) -> bytes:
    """List the names at the top of a site, for the next build to know them again."""
    names = sorted({url.partition("/")[0] for url in files})
    return "".join(f"{name}\n" for name in names).encode()


@contextlib.contextmanager
def lock(cache: Path) -> Iterator[None]:
    """Let one build at a time put its site in place; the others wait."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("a") as file:
        try:
            import fcntl
        except ImportError:  # Windows: its renames fail rather than mix two sites
            yield
            return
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write_site(out: Path, files: Mapping[str, Content], old: Outputs) -> Outputs:
    """Put a site of these files in the place of `out`, under the lock; gives what was written.

    Raises ChangedMeanwhileError if a file that was to be kept is no longer there.
    """
    check_folder(out)
    _restore(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    for left in out.parent.glob(f".{out.name}.new.*"):  # by a build that was killed
        shutil.rmtree(left, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}.new."))
    try:
        os.chmod(fresh, 0o755)
        written = {
            url: _write(fresh / url, out / url, content, old.get(url))
            for url, content in sorted({**files, MARK: _mark(files)}.items())
        }
        for name in PRESERVED:
            if (out / name).is_file():
                shutil.copy2(out / name, fresh / name)
        _swap(fresh, out)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return written


def _write(
    target: Path, old_path: Path, content: Content, old: tuple[int, int, str] | None
) -> tuple[int, int, str]:
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, Unchanged):
        if not _link(old_path, target, old):
            raise ChangedMeanwhileError(str(old_path))
        sha256 = content.sha256
    else:
        sha256 = sha256_of(content)
        if not (old and old[2] == sha256 and _link(old_path, target, old)):
            target.write_bytes(content_of(content) if isinstance(content, Path) else content)
    stat = target.stat()
    return stat.st_size, stat.st_mtime_ns, sha256


def _link(source: Path, target: Path, known: tuple[int, int, str] | None) -> bool:
    """Make `target` the same file as `source`, if that is still as it was written."""
    try:
        stat = source.stat()
        if known is None or (stat.st_size, stat.st_mtime_ns) != (known[0], known[1]):
            return False
        try:
            os.link(source, target)
        except OSError:  # a file system without links
            shutil.copy2(source, target)
    except OSError:
        return False
    return True


def _swap(fresh: Path, out: Path) -> None:
    """Exchange two folders in one step where the system can; else in two renames."""
    if not out.exists():
        os.replace(fresh, out)
    elif not _exchange(fresh, out):
        aside = out.parent / f".{out.name}.old"
        shutil.rmtree(aside, ignore_errors=True)
        os.replace(out, aside)
        os.replace(fresh, out)
        shutil.rmtree(aside, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two paths at once; False where the system cannot."""
    paths = os.fsencode(one.absolute()), os.fsencode(other.absolute())
    try:
        system = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            return bool(system.renamex_np(*paths, 2) == 0)
        here = -100  # AT_FDCWD
        return bool(system.renameat2(here, paths[0], here, paths[1], 2) == 0)
    except (AttributeError, OSError, TypeError):
        return False


def _restore(out: Path) -> None:
    """Put back the site of a build that was stopped between two renames."""
    aside = out.parent / f".{out.name}.old"
    if aside.is_dir() and not out.exists():
        os.replace(aside, out)
