"""The holes of a photograph: what a mask marks, or what is transparent, and how wide they are."""

from pathlib import Path

import numpy as np

from dip.errors import InputError
from dip.photo.files import Photo, read_photo

SOFT = 0.1  # of a mask: how far from the colour of known pixels they may be


def read_mask(path: Path, photo: Photo) -> np.ndarray:
    """Read a mask as (H, W) in [0, 1], 1 = white; raises InputError if its size differs.

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
    """Give the holes that a mask (H, W), 1 = white, marks, and their colour.

    Unless `wanted` says white or black, it is the colour that covers less of the mask. Soft edges
    belong to the holes: a pixel is known only where the mask has the other colour within 10%.
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
    """Give the part of a mask (H, W) that is neither black nor white."""
    return float(((mask > SOFT) & (mask < 1 - SOFT)).mean())


def transparent(photo: Photo, path: Path) -> np.ndarray:
    """Give the pixels (H, W) that are not quite opaque; raises InputError if none or all are."""
    holes = np.zeros(photo.pixels.shape[1:], bool) if photo.alpha is None else photo.alpha < 1
    if not holes.any():
        raise InputError("has no transparent pixels: say by --mask FILE what to restore", path)
    if holes.all():
        raise InputError("every pixel is transparent: nothing is known", path)
    return holes


def width_of_widest(holes: np.ndarray) -> int:
    """Give the width in pixels of the widest hole of (H, W): of the largest circle in one.

    What lies beyond the picture counts as unknown too.
    """
    from scipy.ndimage import distance_transform_edt

    return round(2 * float(distance_transform_edt(holes).max()) - 1)
