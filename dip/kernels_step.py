"""Upsampling, noise, the padded input, and Adam with its select, as Triton kernels.

Importing this module needs Triton.
"""

import triton.language as tl

from dip.kernels import jit

LOW = tl.constexpr(0xFFFFFFFF)
MASK = tl.constexpr(0xFFFFFF)
PART = tl.constexpr(2.0**-24)
TURN = tl.constexpr(6.283185307179586 / 2**24)


@jit
def neighbour(row, length, BILINEAR: tl.constexpr):  # type: ignore[no-untyped-def]
    """Give the two low rows that a high row is made of; the first weighs 3/4, the other 1/4."""
    own = row // 2
    other = own
    if BILINEAR:
        other = tl.where(row % 2 == 0, own - 1, own + 1)
        other = tl.minimum(tl.maximum(other, 0), length - 1)
    return own, other


@jit
def upsample(  # type: ignore[no-untyped-def]
    low, high, height, width, channels,
    BILINEAR: tl.constexpr, ROWS: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    pixel = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    channel = tl.program_id(1) * WIDE + tl.arange(0, WIDE)
    inside = (pixel < 4 * height * width)[:, None] & (channel < channels)[None, :]
    y, y_other = neighbour(pixel // (2 * width), height, BILINEAR)
    x, x_other = neighbour(pixel % (2 * width), width, BILINEAR)
    near = low + channel[None, :]
    total = tl.load(near + (y * width + x)[:, None] * channels, mask=inside, other=0.0)
    total = total.to(tl.float32)
    if BILINEAR:
        beside = tl.load(near + (y * width + x_other)[:, None] * channels, mask=inside, other=0.0)
        above = tl.load(near + (y_other * width + x)[:, None] * channels, mask=inside, other=0.0)
        far = tl.load(
            near + (y_other * width + x_other)[:, None] * channels, mask=inside, other=0.0
        )
        above = above.to(tl.float32) * 0.75 + far.to(tl.float32) * 0.25
        total = (total * 0.75 + beside.to(tl.float32) * 0.25) * 0.75 + above * 0.25
    place = high + pixel[:, None] * channels + channel[None, :]
    tl.store(place, total, mask=inside)


@jit
def share(row, place, length, BILINEAR: tl.constexpr):  # type: ignore[no-untyped-def]
    """Give the weight of low row `place` in high row `row`; 0 beyond the ends."""
    own, other = neighbour(row, length, BILINEAR)
    if BILINEAR:
        weight = tl.where(own == place, 0.75, 0.0) + tl.where(other == place, 0.25, 0.0)
    else:
        weight = tl.where(own == place, 1.0, 0.0)
    return tl.where((row >= 0) & (row < 2 * length), weight, 0.0)


@jit
def upsample_adjoint(  # type: ignore[no-untyped-def]
    high, low, height, width, channels,
    BILINEAR: tl.constexpr, ROWS: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    pixel = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    channel = tl.program_id(1) * WIDE + tl.arange(0, WIDE)
    inside = (pixel < height * width)[:, None] & (channel < channels)[None, :]
    y, x = pixel // width, pixel % width
    total = tl.zeros((ROWS, WIDE), tl.float32)
    for down in tl.static_range(4):
        row = 2 * y + down - 1
        along_y = share(row, y, height, BILINEAR)
        for right in tl.static_range(4):
            column = 2 * x + right - 1
            weight = along_y * share(column, x, width, BILINEAR)
            place = high + (row * 2 * width + column)[:, None] * channels + channel[None, :]
            used = inside & (weight > 0)[:, None]
            total += weight[:, None] * tl.load(place, mask=used, other=0.0).to(tl.float32)
    tl.store(low + pixel[:, None] * channels + channel[None, :], total, mask=inside)


@jit
def high_product(a, high: tl.constexpr, low: tl.constexpr):  # type: ignore[no-untyped-def]
    """Give the high 64 bits of a * b, b in halves of 32 bits: every partial product fits."""
    thirty_two = tl.full(a.shape, 32, tl.uint64)
    half = tl.full(a.shape, LOW, tl.uint64)
    b_high, b_low = tl.full(a.shape, high, tl.uint64), tl.full(a.shape, low, tl.uint64)
    a_high, a_low = a >> thirty_two, a & half
    crossed = a_high * b_low + ((a_low * b_low) >> thirty_two)
    other = a_low * b_high + (crossed & half)
    return a_high * b_high + (crossed >> thirty_two) + (other >> thirty_two)


@jit
def full_word(like, high: tl.constexpr, low: tl.constexpr):  # type: ignore[no-untyped-def]
    """Give a 64-bit constant, written in halves."""
    word = tl.full(like.shape, high, tl.uint64) << tl.full(like.shape, 32, tl.uint64)
    return word | tl.full(like.shape, low, tl.uint64)


@jit
def store_pair(out, first, count, word):  # type: ignore[no-untyped-def]
    """Write the two normals that the low 24 bits of a word's halves give (Box-Muller)."""
    bits = tl.full(word.shape, MASK, tl.uint64)
    low = (word & bits).to(tl.int32)
    high = ((word >> tl.full(word.shape, 32, tl.uint64)) & bits).to(tl.int32)
    fraction = (low + 1).to(tl.float64) * PART
    radius = tl.sqrt(-2.0 * tl.log(fraction)).to(tl.float32)
    angle = high.to(tl.float32) * TURN
    tl.store(out + first, radius * tl.cos(angle), mask=first < count)
    tl.store(out + first + 1, radius * tl.sin(angle), mask=first + 1 < count)


@jit
def philox_normals(keys, out, count, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    """Write the standard normals of numpy's Philox stream with the two 64-bit `keys`."""
    block = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    a = (block + 1).to(tl.uint64)
    b, c, d = tl.zeros_like(a), tl.zeros_like(a), tl.zeros_like(a)
    key_0 = tl.load(keys).to(tl.uint64) + tl.zeros_like(a)
    key_1 = tl.load(keys + 1).to(tl.uint64) + tl.zeros_like(a)
    for number in tl.static_range(10):
        if number > 0:
            key_0 += full_word(a, 0x9E3779B9, 0x7F4A7C15)
            key_1 += full_word(a, 0xBB67AE85, 0x84CAA73B)
        first = high_product(a, 0xD2E7470E, 0xE14C6C93)
        second = high_product(c, 0xCA5A8263, 0x95121157)
        first_low = a * full_word(a, 0xD2E7470E, 0xE14C6C93)
        second_low = c * full_word(a, 0xCA5A8263, 0x95121157)
        a, b, c, d = second ^ b ^ key_0, second_low, first ^ d ^ key_1, first_low
    store_pair(out, block * 8, count, a)
    store_pair(out, block * 8 + 2, count, b)
    store_pair(out, block * 8 + 4, count, c)
    store_pair(out, block * 8 + 6, count, d)


@jit
def noisy_input(  # type: ignore[no-untyped-def]
    z, noise, out, height, width, channels, sigma,
    PAD: tl.constexpr, REFLECT: tl.constexpr, ROWS: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    pixel = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    channel = tl.program_id(1) * WIDE + tl.arange(0, WIDE)
    wide = width + 2 * PAD
    here = pixel < wide * (height + 2 * PAD)
    y, x = pixel // wide - PAD, pixel % wide - PAD
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    if REFLECT:
        y = tl.where(y < 0, -y, tl.where(y >= height, 2 * (height - 1) - y, y))
        x = tl.where(x < 0, -x, tl.where(x >= width, 2 * (width - 1) - x, x))
        inside = here
    loaded = (here & inside)[:, None] & (channel < channels)[None, :]
    place = (y * width + x)[:, None] * channels + channel[None, :]
    value = tl.load(z + place, mask=loaded, other=0.0)
    value += sigma * tl.load(noise + place, mask=loaded, other=0.0)
    stored = here[:, None] & (channel < channels)[None, :]
    tl.store(out + pixel[:, None] * channels + channel[None, :], value, mask=stored)


@jit
def adam_select(  # type: ignore[no-untyped-def]
    gradient, values, previous, corrections, updates, bad, count, unscale,
    from_mean, keep_square, from_square, epsilon,
    REMEMBER: tl.constexpr, KEEP_MEANS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = place < count
    is_bad = tl.load(bad) != 0
    row = corrections + 2 * tl.load(updates)
    scale, rate = tl.load(row), tl.load(row + 1)
    g = tl.load(gradient + place, mask=inside, other=0.0) * unscale
    theta = tl.load(values + place, mask=inside, other=0.0)
    mean = tl.load(values + count + place, mask=inside, other=0.0)
    square = tl.load(values + 2 * count + place, mask=inside, other=0.0)
    new_mean = mean + from_mean * (g - mean)
    new_square = square * keep_square + from_square * g * g
    moved = theta + rate * new_mean / (tl.sqrt(new_square) / scale + epsilon)
    if REMEMBER:
        old_theta = tl.load(previous + place, mask=inside, other=0.0)
        old_mean = tl.load(previous + count + place, mask=inside, other=0.0)
        old_square = tl.load(previous + 2 * count + place, mask=inside, other=0.0)
        tl.store(previous + place, tl.where(is_bad, old_theta, theta), mask=inside)
        tl.store(previous + count + place, tl.where(is_bad, old_mean, mean), mask=inside)
        tl.store(previous + 2 * count + place, tl.where(is_bad, old_square, square), mask=inside)
    else:
        old_theta, old_mean, old_square = theta, mean, square
    if KEEP_MEANS and REMEMBER:
        old_mean = tl.where(tl.abs(new_mean) < float("inf"), new_mean, old_mean)
        old_square = tl.where(new_square < float("inf"), new_square, old_square)
    tl.store(values + place, tl.where(is_bad, old_theta, moved), mask=inside)
    tl.store(values + count + place, tl.where(is_bad, old_mean, new_mean), mask=inside)
    tl.store(values + 2 * count + place, tl.where(is_bad, old_square, new_square), mask=inside)
