"""The norms, borders and upsampling of the network as Triton kernels: path B on CUDA.

dip.fused launches them. Sums are made in two stages, in a fixed order, without atomics; each
backward is a gather. Images are channels last, of float32 or 16 bits; sums are in float32.
Importing this module needs Triton.
"""

from collections.abc import Callable
from typing import Any

import triton
import triton.language as tl


def jit(function: Callable[..., Any]) -> Any:
    """Compile a kernel on its first launch; interpreted where TRITON_INTERPRET is 1."""
    return triton.jit(function)


@jit
def partial_moments(  # type: ignore[no-untyped-def]
    image, parts, pixels, channels, each, ROWS: tl.constexpr, WIDE: tl.constexpr
):
    chunk = tl.program_id(0)
    channel = tl.program_id(1) * WIDE + tl.arange(0, WIDE)
    known = channel < channels
    first = chunk * each
    end = tl.minimum(first + each, pixels)
    pivot = tl.load(image + first * channels + channel, mask=known, other=0.0).to(tl.float32)
    total = tl.zeros((ROWS, WIDE), tl.float32)
    square = tl.zeros((ROWS, WIDE), tl.float32)
    for start in range(first, end, ROWS):
        row = start + tl.arange(0, ROWS)
        inside = (row < end)[:, None] & known[None, :]
        place = image + row[:, None] * channels + channel[None, :]
        value = tl.load(place, mask=inside, other=0.0).to(tl.float32)
        value = tl.where(inside, value - pivot[None, :], 0.0)
        total += value
        square += value * value
    sums = tl.sum(total, 0)
    mean = sums / ((end - first) * 1.0)
    place = parts + chunk * 2 * channels + channel
    tl.store(place, pivot + mean, mask=known)
    tl.store(place + channels, tl.sum(square, 0) - sums * mean, mask=known)


@jit
def merge_moments(  # type: ignore[no-untyped-def]
    parts, statistics, pixels, channels, chunks, each, epsilon,
    COUNT: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    channel = tl.program_id(0) * WIDE + tl.arange(0, WIDE)
    chunk = tl.arange(0, COUNT)
    known = channel < channels
    inside = (chunk < chunks)[:, None] & known[None, :]
    weight = tl.where(chunk < chunks, tl.minimum(each, pixels - chunk * each), 0)
    weight = weight.to(tl.float32)[:, None]
    place = parts + chunk[:, None] * 2 * channels + channel[None, :]
    means = tl.load(place, mask=inside, other=0.0)
    squares = tl.load(place + channels, mask=inside, other=0.0)
    count = pixels * 1.0
    mean = tl.sum(means * weight, 0) / count
    away = means - mean[None, :]
    variance = tl.sum(squares + weight * away * away, 0) / count
    tl.store(statistics + channel, mean, mask=known)
    tl.store(statistics + channels + channel, 1 / tl.sqrt(variance + epsilon), mask=known)


@jit
def apply_norm(  # type: ignore[no-untyped-def]
    image, statistics, gamma, beta, out, height, width, channels, offset, joined, written, slope,
    PAD: tl.constexpr, REFLECT: tl.constexpr, ROWS: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    pixel = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    channel = tl.program_id(1) * WIDE + tl.arange(0, WIDE)
    wide = width + 2 * PAD
    here = pixel < wide * (height + 2 * PAD)
    y = pixel // wide - PAD
    x = pixel % wide - PAD
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    if REFLECT:
        y = tl.where(y < 0, -y, y)
        x = tl.where(x < 0, -x, x)
        y = tl.where(y >= height, 2 * (height - 1) - y, y)
        x = tl.where(x >= width, 2 * (width - 1) - x, x)
        inside = here
    known = channel < channels
    mean = tl.load(statistics + channel, mask=known, other=0.0)
    factor = tl.load(statistics + channels + channel, mask=known, other=0.0)
    factor *= tl.load(gamma + channel, mask=known, other=0.0)
    shift = tl.load(beta + channel, mask=known, other=0.0) - mean * factor
    loaded = (here & inside)[:, None] & known[None, :]
    place = image + (y * width + x)[:, None] * channels + channel[None, :]
    value = tl.load(place, mask=loaded, other=0.0).to(tl.float32)
    value = value * factor[None, :] + shift[None, :]
    value = tl.where(loaded, tl.where(value > 0, value, value * slope), 0.0)
    place = out + pixel[:, None] * joined + offset + channel[None, :]
    tl.store(place, value, mask=here[:, None] & (channel < written)[None, :])


@jit
def folded(  # type: ignore[no-untyped-def]
    gradient, y, x, channel, inside, height, width, joined,
    PAD: tl.constexpr, REFLECT: tl.constexpr,
):  # fmt: skip
    """Gather a pixel's gradient from the padded one: its own, and those reflected from it."""
    wide = width + 2 * PAD
    place = gradient + ((y + PAD) * wide + x + PAD)[:, None] * joined + channel[None, :]
    total = tl.load(place, mask=inside, other=0.0).to(tl.float32)
    if REFLECT and PAD > 0:
        for row in tl.static_range(3):
            for column in tl.static_range(3):
                if row > 0 or column > 0:
                    yy, near_y = mirrored(y, height, row, PAD)
                    xx, near_x = mirrored(x, width, column, PAD)
                    near = inside & (near_y & near_x)[:, None]
                    place = gradient + (yy * wide + xx)[:, None] * joined + channel[None, :]
                    total += tl.load(place, mask=near, other=0.0).to(tl.float32)
    return total


@jit
def mirrored(place, length, which: tl.constexpr, PAD: tl.constexpr):  # type: ignore[no-untyped-def]
    """Give the padded place itself (0), its image before the beginning (1), or past the end (2)."""
    if which == 0:
        found = place + PAD
        there = place >= 0
    elif which == 1:
        found = PAD - place
        there = (place >= 1) & (place <= PAD)
    else:
        found = PAD + 2 * (length - 1) - place
        there = (place >= length - 1 - PAD) & (place <= length - 2)
    return found, there


@jit
def gradient_sums(  # type: ignore[no-untyped-def]
    gradient, padded, image, statistics, before, parts, height, width, channels, joined, slope,
    each, PAD: tl.constexpr, REFLECT: tl.constexpr, ACTIVE: tl.constexpr,
    ROWS: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    chunk = tl.program_id(0)
    channel = tl.program_id(1) * WIDE + tl.arange(0, WIDE)
    known = channel < channels
    end = tl.minimum((chunk + 1) * each, height * width)
    mean = tl.load(statistics + channel, mask=known, other=0.0)
    deviation = tl.load(statistics + channels + channel, mask=known, other=0.0)
    total = tl.zeros((ROWS, WIDE), tl.float32)
    product = tl.zeros((ROWS, WIDE), tl.float32)
    for start in range(chunk * each, end, ROWS):
        row = start + tl.arange(0, ROWS)
        inside = (row < end)[:, None] & known[None, :]
        y, x = row // width, row % width
        found = folded(
            gradient, y, x, channel, inside, height, width, joined, PAD, REFLECT
        )  # fmt: skip
        if ACTIVE:
            place = ((y + PAD) * (width + 2 * PAD) + x + PAD)[:, None] * joined + channel[None, :]
            sign = tl.load(padded + place, mask=inside, other=0.0).to(tl.float32)
            found = tl.where(sign > 0, found, found * slope)
        place = row[:, None] * channels + channel[None, :]
        tl.store(before + place, found, mask=inside)
        value = tl.load(image + place, mask=inside, other=0.0).to(tl.float32)
        total += found
        product += found * tl.where(inside, (value - mean[None, :]) * deviation[None, :], 0.0)
    place = parts + chunk * 2 * channels + channel
    tl.store(place, tl.sum(total, 0), mask=known)
    tl.store(place + channels, tl.sum(product, 0), mask=known)


@jit
def merge_sums(parts, sums, channels, chunks, COUNT: tl.constexpr, WIDE: tl.constexpr):  # type: ignore[no-untyped-def]
    channel = tl.program_id(0) * WIDE + tl.arange(0, WIDE)
    chunk = tl.arange(0, COUNT)
    inside = (chunk < chunks)[:, None] & (channel < channels)[None, :]
    place = parts + chunk[:, None] * channels + channel[None, :]
    total = tl.sum(tl.load(place, mask=inside, other=0.0), 0)
    tl.store(sums + channel, total, mask=channel < channels)


@jit
def norm_gradient(  # type: ignore[no-untyped-def]
    before, image, statistics, gamma, sums, pixels, channels,
    ROWS: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    channel = tl.program_id(1) * WIDE + tl.arange(0, WIDE)
    known = channel < channels
    inside = (row < pixels)[:, None] & known[None, :]
    mean = tl.load(statistics + channel, mask=known, other=0.0)[None, :]
    deviation = tl.load(statistics + channels + channel, mask=known, other=0.0)[None, :]
    factor = tl.load(gamma + channel, mask=known, other=0.0)[None, :] * deviation
    count = pixels * 1.0
    constant = tl.load(sums + channel, mask=known, other=0.0)[None, :] / count
    slope = tl.load(sums + channels + channel, mask=known, other=0.0)[None, :] / count
    place = row[:, None] * channels + channel[None, :]
    value = tl.load(image + place, mask=inside, other=0.0).to(tl.float32)
    found = tl.load(before + place, mask=inside, other=0.0).to(tl.float32)
    found = factor * (found - constant - (value - mean) * deviation * slope)
    tl.store(before + place, found, mask=inside)
