"""Blocks of this site alone: the drawing of the paper's network.

Rows are resolutions: the full one on top, half the sides in each row below. Row `level` holds the
input of down `level + 1` on the left, up `level + 1` on the right, and the skip between them.
"""

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from press.blocks.declaration import SUITE, Argument, Call, Figure, block
from press.charts.svg import element, line, path, text
from press.results.numbers import decimal, grouped
from press.results.suite import SuiteView

WIDTH, ROW, BOX = 400, 54, 34
LEFT, MIDDLE, RIGHT = 90.0, 200.0, 310.0  # centres of the columns


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
        f"multiply-adds for a picture of {described['height']}×{described['width']} pixels."
    )
    return Figure(Drawing(described).svg(), note=note)


@dataclass(frozen=True)
class Drawing:
    """The drawing of a description."""

    described: dict[str, Any]

    @property
    def layers(self) -> dict[str, Any]:
        return {layer["name"]: layer for layer in self.described["layers"]}

    @property
    def scales(self) -> int:
        return sum(name.startswith("down") and name.endswith(".conv1") for name in self.layers)

    def svg(self) -> Markup:
        """Draw it."""
        parts = [element("title", self._title()), self._legend(), self._picture()]
        for level in range(self.scales):
            parts += [self._left(level), self._up(level), self._skip(level + 1)]
        parts += [self._left(self.scales), self._turn()]
        box = f"0 0 {WIDTH} {_row(self.scales) + BOX / 2 + 6:.0f}"
        return element("svg", *parts, class_="chart network", viewBox=box, role="img")

    def _title(self) -> str:
        return (
            f"An hourglass of {self.scales} scales: each halves the sides and doubles them again, "
            f"and a skip connection passes it by; {self.described['parameters']:,} parameters"
        )

    def _legend(self) -> Markup:
        """Say what the units are made of, where the drawing leaves room."""
        lines = (
            "down: 3×3, stride 2; 3×3",
            "skip: 1×1",
            "up: norm; 3×3; 1×1",
            "each with norm and LeakyReLU",
        )
        words = [text(words, 0, 10 + 13 * k, class_="legend") for k, words in enumerate(lines)]
        return element("g", *words)

    def _picture(self) -> Markup:
        sides = f"{self.described['height']}×{self.described['width']}"
        shape = f"{self.described['image_channels']}×{sides}"
        y = _row(0) - ROW - 6
        box = _box(RIGHT, y, _half(0), "picture", shape, "end-unit")
        words = text("1×1, sigmoid", RIGHT + 7, y + BOX / 2 + 16, class_="step")
        return element("g", box, _arrow(RIGHT, _row(0) - BOX / 2, y + BOX / 2), words)

    def _left(self, level: int) -> Markup:
        """Draw z, or a down unit with the arrow that leads to it."""
        if level == 0:
            sides = f"{self.described['height']}×{self.described['width']}"
            shape = f"{self.described['z_channels']}×{sides}"
            return _box(LEFT, _row(0), _half(0), "z, noise", shape, "end-unit")
        shape = _shape(self.layers[f"down{level}.conv2"])
        box = _box(LEFT, _row(level), _half(level), f"down {level}", shape, "down-unit")
        arrow = _arrow(LEFT, _row(level - 1) + BOX / 2, _row(level) - BOX / 2)
        return element("g", box, arrow)

    def _up(self, level: int) -> Markup:
        """Draw the up unit of a row, and the upsampling arrow that leads on from it."""
        shape = _shape(self.layers[f"up{level + 1}.conv2"])
        box = _box(RIGHT, _row(level), _half(level), f"up {level + 1}", shape, "up-unit")
        if level == 0:
            return box
        arrow = _arrow(RIGHT, _row(level) - BOX / 2, _row(level - 1) + BOX / 2)
        words = text("×2", RIGHT + 7, _row(level) - BOX / 2 - 7, class_="step")
        return element("g", box, arrow, words)

    def _skip(self, scale: int) -> Markup:
        """Draw a skip connection across its row."""
        name, level = f"skip{scale}.conv1", scale - 1
        if name not in self.layers:
            return Markup("")
        y, half = _row(level), _half(level)
        frame = element(
            "rect", x=MIDDLE - 24, y=y - 9, width=48, height=18, rx=3, class_="unit skip-unit"
        )
        channels = self.layers[name]["shape"][0]
        words = text(
            f"skip, {channels}", MIDDLE, y + 3.5, class_="unit-shape", text_anchor="middle"
        )
        start = line(LEFT + half, y, MIDDLE - 24, y, class_="flow")
        return element("g", start, frame, words, _level_arrow(MIDDLE + 24, RIGHT - half, y))

    def _turn(self) -> Markup:
        """Lead from the deepest down unit to the first up unit."""
        y, half = _row(self.scales), _half(self.scales)
        along = line(LEFT + half, y, RIGHT, y, class_="flow")
        words = text("×2", RIGHT + 7, y - 10, class_="step")
        return element("g", along, _arrow(RIGHT, y, _row(self.scales - 1) + BOX / 2), words)


def _row(level: int) -> float:
    return 24.0 + ROW + 6 + ROW * level


def _half(level: int) -> float:
    """Give half the width of a box: narrower as the sides get smaller, but readable."""
    return 34.0 + 36.0 * 0.5**level


def _shape(layer: dict[str, Any]) -> str:
    return "×".join(map(str, layer["shape"]))


def _box(x: float, y: float, half: float, words: str, below: str, kind: str) -> Markup:
    frame = element(
        "rect", x=x - half, y=y - BOX / 2, width=2 * half, height=BOX, rx=3, class_=f"unit {kind}"
    )
    upper = text(words, x, y - 2, class_="unit-name", text_anchor="middle")
    lower = text(below, x, y + 11, class_="unit-shape", text_anchor="middle")
    return element("g", frame, upper, lower)


def _arrow(x: float, y1: float, y2: float) -> Markup:
    """Draw an upright arrow that ends at `y2`."""
    tip = 5 if y2 < y1 else -5
    head = path([(x - 3, y2 + tip), (x, y2), (x + 3, y2 + tip)], class_="flow head")
    return element("g", line(x, y1, x, y2, class_="flow"), head)


def _level_arrow(x1: float, x2: float, y: float) -> Markup:
    """Draw a level arrow that ends at `x2`."""
    head = path([(x2 - 5, y - 3), (x2, y), (x2 - 5, y + 3)], class_="flow head")
    return element("g", line(x1, y, x2, y, class_="flow"), head)
