"""Blocks of text: notes, text that is folded away, and lines of a file of the repository."""

import ast
import re
from pathlib import Path

from markupsafe import Markup

from press.blocks.declaration import TEXT, WORD, Argument, Call, Figure, block
from press.errors import InputError, nearest
from press.files import text_of
from press.markdown.code import code_block

LANGUAGES = {".py": "python", ".toml": "toml", ".yml": "yaml", ".sh": "bash", ".md": "markdown"}


def _note(call: Call, title: str) -> Markup:
    name = call.directive.name
    return Markup('<aside class="{}"><p class="note-title">{}</p>\n{}</aside>\n').format(
        "note" if name == "note" else f"note {name}", title, call.body
    )


note = block("note", "a note", Argument("title", TEXT, "its title", default="Note"))(_note)
warning = block("warning", "a warning", Argument("title", TEXT, "its title", default="Warning"))(
    _note
)


@block(
    "details",
    "text that is folded away",
    Argument("title", TEXT, "what stays to be seen", default="Details"),
    example='title="The derivation"',
)
def details(call: Call, title: str) -> Markup:
    """Text that is folded away under its title."""
    return Markup("<details><summary>{}</summary>\n{}</details>\n").format(title, call.body)


@block(
    "include",
    "lines of a file of this repository, with the numbers that they have there",
    Argument("path", WORD, "the file, from the folder that holds `content`", required=True),
    Argument("lines", WORD, "which lines, such as `10-40`; all if it is not given"),
    Argument("of", WORD, "the function or class to show instead"),
    Argument("language", WORD, "that of the code; by default, as the file's name says"),
    numbered="listing",
    example='path="dip/engine/fit.py" of="Fit" id="code-fit"',
)
def include(
    call: Call, path: str, lines: str | None, of: str | None, language: str | None
) -> Figure:
    """Lines of a file of the repository."""
    file = _included(call, path)
    try:
        rows = text_of(file).splitlines()
    except InputError as error:
        raise call.error("path", f"'{path}': {error.sentence}") from None
    first, last = _definition(call, rows, of) if of else _span(call, rows, lines)
    chosen = language or LANGUAGES.get(file.suffix, "")
    try:
        text = "\n".join(rows[first - 1 : last])
        code = code_block(text, chosen, call.page.cache, frozenset(), first)
    except KeyError:
        raise call.error("language", f"unknown language '{chosen}'") from None
    name = f"{path}, lines {first} to {last}"
    body = call.body if call.body.startswith("<p>") else Markup("<p></p>") + call.body
    caption = Markup("<p><code>{}</code> {}").format(name, body.removeprefix("<p>"))
    return Figure(Markup(code), caption=caption)


def _included(call: Call, word: str) -> Path:
    base, asked = call.page.content_dir.parent, Path(word)
    if asked.is_absolute() or ".." in asked.parts:
        raise call.error("path", f"'{asked}' is not within this repository")
    path = base / asked
    call.page.note(path)
    if path.is_file():
        return path
    near = ""
    if path.parent.is_dir():
        names = {one.name: one.relative_to(base).as_posix() for one in path.parent.iterdir()}
        found = re.search(r"'(.*)'", nearest(path.name, names))
        near = f"; did you mean '{names[found[1]]}'?" if found else ""
    raise call.error("path", f"there is no file '{word}'{near}")


def _span(call: Call, rows: list[str], asked: str | None) -> tuple[int, int]:
    """The first and the last line that are asked for, counted from 1."""
    if asked is None:
        return 1, len(rows)
    found = re.fullmatch(r"(\d+)(?:-(\d+))?", asked)
    if not found:
        raise call.error("lines", f"'{asked}' is not of the form 10-40")
    first, last = int(found[1]), int(found[2] or found[1])
    if not 1 <= first <= last <= len(rows):
        raise call.error("lines", f"there are no lines {asked}; the file has {len(rows)}")
    return first, last


def _definition(call: Call, rows: list[str], name: str) -> tuple[int, int]:
    """The lines of a function or class of a Python file, decorators and all."""
    kinds = (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)
    try:
        nodes = [node for node in ast.walk(ast.parse("\n".join(rows))) if isinstance(node, kinds)]
    except (SyntaxError, ValueError) as error:  # a file with a zero in it is a ValueError
        where = f": line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise call.error("path", f"this is no Python file{where}") from None
    for node in nodes:
        if node.name == name:
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            return first, node.end_lineno or node.lineno
    known = [node.name for node in nodes]
    raise call.error("of", f"there is no '{name}' in this file{nearest(name, known)}")
