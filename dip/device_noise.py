"""The step noise of dip.noise, drawn on the device: the same words, normals equal to rounding.

64-bit unsigned numbers are int64 here, with the same bits; torch has no shift of unsigned ones.
"""

import numpy as np
import torch
from torch import Tensor

from dip.noise import MANTISSA, STEP_NOISE

MULTIPLIERS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)  # Philox 4x64, Salmon et al., 2011
WEYL = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)
ROUNDS = 10
LOW = 0xFFFFFFFF
WORDS = 8  # of 32 bits, from one block


def signed(number: int) -> int:
    """Give the int64 with the bits of an unsigned `number`."""
    return (number + 2**63) % 2**64 - 2**63


def high_product(a: Tensor, b: int) -> Tensor:
    """Give the high 64 bits of the unsigned 128-bit product a * b."""
    a_high, a_low = (a >> 32) & LOW, a & LOW
    b_high, b_low = b >> 32, b & LOW
    crossed = a_high * b_low + ((a_low * b_low >> 32) & LOW)
    other = a_low * b_high + (crossed & LOW)
    return a_high * b_high + ((crossed >> 32) & LOW) + ((other >> 32) & LOW)


def philox(seed: int, stream: Tensor, blocks: Tensor) -> Tensor:
    """Give the four 64-bit words of each block, (blocks, 4) int64.

    `stream` is an int64 scalar on the device; `blocks` counts from 1, as numpy's generator does.
    """
    counter = [blocks, *(torch.zeros_like(blocks) for _ in range(3))]
    keys: list[Tensor | int] = [signed(seed % 2**64), stream]
    for number in range(ROUNDS):
        if number:
            keys = [_plus(keys[0], WEYL[0]), _plus(keys[1], WEYL[1])]
        first, second = (
            (high_product(counter[place], m), counter[place] * signed(m))
            for place, m in zip((0, 2), MULTIPLIERS, strict=True)
        )
        counter = [
            second[0] ^ counter[1] ^ keys[0], second[1], first[0] ^ counter[3] ^ keys[1], first[1]
        ]  # fmt: skip
    return torch.stack(counter, dim=1)


def _plus(key: Tensor | int, weyl: int) -> Tensor | int:
    return signed(key + weyl) if isinstance(key, int) else key + signed(weyl)


def normals_into(out: Tensor, seed: int, iteration: Tensor) -> None:
    """Fill the float32 `out` with the standard normals of `iteration`, an int64 scalar.

    The values of dip.noise.draw_normal, but for the rounding of log, cos and sin.
    """
    count = -(-out.numel() // WORDS)
    blocks = torch.arange(1, count + 1, device=out.device)
    words = philox(seed, iteration + STEP_NOISE, blocks)
    halves = torch.stack([words, words >> 32], dim=-1) & (MANTISSA - 1)
    fractions = halves.view(-1, 2).to(torch.float32)
    radius = fractions[:, 0].add(1).mul_(1 / MANTISSA).log_().mul_(-2).sqrt_()
    angle = fractions[:, 1] * (2 * np.pi / MANTISSA)
    pairs = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=-1)
    out.copy_(pairs.view(-1)[: out.numel()].view(out.shape))
