"""Results that were typed by hand: a number where only a record or a claim may speak.

Any number counts beside dB, a decimal beside PSNR, SSIM or seconds, and in a cell of a table; not
within code, an expression or an address. What is looked at is what a reader sees: entities are
read, emphasis is taken off, and a formula beside a unit counts as what stands in it.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from html import unescape
from itertools import accumulate
from typing import TYPE_CHECKING

from press.markdown.syntax import DISPLAY_DOLLARS, DOLLARS, EXPRESSION, INLINE_MATH

if TYPE_CHECKING:
    from jinja2 import nodes

Piece = tuple[str, int, int]  # what is seen, its offset in the source, 1 if it stands there so

START = r"(?<![\w.])(?<!\d,)[-+−]?"
DECIMAL = rf"{START}\d+(?:,\d{{3}})*\.\d+(?!\w|\.\d)"
LEVEL = rf"{START}\d(?:[\d.,]*\d)?"
SPREAD = r"(?:\s*(?:±|\+/-)\s*[\d.]+)?"
BESIDE_DB = re.compile(rf"({DECIMAL}){SPREAD}[\s(\[‐‑-]*(?:dB|decibels?)\b")
WHOLE_DB = re.compile(
    rf"(?<!\ufffc)({LEVEL}){SPREAD}[\s‐‑-]*(?:dB|decibels?)\b"
)  # not "table 1 (dB)"
BESIDE_UNIT = re.compile(rf"({DECIMAL}){SPREAD}[\s‐‑-]*(?:PSNR|SSIM|seconds?|secs?)\b")
AFTER_NAME = re.compile(
    r"\b(?:PSNR|SSIM)\b(?:,?\s*[(\[]?(?:in\s+)?(?:dB|decibels?)\b[)\]]?)?"
    r"(?:\s+(?:of|is|was|at|to|reaches|about|around|only|just|by)\b|\s*[=:≈~(])*"
    rf"\s*({DECIMAL})"
)
IN_CELL = re.compile(rf"({DECIMAL})")
UNIT = re.compile(r"dB|decibel|PSNR|SSIM|sec")  # without one of these only a cell is looked at
DIGIT = re.compile(r"\d")

IN_LINE = r"a|abbr|b|big|cite|data|del|em|font|i|ins|mark|q|s|small|span|strong|su[bp]|time|u|wbr"
PLAIN = r"[^`<{$*_\[\]h&\\\u00ad\u200b-\u200d\u2060\ufeff]+"
PIECES = re.compile(
    r"(?P<blank>(`+)(?!`).*?(?<!`)\2(?!`)"
    r"|<code\b.*?</code>|<pre\b.*?</pre>|<(?:style|script)\b.*?</(?:style|script)>"
    rf"|{EXPRESSION.pattern})"
    rf"|(?P<formula>{DISPLAY_DOLLARS.pattern}|{DOLLARS.pattern}|{INLINE_MATH.pattern})"
    rf"|(?P<nothing>[*_\u00ad\u200b-\u200d\u2060\ufeff]|<!--.*?-->|</?(?:{IN_LINE})\b[^>]*>)"
    r"|(?P<address><[^>]*>|\]\([^)\s]*|https?://\S+|\[[^\]]*@[^\]]*\])"
    r"|(?P<entity>&(?:\#\d+|\#[xX][\da-fA-F]+|\w+);)"
    r"|(?P<escape>\\[ -/:-@\[-`{-~])"
    rf"|{PLAIN}(?:h(?!ttps?://)(?:{PLAIN})?)*|.",
    re.DOTALL,
)
SAID = re.compile(r"""\b(?:alt|aria-label|title)\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
TEX = re.compile(
    r"(?P<space>\\[,;:!> ]|\\(?:q?quad|enspace|thinspace)(?![A-Za-z])|~)"
    r"|(?P<nothing>[{}]|\\(?:text\w*|math\w+|operatorname|[mh]box|rm|bf|boldsymbol|left|right)"
    r"(?![A-Za-z]))"
    r"|(?P<near>\\(?:approx|sim|simeq|geq?|leq?)(?![A-Za-z]))"
    r"|(?P<command>\\[A-Za-z]+|\\.|[\^_])"
    r"|[^\\~{}^_]+|.",
    re.DOTALL,
)
TEX_SHOWN = {"space": " ", "nothing": "", "near": "≈", "command": "\ufffc"}


def typed_results(text: str, in_cell: bool) -> Iterator[tuple[int, str]]:
    """Find results typed by hand in Markdown text; gives offset and number of each."""
    if not DIGIT.search(text):
        return
    found = list(PIECES.finditer(text))
    seen = dict(_found((BESIDE_DB, WHOLE_DB, AFTER_NAME), _pieces(found, True)))
    seen.update(_found((BESIDE_UNIT, IN_CELL)[: 1 + in_cell], _pieces(found, False)))
    yield from sorted(seen.items())


def typed_in_formula(tex: str) -> Iterator[tuple[int, str]]:
    """Find results typed by hand in TeX; gives offset and number of each."""
    yield from _found((BESIDE_DB, WHOLE_DB, BESIDE_UNIT, AFTER_NAME), _pieces_of_tex(tex, 0))


def _found(
    patterns: Iterable[re.Pattern[str]], pieces: Iterable[Piece]
) -> Iterator[tuple[int, str]]:
    pieces = list(pieces)
    shown = "".join(piece[0] for piece in pieces)
    if not UNIT.search(shown) and IN_CELL not in patterns:
        return
    starts = list(accumulate((len(piece[0]) for piece in pieces), initial=0))
    for pattern in patterns:
        for found in pattern.finditer(shown):
            index = bisect_right(starts, found.start(1)) - 1
            _, offset, step = pieces[index]
            yield offset + step * (found.start(1) - starts[index]), found[1]


def _pieces(found: Iterable[re.Match[str]], fully: bool) -> Iterator[Piece]:
    """Give what a reader sees of matches of PIECES; `fully`: of formulas and tags too."""
    for piece in found:
        kind, start = piece.lastgroup, piece.start()
        if fully and kind in ("address", "nothing"):
            yield from _pieces_of_tag(piece[0], start)
        if kind is None:
            yield piece[0], start, 1
        elif kind == "formula" and fully:
            first = piece.re.groupindex["formula"] + 1
            inner = next(n for n in range(first, first + 3) if piece[n] is not None)
            yield from _pieces_of_tex(piece[inner], piece.start(inner))
        elif kind in ("blank", "address", "formula"):
            yield " ", start, 0
        elif kind == "entity":
            yield unescape(piece[0]), start, 0
        elif kind == "escape":
            yield piece[0][1], start, 0


def _pieces_of_tag(tag: str, start: int) -> Iterator[Piece]:
    """Give what the attributes of a tag say to those who point at it, or hear it."""
    for said in SAID.finditer("" if tag.startswith("<!--") else tag):
        text = said[1] or said[2] or ""
        shown = "".join(piece[0] for piece in _pieces(PIECES.finditer(text), True))
        yield f"\0{shown}\0", start + said.start(), 0


def _pieces_of_tex(tex: str, start: int) -> Iterator[Piece]:
    for piece in TEX.finditer(tex):
        kind = piece.lastgroup
        yield TEX_SHOWN[kind] if kind else piece[0], start + piece.start(), kind is None


SENTENCE = (
    "'{}' is a result typed by hand; write it as an expression that names its run, or a claim"
)
# What an expression may call of what it names: all else, such as text's own `replace`, could write
# what no record says.
METHODS = ("mean", "of", "run", "stopped")


def call_of_another_kind(tree: "nodes.Template") -> str | None:
    """Give the name of what an expression calls, if that is neither a function nor of METHODS."""
    from jinja2 import nodes

    for call in tree.find_all(nodes.Call):
        called = call.node
        if isinstance(called, nodes.Getattr) and called.attr not in METHODS:
            return called.attr
        if not isinstance(called, nodes.Name | nodes.Getattr):
            return ""
    return None


def typed_in_expression(tree: "nodes.Template") -> str | None:
    """Give the first constant of an expression that could be printed as a result.

    A constant may name or choose, as an argument of a function or a filter; it may stand nowhere
    else, and is no decimal: `{{ 34.39 | db }}`, `{{ "34.39 dB" }}` and `... + 1` are typed. Words
    that a filter is given have no digit: it may print them.
    """
    from jinja2 import nodes

    def given(calls: Iterable[nodes.Call | nodes.Filter]) -> set[int]:
        return {id(arg) for c in calls for arg in (*c.args, *(word.value for word in c.kwargs))}

    printed = given(tree.find_all(nodes.Filter))
    choosing = printed | given(tree.find_all(nodes.Call))
    for constant in tree.find_all(nodes.Const):
        value = constant.value
        words = isinstance(value, str) and id(constant) in printed
        if words and any(letter.isdigit() for letter in value):
            return str(value)
        if isinstance(value, float) or id(constant) not in choosing:
            return str(value)
    return None
