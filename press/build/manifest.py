"""The project's manifest: asked for when an input that it names has changed, kept in parts."""

import contextlib
import os
import re
import shlex
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from press.build.state import ChangeDetector, PageState
from press.diagnostics import command_line
from press.errors import InputError
from press.files import json_of, sha256_of, write_whole
from press.options import Options
from press.results.manifest import of_records, parts_of
from press.toml_file import TomlFile

PAGE = "(manifest)"  # under which the state of a build keeps it
PLACE = re.compile(r"(.+?):(\d+)(?::(\d+))?: (.*)")  # of a mistake that the project found


def refresh(
    options: Options, changes: ChangeDetector, meanwhile: Callable[[], object] = lambda: None
) -> PageState:
    """The manifest as the state of a build has it; asks the project anew if it is stale.

    `meanwhile` is called while the project answers, which takes a good part of a second.
    Raises InputError with the project's own sentence if that fails.
    """
    folder = options.parts
    known = changes.page(PAGE)
    if known and _are_whole(folder, known.meta["parts"]):
        return known
    settings = options.content / "site.toml"
    asked, parts = _asked(settings, options, meanwhile) or _in_parts(_recorded(options))
    for name, data in parts.items():
        path = folder / name
        if not path.exists() or path.read_bytes() != data:  # what is the same keeps its time
            write_whole(path, data)
    inputs = [str(settings), *asked]
    hashes = {name: sha256_of(data) for name, data in parts.items()}
    return PageState(inputs, {}, [], {"parts": hashes})


def _recorded(options: Options) -> dict[str, Any]:
    """The manifest of what is recorded; raises InputError if a chosen folder is not there."""
    if options.results != Options.results and not options.results.is_dir():
        raise InputError("there is no such folder of records", options.results)
    return of_records(options.results)


def _in_parts(manifest: dict[str, Any]) -> tuple[list[str], dict[str, bytes]]:
    """The inputs that a manifest names, and its parts."""
    return [os.fspath(path) for path in manifest["inputs"]], parts_of(manifest)


def _are_whole(folder: Path, hashes: dict[str, str]) -> bool:
    """Whether the parts are as they were written; one that is missing or broken is not."""
    with contextlib.suppress(OSError):
        return all(sha256_of(folder / name) == sha256 for name, sha256 in hashes.items())
    return False


def with_folders(command: str, options: Options) -> str:
    """A command of the project as a person types it, with the folders that are not the usual."""
    return " ".join([command, *filter(None, [command_line(_folders(options))])])


def program(command: str, options: Options) -> list[str]:
    """The arguments of a command; `python` is the interpreter that runs the press."""
    words = [*shlex.split(command), *_folders(options)]
    return [sys.executable if words[0] == "python" else words[0], *words[1:]]


def _folders(options: Options) -> list[str]:
    """`--content` and `--results`, where they are not the usual."""
    folders = (("--content", options.content, "content"), ("--results", options.results, "results"))
    chosen = [(name, str(path)) for name, path, usual in folders if str(path) != usual]
    return [word for pair in chosen for word in pair]


def _asked(
    settings: Path, options: Options, meanwhile: Callable[[], object]
) -> tuple[list[str], dict[str, bytes]] | None:
    """What the command under [experiments] in site.toml prints; None if there is none."""
    file = TomlFile(settings)
    table = file.table("experiments")
    file.expect({"manifest": "text"}, table, "experiments")
    command = table.get("manifest", "").strip()
    if not command:
        return None
    import subprocess

    fail = partial(file.fail, table="experiments", key="manifest")
    pipe = subprocess.PIPE
    try:
        child = subprocess.Popen(program(command, options), stdout=pipe, stderr=pipe)
    except (OSError, ValueError) as error:
        fail(f"'{command}' cannot be run: {getattr(error, 'strerror', error)}")
    with child:
        meanwhile()
        answer, errors = child.communicate()
    words = errors.decode(errors="replace")
    said = (words.strip().splitlines() or ["it said nothing"])[-1]
    if child.returncode and (found := PLACE.fullmatch(said)):
        raise InputError(found[4], found[1], int(found[2]), int(found[3]) if found[3] else None)
    if child.returncode:
        fail(f"'{command}' failed: {said}")
    try:
        return _in_parts(json_of(answer.decode(), settings))
    except InputError as error:
        fail(f"'{command}' printed no manifest" if error.path else error.sentence)
    except (UnicodeDecodeError, KeyError, TypeError, AttributeError):
        fail(f"'{command}' printed no manifest")
