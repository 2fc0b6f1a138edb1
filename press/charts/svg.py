"""The small parts of a drawing: elements, scales, ticks, lines with fewer points."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from markupsafe import Markup, escape

Point = tuple[float, float]


def element(name: str, *content: str, **attributes: object) -> Markup:
    """An element of SVG, or an img; `class_` is the class, other underscores are hyphens."""
    words = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_short(value))}"'
        for key, value in attributes.items()
        if value is not None
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
        return self.start + (self._straight(value) - self._first) * self._factor

    def _straight(self, value: float) -> float:
        return math.sqrt(max(value, 0)) if self.root else value

    @cached_property
    def _first(self) -> float:
        return self._straight(self.low)

    @cached_property
    def _factor(self) -> float:
        width = self._straight(self.high) - self._first
        return (self.end - self.start) / width if width else 0.0


def nice_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round values between `low` and `high`, about so many: steps of 1, 2 or 5."""
    if high <= low:
        return [low]
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 10) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def widened(low: float, high: float, about: int = 5) -> tuple[float, float]:
    """A range widened to the round values around it."""
    ticks = nice_ticks(low, high, about)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step


def path(points: Sequence[Point], **attributes: object) -> Markup:
    """A line through points, each to a tenth."""
    if not points:
        return Markup("")
    steps = " ".join(f"{_tenth(x)} {_tenth(y)}" for x, y in points)
    return element("path", d=f"M{steps}", **attributes)


def _tenth(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def thinned(points: Sequence[Point], width: float = 1.6) -> list[Point]:
    """The first, lowest, highest and last of the points in each `width` units.

    Every point that stays is a recorded one, and no spike is lost.
    """
    kept: list[Point] = []
    group: list[Point] = []
    for point in points:
        if group and point[0] - group[0][0] >= width:
            kept += _outline(group)
            group = []
        group.append(point)
    return kept + _outline(group)


def _outline(group: list[Point]) -> list[Point]:
    if not group:
        return []
    chosen = {group[0], min(group, key=lambda p: p[1]), max(group, key=lambda p: p[1]), group[-1]}
    return sorted(chosen, key=group.index)


def spread_apart(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Labels moved apart so that none is nearer than `gap` to the next, near their places."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved = [places[i] for i in order]
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + gap)
    over = max(0.0, moved[-1] - high) if moved else 0.0
    moved = [max(low, place - over) for place in moved]
    result = [0.0] * len(places)
    for place, i in zip(moved, order, strict=True):
        result[i] = place
    return result
