"""Every number of a post, what it is and where it stands: in its tokens, and in scripts of plots.

Of a script count the words that it writes, and what it draws. Arguments with a name say how a plot
looks (`linewidth=0.8`), but for those that hold data. A decimal anywhere else is a result; a whole
number is bound to nothing where it is drawn, unless it is a line at 0 or 1.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from markdown_it.token import Token

from press.diagnostics import Place, SourceMap
from press.errors import InputError
from press.files import text_of
from press.markdown.math import is_formula
from press.markdown.syntax import EXPRESSION as BRACES
from press.markdown.syntax import compares
from press.markdown.typed_numbers import (
    EXPRESSION,
    HIDDEN,
    OPEN,
    POINTER,
    RESULT,
    TEXT,
    Number,
    NumberSearch,
    Piece,
    pieces_of_tex,
)
from press.page import Blocks

IN_LINE = (  # elements that leave a number in one piece, as comments do
    "", "abbr", "b", "big", "data", "del", "em", "font", "i", "ins", "mark", "q", "s", "small",
    "span", "strong", "time", "u", "wbr",
)  # fmt: skip
SAID = ("alt", "aria-label", "label", "placeholder", "title")  # attributes that are heard or seen
ZERO_WIDTH = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
STRAIGHT = str.maketrans("‘’“”", "''\"\"")
POINTERS = ("citation", "reference", "footnote_ref")
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
PRINTED = ("label", "labels", "s", "title", "xlabel", "ylabel")


def numbers_in_post(
    tokens: Sequence[Token], path: str, blocks: Blocks, search: NumberSearch
) -> Iterator[Number]:
    """Every number that a post's text, captions, tables, formulas and blocks have."""
    before = Token("", "", 0)
    for token in tokens:
        origin: Any = token.meta.get("origin")  # a SourceMap where the parser knew it
        if token.type in ("inline", "figure"):
            is_cell = before.type in ("td_open", "th_open")
            is_heading = before.type == "heading_open"
            children = [*(token.children or ()), *token.meta.get("caption", ())]
            yield from numbers_in_line(children, origin, search, is_cell, is_heading)
        elif token.type == "table_open" and "caption" in token.meta:
            yield from numbers_in_line(token.meta["caption"], origin, search)
        elif token.type == "html_block":
            children, is_cell = token.children or [], "<td" in token.content
            yield from numbers_in_line(children, origin, search, is_cell)
        elif token.type == "directive_open":  # what a block's arguments say, not what they choose
            prose = blocks.prose_arguments(token.info)
            for name, text in token.meta["arguments"].items():
                if name in prose:
                    at = token.meta["places"][name]
                    origin = SourceMap.of_lines(path, text, at.line, at.column)
                    yield from search.find(_pieces_of_text(text), origin)
        elif token.type == "formula_block" or is_formula(token):
            yield from search.find(pieces_of_tex(origin.text, 0), origin)
        elif token.type == "list_item_open" and token.info and token.map:
            yield Number(POINTER, token.info, Place(path, token.map[0] + 1, 1))
        before = token


def numbers_in_line(
    children: Sequence[Token],
    origin: SourceMap,
    search: NumberSearch,
    is_cell: bool = False,
    is_heading: bool = False,
) -> Iterator[Number]:
    """The numbers of a paragraph, a heading, a cell, or a caption."""
    for token in children:
        if token.type in POINTERS:
            yield Number(POINTER, token.content, origin.at(token.meta.get("start", 0)))
    source = origin.text.translate(STRAIGHT)
    yield from search.find(_pieces(children, source), origin, is_cell, is_heading)


def _pieces(children: Sequence[Token], source: str, at: int = 0) -> Iterator[Piece]:
    """What a reader sees of inline tokens from offset `at` on, and hears of their tags.

    In `source` every quote is straight, as most are written: those of the tokens were curled.
    """
    kind = TEXT
    for token in children:
        content = token.content
        is_placed = token.type not in ("text", "code_inline")  # else the parser does not tell
        found = -1 if is_placed else source.find(content.translate(STRAIGHT), at)
        start = token.meta.get("start", at) if is_placed else found
        start, at = max(start, at), max(start + len(content), at) if start >= 0 else at
        if token.type == "text":
            yield Piece(content.translate(ZERO_WIDTH), start, kind)
        elif token.type == "expression":
            yield Piece(HIDDEN, start - len(token.markup), EXPRESSION)
        elif token.type == "formula":
            yield from pieces_of_tex(content, start)
        elif token.type == "image":
            yield Piece("\0", start)
            yield from _pieces(token.children or (), source, start)
            yield Piece("\0", start)
        elif token.tag not in IN_LINE or token.type in ("html_text", *POINTERS):
            yield Piece(" ", start)
        if token.type in ("link_open", "link_close"):
            kind = POINTER if str(token.attrs.get("href", "")).startswith("#") else TEXT
        attributes = token.attrs | token.meta.get("attributes", {})
        said = (*SAID, "value") if token.tag == "input" else SAID
        for text in [str(attributes[name]) for name in said if attributes.get(name)]:
            yield Piece("\0", start)
            yield from _pieces_of_text(text, start + max(content.find(text), 0))
            yield Piece("\0", start)


def _pieces_of_text(text: str, start: int = 0) -> Iterator[Piece]:
    """A text that is no Markdown but may hold expressions; it begins at `start` in the source."""
    at = 0
    for braces in BRACES.finditer(text):
        yield Piece(text[at : braces.start()], start + at)
        if not compares(braces[1]):
            yield Piece(HIDDEN, start + braces.start(), EXPRESSION)
        at = braces.end()
    yield Piece(text[at:], start + at)


def numbers_in_script(
    path: Path, search: NumberSearch, only_words: bool = False
) -> Iterator[Number]:
    """Every number that a script writes or draws; none of a script that is not valid Python.

    With `only_words` those that its texts hold, as of a script that computes more than it says.
    """
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
        elif only_words:
            continue
        elif isinstance(node.value, float):
            yield Number(RESULT, ast.unparse(node), place)
        elif isinstance(node.value, int) and id(node) in drawn and node.value not in (0, 1):
            yield Number(OPEN, ast.unparse(node), place)


def _places(tree: ast.AST) -> tuple[set[int], set[int], set[int]]:
    """The ids of constants that are no part of the plot, of words in it, and of data in it."""
    unseen, written, data = list[ast.expr](), list[ast.expr](), list[ast.expr]()
    places: list[ast.expr] = []  # where bars stand, which a script may shift as it likes
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
                (data if name in DATA else written if name in PRINTED else unseen).append(value)
            case ast.Call(ast.Attribute(attr="bar" | "barh"), [beside, *arguments]):
                places.append(beside)
                data += arguments
            case ast.Call(ast.Attribute(attr=name), arguments) if WRITING.fullmatch(name):
                written += arguments
            case ast.Call(ast.Attribute(attr=name), arguments) if DRAWING.fullmatch(name):
                data += arguments
    values = _values_of(data, named)
    drawn = _within(_stated([*data, *values]))
    places += [one for one in _values_of(places, named) if one not in values]
    shifts = [one for one in _within(places) if type(getattr(one, "value", "")) in (int, float)]
    out_of_sight = {id(one) for one in (*_within(unseen), *shifts)}
    return out_of_sight, set(map(id, _within(written))), set(map(id, drawn))


def _values_of(nodes: list[ast.expr], named: Mapping[str, ast.expr]) -> list[ast.expr]:
    """What the names within these stand for."""
    names = [one.id for one in _within(nodes) if isinstance(one, ast.Name)]
    return [named[name] for name in names if name in named]


def _within(nodes: Iterable[ast.expr]) -> list[ast.AST]:
    return [one for node in nodes for one in ast.walk(node)]


def _stated(nodes: Iterable[ast.expr]) -> Iterator[ast.expr]:
    """The values that are stated among these and in lists of them, neither called nor indexed."""
    for node in nodes:
        if isinstance(node, ast.List | ast.Tuple):
            yield from _stated(node.elts)
        elif isinstance(node, ast.Constant | ast.UnaryOp | ast.BinOp):
            yield node
