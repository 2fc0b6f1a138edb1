"""Numbers that remember the run behind them, and how numbers are written on a page.

True minus signs, a narrow no-break space before a unit, and "not run yet" for what is absent.
"""

from math import isclose
from typing import Any, Self

from markupsafe import Markup

from press.errors import InputError
from press.results.metrics import NO_METRIC, Metric

THIN_SPACE = "\u202f"
MINUS = "\u2212"
LONG = 1e6  # from here on a number on a log scale is a multiple of a power of ten


class Measured(float):
    """A number from records: its metric, the page of its run, its spread and n.

    `origin` is the address of the run's page from the page that shows it, or an empty string;
    `preview` tells that it was measured on reduced pictures.
    """

    metric: Metric
    origin: str
    spread: float | None
    n: int
    preview: bool

    def __new__(
        cls,
        value: float,
        metric: Metric = NO_METRIC,
        origin: str = "",
        spread: float | None = None,
        n: int = 1,
        preview: bool = False,
    ) -> Self:
        """Wrap `value`; `spread` is a standard deviation between `n` seeds, None if n < 2.

        Of a difference of two results n is 0.
        """
        number = super().__new__(cls, value)
        number.metric, number.origin, number.spread, number.n = metric, origin, spread, n
        number.preview = preview
        return number

    def __html__(self) -> Markup:
        """Write the number with its unit, linked to its run."""
        return linked(with_unit(self, self.metric), self.origin)


class Quoted(float):
    """A number that a source prints."""


class NotRun:
    """A result that is planned and not recorded; it prints as words, and counts as false."""

    origin, spread, n = "", None, 0  # as a `Measured` has them

    def __init__(self, what: str) -> None:
        """`what` is the name of what was not run."""
        self.what = what

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return "not run yet"

    def __html__(self) -> Markup:
        return Markup('<span class="not-run" title="{}">not run yet</span>').format(self.what)


Quantity = Measured | NotRun


def difference(one: Any, other: Any) -> Quantity:
    """What a result of a run is more, or less, than another one, or than a source's number.

    Not run yet, if one of the two is not. Raises InputError for what has no such difference.
    """
    pair = (one, other)
    results = [each for each in pair if isinstance(each, Quantity) and not is_difference(each)]
    quoted = [each for each in pair if isinstance(each, Quoted)]
    if len(quoted) > 1 or len(results) + len(quoted) < 2:
        raise InputError("a difference is one of two results, or of a result and a claim")
    if missing := [result for result in results if isinstance(result, NotRun)]:
        return missing[0]
    refuse_pair(one, other)
    ours = [result for result in results if isinstance(result, Measured)]
    metric, is_preview = ours[0].metric.of_differences, any(one.preview for one in ours)
    gap = 0.0 if is_same(one, other) else float(one) - float(other)
    return Measured(gap, metric, ours[0].origin, n=0, preview=is_preview)


def is_same(one: float, other: float) -> bool:
    """Whether two numbers are one, but for the binary ones' last places: 20.3 - 20 and 0.3."""
    return isclose(one, other, rel_tol=1e-12)


def refuse_pair(one: Any, other: Any) -> None:
    """Raise InputError for two numbers that say nothing about each other.

    These are a preview's and a source's, and two of different kinds.
    """
    pair = (one, other)
    is_preview = any(isinstance(each, Measured) and each.preview for each in pair)
    if is_preview and any(isinstance(each, Quoted) for each in pair):
        raise InputError("a preview is not compared with the numbers of a source")
    first, second = map(metric_of, pair)
    if first.name != second.name and (first.unit != second.unit or not first.unit):
        raise InputError(f"'{first.heading}' and '{second.heading}' are not of one kind")


def is_difference(number: Quantity) -> bool:
    """Whether a result is a difference of two, of which no seed can be counted."""
    return isinstance(number, Measured) and not number.n


def metric_of(value: Any) -> Metric:
    """The metric of a number; that of a plain count has no unit."""
    metric: Metric = getattr(value, "metric", NO_METRIC)
    return metric


def written(value: float, metric: Metric, digits: int | None = None) -> str:
    """Write a number with `digits` decimals, or as its metric says: "36.05", "5.18×10⁻⁵".

    Where it is a multiple of a power of ten, the decimals are those of its mantissa.
    """
    is_far = 0 < abs(value) < 10 ** (1 - metric.digits) or abs(value) >= LONG
    if metric.scale == "log" and is_far:
        return powers(value, 2 if digits is None else digits)
    return decimal(value, metric.digits if digits is None else digits)


def with_unit(value: float, metric: Metric, digits: int | None = None) -> str:
    """Write a number and its unit, as in "97.2 %"."""
    return unit_behind(written(value, metric, digits), metric)


def unit_behind(text: str, metric: Metric) -> str:
    """A written number with the unit of its metric, if that has one."""
    return f"{text}{THIN_SPACE}{metric.unit}" if metric.unit else text


def decimal(value: float, digits: int = 2) -> str:
    """Write a number with `digits` decimals and a true minus sign, never minus zero."""
    text = f"{value:.{digits}f}"
    if not text.startswith("-"):
        return text
    return text[1:] if float(text) == 0 else MINUS + text[1:]


def with_sign(text: str) -> str:
    """Put a + in front of a written difference, but not of one that is negative or nothing."""
    number = text.partition(THIN_SPACE)[0]
    return text if number.startswith(MINUS) or not number.strip("0.") else f"+{text}"


SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def powers(value: float, digits: int = 2) -> str:
    """Write a number as a multiple of a power of ten: "5.18×10⁻⁵"."""
    mantissa, _, exponent = f"{value:.{digits}e}".partition("e")
    return f"{decimal(float(mantissa), digits)}×10{str(int(exponent)).translate(SUPERSCRIPTS)}"


def grouped(number: float) -> str:
    """Write a whole number with commas between thousands: "11,000"."""
    return f"{round(number):,}".replace("-", MINUS)


def listed(words: list[str], joint: str = "and") -> str:
    """Join words as a sentence does: "a", "a and b", "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {joint} {words[-1]}"


def linked(text: str, origin: str) -> Markup:
    """Link a number quietly to the page of its run."""
    if not origin:
        return Markup('<span class="q">{}</span>').format(text)
    return Markup('<a class="q from-run" href="{}">{}</a>').format(origin, text)
