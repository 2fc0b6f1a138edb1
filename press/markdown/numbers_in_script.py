"""Numbers typed into the script of a plot: in the words that it writes, and in what it draws.

What places or styles a thing (keyword arguments, limits, `subplots(1, 2)`, an offset such as
`x - 0.2`) is layout, and does not count; nor does a line at 0 or 1.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from press.diagnostics import Place
from press.files import text_of
from press.markdown.numbers_in_post import Number
from press.markdown.typed_numbers import OPEN, NumberSearch, Piece

WRITING = re.compile(
    "annotate|legend|set_(?:label|title|[xy](?:tick)?labels?)|sup(?:title|[xy]label)|text|title"
    "|[xy]label"
)
WRITTEN = frozenset(("label", "labels", "s", "title", "xlabel", "ylabel"))  # keyword arguments
DRAWING = re.compile(
    "ax[hv](?:line|span)|barh?|boxplot|errorbar|fill_between|hist|[hv]lines|loglog|pie|plot"
    "|scatter|semilog[xy]|stairs|stem|step"
)


def numbers_in_script(path: Path, search: NumberSearch) -> Iterator[Number]:
    """Every number that a script writes or draws; none of a script that is not valid Python."""
    try:
        tree = ast.parse(text_of(path))
    except SyntaxError:  # told where the script is run
        return
    named = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        called = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        words = [word.value for word in call.keywords if word.arg in WRITTEN]
        for argument in (*(call.args if WRITING.fullmatch(called) else ()), *words):
            for text, word in _words(argument):
                for found in search.find([Piece(text, 0)]):
                    yield Number(found.kind, found.text, _place(path, word))
        for argument in call.args if DRAWING.fullmatch(called) else ():
            for node in _typed(argument, named):
                yield Number(OPEN, ast.unparse(node), _place(path, node))


def _words(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """The texts in an argument, but not how a number is to be formatted."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value, node
    for name, _ in ast.iter_fields(node):
        value = getattr(node, name)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, ast.AST) and name != "format_spec":
                yield from _words(one)


def _typed(node: ast.expr, named: dict[str, ast.expr]) -> Iterator[ast.expr]:
    """The numbers of an argument that the script states itself, or by a name that it gave."""
    if isinstance(node, ast.Name) and node.id in named:
        yield from _typed(named[node.id], {})
    elif isinstance(node, ast.List | ast.Tuple):
        for one in node.elts:
            yield from _typed(one, named)
    elif isinstance(node, ast.UnaryOp | ast.BinOp | ast.Constant):
        values = [one.value for one in ast.walk(node) if isinstance(one, ast.Constant)]
        is_alone = not any(isinstance(one, ast.Name | ast.Call) for one in ast.walk(node))
        if is_alone and any(
            isinstance(value, int | float) for value in values if value not in (0, 1)
        ):
            yield node


def _place(path: Path, node: ast.expr) -> Place:
    return Place(str(path), node.lineno, node.col_offset + 1)
