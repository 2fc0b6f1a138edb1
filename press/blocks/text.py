"""Blocks of text: notes, text that is folded away, and lines of a file of the repository."""

import ast
from collections.abc import Iterator

from markupsafe import Markup

from press.blocks.declaration import TEXT, WORD, Argument, Call, Figure, block
from press.errors import InputError, nearest
from press.files import text_of
from press.markdown.code import code_block, lines_asked
from press.paths import find_file
from press.results.numbers import listed


def _note(call: Call, title: str) -> Markup:
    kind = " ".join(dict.fromkeys(["note", call.directive.name]))
    form = Markup('<aside class="{}"><p class="note-title">{}</p>\n{}</aside>\n')
    return form.format(kind, title, call.body)


note, warning = (
    block(name, f"a {name}", Argument("title", TEXT, "its title", default=name.title()))(_note)
    for name in ("note", "warning")
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
    Argument("of", WORD, "the function or class to show instead, such as `Fit` or `Fit.step`"),
    numbered="listing",
    width="text",
    example='path="dip/engine/fit.py" of="Fit" id="code-fit"',
)
def include(call: Call, path: str, lines: str | None, of: str | None) -> Figure:
    """Lines of a file of the repository, coloured as its name says."""
    from pygments.lexers import find_lexer_class_for_filename

    repository = call.page.content_dir.parent
    with call.at("path"):
        file = find_file(path, repository, repository, note=call.page.note, tracked=True)
    try:
        rows = text_of(file).removesuffix("\n").split("\n")  # as editors count lines
    except InputError as error:
        raise call.error("path", f"'{path}': {error.sentence}") from None
    with call.at("lines"):
        asked = lines_asked(lines, len(rows)) if lines else range(1, len(rows) + 1)
    first, last = _definition(call, rows, of) if of else (asked.start, asked.stop - 1)
    lexer = find_lexer_class_for_filename(path)
    language = lexer.aliases[0] if lexer else ""
    text = "\n".join(rows[first - 1 : last])
    code = code_block(text, language, call.page.cache, first_number=first)
    name = f"{path}, lines {first} to {last}"
    body = call.body if call.body.startswith("<p>") else Markup("<p></p>") + call.body
    caption = Markup("<p><code>{}</code> {}").format(name, body.removeprefix("<p>"))
    return Figure(Markup(code), caption=caption)


Definition = ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef


def _definitions(within: ast.AST, prefix: str = "") -> Iterator[tuple[str, Definition]]:
    """Every function and class by its full name, such as "Fit.step"."""
    for node in ast.iter_child_nodes(within):
        if isinstance(node, Definition):
            yield f"{prefix}{node.name}", node
            yield from _definitions(node, f"{prefix}{node.name}.")
        elif not isinstance(node, ast.expr):  # which holds none, and may be deep
            yield from _definitions(node, prefix)


def _definition(call: Call, rows: list[str], name: str) -> tuple[int, int]:
    """The lines of a function or class of a Python file, decorators and all."""
    try:
        tree = ast.parse("\n".join(rows))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where = f": line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise call.error("path", f"this is no Python file{where}") from None
    nodes = dict(reversed([*_definitions(tree)]))  # of two of one name the first
    ends = [name] if name in nodes else [one for one in nodes if one.endswith(f".{name}")]
    if not ends:
        raise call.error("of", f"there is no '{name}' in this file{nearest(name, nodes)}")
    if len(ends) > 1:
        raise call.error("of", f"there are several: name one of {listed(sorted(ends), 'or')}")
    node = nodes[ends[0]]
    first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
    return first, node.end_lineno or node.lineno
