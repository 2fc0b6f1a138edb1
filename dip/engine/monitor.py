"""What is followed along the iterates: scores, the sliding average, variance, early stopping.

Everything stays on the device: a row of numbers for each iteration goes into a history that the
host reads when it likes.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dip.engine.objective import Objective

WINDOW, PATIENCE = 100, 1000  # ES-WMV, Wang et al., arXiv 2112.06074
RULES = {"oracle": None, "es-wmv": PATIENCE}  # each rule's patience; None waits for ever

# Places in `counts`: each rule's iteration (-1 before its first), and whether its search is over.
ITERATION, UPDATES, PREVIOUS_UPDATES, SPIKES, AVERAGED, WINDOWED = range(6)
BEST, OVER = {"oracle": 6, "es-wmv": 7}, {"oracle": 8, "es-wmv": 9}
# Places in `values`: the running loss, and each rule's lowest value.
RUNNING_LOSS, LOWEST = 0, {"oracle": 1, "es-wmv": 2}
# Columns of the history: a loss, mean squared errors, and counts after the step.
COLUMNS = ("loss", "whole", "known", "unknown", "average", "variance", "spikes", "averaged")


@dataclass(frozen=True)
class Stop:
    """Where a rule stops: the iteration, and its output of (C, H, W) float32 in [0, 1]."""

    iteration: int
    output: np.ndarray


class Monitor:
    """The sliding average, the windowed variance and the early stopping of one fit.

    Outputs are (1, C, H, W) float32. The variance of the last 100 outputs, averaged over pixels
    and channels, is kept up by running sums: (sum of |x|^2 - |sum of x|^2 / W) / W over W outputs;
    these are float64, but float32 on mps, which has none. What is rolled back, or not finite,
    enters no average and no rule.

    `decay` is that of the sliding average, which the paper uses without naming a decay (denoising).
    `history` has a row for each iteration and the columns of COLUMNS, NaN where undefined. Rules:
    "oracle" is the highest PSNR, which needs the truth; "es-wmv" is the least windowed variance,
    with its patience (Wang et al., arXiv 2112.06074).
    """

    def __init__(
        self, objective: Objective, shape: tuple[int, int, int], iterations: int, decay: float,
        device: str,
    ) -> None:  # fmt: skip
        self.objective, self.decay = objective, decay
        kind = torch.device(device).type
        self.wide = torch.float32 if kind == "mps" else torch.float64
        self.average = torch.zeros((1, *shape), device=device)
        self.ring = torch.zeros((WINDOW, *shape), device=device)
        self.total = torch.zeros(shape, dtype=self.wide, device=device)
        self.squares = torch.zeros(WINDOW, dtype=self.wide, device=device)
        self.best = {name: torch.zeros(shape, device=device) for name in RULES}
        self.counts = torch.zeros(10, dtype=torch.int64, device=device)
        self.values = torch.full((3,), math.inf, dtype=self.wide, device=device)
        for place in BEST.values():
            self.counts[place] = -1
        self.history = torch.full((iterations + 1, len(COLUMNS)), math.nan, dtype=self.wide,
                                  device=device)  # fmt: skip
        self._nan = torch.tensor(math.nan, dtype=self.wide, device=device)

    def tensors(self) -> dict[str, Tensor]:
        """All that a step changes here, by name, but the history: its rows are written once."""
        named = {name: getattr(self, name) for name in
                 ("average", "ring", "total", "squares", "counts", "values")}  # fmt: skip
        return named | {f"best_{name}": output for name, output in self.best.items()}

    def take(self, output: Tensor, loss: Tensor, spike: Tensor) -> None:
        """Score an output, take it into average and rules, and write its row of the history."""
        taken = ~spike & torch.isfinite(loss)
        errors = self.objective.errors(output)
        self._average(output, taken)
        variance, full = self._push(output[0], taken)
        if errors is not None:
            # In decibels rounded to 32 bits, so that equal scores stay equal and the first counts.
            psnr_db = (-10 * errors[0].to(self.wide).log10()).float().to(self.wide)
            self._offer("oracle", -psnr_db, output[0], taken)
        self._offer("es-wmv", variance, output[0], taken & full)
        self._write(loss, errors, torch.where(full, variance, self._nan))

    def _average(self, output: Tensor, taken: Tensor) -> None:
        """Take an output into the exponential sliding average; the first one begins it."""
        count = self.counts[AVERAGED]
        moved = torch.lerp(self.average, output, 1 - self.decay)
        begun = torch.where(count > 0, moved, output)
        self.average.copy_(torch.where(taken, begun, self.average))
        count += taken

    def _push(self, new: Tensor, taken: Tensor) -> tuple[Tensor, Tensor]:
        """The window's variance with `new`, (C, H, W), in it, and whether the window is full.

        The oldest output leaves the sum as the newest enters, so a step reads two images, not 100.
        """
        count = self.counts[WINDOWED]
        place = (count % WINDOW).view(1)
        old = self.ring.index_select(0, place)[0]
        wide = new.to(self.wide)
        self.total.copy_(torch.where(taken, self.total + wide - old, self.total))
        self.ring.index_copy_(0, place, torch.where(taken, new, old)[None])
        square = torch.where(taken, (wide * wide).sum(), self.squares.index_select(0, place)[0])
        self.squares.index_copy_(0, place, square.view(1))
        count += taken
        of_mean = (self.total * self.total).sum() / WINDOW
        variance = (self.squares.sum() - of_mean) / WINDOW / self.total.numel()
        return variance.clamp(min=0), count >= WINDOW

    def _offer(self, name: str, value: Tensor, output: Tensor, gate: Tensor) -> None:
        """Take an output if its value is the lowest yet and the rule's patience has not run out."""
        iteration, best = self.counts[ITERATION], self.counts[BEST[name]]
        over, lowest = self.counts[OVER[name]], self.values[LOWEST[name]]
        patience = RULES[name]
        if patience is not None:
            over |= gate & (best >= 0) & (iteration - best > patience)
        better = gate & (over == 0) & (value < lowest)
        best.copy_(torch.where(better, iteration, best))
        lowest.copy_(torch.where(better, value, lowest))
        self.best[name].copy_(torch.where(better, output, self.best[name]))

    def _write(self, loss: Tensor, errors: Tensor | None, variance: Tensor) -> None:
        none = [self._nan]
        found = none * 3 if errors is None else (list(errors.unbind()) + none * 2)[:3]
        average = self.objective.errors(self.average)
        row = [loss, *found, self._nan if average is None else average[0]]
        row += [variance, self.counts[SPIKES], self.counts[AVERAGED]]
        values = torch.stack([value.to(self.wide) for value in row])
        self.history.index_copy_(0, self.counts[ITERATION].view(1), values[None])

    def stops(self) -> dict[str, Stop]:
        """Where "oracle" (highest PSNR) and "es-wmv" (least windowed variance) stop, as known."""
        counts = self.counts.tolist()
        return {
            name: Stop(counts[BEST[name]], self.best[name].cpu().numpy().copy())
            for name in RULES
            if counts[BEST[name]] >= 0
        }
