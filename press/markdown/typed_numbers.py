"""Numbers in a text as a reader sees it, and what each of them is.

A number is a result that was typed by hand (a number where only a record or a claim may speak), a
pointer ("table 1"), a convention, or open: bound to nothing. A result is any number beside a
metric's unit, and a decimal beside a metric's label, beside seconds, or in a cell of a table.
Digits within a word, as in "Set5" or "top-5", are part of a name; number words do not count.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple

from press.results.metrics import Metrics
from press.toml_file import TomlFile

RESULT, POINTER, CONVENTION, OPEN = "result", "pointer", "convention", "unclassified"
TEXT, VALUE, CONSTANT = "text", "value", "formula"  # kinds of pieces, the last two of formulas
EXPRESSION = "expression"  # a kind of pieces too, as is POINTER
UNIT, JOINED = "unit", "joined"  # what stands beside an expression, or makes one number with it

HIDDEN, SYMBOL, SCRIPT = "\ufffc", "\ufffd", "\ufffb"  # an expression; a TeX command; ^ or _
DIGIT = re.compile(r"\d")
NUMBER = re.compile(
    r"(?<![\w.])(?<![^\W\d_][-‐‑])[-+−]?(?:\d+/\d+(?![\d.,]*\d)|\.?\d(?:[\d.,]*\d)?)"
)
DECIMAL = re.compile(r"[-+−]?[\d,]*\.\d+")
HAS_SPREAD = re.compile(r"\d\)?\s*(?:±|\+/-)\s*$")
# Digits, a point, an exponent, a sign, or another expression, that a reader takes for a part of it.
JOINED_TO = re.compile(
    rf"(\d[.,]?{HIDDEN}|{HIDDEN}(?:[.,]|[eE][-+−]?)?\d|{HIDDEN}[.,]?{HIDDEN}"
    rf"|(?<![\w)\]{HIDDEN}])[-−]{HIDDEN})"
)
SPREAD = r"(?:\s*(?:±|\+/-)\s*[\d.]+)?"
SECONDS = ("seconds", "second", "secs", "sec")
NOUNS = (
    "algorithm|appendix|chapter|eq|equation|fig|figure|footnote|lemma|line|listing|note|page|part"
    "|ref|reference|sec|section|seed|tab|table|theorem|vol|volume"
)
POINTED_AT = re.compile(
    rf"(?i:\b(?:{NOUNS})\.?|\bp\.|[§#])\s*[(\[]?$"
    rf"|(?i:\b(?:{NOUNS}|appendice)s\.?|\bpp\.|§§)\s*[(\[]?"
    r"(?:\d[\d.]*[)\]]?\s*(?:,|and|or|to|[-–])\s*[(\[]?)*$"
)
SECTION = re.compile(r"[.)]?\s+[A-Z]")  # what follows the number of a section
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
BY_FORM = (  # years, dates, versions and addresses
    r"(?<!\d)(?:19|20)\d\d-\d\d-\d\d(?!\d)|\((?:19|20)\d\d\)|\b\d+(?:\.\d+){2,}\b|https?://\S+"
    rf"|(?:\b\d{{1,2}} )?\b(?:{MONTHS})(?: \d{{1,2}},?)?(?: (?:19|20)\d\d)?\b"
    r"|\b(?:[Ii]n|[Ss]ince|[Uu]ntil|[A-Z]{2,}|al\.,?) (?:19|20)\d\d\b(?![.,-]\d| [a-z]+s\b)"
)
TEX = re.compile(
    r"(?P<relation>\\(?:approx|sim(?:eq)?|geq?|leq?|neq?|in|to|equiv|propto|ll|gg)(?![A-Za-z])"
    r"|[=<>≈≤≥])"
    r"|\\(?:text\w*|[mh]box)\s*\{(?P<words>[^{}]*)\}"
    r"|(?P<space>\\[,;:!> ]|\\(?:q?quad|enspace|thinspace|[dt]?frac|[lc]?dots)(?![A-Za-z])|~)"
    r"|(?P<sign>\\(?:times|cdot|pm|%))(?![A-Za-z])"
    r"|(?P<over>\}\s*\{)"
    r"|(?P<nothing>[{}]|\\(?:math\w+|operatorname|rm|bf|boldsymbol|left|right)(?![A-Za-z]))"
    r"|(?P<command>\\[A-Za-z]+|\\.)|(?P<script>[\^_])|(?P<letter>[^\W\d_]+)"
    r"|[^\\~{}^_=<>≈≤≥A-Za-z]+|.",
    re.DOTALL,
)
SIGNS = {r"\times": "×", r"\cdot": "·", r"\pm": "±", r"\%": "%"}
SHOWN = {
    "space": " ",
    "nothing": "",
    "over": "/",
    "relation": "≈",
    "command": SYMBOL,
    "script": SCRIPT,
}


class Piece(NamedTuple):
    """A part of a text as it is seen, and where it stands in the source."""

    shown: str
    start: int  # the offset in the source; of what does not stand there so, where to look from
    kind: str = TEXT
    is_verbatim: bool = True


class Found(NamedTuple):
    """A number, or the unit beside an expression, and where in which piece it begins."""

    kind: str
    text: str
    piece: Piece
    within: int

    def offset(self, source: str) -> int:
        """Its offset in the source; where that writes it otherwise, the nearest known."""
        if self.piece.is_verbatim:
            return self.piece.start + self.within
        at = self.piece.start
        for _ in range(self.piece.shown.count(self.text, 0, self.within) + 1):
            found = source.find(self.text, at)
            at = found + 1 if found >= 0 else at
        if at > self.piece.start:
            return at - 1
        first = re.search(r"\d+", self.text)
        return max(source.find(first[0], at) if first else at, self.piece.start)


@dataclass(frozen=True)
class Checks:
    """`[checks]` of content/site.toml: which numbers may not be typed, and what is exempt."""

    numbers: str = "results"  # or "all"
    conventions: tuple[str, ...] = ()  # exact phrases
    units: tuple[str, ...] = ()  # other words for the units of metrics


NO_CHECKS = Checks()
CHECKS = {
    "numbers": "text", "conventions": "a list of names", "units": "a list of names",
}  # fmt: skip


def read_checks(file: TomlFile) -> Checks:
    """The table `[checks]`; raises InputError with its place for a mistake."""
    data = file.table("checks")
    file.expect(CHECKS, data, "checks")
    if data.get("numbers", "all") not in ("results", "all"):
        file.fail('\'numbers\': expected "results" or "all"', "checks", "numbers")
    values: dict[str, Any] = {k: tuple(v) if type(v) is list else v for k, v in data.items()}
    return Checks(**values)


def _any_of(words: Iterable[str]) -> str:
    """A pattern of any of these words, the longest first; of none, one that nothing matches."""
    known = sorted({word for word in words if word.strip()}, key=len, reverse=True)
    spaced = (
        r"\s+".join(map(re.escape, word.split())).replace(r"\s+×\s+", r"\s*×\s*") for word in known
    )
    return "|".join(f"{word}(?!\\w)" for word in spaced) or r"(?!)"


class NumberSearch:
    """What tells one kind of number from another on one site."""

    def __init__(self, metrics: Metrics, checks: Checks = NO_CHECKS) -> None:
        """Make the patterns of what is looked for around a number."""
        self.checks = checks
        units = [metric.unit for metric in metrics.values() if metric.name != "seconds"]
        unit = f"(?:{_any_of([*units, *checks.units])})"
        label = f"(?i:{_any_of([*(metric.label for metric in metrics.values()), *SECONDS])})"
        named = (
            rf"(?<!\w){label}(?:,?\s*[(\[]?(?:in\s+)?{unit}[)\]]?)?"
            r"(?:\s+(?:of|is|was|at|to|reaches|about|around|only|just|by)\b|\s*[=:≈~(])*\s*$"
        )
        self._unit_behind = re.compile(rf"{SPREAD}[\s\\‐‑-]*{unit}")
        # The next three stand around a decimal only.
        self._bracketed_unit_behind = re.compile(rf"{SPREAD}[\s\\(\[‐‑-]*{unit}")
        self._label_behind = re.compile(rf"{SPREAD}[\s‐‑-]*{label}")
        self._named_before = re.compile(named)
        self._exempt = re.compile(f"{BY_FORM}|(?<!\\w)(?:{_any_of(checks.conventions)})")
        self._unit_beside_expression = re.compile(rf"{HIDDEN}\s*({unit})")

    def find(
        self, pieces: Iterable[Piece], in_cell: bool = False, in_heading: bool = False
    ) -> Iterator[Found]:
        """Every number of a text, and what stands beside an expression."""
        pieces = list(pieces)
        shown = "".join(piece.shown for piece in pieces)
        starts = list(accumulate((len(piece.shown) for piece in pieces), initial=0))
        for kind, pattern in ((UNIT, self._unit_beside_expression), (JOINED, JOINED_TO)):
            for found in pattern.finditer(shown):
                at = shown.index(HIDDEN, found.start())
                piece = pieces[bisect_right(starts, at) - 1]
                if piece.kind == EXPRESSION:
                    yield Found(kind, found[1].replace(HIDDEN, "{{ }}"), piece, 0)
        if not DIGIT.search(shown):
            return
        spans = [found.span() for found in self._exempt.finditer(shown)]
        for number in NUMBER.finditer(shown):
            if HAS_SPREAD.search(shown, max(0, number.start() - 9), number.start()):
                continue  # it is the spread of the number before it
            first = next(number.start() + n for n, c in enumerate(number[0]) if c.isdigit())
            index = bisect_right(starts, first) - 1
            piece, begin = pieces[index], bisect_right(starts, number.start()) - 1
            if self._is_result(shown, number, piece.kind, in_cell):
                kind = RESULT
            elif piece.kind == CONSTANT:
                kind = CONSTANT
            elif any(start <= first < end for start, end in spans):
                kind = CONVENTION
            elif piece.kind == POINTER or _points(shown, number, in_heading):
                kind = POINTER
            else:
                kind = OPEN
            yield Found(kind, number[0], pieces[begin], number.start() - starts[begin])

    def _is_result(self, shown: str, number: re.Match[str], kind: str, in_cell: bool) -> bool:
        """Whether a number stands where only a record or a claim may speak."""
        behind = number.end()
        is_power = number.start() > 0 and shown[number.start() - 1] in SCRIPT + SYMBOL
        if self._unit_behind.match(shown, behind) and not is_power:
            return True
        if not DECIMAL.fullmatch(number[0]) or shown[behind : behind + 1].isalnum():
            return False
        before = shown[max(0, number.start() - 80) : number.start()]
        if self._bracketed_unit_behind.match(shown, behind) or self._named_before.search(before):
            return True
        in_formula = kind in (VALUE, CONSTANT)
        return not in_formula and (in_cell or bool(self._label_behind.match(shown, behind)))


def _points(shown: str, number: re.Match[str], in_heading: bool) -> bool:
    """Whether a number names a figure, a section and the like, or is that of a heading."""
    start = number.start()
    if "," in number[0]:
        return False
    is_first = in_heading and not shown[:start].strip()
    if is_first and SECTION.match(shown, number.end()):
        return True
    return bool(POINTED_AT.search(shown, max(0, start - 60), start))


def pieces_of_tex(tex: str, start: int) -> Iterator[Piece]:
    """What a formula shows. Where one of its sides holds no letter, it states a value."""
    side: list[tuple[str, int, bool]] = []
    has_letter = False
    for found in TEX.finditer(tex):
        kind, at = found.lastgroup, start + found.start()
        if kind == "words":
            side.append((found["words"], start + found.start("words"), True))
        else:
            shown = SIGNS.get(found[0]) or SHOWN.get(kind or "", found[0])
            side.append((shown, at, kind is None))
        has_letter = has_letter or kind in ("letter", "command")
        if kind == "relation":
            yield from _side(side, has_letter)
            side, has_letter = [], False
    yield from _side(side, has_letter)


def _side(side: Iterable[tuple[str, int, bool]], has_letter: bool) -> Iterator[Piece]:
    for shown, at, is_verbatim in side:
        yield Piece(shown, at, CONSTANT if has_letter else VALUE, is_verbatim)


SENTENCE = (
    "'{}' is a result typed by hand; write it as an expression that names its run, or a claim"
)
