"""Dots on an axis that all rows of a table share, as SVG that follows the page's theme."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from markupsafe import Markup

from press.charts.svg import Scale, element, line, nice_ticks, text, widened
from press.results.numbers import THIN_SPACE, decimal


@dataclass(frozen=True)
class Dot:
    """A mark in a row of the dot plot; `spread` in dB gives a whisker.

    Its kind is ours (filled), paper (hollow), other (a light diamond: what a source prints of
    others), choice (a diamond in our colour: another output of ours), fill (a light box: a
    baseline) or nearest (a light stroke: the weakest baseline).
    """

    kind: str
    label: str
    level: float | None
    spread: float | None = None


@dataclass(frozen=True)
class DotAxis:
    """One axis in dB that every row of a table shares; `width` and `height` in its own units."""

    low: float
    high: float
    width: int = 300
    height: int = 34
    bare: bool = False  # no ticks, as there are no levels yet

    @classmethod
    def around(cls, levels: Sequence[float]) -> "DotAxis":
        """An axis of round levels that holds every number."""
        return cls(*widened(min(levels), max(levels), 8)) if levels else cls(0, 1, bare=True)

    @cached_property
    def x(self) -> Scale:
        """The scale of levels in dB."""
        return Scale(self.low, self.high, 12, self.width - 12)

    @property
    def ticks(self) -> list[float]:
        """The levels that have a grid line."""
        return [] if self.bare else nice_ticks(self.low, self.high, 8)

    def head(self) -> Markup:
        """The axis' numbers, for the table's head."""
        labels = [
            text(decimal(t, 0), self.x(t), 14, class_="tick", text_anchor="middle")
            for t in self.ticks
        ]
        return self._drawing(16, labels)

    def row(self, dots: Sequence[Dot]) -> Markup:
        """One row; dots without a level are left out."""
        middle = self.height / 2
        parts = [line(self.x(t), 0, self.x(t), self.height, class_="grid") for t in self.ticks]
        levels = [dot.level for dot in dots if dot.level is not None]
        if len(levels) > 1:
            ends = self.x(min(levels)), self.x(max(levels))
            parts.append(line(ends[0], middle, ends[1], middle, class_="span"))
        for dot in dots:
            parts += self._dot(dot, middle)
        return self._drawing(self.height, parts)

    def _dot(self, dot: Dot, middle: float) -> list[Markup]:
        if dot.level is None:
            return []
        x, kind = self.x(dot.level), f"dot dot-{dot.kind}"
        name = element("title", f"{dot.label}: {decimal(dot.level)}{THIN_SPACE}dB")
        half = {"nearest": 0.8, "fill": 3.5}.get(dot.kind)
        if half:
            box = {"x": x - half, "y": middle - 5.0, "width": 2 * half, "height": 10}
            return [element("rect", name, class_=kind, **box)]
        if dot.kind in ("other", "choice"):
            corners = [(x - 5, middle), (x, middle - 5), (x + 5, middle), (x, middle + 5)]
            steps = " ".join(f"{x:.1f} {y:.1f}" for x, y in corners)
            return [element("path", name, d=f"M{steps}Z", class_=kind)]
        parts = []
        if dot.spread:
            ends = self.x(dot.level - dot.spread), self.x(dot.level + dot.spread)
            parts.append(line(ends[0], middle, ends[1], middle, class_="whisker"))
        parts.append(element("circle", name, cx=x, cy=middle, r=5, class_=kind))
        return parts

    def _drawing(self, height: int, parts: Sequence[Markup]) -> Markup:
        box = f"0 0 {self.width} {height}"
        hidden = {"aria-hidden": "true"}
        return element("svg", *parts, class_="dots", viewBox=box, **hidden)
