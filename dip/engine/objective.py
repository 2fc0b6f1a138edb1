"""What is minimised and what is scored: the data terms of section 3, and PSNR with peak 1."""

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from dip.experiments.experiment import device_kind
from dip.tasks.downsample import lanczos_matrix

if TYPE_CHECKING:
    from dip.tasks.degradations import Task


def psnr_db(mean_squared_error: float) -> float:
    """Turn a mean squared error of values in [0, 1] into decibels, rounded to float32."""
    if not mean_squared_error > 0:
        return math.nan if math.isnan(mean_squared_error) else math.inf
    return float(np.float32(-10 * math.log10(mean_squared_error)))


class Objective:
    """The task's data term and scores on one device; images are (1, C, H, W) float32.

    The loss is the mean over all pixels and channels of x0 of ((d(x) - x0) * m)^2, with m = 1
    and d the identity where the task has none: unknown pixels count as zeros, not left out.
    """

    def __init__(self, task: "Task", device: str) -> None:
        self.x0 = _image(task.x0, device)
        self.x = None if task.x is None else _image(task.x, device)
        self.mask = None if task.mask is None else _image(task.mask, device)
        self.reducers = None
        if task.factor > 1:
            rows, columns = (lanczos_matrix(side, task.factor) for side in task.shape[1:])
            # In float64 on CUDA, where products of float32 may be of 11 bits.
            kind = np.float64 if device_kind(device) == "cuda" else np.float32
            reducers = (rows.astype(kind), np.ascontiguousarray(columns.T, dtype=kind))
            self.reducers = [torch.from_numpy(matrix).to(device) for matrix in reducers]

    def loss(self, output: Tensor) -> Tensor:
        """Give the data term, a scalar with a gradient."""
        if self.reducers is not None:
            rows, columns = self.reducers
            output = (rows @ output.to(rows.dtype) @ columns).float()
        residual = output - self.x0
        if self.mask is not None:
            residual = residual * self.mask
        return residual.square().mean()

    def errors(self, output: Tensor) -> Tensor | None:
        """Give the mean squared errors against x: whole image, known pixels, unknown pixels.

        Without a mask the two last are left out; without x there is none.
        """
        if self.x is None:
            return None
        squares = (output - self.x).square()
        whole = squares.mean()
        if self.mask is None:
            return whole.view(1)
        known = self.mask.expand_as(squares)
        each = [(squares * part).sum() / part.sum() for part in (known, 1 - known)]
        return torch.stack([whole, *each])

    def psnrs_db(self, output: Tensor) -> tuple[float | None, float | None, float | None]:
        """Give PSNR in dB over the whole image, known and unknown pixels; None where undefined."""
        errors = self.errors(output)
        if errors is None:
            return None, None, None
        values = [psnr_db(error) for error in errors.tolist()]
        return (values[0], values[1], values[2]) if len(values) == 3 else (values[0], None, None)


def _image(pixels: np.ndarray, device: str) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels, dtype=np.float32))[None].to(device)
