"""Precision and memory: what a process multiplies in, and how it keeps its arrays."""

import ctypes
import sys
from contextlib import suppress
from functools import cache
from typing import Any

import torch

from dip.errors import InputError, nearest
from dip.experiments.experiment import device_kind
from dip.records.environment import bf16_supported

MALLOPT_TRIM_THRESHOLD, MALLOPT_TOP_PAD, MALLOPT_MMAP_MAX = -1, -2, -4
DTYPES = {"ieee": torch.float32, "tf32": torch.float32, "bf16": torch.bfloat16}


def set_precision(precision: str, device: str) -> torch.dtype:
    """Set how the process multiplies; the type of the arrays between convolutions.

    "ieee" is float32 throughout; "tf32" rounds what CUDA multiplies to 11 bits; "bf16" stores and
    multiplies 8 bits, with sums in 32. Nothing is chosen by timing. Raises InputError for an
    unknown precision, or one that the device does not have.
    """
    if precision not in DTYPES:
        raise InputError(f"unknown precision '{precision}'{nearest(precision, DTYPES)}")
    if precision == "tf32" and device_kind(device) != "cuda":
        raise InputError("the precision tf32 needs a CUDA device")
    if precision == "bf16" and not bf16_supported(device):
        raise InputError(
            "the precision bf16 needs a processor with AVX-512-BF16 or AMX, or a CUDA device; this"
            " one has neither"
        )
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    multiply_in(precision)
    return DTYPES[precision]


def multiply_in(precision: str) -> None:
    """Set what products are made in, which is the process's: fits of two precisions take turns.

    Each operation by itself: what was set for all of a library, or of torch, gives way to that.
    """
    backends: Any = torch.backends  # its stubs know no flag of an operation
    wanted = "ieee" if precision == "ieee" else "tf32"
    backends.cudnn.allow_tf32 = backends.cuda.matmul.allow_tf32 = wanted == "tf32"
    # The flags of before must not contradict these: to read them would be an error of torch's.
    backends.cudnn.conv.fp32_precision = backends.cudnn.rnn.fp32_precision = wanted
    backends.cuda.matmul.fp32_precision = wanted
    backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
    backends.mkldnn.conv.fp32_precision = "ieee"  # on the CPU bf16 is asked for by the arrays
    backends.mkldnn.matmul.fp32_precision = "ieee"


@cache
def keep_large_buffers() -> None:
    """Make glibc reuse freed arrays of 32 MiB and more instead of returning them to the system.

    The same numbers, without the page faults of fresh memory. Other systems are left alone.
    """
    if not sys.platform.startswith("linux"):
        return
    with suppress(OSError, AttributeError):  # without glibc
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(MALLOPT_MMAP_MAX, 0)
        mallopt(MALLOPT_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(MALLOPT_TOP_PAD, 2**26)
