"""A counter-based RNG: each number is a pure function of what it is for, without a state.

Philox 4x64-10 (Salmon et al., 2011) is keyed by (seed, purpose + iteration), so that the noise of
an iteration is the same after a restart, in any process, and on any device up to the rounding of
log, cos and sin. Numbers are laid out along (height, width, channel), the channel running fastest.
"""

import numpy as np
import torch
from torch import Tensor

WEIGHTS, Z, STEP_NOISE = 1 << 60, 2 << 60, 3 << 60  # what the numbers are for
MANTISSA = 1 << 24

# Philox 4x64: its constants as unsigned 64-bit numbers, and the words of 32 bits of one block.
MULTIPLIERS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
WEYL = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)
ROUNDS, WORDS, LOW = 10, 8, 0xFFFFFFFF


def uniform(seed: int, stream: int, count: int) -> np.ndarray:
    """`count` float32 values, multiples of 2**-24 in [0, 1), from the generator `stream`."""
    words = _words_on_cpu(seed, stream, count) & np.int32(MANTISSA - 1)
    return words.astype(np.float32) / np.float32(MANTISSA)


def draw_normal(out: Tensor, seed: int, iteration: Tensor) -> None:
    """Fill the dense float32 `out` with the standard normals of `iteration`, an int64 scalar.

    Box-Muller: values 2i and 2i + 1 are the two coordinates that words 2i and 2i + 1 give, with
    24 bits of each: radius sqrt(-2 log((a + 1) / 2**24)), angle 2 pi b / 2**24.
    """
    count = out.numel() + out.numel() % 2
    if out.device.type == "cpu":
        words = torch.from_numpy(_words_on_cpu(seed, STEP_NOISE + int(iteration), count))
    else:
        words = words_on_device(seed, iteration + STEP_NOISE, count)
    # 24 bits are all that a float32 holds exactly; + 1 in the radius keeps zero out of the log.
    fractions = (words & (MANTISSA - 1)).to(torch.float32).view(-1, 2)
    radius = fractions[:, 0].add(1).mul_(1 / MANTISSA).log_().mul_(-2).sqrt_()
    angle = fractions[:, 1] * (2 * np.pi / MANTISSA)
    pairs = torch.stack([radius * angle.cos(), radius * angle.sin_()], dim=-1)
    out.view(-1).copy_(pairs.view(-1)[: out.numel()])


def _words_on_cpu(seed: int, stream: int, count: int) -> np.ndarray:
    """`count` words of 32 random bits, as int32; of each 64 bits the low half comes first."""
    bits = np.random.Philox(key=np.array([seed, stream], dtype=np.uint64))
    raw = bits.random_raw((count + 1) // 2)
    return raw.astype("<u8", copy=False).view("<i4")[:count]


def words_on_device(seed: int, stream: Tensor, count: int) -> Tensor:
    """The words of _words_on_cpu, each the low half of an int64, on `stream`'s device.

    Nothing of it comes from the host, so that a CUDA graph can hold it: `stream`, an int64 scalar,
    is counted up on the device.
    """
    blocks = torch.arange(1, -(-count // WORDS) + 1, device=stream.device)
    words = philox(seed, stream, blocks)
    return torch.stack([words, words >> 32], dim=-1).view(-1)[:count]


def philox(seed: int, stream: Tensor, blocks: Tensor) -> Tensor:
    """The four 64-bit words of each block, (blocks, 4) int64, on the blocks' device.

    `stream` is an int64 scalar; `blocks` counts from 1, as numpy's generator does. 64-bit unsigned
    numbers are int64 here, with the same bits; torch has no shift of unsigned ones.
    """
    counter = [blocks, *(torch.zeros_like(blocks) for _ in range(3))]
    keys = [torch.full_like(stream, _signed(seed % 2**64)), stream]
    for number in range(ROUNDS):
        if number:
            keys = [key + _signed(weyl) for key, weyl in zip(keys, WEYL, strict=True)]
        first, second = (
            (_high_product(counter[place], m), counter[place] * _signed(m))
            for place, m in zip((0, 2), MULTIPLIERS, strict=True)
        )
        counter = [
            second[0] ^ counter[1] ^ keys[0], second[1], first[0] ^ counter[3] ^ keys[1], first[1]
        ]  # fmt: skip
    return torch.stack(counter, dim=1)


def _signed(number: int) -> int:
    """The int64 with the bits of an unsigned `number`."""
    return (number + 2**63) % 2**64 - 2**63


def _high_product(a: Tensor, b: int) -> Tensor:
    """The high 64 bits of the unsigned 128-bit product a * b, from products of 32-bit halves.

    `>>` copies the sign, so each half is masked; a product of halves plus a half fits in 64 bits.
    """
    a_high, a_low = (a >> 32) & LOW, a & LOW
    b_high, b_low = b >> 32, b & LOW
    crossed = a_high * b_low + ((a_low * b_low >> 32) & LOW)
    other = a_low * b_high + (crossed & LOW)
    return a_high * b_high + ((crossed >> 32) & LOW) + ((other >> 32) & LOW)
