"""What is followed along the iterates: their sliding average, their variance, and when to stop."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

WINDOW, PATIENCE = 100, 1000  # ES-WMV, Wang et al., arXiv 2112.06074


@dataclass(frozen=True)
class Stop:
    """Where a rule stops: the iteration, and its output of (C, H, W) float32."""

    iteration: int
    output: np.ndarray


class WindowedVariance:
    """The variance of the last 100 outputs, averaged over pixels and channels.

    Kept up by running sums in float64: (sum of |x|^2 - |sum of x|^2 / W) / W, over W outputs.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.ring = torch.zeros((WINDOW, *shape))
        self.total = torch.zeros(shape, dtype=torch.float64)
        self.squares = torch.zeros(WINDOW, dtype=torch.float64)
        self.count = 0

    def push(self, output: Tensor) -> float | None:
        """Take in the next output; give the variance, or None before there are 100."""
        place = self.count % WINDOW
        new = output.double()
        self.total += new
        self.total -= self.ring[place]
        self.ring[place] = output
        self.squares[place] = (new * new).sum()
        self.count += 1
        return self.value()

    def value(self) -> float | None:
        """Give the variance of the window as it stands, or None before there are 100 outputs."""
        if self.count < WINDOW:
            return None
        of_mean = (self.total * self.total).sum() / WINDOW
        variance = float(self.squares.sum() - of_mean) / WINDOW / self.total.numel()
        return max(variance, 0.0)


class BestSoFar:
    """The output at the lowest value yet; fixed once `patience` iterations brought none lower."""

    def __init__(self, shape: tuple[int, ...], patience: int | None = None) -> None:
        self.patience, self.iteration, self.value = patience, -1, float("inf")
        self.output = torch.zeros(shape)
        self.over = False

    def offer(self, iteration: int, value: float, output: Tensor) -> None:
        """Take (iteration, output) if `value` is the lowest yet and the search is not over."""
        if self.iteration >= 0 and self.patience is not None:
            self.over = self.over or iteration - self.iteration > self.patience
        if not self.over and value < self.value:
            self.iteration, self.value = iteration, value
            self.output.copy_(output)

    def stop(self) -> Stop | None:
        """Give the stop as known so far, or None before the first value."""
        if self.iteration < 0:
            return None
        return Stop(self.iteration, self.output.cpu().numpy().copy())
