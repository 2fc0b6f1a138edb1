"""Tasks made of arrays: one's own degraded picture, with or without a truth to score against.

Pictures are (C, H, W) in [0, 1], C = 1 or 3. Whatever does not fit raises InputError.
"""

import numpy as np

from dip.errors import InputError
from dip.tasks.degradations import Task


def denoising(x0: np.ndarray, x: np.ndarray | None = None) -> Task:
    """Make the task ||x - x0||^2 of a noisy picture `x0` (paper, section 3.1)."""
    return _same_size("denoising", x0, x)


def jpeg_artefacts(x0: np.ndarray, x: np.ndarray | None = None) -> Task:
    """Make the task ||x - x0||^2 of a picture `x0` with blocks and ringing."""
    return _same_size("jpeg", x0, x)


def inpainting(x0: np.ndarray, mask: np.ndarray, x: np.ndarray | None = None) -> Task:
    """Make the task ||(x - x0) * m||^2 of a picture `x0` known where `mask` (H, W) is not zero."""
    picture = _picture(x0, "x0")
    known = np.asarray(mask) > 0
    if known.shape != picture.shape[1:]:
        raise InputError(f"the mask is {known.shape}, the picture {picture.shape[1:]}")
    if known.all() or not known.any():
        raise InputError(f"the mask marks {'every' if known.all() else 'no'} pixel as known")
    weights = known[None].astype(np.float32)
    observed = picture * weights
    return Task(
        "inpainting", observed, _truth(x, picture), weights, 1, None, _sides(picture), observed
    )


def super_resolution(x0: np.ndarray, factor: int, x: np.ndarray | None = None) -> Task:
    """Make the task ||d(x) - x0||^2 of a small picture `x0`, to be enlarged 4 or 8 times."""
    if factor not in (4, 8):
        raise InputError(f"a factor of {factor} is not possible: it is 4 or 8")
    small = _picture(x0, "x0")
    shown = small.repeat(factor, axis=1).repeat(factor, axis=2)
    return Task(
        "super-resolution", small, _truth(x, shown), None, factor, None, _sides(shown), shown
    )


def flash(x0: np.ndarray, guide: np.ndarray) -> Task:
    """Make the task ||x - x0||^2 of a dark picture, the one taken with flash standing in for z."""
    picture = _picture(x0, "x0")
    lit = _truth(guide, picture)
    return Task("flash", picture, None, None, 1, lit, _sides(picture), picture)


def _same_size(name: str, x0: np.ndarray, x: np.ndarray | None) -> Task:
    picture = _picture(x0, "x0")
    return Task(name, picture, _truth(x, picture), None, 1, None, _sides(picture), picture)


def _picture(values: np.ndarray, name: str) -> np.ndarray:
    picture = np.asarray(values)
    if picture.ndim != 3 or picture.shape[0] not in (1, 3) or not picture.size:
        raise InputError(f"{name} is {picture.shape}, not (1, H, W) or (3, H, W)")
    if not np.isfinite(picture).all() or picture.min() < 0 or picture.max() > 1:
        raise InputError(f"{name} has values outside [0, 1]")
    return np.ascontiguousarray(picture, dtype=np.float32)


def _truth(x: np.ndarray | None, like: np.ndarray) -> np.ndarray | None:
    if x is None:
        return None
    picture = _picture(x, "the second picture")
    if picture.shape != like.shape:
        raise InputError(f"the second picture is {picture.shape}, not {like.shape}")
    return picture


def _sides(picture: np.ndarray) -> tuple[int, int, int]:
    channels, height, width = picture.shape
    return channels, height, width
