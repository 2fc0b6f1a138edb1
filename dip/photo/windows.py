"""Windows round the holes of a large photograph, so that only they are worked on."""

from dataclasses import dataclass

import numpy as np

MARGIN = 32  # pixels of known surroundings on each side, at least
LEAST_SIDE = 128  # pixels of a window, where the photograph has them
WHOLE = 0.6  # part of the photograph in windows from which on it is one window


@dataclass(frozen=True)
class Window:
    """A rectangle of a picture: rows top to bottom, columns left to right, ends not included."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def area(self) -> int:
        """Count its pixels."""
        return (self.bottom - self.top) * (self.right - self.left)

    @property
    def inside(self) -> tuple[slice, slice]:
        """Give it as rows and columns of an array."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def meets(self, other: "Window") -> bool:
        """Tell whether the two have a pixel in common."""
        rows = self.top < other.bottom and other.top < self.bottom
        return rows and self.left < other.right and other.left < self.right

    def joined(self, other: "Window") -> "Window":
        """Give the smallest window that holds both."""
        return Window(
            min(self.top, other.top),
            max(self.bottom, other.bottom),
            min(self.left, other.left),
            max(self.right, other.right),
        )


def windows_round(holes: np.ndarray, whole_side: int) -> list[Window]:
    """Give disjoint windows that hold every hole of (H, W) bool, each with its surroundings.

    A window reaches half the holes' extent beyond them, at least 32 pixels. A picture of at most
    `whole_side` pixels a side, or one whose windows would cover most of it, is one window.
    """
    from scipy.ndimage import find_objects, label, maximum_filter

    height, width = holes.shape
    whole = Window(0, height, 0, width)
    if max(height, width) <= whole_side:
        return [whole]
    near = maximum_filter(holes, size=2 * MARGIN + 1)
    found = [_grown(rows, columns, holes.shape) for rows, columns in find_objects(label(near)[0])]
    windows = _disjoint(found)
    return [whole] if sum(w.area for w in windows) > WHOLE * whole.area else windows


def _grown(rows: slice, columns: slice, shape: tuple[int, ...]) -> Window:
    """Grow holes with their margin to the surroundings that they need."""
    top, bottom = _grown_side(rows.start, rows.stop, shape[0])
    left, right = _grown_side(columns.start, columns.stop, shape[1])
    return Window(top, bottom, left, right)


def _grown_side(start: int, stop: int, length: int) -> tuple[int, int]:
    hole = stop - start - 2 * MARGIN
    side = min(length, max(stop - start, 2 * hole, LEAST_SIDE))
    first = min(max(0, (start + stop - side) // 2), length - side)
    return first, first + side


def _disjoint(windows: list[Window]) -> list[Window]:
    """Join windows that meet until none do."""
    done: list[Window] = []
    waiting = list(windows)
    while waiting:
        window = waiting.pop()
        touching = next((other for other in done if window.meets(other)), None)
        if touching is None:
            done.append(window)
        else:
            done.remove(touching)
            waiting.append(window.joined(touching))
    return sorted(done, key=lambda w: (w.top, w.left))
