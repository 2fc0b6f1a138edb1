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

from press.diagnostics import Place, SourceMap
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
    rf"|(?<![\w)\]{HIDDEN}])[-−]{HIDDEN}|(?<![^\s\0(\[{{“‘])[–—]{HIDDEN})"
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
RELATION = re.compile(
    r"\\(?:approx|sim(?:eq)?|geq?|leq?|neq?|in|to|equiv|propto|ll|gg)(?![A-Za-z])|[=<>≈≤≥]"
)
WORDS = re.compile(r"\\(?:text\w*|[mh]box)\s*\{([^{}]*)\}")  # of a formula
SHOWN = {  # what TeX shows, one after the other
    r"\\[\\{}]": SYMBOL,
    r"\\[,;:!> ]|\\(?:q?quad|enspace|thinspace|[dt]?frac|[lc]?dots)(?![A-Za-z])|~": " ",
    r"\\times(?![A-Za-z])": "×",
    r"\\cdot(?![A-Za-z])": "·",
    r"\\pm(?![A-Za-z])": "±",
    r"\\%": "%",
    r"\}\s*\{": "/",
    r"[{}]|\\(?:math\w+|operatorname|rm|bf|boldsymbol|left|right)(?![A-Za-z])": "",
    r"\\(?:[A-Za-z]+|.)": SYMBOL,
    r"[\^_]": SCRIPT,
}
LETTER = re.compile(rf"[^\W\d_]|{SYMBOL}")
SENTENCE = (
    "'{}' is a result typed by hand; write it as an expression that names its run, or a claim"
)


class Piece(NamedTuple):
    """A part of a text as it is seen, and the offset in the source where it begins."""

    shown: str
    start: int
    kind: str = TEXT


class Number(NamedTuple):
    """A number, or a unit beside an expression; what it is, and where it stands."""

    kind: str
    text: str
    place: Place


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
        usual = [metric for metric in metrics.values() if metric.name != "seconds"]
        units = [unit for metric in usual for unit in (metric.unit, metric.difference)]
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
        self,
        pieces: Iterable[Piece],
        origin: SourceMap,
        in_cell: bool = False,
        in_heading: bool = False,
    ) -> Iterator[Number]:
        """Every number of a text, and what stands beside an expression."""
        pieces = list(pieces)
        shown = "".join(piece.shown for piece in pieces)
        starts = list(accumulate((len(piece.shown) for piece in pieces), initial=0))
        for kind, pattern in ((UNIT, self._unit_beside_expression), (JOINED, JOINED_TO)):
            for found in pattern.finditer(shown):
                at = shown.index(HIDDEN, found.start())
                piece = pieces[bisect_right(starts, at) - 1]
                if piece.kind == EXPRESSION:
                    yield Number(kind, found[1].replace(HIDDEN, "{{ }}"), origin.at(piece.start))
        if not DIGIT.search(shown):
            return
        spans = [found.span() for found in self._exempt.finditer(shown)]
        behind = 0  # of the number that was found last
        for number in NUMBER.finditer(shown):
            if HAS_SPREAD.search(shown, max(0, number.start() - 9), number.start()):
                continue  # it is the spread of the number before it
            first = next(number.start() + n for n, c in enumerate(number[0]) if c.isdigit())
            piece, begin = pieces[bisect_right(starts, first) - 1], number.start()
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
            index = bisect_right(starts, begin) - 1
            at = pieces[index].start + begin - starts[index]
            if not origin.text.startswith(number[0], at):  # it is written in another way there
                at = max(pieces[index].start, behind)
                at = max(origin.text.find(number[0], at), at)
            behind = at + len(number[0])
            yield Number(kind, number[0], origin.at(at))

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
    bare, begin = WORDS.sub(lambda words: " " * len(words[0]), tex), 0
    for relation in (*RELATION.finditer(bare), None):
        end, behind = relation.span() if relation else (len(tex), len(tex))
        kind = CONSTANT if LETTER.search(_shown(bare[begin:end])) else VALUE
        shown = _shown(WORDS.sub(r"\1", tex[begin:end]))
        yield Piece(f"{shown}≈" if relation else shown, start + begin, kind)
        begin = behind


def _shown(tex: str) -> str:
    for pattern, shown in SHOWN.items():
        tex = re.sub(pattern, shown, tex)
    return tex
