"""What a user would do instead of fitting a network: seconds, no training, no network.

Each takes a task and returns a picture (C, H, W), float32 in [0, 1]; known pixels are kept exactly.
"""

from collections.abc import Callable

import numpy as np

from dip.errors import InputError
from dip.tasks.degradations import Task, uniform
from dip.tasks.images import resized

TIES = 105  # what the random numbers are for


def run_baseline(method: str, task: Task, noise_255: float) -> np.ndarray:
    """The task solved by a method of BASELINES: (C, H, W) float32 in [0, 1].

    `noise_255` is the standard deviation of the noise in grey levels of 255.

    Raises InputError if the method does not apply to the task.
    """
    output: np.ndarray = np.clip(METHODS[method](task, noise_255), 0, 1)
    return output.astype(np.float32)


def nearest_known_pixel(task: Task, noise_255: float = 0.0) -> np.ndarray:
    """Fill each unknown pixel with the nearest known one; among equally near ones, by lot.

    On a grid most ties are real, and a rule such as "the upper one" favours some textures: on
    Barbara it moves the PSNR by 0.7 dB. So positions are moved by under a thousandth of a pixel.
    """
    from scipy.spatial import cKDTree

    mask = _mask(task, "nearest-known-pixel")
    positions = np.indices(mask.shape).reshape(2, -1).T + uniform(0, TIES, (mask.size, 2)) * 1e-3
    known = np.flatnonzero(mask)
    _, nearest = cKDTree(positions[known]).query(positions)
    return task.x0.reshape(len(task.x0), -1)[:, known[nearest]].reshape(task.shape)


def biharmonic(task: Task, noise_255: float = 0.0) -> np.ndarray:
    """Fill unknown pixels so that the bi-Laplacian vanishes there (scikit-image)."""
    from skimage.restoration import inpaint_biharmonic

    mask = _mask(task, "biharmonic")
    filled = inpaint_biharmonic(task.x0.astype(np.float64), ~mask, channel_axis=0)
    return np.where(mask, task.x0, filled)


def total_variation(task: Task, noise_255: float) -> np.ndarray:
    """Denoise by total variation (Chambolle's method, scikit-image).

    The weight is the noise's standard deviation: of 0.5 to 2 times that, about the best on
    natural pictures, and nothing is tuned on the truth.
    """
    from skimage.restoration import denoise_tv_chambolle

    sigma = _sigma(noise_255, "total-variation")
    denoised: np.ndarray = denoise_tv_chambolle(  # type: ignore[no-untyped-call]
        task.x0.astype(np.float64), weight=sigma, channel_axis=0
    )
    return denoised


def non_local_means(task: Task, noise_255: float) -> np.ndarray:
    """Denoise by scikit-image's non-local means: 5x5 pixels within 6, h = 0.8 sigma, known."""
    from skimage.restoration import denoise_nl_means

    sigma = _sigma(noise_255, "non-local-means")
    is_grey = len(task.x0) == 1  # one channel on an axis of channels is misread there
    denoised: np.ndarray = denoise_nl_means(
        task.x0[0].astype(np.float64) if is_grey else task.x0.astype(np.float64),
        h=0.8 * sigma,
        sigma=sigma,
        patch_size=5,
        patch_distance=6,
        fast_mode=True,
        channel_axis=None if is_grey else 0,
    )
    return denoised[None] if is_grey else denoised


def bicubic(task: Task, noise_255: float = 0.0) -> np.ndarray:
    """Enlarge by bicubic interpolation (Pillow's, in 8 bit)."""
    if task.factor == 1:
        raise InputError("the baseline 'bicubic' needs a task of super-resolution")
    return resized(task.x0, task.shape[1], task.shape[2], "BICUBIC")


def _mask(task: Task, method: str) -> np.ndarray:
    if task.mask is None:
        raise InputError(f"the baseline '{method}' needs a task with a mask")
    known: np.ndarray = task.mask[0] > 0
    return known


def _sigma(noise_255: float, method: str) -> float:
    if noise_255 <= 0:
        raise InputError(f"the baseline '{method}' needs noise: noise_255 is {noise_255}")
    return noise_255 / 255


METHODS: dict[str, Callable[[Task, float], np.ndarray]] = {
    "nearest-known-pixel": nearest_known_pixel, "biharmonic": biharmonic,
    "total-variation": total_variation, "non-local-means": non_local_means, "bicubic": bicubic,
}  # fmt: skip
