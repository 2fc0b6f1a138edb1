"""How good an output is: PSNR and SSIM, over the whole picture or a part of it. Numpy only.

Pictures are (C, H, W) in [0, 1]. A score that is not defined is None.
"""

from typing import Any

import numpy as np

from dip.tasks.degradations import Task
from dip.tasks.images import centre_box

BORDER = 4  # pixels left out at each side where super-resolution is scored
SMALLEST_SSIM = 11  # pixels: the Gaussian window of SSIM


def psnr_db(x: np.ndarray, truth: np.ndarray, where: np.ndarray | None = None) -> float | None:
    """PSNR in dB, peak 1, over all channels and pixels, or over those where `where` > 0.

    `where` is (1, H, W). None if the pictures are equal there, or no pixel is asked for.
    """
    squares = (x.astype(np.float64) - truth) ** 2
    if where is not None:
        squares = squares[np.broadcast_to(where > 0, squares.shape)]
    if not squares.size or not squares.any():
        return None
    return float(-10 * np.log10(squares.mean()))


def ssim(x: np.ndarray, truth: np.ndarray) -> float | None:
    """The mean structural similarity as Wang et al. (2004) define it.

    scikit-image's, with a Gaussian window of standard deviation 1.5 (11 pixels wide), constants
    0.01 and 0.03, data range 1, the covariance not corrected for the sample's size, the mean over
    channels. None for pictures under 11 pixels a side.
    """
    from skimage.metrics import structural_similarity

    if min(truth.shape[1:]) < SMALLEST_SSIM:
        return None
    found = structural_similarity(  # type: ignore[no-untyped-call]
        x.astype(np.float64),
        truth.astype(np.float64),
        data_range=1.0,
        channel_axis=0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    return float(found)


def luma(picture: np.ndarray) -> np.ndarray:
    """The BT.601 luma (H, W), 16 to 235 of 255, of a picture rounded to 8 bit."""
    grey_levels = np.round(np.clip(picture, 0, 1).astype(np.float64) * 255)
    if len(picture) == 1:
        grey: np.ndarray = 16 + grey_levels[0] * (219 / 255)
        return grey
    weights = np.array([65.481, 128.553, 24.966]) / 255
    weighted: np.ndarray = 16 + np.tensordot(weights, grey_levels, 1)
    return weighted


def psnr_luma_db(x: np.ndarray, truth: np.ndarray) -> float | None:
    """The PSNR in dB by which super-resolution is scored.

    On 8-bit luma, peak 255, over the centred box whose sides are the largest multiples of 32,
    less a border of 4 pixels (confirmed on the published result images).
    """
    inside = slice(BORDER, -BORDER)
    found, wanted = (luma(centre_box(picture))[inside, inside] for picture in (x, truth))
    error = float(((found - wanted) ** 2).mean())
    return float(10 * np.log10(255**2 / error)) if error else None


def scores(task: Task, output: np.ndarray, loss: float | None = None) -> dict[str, Any]:
    """Every score of an output, as a record has it.

    loss, psnr_db, ssim, and psnr_known_db, psnr_unknown_db (None without a mask); for
    super-resolution also psnr_luma_db, and for a fit target_variance, by which its loss is to be
    divided before it is compared with another's. All None but these where there is no truth.
    """
    found: dict[str, Any] = dict.fromkeys(
        ("loss", "psnr_db", "ssim", "psnr_known_db", "psnr_unknown_db")
    )
    found["loss"] = loss if loss is None or np.isfinite(loss) else None
    if task.name == "fit":
        found["target_variance"] = float(task.x0.var(dtype=np.float64))
    if task.x is None or not np.isfinite(output).all():
        return found
    found["psnr_db"] = psnr_db(output, task.x)
    found["ssim"] = ssim(output, task.x)
    if task.known is not None:
        found["psnr_known_db"] = psnr_db(output, task.x, task.known)
        found["psnr_unknown_db"] = psnr_db(output, task.x, 1 - task.known)
    if task.factor > 1:
        found["psnr_luma_db"] = psnr_luma_db(output, task.x)
    return found
