"""What a block is: its name and arguments, how they are read, and the figure that it becomes.

A block is declared once, by the decorator `block` over the function that makes it:

    @block("two", "two pictures", Argument("run", RUN, "the run", required=True), numbered="figure")
    def two(call: Call, run: Run) -> Figure: ...

The function gets every declared argument by its name, read and checked; what it returns gets its
number, caption and id here.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from press.errors import InputError, nearest
from press.markdown.cross_references import figure_html
from press.page import Directive, PageContext
from press.results.expressions import judge_of
from press.results.numbers import listed
from press.results.run import Run
from press.results.selectors import parse_selector
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
    if not word.isdigit():
        raise InputError(f"expected an integer, got '{word}'")
    return int(word)


def each(one: Kind, name: str) -> Kind:
    """The kind of several values, separated by spaces."""
    return Kind(
        name, lambda words, page: [one.read(word, page) for word in words.split()], absent=()
    )


def one_of(*words: str) -> Kind:
    """The kind of a word out of a few."""

    def read(word: str, _page: PageContext) -> str:
        if word not in words:
            raise InputError(f"expected {listed(list(words), 'or')}, got '{word}'")
        return word

    return Kind(listed(list(words), "or"), read)


TEXT = Kind("text", lambda text, _: text, is_prose=True)
NAMES = Kind(
    "names with commas between",
    lambda text, _: [name.strip() for name in text.split(",") if name.strip()],
    is_prose=True,
    absent=(),
)
WORD = Kind("word", lambda word, _: word)
WORDS = each(WORD, "words")
WHOLE_NUMBERS = each(Kind("integer", _whole_number), "integers")
RUN = Kind("run", lambda name, page: page.results.run(name))
RUNS = each(RUN, "runs")
SELECTOR = Kind("output of a run", lambda text, _: parse_selector(text))
SUITE = Kind("suite", lambda name, page: page.results.suite(name))
SUITES = each(SUITE, "suites")
CLAIMS_TABLE = Kind("table of claims", lambda name, page: judge_of(page.results).claims.table(name))


@dataclass(frozen=True)
class Argument:
    """An argument of a block; `default` is written as an author would write it."""

    name: str
    kind: Kind
    help: str
    required: bool = False
    default: str | None = None


ID = Argument("id", WORD, "what a link such as `[](#fig-x)` refers to")
WIDTHS = one_of("text", "wide", "full")


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


@dataclass(frozen=True)
class Block:
    """A block that posts can call."""

    name: str
    help: str
    arguments: tuple[Argument, ...]
    make: Callable[..., Figure | Markup]
    numbered: str  # figure, table or listing; empty: it is not numbered
    width: str
    example: str

    def render(self, directive: Directive, page: PageContext) -> Markup:
        """Write the block; raises InputError for a bad argument, with the argument's place."""
        call = Call(directive, page)
        values = self._values(call)
        id, width = values.pop("id", None), values.pop("width", "text")
        made = self.make(call, **values)
        if isinstance(made, Markup):
            made = Figure(made)
        if not self.numbered:
            return made.content
        shown = [run for run in made.runs if run.recorded]
        return figure_html(
            page,
            made.content,
            kind=self.numbered,
            number=directive.number,
            id=id,
            width=width,
            caption=made.caption or call.body,
            note=f"{_reduced(shown)} {made.note}".strip(),
            runs=shown,
        )

    def _values(self, call: Call) -> dict[str, Any]:
        given, known = call.directive.arguments, [argument.name for argument in self.arguments]
        for name in given:
            if name not in known:
                sentence = f"block '{self.name}' has no argument '{name}'{nearest(name, known)}"
                raise call.error(name, sentence)
        return {argument.name: _value(argument, call) for argument in self.arguments}


def _value(argument: Argument, call: Call) -> Any:
    word = call.directive.arguments.get(argument.name)
    if word is None and argument.required:
        raise call.needs(argument.name)
    if word is not None and not word.strip():
        raise call.error(argument.name, f"the argument '{argument.name}' is empty")
    chosen = argument.default if word is None else word
    if chosen is None:
        return argument.kind.absent
    with call.at(argument.name):
        return argument.kind.read(chosen, call.page)


def _reduced(runs: Sequence[Run]) -> str:
    """Say that runs are of reduced images: "Preview, 128×128."; empty if none is."""
    sides = sorted({run.case.preview_side or 0 for run in runs} - {0})
    return f"Preview, {listed([f'{side}×{side}' for side in sides])}." if sides else ""


def block(
    name: str,
    help: str,
    *arguments: Argument,
    numbered: str = "",
    width: str = "wide",
    example: str = "",
) -> Callable[[Callable[..., Figure | Markup]], Block]:
    """Declare the function under it to be a block.

    A figure or a table has the arguments `id` and `width` besides, the latter with the default
    that is given here; a listing has `id` alone.
    """
    own = arguments
    if numbered:
        own = (*own, ID)
    if numbered in ("figure", "table"):
        own = (*own, Argument("width", WIDTHS, "how wide it is", default=width))
    return lambda make: Block(name, help, own, make, numbered, width, example)


IMAGES = Argument("images", WORDS, "images of the suite; all of them if it is not given")
FALLBACK = Argument("fallback", SUITE, "the suite to show until the runs of `suite` are recorded")


def chosen_runs(
    call: Call, suite: SuiteView, images: Sequence[str], fallback: SuiteView | None
) -> tuple[list[Run], str]:
    """The runs of images of a suite, or its fallback's while those lack; a note that says so."""
    runs = _runs(call, suite, images)
    lacking = [run.title for run in runs if not run.recorded]
    if fallback is None or not lacking:
        return runs, ""
    others = _runs(call, fallback, images)
    if not all(run.recorded for run in others):
        return runs, ""
    of = f" of {listed(lacking)}" if len(lacking) < len(runs) else ""
    return others, f"From the suite {fallback.name}; {suite.name}{of} is not run yet."


def _runs(call: Call, suite: SuiteView, images: Sequence[str]) -> list[Run]:
    with call.at("image" if "image" in call.directive.arguments else "images"):
        return [suite.run(name) for name in images or suite.suite.images]


def not_run(call: Call, runs: Sequence[Run]) -> Figure:
    """What stands for a figure of which no run is recorded, with the commands that make them."""
    return Figure(call.page.render("blocks/not-run.html", runs=runs))


def named(call: Call, names: list[str], known: list[str], what: str) -> list[str]:
    """The names that a call gives, or the known ones; raises InputError if there are too few."""
    if names and len(names) != len(known):
        raise call.error("names", f"{len(names)} names for {len(known)} {what}")
    return names or known
