"""Numbers typed into the script of a plot: in the words that it writes, and in what it draws.

Arguments with a name say how a plot looks (`linewidth=0.8`), but for those that hold data. A
decimal anywhere else is a result; a whole number is bound to nothing where it is drawn, unless it
is a line at 0 or 1.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from press.diagnostics import Place, SourceMap
from press.errors import InputError
from press.files import text_of
from press.markdown.typed_numbers import OPEN, RESULT, Number, NumberSearch, Piece

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
    except (SyntaxError, ValueError, RecursionError, MemoryError, InputError):
        return  # told where the script is called
    unseen, written, drawn = _places(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in unseen:
            continue
        place = Place(str(path), node.lineno, node.col_offset + 1)
        if isinstance(node.value, str):
            origin = SourceMap.of_lines(place.path, node.value, place.line, place.column)
            for found in search.find([Piece(node.value, 0)], origin):
                if found.kind == RESULT or id(node) in written:
                    yield found
        elif isinstance(node.value, float):
            yield Number(RESULT, ast.unparse(node), place)
        elif isinstance(node.value, int) and id(node) in drawn and node.value not in (0, 1):
            yield Number(OPEN, ast.unparse(node), place)


def _places(tree: ast.AST) -> tuple[set[int], set[int], set[int]]:
    """The ids of constants that are no part of the plot, of words in it, and of data in it."""
    unseen, written, data = list[ast.expr](), list[ast.expr](), list[ast.expr]()
    named: dict[str, ast.expr] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Expr(ast.Constant() as text):  # a docstring
                unseen.append(text)
            case ast.FormattedValue(format_spec=ast.expr() as form):
                unseen.append(form)
            case ast.Assign([ast.Name(name), *_], value):
                named[name] = value
            case ast.keyword(name, value):
                (data if name in DATA else written if name in WORDS else unseen).append(value)
            case ast.Call(ast.Attribute(attr=name), arguments) if WRITING.fullmatch(name):
                written += arguments
            case ast.Call(ast.Attribute(attr=name), arguments) if DRAWING.fullmatch(name):
                data += arguments
    names = [one.id for one in _within(data) if isinstance(one, ast.Name)]
    drawn = _within(_stated([*data, *(named[name] for name in names if name in named)]))
    return set(map(id, _within(unseen))), set(map(id, _within(written))), set(map(id, drawn))


def _within(nodes: Iterable[ast.expr]) -> list[ast.AST]:
    return [one for node in nodes for one in ast.walk(node)]


def _stated(nodes: Iterable[ast.expr]) -> Iterator[ast.expr]:
    """The values that are stated among these and in lists of them, neither called nor indexed."""
    for node in nodes:
        if isinstance(node, ast.List | ast.Tuple):
            yield from _stated(node.elts)
        elif isinstance(node, ast.Constant | ast.UnaryOp | ast.BinOp):
            yield node
