"""Blocks of this site alone: the drawing of the paper's network, and where one may stop a run.

In the drawing, rows are resolutions: the full one on top, half the sides in each row below. Row
`level` holds the input of down `level + 1` on the left, up `level + 1` on the right, and the skip
between them.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from math import hypot
from typing import Any

from markupsafe import Markup

from press.blocks.declaration import SUITE, Argument, Call, Figure, block
from press.blocks.tables import Column, against, dot_table, level_note, of_images
from press.charts.svg import element, line, path, text
from press.errors import InputError
from press.results.numbers import Quantity, decimal, grouped
from press.results.suite import ScoreTable, SuiteView

WIDTH, ROW, BOX = 400, 54, 34
LEFT, MIDDLE, RIGHT = 90.0, 200.0, 310.0  # centres of the columns
LEGEND = (  # what the units are made of
    "down: 3×3, stride 2; 3×3",
    "skip: 1×1",
    "up: norm; 3×3; 1×1",
    "each with norm and LeakyReLU",
)


@block(
    "network",
    "the network that a suite fits, with the shapes of its layers",
    Argument("suite", SUITE, "whose network, at the size of its first image", required=True),
    numbered="figure",
    width="text",
    example='suite="inpainting" id="fig-network"',
)
def network(call: Call, suite: SuiteView) -> Figure:
    """The network's units with their shapes, and how large it is."""
    name = suite.suite.network
    if name is None:
        raise call.error("suite", f"the manifest describes no network of suite '{suite.name}'")
    described = call.page.results.suites.network(name)
    billion = decimal(described["multiply_adds"] / 1e9, 1)
    note = (
        f"{grouped(described['parameters'])} parameters; {billion} billion "
        f"multiply-adds for an image of {described['height']}×{described['width']} pixels."
    )
    return Figure(Drawing(described).svg(), note=note)


@dataclass(frozen=True)
class Drawing:
    """The drawing of a description."""

    described: dict[str, Any]

    @cached_property
    def shapes(self) -> dict[str, list[int]]:
        """Channels, height and width of what each layer gives, by the layer's name."""
        return {layer["name"]: layer["shape"] for layer in self.described["layers"]}

    def svg(self) -> Markup:
        """Draw it."""
        scales = sum(name.startswith("down") and name.endswith(".conv1") for name in self.shapes)
        title = (
            f"An hourglass of {scales} scales: each halves the sides and doubles them again, "
            f"and a skip connection passes it by; {self.described['parameters']:,} parameters"
        )
        legend = [text(words, 0, 10 + 13 * k, class_="legend") for k, words in enumerate(LEGEND)]
        parts = [element("title", title), *legend, *self._ends()]
        for level in range(scales):
            parts += [*self._units(level + 1), *self._skip(level)]
        y = _row(scales)  # where the deepest down unit leads to the first up unit
        turn = [(LEFT + _half(scales), y), (RIGHT, y), (RIGHT, y - BOX / 2)]
        parts.append(path(turn, class_="flow"))
        box = f"0 0 {WIDTH} {y + BOX / 2 + 6:.0f}"
        return element("svg", *parts, class_="chart network", viewBox=box, role="img")

    def _ends(self) -> list[Markup]:
        """Draw z on the left, and the image that comes out on the right."""
        sides = [self.described["height"], self.described["width"]]
        y = _row(0) - ROW - 6
        return [
            *_box(LEFT, 0, "z, noise", [self.described["z_channels"], *sides], "end"),
            *_box(RIGHT, 0, "image", [self.described["image_channels"], *sides], "end", y),
            *_arrow(RIGHT, _row(0) - BOX / 2, RIGHT, y + BOX / 2),
            text("1×1, sigmoid", RIGHT + 7, y + BOX / 2 + 16, class_="step"),
        ]

    def _units(self, scale: int) -> list[Markup]:
        """Draw the down and the up unit of a scale, with the arrows that lead to and from them."""
        below, above = _row(scale) - BOX / 2, _row(scale - 1) + BOX / 2
        down, up = (self.shapes[f"{way}{scale}.conv2"] for way in ("down", "up"))
        return [
            *_box(LEFT, scale, f"down {scale}", down, "down"),
            *_arrow(LEFT, above, LEFT, below),
            *_box(RIGHT, scale - 1, f"up {scale}", up, "up"),
            *_arrow(RIGHT, below, RIGHT, above),
            text("×2", RIGHT + 7, below - 7, class_="step"),
        ]

    def _skip(self, level: int) -> list[Markup]:
        """Draw the skip connection of a row, if it has one."""
        shape = self.shapes.get(f"skip{level + 1}.conv1")
        if not shape:
            return []
        y, half = _row(level), _half(level)
        frame = {"x": MIDDLE - 24, "y": y - 9, "width": 48, "height": 18, "rx": 3}
        return [
            line(LEFT + half, y, MIDDLE - 24, y, class_="flow"),
            element("rect", **frame, class_="unit skip-unit"),
            text(f"skip, {shape[0]}", MIDDLE, y + 3.5, class_="unit-shape", text_anchor="middle"),
            *_arrow(MIDDLE + 24, y, RIGHT - half, y),
        ]


def _row(level: int) -> float:
    return 24.0 + ROW + 6 + ROW * level


def _half(level: int) -> float:
    """Half the width of a box: narrower as the sides get smaller, but readable."""
    return 42.0 + 28.0 * 0.5**level


def _box(
    x: float, level: int, words: str, shape: list[int], kind: str, y: float | None = None
) -> list[Markup]:
    """A unit in a row, or at `y`, with its name and the shape of what it gives."""
    y, half = _row(level) if y is None else y, _half(level)
    frame = {"x": x - half, "y": y - BOX / 2, "width": 2 * half, "height": BOX, "rx": 3}
    below = "×".join(map(str, shape))
    return [
        element("rect", **frame, class_=f"unit {kind}-unit"),
        text(words, x, y - 2, class_="unit-name", text_anchor="middle"),
        text(below, x, y + 11, class_="unit-shape", text_anchor="middle"),
    ]


def _arrow(x1: float, y1: float, x2: float, y2: float) -> list[Markup]:
    """An arrow, level or upright."""
    length = hypot(x2 - x1, y2 - y1) / 5  # the head is 5 long and 6 wide
    x, y = (x2 - x1) / length, (y2 - y1) / length
    barbs = [(x2 - x + side * y, y2 - y + side * x) for side in (0.6, -0.6)]
    head = path([barbs[0], (x2, y2), barbs[1]], class_="flow head")
    return [line(x1, y1, x2, y2, class_="flow"), head]


@block(
    "stops-table",
    "the outputs that one may choose of a run, and what each loses to the best",
    Argument("suite", SUITE, "whose runs are shown", required=True),
    numbered="table",
    example='suite="denoising-preview" id="tab-stops"',
)
def stops_table(call: Call, suite: SuiteView) -> Figure:
    """Last and best iterate, ES-WMV and averages, side by side."""
    chosen = {"last": "final", "best": "stop.oracle", "ES-WMV": "stop.es-wmv", "average": "average"}
    if suite.suite.mean:
        chosen["mean of runs"] = "mean"
    columns = [
        Column(name, _scored(suite.output(output)), "ours" if name == "last" else "choice")
        for name, output in chosen.items()
    ]
    last = against("Against the best", columns, columns[1].value(None))
    note = (
        f"{level_note(suite)} The best iterate can only be told with the"
        " original at hand; the last row is each choice less the best iterate, on the mean."
    )
    stopped = suite.stopped("es-wmv")
    if stopped != suite.recorded:
        note += (
            f" ES-WMV had stopped in {stopped or 'none'} of {suite.recorded} runs when they ended;"
            " where it had not, its column has the output of least variance so far."
        )
    return dot_table(call, suite, (*suite.suite.images, None), columns, note, last=last)


def _scored(scores: ScoreTable) -> Callable[[str | None], Quantity | None]:
    """Look up a level of an image, or the mean; None where a run has no such output."""

    def value(image: str | None) -> Quantity | None:
        with suppress(InputError):
            return of_images(scores)(image)
        return None

    return value
