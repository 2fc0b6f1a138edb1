"""The small parts of a drawing: elements, scales, ticks, lines with fewer points."""

import math
import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

from markupsafe import Markup, escape

from press.results.numbers import MINUS

Point = tuple[float, float]


def element(name: str, *content: str, **attributes: object) -> Markup:
    """An element of SVG, or an img; `class_` is the class, other underscores are hyphens."""
    words = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_short(value))}"'
        for key, value in attributes.items()
    )
    inside = Markup("").join(content)
    if content:
        return Markup(f"<{name}{words}>{inside}</{name}>")
    return Markup(f"<{name}{words}>" if name == "img" else f"<{name}{words}/>")


def _short(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def text(words: str, x: float, y: float, **attributes: object) -> Markup:
    """Words at a place."""
    return element("text", escape(words), x=float(x), y=float(y), **attributes)


def line(x1: float, y1: float, x2: float, y2: float, **attributes: object) -> Markup:
    """A straight line."""
    return element("line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), **attributes)


@dataclass(frozen=True)
class Scale:
    """Maps values from `low` to `high` onto `start` to `end`; `root`: by square root."""

    low: float
    high: float
    start: float
    end: float
    root: bool = False

    def __call__(self, value: float) -> float:
        """The place of a value."""
        first, factor = self._line
        return self.start + ((math.sqrt(value) if self.root else value) - first) * factor

    def value(self, place: float) -> float:
        """What lies at a place."""
        first, factor = self._line
        value = (place - self.start) / factor + first
        return value * value if self.root else value

    @cached_property
    def _line(self) -> tuple[float, float]:
        low, high = (math.sqrt(end) if self.root else end for end in (self.low, self.high))
        return low, (self.end - self.start) / ((high - low) or 1)


def nice_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round values between `low` and `high`, about so many: steps of 1, 2 or 5."""
    if high - low <= 1e-12 * max(abs(low), abs(high)):  # one value, but for its last places
        return [low]
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first, digits = math.ceil(low / step - 1e-9), 2 - math.floor(math.log10(step))
    return [round(k * step, digits) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def widened(low: float, high: float, about: int = 5) -> tuple[float, float]:
    """A range widened to the round values around it."""
    ticks = nice_ticks(low, high, about)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step


def tick_words(ticks: Sequence[float]) -> list[str]:
    """Ticks as an axis writes them: with the decimals that tell them apart."""
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return [f"{tick:,.{digits}f}".replace("-", MINUS) for tick in ticks]


def path(points: Sequence[Point], **attributes: object) -> Markup:
    """A line through points, each to a tenth; one point alone is a short dash."""
    if len(points) == 1:
        (x, y), *_ = points
        points = [(x - 2, y), (x + 2, y)]
    steps = " ".join([f"{x:.1f} {y:.1f}" for x, y in points])
    return element("path", d="M" + re.sub(r"\.0\b", "", steps), **attributes)


def thinned(points: Sequence[Point], scale: Scale, width: float = 1.6) -> list[Point]:
    """The first, lowest, highest and last of the points in each `width` units of a scale.

    The points, in order, come back as they were recorded, and no spike is lost.
    """
    kept: list[Point] = []
    end = 0
    while end < len(points):
        start, edge = end, scale.value(scale(points[end][0]) + width)
        end = bisect_left(points, (edge,), start + 1)
        group = points[start:end]
        lowest, highest = min(group, key=itemgetter(1)), max(group, key=itemgetter(1))
        kept += sorted({group[0], lowest, highest, group[-1]})
    return kept


def spread_apart(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Labels moved apart so that none is nearer than `gap` to the next, near their places."""
    moved: dict[int, float] = {}
    last = -math.inf
    for i in sorted(range(len(places)), key=places.__getitem__):
        last = moved[i] = max(places[i], last + gap)
    over = max(0.0, last - high)
    return [max(low, moved[i] - over) for i in range(len(places))]
