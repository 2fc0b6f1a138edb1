"""What an experiment asks: the degraded input, the truth, the mask. Numpy only.

Every random choice comes from Philox, keyed by the seed and by what it is for, and from its raw
bits, so that it is the same for every version of numpy and for every device.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dip.errors import InputError
from dip.experiments.experiment import Experiment
from dip.tasks.images import centre_box, reduce_to_square, resized

MASK, NOISE, SHUFFLE, TARGET = 101, 102, 103, 104  # what the random numbers are for


@dataclass(frozen=True)
class Task:
    """One inverse problem: what the data term compares with, and what is known of the truth.

    All arrays are float32 in [0, 1], channels first.
    """

    name: str
    x0: np.ndarray  # (C, h, w), the observation; low resolution for super-resolution
    x: np.ndarray | None  # (C, H, W), the truth; None if there is none
    mask: np.ndarray | None  # (1, H, W), 1 = known
    factor: int  # 1, 4 or 8
    guide: np.ndarray | None  # (C, H, W), the picture that stands in for z
    shape: tuple[int, int, int]  # (C, H, W) of the output
    shown: np.ndarray  # (C, H, W), the observation as one looks at it


def make_task(experiment: Experiment, images: Mapping[str, np.ndarray]) -> Task:
    """Degrade the experiment's image as its task says.

    `images` maps each of `experiment.images()` to its picture, (C, H, W) in [0, 1], in full size;
    a preview is reduced here. Raises InputError if a mask or a guide does not fit.
    """
    pictures = {name: _reduced(experiment, images[name]) for name in experiment.images()}
    makers = {
        "inpainting": _inpainting,
        "denoising": _denoising,
        "super-resolution": _super_resolution,
        "fit": _fit,
        "jpeg": _as_it_is,
        "flash": _flash,
    }
    return makers[experiment.task](experiment, pictures)


def _reduced(experiment: Experiment, picture: np.ndarray) -> np.ndarray:
    if experiment.preview_side is None:
        return picture.astype(np.float32)
    return reduce_to_square(picture, experiment.preview_side)


def _task(
    name: str,
    x0: np.ndarray,
    x: np.ndarray | None,
    *,
    mask: np.ndarray | None = None,
    guide: np.ndarray | None = None,
    shown: np.ndarray | None = None,
) -> Task:
    """Make a task whose observation has the size of the output."""
    channels, height, width = x0.shape
    shown = x0 if shown is None else shown
    return Task(name, x0, x, mask, 1, guide, (channels, height, width), shown)


def _inpainting(experiment: Experiment, pictures: Mapping[str, np.ndarray]) -> Task:
    x = pictures[experiment.image]
    mask = _mask(experiment, pictures, x.shape[1:])
    return _task("inpainting", x * mask, x, mask=mask)


def _mask(
    experiment: Experiment, pictures: Mapping[str, np.ndarray], shape: tuple[int, ...]
) -> np.ndarray:
    """Give the mask (1, H, W): one for all channels, 1 where a pixel is known."""
    if experiment.mask in (None, "bernoulli"):
        known = uniform(experiment.degradation_seed, MASK, shape) < experiment.keep
    else:
        assert experiment.mask
        drawn = pictures[experiment.mask]
        if drawn.shape[1:] != shape:
            raise InputError(
                f"mask '{experiment.mask}' has {drawn.shape[2]}x{drawn.shape[1]} pixels,"
                f" image '{experiment.image}' {shape[1]}x{shape[0]}"
            )
        # In a preview a pixel is known only if all those that it averages are.
        known = drawn.mean(axis=0) > (0.5 if experiment.preview_side is None else 0.998)
    if known.all() or not known.any():
        raise InputError(
            f"mask '{experiment.mask}' marks {'every' if known.all() else 'no'} pixel as known"
        )
    return known[None].astype(np.float32)


def _denoising(experiment: Experiment, pictures: Mapping[str, np.ndarray]) -> Task:
    x = pictures[experiment.image]
    return _task("denoising", _noisy(experiment, x), x)


def _noisy(experiment: Experiment, x: np.ndarray) -> np.ndarray:
    """Add Gaussian noise to each channel, and clip to [0, 1]."""
    if experiment.noise_255 <= 0:
        raise InputError(f"task '{experiment.task}' needs noise_255, the noise in grey levels")
    noise = normal(experiment.degradation_seed, NOISE, x.shape) * (experiment.noise_255 / 255)
    return np.clip(x + noise, 0, 1).astype(np.float32)


def _super_resolution(experiment: Experiment, pictures: Mapping[str, np.ndarray]) -> Task:
    """Reduce the centre box by Pillow's Lanczos filter and round to 8 bit, as published inputs are.

    So the observation is not made with the operator d that the fit itself uses.
    """
    x = centre_box(pictures[experiment.image])
    channels, height, width = x.shape
    factor = experiment.factor
    x0 = resized(x, height // factor, width // factor, "LANCZOS")
    shown = x0.repeat(factor, axis=1).repeat(factor, axis=2)
    return Task("super-resolution", x0, x, None, factor, None, (channels, height, width), shown)


def _fit(experiment: Experiment, pictures: Mapping[str, np.ndarray]) -> Task:
    """A target of figure 2: the image, the image with noise, its pixels shuffled, noise.

    "shuffled" moves whole pixels, "shuffled-channels" each channel on its own: white noise with
    the mean and variance of the image. The truth of these and of noise is the target itself.
    """
    x = pictures[experiment.image]
    if experiment.target == "image":
        return _task("fit", x, x)
    if experiment.target == "noisy":
        return _task("fit", _noisy(experiment, x), x)
    if experiment.target in ("shuffled", "shuffled-channels"):
        orders = 1 if experiment.target == "shuffled" else len(x)
        words = random_bits(experiment.degradation_seed, SHUFFLE, orders * x[0].size)
        order = np.argsort(words.reshape(orders, -1), axis=1, kind="stable")
        target = np.take_along_axis(x.reshape(len(x), -1), order, axis=1).reshape(x.shape)
    else:
        target = uniform(experiment.degradation_seed, TARGET, x.shape).astype(np.float32)
    return _task("fit", target, target)


def _as_it_is(experiment: Experiment, pictures: Mapping[str, np.ndarray]) -> Task:
    return _task("jpeg", pictures[experiment.image], None)


def _flash(experiment: Experiment, pictures: Mapping[str, np.ndarray]) -> Task:
    if experiment.guide is None:
        raise InputError("task 'flash' needs the key 'guide': the picture taken with flash")
    x0, guide = pictures[experiment.image], pictures[experiment.guide]
    if guide.shape != x0.shape:
        raise InputError(f"the guide '{experiment.guide}' has another size than the image")
    return _task("flash", x0, None, guide=guide)


def random_bits(seed: int, purpose: int, count: int) -> np.ndarray:
    """Give `count` random 64-bit words that depend on `seed` and `purpose` alone."""
    words: np.ndarray = np.random.Philox(key=np.array([seed, purpose], np.uint64)).random_raw(count)
    return words


def uniform(seed: int, purpose: int, shape: tuple[int, ...]) -> np.ndarray:
    """Give float64 values uniform on [0, 1), multiples of 2**-53."""
    words = random_bits(seed, purpose, int(np.prod(shape)))
    return ((words >> np.uint64(11)) * 2.0**-53).reshape(shape)


def normal(seed: int, purpose: int, shape: tuple[int, ...]) -> np.ndarray:
    """Give float64 standard normal values, by Box and Muller's transform."""
    count = int(np.prod(shape))
    pairs = uniform(seed, purpose, ((count + 1) // 2, 2))
    radius = np.sqrt(-2 * np.log1p(-pairs[:, 0]))
    angle = 2 * np.pi * pairs[:, 1]
    values = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return values.reshape(-1)[:count].reshape(shape)
