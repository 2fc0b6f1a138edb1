"""Raw HTML of a post, read in one walk into tokens: its tags, and the text between them.

Comments and what stands in INERT elements are left as they are, and no empty line ends them. Any
other text is read for formulas, expressions, citations and references, as that of Markdown is.
"""

import re
from bisect import bisect_right
from collections.abc import Callable
from functools import cache, lru_cache
from html import unescape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, html_block
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline, html_inline
from markdown_it.token import Token

from press.diagnostics import Diagnostic, SourceMap
from press.markdown import syntax
from press.markdown.citations import HAND_MADE

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
# An attribute's value: quotes within the braces of an expression do not end it.
_BRACES = rf"\{{\{{{syntax.IN_BRACES}\}}\}}"
_DOUBLE = rf'(?:[^"{{]|{_BRACES}|\{{)*+'
_SINGLE = rf"(?:[^'{{]|{_BRACES}|\{{)*+"
# Each alternative ends at the end of the text at the latest, so that one walk is enough.
MARKUP = re.compile(
    rf"{COMMENT}(?:-?>|.*?(?:-->|\Z))"
    r"|<(?!/?(?:Inline|Block)Math>)(?P<end>/?)(?P<name>[a-zA-Z][^\s/>]*)"
    rf"""(?P<rest>(?:[^>"']+|"{_DOUBLE}(?:"|\Z)|'{_SINGLE}(?:'|\Z))*)(?:>|\Z)"""
    r"|<(?:[!?]|/(?![a-zA-Z]))[^>]*(?:>|\Z)",
    re.DOTALL,
)
ATTRIBUTE = re.compile(
    rf"""([^\s"'<>/=]+)(?:\s*=\s*(?:"({_DOUBLE})"|'({_SINGLE})'|([^\s"'>]+)))?""", re.DOTALL
)

MASK = str.maketrans(dict.fromkeys("\"'<>", "_"))


@cache
def _closing(name: str) -> re.Pattern[str]:
    """What closes an element or a comment."""
    if name == COMMENT:
        return re.compile("-->")
    return re.compile(rf"<(?P<end>/)(?P<name>{name})(?P<rest>[^\w>][^>]*)?>", re.IGNORECASE)


def _opened(found: re.Match[str]) -> str:
    """The element of INERT or PLAIN, or the comment, that is opened and not closed; or nothing."""
    if found[0].startswith(COMMENT):
        return "" if found[0].endswith("-->") else COMMENT
    name = (found["name"] or "").lower()
    is_open = name in (*INERT, *PLAIN) and not found["end"] and not found[0].endswith("/>")
    return name if is_open else ""


def tokens_of(html: str, origin: SourceMap, start: int, within: list[str]) -> list[Token]:
    """HTML that stands at `start` in `origin`: a token for each tag and comment, and its texts.

    `within` gets the elements of INERT and PLAIN, or the comment, that are open at the end.
    """
    tokens: list[Token] = []
    at = 0
    while at < len(html):
        is_raw = within and within[-1] in RAW
        found = (_closing(within[-1]) if is_raw else MARKUP).search(html, at)
        first, last = found.span() if found else (len(html), len(html))
        if first > at:
            tokens += _text(html[at:first], within, {"origin": origin, "start": start + at})
        at = last
        if not found:
            break
        meta: dict[str, Any] = {"origin": origin, "start": start + first}
        name, is_end = (found["name"] or "").lower(), bool(found["end"])
        if is_end and name in within:
            del within[within.index(name) :]
        opened = _opened(found)
        if found[0].endswith(">") and opened != COMMENT:
            is_alone = not name or name in VOID or found[0].endswith("/>")
            tokens.append(Token("html_inline", name, 0 if is_alone else -1 if is_end else 1))
            tokens[-1].content, tokens[-1].meta = found[0], meta
            if name and not is_end:
                meta["attributes"] = attributes_of(found["rest"])
        else:
            tokens += _text(found[0], within, meta)
        if opened and opened not in within:
            within.append(opened)
    return _with_back_links(tokens)


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
    if not {COMMENT, *INERT}.isdisjoint(within):
        return [Token("html_text", "", 0, content=unescape(text), markup=text, meta=meta)]
    tokens: list[Token] = []
    _dialect().inline.parse(text, _dialect(), {"origin": meta["origin"]}, tokens)
    for token in tokens:
        if within and token.type == "formula":
            token.type, token.info = "html_text", within[-1]
            token.markup += token.content + token.markup
        token.content = unescape(token.content)
        if "start" in token.meta:
            token.meta["start"] += meta["start"]
    return tokens


def _with_back_links(tokens: list[Token]) -> list[Token]:
    """Add, at the end of each reference that was made by hand, the links back to its citations."""
    placed: list[Token] = []
    wanted: list[Token] = []
    for token in tokens:
        if token.nesting < 0 and wanted and token.tag == wanted[-1].tag:
            placed.append(wanted.pop())
        placed.append(token)
        id = token.meta.get("attributes", {}).get("id", "")
        if id.startswith(HAND_MADE):
            wanted.append(Token("back_links", token.tag, 0, content=id, meta=token.meta))
    return placed + wanted


@lru_cache(maxsize=4)
def _masked(source: str) -> str:
    """A text in whose expressions no quote and no bracket stands, which could end a value or a tag.

    Of the same length; the library's own rules for tags know no expressions.
    """
    return syntax.EXPRESSION.sub(lambda found: found[0].translate(MASK), source)


def _reads(rule: Callable[..., bool], state: StateInline | StateBlock, *rest: int) -> bool:
    """Whether one of the library's rules for HTML reads what stands here."""
    if rule(state, *rest):
        return True
    source, state.src = state.src, _masked(state.src)
    matched = state.src != source and rule(state, *rest)
    state.src = source
    return matched


def inline(state: StateInline, silent: bool) -> bool:
    """Read a tag or a comment within a line, or a whole element of INERT or PLAIN."""
    start = state.pos
    if not _reads(html_inline, state, silent):
        if state.src.startswith(COMMENT, start) and not silent:
            sentence = f"{COMMENT} is not closed in this paragraph, and shows as text"
            state.env.setdefault("errors", []).append(
                Diagnostic(state.env["origin"].at(start), sentence)
            )
        return False
    found = MARKUP.match(state.src, start)
    name = _opened(found) if found else ""
    if name and state.pos <= _last(state.src, name):
        closed = _closing(name).search(state.src, state.pos, state.posMax)
        state.pos = closed.end() if closed else state.pos
    if not silent:
        state.tokens.pop()
        state.tokens += tokens_of(state.src[start : state.pos], state.env["origin"], start, [])
        state.tokens_meta += [None] * (len(state.tokens) - len(state.tokens_meta))
    return True


@lru_cache(maxsize=16)
def _last(source: str, name: str) -> int:
    """Where the last closing tag of a name stands; asked for each opening one, so remembered."""
    return source.lower().rfind(f"</{name}")


def block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read lines of HTML; an empty line ends them only where no inert element is open."""
    if not _reads(html_block, state, start, end, silent):
        return False
    if not silent:
        state.tokens[-1].content = state.getLines(start, state.line, state.blkIndent, True)
    unclosed = state.env.setdefault("unclosed", set())  # so that none is looked for twice
    while not silent and state.line < end:
        token, within = state.tokens[-1], list[str]()
        tokens_of(token.content, SourceMap("", "", ((1, 1),)), 0, within)
        if not (name := _inert_in(within)) or name in unclosed:
            break  # what is not closed is told when it is read
        if not (found := _closing(name).search(state.src, state.bMarks[state.line])):
            unclosed.add(name)
            break
        line = bisect_right(state.bMarks, found.start())
        while line < end and not state.isEmpty(line):
            line += 1
        lines = [n for n in range(state.line, min(line, end)) if not state.isEmpty(n)]
        if line > end or any(state.sCount[n] < state.blkIndent for n in lines):
            break
        token.map, state.line = [start, line], line
        token.content = state.getLines(start, line, state.blkIndent, True)
    return True


def _inert_in(within: list[str]) -> str:
    return next((name for name in within if name in (COMMENT, *INERT)), "")


def read_blocks(state: StateCore) -> None:
    """Read the blocks of raw HTML into tokens; their loose text stands in the text's column."""
    for token in state.tokens:
        if token.type == "html_block":
            within, origin = list[str](), token.meta["origin"]
            token.children = tokens_of(token.content, origin, 0, within)
            if token.level == 0:
                token.children = _in_column(token.children)
            if name := _inert_in(within):
                opened = name if name == COMMENT else f"<{name}>"
                sentence = f"{opened} is opened here and never closed"
                state.env["errors"].append(Diagnostic(origin.at(0), sentence))


def _in_column(tokens: list[Token]) -> list[Token]:
    """Wrap words and inline elements that stand in no element of a block; see `read_blocks`."""
    whole, run, opened = list[Token](), list[Token](), list[str]()

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
