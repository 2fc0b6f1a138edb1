"""Paths and addresses that content names, held within what a site may show and link to.

Posts are not trusted: none of them may publish another file of the disk, by whatever way of
writing its path, nor let a link run a script.
"""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from press.errors import InputError, nearest

IMAGE = r"image/(?:png|jpe?g|webp|gif|avif)[;,]"  # whose data run nothing
UNSAFE = re.compile(rf"(?:javascript:|vbscript:|file:|data:(?!{IMAGE}))", re.IGNORECASE)
IGNORED = dict.fromkeys(range(0x21))  # what browsers leave out of an address's beginning
OF_A_HOOK = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")  # set for another folder


class AbsentError(InputError):
    """There is no file of a name that may well be used."""


def find_file(
    name: str,
    start: Path,
    within: Path,
    what: str = "file",
    note: Callable[[Path], object] = lambda path: None,
    tracked: bool = False,
) -> Path:
    """The plain file that `name` names from the folder `start`; `note` is told what was looked at.

    Raises AbsentError, with the nearest name, where there is none, and InputError for a path from
    the disk's root, for what lies outside of the folder `within` (links followed), for a hidden
    file, a folder, a FIFO or a device. With `tracked`, a file that git has may be hidden, and one
    that it has not is refused; where it has none yet, or there is no git, that rule does not hold.
    """
    path = start / name
    try:
        name.encode()
        real, home = path.resolve(), within.resolve()
        is_there, is_plain = bool(name) and path.exists(), path.is_file()
    except (OSError, ValueError, RuntimeError):  # too long, no text, a link to itself
        raise AbsentError(f"there is no {what} '{name}'") from None
    if name.startswith(("/", "\\")) or Path(name).is_absolute() or not real.is_relative_to(home):
        folder = "this repository" if tracked else f"'{within}'"
        raise InputError(f"'{name}' lies outside of {folder}")
    note(path)
    if not is_there:
        note(path.parent)
        folder = name[: name.rfind("/") + 1]
        near = [f"{folder}{one.name}" for one in path.parent.glob("[!.]*")]
        raise AbsentError(f"there is no {what} '{name}'{nearest(name, near)}")
    if not is_plain:
        raise InputError(f"'{name}' is not a plain file")
    inside = real.relative_to(home)
    is_tracked = _is_tracked(inside, home) if tracked else None
    if is_tracked is False:
        raise InputError(f"git does not track '{name}', so that no page shows it; `git add` it")
    if not is_tracked and any(part.startswith(".") for part in inside.parts):
        raise InputError(f"'{name}' is a hidden file, which no page shows")
    return path


def _is_tracked(path: Path, folder: Path) -> bool | None:
    """Whether git has a file of a folder; None where there is no git, or it has no file yet."""
    command = ["git", "-c", "core.fsmonitor=false", "ls-files", "-z"]
    own = {name: value for name, value in os.environ.items() if name not in OF_A_HOOK}
    try:
        done = subprocess.run(command, cwd=folder, env=own, capture_output=True, check=False)
    except OSError:
        return None
    known = done.stdout.split(b"\0") if done.stdout and not done.returncode else None
    return None if known is None else os.fsencode(path.as_posix()) in known


def is_unsafe(address: str) -> bool:
    """Whether a link to this address would run a script, or show a file of the reader's disk."""
    return bool(UNSAFE.match(address.translate(IGNORED)))


def web_address(address: str) -> str:
    """An address of the web as it is; empty for any other, or one whose host or port is none."""
    is_one = re.match(r"(?:https?|ftp)://[^\s/<>\"\\]+(?:/|$)", address, re.IGNORECASE)
    try:
        return address if is_one and urlsplit(address).port != 0 else ""
    except ValueError:
        return ""
