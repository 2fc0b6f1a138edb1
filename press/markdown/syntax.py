"""The rules of our own dialect: formulas, citations, expressions and directives.

Each rule leaves a token whose `meta` holds the text that it was found in (`origin`, a SourceMap)
and its offset there (`start`), so that a message about it has a line and a column. What a rule
itself finds wrong goes to `env["errors"]`.
"""

import re
from collections.abc import Callable, Iterator
from copy import copy
from functools import lru_cache
from typing import Any

from markdown_it import rules_block, rules_core
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.table import escapedSplit
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.attrs.index import _attr_inline_rule
from mdit_py_plugins.footnote.index import footnote_def, footnote_inline

from press.diagnostics import Diagnostic, Place, SourceMap, map_source
from press.errors import nearest

# No pattern goes back over what it has read, or past the next mark that opens what it reads: a text
# of opening marks alone is read in time that grows with its length.

# Within `{{ ... }}`: quoted text, and one level of braces.
IN_BRACES = r"""(?:[^{}"']|"[^"\n]*+"|'[^'\n]*+'|\{[^{}]*+\}|\}(?!\}))*+"""
EXPRESSION = re.compile(rf"\{{\{{({IN_BRACES})\}}\}}")
MATH_TAGS = re.compile(r"<(?:Inline|Block)Math>((?:[^<]|<(?!/?(?:Inline|Block)Math>))*+)</\w+Math>")
TWO_DOLLARS = re.compile(r"\$\$((?:[^$`\\]|\\.)++)\$\$", re.DOTALL)
# One that stands behind a digit opens a formula if TeX or a name follows: "10$\times$", but "5$/h".
DOLLARS = re.compile(
    r"(?:(?<!\d)\$(?!\s)|\$(?=[\\^_{]|[A-Za-z][^\s$]*+\$))((?:[^$`\\]|\\.)++)(?<!\s)\$(?!\d)",
    re.DOTALL,
)
CITATION = re.compile(r"\[([^\[\]]++)\](?!\()")
REFERENCE = re.compile(r"\[\]\(#([^\s()]+)\)")  # shown as the name of what it points at
KEY = r"\w(?:\w|[^\w\s,;@{}]++(?=\w))*+"  # as one writes it in a text; `@{...}` takes any
CITED = re.compile(  # but no `@` of code, of an address, or behind an escape
    rf"`[^`]*`?|<[^<>\s]*>?|\w+://\S*|(?<![\w\\/])-?@(?:\{{([^\s{{}}]+)\}}|({KEY}))"
)

NAME = r"[A-Za-z][\w-]*"  # of a block, or of an argument
BLOCK = re.compile(rf"(:{{3,}})[ \t]*({NAME})[ \t]*(.*)$")
ARGUMENT = re.compile(rf'({NAME})[ \t]*=[ \t]*"([^"]*)"[ \t]*')
DISPLAY_OPEN = re.compile(r"\$\$(?!\$)|<InlineMath>[ \t]*$|<BlockMath>")
DISPLAY_CLOSE = {"$$": "$$", "<InlineMath>": "</InlineMath>", "<BlockMath>": "</BlockMath>"}
BRACES = re.compile(r"""\{:?((?:[^{}"']|"[^"]*+"|'[^']*+')*+)\}""")
VALUE = re.compile(r"""=([^\s"'=]+|'[^'"]*+')|("[^"]*+")""")  # of an attribute
ATTRIBUTES = (  # that a picture, a link or code may be given, beside data-... and aria-...
    "alt", "class", "decoding", "dir", "download", "fetchpriority", "height", "hidden", "href",
    "hreflang", "id", "lang", "loading", "referrerpolicy", "rel", "role", "sizes", "src", "srcset",
    "style", "tabindex", "target", "title", "translate", "type", "width",
)  # fmt: skip
RUNS = re.compile(r"""("[^"]*+"|'[^']*+')|(?<![\w-])on\w+(?==)""")  # an attribute, or a text
SIZE = re.compile(
    r"\+?\d*\.?\d+(?:[a-z]+|%)?|[a-z-]+\(.*\)|auto|inherit|(?:fit|max|min)-content", re.IGNORECASE
)
CAPTION = re.compile(r"Table:[ \t]+")  # begins a paragraph behind a table
ID_AT_END = re.compile(r"\{#([\w:.-]+)\}[ \t]*$")
# behind a displayed formula: its label, before or behind a stop that belongs to the sentence
LABEL = re.compile(
    r"[ \t]*([.,;:!?]?)[ \t]*(?:\{#([\w:.-]+)\}|\((eq[:-][\w:.-]*)\)|)([.,;:!?]?)[ \t]*$"
)

COMPARES = re.compile(r"""("[^"]*"|'[^']*')|[<>]|[!=]=""")  # a sign of it, or a text without one

InlineRule = Callable[[StateInline, bool], bool]

DEEPEST = 50  # levels of blocks; at each, the lines that are left may be read once more
PIPE = "\ue000"  # stands for `|` inside of expressions and formulas while a table is parsed


@lru_cache(maxsize=1)
def _without_bars(source: str) -> str:
    """A text of which no `|` is within an expression or <InlineMath> on one line."""
    for pattern in (EXPRESSION, MATH_TAGS):
        source = pattern.sub(
            lambda found: found[0] if "\n" in found[0] else found[0].replace("|", PIPE), source
        )
    return source


def table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read GFM's table; no `|` of an expression or of <InlineMath> splits its cells."""
    source, count = state.src, len(state.tokens)
    state.src = _without_bars(source)
    matched = rules_block.table(state, start, end, silent)
    if matched and not silent:
        columns = sum(token.type == "th_open" for token in state.tokens[count:])
        for number in range(start + 2, state.line):
            row = _text(state, number).strip().removeprefix("|").removesuffix("|")
            cells = len(escapedSplit(row))
            if cells > columns:
                place = _line(state, number).at(0)
                sentence = (
                    f"this row has {cells} cells, the table's head {columns}: the last are lost"
                )
                state.env["errors"].append(Diagnostic(place, sentence))
    state.src = source
    for token in state.tokens[count:]:
        token.content = token.content.replace(PIPE, "|")
    return matched


def caption(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """End a table before its caption, also where no empty line stands between them."""
    text = _text(state, start) if silent and state.parentType == "table" else ""
    return bool(CAPTION.match(text)) and "|" not in text


def too_deep(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Leave out what is nested so deeply that it would take long to read, and tell of it."""
    if silent or state.level < DEEPEST:
        return False
    sentence = (
        f"this is nested too deeply: at most {DEEPEST} levels are shown, and a list takes two"
    )
    state.env["errors"].append(Diagnostic(_line(state, start).at(0), sentence, "error"))
    state.line = end
    return True


def parse_blocks(state: StateCore) -> None:
    """Read a text's blocks, as deep as `too_deep` allows: deeper ones would vanish silently.

    What stands in lines keeps the library's limit, beyond which it shows as text, and is told.
    """
    options = state.md.options
    usual, options["maxNesting"] = options["maxNesting"], DEEPEST + 9
    try:
        rules_core.block(state)
    finally:
        options["maxNesting"] = usual


def parse_inline(state: StateCore) -> None:
    """Parse the text of paragraphs, headings and cells; their rules learn where it came from.

    So do the tokens of fences and of raw HTML, whose texts are not parsed.
    """
    source = state.src.split("\n")
    row, column = -1, 0  # cells stand side by side: each is looked for behind the one before
    before = Token("", "", 0)
    for token in state.tokens:
        if token.type == "inline":
            line = token.map[0] if token.map else 0
            column = column if line == row else 0
            origin = state.env.get("line") or map_source(
                state.env["path"], source, token.content, line, column
            )
            row, column = line, origin.starts[0][1] - 1 + len(token.content.split("\n")[0])
            token.meta["origin"] = state.env["origin"] = origin
            if before.type == "heading_open":
                before.meta = token.meta
                if given := ID_AT_END.search(token.content):
                    before.attrs["id"] = given[1]
                    token.content = token.content[: given.start()].rstrip()
            token.children = []
            state.md.inline.parse(token.content, state.md, state.env, token.children)
        elif token.type in ("fence", "html_block") and token.map:
            first, content = token.map[0] + (token.type == "fence"), token.content.rstrip("\n")
            token.meta["behind"] = source[token.map[0]].find(token.markup) + len(token.markup)
            token.meta["origin"] = map_source(state.env["path"], source, content, first)
        before = token


_RULES = {  # by the first character
    "{": (("expression", EXPRESSION),),
    "$": (("formula", TWO_DOLLARS), ("formula", DOLLARS)),
    "<": (("formula", MATH_TAGS),),
    "[": (("reference", REFERENCE), ("citation", CITATION)),
}


def dialect(state: StateInline, silent: bool) -> bool:
    """Read an expression, a comparison, a formula, a reference or a citation: a token so named."""
    for kind, pattern in _RULES.get(state.src[state.pos], ()):
        found = pattern.match(state.src, state.pos, state.posMax)
        if not found or (kind == "citation" and not keys_in(found[1])):
            continue
        if not silent:
            if kind == "expression" and compares(found[1]):
                kind = "comparison"
            token = state.push(kind, "", 0)
            token.content = found[1]
            token.markup = state.src[state.pos : found.start(1)]
            token.meta = {"origin": state.env["origin"], "start": found.start(1)}
        state.pos = found.end()
        return True
    return False


def compares(expression: str) -> bool:
    """Whether an expression compares: it then prints nothing."""
    return any(not found[1] for found in COMPARES.finditer(expression))


def keys_in(citation: str) -> list[str]:
    """The keys of the works that are cited between brackets."""
    return [key for one in CITED.finditer(citation) if (key := one[1] or one[2])]


def placed(rule: InlineRule) -> InlineRule:
    """One of markdown-it's own rules, whose tokens are to know where they stand."""

    def read(state: StateInline, silent: bool) -> bool:
        start, count = state.pos, len(state.tokens)
        matched = rule(state, silent)
        for token in state.tokens[count:]:
            token.meta = {"origin": state.env["origin"], "start": start, **token.meta}
            if token.type == "image":
                _move(token.children or [], start + len("!["))
        return matched

    return read


def _move(tokens: list[Token], by: int) -> None:
    """Add to the offsets of tokens, which the library parsed as a text of their own."""
    for token in tokens:
        if "start" in token.meta:
            token.meta["start"] += by
        _move(token.children or [], by)


def note_definition(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read the definition of a note; one within another is an error, as the library mixes them."""
    if silent:
        return footnote_def(state, start, end, True)
    if not state.env.get("in_note"):
        state.env["in_note"] = True
        matched = footnote_def(state, start, end, False)
        state.env["in_note"] = False
        return matched
    if not footnote_def(state, start, end, True):
        return False
    sentence = "this note is defined within another one; begin it with the line"
    state.env["errors"].append(Diagnostic(_line(state, start).at(0), sentence, "error"))
    state.line = start + 1
    _push_words(state, _text(state, start))
    return True


def note(state: StateInline, silent: bool) -> bool:
    """Read a note written in place, `^[...]`, whose words are to know where they stand."""
    start = state.pos
    if not state.src.startswith("^[", start) or not footnote_inline(state, True):
        return False
    if silent:
        return True
    outer: SourceMap = state.env["origin"]
    inner = state.env["origin"] = outer.part(start + len("^["), state.pos - 1)
    state.pos = start
    footnote_inline(state, False)
    state.env["origin"] = outer
    state.env["footnotes"]["list"][state.tokens[-1].meta["id"]]["origin"] = inner
    return True


def attributes(state: StateInline, silent: bool) -> bool:
    """Read `{#id .class width=50%}` behind a picture, a link or code; kramdown's `{: ...}` too."""
    found = BRACES.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    given = VALUE.sub(lambda one: one[2] or f'="{one[1].strip(chr(39))}"', found[1])
    alone = copy(state)
    alone.src, alone.pos = f"{{{given}}}", 0
    matched = _attr_inline_rule(alone, silent, ("image", "link_close", "code_inline"))
    if matched and not silent and state.env.get("errors") is not None:
        place = state.env["origin"].at(state.pos)
        state.env["errors"] += [Diagnostic(place, one) for one in _lost(found[1], state.tokens[-1])]
    state.pos = found.end() if matched else state.pos
    return bool(matched)


def _lost(attributes: str, token: Token) -> Iterator[str]:
    """What is wrong with attributes that were given to a token, and would be left out."""
    for found in RUNS.finditer(attributes):
        if not found[1]:
            yield f"'{found[0]}' is left out: what begins with 'on' would be a script"
    for name in token.attrs:
        if name not in ATTRIBUTES and not name.startswith(("data-", "aria-")):
            yield f"'{name}' is no attribute that a page knows{nearest(name, ATTRIBUTES)}"
    for name in ("width", "height"):
        if not SIZE.fullmatch(value := str(token.attrs.get(name, "1"))):
            yield f"'{value}' is no {name}: it is of the form 50% or 200px"


def give_places_to_notes(state: StateCore) -> None:
    """Give the texts of notes written in place, which the plug-in moved, their places."""
    note: dict[str, Any] = {}
    for token in state.tokens:
        if token.type == "footnote_open":
            note = state.env["footnotes"]["list"][token.meta["id"]]
        elif token.type == "inline" and "origin" not in token.meta:
            token.meta["origin"] = note["origin"]


def _text(state: StateBlock, number: int) -> str:
    """A line without the marks of the lists and quotes around it."""
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _line(state: StateBlock, number: int) -> SourceMap:
    start = state.bMarks[number] + state.tShift[number]
    column = start - state.src.rfind("\n", 0, start)
    return SourceMap(state.env["path"], _text(state, number), ((number + 1, column),))


def directive(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a directive `::: name key="value"`, Markdown, `:::`."""
    found = BLOCK.match(_text(state, start))
    if not found or state.is_code_block(start):
        return False
    if silent:
        return True
    origin = _line(state, start)
    close = _closing_line(state, found[1], start, end)
    if close == end:
        sentence = f"this block is opened here and never closed by {found[1]}"
        state.env["errors"].append(Diagnostic(origin.at(0), sentence, "error"))
    token = state.push("directive_open", "", 1)
    token.map, token.info = [start, close], found[2]
    arguments, places = _arguments(origin, found.start(3), state.env["errors"])
    token.meta = {"origin": origin, "arguments": arguments, "places": places}
    state.lineMax, outer_end = close, state.lineMax
    state.md.block.tokenize(state, start + 1, close)
    state.lineMax = outer_end
    state.push("directive_close", "", -1)
    state.line = min(close + 1, end)
    return True


def _arguments(
    origin: SourceMap, offset: int, errors: list[Diagnostic]
) -> tuple[dict[str, str], dict[str, Place]]:
    """The arguments of a directive, and where their values stand."""
    arguments, places = dict[str, str](), dict[str, Place]()

    def tell(at: int, sentence: str) -> None:
        errors.append(Diagnostic(origin.at(at), sentence, "error"))

    while match := ARGUMENT.match(origin.text, offset):
        name, value = match.groups()
        if name in arguments:
            tell(offset, f"'{name}' is given twice")
        if name == "id" and re.search(r"\s", value):
            tell(match.start(2), f"'{value}' is no id: an id has no spaces")
        arguments[name], places[name] = value, origin.at(match.start(2))
        offset = match.end()
    if rest := origin.text[offset:].rstrip():
        tell(offset, f"'{rest}' is not of the form key=\"value\"")
    return arguments, places


def _closing_line(state: StateBlock, colons: str, start: int, end: int) -> int:
    """The line that closes a directive, `end` if there is none; those of as many colons nest."""
    depth = 1
    for number in range(start + 1, end):
        text = _text(state, number).rstrip()
        if not text.startswith(colons):
            continue
        opened = BLOCK.match(text)
        depth += bool(opened and opened[1] == colons) - (text == colons)
        if depth == 0:
            return number
    return end


def display_formula(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a formula that `$$` opens on a line, up to the next `$$`, whatever follows that.

    `$$ {#label}` and `$$ (label)` give it a number, a stop joins it, words behind its last line go
    on as words, and comparisons. `$$x$$` on a line with words is left to the line.
    """
    opened = DISPLAY_OPEN.match(_text(state, start))
    if not opened or state.is_code_block(start) or (silent and _closes_in_words(state, start)):
        return False
    closing = DISPLAY_CLOSE[opened[0].strip()]
    first = _line(state, start)
    rows = [first.part(opened.end(), len(first.text))]
    while closing not in rows[-1].text and not _ends(state, start + len(rows), end, closing):
        rows.append(_line(state, start + len(rows)))
    tex, closed, after = "\n".join(row.text for row in rows).partition(closing)
    comparisons = [one[0] for one in EXPRESSION.finditer(after) if compares(one[1])]
    label = LABEL.match(EXPRESSION.sub(lambda one: "" if compares(one[1]) else one[0], after))
    if not label and len(rows) == 1:
        return False
    if silent:
        return True
    state.line = start + len(rows)
    if not closed:
        sentence = f"this formula is never closed by {closing}; no line of it may be empty"
        state.env["errors"].append(Diagnostic(first.at(0), sentence, "error"))
        return True
    token = state.push("formula_block", "", 0)
    token.map = [start, state.line]
    if label:
        tex = tex.rstrip() + (label[1] or label[4]) if label[1] or label[4] else tex
        token.info = label[2] or label[3] or ""
        for one in comparisons:
            _push_words(state, one)
    else:
        state.line -= 1  # the next block begins with the words behind
        state.bMarks[state.line] = state.eMarks[state.line] - len(after.lstrip())
        state.tShift[state.line], state.sCount[state.line] = 0, state.blkIndent
    starts = tuple(row.starts[0] for row in rows)
    token.content, token.meta = tex, {"origin": SourceMap(first.path, tex, starts), "start": 0}
    return True


def _push_words(state: StateBlock, words: str) -> None:
    """Add a paragraph of words that stand on the last line that was read."""
    state.push("paragraph_open", "p", 1)
    token = state.push("inline", "", 0)
    token.content, token.map = words, [state.line - 1, state.line]
    state.push("paragraph_close", "p", -1)


def _closes_in_words(state: StateBlock, line: int) -> bool:
    """Whether `$$` on this line of a paragraph closes what an earlier line of it opened."""
    return state.src.count("$$", state.bMarks[state.line], state.bMarks[line]) % 2 == 1


def _ends(state: StateBlock, line: int, end: int, closing: str) -> bool:
    """Whether a displayed formula ends before this line, closed or not."""
    if line >= end or state.isEmpty(line):
        return True
    return closing != "$$" and bool(DISPLAY_OPEN.match(_text(state, line)))
