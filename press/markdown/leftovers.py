"""Markup of posts that was not understood: one pass over their text, before it is shown as text.

Looked at is what the parser left as text: no code, no formula, nothing that a backslash made text.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType

from press.diagnostics import Diagnostic, Place, SourceMap
from press.markdown.expressions import BOUND_TO
from press.markdown.math import is_formula
from press.markdown.passes import holds_comparisons_alone, is_visible, place_of
from press.markdown.raw_html import INERT
from press.markdown.syntax import CAPTION, CITED, EXPRESSION, ID_AT_END

OTHER, CODE = "\0", "\x01"  # stand for what is no text, such as a link's end, and for code
MEANT = "\x02"  # stands for a brace behind a backslash
STANDS_FOR = dict.fromkeys(map(ord, OTHER + CODE), "...") | {ord(MEANT): "\\{"}

# What can be left, and what to say of it. Each pattern ends at the next mark of its kind.
KINDS = {
    r"\{?\x02[{%\x02]?[^{}\n\x02]*[}%]\}": "",  # nothing: it is meant
    r"\{%|%\}": "templates of other tools mean nothing here",
    r"\{\{|\}\}": "an expression is opened by {{ and closed by }}, its quotes and braces too",
    r"\{[A-Za-z][\w:-]*\}(?=\x01)": "roles mean nothing here; a reference is [](#id)",
    r"(?<=[\0\x01])\{[^{}\n]*\}|\{(?:[:#.]|[\w-]+=)[^{}\n]*\}": (
        "attributes are of the form {#id .class key=value},"
        " right behind a picture, a link or code; {#id} ends a heading"
    ),
    r"(?<!\\)\[\^([^\[\]\s]+)\]": "the note '{0}' is not defined",
    r"\^\[": "a note in place is closed by ], and its brackets come in pairs",
    r"(?<![\w/.@])@\{?([\w:.+/-]*\w)": "a work is cited in brackets: [@{0}]",
    r"\$\$": "a formula is closed by $$, and no line of it is empty",
    r"\$(?=[^$\n\0-\x02]*\$)(?=[^$]*?(?:\\[A-Za-z]|[_^]))[^$\n]*\$": (
        "a formula has no space behind its first $ and before its last, and no digit behind it"
    ),
    r"(?:\A|(?<=\0)|(?<=\0 ))\(eq[-:][\w:.-]*\)?": (
        "a formula's label is (eq-name), alone behind its last $$"
    ),
    r"\\\((?=(?:[^\0\x02\\]|\\[^()])*+\\\))": "a formula stands between dollars: $...$",
    r"\\\[(?=(?:[^\0\x02\\]|\\[^][])*+\\\])(?=[^]]*?(?:\\[A-Za-z]|\w[_^][\w{]|=))": (
        "a formula of its own stands between $$ and $$"
    ),
    r"\\[A-Za-z]+\{|(?<![\w:])\\[A-Za-z]{2,}": "TeX counts in formulas alone, as in $...$",
    r"(?<!\w)\[[^\[\]]*\]\((?=[^()\n]*\))": (
        "a link is of the form [words](address); an address with spaces in it is <address>, and"
        " no address holds an expression"
    ),
    r"(?<!\w)\[[^\[\]]+\]\[(?=[^\[\]]*?[A-Za-z])[^\[\]]*\]": "no line says where this link leads",
    r"!?\[\[(?=[^\[\]\n]*?[A-Za-z])[^\[\]\n]*\]\]": "a link is of the form [words](file.md)",
    r"^\[TOC\]$": "a page has its table of contents by itself",
    r"\A\[![A-Za-z]+\]|^(?:!!!|\?\?\?\+?) \w+": "a note is opened by ::: note, and closed by :::",
    r"^:{3,}.*|^::(?: .*)?$": "this opens no block, and closes none",
    r"\A#{1,6}(?=[^\W\d_])": "a heading has a space behind its #",
    r"^\|(?=[^\n]*\|\n\|?[ :-]*-[ :|-]*$)": (
        "a table's line of dashes has as many cells as its head"
    ),
    r"\A\[[ xX]\](?= )": "lists have no boxes to tick",
    r"\A\+\+\+$": "front matter stands between lines of ---, at the very beginning of the file",
    r"`+": "code is closed by as many of these as open it",
    r"\*\*(?=\S)|(?<=\S)\*\*|~~(?=\S)|(?<=\S)~~": "this neither opens emphasis nor closes it",
    r"(?<![=\w])==\w[^=\n]*==(?![=\w])|(?<=\w)\^[\w+-]{1,12}\^|(?<=\w)~\w{1,12}~(?!~)": (
        "this is no markup here; <mark>, <sup> and <sub> are"
    ),
    r"(?<![\w:]):[a-z][a-z_]*:(?![\w:])": "names of signs mean nothing here; write the sign itself",
}
LEFT = re.compile("|".join(f"(?P<k{n}>{kind})" for n, kind in enumerate(KINDS)), re.MULTILINE)
SENTENCES = tuple(KINDS.values())
FRONT_MATTER = re.compile(r"(?:[A-Za-z][\w-]*:(?: .*)?(?:\n|$))+")
CALL = re.compile(rf"\b(?:{'|'.join(BOUND_TO)})\s*\(")  # tells an expression from TeX
# Tokens in which no expression is worked out, but for the values of a tag.
HOLD_NONE = frozenset(
    ("formula", "formula_block", "fence", "citation", "link_open", "image", "html_inline")
)
HOLDS_ONE = ("list_item_open", "dd_open", "footnote_reference_open")  # a paragraph or more
MAY_STAY_OPEN = frozenset(  # whose end HTML lets one leave out
    ("p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "colgroup", "option")
)
WORDS = re.compile(r"[A-Za-z]{2} +[A-Za-z]{2}")  # of a formula that is none
MARKUP = re.compile(r"\*(?=\S)|\$[^$]+\$|(?<!\w)_(?=\w)")  # which no citation may have
TEX = re.compile(r"[\\_^{}=<>]")


def find(state: StateCore) -> None:
    """Warn of what a text holds that was typed as markup, and shows as text."""
    found: list[Diagnostic] | None = state.env.get("errors")
    if found is None:  # a line that was read before, as part of another text
        return
    before = ["", ""]
    for token in state.tokens:
        if token.type == "html_block":  # in which no Markdown counts but our own
            for one in _left_in(token, token.meta["origin"], state.env, True):
                words = one.sentence.partition(": ")[0]
                sentence = f"{words}: within HTML, Markdown counts behind an empty line alone"
                found.append(replace(one, sentence=sentence))
        elif token.type == "inline":
            follows_table = before[0] == "table_close"
            found += _left_in(token, token.meta["origin"], state.env, follows_table)
            if before[1] == "setext" and FRONT_MATTER.fullmatch(token.content):
                sentence = "front matter stands at the very beginning of the file; this is text"
                found.append(Diagnostic(token.meta["origin"].at(0), sentence))
        before = [before[1], "setext" if token.markup == "-" and token.tag == "h2" else token.type]
    found += _notes(state)
    found += _with_nothing_to_show(state.tokens)
    found += _never_closed(state)
    found += _unbalanced(state.tokens)


def _never_closed(state: StateCore) -> Iterator[Diagnostic]:
    """Fences of code that nothing closes, so that they take in all that follows."""
    rows = state.src.split("\n")
    for token in state.tokens:
        if token.type == "fence" and token.map:
            (first, last), mark = token.map, token.markup
            closing = rf"[\s>]*{re.escape(mark[0])}{{{len(mark)},}}\s*"
            if last - first < 2 or not re.fullmatch(closing, rows[last - 1]):
                place = Place(state.env["path"], first + 1, rows[first].index(mark) + 1)
                sentence = f"this code is opened here and never closed by {mark}"
                yield Diagnostic(place, sentence, "error")


def _unbalanced(tokens: Sequence[Token]) -> Iterator[Diagnostic]:
    """Elements of raw HTML that nothing closes, and closing tags for which none is open.

    Those of a block may be closed in a later one, those within words in the same words.
    """
    html = [one for token in tokens if token.type == "html_block" for one in token.children or ()]
    of_blocks = [one for one in html if one.tag not in INERT]  # what is told already
    of_words = [token.children or () for token in tokens if token.type == "inline"]
    for words in (*of_words, of_blocks):
        opened, counts = list[Token](), Counter[str]()  # so that none is looked for among many
        for one in words:
            if one.type != "html_inline" or one.tag in MAY_STAY_OPEN:
                continue
            if one.nesting > 0:
                opened.append(one)
            elif one.nesting < 0 and not counts[one.tag]:
                yield Diagnostic(place_of(one), f"{one.content} closes nothing")
                continue
            elif one.nesting < 0:
                while (last := opened.pop()).tag != one.tag:
                    counts[last.tag] -= 1
                    yield _not_closed(last)
            counts[one.tag] += one.nesting
        yield from map(_not_closed, opened)


def _not_closed(tag: Token) -> Diagnostic:
    return Diagnostic(place_of(tag), f"<{tag.tag}> is opened here and never closed")


def _with_nothing_to_show(tokens: Sequence[Token]) -> Iterator[Diagnostic]:
    """Headings, items, notes and lines that hold comparisons alone, and would show as empty."""
    kinds = ["", "", *(token.type for token in tokens), "", ""]
    for at, token in enumerate(tokens):
        around, before, _, _, behind = kinds[at : at + 5]
        is_all = around in HOLDS_ONE and behind == around.replace("open", "close")
        is_all = is_all or before in ("", "heading_open", "dt_open")
        if is_all and holds_comparisons_alone([token]):
            sentence = "nothing shows here: a comparison prints nothing"
            yield Diagnostic(token.meta["origin"].at(0), sentence)


def find_expressions(state: StateCore) -> None:
    """Warn of expressions that stand where none is worked out."""
    found: list[Diagnostic] | None = state.env.get("errors")
    if found is not None:
        held = (token for token in state.tokens if token.children or token.type in HOLD_NONE)
        found += [one for token in held for one in _not_worked_out(token)]


def _not_worked_out(token: Token) -> Iterator[Diagnostic]:
    for one in token.children or ():
        if one.children or one.type in HOLD_NONE:
            yield from _not_worked_out(one)
    sentence, at, text = "", token.meta.get("start", 0), token.content
    attributes = [str(value) for value in token.attrs.values()]
    match token.type:
        case "formula" | "formula_block" | "fence" if token.type != "fence" or is_formula(token):
            calls = [one.start() for one in EXPRESSION.finditer(text) if CALL.search(one[1])]
            if calls:
                at, sentence = at + calls[0], "a formula holds no expression"
        case "citation" if "{{" in text:
            at, sentence = at + text.index("{{"), "a citation holds no expression"
        case "link_open" | "image" if token.info != "auto" and "{{" in "".join(attributes):
            sentence = "the address and the title of a link or a picture hold no expression"
        case "html_inline" if token.tag and "{{" in text:
            values = token.meta.get("attributes", {}).values()
            if sum(len(EXPRESSION.findall(value)) for value in values) < text.count("{{"):
                sentence = "in a tag, an expression stands between the quotes of a value"
    if token.type == "citation" and (mark := MARKUP.search(CITED.sub("", text))):
        place = token.meta["origin"].at(at + text.index(mark[0]))
        yield Diagnostic(place, f"'{mark[0]}' shows as text: a citation holds no markup")
    if sentence:
        yield Diagnostic(token.meta["origin"].at(at), f"{{{{ is not worked out here: {sentence}")


def _notes(state: StateCore) -> Iterator[Diagnostic]:
    """What is left in notes written in place; notes that are never used or defined twice."""
    notes: dict[str, Any] = state.env.get("footnotes", {})
    for note in notes.get("list", {}).values():
        if "tokens" in note:
            inline = Token("inline", "", 0, content=note["content"], children=note["tokens"])
            yield from _left_in(inline, note["origin"], state.env, False)
    defined = set()
    for token in state.tokens:
        if token.type == "footnote_reference_open" and token.map:
            label, place = token.meta["label"], Place(state.env["path"], token.map[0] + 1, 1)
            if label in defined:
                yield Diagnostic(place, f"the note '{label}' is defined twice; the last one counts")
            elif notes["refs"][f":{label}"] < 0:
                yield Diagnostic(place, f"the note '{label}' is never used")
            defined.add(label)


def _left_in(
    inline: Token, origin: SourceMap, env: EnvType, follows_table: bool
) -> Iterator[Diagnostic]:
    """What was not understood in a paragraph, a heading or a cell."""
    children = inline.children or []
    text, starts = _text_of(children, origin.text)
    if CAPTION.match(text):
        if not follows_table:
            yield Diagnostic(origin.at(0), "this caption follows no table")
        text = ID_AT_END.sub("", text)
    keys: Collection[str] = env.get("keys", ())
    for match in LEFT.finditer(text):
        sentence = SENTENCES[int((match.lastgroup or "k0")[1:])]
        named = [group for group in match.groups() if group][-1]  # within the kind's own group
        if not sentence or ("[@{0}]" in sentence and named not in keys):
            continue
        at = bisect_right(starts, (match.start(), len(origin.text))) - 1
        offset = starts[at][1] + match.start() - starts[at][0]
        shown = match[0].strip(OTHER + CODE).split("\n")[0].translate(STANDS_FOR)
        sentence = sentence.replace("{0}", named)
        yield Diagnostic(origin.at(offset), f"'{shown}' shows as text: {sentence}")
    yield from _empty_links(children)
    for token in children:
        tex = token.content if token.type == "formula" and token.markup == "$" else ""
        if WORDS.search(tex) and not TEX.search(tex):
            sentence = f"'{tex}' is set as a formula; where a $ is none, it is written \\$"
            yield Diagnostic(origin.at(token.meta["start"]), sentence)


def _empty_links(children: Sequence[Token]) -> Iterator[Diagnostic]:
    """Links that show no words, and those without an address."""
    opened, shows = Token("", "", 0), False
    for token in children:
        if token.type == "link_open":
            opened, shows = token, False
        elif token.type == "link_close":
            place = opened.meta["origin"].at(opened.meta["start"])
            if not shows:
                yield Diagnostic(
                    place, "this link has no words; it is of the form [words](address)"
                )
            if not opened.attrs["href"]:
                yield Diagnostic(place, "this link has no address")
        else:
            shows = shows or is_visible(token)


def _text_of(children: Sequence[Token], source: str) -> tuple[str, list[tuple[int, int]]]:
    """The text of inline tokens, and for each piece its offset there and in the source."""
    text, starts, length, at = [], [], 0, 0
    for token in children:
        is_text = token.type in ("text", "text_special")
        written = token.markup if token.type == "text_special" else token.content
        start = token.meta.get("start", at)
        if is_text or token.type == "code_inline":
            start = max(source.find(written, at), at)
        at = max(at, start + len(written))
        if token.type == "text" or written in ("\\(", "\\)", "\\[", "\\]") or (
            token.type == "text_special" and written == token.content
        ):  # fmt: skip
            shown = written
        elif token.type in ("softbreak", "hardbreak"):
            shown = "\n"
        elif token.type == "comparison":
            shown = ""
        else:
            is_brace = is_text and token.content == "{"
            shown = MEANT if is_brace else CODE if token.type == "code_inline" else OTHER
        starts.append((length, start))
        text.append(shown)
        length += len(shown)
    return "".join(text), starts or [(0, 0)]
