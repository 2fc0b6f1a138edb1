"""The machine's settings that move bits or speed: arithmetic, threads, memory."""

import ctypes
import sys
from functools import cache

import torch
from torch import Tensor

from dip.experiment import CHOICES
from dip.problems import InputError, nearest

MALLOPT_TRIM_THRESHOLD, MALLOPT_TOP_PAD, MALLOPT_MMAP_MAX = -1, -2, -4
LARGE_BYTES = 1 << 26  # an array of more than that is worth the page faults that it saves


def set_arithmetic(mode: str, device: str) -> None:
    """Set how the process multiplies, by name: ieee, tf32 or bf16; nothing is timed.

    Raises InputError for an unknown mode, and for another than ieee without CUDA. The 16-bit
    modes set tf32 for what they leave in 32 bits; the casts themselves are the network's.
    """
    modes = tuple(name for name in CHOICES["arithmetic"] if name != "default")
    if mode not in modes:
        raise InputError(f"unknown arithmetic '{mode}'{nearest(mode, modes)}")
    if mode != "ieee" and torch.device(device).type != "cuda":
        raise InputError(f"arithmetic '{mode}' needs a CUDA device; here it is ieee")
    torch.backends.cudnn.allow_tf32 = mode != "ieee"
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True


@cache
def keep_large_buffers() -> bool:
    """Make glibc reuse freed arrays of 32 MiB and more instead of returning them to the system.

    The same numbers, without the page faults of fresh memory. Tell whether it was possible.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    wanted = ((MALLOPT_MMAP_MAX, 0), (MALLOPT_TRIM_THRESHOLD, 2**31 - 1), (MALLOPT_TOP_PAD, 2**26))
    accepted = [mallopt(option, value) == 1 for option, value in wanted]
    return all(accepted)


def is_large(image: Tensor, channels: int) -> bool:
    """Tell whether arrays of the image's sides with so many channels are large ones, on a CPU.

    Room for them counts for more than time.
    """
    count = channels * image.shape[2] * image.shape[3]
    return image.device.type == "cpu" and count * image.element_size() > LARGE_BYTES


def give_back_holes() -> None:
    """Return the memory between arrays to the system.

    glibc seldom fits an array into the hole that one of its own size left, as it aligns it anew.
    """
    if keep_large_buffers():
        ctypes.CDLL(None).malloc_trim(0)
