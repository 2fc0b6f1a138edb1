"""Launches of the Triton kernels, by configurations that the shape alone fixes.

The functions take and give what those of dip.fused_reference do. Importing this module needs
Triton.
"""

import torch
import triton
from torch import Tensor

from dip import kernels, kernels_step
from dip.layers import NORM_EPSILON, empty_image
from dip.noise import STEP_NOISE
from dip.optimiser import BETA_1, BETA_2, EPSILON

TILE = 2048  # values that a program holds at once
STENCIL_TILE = 512  # where many places are read for each: else the code outgrows its cache
CHUNKS = 512  # parts that an image is summed in, at most
MERGED = 16  # channels that one program merges
NOISE_BLOCK, ADAM_BLOCK = 128, 1024


def tile(channels: int, values: int) -> tuple[int, int]:
    """Give the rows (pixels) and columns (channels) of a tile of so many values."""
    wide = min(128, triton.next_power_of_2(channels))
    return values // wide, wide


def grid(pixels: int, channels: int, values: int) -> tuple[int, int]:
    """Count the tiles of an image along pixels and channels."""
    rows, wide = tile(channels, values)
    return triton.cdiv(pixels, rows), triton.cdiv(channels, wide)


def chunks_of(pixels: int, rows: int) -> tuple[int, int]:
    """Give the number of chunks that pixels are summed in, and the pixels of each."""
    each = triton.cdiv(triton.cdiv(pixels, rows), CHUNKS) * rows
    return triton.cdiv(pixels, each), each


def moments(image: Tensor) -> Tensor:
    """Give each channel's mean and 1 / sqrt(variance + epsilon), (2, C) float32."""
    _, channels, height, width = image.shape
    pixels, (rows, wide) = height * width, tile(channels, TILE)
    chunks, each = chunks_of(pixels, rows)
    parts = torch.empty((chunks, 2, channels), device=image.device)
    statistics = torch.empty((2, channels), device=image.device)
    kernels.partial_moments[(chunks, triton.cdiv(channels, wide))](
        image, parts, pixels, channels, each, ROWS=rows, WIDE=wide
    )
    kernels.merge_moments[(triton.cdiv(channels, MERGED),)](
        parts, statistics, pixels, channels, chunks, each, NORM_EPSILON,
        COUNT=triton.next_power_of_2(chunks), WIDE=MERGED,
    )  # fmt: skip
    return statistics


def norm_into(
    out: Tensor, image: Tensor, statistics: Tensor, affine: tuple[Tensor, Tensor], offset: int,
    slope: float, border: tuple[int, str],
) -> None:  # fmt: skip
    """Write the normalised, activated and padded image into `out`'s channels from `offset` on.

    The channels of `out` past those of the image are set to zero if they are the last ones.
    """
    (_, channels, height, width), (pad, mode) = image.shape, border
    joined = out.shape[1]
    written = joined - offset if joined - offset - channels < 8 else channels
    rows, wide = tile(written, TILE)
    kernels.apply_norm[grid((height + 2 * pad) * (width + 2 * pad), written, TILE)](
        image, statistics, *affine, out, height, width, channels, offset, joined, written, slope,
        PAD=pad, REFLECT=mode == "reflection", ROWS=rows, WIDE=wide,
    )  # fmt: skip


def norm_backward(
    gradient: Tensor, offset: int, padded: Tensor | None, image: Tensor, statistics: Tensor,
    gamma: Tensor, slope: float, border: tuple[int, str],
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Give the gradients of image, gamma and beta from the padded gradient's channels.

    `padded` is the output where there was an activation: its signs are those of its input.
    """
    (_, channels, height, width), (pad, mode) = image.shape, border
    pixels, (rows, wide) = height * width, tile(channels, STENCIL_TILE)
    chunks, each = chunks_of(pixels, rows)
    before = empty_image(image, channels, height, width)
    parts = torch.empty((chunks, 2, channels), device=image.device)
    sums = torch.empty((2, channels), device=image.device)
    kernels.gradient_sums[(chunks, triton.cdiv(channels, wide))](
        gradient[:, offset:], gradient if padded is None else padded, image, statistics, before,
        parts, height, width, channels, gradient.shape[1], slope, each,
        PAD=pad, REFLECT=mode == "reflection", ACTIVE=padded is not None, ROWS=rows, WIDE=wide,
    )  # fmt: skip
    kernels.merge_sums[(triton.cdiv(2 * channels, MERGED),)](
        parts, sums, 2 * channels, chunks, COUNT=triton.next_power_of_2(chunks), WIDE=MERGED
    )
    rows, wide = tile(channels, TILE)
    kernels.norm_gradient[grid(pixels, channels, TILE)](
        before, image, statistics, gamma, sums, pixels, channels, ROWS=rows, WIDE=wide
    )
    return before, sums[1], sums[0]


def upsample(low: Tensor, bilinear: bool) -> Tensor:
    """Double both sides."""
    _, channels, height, width = low.shape
    high, (rows, wide) = empty_image(low, channels, 2 * height, 2 * width), tile(channels, TILE)
    kernels_step.upsample[grid(4 * height * width, channels, TILE)](
        low, high, height, width, channels, BILINEAR=bilinear, ROWS=rows, WIDE=wide
    )
    return high


def upsample_adjoint(high: Tensor, bilinear: bool) -> Tensor:
    """Give the gradient of upsample's input."""
    _, channels, height, width = high.shape
    low, (rows, wide) = (
        empty_image(high, channels, height // 2, width // 2),
        tile(channels, STENCIL_TILE),
    )
    kernels_step.upsample_adjoint[grid(height * width // 4, channels, STENCIL_TILE)](
        high, low, height // 2, width // 2, channels, BILINEAR=bilinear, ROWS=rows, WIDE=wide
    )
    return low


def normals_into(out: Tensor, seed: int, iteration: Tensor) -> None:
    """Fill the float32 `out` with the standard normals of `iteration`, an int64 scalar."""
    keys = torch.stack([torch.full_like(iteration, seed), iteration + STEP_NOISE])
    count = out.numel()
    kernels_step.philox_normals[(triton.cdiv(count, 8 * NOISE_BLOCK),)](
        keys, out, count, BLOCK=NOISE_BLOCK
    )


def input_into(
    out: Tensor, z: Tensor, noise: Tensor, sigma: float, border: tuple[int, str]
) -> None:
    """Write z + sigma * noise, padded, into `out`."""
    (_, channels, height, width), (pad, mode) = z.shape, border
    rows, wide = tile(channels, TILE)
    kernels_step.noisy_input[grid(out.shape[2] * out.shape[3], channels, TILE)](
        z, noise, out, height, width, channels, sigma,
        PAD=pad, REFLECT=mode == "reflection", ROWS=rows, WIDE=wide,
    )  # fmt: skip


def adam_into(
    gradient: Tensor, values: Tensor, previous: Tensor | None, corrections: Tensor,
    updates: Tensor, bad: Tensor, unscale: float, keeps_means: bool = False,
) -> None:  # fmt: skip
    """Take an Adam step with row `updates` of the corrections, or go back if `bad`.

    With `keeps_means` the parameters alone go back, and what of the means is not finite then.
    """
    count = gradient.numel()
    kernels_step.adam_select[(triton.cdiv(count, ADAM_BLOCK),)](
        gradient, values, values if previous is None else previous, corrections, updates,
        bad.to(torch.int32), count, unscale, 1 - BETA_1, BETA_2, 1 - BETA_2, EPSILON,
        REMEMBER=previous is not None, KEEP_MEANS=keeps_means, BLOCK=ADAM_BLOCK,
    )  # fmt: skip
