"""What blocks share: their arguments checked, the runs that they name, figures with captions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from markupsafe import Markup

from press.errors import InputError, nearest
from press.results.numbers import listed
from press.results.run import Run
from press.results.suite import SuiteView

if TYPE_CHECKING:
    from press.page import Directive, PageContext

WIDTHS = ("text", "wide", "full")


def check_arguments(call: "Directive", *known: str, needed: tuple[str, ...] = ()) -> None:
    """Raise InputError if an argument is unknown, or one that is needed is missing."""
    for name in call.arguments:
        if name not in known and name not in needed:
            with at(call, name):
                raise InputError(
                    f"block '{call.name}' has no argument '{name}'{nearest(name, known + needed)}"
                )
    for name in needed:
        if not call.arguments.get(name, "").strip():
            raise InputError(f"block '{call.name}' needs the argument '{name}'")


@contextmanager
def at(call: "Directive", name: str) -> Iterator[None]:
    """Give an InputError from inside the place of an argument."""
    try:
        yield
    except InputError as error:
        if error.path is not None:
            raise
        raise wrong(call, name, error.sentence) from None


def wrong(call: "Directive", name: str, sentence: str) -> InputError:
    """Make the error of an argument, at its place; of one that is not given, at the block's."""
    place = call.argument_places.get(name, call.place)
    return InputError(sentence, place.path, place.line, place.column)


def suite_of(call: "Directive", context: "PageContext", name: str = "suite") -> SuiteView:
    """Give the suite that an argument names."""
    with at(call, name):
        return context.results.suite(call.arguments[name])


def runs_of(call: "Directive", context: "PageContext") -> tuple[list[Run], SuiteView]:
    """Give the runs named by suite, images and fallback: the fallback's if the suite's lack."""
    main = suite_of(call, context)
    runs = _chosen(call, main)
    if "fallback" not in call.arguments or all(run.recorded for run in runs):
        return runs, main
    other = suite_of(call, context, "fallback")
    instead = _chosen(call, other)
    return (instead, other) if all(run.recorded for run in instead) else (runs, main)


def _chosen(call: "Directive", view: SuiteView) -> list[Run]:
    name = "image" if "image" in call.arguments else "images"
    words = call.arguments.get(name, "").split()
    with at(call, name):
        return [view.run(word) for word in words or view.suite.images]


def instead_note(call: "Directive", context: "PageContext", view: SuiteView) -> str:
    """Say that a picture is of the fallback suite, and why; empty if it is of the suite itself."""
    main = suite_of(call, context)
    if view.name == main.name:
        return ""
    runs = _chosen(call, main)
    lacking = [run.title for run in runs if not run.recorded]
    of = f" of {listed(lacking)}" if len(lacking) < len(runs) else ""
    return f"From the suite {view.name}; {main.name}{of} is not run yet."


def names_of(call: "Directive", known: list[str], what: str) -> list[str]:
    """Give the names that a block has for what it shows, separated by commas, or the known ones."""
    names = [name.strip() for name in call.arguments.get("names", "").split(",") if name.strip()]
    if names and len(names) != len(known):
        with at(call, "names"):
            raise InputError(f"{len(names)} names for {len(known)} {what}")
    return names or known


def whole_number(call: "Directive", name: str, word: str) -> int:
    """Read a whole number from an argument; raises InputError with its place."""
    with at(call, name):
        if not word.isdigit():
            raise InputError(f"'{word}' is no whole number")
        return int(word)


def figure(
    call: "Directive",
    context: "PageContext",
    content: Markup,
    *,
    runs: list[Run] | None = None,
    note: str = "",
    width: str = "wide",
    kind: str = "figure",
) -> Markup:
    """Put content into a numbered figure or table with its caption and a link to its runs."""
    chosen = call.arguments.get("width", width)
    if chosen not in WIDTHS:
        with at(call, "width"):
            raise InputError(f"width is '{chosen}', not {listed(list(WIDTHS), 'or')}")
    id = call.arguments.get("id")
    shown = [run for run in runs or [] if run.recorded]
    return context.render(
        "blocks/figure.html",
        kind=kind,
        width=chosen,
        id=id,
        caption=captioned(f"{kind.capitalize()} {call.number}.", call.body_html),
        content=content,
        note=f"{_reduced(shown)} {note}".strip(),
        runs=shown,
    )


def _reduced(runs: list[Run]) -> str:
    """Say that runs are of reduced pictures: "Preview, 128×128."; empty if none is."""
    sides = sorted({run.case.preview_side or 0 for run in runs} - {0})
    return f"Preview, {listed([f'{side}×{side}' for side in sides])}." if sides else ""


def captioned(label: str, body: Markup) -> Markup:
    """Put the label of a figure in front of its caption's first words."""
    marked = Markup('<span class="label">{}</span> ').format(label)
    if body.startswith("<p>"):
        return Markup("<p>") + marked + Markup(body[3:])
    return Markup("<p>{}</p>{}").format(marked, body)
