"""Numbers that remember the run behind them, and how numbers are written on a page.

True minus signs, a narrow no-break space before a unit, and "not run yet" for what is absent.
"""

from typing import Any, Self

from markupsafe import Markup

from press.errors import InputError
from press.results.metrics import NO_METRIC, Metric

THIN_SPACE = "\u202f"
MINUS = "\u2212"


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
        """Wrap `value`; `spread` is a standard deviation between `n` seeds, None if n < 2."""
        number = super().__new__(cls, value)
        number.metric, number.origin, number.spread, number.n = metric, origin, spread, n
        number.preview = preview
        return number

    def __sub__(self, other: Any) -> Any:
        """Subtract a number; an absent one makes the difference absent."""
        return other if isinstance(other, NotRun) else self._from(other, float(self) - float(other))

    def __rsub__(self, other: Any) -> Any:
        """Subtract this number from another one."""
        return self._from(other, float(other) - float(self))

    def __add__(self, other: Any) -> Any:
        """Add a number; an absent one makes the sum absent."""
        return other if isinstance(other, NotRun) else self._from(other, float(self) + float(other))

    def _from(self, other: Any, value: float) -> "Measured":
        """What was worked out from this number and `other`; raises InputError if they clash."""
        if self.preview and isinstance(other, Quoted):
            raise InputError("a preview is not compared with the numbers of a source")
        mine, others = self.metric, getattr(other, "metric", self.metric)
        if mine.name != others.name and (mine.unit != others.unit or not mine.unit):
            raise InputError(f"'{mine.heading}' and '{others.heading}' are not of one kind")
        return Measured(value, mine, self.origin, preview=self.preview)

    def __html__(self) -> str:
        """Write the number with its unit, linked to its run."""
        return linked(with_unit(self, self.metric), self.origin)


class Quoted(float):
    """A number that a source prints."""

    def __sub__(self, other: Any) -> Any:
        """Subtract a number; the difference from a measured one is a measured one."""
        return NotImplemented if isinstance(other, Measured | NotRun) else float(self) - other


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

    def __html__(self) -> str:
        return str(Markup('<span class="not-run" title="{}">not run yet</span>').format(self.what))

    def _same(self, _other: Any) -> "NotRun":
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = _same


Quantity = Measured | NotRun


def metric_of(value: Any) -> Metric:
    """The metric of a number; that of a plain count has no unit."""
    metric: Metric = getattr(value, "metric", NO_METRIC)
    return metric


def written(value: float, metric: Metric, digits: int | None = None) -> str:
    """Write a number with `digits` decimals, or as its metric says: "36.05", "5.18×10⁻⁵"."""
    count = metric.digits if digits is None else digits
    is_too_small = digits is None and 0 < abs(value) < 10 ** (1 - count)
    return powers(value) if metric.scale == "log" and is_too_small else decimal(value, count)


def with_unit(value: float, metric: Metric, digits: int | None = None) -> str:
    """Write a number and its unit, as in "97.2 %"."""
    return unit_behind(written(value, metric, digits), metric)


def unit_behind(text: str, metric: Metric) -> str:
    """A written number with the unit of its metric, if that has one."""
    return f"{text}{THIN_SPACE}{metric.unit}" if metric.unit else text


def difference_with_unit(value: float, metric: Metric, digits: int | None = None) -> str:
    """Write a difference with its sign and its unit, as in "+0.3 %"."""
    return with_sign(with_unit(value, metric, digits))


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


def powers(value: float) -> str:
    """Write a number as a multiple of a power of ten: "5.18×10⁻⁵"."""
    mantissa, _, exponent = f"{value:.2e}".partition("e")
    return f"{decimal(float(mantissa))}×10{str(int(exponent)).translate(SUPERSCRIPTS)}"


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
