"""Every number of a post, what it is and where it stands: one walk over the post's tokens."""

from collections.abc import Iterator, Sequence
from typing import Any

from markdown_it.token import Token

from press.diagnostics import Place, SourceMap
from press.markdown.math import is_formula
from press.markdown.syntax import EXPRESSION as BRACES
from press.markdown.typed_numbers import (
    EXPRESSION,
    HIDDEN,
    POINTER,
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
SAID = ("alt", "aria-label", "title")  # attributes that are heard, or seen by those who point
ZERO_WIDTH = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
POINTERS = ("citation", "reference", "footnote_ref")


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
    yield from search.find(_pieces(children, origin.text), origin, is_cell, is_heading)


def _pieces(children: Sequence[Token], source: str, at: int = 0) -> Iterator[Piece]:
    """What a reader sees of inline tokens from offset `at` on, and hears of their tags."""
    kind = TEXT
    for token in children:
        content = token.content
        is_placed = token.type not in ("text", "code_inline")  # else the parser does not tell
        start = token.meta.get("start", at) if is_placed else source.find(content, at)
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
        for text in [str(attributes[name]) for name in SAID if attributes.get(name)]:
            yield Piece("\0", start)
            yield from _pieces_of_text(text, start + max(content.find(text), 0))
            yield Piece("\0", start)


def _pieces_of_text(text: str, start: int = 0) -> Iterator[Piece]:
    """A text that is no Markdown but may hold expressions; it begins at `start` in the source."""
    at = 0
    for braces in BRACES.finditer(text):
        yield Piece(text[at : braces.start()], start + at)
        yield Piece(HIDDEN, start + braces.start(), EXPRESSION)
        at = braces.end()
    yield Piece(text[at:], start + at)
