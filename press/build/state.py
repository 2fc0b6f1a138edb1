"""What was read to make each page, and so what is stale: contents decide, times only hurry.

The state of the last build is one JSON file in the cache. A build that finds every input and
every output of it unchanged has nothing to do, and loads nothing else.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from press.diagnostics import Diagnostic, errors_of
from press.files import sha256_of, write_whole
from press.options import Options

FORM = 7  # raise when the form of the state changes
LOADED_NS = time.time_ns()  # when this process began to read the press's own code
RACY_NS = 2_000_000_000  # a file younger than this when it was read may change unseen by its time

Signature = tuple[int, int, str]  # size, time of change in ns, hash; size -1: folder
ABSENT: Signature = (-2, 0, "")


@dataclass(frozen=True)
class Unchanged:
    """A file that stands in the old site as it is to be in the new one."""

    sha256: str


Content = bytes | Path | Unchanged


@dataclass
class PageState:
    """What is remembered of a page that was made."""

    inputs: list[str]
    outputs: dict[str, str]  # address -> hash
    messages: list[list[Any]]
    meta: dict[str, Any] = field(default_factory=dict)
    missing_runs: list[tuple[str, str, int]] = field(default_factory=list)
    changed: list[list[str]] = field(default_factory=list)  # why it was made: path, old, new hash


@dataclass
class State:
    """What is remembered of a build."""

    identity: list[str | None]
    global_inputs: list[str]  # inputs of every page: code, templates, settings
    pages: dict[str, PageState] = field(default_factory=dict)
    signatures: dict[str, Signature] = field(default_factory=dict)
    outputs: dict[str, Signature] = field(default_factory=dict)
    saved_ns: int = 0


@dataclass
class BuildResult:
    """What a build came to: the site that is made, and what there is to say of it."""

    state: State
    files: dict[str, Content] = field(default_factory=dict)  # address from the root -> content
    diagnostics: list[Diagnostic] = field(default_factory=list)
    made: list[str] = field(default_factory=list)  # pages that were not as they had been
    written: bool = False
    notes: list[str] = field(default_factory=list)  # on runs that are not recorded

    @property
    def errors(self) -> list[Diagnostic]:
        """The diagnostics that keep the site from being written."""
        return errors_of(self.diagnostics)

    @property
    def cited(self) -> set[str]:
        """The keys of the works that posts cite."""
        return {key for page in self.state.pages.values() for key in page.meta.get("cited", [])}

    @property
    def posts(self) -> dict[str, str]:
        """The file of each post by the address of its page."""
        pages = self.state.pages.items()
        return {url: page.meta["source"] for url, page in pages if "summary" in page.meta}

    @property
    def pages(self) -> int:
        """The number of pages of the site."""
        return sum(url.endswith(".html") for url in self.state.pages)


def state_path(options: Options) -> Path:
    """Where the state of builds into this folder is kept."""
    name = hashlib.sha256(os.fsencode(options.out.absolute())).hexdigest()[:12]
    return options.cache / f"state-{name}.json"


def load_state(options: Options) -> State | None:
    """Read the state of the last good build; None if there is none of this form and kind."""
    try:
        data = read_sealed(state_path(options))
        if data.pop("form") != [FORM, sys.version]:
            return None
        pages = {url: PageState(**page) for url, page in data.pop("pages").items()}
        state = State(**data, pages=pages)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return state if state.identity == options.identity() else None


def save_state(options: Options, state: State) -> None:
    """Keep the state of a build for the next one; raises OSError."""
    state.saved_ns = time.time_ns()
    pages = {url: page.__dict__ for url, page in state.pages.items()}
    data = {"form": [FORM, sys.version], **state.__dict__, "pages": pages}
    write_sealed(state_path(options), data)


def write_sealed(path: Path, value: dict[str, Any]) -> None:
    """Write JSON whole, below a line with its hash."""
    data = json.dumps(value).encode()  # in ASCII: a file may have a name that is not UTF-8
    write_whole(path, sha256_of(data).encode() + b"\n" + data)


def read_sealed(path: Path) -> dict[str, Any]:
    """Read what `write_sealed` wrote; raises OSError or ValueError if it is not there whole."""
    seal, _, data = path.read_bytes().partition(b"\n")
    if sha256_of(data).encode() != seal:
        raise ValueError(f"broken: {path}")
    value: dict[str, Any] = json.loads(data)
    return value


def listing(folder: str) -> bytes:
    """The names in a folder, a line each; hidden ones do not count."""
    names = sorted(name for name in os.listdir(folder) if name[0] != "." and name != "__pycache__")
    return "\n".join(names).encode(errors="surrogateescape")


def size_and_time(path: str | Path) -> tuple[int, int]:
    """Size and time of change in ns; who sets the time of a file back changes that of its entry."""
    try:
        stat = os.stat(path)
    except OSError:
        return ABSENT[:2]
    return stat.st_size, max(stat.st_mtime_ns, stat.st_ctime_ns)


def is_as_written(path: Path, known: Signature) -> bool:
    """Whether a file of the old site has the size and the time that it was written with."""
    try:
        stat = path.stat()
    except OSError:
        return False
    return (stat.st_size, stat.st_mtime_ns) == tuple(known[:2])


def signature(path: str) -> Signature:
    """What tells one state of a file from another; a folder's names stand for its content."""
    try:
        if os.path.isdir(path):
            return -1, size_and_time(path)[1], hashlib.sha256(listing(path)).hexdigest()
        return *size_and_time(path), sha256_of(Path(path))
    except OSError:
        return ABSENT


def is_unchanged(path: str, old: Signature, saved_ns: int) -> bool:
    """Whether a file is as it was; its hash is taken only where its time does not tell."""
    if old[0] >= 0:
        size, changed_ns = size_and_time(path)
        if size != old[0]:
            return False
        if changed_ns == old[1] and changed_ns < saved_ns - RACY_NS:
            return True
    return signature(path)[2] == old[2]


class ChangeDetector:
    """Answers what is stale against the state of the last build; each file is looked at once."""

    def __init__(self, options: Options, state: State | None) -> None:
        """Compare with `state`; without one everything is stale."""
        self.options, self.state = options, state or State([], [])
        self._known: dict[str, bool] = {}
        self.all_are_stale = False  # whatever its inputs are

    def unchanged(self, paths: Iterable[str]) -> bool:
        """Whether every one of these inputs is as it was."""
        return all(map(self._is_unchanged, paths))

    def _is_unchanged(self, path: str) -> bool:
        if path not in self._known:
            old = self.state.signatures.get(path)
            self._known[path] = old is not None and is_unchanged(path, old, self.state.saved_ns)
        return self._known[path]

    @cached_property
    def _global_unchanged(self) -> bool:
        known = self.state.global_inputs
        return known == self._global_inputs and self.unchanged(known)

    @cached_property
    def _global_inputs(self) -> list[str]:
        return global_inputs(self.options)

    def page(self, url: str) -> PageState | None:
        """What is remembered of a page if it need not be made again."""
        page = self.state.pages.get(url)
        if page is None or self.all_are_stale or not self._global_unchanged:
            return None
        return page if self.unchanged(page.inputs) and self.intact(page.outputs) else None

    def changes(self, url: str, inputs: list[str]) -> list[list[str]]:
        """What changed in a page's inputs, or had changed when it was last made."""
        page = self.state.pages.get(url)
        if page is None:
            return []
        return self.changed_of(page, inputs) or page.changed

    def changed_of(self, page: PageState, inputs: Iterable[str] = ()) -> list[list[str]]:
        """What changed in the inputs of every page, of this one, and in these: path, hashes."""
        everywhere = [*self.state.global_inputs, *self._global_inputs]
        return [
            [path, self.state.signatures.get(path, ABSENT)[2], signature(path)[2]]
            for path in dict.fromkeys([*everywhere, *page.inputs, *inputs])
            if not self._is_unchanged(path)
        ]

    def intact(self, addresses: Iterable[str]) -> bool:
        """Whether files of the old site are still as they were written."""
        out, outputs = self.options.out, self.state.outputs
        return all(url in outputs and is_as_written(out / url, outputs[url]) for url in addresses)

    def nothing_changed(self) -> bool:
        """Whether nothing at all has changed."""
        inputs = dict.fromkeys(path for page in self.state.pages.values() for path in page.inputs)
        is_same = self._global_unchanged and self.unchanged(inputs)
        return is_same and self.intact(self.state.outputs)


def global_inputs(options: Options) -> list[str]:
    """The inputs of every page: our code, the libraries, the templates, the settings.

    The folder of the libraries stands for their versions, which are in its names.
    """
    code = sorted([*options.code.rglob("*.py"), *options.code.rglob("*.schema.json")])
    found = find_spec("markdown_it")
    libraries = [Path(found.origin).parent.parent] if found and found.origin else []
    templates = [path for folder in options.templates for path in sorted(_files_below(folder))]
    settings = options.content / "site.toml"
    return [str(path) for path in (*code, *libraries, *templates, settings)]


def _files_below(folder: Path) -> Iterator[Path]:
    """Every file below a folder, behind links too; each folder once, where links lead around."""
    seen = set[str]()
    for place, folders, names in os.walk(folder, followlinks=True):
        if (real := os.path.realpath(place)) in seen:
            folders.clear()
            continue
        seen.add(real)
        yield from (Path(place, name) for name in names if not name.startswith("."))
