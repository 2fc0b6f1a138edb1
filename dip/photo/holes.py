"""The holes of a photograph: found in a mask, worked on in windows, joined without a seam."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dip.errors import InputError
from dip.tasks.photographs import Photo, read_photo

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix

SOFT = 0.1  # of a mask: how far from the colour of known pixels they may be
MARGIN = 32  # pixels of known surroundings on each side of a hole, at least
LEAST_WINDOW = 128  # pixels of a window's side, where the photograph has them
WHOLE = 0.6  # part of the photograph in windows from which on it is one window
SOLVED = 1_000_000  # pixels of holes that are solved for: a quarter of it takes seconds and 0.3 GB


def read_mask(path: Path, photo: Photo) -> np.ndarray:
    """The mask drawn in the file `path`, (H, W) in [0, 1], 1 = white.

    Raises InputError if its size is not the photograph's, or if it is of one shade.
    A mask of two values only, such as 0 and 1 of 255, is taken as black and white.
    """
    drawn = read_photo(path)
    if drawn.pixels.shape[1:] != photo.pixels.shape[1:]:
        raise InputError(f"the mask has {drawn.size} pixels, the photograph {photo.size}", path)
    grey: np.ndarray = drawn.pixels.mean(axis=0)
    low, high = grey.min(), grey.max()
    if low == high:
        seen = "; its transparency is not looked at" if drawn.alpha is not None else ""
        raise InputError(f"the mask is {_shade(low)} all over{seen}", path)
    if ((grey == low) | (grey == high)).all():
        two: np.ndarray = (grey == high).astype(np.float32)
        return two
    return grey


def _shade(value: float) -> str:
    return "black" if value < SOFT else "white" if value > 1 - SOFT else "grey"


def holes_of(mask: np.ndarray, wanted: str | None, path: Path) -> tuple[np.ndarray, str]:
    """The holes, (H, W) bool, that a mask (H, W) in [0, 1] marks, and their colour.

    Unless `wanted` says white or black, it is the colour that covers less of the mask. Soft edges
    belong to the holes: a pixel is known only where the mask has the other colour within 10%.
    Raises InputError, with the mask's `path`, if that leaves no hole or no known pixel.
    """
    white = mask > 0.5
    if white.all() or not white.any():
        raise InputError(f"the mask is {'light' if white.all() else 'dark'} all over", path)
    colour = wanted or ("white" if white.mean() <= 0.5 else "black")
    holes: np.ndarray = mask > SOFT if colour == "white" else mask < 1 - SOFT
    if holes.all():
        raise InputError(f"the mask has no pixel that is quite unlike {colour}", path)
    return holes, colour


def soft_part(mask: np.ndarray) -> float:
    """The part of a mask (H, W), from 0 to 1, that is neither black nor white."""
    return float(((mask > SOFT) & (mask < 1 - SOFT)).mean())


def transparent(photo: Photo, path: Path) -> np.ndarray:
    """The pixels, (H, W) bool, that are not quite opaque; raises InputError if none or all are."""
    holes = np.zeros(photo.pixels.shape[1:], bool) if photo.alpha is None else photo.alpha < 1
    if not holes.any():
        raise InputError("has no transparent pixels: say by --mask FILE what to restore", path)
    if holes.all():
        raise InputError("every pixel is transparent: nothing is known", path)
    return holes


def width_of_widest(holes: np.ndarray) -> int:
    """The diameter in pixels of the largest circle in a hole, (H, W) bool, or beyond the edge."""
    from scipy.ndimage import distance_transform_edt

    return round(2 * float(distance_transform_edt(holes).max()) - 1)


@dataclass(frozen=True)
class Window:
    """A rectangle of an image: rows top to bottom, columns left to right, ends not included."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def area(self) -> int:
        """Its pixels."""
        return (self.bottom - self.top) * (self.right - self.left)

    @property
    def inside(self) -> tuple[slice, slice]:
        """Its rows and columns, to index an array with."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def meets(self, other: "Window") -> bool:
        """Whether the two have a pixel in common."""
        rows = self.top < other.bottom and other.top < self.bottom
        return rows and self.left < other.right and other.left < self.right

    def joined(self, other: "Window") -> "Window":
        """The smallest window that holds both."""
        top, left = min(self.top, other.top), min(self.left, other.left)
        return Window(top, max(self.bottom, other.bottom), left, max(self.right, other.right))


def windows_round(holes: np.ndarray, whole_side: int) -> list[Window]:
    """Disjoint windows that hold every hole of (H, W) bool, each with its surroundings.

    A window reaches half the holes' extent beyond them, at least 32 pixels. An image of at most
    `whole_side` pixels a side, or one whose windows would cover most of it, is one window.
    """
    from scipy.ndimage import find_objects, label, maximum_filter

    height, width = holes.shape
    whole = Window(0, height, 0, width)
    if max(height, width) <= whole_side:
        return [whole]
    near = maximum_filter(holes, size=2 * MARGIN + 1)
    windows = _disjoint(
        [
            Window(*_grown(rows, holes.shape[0]), *_grown(columns, holes.shape[1]))
            for rows, columns in find_objects(label(near)[0])
        ]
    )
    return [whole] if sum(w.area for w in windows) > WHOLE * whole.area else windows


def _grown(hole: slice, length: int) -> tuple[int, int]:
    """The rows (or columns) of a window round a hole with its margin, inside the image."""
    filled = hole.stop - hole.start
    side = min(length, max(filled, 2 * (filled - 2 * MARGIN), LEAST_WINDOW))
    first = min(max(0, (hole.start + hole.stop - side) // 2), length - side)
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


def joined(filled: np.ndarray, picture: np.ndarray, holes: np.ndarray) -> np.ndarray:
    """`picture` with its `holes` filled from `filled`, without seams: (C, H, W) float32.

    All three are of one size, pixels in [0, 1], `holes` (H, W) bool.

    At the edge of a hole the fill misses the known pixels by a little. What it misses there is
    carried into the hole by the smoothest surface, the one that solves Laplace's equation, and
    added (Pérez et al., Poisson image editing, 2003). A fill that misses nothing stays as it is.
    Holes of over a million pixels together are joined as they are.
    """
    if holes.sum() > SOLVED:
        return np.where(holes, filled, picture).astype(np.float32)
    missed = _carried(picture.astype(np.float64) - filled, holes)
    return np.where(holes, np.clip(filled + missed, 0, 1), picture).astype(np.float32)


def _carried(values: np.ndarray, holes: np.ndarray) -> np.ndarray:
    """Values (C, H, W) carried smoothly from beside `holes` into them; the edge is free."""
    from scipy.sparse.linalg import splu

    matrix, right = _laplace(holes, values)
    solver = splu(matrix, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    carried = values.copy()
    carried[:, holes] = solver.solve(right.T).T
    return carried


def _laplace(holes: np.ndarray, values: np.ndarray) -> tuple["csc_matrix", np.ndarray]:
    """Laplace's equation in the N pixels of holes: sparse (N, N) matrix, right sides (C, N)."""
    from scipy.sparse import coo_matrix

    height, width = holes.shape
    count = int(holes.sum())
    numbers = np.full(holes.shape, -1)
    numbers[holes] = np.arange(count)
    right, neighbours = np.zeros((len(values), count)), np.zeros(count)
    entries: list[tuple[np.ndarray, np.ndarray]] = []
    rows, columns = np.nonzero(holes)
    for down, across in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        row, column = rows + down, columns + across
        own = np.flatnonzero((row >= 0) & (row < height) & (column >= 0) & (column < width))
        other = numbers[row[own], column[own]]
        neighbours[own] += 1
        known = own[other < 0]
        right[:, known] += values[:, row[known], column[known]]
        entries.append((own[other >= 0], other[other >= 0]))
    here = np.concatenate([own for own, _ in entries] + [np.arange(count)])
    there = np.concatenate([other for _, other in entries] + [np.arange(count)])
    weights = np.concatenate([np.full(len(here) - count, -1.0), neighbours])
    return coo_matrix((weights, (here, there)), shape=(count, count)).tocsc(), right
