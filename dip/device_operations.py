"""Which operations a step on the device is made of: by way and mode of arithmetic."""

from collections.abc import Callable
from importlib import import_module

import torch

from dip.device_step import Operations, StockOperations
from dip.fit import Fit

NARROW = {"fp16": torch.float16, "bf16": torch.bfloat16}


def operations_for(path: str, arithmetic: str) -> Callable[[Fit], Operations]:
    """Give what makes the operations of a way ("stock" or "fused") in a mode of arithmetic."""
    if path == "stock" and arithmetic not in NARROW:
        return StockOperations
    from dip.fused_network import FusedOperations

    module = import_module("dip.fused" if path == "fused" else "dip.fused_reference")
    dtype = NARROW.get(arithmetic, torch.float32)
    return lambda fit: FusedOperations(fit, module, dtype)
