"""What a page can ask for while it is made, and what is remembered of what it asked.

Templates get `site`, `page`, `root`, `assets` and what their page is made of; one that a block
renders gets `site`, `root`, `assets`, and the values that the block gave.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from markupsafe import Markup

from press.cache import Cache
from press.charts.plotting import Plotter
from press.diagnostics import Diagnostic, Place, Severity
from press.errors import InputError
from press.files import sha256_of
from press.options import parts_folder
from press.paths import find_file
from press.results.run import Run
from press.results.store import Results

SCRIPTS = (".js", ".mjs", ".cjs")


@dataclass(frozen=True)
class Directive:
    """A block as a post has it: `::: name key="value"`, its body made into HTML, its places."""

    name: str
    arguments: dict[str, str]
    body_html: Markup
    place: Place
    argument_places: dict[str, Place]
    number: int = 0  # of the figure, table or listing; 0 for a block that has no number


class Blocks(Protocol):
    """The blocks that posts of a site can call."""

    def numbered(self, name: str, /) -> str:
        """What a block makes that has a number: "figure", "table" or "listing"; else empty."""

    def prose_arguments(self, name: str, /) -> Collection[str]:
        """The arguments of a block that stand on the page as they are written."""

    def render(self, directive: Directive, context: "PageContext", /) -> Markup:
        """A directive as HTML; what is wrong with it goes to the context, with its place."""


@dataclass
class PageContext:
    """One page while it is made: what it may use, and what it read, copied and said."""

    url: str  # from the site's root: "posts/dip.html"
    results_dir: Path
    content_dir: Path
    cache: Cache
    renderer: "Callable[[PageContext, str, dict[str, Any]], str]"
    plotter: Plotter = field(default_factory=Plotter)  # of the build
    drafts: bool = False  # whether the site has those too
    is_checked: bool = False  # what a picture lacks is an error of `check`
    diagnostics: list[Diagnostic] = field(default_factory=list)  # one may be told more than once
    inputs: dict[Path, None] = field(default_factory=dict)  # in the order of the first look
    copies: dict[str, Path] = field(default_factory=dict)  # address from the root -> source
    written: dict[str, bytes] = field(default_factory=dict)  # address from the root -> content
    shown: dict[tuple[str, str], None] = field(default_factory=dict)  # run, output: as they come
    meta: dict[str, Any] = field(default_factory=dict)  # JSON values that later builds are to know
    missing_runs: dict[tuple[str, str, int], None] = field(default_factory=dict)
    place: Place | None = None  # of the expression or block that is being worked out

    @property
    def root(self) -> str:
        """The way from this page to the site's root: "", "../" and so on."""
        return "../" * self.url.count("/")

    @cached_property
    def results(self) -> Results:
        """What is planned and recorded; every file that it looks at is an input of this page."""
        folders = self.results_dir, self.content_dir
        parts = parts_folder(self.cache.folder, *folders)
        return Results(*folders, parts, self.note, self.root, self.lacks, self.absent)

    def render(self, template: str, **values: Any) -> Markup:
        """Fill a template of `templates/`, named from there: "blocks/strip.html"."""
        return Markup(self.renderer(self, template, values))

    def note(self, path: Path) -> None:
        """Remember that the page read `path`; for a folder, that it listed its names."""
        self.inputs[path] = None

    def file(self, name: str, start: Path, what: str = "file") -> Path:
        """The file of the content that `name` names from a folder; InputError as `find_file`."""
        return find_file(name, start, self.content_dir, what, self.note)

    def address(self, url: str) -> str:
        """The address from this page of what stands at `url` from the site's root, encoded."""
        return self.root + quote(url)

    def copy(self, source: Path) -> str:
        """Copy a file into the site under a name with its hash; its address from this page.

        A script becomes a text, so that the page's policy (scripts of the site alone) holds.
        """
        self.note(source)
        try:
            digest = sha256_of(source)[:10]
        except FileNotFoundError:
            raise InputError(f"no such file: '{source}'") from None
        except OSError as error:
            raise InputError(f"cannot be read: '{source}': {error.strerror}") from None
        suffix = source.suffix + (".txt" if source.suffix.lower() in SCRIPTS else "")
        url = f"media/{source.stem}-{digest}{suffix}"
        self.copies[url] = source
        return self.address(url)

    def media(self, stem: str, suffix: str, data: bytes) -> str:
        """Write a picture that was made, under a name with its hash; its address from here."""
        return self.add(f"media/{stem}-{sha256_of(data)[:10]}{suffix}", data)

    def add(self, url: str, data: bytes) -> str:
        """Write a further file of the site, at `url` from its root; its address from this page.

        Raises InputError if the page wrote something else there.
        """
        if self.written.setdefault(url, data) != data:
            raise InputError(
                f"two things of this page would be '{url}'; give one of them another id"
            )
        return self.address(url)

    def lacks(self, run: Run) -> None:
        """Remember that the page names a run that is not recorded; warn if no one plans it."""
        if run.method is None:
            self.missing_runs[run.suite.name, run.image, run.seed] = None
        if not run.planned:
            self.absent(run.name)

    def absent(self, name: str) -> None:
        """Warn that what the page names is neither recorded nor planned."""
        if self.place:
            self.warn(self.place, f"'{name}' is not recorded")

    def warn(
        self, place: Place | None, sentence: str, is_for_check: bool = False, code: str = ""
    ) -> None:
        """Report what lets the page stand: an error under --strict, or of `check` if it is so."""
        severity: Severity = "check" if is_for_check else "warning"
        self.diagnostics.append(Diagnostic(place, sentence, severity, code))

    def error(self, place: Place | None, sentence: str) -> None:
        """Report what is wrong and go on, so that one build finds every error."""
        self.diagnostics.append(Diagnostic(place, sentence, "error"))
