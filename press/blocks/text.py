"""Every block that a post can use: notes and includes here, those about runs elsewhere."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markupsafe import Markup, escape

from press.blocks.arguments import check_arguments, wrong
from press.cache import Cache
from press.diagnostics import Place
from press.errors import InputError, nearest
from press.files import text_of
from press.markdown.code import code_block
from press.page import Directive, PageContext

Block = Callable[[Directive, PageContext], Markup]

LANGUAGES = {".py": "python", ".toml": "toml", ".yml": "yaml", ".sh": "bash", ".md": "markdown"}


@cache
def all_blocks() -> dict[str, Block]:
    """Give every block by its name."""
    from press.blocks.registry import BLOCKS

    return {"note": note, "warning": note, "details": details, "include": include, **BLOCKS}


@dataclass(frozen=True)
class NumberedBlock:
    """A block, and what it makes that has a number."""

    make: Block
    numbered: str


class Blocks(dict[str, NumberedBlock]):
    """Every block, by name."""

    def render(self, directive: Directive, context: PageContext) -> Markup:
        """A block as HTML; a mistake in it is told with its place."""
        place, block = directive.place, self.get(directive.name)
        if block is None:
            near = nearest(directive.name, self)
            context.error(place, f"unknown block '{directive.name}'{near}")
            return Markup("")
        try:
            return block.make(directive, context)
        except InputError as error:
            known = error.path is not None and error.line is not None
            at = Place(str(error.path), error.line or 1, error.column or 1) if known else place
            context.error(at, error.sentence if known else str(error))
            return Markup("")


def load_blocks() -> Blocks:
    """The blocks that posts can call."""
    kinds = {"include": "listing", "settings": "table"} | dict.fromkeys(
        ("film-strip", "scrubber", "compare", "curve", "figure", "network", "loss-curves"), "figure"
    )
    return Blocks(
        {
            name: NumberedBlock(make, kinds.get(name, "table" if name.endswith("-table") else ""))
            for name, make in all_blocks().items()
        }
    )


def note(block: Directive, _context: PageContext) -> Markup:
    """Write a note or a warning: `::: note title="Before you begin"`."""
    check_arguments(block, "title")
    title = block.arguments.get("title", block.name.capitalize())
    return Markup('<aside class="{}"><p class="note-title">{}</p>\n{}</aside>\n').format(
        "note" if block.name == "note" else f"note {block.name}", title, block.body_html
    )


def details(block: Directive, _context: PageContext) -> Markup:
    """Write text that is folded away under its title."""
    check_arguments(block, "title")
    title = block.arguments.get("title", "Details")
    return Markup("<details><summary>{}</summary>\n{}</details>\n").format(title, block.body_html)


def include(block: Directive, context: PageContext) -> Markup:
    """Write a file of the repository, or lines of it, with the numbers that they have there.

    Arguments: path (from the folder that holds the content folder), lines ("10-40"), of (the name
    of a function or class), language. The body is the caption.
    """
    check_arguments(block, "lines", "of", "language", "id", needed=("path",))
    path = _included(block, context)
    try:
        rows = text_of(path).splitlines()
    except InputError as error:
        raise wrong(block, "path", f"'{block.arguments['path']}': {error.sentence}") from None
    first, last = _span(block, rows)
    language = block.arguments.get("language", LANGUAGES.get(path.suffix, ""))
    try:
        cache = Cache(context.cache_dir)
        code = code_block("\n".join(rows[first - 1 : last]), language, cache, frozenset(), first)
    except KeyError:
        raise wrong(block, "language", f"unknown language '{language}'") from None
    return _listing(block, context, f"{block.arguments['path']}, lines {first} to {last}", code)


def _listing(block: Directive, context: PageContext, name: str, code: str) -> Markup:
    id = block.arguments.get("id")
    number = block.number
    named = Markup(' id="{}"').format(id) if id else ""
    return Markup(
        '<figure class="listing"{}><figcaption><span class="number">Listing {}.</span> '
        "<code>{}</code> {}</figcaption>{}</figure>\n"
    ).format(named, number, escape(name), block.body_html, Markup(code))


def _included(block: Directive, context: PageContext) -> Path:
    base, asked = context.content_dir.parent, Path(block.arguments["path"])
    if asked.is_absolute() or ".." in asked.parts:
        raise wrong(block, "path", f"'{asked}' is not within this repository")
    path = base / asked
    context.note(path)
    if path.is_file():
        return path
    near = ""
    if path.parent.is_dir():
        names = {one.name: one.relative_to(base).as_posix() for one in path.parent.iterdir()}
        found = re.search(r"'(.*)'", nearest(path.name, names))
        near = f"; did you mean '{names[found[1]]}'?" if found else ""
    raise wrong(block, "path", f"there is no file '{block.arguments['path']}'{near}")


def _span(block: Directive, rows: list[str]) -> tuple[int, int]:
    """Give the first and the last line that are asked for, counted from 1."""
    if "of" in block.arguments:
        return _definition(block, rows)
    asked = block.arguments.get("lines", f"1-{len(rows)}")
    found = re.fullmatch(r"(\d+)(?:-(\d+))?", asked)
    if not found:
        raise wrong(block, "lines", f"'{asked}' is not of the form 10-40")
    first, last = int(found[1]), int(found[2] or found[1])
    if not 1 <= first <= last <= len(rows):
        raise wrong(block, "lines", f"there are no lines {asked}; the file has {len(rows)}")
    return first, last


def _definition(block: Directive, rows: list[str]) -> tuple[int, int]:
    """Find a function or class of a Python file, decorators and all."""
    import ast

    name = block.arguments["of"]
    kinds = (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)
    try:
        nodes = [node for node in ast.walk(ast.parse("\n".join(rows))) if isinstance(node, kinds)]
    except (SyntaxError, ValueError) as error:  # a file with a zero in it is a ValueError
        where = f": line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise wrong(block, "path", f"this is no Python file{where}") from None
    for node in nodes:
        if node.name == name:
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            return first, node.end_lineno or node.lineno
    known = [node.name for node in nodes]
    raise wrong(block, "of", f"there is no '{name}' in this file{nearest(name, known)}")
