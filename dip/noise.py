"""Random numbers as pure functions of what they are for: no generator has a state.

Philox 4x64-10 (Salmon et al., 2011) is keyed by (seed, purpose + iteration), so that the noise of
an iteration is the same after a restart, in any process, and in a kernel on any device up to
rounding. Numbers are laid out along (height, width, channel), the channel running fastest.
"""

import numpy as np
import torch
from torch import Tensor

WEIGHTS, Z, STEP_NOISE, TARGET = 1 << 60, 2 << 60, 3 << 60, 4 << 60
MANTISSA = 1 << 24


def _words(seed: int, stream: int, count: int) -> np.ndarray:
    """Give `count` words of 32 random bits, as int32; of each 64 bits the low half comes first."""
    bits = np.random.Philox(key=np.array([seed, stream], dtype=np.uint64))
    raw = bits.random_raw((count + 1) // 2)
    return raw.astype("<u8", copy=False).view("<i4")[:count]


def uniform(seed: int, stream: int, count: int) -> np.ndarray:
    """Give `count` float32 values, multiples of 2**-24 in [0, 1)."""
    words = _words(seed, stream, count) & np.int32(MANTISSA - 1)
    return words.astype(np.float32) / np.float32(MANTISSA)


def draw_normal(seed: int, iteration: int, out: Tensor) -> None:
    """Fill the float32 CPU tensor `out`, of even length, with the iteration's standard normals.

    Box-Muller: values 2i and 2i + 1 are the two coordinates that words 2i and 2i + 1 give, with
    24 bits of each: radius sqrt(-2 log((a + 1) / 2**24)), angle 2 pi b / 2**24.
    """
    words = torch.from_numpy(_words(seed, STEP_NOISE + iteration, out.numel()))
    fractions = (words & (MANTISSA - 1)).to(torch.float32).view(-1, 2)
    radius = fractions[:, 0].add(1).mul_(1 / MANTISSA).log_().mul_(-2).sqrt_()
    angle = fractions[:, 1] * (2 * np.pi / MANTISSA)
    pairs = out.view(-1, 2)
    torch.mul(radius, angle.cos(), out=pairs[:, 0])
    torch.mul(radius, angle.sin_(), out=pairs[:, 1])
