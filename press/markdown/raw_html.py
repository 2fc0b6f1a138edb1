"""Raw HTML of a post, read in one walk into tokens: its tags, and the text between them.

Comments and what stands in INERT elements are left as they are, and no empty line ends them. Any
other text is read for formulas, expressions, citations and references, as that of Markdown is.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cache
from html import unescape

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, html_block
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline, html_inline
from markdown_it.token import Token

from press.diagnostics import Diagnostic, Place, SourceMap
from press.markdown import syntax

RAW = ("script", "style", "textarea")  # what looks like a tag in them is none
INERT = ("pre", "code", *RAW)
PLAIN = ("svg", "math", "select", "title")  # no formula can be shown in them
VOID = (
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr",
)  # fmt: skip
INLINE = (
    "a", "abbr", "b", "bdi", "bdo", "br", "cite", "code", "data", "del", "dfn", "em", "font", "i",
    "img", "input", "ins", "kbd", "label", "mark", "math", "picture", "q", "rp", "rt", "ruby",
    "s", "samp", "small", "span", "strong", "sub", "sup", "svg", "time", "u", "var", "wbr",
)  # fmt: skip
COMMENT = "<!--"
# Each alternative ends at the end of the text at the latest, so that one walk is enough.
MARKUP = re.compile(
    rf"{COMMENT}(?:-?>|.*?(?:-->|\Z))"
    r"|<(?!/?(?:Inline|Block)Math>)(?P<end>/?)(?P<name>[a-zA-Z][^\s/>]*)"
    r"""(?P<rest>(?:[^>"']+|"[^"]*(?:"|\Z)|'[^']*(?:'|\Z))*)(?:>|\Z)"""
    r"|<(?:[!?]|/(?![a-zA-Z]))[^>]*(?:>|\Z)",
    re.DOTALL,
)
ATTRIBUTE = re.compile(
    r"""([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""", re.DOTALL
)


@cache
def _closing(name: str) -> re.Pattern[str]:
    """What closes an element or a comment."""
    if name == COMMENT:
        return re.compile("-->")
    return re.compile(rf"<(?P<end>/)(?P<name>{name})(?P<rest>[^\w>][^>]*)?>", re.IGNORECASE)


def walk(html: str, within: list[str]) -> Iterator[tuple[int, int, re.Match[str] | None]]:
    """The tags, comments and texts of HTML: from where to where, and the match of all but texts.

    `within` is kept up to date: the elements of INERT and PLAIN that are open around the piece.
    """
    at = 0
    while at < len(html):
        is_raw = within and within[-1] in RAW
        found = (_closing(within[-1]) if is_raw else MARKUP).search(html, at)
        start, end = found.span() if found else (len(html), len(html))
        if start > at:
            yield at, start, None
        if found:
            name = (found["name"] or "").lower()
            if found["end"] and name in within:
                del within[within.index(name) :]
            yield start, end, found
            if found[0].startswith(COMMENT) and not found[0].endswith(">"):
                within.append(COMMENT)
            elif name in (*INERT, *PLAIN) and not found["end"] and name not in within:
                within += [] if found[0].endswith("/>") else [name]
        at = end


def tokens_of(html: str, origin: SourceMap, start: int) -> list[Token]:
    """HTML that stands at `start` in `origin`: a token for each tag and comment, and its texts."""
    tokens: list[Token] = []
    within: list[str] = []
    for first, last, found in walk(html, within):
        meta = {"origin": origin, "start": start + first}
        if found is None or not found[0].endswith(">"):
            tokens += _text(html[first:last], within, meta)
            continue
        name, is_end = (found["name"] or "").lower(), bool(found["end"])
        is_alone = not name or name in VOID or found[0].endswith("/>")
        tokens.append(Token("html_inline", name, 0 if is_alone else -1 if is_end else 1))
        tokens[-1].content, tokens[-1].meta = found[0], meta
        if name and not is_end:
            meta["attributes"] = attributes_of(found["rest"])
    return tokens


def attributes_of(text: str) -> dict[str, str]:
    """The attributes of a tag; the first of each name counts, as in a browser."""
    found: dict[str, str] = {}
    for name, *values in ATTRIBUTE.findall(text):
        found.setdefault(name.lower(), unescape("".join(values)))
    return found


@cache
def _dialect() -> MarkdownIt:
    """The rules of the dialect that hold in the text of raw HTML."""
    made = MarkdownIt("zero")
    made.inline.ruler.push("dialect", syntax.dialect)
    return made


def _text(text: str, within: list[str], meta: dict[str, object]) -> list[Token]:
    """The tokens of a text between tags."""
    tokens: list[Token] = []
    is_inert = not {COMMENT, *INERT}.isdisjoint(within)
    if not is_inert:
        _dialect().inline.parse(text, _dialect(), {"origin": meta["origin"]}, tokens)
    if is_inert:
        return [Token("html_text", "", 0, content=unescape(text), markup=text, meta=meta)]
    for token in tokens:
        if within and token.type == "formula":
            token.type, token.info = "html_text", within[-1]
            token.markup += token.content + token.markup
        token.content = unescape(token.content)
        if "start" in token.meta:
            token.meta["start"] += meta["start"]
    return tokens


def inline(state: StateInline, silent: bool) -> bool:
    """Read a tag or a comment within a line, or a whole element of INERT or PLAIN."""
    start = state.pos
    if not html_inline(state, silent):
        if state.src.startswith(COMMENT, start) and not silent:
            sentence = f"{COMMENT} is not closed in this paragraph, and shows as text"
            state.env.setdefault("errors", []).append(
                Diagnostic(state.env["origin"].at(start), sentence)
            )
        return False
    name = _open_at_end(state.src[start : state.pos], (*INERT, *PLAIN))
    if name and (closed := _closing(name).search(state.src, state.pos, state.posMax)):
        state.pos = closed.end()
    if not silent:
        state.tokens.pop()
        state.tokens += tokens_of(state.src[start : state.pos], state.env["origin"], start)
        state.tokens_meta += [None] * (len(state.tokens) - len(state.tokens_meta))
    return True


def block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read lines of HTML; an empty line ends them only where no inert element is open."""
    if not html_block(state, start, end, silent):
        return False
    while not silent and (name := _open_at_end(state.tokens[-1].content)):
        token, line = state.tokens[-1], _line_behind(state, name, end)
        if line is None:
            at = state.bMarks[start] + state.tShift[start]
            place = Place(state.env["path"], start + 1, at - state.src.rfind("\n", 0, at))
            opened = name if name == COMMENT else f"<{name}>"
            sentence = f"{opened} is opened here and never closed"
            state.env["errors"].append(Diagnostic(place, sentence))
            break
        token.map, state.line = [start, line], line
        token.content = state.getLines(start, line, state.blkIndent, True)
    return True


def _open_at_end(html: str, names: Sequence[str] = (COMMENT, *INERT)) -> str:
    """Which of some elements is open where a piece of HTML ends; or an empty text."""
    within: list[str] = []
    for _ in walk(html, within):
        pass
    return next((name for name in within if name in names), "")


def _line_behind(state: StateBlock, name: str, end: int) -> int | None:
    """The line behind the lines that hold what closes `name`; None if nothing does."""
    unclosed = state.env.setdefault("unclosed", set())
    if state.line >= end or name in unclosed:
        return None
    found = _closing(name).search(state.src, state.bMarks[state.line])
    if not found:
        unclosed.add(name)
        return None
    line = bisect_right(state.bMarks, found.start())
    while line < end and not state.isEmpty(line):
        line += 1
    lines = range(state.line, line)
    is_here = all(state.isEmpty(n) or state.sCount[n] >= state.blkIndent for n in lines)
    return line if line <= end and is_here else None


def read_blocks(state: StateCore) -> None:
    """Read the blocks of raw HTML into tokens; their loose text stands in the text's column."""
    opened: list[str] = []  # the elements that are open, over several blocks
    for token in state.tokens:
        if token.type == "html_block":
            token.children = tokens_of(token.content, token.meta["origin"], 0)
            if token.level == 0:
                token.children = _in_column(token.children, opened)


def _in_column(tokens: list[Token], opened: list[str]) -> list[Token]:
    """Wrap words and inline elements that stand in no element of a block; see `read_blocks`."""
    whole: list[Token] = []
    run: list[Token] = []

    def end_run() -> None:
        if any(one.type != "html_inline" and one.content.strip() for one in run):
            tag = "p" if all(one.tag in INLINE or not one.tag for one in run) else "div"
            whole.append(Token("html_inline", "", 0, content=f"<{tag}>"))
            whole.extend([*run, Token("html_inline", "", 0, content=f"</{tag}>\n")])
            opened.clear()
        else:
            whole.extend(run)
        run.clear()

    for token in tokens:
        is_loose = not opened and token.nesting >= 0 and (token.tag in INLINE or not token.tag)
        if not opened and not is_loose:
            end_run()
        (run if is_loose or run else whole).append(token)
        _follow(opened, token)
    end_run()
    if opened[-1:] == ["p"]:  # which the next block closes
        opened.pop()
    return whole


def _follow(opened: list[str], token: Token) -> None:
    """Keep the list of elements that are open up to date."""
    if token.nesting > 0:
        if opened[-1:] == ["p"] and token.tag not in INLINE:
            opened.pop()
        opened.append(token.tag)
    elif token.nesting < 0 and token.tag in opened:
        while opened.pop() != token.tag:
            pass
