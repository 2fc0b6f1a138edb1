"""Curves against the iteration, as SVG that follows the page's theme.

Colours, strokes and type come from the style sheet by class; words carry what colour says.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor

from markupsafe import Markup

from press.charts import svg
from press.charts.svg import Point, Scale, element, line, text
from press.results.numbers import THIN_SPACE, grouped

TICKS = (0, 250, 1000, 2000, 5000, 11000)  # iterations that an axis names, beside its last
WIDTH, HEIGHT = 400, 250
LEFT, RIGHT, BOTTOM = 30, 66, 32
FIRST_ROW, ROW = 19, 10  # of the words over the marks


@dataclass(frozen=True)
class Line:
    """One line of a chart: its label, its class (ours, known, unknown ...), its recorded points."""

    label: str
    kind: str
    points: Sequence[Point]


@dataclass(frozen=True)
class Mark:
    """A vertical mark at an iteration, with its word."""

    label: str
    iteration: float
    kind: str = "rule"


@dataclass(frozen=True)
class CurvePanel:
    """PSNR in dB against the iteration, on a square-root axis, each line labelled at its end.

    With `y_words` and `y_label` the levels are another quantity, such as powers of ten.
    """

    title: str
    lines: Sequence[Line]
    marks: Sequence[Mark] = ()
    y_range: tuple[float, float] | None = None  # dB, so that panels share an axis
    y_words: Callable[[float], str] = grouped  # how the axis names a whole level
    y_label: str = f"PSNR,{THIN_SPACE}dB"

    @cached_property
    def x(self) -> Scale:
        """The scale of iterations."""
        ends = (line.points[-1][0] for line in self.lines if line.points)
        return Scale(0, max(1.0, *ends), LEFT, WIDTH - RIGHT, root=True)

    @cached_property
    def y(self) -> Scale:
        """The scale of levels."""
        return Scale(*(self.y_range or db_range(self.lines)), HEIGHT - BOTTOM, self.top)

    @cached_property
    def _placed_marks(self) -> list[tuple[Mark, int]]:
        """The marks in order, each with the row of its words, such that no two touch."""
        ends: list[float] = []  # of the last words in each row
        placed = []
        for mark in sorted(self.marks, key=lambda mark: mark.iteration):
            half = 2.9 * len(mark.label)
            x = self.x(mark.iteration)
            row = next((i for i, end in enumerate(ends) if x - half > end), len(ends))
            ends[row:] = [x + half + 3, *ends[row + 1 :]]
            placed.append((mark, row))
        return placed

    @cached_property
    def top(self) -> float:
        """Where the plot begins, below the words of the marks."""
        return float(FIRST_ROW + ROW * max((row for _, row in self._placed_marks), default=0))

    def svg(self) -> Markup:
        """The panel as a drawing, with its title for those who do not see it."""
        parts = [element("title", self.title), *self._axes(), *self._marks(), *self._lines()]
        box = f"0 0 {WIDTH} {HEIGHT}"
        return element("svg", *parts, class_="chart", viewBox=box, role="img")

    def _axes(self) -> list[Markup]:
        right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
        parts = []
        levels = svg.nice_ticks(self.y.low, self.y.high, 5)
        for level in (level for level in levels if level % 1 == 0):
            y = self.y(level)
            parts += [
                line(LEFT, y, right, y, class_="grid"),
                text(self.y_words(level), LEFT - 6, y + 3.5, class_="tick", text_anchor="end"),
            ]
        parts.append(line(LEFT, bottom, right, bottom, class_="axis"))
        for iteration in self._ticks():
            x = self.x(iteration)
            parts += [
                line(x, bottom, x, bottom + 4, class_="axis"),
                text(grouped(iteration), x, bottom + 15, class_="tick", text_anchor="middle"),
            ]
        label = "iteration, square-root scale"
        parts.append(text(label, right, HEIGHT - 3, class_="label", text_anchor="end"))
        parts.append(text(self.y_label, 0, 9, class_="label"))
        return parts

    def _ticks(self) -> list[float]:
        """The iterations that the axis names; none whose words would touch those before."""
        kept: list[float] = []
        for tick in (*(tick for tick in TICKS if tick < self.x.high), self.x.high):
            if not kept or self.x(tick) - self.x(kept[-1]) >= 30:
                kept.append(tick)
        return kept

    def _marks(self) -> list[Markup]:
        parts = []
        for mark, row in self._placed_marks:
            x, y = self.x(mark.iteration), self.top - 2 - ROW * row
            parts += [
                line(x, y + 2, x, HEIGHT - BOTTOM, class_=f"mark mark-{mark.kind}"),
                text(mark.label, x, y, class_="mark-label", text_anchor="middle"),
            ]
        return parts

    def _lines(self) -> list[Markup]:
        drawn = [each for each in self.lines if each.points]
        ends = [self.y(each.points[-1][1]) for each in drawn]
        words_at = svg.spread_apart(ends, 12, self.top, HEIGHT - BOTTOM)
        parts = []
        for each, y in zip(drawn, words_at, strict=True):
            points = [(self.x(k), self.y(level)) for k, level in svg.thinned(each.points, self.x)]
            parts += [
                svg.path(points, class_=f"line line-{each.kind}"),
                text(each.label, WIDTH - RIGHT + 5, y + 3.5, class_=f"end end-{each.kind}"),
            ]
        return parts


def db_range(lines: Sequence[Line]) -> tuple[float, float]:
    """A range of whole levels that holds every line."""
    levels = [level for each in lines for _, level in each.points]
    return (floor(min(levels)), ceil(max(levels))) if levels else (0.0, 1.0)
