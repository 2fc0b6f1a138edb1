"""Curves against an axis of steps (iterations, epochs), as SVG that follows the page's theme.

Colours, strokes and type come from the style sheet by class; words carry what colour says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor, log10
from textwrap import wrap

from markupsafe import Markup

from press.charts import svg
from press.charts.svg import Point, Scale, element, line, text
from press.results.numbers import SUPERSCRIPTS, grouped, powers

LONG = 1000  # an axis of so many steps goes by the square root, which shows the early ones
COLOURS = 5  # of lines; after the last they begin again, in dashes and dots
SERIES = 2 * COLOURS  # the ways in which the style sheet draws a line
WIDTH, HEIGHT = 400, 250
BOTTOM = 32
LETTER = 6.7  # how wide a letter is on a phone, where words are largest beside the drawing
BESIDE = 10  # from a line's end to its label: half a scrubber's handle, and a little
MOST_LETTERS = 10  # of a level beside its axis; others are multiples of powers of ten
MOST = 1e300  # the largest level on an axis: a run that diverged may have been beyond
FIRST_ROW, ROW = 22, 13  # of the words beside the marks


@dataclass(frozen=True)
class Line:
    """One line of a chart: its recorded points, and how it is drawn (1 to SERIES).

    Of lines that belong together only the first has a label.
    """

    label: str
    points: Sequence[Point]
    series: int = 1

    def drawn(self, powers: bool) -> Sequence[Point]:
        """The points that can be drawn: on an axis of powers of ten those above 0."""
        return [point for point in self.points if point[1] > 0] if powers else self.points


@dataclass(frozen=True)
class Mark:
    """A vertical mark at a step, with its word."""

    label: str
    step: float
    kind: str = "rule"


@dataclass(frozen=True)
class CurvePanel:
    """Levels against the steps of an axis, each line labelled at its end.

    With `powers` the axis of levels goes by powers of ten, and levels of 0 or less are left out.
    """

    title: str
    lines: Sequence[Line]
    y_label: str  # what the levels are, with their unit
    axis: str  # what the steps are: "iteration", "epoch" ...
    marks: Sequence[Mark] = ()
    ends: tuple[float, float] | None = None  # lowest and highest level, where panels share an axis
    powers: bool = False

    @cached_property
    def right(self) -> float:
        """Where the plot ends: the labels of the lines have their room beside it."""
        longest = max((len(line.label) for line in self.lines), default=0)
        return WIDTH - min(max(71, BESIDE + 3 + 1.2 * LETTER * longest), WIDTH / 2.6)

    @cached_property
    def left(self) -> float:
        """Where the plot begins: the words of the levels stand before it."""
        return 8 + 1.1 * LETTER * max((len(words) for _, words in self._levels()), default=2)

    @cached_property
    def x(self) -> Scale:
        """The scale of steps, from 0 on or from the first below it."""
        drawn = [line.points for line in self.lines if line.points]
        first = min([0.0, *(points[0][0] for points in drawn)])
        last = max([first, *(points[-1][0] for points in drawn)])
        is_long = first == 0 and last >= LONG
        return Scale(first, last if last > first else first + 1, self.left, self.right, is_long)

    @cached_property
    def y(self) -> Scale:
        """The scale of levels."""
        return Scale(*self._range, HEIGHT - BOTTOM, self.top)

    @cached_property
    def _range(self) -> tuple[float, float]:
        """The lowest and the highest level of the axis."""
        low, high = (
            max(-MOST, min(MOST, end)) for end in self.ends or extent(self.lines, self.powers)
        )
        if self.powers:
            low, high = floor(log10(low)), ceil(log10(high))
        else:  # to fifths of the steps that the axis names
            low, high = svg.widened(low, high, 25)
        if low == high:
            low, high = low - 0.5, high + 0.5
        return low, high

    def height(self, level: float) -> float:
        """Where a level lies; at the bottom one that an axis of powers cannot show."""
        if not self.powers:
            return self.y(level)
        return self.y(log10(level) if level > 0 else self._range[0])

    @cached_property
    def _placed_marks(self) -> list[tuple[Mark, int, bool]]:
        """The marks, each with the row of its words, and whether they stand to its left.

        Words stand beside their mark like a flag, above every mark that they reach over, so that
        no line goes through them. To the left stand those that find no room to the right, or
        would reach over such a mark.
        """
        right, left = list[Mark](), list[Mark]()
        for mark in sorted(self.marks, key=lambda mark: -mark.step):
            x, end = self.x(mark.step), self.x(mark.step) + _width(mark)
            to_left = end > WIDTH or any(x <= self.x(other.step) <= end for other in left)
            (left if to_left else right).append(mark)
        rows = dict[Mark, int]()
        for mark in (*right, *reversed(left)):
            x, width = self.x(mark.step), _width(mark)
            span = (x - width, x) if mark in left else (x, x + width)
            under = [row for other, row in rows.items() if span[0] <= self.x(other.step) <= span[1]]
            rows[mark] = max(under, default=-1) + 1
        return [(mark, row, mark in left) for mark, row in rows.items()]

    @cached_property
    def top(self) -> float:
        """Where the plot begins, below the words of the marks."""
        return float(FIRST_ROW + ROW * max((row for _, row, _ in self._placed_marks), default=0))

    def svg(self) -> Markup:
        """The panel as a drawing, with its title for those who do not see it."""
        parts = [element("title", self.title), *self._axes(), *self._marks(), *self._lines()]
        box = f"0 0 {WIDTH} {HEIGHT}"
        return element("svg", *parts, class_="chart", viewBox=box, role="img")

    def _axes(self) -> list[Markup]:
        left, right, bottom = self.left, self.right, HEIGHT - BOTTOM
        parts = []
        for level, words in self._levels():
            y = self.y(level)
            parts += [
                line(left, y, right, y, class_="grid"),
                text(words, left - 6, y + 3.5, class_="tick", text_anchor="end"),
            ]
        parts.append(line(left, bottom, right, bottom, class_="axis"))
        for step in self._steps():
            x, words = self.x(step), grouped(step) if step % 1 == 0 else f"{step:g}"
            parts += [
                line(x, bottom, x, bottom + 4, class_="axis"),
                text(words, x, bottom + 15, class_="tick", text_anchor="middle"),
            ]
        label = f"{self.axis}, square-root scale" if self.x.root else self.axis
        parts.append(text(label, right, HEIGHT - 3, class_="label", text_anchor="end"))
        parts.append(text(self.y_label, 0, 9, class_="label"))
        return parts

    def _levels(self) -> list[tuple[float, str]]:
        """The levels that the axis names, with their words."""
        levels = svg.nice_ticks(*self._range)
        if not self.powers:
            words = svg.tick_words(levels)
            if max(map(len, words)) > MOST_LETTERS:
                words = [powers(level) if level else "0" for level in levels]
            return list(zip(levels, words, strict=True))
        whole = [level for level in levels if level % 1 == 0]
        return [(k, f"10{f'{k:.0f}'.translate(SUPERSCRIPTS)}" if k else "1") for k in whole]

    def _steps(self) -> list[float]:
        """The steps that the axis names; none whose words would touch those of another."""
        last = self.x.high
        if self.x.root:
            shares = [last * (part / 5) ** 2 for part in range(1, 5)]
            steps = [0.0, *map(_rounded, shares)]
        else:
            steps = [step for step in svg.nice_ticks(self.x.low, last) if step % 1 == 0]
        kept: list[float] = []
        for step in steps:
            room = min(self.x(last) - self.x(step), self.x(step) - self.x(kept[-1]) if kept else 40)
            if room >= 40:
                kept.append(step)
        return [*kept, last]

    def _marks(self) -> list[Markup]:
        parts = []
        for mark, row, to_left in self._placed_marks:
            x, y = self.x(mark.step), self.top - 2 - ROW * row
            beside, anchor = (-3, "end") if to_left else (3, "start")
            parts += [
                line(x, y - 8, x, HEIGHT - BOTTOM, class_=f"mark mark-{mark.kind}"),
                text(mark.label, x + beside, y, class_="mark-label", text_anchor=anchor),
            ]
        return parts

    def _lines(self) -> list[Markup]:
        drawn = [(each, points) for each in self.lines if (points := each.drawn(self.powers))]
        parts = []
        for each, recorded in drawn:
            points = [(self.x(k), self.height(v)) for k, v in svg.thinned(recorded, self.x)]
            parts.append(svg.path(points, class_=f"line {_kind('line', each.series)}"))
        letters = round((WIDTH - self.right - BESIDE - 3) / (1.2 * LETTER))
        named = [
            (row, f"end {_kind('end', each.series)}", self.height(points[-1][1]))
            for each, points in drawn
            for row in wrap(each.label, letters, break_long_words=False)
        ]
        words_at = svg.spread_apart([y for *_, y in named], 12, self.top, HEIGHT - BOTTOM)
        for (row, kind, _), y in zip(named, words_at, strict=True):
            parts.append(text(row, self.right + BESIDE, y + 3.5, class_=kind))
        return parts


def _width(mark: Mark) -> float:
    """How wide the words of a mark are on a phone, with their distance."""
    return 6 + LETTER * len(mark.label)


def _kind(word: str, series: int) -> str:
    """The classes of a series: its colour, and whether that comes again."""
    return f"{word}-{(series - 1) % COLOURS + 1}{' again' if series > COLOURS else ''}"


def _rounded(step: float) -> float:
    """The nearest of 1, 2 and 5 times a power of ten."""
    power = 10.0 ** floor(log10(step))
    return power * min((1, 2, 5, 10), key=lambda factor: abs(log10(factor * power / step)))


def extent(lines: Sequence[Line], powers: bool = False) -> tuple[float, float]:
    """The lowest and the highest level of lines, of those that can be drawn."""
    levels = [level for line in lines for _, level in line.drawn(powers)]
    return (min(levels), max(levels)) if levels else (0.1, 1.0)
