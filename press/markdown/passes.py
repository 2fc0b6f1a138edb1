"""Passes over the tokens of a post, each one a function with a name.

Those that `parser.PASSES` lists belong to the dialect and run on every text that is parsed. Those
of `RESOLVING` run once on a whole post: they number what can be referred to and what is cited, so
that the renderer finds every number and every back-link where it needs it.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from press.diagnostics import Place, SourceMap
from press.markdown.citations import HAND_MADE, Citations
from press.markdown.cross_references import CrossReferences
from press.markdown.syntax import ID_AT_END, parse_line
from press.page import Blocks

CAPTION = re.compile(r"Table:[ \t]+")
NOT_IN_NAME = frozenset(("link_open", "link_close", "footnote_ref", "citation", "image"))
SPACES = frozenset(("softbreak", "hardbreak", "html_inline"))


def join_references(state: StateCore) -> None:
    """Make `[](#id)` one token, to be filled in with the name of what it points at."""
    for token in state.tokens:
        children = token.children or []
        for index in range(len(children) - 2, -1, -1):
            opened, closed = children[index : index + 2]
            href = str(opened.attrs.get("href", ""))
            if (opened.type, closed.type) == ("link_open", "link_close") and href.startswith("#"):
                opened.type, opened.nesting = "reference", 0
                del children[index + 1]


def find_figures(state: StateCore) -> None:
    """Make a picture that is alone in its paragraph a figure; its title is its caption."""
    tokens: list[Token] = []
    for token in state.tokens:
        tokens.append(token)
        if token.type != "paragraph_close" or token.hidden:
            continue
        opened, inline, _ = tokens[-3:]
        image = _only_picture(inline)
        if image is None:
            continue
        figure = Token("figure", "", 0, map=opened.map, children=[image], meta=dict(image.meta))
        figure.attrs = {name: str(image.attrs.pop(name, "")) for name in ("title", "id", "class")}
        if caption := str(figure.attrs["title"]):
            origin: SourceMap = image.meta["origin"]
            place = origin.at(max(origin.text.find(caption), 0))
            source = SourceMap(origin.path, caption, ((place.line, place.column),))
            figure.meta["caption"] = parse_line(state.md, caption, source)
        tokens[-3:] = [figure]
    state.tokens = tokens


def _only_picture(inline: Token) -> Token | None:
    visible = [
        one for one in inline.children or [] if one.type != "text" or one.content.strip()
    ]  # fmt: skip
    return visible[0] if [one.type for one in visible] == ["image"] else None


def find_captions(state: StateCore) -> None:
    """Give a table the caption of the paragraph `Table: ...` that follows it."""
    tokens: list[Token] = []
    table = Token("", "", 0)
    for token in state.tokens:
        tokens.append(token)
        if token.type == "table_open":
            table = token
        if [one.type for one in tokens[-4:-2]] == ["table_close", "paragraph_open"]:
            inline = tokens[-2]
            if CAPTION.match(inline.content) and "caption" not in table.meta:
                _give_caption(table, inline)
                del tokens[-3:]
    state.tokens = tokens


def _give_caption(table: Token, inline: Token) -> None:
    children = inline.children or []
    if children and children[0].type == "text":
        children[0].content = CAPTION.sub("", children[0].content)
    found = ID_AT_END.search(inline.content)
    if found and children and children[-1].type == "text":
        table.attrs["id"] = found[1]
        children[-1].content = ID_AT_END.sub("", children[-1].content)
    table.meta = {"caption": children, "origin": inline.meta["origin"]}


def empty_corners(state: StateCore) -> None:
    """Make an empty cell of a table's head an ordinary one: it heads nothing."""
    tokens = state.tokens
    for opened, inline, closed in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if opened.type == "th_open" and not inline.content.strip():
            opened.tag = closed.tag = "td"


@dataclass
class Document:
    """A parsed post while its numbers and references are resolved."""

    path: str
    tokens: list[Token]
    crossrefs: CrossReferences
    citations: Citations
    blocks: Blocks


def resolve(document: Document) -> None:
    """Run every pass of RESOLVING."""
    for run in RESOLVING.values():
        run(document)


def number(document: Document) -> None:
    """Number figures, tables, equations and listings; a block is numbered behind its body."""
    opened: list[Token] = []
    for token in document.tokens:
        id, place = str(token.attrs.get("id", "")), place_of(token, document.path)
        match token.type:
            case "figure" if id or "caption" in token.meta:
                kind = "figure"
            case "table_open" if "caption" in token.meta:
                kind = "table"
            case "formula_block" if token.info:
                kind, id = "equation", token.info
            case "directive_open":
                opened.append(token)
                continue
            case "directive_close":
                token = opened.pop()
                block = document.blocks.get(token.info)
                if block is None or not block.numbered:
                    continue
                kind, id = block.numbered, token.meta["arguments"].get("id", "")
                place = argument_places(token, document.path).get("id", place)
            case _:
                continue
        token.meta["number"] = document.crossrefs.number(kind, id, place)


def name_sections(document: Document) -> None:
    """Give every heading an id of its own, by which its text can be found."""
    for token in document.tokens:
        if token.type == "heading_open":
            children = token.meta["children"]
            given = str(token.attrs.get("id", ""))
            id = document.crossrefs.new_id(given or slug(plain_text(children)), bool(given))
            token.attrs["id"] = id
            words = words_of(children, document.crossrefs.labels)
            document.crossrefs.sections.setdefault(id, words)


def number_citations(document: Document) -> None:
    """Number what is cited, in the order in which a reader meets it."""
    for token in in_reading_order(document.tokens):
        if token.type == "citation":
            origin, start = token.meta["origin"], token.meta["start"]
            token.meta["cited"] = document.citations.cite(token.content, origin, start)


def name_links_by_hand(document: Document) -> None:
    """Give links to references made by hand ids, to which those can lead back."""
    for token in in_reading_order(document.tokens):
        href = str(token.attrs.get("href", ""))
        if token.type == "link_open" and href.startswith(f"#{HAND_MADE}"):
            token.attrs |= {"id": document.citations.link_by_hand(href[1:]), "class": "citation"}


RESOLVING = {
    "numbers": number,
    "sections": name_sections,  # headings can refer to what has a number
    "citations": number_citations,
    "links-by-hand": name_links_by_hand,
}


def in_reading_order(tokens: Sequence[Token]) -> Iterator[Token]:
    """Every token that is shown, those of captions and of lines too, in the order of the page."""
    for token in tokens:
        yield token
        if token.type != "image":  # whose children are its alternative text
            yield from in_reading_order(token.children or [])
        yield from in_reading_order(token.meta.get("caption", ()))


def place_of(token: Token, path: str) -> Place:
    """Where a token of the file `path` stands, at least its line."""
    origin: SourceMap | None = token.meta.get("origin")
    line = token.map[0] + 1 if token.map else 1
    return origin.at(token.meta.get("start", 0)) if origin else Place(path, line, 1)


def argument_places(directive: Token, path: str) -> dict[str, Place]:
    """Where the value of each argument of a directive begins."""
    places = directive.meta["places"].items()
    return {name: Place(path, line + 1, column + 1) for name, (line, column) in places}


def take_title(tokens: list[Token]) -> list[Token] | None:
    """The inline tokens of the first heading, which is taken out; None if there is no heading."""
    for index, token in enumerate(tokens):
        if token.type == "heading_open" and token.level == 0:
            del tokens[index : index + 3]
            children: list[Token] = token.meta["children"]
            return children
    return None


def words_of(children: Sequence[Token], labels: Mapping[str, str]) -> list[Token]:
    """What of a heading's tokens can stand in a title or a link.

    A break or a tag is a space, a reference what `labels` calls it, or else its id.
    """
    words = []
    for token in children:
        if token.type in SPACES:
            words.append(text_token(" "))
        elif token.type == "reference":
            id = str(token.attrs["href"])[1:]
            words.append(text_token(labels.get(id, id)))
        elif token.type not in NOT_IN_NAME:
            words.append(token)
    return words


def text_token(text: str) -> Token:
    """A token of plain text."""
    return Token("text", "", 0, content=text)


def slug(text: str) -> str:
    """An id made of a heading's text."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-") or "section"


def plain_text(tokens: Sequence[Token]) -> str:
    """The text of inline tokens without any markup; a line break is a space."""
    parts = []
    for token in tokens:
        if token.type in SPACES:
            parts.append(" ")
        elif token.type == "image":
            parts.append(plain_text(token.children or []))
        elif token.type in ("text", "code_inline", "formula"):
            parts.append(token.content)
    return re.sub(r"\s+", " ", "".join(parts)).strip()
