"""The rules of our own dialect: formulas, citations, expressions and directives.

Each rule leaves a token whose `meta` holds the text that it was found in (`origin`, a SourceMap)
and its offset there (`start`), so that a message about it has a line and a column. What a rule
itself finds wrong goes to `env["errors"]`.
"""

import re
from collections.abc import Callable
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from press.diagnostics import Diagnostic, Place, SourceMap, map_source

# `{{ ... }}`, with quoted text and one level of braces inside
EXPRESSION = re.compile(r"""\{\{((?:[^{}"']|"[^"\n]*"|'[^'\n]*'|\{[^{}]*\}|\}(?!\}))*)\}\}""")
INLINE_MATH = re.compile(r"<InlineMath>(.*?)</InlineMath>", re.DOTALL)
DISPLAY_DOLLARS = re.compile(r"\$\$((?:[^$`\\]|\\.)+?)\$\$", re.DOTALL)
DOLLARS = re.compile(r"\$(?!\s)((?:[^$`\\]|\\.)+?)(?<!\s)\$(?!\d)", re.DOTALL)
CITATION = re.compile(r"\[((?:[^\[\]@;]*@[\w:.+/-]+[^\[\];]*;?)+)\](?!\()")
CITED = re.compile(r"([^@;]*)@([\w:.+/-]*[\w+/-])([^;]*)")

BLOCK = re.compile(r"(:{3,})[ \t]*([A-Za-z][\w-]*)[ \t]*(.*?)[ \t]*$")
ARGUMENT = re.compile(r'([A-Za-z][\w-]*)[ \t]*=[ \t]*"([^"]*)"[ \t]*')
DISPLAY_OPEN = re.compile(r"\$\$(?!\$)|<InlineMath>[ \t]*$|<BlockMath>")
DISPLAY_CLOSE = {"$$": "$$", "<InlineMath>": "</InlineMath>", "<BlockMath>": "</BlockMath>"}
ID_AT_END = re.compile(r"[ \t]*\{#([\w:.-]+)\}[ \t]*$")
LABEL = re.compile(r"(?:\{#([\w:.-]+)\}|\(([A-Za-z][\w:.-]*)\))?$")

InlineRule = Callable[[StateInline, bool], bool]

PIPE = "\ue000"  # stands for `|` inside of expressions until the tables are parsed


def hide_pipes(state: StateCore) -> None:
    """Put a stand-in for `|` inside of expressions and <InlineMath>, so that no table splits it."""
    for pattern in (EXPRESSION, INLINE_MATH):
        state.src = pattern.sub(lambda found: found[0].replace("|", PIPE), state.src)


def show_pipes(state: StateCore) -> None:
    """Put `|` back where `hide_pipes` took it away."""
    for token in state.tokens:
        for one in (token, *(token.children or [])):
            one.content = one.content.replace(PIPE, "|")
            for name, value in one.attrs.items():
                if isinstance(value, str):
                    one.attrs[name] = value.replace(PIPE, "|")


def parse_inline(state: StateCore) -> None:
    """Parse the text of paragraphs, headings and cells; their rules learn where it came from."""
    source = state.src.split("\n")
    row, column = -1, 0  # cells stand side by side: each is looked for behind the one before
    for index, token in enumerate(state.tokens):
        if token.type != "inline":
            continue
        line = token.map[0] if token.map else 0
        column = column if line == row else 0
        origin = state.env.get("line") or map_source(
            state.env["path"], source, token.content, line, column
        )
        row, column = line, origin.starts[0][1] - 1 + len(token.content.split("\n")[0])
        before = state.tokens[index - 1]
        if before.type == "heading_open" and (given := ID_AT_END.search(token.content)):
            before.attrs["id"] = given[1]
            token.content = token.content[: given.start()]
        token.children = []
        token.meta = {**token.meta, "origin": origin}
        state.env["origin"] = origin
        state.md.inline.parse(token.content, state.md, state.env, token.children)
        if before.type == "heading_open":
            before.meta = {"origin": origin, "children": token.children}


def parse_line(parser: MarkdownIt, text: str, source: SourceMap) -> list[Token]:
    """The inline tokens of one line of Markdown that stands in another text."""
    env: dict[str, Any] = {"path": source.path, "line": source, "errors": []}
    return [child for token in parser.parseInline(text, env) for child in token.children or []]


def _inline_rule(kind: str, first: str, *patterns: re.Pattern[str]) -> InlineRule:
    """A rule whose token holds what the first pattern that matches has in its group."""

    def read(state: StateInline, silent: bool) -> bool:
        if state.src[state.pos] not in first:
            return False
        matches = (pattern.match(state.src, state.pos) for pattern in patterns)
        found = next((match for match in matches if match), None)
        if not found:
            return False
        if not silent:
            token = state.push(kind, "", 0)
            token.content = found[1].replace(PIPE, "|")
            token.markup = state.src[state.pos : found.start(1)]
            token.meta = {"origin": state.env["origin"], "start": found.start(1)}
        state.pos = found.end()
        return True

    return read


expression = _inline_rule("expression", "{", EXPRESSION)
formula = _inline_rule("formula", "$<", INLINE_MATH, DISPLAY_DOLLARS, DOLLARS)
citation = _inline_rule("citation", "[", CITATION)


def keep_place(parser: MarkdownIt, name: str, kind: str) -> None:
    """Let the rule `name` leave the place of its token of this kind in the token's meta."""
    ruler = parser.inline.ruler
    original = next(rule.fn for rule in ruler.__rules__ if rule.name == name)

    def placed(state: StateInline, silent: bool) -> bool:
        start, count = state.pos, len(state.tokens)
        matched = bool(original(state, silent))
        if matched and not silent:
            token = next((token for token in state.tokens[count:] if token.type == kind), None)
            if token is not None:
                token.meta |= {"origin": state.env["origin"], "start": start}
        return matched

    ruler.at(name, placed)


def keep_place_of_notes(parser: MarkdownIt) -> None:
    """Let the words of a note written in place, `^[...]`, know where they stand."""
    ruler = parser.inline.ruler
    original = next(rule.fn for rule in ruler.__rules__ if rule.name == "footnote_inline")

    def placed(state: StateInline, silent: bool) -> bool:
        outer: SourceMap = state.env["origin"]
        start = state.pos + len("^[")
        state.env["origin"] = outer.part(start, len(outer.text))
        matched = bool(original(state, silent))
        state.env["origin"] = outer
        if matched and not silent:
            notes = state.env["footnotes"]["list"]
            note = notes[len(notes) - 1]
            note["origin"] = outer.part(start, start + len(note["content"]))
        return matched

    ruler.at("footnote_inline", placed)


def give_places_to_notes(state: StateCore) -> None:
    """Give the texts of notes written in place, which the plug-in moved, their places."""
    note: dict[str, Any] = {}
    for token in state.tokens:
        if token.type == "footnote_open":
            note = state.env["footnotes"]["list"][token.meta["id"]]
        elif token.type == "inline" and "origin" not in token.meta:
            token.meta["origin"] = note["origin"]


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _column(state: StateBlock, number: int) -> int:
    """The column, from 0, where the text of a line begins."""
    start = state.bMarks[number] + state.tShift[number]
    return start - (state.src.rfind("\n", 0, start) + 1)


def _error(state: StateBlock, line: int, column: int, sentence: str) -> None:
    place = Place(state.env["path"], line + 1, column + 1)
    state.env["errors"].append(Diagnostic(place, sentence, "error"))


def directive(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a directive `::: name key="value"`, Markdown, `:::`."""
    found = BLOCK.match(_line(state, start))
    if not found or state.is_code_block(start):
        return False
    if silent:
        return True
    close = _closing_line(state, found[1], start, end)
    _push_directive(state, found, start, min(close, end))
    state.line = min(close + 1, end)
    return True


def _closing_line(state: StateBlock, colons: str, start: int, end: int) -> int:
    """The line that closes a directive, `end` if there is none; those of as many colons nest."""
    depth = 1
    for number in range(start + 1, end):
        text = _line(state, number).rstrip()
        opened = BLOCK.match(text)
        depth += bool(opened and opened[1] == colons) - (text == colons)
        if depth == 0:
            return number
    sentence = f"this block is opened here and never closed by {colons}"
    _error(state, start, _column(state, start), sentence)
    return end


def _push_directive(state: StateBlock, found: re.Match[str], start: int, close: int) -> None:
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
        _error(state, start, column + at, sentence)
    token.info = found[2]
    token.meta = {"arguments": arguments, "places": places, "at": (start, column)}
    old_end, old_parent = state.lineMax, state.parentType
    state.lineMax, state.parentType = close, "directive"
    state.md.block.tokenize(state, start + 1, close)
    state.lineMax, state.parentType = old_end, old_parent
    state.push("directive_close", "", -1)


def display_formula(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read `$$`, a formula over one line or several, `$$ {#label}` or `$$ (label)`."""
    opened = DISPLAY_OPEN.match(_line(state, start))
    if not opened or state.is_code_block(start):
        return False
    closing = DISPLAY_CLOSE[opened[0].strip()]
    rows = [_line(state, start)[opened.end() :]]
    while closing not in rows[-1] and start + len(rows) < end:
        rows.append(_line(state, start + len(rows)))
    text, column = "\n".join(rows), _column(state, start)
    tex, found, after = text.partition(closing)
    label = LABEL.match(after.strip())
    if not label or (not found and (silent or closing != "$$")):
        return False
    if silent:
        return True
    if not found:
        _error(state, start, column, f"this formula is never closed by {closing}")
    token = state.push("formula_block", "", 0)
    token.content = tex.replace(PIPE, "|")
    token.info = label[1] or label[2] or ""
    token.map = [start, start + len(rows)]
    source = state.src.split("\n")
    origin = map_source(state.env["path"], source, text, start, column + opened.end())
    token.meta = {"origin": origin, "start": 0}
    state.line = start + len(rows)
    return True
