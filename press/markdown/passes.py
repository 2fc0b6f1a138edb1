"""Passes over the tokens of a post, each one a function with a name.

The first five belong to the dialect and run on every text that is parsed. Those of `resolve` run
once on a whole post, so that the renderer finds every number, back-link and name that a reference
shows where it needs it.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from itertools import islice, pairwise
from urllib.parse import unquote

from markdown_it.rules_core import StateCore, smartquotes
from markdown_it.token import Token

from press.diagnostics import Diagnostic, Place, SourceMap
from press.errors import nearest
from press.markdown.citations import HAND_MADE, Citations
from press.markdown.post import slug
from press.markdown.syntax import CAPTION, ID_AT_END
from press.page import Blocks, PageContext

NAMES = {  # of what is numbered, each kind by itself
    "figure": "Figure {}",
    "table": "Table {}",
    "equation": "Equation ({})",
    "listing": "Listing {}",
}
RESERVED = {  # ids of the template, and what has them
    "content": "the page's main part",
    "errata": "the list of changes",
    "references": "the list of references",
    "cite-this": "how to cite the page",
}
IDS = re.compile(
    r"""<[a-zA-Z](?:[^<>"']|"[^"]*"|'[^']*')*?\sid\s*=\s*(?:"([^"]*)"|'([^']*)'|([^"'\s>]+))"""
)
COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
NOT_IN_NAME = frozenset(("link_open", "link_close", "footnote_ref", "citation", "image"))
BREAKS = ("softbreak", "hardbreak")
LETTERS = frozenset(("expression", "formula", "code_inline"))  # to the quotes beside them
STOPS = ".,;:!?)]"
SPACES = frozenset(("softbreak", "hardbreak", "html_inline"))


def hide_comparisons(state: StateCore) -> None:
    """Leave no trace of comparisons: of the row or paragraph that holds nothing else, of a space.

    Those of a row, or of a paragraph right behind a table, go to the table's last words, so that
    its caption still follows it.
    """
    tokens: list[Token] = []
    row = 0  # where the last one begins
    for token in state.tokens:
        tokens.append(token)
        if token.type == "inline":
            token.children = _closed_up(token.children or [])
        elif token.type == "tr_open":
            row = len(tokens) - 1
        elif token.type == "tr_close" and tokens[row - 1].type != "thead_open":
            if holds_comparisons_alone(tokens[row:]):
                _give_to_table(tokens, row)
        elif token.type == "paragraph_close" and holds_comparisons_alone(tokens[-3:]):
            tokens[-3].hidden = token.hidden = True
            if [one.type for one in tokens[-4:-3]] == ["table_close"]:
                _give_to_table(tokens, len(tokens) - 3)
    state.tokens = tokens


def _closed_up(words: list[Token]) -> list[Token]:
    """The words around comparisons without a break before one, or a space before one and a stop."""
    kept: list[Token] = []
    behind = ""  # what a reader sees there, or its kind
    for word in reversed(words):
        is_before = bool(kept) and kept[-1].type == "comparison"
        if is_before and word.type in BREAKS:
            continue
        if is_before and word.type == "text" and (not behind or behind[0] in STOPS):
            word.content = word.content.rstrip()
        if word.type != "comparison" and word.nesting >= 0:
            behind = (word.content if word.type == "text" else word.type) or behind
        kept.append(word)
    kept.reverse()
    first = next((at for at, one in enumerate(kept) if one.type != "comparison"), 0)
    if first and kept[first].type in BREAKS:
        del kept[first]
    return kept


def holds_comparisons_alone(tokens: Sequence[Token]) -> bool:
    """Whether comparisons are all that the texts among some tokens hold."""
    words = [word for one in tokens if one.type == "inline" for word in one.children or ()]
    return any(one.type == "comparison" for one in words) and not any(map(is_visible, words))


def _give_to_table(tokens: list[Token], start: int) -> None:
    """Move the comparisons of the tokens from `start` on behind the last words of a table."""
    words = [word for token in tokens[start:] for word in token.children or ()]
    del tokens[start:]
    last = next(token for token in reversed(tokens) if token.type == "inline")
    last.children = [*(last.children or ()), *(one for one in words if one.type == "comparison")]


def is_visible(word: Token) -> bool:
    """Whether an inline token is more than a blank text, a break or a comparison."""
    blank = word.type == "text" and not word.content.strip()
    return not blank and word.type not in (*BREAKS, "comparison")


def curl_quotes(state: StateCore) -> None:
    """Curl quotes as markdown-it does, for which code, a formula or an expression is a letter.

    It would look at the last sign of their source: at the space before the braces, or a bracket.
    """
    words = [word for token in state.tokens for word in token.children or ()]
    words = [word for word in words if word.type in (*LETTERS, "comparison")]
    sources = [word.content for word in words]
    for word in words:
        word.content = "x" if word.type in LETTERS else ""
    smartquotes(state)
    for word, source in zip(words, sources, strict=True):
        word.content = source


def find_figures(state: StateCore) -> None:
    """Make a picture that is alone in its paragraph a figure; its title is its caption."""
    tokens: list[Token] = []
    for token in state.tokens:
        tokens.append(token)
        if token.type != "paragraph_close":
            continue
        words = tokens[-2].children or []
        seen = [one for one in words if is_visible(one)]
        is_alone = [one.type for one in seen] == ["image"]
        if is_alone and (not token.hidden or seen[0].attrs.get("title")):
            [image] = seen
            words = [one for one in words if one is image or one.type == "comparison"]
            figure = Token("figure", "", 0, children=words, meta=dict(image.meta))
            for name in ("title", "id", "class"):
                figure.attrs[name] = str(image.attrs.pop(name, ""))
            if caption := str(figure.attrs["title"]):
                origin: SourceMap = image.meta["origin"]
                start = max(origin.text.rfind(caption), 0)
                env = {key: state.env[key] for key in ("errors", "keys") if key in state.env}
                env["line"] = origin.part(start, start + len(caption))
                said = state.md.parseInline(caption, env)[0].children or []
                figure.meta["caption"] = said
                if any(one.type == "footnote_ref" for one in said) and "errors" in env:
                    sentence = "a picture's caption holds no note; that of ::: figure may"
                    env["errors"].append(Diagnostic(origin.at(start), sentence, "error"))
            tokens[-3:] = [figure]
    state.tokens = tokens


def find_captions(state: StateCore) -> None:
    """Give a table the caption of the paragraph `Table: ...` that follows it."""
    tokens: list[Token] = []
    table = Token("", "", 0)
    for token in state.tokens:
        tokens.append(token)
        if token.type == "table_open":
            table = token
        if [one.type for one in tokens[-4:-2]] != ["table_close", "paragraph_open"]:
            continue
        inline = tokens[-2]
        words = inline.children or []
        seen = [one for one in words if one.type != "comparison"]
        if seen and CAPTION.match(seen[0].content) and seen[0].type == "text" and not table.meta:
            seen[0].content, last = CAPTION.sub("", seen[0].content, count=1), seen[-1]
            if last.type == "text" and (found := ID_AT_END.search(last.content)):
                table.attrs["id"] = found[1]
                last.content = last.content[: found.start()].rstrip()
            table.meta = {"caption": words, "origin": inline.meta["origin"]}
            del tokens[-3:]
    state.tokens = tokens


def empty_corners(state: StateCore) -> None:
    """Make an empty cell of a table's head an ordinary one: it heads nothing."""
    tokens = state.tokens
    for opened, inline, closed in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if opened.type == "th_open" and not inline.content.strip():
            opened.tag = closed.tag = "td"


@dataclass
class CrossReferences:
    """What a page can refer to, and what it does refer to."""

    context: PageContext
    labels: dict[str, str] = field(default_factory=dict)  # id -> "Figure 1"
    sections: dict[str, list[Token]] = field(default_factory=dict)  # id -> a heading's words
    wanted: list[tuple[str, Place]] = field(default_factory=list)  # ids that links name
    _counts: Counter[str] = field(default_factory=Counter)
    _repeats: Counter[str] = field(default_factory=Counter)  # of what headings are to be called
    _ids: set[str] = field(default_factory=lambda: set(RESERVED))

    def take_id(self, id: str, place: Place) -> None:
        """Take the id that a heading was given, if any; no other thing may have it."""
        if id and (id in self._ids or id in self.labels):
            self._refuse(id, place)
        self._ids.add(id)

    def new_id(self, wish: str) -> str:
        """An id that no other heading has."""
        id = wish
        while id in self._ids or id in self.labels:
            self._repeats[wish] += 1
            id = f"{wish}-{self._repeats[wish] + 1}"
        self._ids.add(id)
        return id

    def number(self, kind: str, id: str, place: Place) -> int:
        """The next number of a kind of NAMES, which `id` (if it is not empty) refers to."""
        self._counts[kind] += 1
        if id in self.labels or id in RESERVED:
            self._refuse(id, place)
        elif id:
            self.labels[id] = NAMES[kind].format(self._counts[kind])
        return self._counts[kind]

    def _refuse(self, id: str, place: Place) -> None:
        whose = f"reserved for {RESERVED[id]}" if id in RESERVED else "given twice"
        self.context.error(place, f"the id '{id}' is {whose}")

    def check(self, html: str) -> None:
        """Tell of links to ids that the page's HTML has not."""
        ids = {unescape("".join(id)): None for id in IDS.findall(COMMENT.sub("", html))}
        known = {"", *ids, *RESERVED}
        unknown = [(id, place) for id, place in self.wanted if id not in known]
        few = islice(dict.fromkeys(id for id, _ in unknown), 20)  # to look for a name takes time
        hints = {id: nearest(id, ids) for id in few}
        for id, place in unknown:
            self.context.error(place, f"unknown id '{id}'{hints.get(id, '')}")


def resolve(
    tokens: Sequence[Token], crossrefs: CrossReferences, citations: Citations, blocks: Blocks
) -> None:
    """Number what a post can refer to and what it cites."""
    number(tokens, crossrefs, blocks)
    name_sections(tokens, crossrefs)  # headings can refer to what has a number
    cite(tokens, citations)


def number(tokens: Sequence[Token], crossrefs: CrossReferences, blocks: Blocks) -> None:
    """Number figures, tables, equations and listings; a block is numbered behind its body."""
    opened: list[Token] = []
    for token in tokens:
        kind, id, place = "", str(token.attrs.get("id", "")), None
        match token.type:
            case "figure" if id or "caption" in token.meta:
                kind = "figure"
            case "table_open" if "caption" in token.meta:
                kind = "table"
            case "formula_block" if token.info:
                kind, id = "equation", token.info
            case "directive_open":
                opened.append(token)
            case "directive_close":
                token = opened.pop()
                kind, id = blocks.numbered(token.info), token.meta["arguments"].get("id", "")
                place = token.meta["places"].get("id")
        if kind:
            token.meta["number"] = crossrefs.number(kind, id, place or place_of(token))


def name_sections(tokens: Sequence[Token], crossrefs: CrossReferences) -> None:
    """Give every heading an id of its own, by which its text can be found; given ones go first."""
    headings = [pair for pair in pairwise(tokens) if pair[0].type == "heading_open"]
    for token, inline in headings:
        crossrefs.take_id(str(token.attrs.get("id", "")), place_of(inline))
    for token, inline in headings:
        children = inline.children or []
        if not children:
            crossrefs.context.warn(place_of(inline), "this heading has no words")
        name = slug(plain_text(children).replace(".", " ")) or "section"
        id = str(token.attrs.get("id", "")) or crossrefs.new_id(name)
        token.attrs["id"] = id
        crossrefs.sections.setdefault(id, words_of(children, crossrefs.labels))


def cite(tokens: Sequence[Token], citations: Citations) -> None:
    """Number what is cited as a reader meets it; links to references made by hand get ids."""
    for token in in_reading_order(tokens):
        href = str(token.meta.get("attributes", token.attrs).get("href", ""))  # of a tag, or a link
        if token.type == "citation":
            origin, start = token.meta["origin"], token.meta["start"]
            token.content = citations.cite(token.content, origin, start)
        elif token.tag == "a" and href.startswith(f"#{HAND_MADE}"):
            token.attrs |= {"id": citations.link_by_hand(unquote(href[1:])), "class": "citation"}


def in_reading_order(tokens: Sequence[Token]) -> Iterator[Token]:
    """Every token that is shown, those of captions and of lines too, in the order of the page."""
    for token in tokens:
        yield token
        if token.type != "image":  # whose children are its alternative text
            yield from in_reading_order(token.children or [])
        yield from in_reading_order(token.meta.get("caption", ()))


def place_of(token: Token) -> Place:
    """Where a token stands that knows its origin."""
    origin: SourceMap = token.meta["origin"]
    return origin.at(token.meta.get("start", 0))


def take_title(tokens: list[Token]) -> list[Token] | None:
    """The inline tokens of the first heading, which is taken out; None if there is no heading."""
    for index, token in enumerate(tokens):
        if token.type == "heading_open" and token.level == 0:
            _, inline, _ = tokens[index : index + 3]
            del tokens[index : index + 3]
            return inline.children
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
            words.append(text_token(labels.get(token.content, token.content)))
        elif token.type not in NOT_IN_NAME:
            words.append(token)
    return words


def text_token(text: str) -> Token:
    """A token of plain text."""
    return Token("text", "", 0, content=text)


def plain_text(tokens: Sequence[Token]) -> str:
    """The text of inline tokens without any markup; a line break is a space."""
    parts = []
    for token in tokens:
        if token.type in SPACES:
            parts.append(" ")
        elif token.type == "image":
            parts.append(plain_text(token.children or []))
        elif token.type in ("text", "code_inline", "formula", "html_text"):
            parts.append(token.content)
    return re.sub(r"\s+", " ", "".join(parts)).strip()
