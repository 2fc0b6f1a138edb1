"""The holes of a photograph: found in a mask, worked on in windows, joined without a seam."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dip.errors import InputError
from dip.photo.files import resized
from dip.tasks.photographs import Photo, read_photo

Box = tuple[slice, slice]  # rows and columns of an image

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
        shade = "black" if low < SOFT else "white" if low > 1 - SOFT else "grey"
        seen = "; its transparency is not looked at" if drawn.alpha is not None else ""
        raise InputError(f"the mask is {shade} all over{seen}", path)
    two = ((grey == low) | (grey == high)).all()
    return (grey == high).astype(np.float32) if two else grey


def holes_of(mask: np.ndarray, wanted: str | None, path: Path) -> tuple[np.ndarray, str]:
    """The holes, (H, W) bool, that a mask (H, W) in [0, 1] marks, and their colour.

    Unless `wanted` says white or black, it is the colour that covers less of the mask. Soft edges
    belong to the holes: a pixel is known only where the mask has the other colour within 10%.
    Raises InputError, with the mask's `path`, if that leaves no hole or no known pixel, and for a
    mask that is grey for the most part, as a photograph is.
    """
    white = mask > 0.5
    if white.all() or not white.any():
        raise InputError(f"the mask is {'light' if white.all() else 'dark'} all over", path)
    colour = wanted or ("white" if white.mean() <= 0.5 else "black")
    holes: np.ndarray = mask > SOFT if colour == "white" else mask < 1 - SOFT
    if holes.all():
        raise InputError(f"the mask has no pixel that is quite unlike {colour}", path)
    if soft_part(mask) > 0.5:
        raise InputError("most of it is grey: a mask is black and white, with soft edges", path)
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
    """The diameter in pixels of the largest circle in a hole of (H, W) bool.

    The circle may reach beyond the edge, but it is no wider than the holes are long.
    """
    from scipy.ndimage import distance_transform_edt

    longest = max(int(np.ptp(places)) + 1 for places in np.nonzero(holes))
    return min(longest, round(2 * float(distance_transform_edt(holes).max()) - 1))


@dataclass(frozen=True)
class Window:
    """A rectangle of an image that is fitted, and the core of it, whose holes are then filled.

    Each is its rows and its columns, to index an array with.
    """

    inside: Box
    core: Box

    @property
    def sides(self) -> tuple[int, int]:
        """Its height and width in pixels."""
        rows, columns = self.inside
        return rows.stop - rows.start, columns.stop - columns.start

    def __str__(self) -> str:
        """Its size and place, as a person writes them."""
        rows, columns = self.inside
        return f"{self.sides[1]}x{self.sides[0]} at {columns.start},{rows.start}"


def windows_round(holes: np.ndarray, whole_side: int) -> list[Window]:
    """Windows whose cores hold every hole of (H, W) bool once, each with its surroundings.

    A window reaches half the holes' extent beyond them, at least 32 pixels. An image of at most
    `whole_side` pixels a side, or one whose windows would cover most of it, is one window. Holes
    that are long and thin are covered by windows along them, of about that side.
    """
    from scipy.ndimage import find_objects, label, maximum_filter

    whole = slice(0, holes.shape[0]), slice(0, holes.shape[1])
    if max(holes.shape) <= whole_side:
        return [Window(whole, whole)]
    near = find_objects(label(maximum_filter(holes, size=2 * MARGIN + 1))[0])
    boxes = _disjoint([_grown(box, holes.shape, 2) for box in near], holes.shape)
    if sum(map(_area, boxes)) > WHOLE * holes.size:
        boxes = [whole]
    return [window for box in boxes for window in _along(box, holes, whole_side)]


def _area(box: Box) -> int:
    return int((box[0].stop - box[0].start) * (box[1].stop - box[1].start))


def _grown(box: Iterable[slice], shape: tuple[int, ...], times: int) -> Box:
    """A box of holes and their margin, so large that it is `times` as long as the holes alone."""
    grown = []
    for part, length in zip(box, shape, strict=True):
        filled = part.stop - part.start
        side = min(length, max(filled, times * (filled - 2 * MARGIN), LEAST_WINDOW))
        first = min(max(0, (part.start + part.stop - side) // 2), length - side)
        grown.append(slice(first, first + side))
    return grown[0], grown[1]


def _disjoint(boxes: list[Box], shape: tuple[int, ...]) -> list[Box]:
    """Join boxes that meet until none do."""
    from scipy.ndimage import find_objects, label

    while True:
        painted = np.zeros(shape, bool)
        for box in boxes:
            painted[box] = True
        before, boxes = len(boxes), find_objects(label(painted)[0])
        if len(boxes) == before:
            return boxes


def _along(box: Box, holes: np.ndarray, whole_side: int) -> list[Window]:
    """Windows along the holes in a box, if they are thin and it is large; else the box alone."""
    step = max(whole_side, LEAST_WINDOW) - 2 * MARGIN
    alone = [Window(box, box)]
    if _area(box) <= (step + 2 * MARGIN) ** 2 or width_of_widest(holes[box]) > MARGIN:
        return alone
    rows, columns = np.nonzero(holes[box])
    found = []
    for top in range(box[0].start + rows.min(), box[0].stop, step):
        for left in range(box[1].start + columns.min(), box[1].stop, step):
            ends = min(top + step, box[0].stop), min(left + step, box[1].stop)
            core = slice(top, ends[0]), slice(left, ends[1])
            places = np.nonzero(holes[core])
            if len(places[0]):
                near = [
                    slice(max(0, start + at.min() - MARGIN), start + at.max() + 1 + MARGIN)
                    for start, at in zip((top, left), places, strict=True)
                ]
                found.append(Window(_grown(near, holes.shape, 1), core))
    return found if sum(_area(window.inside) for window in found) < WHOLE * _area(box) else alone


def shrunk(
    pixels: np.ndarray, weights: np.ndarray, height: int, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (C, H, W) in a smaller size, each with its weight (H, W) in [0, 1]; and the weights.

    What weighs nothing is not seen in the result: no fringe of what is unknown.
    """
    small = resized(weights[None], height, width)
    values = resized(pixels * weights, height, width) / np.maximum(small, 1e-6)
    return np.clip(values, 0, 1), np.clip(small[0], 0, 1)


def joined(filled: np.ndarray, picture: np.ndarray, holes: np.ndarray) -> np.ndarray:
    """`picture` with its `holes` filled from `filled`, without seams: (C, H, W) float32.

    All three are of one size, pixels in [0, 1], `holes` (H, W) bool.

    At the edge of a hole the fill misses the known pixels by a little. What it misses there is
    carried into the hole by the smoothest surface, the one that solves Laplace's equation, and
    added (Pérez et al., Poisson image editing, 2003). A fill that misses nothing stays as it is;
    of zeros the smooth surface alone is left.
    """
    missed = _carried(picture.astype(np.float64) - filled, holes)
    return np.where(holes, np.clip(filled + missed, 0, 1), picture).astype(np.float32)


def _carried(values: np.ndarray, holes: np.ndarray) -> np.ndarray:
    """Values (C, H, W) carried smoothly from beside `holes` into them; the edge is free."""
    from scipy.sparse import coo_matrix, diags
    from scipy.sparse.linalg import splu

    count, carried = int(holes.sum()), values.copy()
    if count > SOLVED:  # in half the size, with a quarter of the unknowns
        height, width = holes.shape
        half = (height + 1) // 2, (width + 1) // 2
        known = resized((~holes)[None], *half)
        small = _carried(resized(values * ~holes, *half) / np.maximum(known, 1e-6), known[0] <= 0)
        carried[:, holes] = resized(small, height, width)[:, holes]
        return carried
    # Each unknown times its neighbours' number, less the unknown neighbours, is the known ones'
    # sum. In the frame put round it, -1 is a known pixel and -2 none.
    numbers = np.full(holes.shape, -1)
    numbers[holes] = np.arange(count)
    numbers = np.pad(numbers, 1, constant_values=-2)
    framed = np.pad(values, ((0, 0), (1, 1), (1, 1))).reshape(len(values), -1)
    right, below = 1, holes.shape[1] + 2
    beside = np.flatnonzero(numbers >= 0) + np.array([[right], [-right], [below], [-below]])
    other = numbers.ravel()[beside]
    known_sum = (framed[:, beside] * (other == -1)).sum(axis=1)
    own = np.broadcast_to(np.arange(count), other.shape)[other >= 0]
    pairs = coo_matrix((np.ones(len(own)), (own, other[other >= 0])), shape=(count, count))
    matrix = (diags((other > -2).sum(axis=0).astype(float)) - pairs).tocsc()
    solver = splu(matrix, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    carried[:, holes] = solver.solve(known_sum.T).T
    return carried
