"""What our Markdown has beyond CommonMark: formulas, citations, expressions and blocks.

Each rule leaves a token whose `meta` holds the origin and the offset of what it found, so that
whatever is wrong with it can be told with line and column.
"""

import re
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

from press.diagnostics import map_source

# `{{ ... }}`, with quoted text and one level of braces inside
EXPRESSION = re.compile(r"""\{\{((?:[^{}"']|"[^"\n]*"|'[^'\n]*'|\{[^{}]*\}|\}(?!\}))*)\}\}""")
INLINE_MATH = re.compile(r"<InlineMath>(.*?)</InlineMath>", re.DOTALL)
DISPLAY_DOLLARS = re.compile(r"\$\$((?:[^$`\\]|\\.)+?)\$\$", re.DOTALL)
DOLLARS = re.compile(r"\$(?!\s)((?:[^$`\\]|\\.)+?)(?<!\s)\$(?!\d)", re.DOTALL)
CITATION = re.compile(r"\[((?:[^\[\]@;]*@[\w:.+/-]+[^\[\];]*;?)+)\]")
CITED = re.compile(r"([^@;]*)@([\w:.+/-]*[\w+/-])([^;]*)")

BLOCK = re.compile(r"(:{3,})[ \t]*([A-Za-z][\w-]*)[ \t]*(.*?)[ \t]*$")
ARGUMENT = re.compile(r'([A-Za-z][\w-]*)[ \t]*=[ \t]*"([^"]*)"[ \t]*')
DISPLAY_OPEN = re.compile(r"\$\$(?!\$)|<InlineMath>[ \t]*$|<BlockMath>")
DISPLAY_CLOSE = {"$$": "$$", "<InlineMath>": "</InlineMath>", "<BlockMath>": "</BlockMath>"}
LABEL = re.compile(r"(?:\{#([\w:.-]+)\}|\(([A-Za-z][\w:.-]*)\))?$")

PIPE = "\ue000"  # stands for `|` inside of expressions until the tables are parsed


def add_rules(parser: MarkdownIt) -> None:
    """Teach a parser our rules."""
    inline = parser.inline.ruler
    inline.before("escape", "expression", expression)
    inline.before("escape", "formula", formula)
    inline.before("link", "citation", citation)
    for rule, kind in (("html_inline", "html_inline"), ("image", "image"), ("link", "link_open")):
        _keep_place(parser, rule, kind)
    ends_paragraph: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
    parser.block.ruler.before("fence", "call", call, ends_paragraph)
    parser.block.ruler.before("fence", "display", display, ends_paragraph)


def hide_pipes(text: str) -> str:
    """Put a stand-in for `|` inside of expressions and <InlineMath>, so that no table splits it."""
    for pattern in (EXPRESSION, INLINE_MATH):
        text = pattern.sub(lambda found: found[0].replace("|", PIPE), text)
    return text


def _meta(state: StateInline, offset: int) -> dict[str, Any]:
    return {"origin": state.env["origin"], "start": offset}


def expression(state: StateInline, silent: bool) -> bool:
    """Read `{{ expression }}`."""
    if not state.src.startswith("{{", state.pos):
        return False
    found = EXPRESSION.match(state.src, state.pos)
    if not found:
        return False
    if not silent:
        token = state.push("expression", "", 0)
        token.content = found[1].replace(PIPE, "|")
        token.meta = _meta(state, state.pos)
    state.pos = found.end()
    return True


def formula(state: StateInline, silent: bool) -> bool:
    """Read `$..$`, `$$..$$` inside of a paragraph, and `<InlineMath>..</InlineMath>`."""
    if state.src[state.pos] not in "$<":
        return False
    for pattern in (INLINE_MATH, DISPLAY_DOLLARS, DOLLARS):
        found = pattern.match(state.src, state.pos)
        if found:
            break
    else:
        return False
    if not silent:
        token = state.push("formula", "", 0)
        token.content = found[1].replace(PIPE, "|")
        token.meta = {**_meta(state, found.start(1)), "display": pattern is DISPLAY_DOLLARS}
    state.pos = found.end()
    return True


def citation(state: StateInline, silent: bool) -> bool:
    """Read `[@key]` and `[see @one, p. 3; @two]`."""
    if state.src[state.pos] != "[":
        return False
    found = CITATION.match(state.src, state.pos)
    if not found or state.src.startswith("(", found.end()):
        return False
    if not silent:
        token = state.push("citation", "", 0)
        token.content = found[1]
        token.meta = _meta(state, found.start(1))
    state.pos = found.end()
    return True


def _keep_place(parser: MarkdownIt, name: str, kind: str) -> None:
    """Let the rule `name` leave the place of its token of this kind in the token's meta."""
    ruler = parser.inline.ruler
    original = next(rule.fn for rule in ruler.__rules__ if rule.name == name)

    def placed(state: StateInline, silent: bool) -> bool:
        start, count = state.pos, len(state.tokens)
        matched = bool(original(state, silent))
        if matched and not silent:
            token = next((token for token in state.tokens[count:] if token.type == kind), None)
            if token is not None:
                token.meta = {**token.meta, **_meta(state, start)}
        return matched

    ruler.at(name, placed)


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _column(state: StateBlock, number: int) -> int:
    """Give the column, from 0, where the text of a line begins."""
    start = state.bMarks[number] + state.tShift[number]
    return start - (state.src.rfind("\n", 0, start) + 1)


def call(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a block `::: name key="value"`, Markdown, `:::`."""
    found = BLOCK.match(_line(state, start))
    if not found or state.is_code_block(start):
        return False
    if silent:
        return True
    close = _closing_line(state, found[1], start, end)
    _push_call(state, found, start, min(close, end))
    state.line = min(close + 1, end)
    return True


def _closing_line(state: StateBlock, colons: str, start: int, end: int) -> int:
    """Give the line that closes a block, `end` if there is none; blocks of as many colons nest."""
    depth = 1
    for number in range(start + 1, end):
        text = _line(state, number).rstrip()
        opened = BLOCK.match(text)
        depth += bool(opened and opened[1] == colons) - (text == colons)
        if depth == 0:
            return number
    state.env["errors"].append(
        (start, _column(state, start), f"this block is opened here and never closed by {colons}")
    )
    return end


def _push_call(state: StateBlock, found: re.Match[str], start: int, close: int) -> None:
    token = state.push("directive_open", "", 1)
    token.map = [start, close]
    token.block = True
    column = _column(state, start)
    arguments, places, at = {}, {}, found.start(3)
    while match := ARGUMENT.match(found.string, at):
        arguments[match[1]] = match[2]
        places[match[1]] = (start, column + match.start(2))
        at = match.end()
    if at < found.end(3):
        sentence = f"'{found.string[at : found.end(3)]}' is not of the form key=\"value\""
        state.env["errors"].append((start, column + at, sentence))
    token.info = found[2]
    token.meta = {"arguments": arguments, "places": places, "at": (start, column)}
    old_end, old_parent = state.lineMax, state.parentType
    state.lineMax, state.parentType = close, "call"
    state.md.block.tokenize(state, start + 1, close)
    state.lineMax, state.parentType = old_end, old_parent
    state.push("directive_close", "", -1)


def display(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read `$$`, a formula over one line or several, `$$ {#label}` or `$$ (label)`."""
    line = _line(state, start)
    opened = DISPLAY_OPEN.match(line)
    if not opened or state.is_code_block(start):
        return False
    closing = DISPLAY_CLOSE[opened[0].strip()]
    last = next(
        (
            n
            for n in range(start, end)
            if closing in _line(state, n)[opened.end() if n == start else 0 :]
        ),
        None,
    )
    if last is None:
        if opened[0].startswith("<") or silent:
            return False
        state.env["errors"].append(
            (start, _column(state, start), f"this formula is never closed by {closing}")
        )
        last = end - 1
    return _push_display(state, (start, last), opened, closing, silent)


def _push_display(
    state: StateBlock, lines: tuple[int, int], opened: re.Match[str], closing: str, silent: bool
) -> bool:
    start, last = lines
    rows = [_line(state, number) for number in range(start, last + 1)]
    rows[0] = rows[0][opened.end() :]
    tex, _, after = "\n".join(rows).partition(closing)
    label = LABEL.match(after.strip())
    if not label:
        return False
    if silent:
        return True
    token = state.push("formula_block", "", 0)
    token.content = tex.replace(PIPE, "|")
    token.info = label[1] or label[2] or ""
    token.map = [start, last + 1]
    first_column = _column(state, start) + opened.end()
    source = state.src.split("\n")
    origin = map_source(state.env["path"], source, "\n".join(rows), start, first_column)
    token.meta = {"origin": origin, "start": 0, "display": opened[0] != "<InlineMath>"}
    state.line = last + 1
    return True
