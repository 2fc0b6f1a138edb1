"""Numbers typed into the script of a plot: in the words that it writes, and in what it draws.

Arguments with a name say how a plot looks (`linewidth=0.8`), but for those that hold data. A
decimal anywhere else is a result; a whole number is bound to nothing where it is drawn, unless it
is a line at 0 or 1.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from press.diagnostics import Place
from press.errors import InputError
from press.files import text_of
from press.markdown.numbers_in_post import Number
from press.markdown.typed_numbers import OPEN, RESULT, NumberSearch, Piece

# Methods and arguments of matplotlib: what writes, what draws, what holds data, what holds words.
WRITING = re.compile(
    "annotate|legend|set_(?:label|title|[xy](?:tick)?labels?)|sup(?:title|[xy]label)|text|title"
    "|[xy]label"
)
DRAWING = re.compile(
    "ax[hv](?:line|span)|barh?|boxplot|errorbar|fill_between|hist|[hv]lines|loglog|pie|plot"
    "|scatter|semilog[xy]|stairs|stem|step"
)
DATA = ("x", "y", "height", "bottom", "left", "xmin", "xmax", "ymin", "ymax", "xerr", "yerr")
WORDS = ("label", "labels", "s", "title", "xlabel", "ylabel")


def numbers_in_script(path: Path, search: NumberSearch) -> Iterator[Number]:
    """Every number that a script writes or draws; none of a script that is not valid Python."""
    try:
        tree = ast.parse(text_of(path))
    except (
        SyntaxError,
        ValueError,
        RecursionError,
        MemoryError,
        InputError,
    ):  # told where the script is called
        return
    unseen, written, drawn = _places(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in unseen:
            continue
        place = Place(str(path), node.lineno, node.col_offset + 1)
        if isinstance(node.value, str):
            for found in search.find([Piece(node.value, 0)]):
                if found.kind == RESULT or id(node) in written:
                    yield Number(found.kind, found.text, place)
        elif isinstance(node.value, float):
            yield Number(RESULT, ast.unparse(node), place)
        elif isinstance(node.value, int) and id(node) in drawn and node.value not in (0, 1):
            yield Number(OPEN, ast.unparse(node), place)


def _places(tree: ast.AST) -> tuple[set[int], set[int], set[int]]:
    """The ids of constants that are no part of the plot, of words in it, and of data in it."""
    unseen, written, drawn = set[int](), set[int](), set[int]()
    named: dict[str, ast.expr] = {}
    data: list[ast.expr] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):  # a docstring
            unseen.add(id(node.value))
        elif isinstance(node, ast.FormattedValue) and node.format_spec:
            unseen |= set(map(id, ast.walk(node.format_spec)))
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            named[node.targets[0].id] = node.value
        elif isinstance(node, ast.keyword):
            if node.arg in DATA:
                data.append(node.value)
            elif node.arg in WORDS:
                written |= set(map(id, ast.walk(node.value)))
            else:
                unseen |= set(map(id, ast.walk(node.value)))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if WRITING.fullmatch(node.func.attr):
                written |= {id(one) for argument in node.args for one in ast.walk(argument)}
            elif DRAWING.fullmatch(node.func.attr):
                data += node.args
    for value in data:
        names = [one.id for one in ast.walk(value) if isinstance(one, ast.Name)]
        for one in (value, *(named[name] for name in names if name in named)):
            drawn |= _stated(one)
    return unseen, written, drawn


def _stated(node: ast.expr) -> set[int]:
    """The ids of the constants of a value that states them, and neither calls nor indexes."""
    if isinstance(node, ast.List | ast.Tuple):
        return {one for element in node.elts for one in _stated(element)}
    is_stated = isinstance(node, ast.Constant | ast.UnaryOp | ast.BinOp)
    return set(map(id, ast.walk(node))) if is_stated else set()
