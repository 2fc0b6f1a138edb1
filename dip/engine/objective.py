"""What is minimised and what is scored: the data terms of section 3, and PSNR with peak 1."""

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from dip.errors import InputError

if TYPE_CHECKING:
    from dip.tasks.degradations import Task


def psnr_db(mean_squared_error: float) -> float:
    """PSNR in dB of a mean squared error of values in [0, 1], rounded to float32."""
    if not mean_squared_error > 0:
        return math.nan if math.isnan(mean_squared_error) else math.inf
    return float(np.float32(-10 * math.log10(mean_squared_error)))


class Objective:
    """A task's data term and scores on one device; images are (1, C, H, W) float32.

    The loss is the mean over all pixels and channels of x0 of ((d(x) - x0) * m)^2, with the
    task's operator d and mask m: unknown pixels count as zeros, not left out.

    Raises InputError if d of an output has another shape than x0, which would be broadcast.
    """

    def __init__(self, task: "Task", device: str) -> None:
        self.x0 = _image(task.x0, device)
        self.x = None if task.x is None else _image(task.x, device)
        self.mask = None if task.mask is None else _image(task.mask, device)
        self.known = None if task.known is None else _image(task.known, device)
        self.operator = None if task.operator is None else task.operator.on(device)
        if self.operator is not None:
            with torch.no_grad():
                found = self.operator(torch.zeros((1, *task.shape), device=device)).shape
            if found != self.x0.shape:
                raise InputError(
                    f"the operator of '{task.name}' gives {tuple(found)}, x0 is"
                    f" {tuple(self.x0.shape)}"
                )

    def loss(self, output: Tensor) -> Tensor:
        """The data term, a scalar with a gradient."""
        residual = (output if self.operator is None else self.operator(output)) - self.x0
        if self.mask is not None:
            residual = residual * self.mask
        return residual.square().mean()

    def errors(self, output: Tensor) -> Tensor | None:
        """The mean squared errors against x: whole image, known pixels, unknown pixels.

        Without a mask the two last are left out; without x there is none.
        """
        if self.x is None:
            return None
        squares = (output - self.x).square()
        whole = squares.mean()
        if self.known is None:
            return whole.view(1)
        known = self.known.expand_as(squares)
        each = [(squares * part).sum() / part.sum() for part in (known, 1 - known)]
        return torch.stack([whole, *each])


def _image(pixels: np.ndarray, device: str) -> Tensor:
    # A copy: on the CPU a fit would else follow what the caller writes into the array later.
    return torch.from_numpy(np.array(pixels, dtype=np.float32, order="C"))[None].to(device)
