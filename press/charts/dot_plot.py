"""Dots on an axis that all rows of a table share, as SVG that follows the page's theme."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from press.charts.svg import Scale, element, line, nice_ticks, text, tick_words, widened

WIDTH, ROW, HEAD = 300, 34, 16  # of the axis, and the heights of a row and of the numbers
MIDDLE = ROW / 2
SIDE = 12  # of the drawing of a mark by itself
# The marks of what is neither ours nor the source's, in turn: their corners around the level.
CORNERS = {
    "diamond": [(-5, 0), (0, -5), (5, 0), (0, 5)],
    "square": [(-4, -4), (4, -4), (4, 4), (-4, 4)],
    "triangle": [(-5, 4), (0, -5), (5, 4)],
    "bar": [(-1, -6), (1, -6), (1, 6), (-1, 6)],
    "wedge": [(-5, -4), (5, -4), (0, 5)],
    "flag": [(-4, -5), (5, 0), (-4, 5)],
}


@dataclass(frozen=True)
class Dot:
    """A mark in a row of the dot plot; `words` is its level as a page writes it: "36.05 dB".

    A `spread`, in the unit of the level, gives a whisker. The kind is ours (filled), paper
    (hollow), baseline (light), other (light and hollow: what a source prints of others) or choice
    (hollow, in our colour: another output of ours). Ours and the paper's are circles; the other
    series of a table differ in the `shape`, one of CORNERS.
    """

    kind: str
    label: str
    level: float
    words: str
    spread: float | None = None
    shape: str = "circle"

    @property
    def ends(self) -> tuple[float, float]:
        """From where to where it reaches, with its whisker."""
        return self.level - (self.spread or 0), self.level + (self.spread or 0)


@dataclass(frozen=True)
class DotAxis:
    """One axis that every row of a table shares, with grid lines at the `ticks`."""

    x: Scale
    ticks: Sequence[float]
    id: str = "axis"  # of its numbers on the page

    @classmethod
    def around(cls, levels: Sequence[float], id: str = "axis") -> "DotAxis":
        """An axis of round levels that holds every number; without ticks if there is none."""
        low, high = widened(min(levels), max(levels), 8) if levels else (0.0, 1.0)
        scale = Scale(low, high, 12, WIDTH - 12)
        return cls(scale, nice_ticks(low, high, 8) if levels else [], id)

    def head(self) -> Markup:
        """The axis' numbers, for the table's head."""
        labels = [
            text(words, self.x(tick), 14, class_="tick", text_anchor="middle")
            for tick, words in zip(self.ticks, tick_words(self.ticks), strict=True)
        ]
        return _drawing(HEAD, [element("g", *labels, id=self.id)])

    def head_again(self) -> Markup:
        """The same numbers under a row, for narrow pages, where a row stands by itself."""
        return _drawing(HEAD, [element("use", href=f"#{self.id}")], "dots axis")

    def row(self, dots: Sequence[Dot]) -> Markup:
        """The dots of one row."""
        parts = [line(self.x(t), 0, self.x(t), ROW, class_="grid") for t in self.ticks]
        levels = [dot.level for dot in dots]
        if len(levels) > 1:
            parts.append(self._level_line(min(levels), max(levels), "span"))
        for dot in dots:
            if dot.spread:
                parts.append(self._level_line(*dot.ends, "whisker"))
            parts.append(_shape(dot, self.x(dot.level)))
        return _drawing(ROW, parts)

    def _level_line(self, low: float, high: float, kind: str) -> Markup:
        return line(self.x(low), MIDDLE, self.x(high), MIDDLE, class_=kind)


def sign(kind: str, shape: str) -> Markup:
    """A mark by itself, for the head of its column."""
    mark = _mark(kind, shape, SIDE / 2, SIDE / 2)
    box = f"0 0 {SIDE} {SIDE}"
    return element("svg", mark, class_="dots sign", viewBox=box, aria_hidden="true")


def _shape(dot: Dot, x: float) -> Markup:
    name = element("title", f"{dot.label}: {dot.words}")
    return _mark(dot.kind, dot.shape, x, MIDDLE, name)


def _mark(kind: str, shape: str, x: float, y: float, *inside: Markup) -> Markup:
    kind = f"dot dot-{kind}"
    if shape == "circle":
        return element("circle", *inside, cx=x, cy=y, r=5, class_=kind)
    steps = " ".join(f"{x + right:.1f} {y + down:.1f}" for right, down in CORNERS[shape])
    return element("path", *inside, d=f"M{steps}Z", class_=kind)


def _drawing(height: int, parts: Sequence[Markup], kind: str = "dots") -> Markup:
    box = f"0 0 {WIDTH} {height}"
    return element("svg", *parts, class_=kind, viewBox=box, aria_hidden="true")
