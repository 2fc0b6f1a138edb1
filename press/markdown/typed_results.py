"""Results that were typed by hand: a number where only a record or a claim may speak.

Any number counts beside dB, a decimal beside PSNR, SSIM or seconds, and in a cell of a table; not
within code, an expression or an address. What is looked at is what a reader sees: entities are
read, emphasis is taken off, and a formula beside a unit counts as what stands in it.
"""

import re
from collections.abc import Iterator
from html import unescape
from typing import TYPE_CHECKING

from press.markdown.syntax import DISPLAY_DOLLARS, DOLLARS, EXPRESSION, INLINE_MATH

if TYPE_CHECKING:
    from jinja2 import nodes

Letters = list[tuple[str, int]]  # each letter that is seen, with its offset in the source

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

IN_LINE = r"a|abbr|b|big|cite|data|del|em|font|i|ins|mark|q|s|small|span|strong|su[bp]|time|u|wbr"
PIECES = re.compile(
    r"(?P<blank>(`+)(?!`).*?(?<!`)\2(?!`)"
    r"|<code\b.*?</code>|<pre\b.*?</pre>|<(?:style|script)\b.*?</(?:style|script)>"
    rf"|{EXPRESSION.pattern})"
    rf"|(?P<formula>{DISPLAY_DOLLARS.pattern}|{DOLLARS.pattern}|{INLINE_MATH.pattern})"
    rf"|(?P<nothing>[*_\u00ad\u200b-\u200d\u2060\ufeff]|<!--.*?-->|</?(?:{IN_LINE})\b[^>]*>)"
    r"|(?P<address><[^>]*>|\]\([^)\s]*|https?://\S+|\[[^\]]*@[^\]]*\])"
    r"|(?P<entity>&(?:\#\d+|\#[xX][\da-fA-F]+|\w+);)"
    r"|(?P<escape>\\[ -/:-@\[-`{-~])"
    r"|[^`<{$*_\[\]h&\\\u00ad\u200b-\u200d\u2060\ufeff]+|.",
    re.DOTALL,
)
SAID = re.compile(r"""\b(?:alt|aria-label|title)\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
TEX = re.compile(
    r"(?P<space>\\[,;:!> ]|\\(?:q?quad|enspace|thinspace)(?![A-Za-z])|~)"
    r"|(?P<nothing>[{}]|\\(?:text\w*|math\w+|operatorname|[mh]box|rm|bf|boldsymbol|left|right)"
    r"(?![A-Za-z]))"
    r"|(?P<near>\\(?:approx|sim|simeq|geq?|leq?)(?![A-Za-z]))"
    r"|(?P<command>\\[A-Za-z]+|\\.|[\^_])"
    r"|.",
    re.DOTALL,
)
TEX_SHOWN = {"space": " ", "nothing": "", "near": "≈", "command": "\ufffc"}


def typed_results(text: str, in_cell: bool) -> Iterator[tuple[int, str]]:
    """Find results typed by hand in Markdown text; gives offset and number of each."""
    letters, words = list(_letters(text, True)), list(_letters(text, False))
    seen: dict[int, str] = {}
    for pattern in (BESIDE_DB, WHOLE_DB, AFTER_NAME):
        seen.update(_found(pattern, letters))
    for pattern in (BESIDE_UNIT, IN_CELL) if in_cell else (BESIDE_UNIT,):
        seen.update(_found(pattern, words))
    yield from sorted(seen.items())


def typed_in_formula(tex: str) -> Iterator[tuple[int, str]]:
    """Find results typed by hand in TeX; gives offset and number of each."""
    letters = list(_letters_of_tex(tex, 0))
    for pattern in (BESIDE_DB, WHOLE_DB, BESIDE_UNIT, AFTER_NAME):
        yield from _found(pattern, letters)


def _found(pattern: re.Pattern[str], letters: Letters) -> Iterator[tuple[int, str]]:
    shown = "".join(letter for letter, _ in letters)
    for found in pattern.finditer(shown):
        yield letters[found.start(1)][1], found[1]


def _letters(text: str, fully: bool) -> Iterator[tuple[str, int]]:
    """Give what a reader sees of Markdown, letter by letter; `fully`: of formulas and tags too."""
    for piece in PIECES.finditer(text):
        kind, start = piece.lastgroup, piece.start()
        if fully and kind in ("address", "nothing"):
            yield from _letters_of_tag(piece[0], start)
        if kind == "formula" and fully:
            first = piece.re.groupindex["formula"] + 1
            inner = next(n for n in range(first, first + 3) if piece[n] is not None)
            yield from _letters_of_tex(piece[inner], piece.start(inner))
        elif kind in ("blank", "address", "formula"):
            yield " ", start
        elif kind == "entity":
            yield from ((letter, start) for letter in unescape(piece[0]))
        elif kind == "escape":
            yield piece[0][1], start
        elif kind is None:
            yield from ((letter, start + n) for n, letter in enumerate(piece[0]))


def _letters_of_tag(tag: str, start: int) -> Iterator[tuple[str, int]]:
    """Give what the attributes of a tag say to those who point at it, or hear it."""
    for said in SAID.finditer("" if tag.startswith("<!--") else tag):
        text = said[1] or said[2] or ""
        shown = "".join(letter for letter, _ in _letters(text, True))
        yield from ((letter, start + said.start()) for letter in f"\0{shown}\0")


def _letters_of_tex(tex: str, start: int) -> Iterator[tuple[str, int]]:
    for piece in TEX.finditer(tex):
        shown = TEX_SHOWN[piece.lastgroup] if piece.lastgroup else piece[0]
        yield from ((letter, start + piece.start()) for letter in shown)


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

    choosing, printed = set(), set()
    calls: list[nodes.Call | nodes.Filter] = [*tree.find_all(nodes.Call)]
    calls += tree.find_all(nodes.Filter)
    for call in calls:
        arguments = [*call.args, *(keyword.value for keyword in call.kwargs)]
        choosing |= {id(argument) for argument in arguments}
        if isinstance(call, nodes.Filter):
            printed |= {id(argument) for argument in arguments}
    for constant in tree.find_all(nodes.Const):
        value = constant.value
        words = isinstance(value, str) and id(constant) in printed
        if words and any(letter.isdigit() for letter in value):
            return str(value)
        if isinstance(value, float) or id(constant) not in choosing:
            return str(value)
    return None
