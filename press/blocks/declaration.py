"""What a block is: its name and arguments, how they are read, and the figure that it becomes.

A block is declared once, by the decorator `block` over the function that makes it:

    @block("two", "two pictures", Argument("run", RUN, "the run", required=True), numbered="figure")
    def two(call: Call, run: Run) -> Figure: ...

The function gets every declared argument by its name, read and checked; what it returns gets its
number, caption and id here.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup, escape

from press.diagnostics import counted
from press.errors import InputError, nearest
from press.markdown.table_data import data_links
from press.page import Directive, PageContext
from press.results.claims import Claims
from press.results.export import curve_rows
from press.results.numbers import listed
from press.results.run import Run
from press.results.suite import SuiteView


@dataclass(frozen=True)
class Kind:
    """A type of arguments: what it is called, how a value is read, and whether it is prose.

    `read` raises InputError, without a place, for a word that is no such value. Prose stands on
    the page as it was written, so that results typed by hand are looked for in it.
    """

    name: str
    read: Callable[[str, PageContext], Any]
    is_prose: bool = False
    absent: Any = None  # the value of an argument that is neither given nor has a default


def _whole_number(word: str, _page: PageContext) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", word):
        raise InputError(f"expected an integer, got '{word}'")
    return int(word)


def _width(word: str, _page: PageContext) -> str:
    if word not in ("text", "wide", "full"):
        raise InputError(f"expected text, wide or full, got '{word}'")
    return word


def each(one: Kind) -> Kind:
    """The kind of several values, separated by spaces."""
    return Kind(
        f"{one.name}s",
        lambda text, page: [one.read(word, page) for word in text.split()],
        absent=(),
    )


def _names(text: str, _page: PageContext) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


TEXT = Kind("text", lambda text, _: text, is_prose=True)
NAMES = Kind("names with commas between", _names, is_prose=True, absent=())
WORD = Kind("word", lambda word, _: word)
WORDS = each(WORD)
WHOLE_NUMBERS = each(Kind("integer", _whole_number))
RUN = Kind("run", lambda name, page: page.results.run(name))
RUNS = each(RUN)
SUITE = Kind("suite", lambda name, page: page.results.suite(name))
SUITES = each(SUITE)
CLAIMS_TABLE = Kind("table of claims", lambda name, page: Claims(page.results).table(name))
WIDTH = Kind("width", _width)


@dataclass(frozen=True)
class Argument:
    """An argument of a block; `default` is written as an author would write it."""

    name: str
    kind: Kind
    help: str
    required: bool = False
    default: str | None = None

    def value(self, call: "Call") -> Any:
        """The value that a call gives; raises InputError, with its place, if it is no good."""
        word = call.directive.arguments.get(self.name, self.default)
        if word is None and self.required:
            raise call.needs(self.name)
        if word is None:
            return self.kind.absent
        with call.at(self.name):
            if not word.strip():
                raise InputError(f"the argument '{self.name}' is empty")
            return self.kind.read(word, call.page)


ID = Argument("id", WORD, "what a link such as `[](#fig-x)` refers to")
IMAGES = Argument("images", WORDS, "cases of the suite; all of them if it is not given")


@dataclass(frozen=True)
class Call:
    """A block as a post calls it, on the page that is being made."""

    directive: Directive
    page: PageContext

    @property
    def body(self) -> Markup:
        """What stands between the block's fences, as HTML."""
        return self.directive.body_html

    def error(self, name: str, sentence: str) -> InputError:
        """The error of an argument, at its place; of one that is not given, at the block's."""
        place = self.directive.argument_places.get(name, self.directive.place)
        return InputError(sentence, place.path, place.line, place.column)

    def needs(self, name: str) -> InputError:
        """The error of a call that lacks an argument."""
        return InputError(f"block '{self.directive.name}' needs the argument '{name}'")

    @contextmanager
    def at(self, name: str) -> Iterator[None]:
        """Give an InputError from inside the place of an argument, if it has none."""
        try:
            yield
        except InputError as error:
            if error.path is not None:
                raise
            raise self.error(name, error.sentence) from None


@dataclass(frozen=True)
class Figure:
    """What a numbered block shows; `note` and links to those of the `runs` that are recorded."""

    content: Markup
    runs: Sequence[Run] = ()
    note: str = ""
    caption: Markup | None = None  # where it is not the block's body
    data: Sequence[Sequence[object]] = ()  # rows, heads first, where no table or curve has them


@dataclass(frozen=True)
class Block:
    """A block that posts can call."""

    name: str
    help: str
    arguments: tuple[Argument, ...]
    make: Callable[..., Figure | Markup]
    numbered: str  # figure, table or listing; empty: it is not numbered
    example: str

    @property
    def own_arguments(self) -> list[Argument]:
        """Those that its function takes: without `id` and `width`, which a numbered block has."""
        every = (ID.name, "width") if self.numbered else ()
        return [argument for argument in self.arguments if argument.name not in every]

    def render(self, directive: Directive, page: PageContext) -> Markup:
        """Write the block; raises InputError for a bad argument, with the argument's place."""
        call = Call(directive, page)
        known = [argument.name for argument in self.arguments]
        for name in directive.arguments:
            if name not in known:
                sentence = f"block '{self.name}' has no argument '{name}'{nearest(name, known)}"
                raise call.error(name, sentence)
        values = {argument.name: argument.value(call) for argument in self.arguments}
        own = [argument.name for argument in self.own_arguments]
        made = self._figure(self.make(call, **{name: values[name] for name in own}))
        if not self.numbered:
            return made.content
        shown = [run for run in made.runs if run.recorded]
        note = f"{_preview(shown)} {made.note}".strip()
        caption, kind = made.caption or call.body, f"{self.numbered}-{directive.number}"
        title = f"{self.numbered.capitalize()} {directive.number}. {caption}"
        id, has_curves = values["id"], 'class="chart"' in made.content
        rows = made.data or (curve_rows(shown) if has_curves else ())
        return page.render(
            "blocks/figure.html",
            content=made.content,
            kind=self.numbered,
            number=directive.number,
            id=id,
            width=values["width"],
            caption=caption,
            note=note,
            runs=shown,
            data=data_links(page, id or "", kind, (title, escape(note)), made.content, rows, shown),
        )

    def _figure(self, made: object) -> Figure:
        """What the function returned as a figure, plain text in it escaped; or InputError."""
        if isinstance(made, Markup):
            return Figure(made)
        if not isinstance(made, Figure):
            kind = "None" if made is None else f"a value of type '{type(made).__name__}'"
            raise InputError(f"block '{self.name}' returned {kind}; it returns Markup or a Figure")
        made = replace(made, content=escape(made.content), runs=[*made.runs])
        wrong = [one for one in made.runs if not isinstance(one, Run)]
        if wrong:
            raise InputError(f"block '{self.name}' returned a Figure with {wrong[0]!r} for a run")
        return made


def _preview(runs: Sequence[Run]) -> str:
    """Say that runs are previews, and of which sides; empty if none is."""
    previews = [run for run in runs if run.suite.preview]
    sides = sorted({run.case.preview_side for run in previews if run.case.preview_side})
    kind = "Preview" if len(previews) == len(runs) else "In part a preview"
    words = ", ".join(filter(None, [kind, listed([f"{side}×{side}" for side in sides])]))
    return f"{words}." if previews else ""


def block(
    name: str,
    help: str,
    *arguments: Argument,
    numbered: str = "",
    width: str = "wide",
    example: str = "",
) -> Callable[[Callable[..., Figure | Markup]], Block]:
    """Declare the function under it to be a block.

    A numbered block has the arguments `id` and `width` besides, the latter with the default that
    is given here.
    """
    if numbered:
        arguments += ID, Argument("width", WIDTH, "how wide it is", default=width)
    return lambda make: Block(name, help, arguments, make, numbered, example)


def chosen_runs(call: Call, suite: SuiteView, images: Sequence[str]) -> list[Run]:
    """The first run of each image of a suite, or of the `images` that are named."""
    with call.at("images"):
        return [suite.run(name) for name in images or suite.suite.images]


def not_run(call: Call, runs: Sequence[Run]) -> Figure:
    """What stands for a figure of which no run is recorded, with the commands that make them."""
    return Figure(call.page.render("blocks/not-run.html", runs=runs))


def named(call: Call, names: list[str], known: list[str], what: str) -> list[str]:
    """The names that a call gives, or the known ones; raises InputError if there are too few."""
    if names and len(names) != len(known):
        raise call.error("names", f"{counted(len(names), 'name')} for {len(known)} {what}")
    return names or known
