"""What an experiment asks: a degraded input, its data term, and what is known of the truth.

`make_task` degrades a test image as an experiment says; `denoising`, `inpainting` and the others
take one's own degraded picture. Pictures are (C, H, W) float32 in [0, 1], C = 1 or 3. Importing
this needs numpy, but no torch.

Every random choice comes from Philox, keyed by the seed and by what it is for, and from its raw
bits, so that it is the same for every version of numpy and for every device.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from numbers import Integral
from typing import TYPE_CHECKING, Protocol

import numpy as np

from dip.errors import InputError
from dip.experiments.experiment import Experiment
from dip.tasks.images import centre_box, reduce_to_square, resized

if TYPE_CHECKING:
    from torch import Tensor

MASK, NOISE, SHUFFLE, TARGET = 101, 102, 103, 104  # what the random numbers are for
LOBES = 2  # of the Lanczos filter of super-resolution (supplement)


class Operator(Protocol):
    """The d of a data term: how an observation comes from an image, noise apart."""

    def on(self, device: str) -> "Callable[[Tensor], Tensor]":
        """d on a device ("cpu", "cuda:0", "mps"), to be differentiated by torch.

        From (1, C, H, W) float32 to (1, C, h, w) float32, the shape of the task's x0. On CUDA it
        is captured in a graph: what it needs is made here, and it waits for nothing.
        """
        ...


@dataclass(frozen=True)
class Task:
    """One inverse problem with the data term mean(((d(x) - x0) * m)^2), section 3 of the paper.

    Unknown pixels (m = 0) count as zeros in the mean and are not left out. Where the truth `x` is
    given, outputs are scored on the whole image and, with a mask, on known and unknown pixels.
    """

    name: str
    x0: np.ndarray  # (C, h, w), the observation
    x: np.ndarray | None = None  # (C, H, W), the truth; None if there is none
    mask: np.ndarray | None = None  # m, (1, h, w), 1 = known; None: all 1
    operator: Operator | None = None  # d; None: the identity
    factor: int = 1  # H / h = W / w
    guide: np.ndarray | None = None  # (C, H, W), the picture that stands in for z

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of the output."""
        channels, height, width = self.x0.shape
        return channels, height * self.factor, width * self.factor

    @property
    def shown(self) -> np.ndarray:
        """The observation as one looks at it, (C, H, W): each pixel as a block of factor^2."""
        return self._enlarged(self.x0)

    @property
    def known(self) -> np.ndarray | None:
        """The mask at the size of the output, (1, H, W); None if there is none."""
        return None if self.mask is None else self._enlarged(self.mask)

    def check(self) -> None:
        """Raise InputError for parts that are not what they must be, or do not belong together.

        Arrays of other shapes would be broadcast.
        """
        if not isinstance(self.factor, Integral) or self.factor < 1:
            raise InputError(f"factor is {self.factor}; expected an integer from 1 on")
        if self.operator is None and self.factor != 1:
            raise InputError(f"factor is {self.factor}, and there is no operator that reduces")
        if self.operator is not None and not callable(getattr(self.operator, "on", None)):
            what = type(self.operator).__name__
            raise InputError(f"operator is a {what}; expected an object with the method on(device)")
        for name in ("x0", "x", "mask", "guide"):
            array = getattr(self, name)
            if not hasattr(array, "shape") and (array is not None or name == "x0"):
                raise InputError(f"{name} is a {type(array).__name__}; expected an array")
        x0 = np.asarray(self.x0)
        is_image = x0.ndim == 3 and x0.size and x0.dtype.kind == "f"
        if not is_image or not np.isfinite(x0).all():
            what = "not finite everywhere" if is_image else f"{x0.dtype} {x0.shape}"
            raise InputError(f"x0 is {what}; expected finite floats, (C, H, W)")
        _, height, width = self.shape
        for name, array, shape in (
            ("x", self.x, self.shape),
            ("mask", self.mask, (1, *x0.shape[1:])),
            ("guide", self.guide, ("C", height, width)),
        ):
            if array is None:
                continue
            sides = zip(array.shape, shape, strict=False)
            fits = _is_numeric(array) and array.ndim == 3 and array.size
            fits = fits and all(wanted in (side, "C") for side, wanted in sides)
            if not fits or not 0 <= array.min() <= array.max() <= 1:
                shown = str(shape).replace("'", "")
                raise InputError(f"{name} is {array.shape}; expected {shown}, values in [0, 1]")
        if self.mask is not None and not self.mask.any():
            raise InputError("mask is 0 everywhere: nothing is known")

    def _enlarged(self, image: np.ndarray) -> np.ndarray:
        if self.factor == 1:
            return image
        return image.repeat(self.factor, axis=1).repeat(self.factor, axis=2)


@dataclass(frozen=True)
class LanczosReduction:
    """The d of super-resolution: a Lanczos-2 low-pass and decimation (supplement).

    From `height` x `width` pixels to a `factor`-th of each. Raises InputError, when it is put on a
    device, if `factor` does not divide a side.
    """

    height: int
    width: int
    factor: int

    def on(self, device: str) -> "Callable[[Tensor], Tensor]":
        """d on a device, as one product of matrices for each axis."""
        import torch

        # In float64 on CUDA, where products of float32 may be of 11 bits.
        kind = np.float64 if torch.device(device).type == "cuda" else np.float32
        down, across = (lanczos_matrix(side, self.factor) for side in (self.height, self.width))
        rows = torch.from_numpy(down.astype(kind)).to(device)
        columns = torch.from_numpy(np.ascontiguousarray(across.T, dtype=kind)).to(device)
        return lambda x: (rows @ x.to(rows.dtype) @ columns).float()


def lanczos_matrix(length: int, factor: int) -> np.ndarray:
    """The (length / factor, length) float64 matrix that filters and decimates one axis.

    Away from the border it is one fixed convolution of 4 `factor` taps, kept at every `factor`-th
    pixel, centred on blocks of that many; at the border the taps that fall outside are left out
    and the rest scaled to sum to one, as image resizing does. Raises InputError if `factor` does
    not divide `length`.
    """
    if length % factor:
        raise InputError(f"a side of {length} pixels cannot be reduced {factor} times exactly")
    centres = (np.arange(length // factor) + 0.5) * factor - 0.5
    distance = (np.arange(length) - centres[:, None]) / factor
    weights = np.sinc(distance) * np.sinc(distance / LOBES) * (np.abs(distance) < LOBES)
    return np.asarray(weights / weights.sum(1, keepdims=True))


# One's own degraded picture


def denoising(x0: np.ndarray, x: np.ndarray | None = None) -> Task:
    """The task ||x - x0||^2 of a noisy picture `x0` (paper, section 3.1), with the truth `x`.

    Raises InputError if a picture is not (1 or 3, H, W) in [0, 1], or the two differ in shape.
    """
    return _same_size("denoising", x0, x)


def jpeg_artefacts(x0: np.ndarray, x: np.ndarray | None = None) -> Task:
    """The task ||x - x0||^2 of a picture `x0` with blocks and ringing; raises as `denoising`."""
    return _same_size("jpeg", x0, x)


def inpainting(x0: np.ndarray, mask: np.ndarray, x: np.ndarray | None = None) -> Task:
    """The task ||(x - x0) * m||^2 of a picture `x0` that is known where `mask` (H, W) is over 0.

    Raises InputError as `denoising`, and if the mask has another size, or marks all or nothing.
    """
    picture = _picture(x0, "x0")
    values = np.asarray(mask)
    if values.shape != picture.shape[1:]:
        raise InputError(f"the mask is {values.shape}, the picture {picture.shape[1:]}")
    if not _is_numeric(values):
        raise InputError(f"the mask holds {values.dtype}, not numbers")
    known = values > 0
    if known.all() or not known.any():
        raise InputError(f"the mask marks {'every' if known.all() else 'no'} pixel as known")
    weights = known[None].astype(np.float32)
    return Task("inpainting", picture * weights, _like(x, picture, "x"), weights)


def super_resolution(x0: np.ndarray, factor: int, x: np.ndarray | None = None) -> Task:
    """The task ||d(x) - x0||^2 of a small picture `x0`, to be enlarged `factor` = 4 or 8 times.

    Raises InputError for another factor, and as `denoising`; `x` is (C, factor h, factor w).
    """
    if factor not in (4, 8):
        raise InputError(f"a factor of {factor} is not possible: it is 4 or 8")
    factor = int(factor)
    small = _picture(x0, "x0")
    reduction = LanczosReduction(small.shape[1] * factor, small.shape[2] * factor, factor)
    task = Task("super-resolution", small, None, None, reduction, factor)
    return task if x is None else replace(task, x=_like(x, task.shown, "x"))


def flash(x0: np.ndarray, guide: np.ndarray) -> Task:
    """The task of a dark picture with its flash photograph as z = "guide"; raises InputError."""
    picture = _picture(x0, "x0")
    return Task("flash", picture, guide=_like(guide, picture, "the guide"))


def _same_size(name: str, x0: np.ndarray, x: np.ndarray | None) -> Task:
    picture = _picture(x0, "x0")
    return Task(name, picture, _like(x, picture, "x"))


def _picture(values: np.ndarray, name: str) -> np.ndarray:
    """`values` as a contiguous float32 picture, checked."""
    picture = np.asarray(values)
    if not _is_numeric(picture):
        raise InputError(f"{name} holds {picture.dtype}, not numbers")
    if picture.ndim != 3 or picture.shape[0] not in (1, 3) or not picture.size:
        raise InputError(f"{name} is {picture.shape}, not (1, H, W) or (3, H, W)")
    if not np.isfinite(picture).all() or picture.min() < 0 or picture.max() > 1:
        raise InputError(f"{name} has values outside [0, 1]")
    return np.ascontiguousarray(picture, dtype=np.float32)


def _is_numeric(array: np.ndarray) -> bool:
    """Whether an array holds real numbers, or truth values: nothing else has a least one."""
    return np.asarray(array).dtype.kind in "biuf"


def _like(values: np.ndarray | None, like: np.ndarray, name: str) -> np.ndarray | None:
    """A second picture, checked to have the shape of the first; None stays None."""
    if values is None:
        return None
    picture = _picture(values, name)
    if picture.shape != like.shape:
        raise InputError(f"{name} is {picture.shape}, not {like.shape}")
    return picture


# A test image, degraded as an experiment says


def make_task(experiment: Experiment, images: Mapping[str, np.ndarray]) -> Task:
    """The task of an experiment, its image degraded.

    `images` maps each of `experiment.images()` to its picture, (C, H, W) in [0, 1], in full size;
    a preview is reduced here. Raises InputError if a mask or a guide does not fit.
    """
    pictures = {name: _reduced(experiment, images[name]) for name in experiment.images()}
    image = pictures[experiment.image]
    if experiment.task == "denoising":
        return denoising(_noisy(experiment, image), image)
    if experiment.task == "jpeg":
        return jpeg_artefacts(image)
    makers = {
        "inpainting": _inpainting, "super-resolution": _super_resolution, "fit": _fit,
        "flash": _flash,
    }  # fmt: skip
    return makers[experiment.task](experiment, pictures)


def _reduced(experiment: Experiment, picture: np.ndarray) -> np.ndarray:
    if experiment.preview_side is None:
        return picture.astype(np.float32)
    return reduce_to_square(picture, experiment.preview_side)


def _inpainting(experiment: Experiment, pictures: Mapping[str, np.ndarray]) -> Task:
    x = pictures[experiment.image]
    if experiment.mask == "bernoulli":
        known = uniform(experiment.degradation_seed, MASK, x.shape[1:]) < experiment.keep
    else:
        assert experiment.mask
        # In a preview a pixel is known only if all those that it averages are.
        least = 0.5 if experiment.preview_side is None else 0.998
        known = pictures[experiment.mask].mean(axis=0) > least
    try:
        return inpainting(x, known, x)
    except InputError as error:
        raise InputError(f"mask '{experiment.mask}': {error.sentence}") from None


def _noisy(experiment: Experiment, x: np.ndarray) -> np.ndarray:
    """`x` with Gaussian noise of its own on each channel, clipped to [0, 1]."""
    if experiment.noise_255 <= 0:
        raise InputError(f"task '{experiment.task}' needs noise_255, the noise in grey levels")
    noise = normal(experiment.degradation_seed, NOISE, x.shape) * (experiment.noise_255 / 255)
    return np.clip(x + noise, 0, 1).astype(np.float32)


def _super_resolution(experiment: Experiment, pictures: Mapping[str, np.ndarray]) -> Task:
    """The centre box, reduced by Pillow's Lanczos filter to 8 bit, as published inputs are.

    So the observation is not made with the operator d that the fit itself uses.
    """
    x, factor = centre_box(pictures[experiment.image]), experiment.factor
    x0 = resized(x, x.shape[1] // factor, x.shape[2] // factor, "LANCZOS")
    return super_resolution(x0, factor, x)


def _fit(experiment: Experiment, pictures: Mapping[str, np.ndarray]) -> Task:
    """A target of figure 2: the image, the image with noise, its pixels shuffled, noise.

    "shuffled" moves whole pixels, "shuffled-channels" each channel on its own: white noise with
    the mean and variance of the image. The truth of these and of noise is the target itself.
    """
    x = pictures[experiment.image]
    if experiment.target == "image":
        return Task("fit", x, x)
    if experiment.target == "noisy":
        return Task("fit", _noisy(experiment, x), x)
    if experiment.target in ("shuffled", "shuffled-channels"):
        orders = 1 if experiment.target == "shuffled" else len(x)
        words = random_bits(experiment.degradation_seed, SHUFFLE, orders * x[0].size)
        order = np.argsort(words.reshape(orders, -1), axis=1, kind="stable")
        target = np.take_along_axis(x.reshape(len(x), -1), order, axis=1).reshape(x.shape)
    else:
        target = uniform(experiment.degradation_seed, TARGET, x.shape).astype(np.float32)
    return Task("fit", target, target)


def _flash(experiment: Experiment, pictures: Mapping[str, np.ndarray]) -> Task:
    if experiment.guide is None:
        raise InputError("task 'flash' needs the key 'guide': the picture taken with flash")
    return flash(pictures[experiment.image], pictures[experiment.guide])


def random_bits(seed: int, purpose: int, count: int) -> np.ndarray:
    """`count` random 64-bit words that depend on `seed` and `purpose` alone."""
    words: np.ndarray = np.random.Philox(key=np.array([seed, purpose], np.uint64)).random_raw(count)
    return words


def uniform(seed: int, purpose: int, shape: tuple[int, ...]) -> np.ndarray:
    """float64 values uniform on [0, 1), multiples of 2**-53."""
    words = random_bits(seed, purpose, int(np.prod(shape)))
    return ((words >> np.uint64(11)) * 2.0**-53).reshape(shape)


def normal(seed: int, purpose: int, shape: tuple[int, ...]) -> np.ndarray:
    """float64 standard normal values, by Box and Muller's transform."""
    count = int(np.prod(shape))
    pairs = uniform(seed, purpose, ((count + 1) // 2, 2))
    radius = np.sqrt(-2 * np.log1p(-pairs[:, 0]))
    angle = 2 * np.pi * pairs[:, 1]
    values = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return values.reshape(-1)[:count].reshape(shape)
