"""How much memory a fit takes: one estimate, for every message that speaks of it.

Nothing here needs torch or numpy.
"""

from math import sqrt

from dip.experiments.experiment import Experiment
from dip.network.architecture import input_channels, layers_of

# Bytes that a process takes at its peak beyond those of one that has only imported torch, fitted
# to the engine's peaks on a CPU, float32, one thread: 32, 64 and 128 channels, 128 to 512 pixels a
# side, one colour and three. It was within 6% of all of them but one (64 channels: 13% below).
FIXED = 80 * 2**20  # of libraries, and of room that the allocator keeps
OF_PARAMETER = 64  # parameters, moments, their previous values, gradient, scratch arrays
OF_CHANNEL = 20.5  # of a pixel, for each channel of its scale: arrays between two convolutions
OF_COLOUR = 520  # of a pixel: the last 100 outputs, and what is followed along with them
OF_Z = 16  # of a pixel, for each channel of z
OF_PIXEL = 530  # the rest
NARROW = 0.5  # by reasoning, not measured: arrays between convolutions have 16 bits for 32
SPARE = 0.8  # the part of free memory that is counted on


def bytes_needed(experiment: Experiment, shape: tuple[int, int, int], precision: str) -> int:
    """Estimate the bytes that a fit of a (C, H, W) picture takes at its largest, beyond torch's."""
    fixed, of_pixel = _bytes(experiment, shape[0], precision)
    return round(fixed + of_pixel * _pixels(experiment, shape))


def side_that_fits(
    experiment: Experiment, shape: tuple[int, int, int], precision: str, free: int
) -> int:
    """Give the longest side, in steps of 32 pixels, of a like (C, H, W) picture that would fit.

    0 if none would.
    """
    fixed, of_pixel = _bytes(experiment, shape[0], precision)
    pixels = max(0.0, SPARE * free - fixed) / of_pixel
    return int(max(shape[1:]) * sqrt(pixels / (shape[1] * shape[2]))) // 32 * 32


def _bytes(experiment: Experiment, colours: int, precision: str) -> tuple[float, float]:
    """Give the bytes that any picture takes, and those of each pixel."""
    z_channels = input_channels(experiment)
    layers = layers_of(experiment, z_channels, colours)
    of_channel = OF_CHANNEL * (NARROW if precision == "bf16" else 1)
    wide = sum(channels / 4**scale for scale, channels in enumerate(experiment.channels))
    of_pixel = of_channel * wide + OF_Z * z_channels + OF_COLOUR * colours + OF_PIXEL
    return FIXED + OF_PARAMETER * sum(layer.parameters for layer in layers), of_pixel


def _pixels(experiment: Experiment, shape: tuple[int, int, int]) -> int:
    """Count the pixels that the network runs on: sides are multiples of 2**scales."""
    block = 1 << len(experiment.channels)
    height, width = (-(-side // block) * block for side in shape[1:])
    return height * width


def size(count: int) -> str:
    """Write a number of bytes for a person: 350 MiB, 1.4 GiB."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
