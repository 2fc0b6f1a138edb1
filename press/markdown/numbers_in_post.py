"""Every number of a post, what it is and where it stands: one walk over the post's tokens."""

import re
from collections.abc import Iterator, Sequence
from html import unescape
from typing import Any, NamedTuple

from markdown_it.token import Token

from press.diagnostics import Place, SourceMap
from press.markdown.math import is_formula
from press.markdown.syntax import EXPRESSION as BRACES
from press.markdown.typed_numbers import (
    EXPRESSION,
    HIDDEN,
    POINTER,
    TEXT,
    NumberSearch,
    Piece,
    pieces_of_tex,
)
from press.page import Blocks

IN_LINE = re.compile(  # tags that leave a number in one piece
    r"</?(?:abbr|b|big|data|del|em|font|i|ins|mark|q|s|small|span|strong|time|u|wbr)\b|<!--",
    re.IGNORECASE,
)
UNSEEN = re.compile(r"<(code|pre|script|style|textarea)\b", re.IGNORECASE)
SAID = re.compile(r"""\b(?:alt|aria-label|title)\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
ZERO_WIDTH = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
POINTERS = ("citation", "reference", "footnote_ref")
BETWEEN = ("code_inline", "softbreak", "hardbreak", "link_open", "link_close", *POINTERS)


class Number(NamedTuple):
    """A number of a post, or a unit beside an expression; what it is, and where it stands."""

    kind: str
    text: str
    place: Place


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
                    yield from _found(_pieces_of_text(text), origin, search)
        elif token.type == "formula_block" or is_formula(token):
            yield from _found(pieces_of_tex(origin.text, 0), origin, search)
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
    yield from _found(_pieces(children, origin.text), origin, search, is_cell, is_heading)


def _found(
    pieces: Iterator[Piece],
    origin: SourceMap,
    search: NumberSearch,
    is_cell: bool = False,
    is_heading: bool = False,
) -> Iterator[Number]:
    for found in search.find(pieces, is_cell, is_heading):
        yield Number(found.kind, found.text, origin.at(found.offset(origin.text)))


def _pieces(children: Sequence[Token], source: str, at: int = 0) -> Iterator[Piece]:
    """What a reader sees of inline tokens from offset `at` on, and hears of their tags."""
    kind, unseen = TEXT, ""
    for token in children:
        content = token.content
        if unseen:
            is_end = content.lower().startswith(f"</{unseen}") or token.type == "link_close"
            unseen = "" if is_end else unseen
            continue
        is_placed = token.type not in ("text", "code_inline")  # else the parser does not tell
        start = token.meta.get("start", at) if is_placed else source.find(content, at)
        start, at = max(start, at), max(start + len(content), at) if start >= 0 else at
        if token.type == "text":
            shown = content.translate(ZERO_WIDTH)
            yield Piece(shown, start, kind, source.startswith(shown, start))
        elif token.type == "expression":
            yield Piece(HIDDEN, start - len(token.markup), EXPRESSION)
        elif token.type == "formula":
            yield from pieces_of_tex(content, start)
        elif token.type == "image":
            yield Piece("\0", start)
            yield from _pieces(token.children or (), source, start)
            yield Piece("\0", start)
        elif token.type == "html_inline":
            unseen = found[1].lower() if (found := UNSEEN.match(content)) else ""
            yield from _heard(content, start)
        elif token.type in BETWEEN:
            yield Piece(" ", start)
        if token.type in ("link_open", "link_close"):
            kind = POINTER if str(token.attrs.get("href", "")).startswith("#") else TEXT
            unseen = "link" if token.markup == "autolink" and token.nesting > 0 else ""
        if title := token.attrs.get("title"):
            yield from _said(str(title), start)


def _heard(tag: str, start: int) -> Iterator[Piece]:
    """What a tag says in its attributes; one that is not of a line divides what is beside it."""
    if not IN_LINE.match(tag):
        yield Piece(" ", start)
    for said in SAID.finditer("" if tag.startswith("<!") else tag):
        yield from _said(said[1] or said[2] or "", start + said.start())


def _said(text: str, start: int) -> Iterator[Piece]:
    """What an attribute of a tag says to those who point at it, or hear it."""
    if text:
        yield Piece("\0", start)
        for piece in _pieces_of_text(text):
            yield Piece(unescape(piece.shown), start, piece.kind, False)
        yield Piece("\0", start)


def _pieces_of_text(text: str) -> Iterator[Piece]:
    """A text that is no Markdown but may hold expressions."""
    at = 0
    for braces in BRACES.finditer(text):
        yield Piece(text[at : braces.start()], at)
        yield Piece(HIDDEN, braces.start(), EXPRESSION)
        at = braces.end()
    yield Piece(text[at:], at)
