"""What is judged and followed along the iterates, on the device: no number comes to the host.

The same rules as dip.optimiser.SpikeWatch, dip.stopping and Fit, as selects on scalars.
"""

import torch
from torch import Tensor

from dip.fit import Fit
from dip.optimiser import RUNNING_DECAY, SETTLING
from dip.stopping import PATIENCE, WINDOW

# Places in `counts`, as Fit.counts has them, and in `values`.
ITERATION, UPDATES, PREVIOUS_UPDATES, SPIKES, AVERAGED, WINDOWED = range(6)
BEST, OVER = {"oracle": 6, "es-wmv": 7}, {"oracle": 8, "es-wmv": 9}
RUNNING, BEST_VALUE = 0, {"oracle": 1, "es-wmv": 2}
PATIENCE_OF = {"oracle": None, "es-wmv": PATIENCE}
# Columns of the history: a loss, mean squared errors, and counts after the step.
COLUMNS = ("loss", "whole", "known", "unknown", "average", "variance", "spikes", "averaged")


def psnr_db(error: Tensor) -> Tensor:
    """Turn a mean squared error into decibels, float64 rounded to float32."""
    return (-10 * error.double().log10()).float().double()


class Follower:
    """The followed arrays of a Fit, moved to its device, and the rules on them."""

    def __init__(self, fit: Fit) -> None:
        """Move what `fit` follows to its device; room for one history row an iteration."""
        self.fit, device = fit, fit.device
        for name in ("ring", "total", "squares"):
            setattr(fit.window, name, getattr(fit.window, name).to(device))
        for best in fit.best.values():
            best.output = best.output.to(device)
        self.counts = torch.zeros(10, dtype=torch.int64, device=device)
        self.values = torch.zeros(3, dtype=torch.float64, device=device)
        rows = fit.experiment.iterations + 1
        self.history = torch.full((rows, len(COLUMNS)), torch.nan, device=device).double()
        self.undefined = torch.tensor(torch.nan, dtype=torch.float64, device=device)

    def tensors(self) -> list[Tensor]:
        """List all that a step changes, besides the history."""
        return [*self.fit.tensors().values(), self.counts, self.values]

    def upload(self) -> None:
        """Take the fit's numbers to the device."""
        fit = self.fit
        values = [fit.spikes.running, *(best.value for best in fit.best.values())]
        self.counts.copy_(torch.tensor(fit.counts()))
        self.values.copy_(torch.tensor(values, dtype=torch.float64))

    def download(self) -> None:
        """Bring the device's numbers to the fit; waits for the device."""
        fit = self.fit
        fit.set_counts([int(count) for count in self.counts.tolist()])
        fit.spikes.running, *values = self.values.tolist()
        for best, value in zip(fit.best.values(), values, strict=True):
            best.value = value

    def judge(self, loss: Tensor, overflow: Tensor | None) -> Tensor:
        """Tell whether a step is to be taken back, and count it: SpikeWatch.is_bad."""
        factor = self.fit.experiment.spike_factor
        if factor is None:
            bad = torch.zeros_like(loss, dtype=torch.bool) if overflow is None else overflow
            self.counts[SPIKES] += bad
            return bad
        running, value = self.values[RUNNING], loss.double()
        limit = factor * running
        settling = self.counts[ITERATION] < SETTLING
        bad = ~(value < torch.where(settling, torch.inf, limit))
        then = RUNNING_DECAY * running + (1 - RUNNING_DECAY) * torch.where(bad, limit, value)
        begun = torch.where(bad, running, value)
        running.copy_(torch.where(torch.isinf(running), begun, then))
        bad = bad if overflow is None else bad | overflow
        self.counts[SPIKES] += bad
        return bad

    def take_in(self, output: Tensor, loss: Tensor, bad: Tensor) -> None:
        """Score an output and follow it; what is taken back, or not finite, enters no rule."""
        take = ~bad & torch.isfinite(loss)
        errors = self.fit.objective.errors(output)
        self._average(output, take)
        variance, full = self._push(output[0], take)
        if errors is not None:
            self._offer("oracle", -psnr_db(errors[0]), output[0], take)
        self._offer("es-wmv", variance, output[0], take & full)
        self._write(loss, errors, torch.where(full, variance, self.undefined))

    def _average(self, output: Tensor, take: Tensor) -> None:
        mean, averaged = self.fit.mean_output, self.counts[AVERAGED]
        kept = torch.where(averaged > 0, self.fit.experiment.average_decay, 0.0)
        moved = torch.lerp(mean, output, (1 - kept.double()).float())
        mean.copy_(torch.where(take, moved, mean))
        averaged += take

    def _push(self, new: Tensor, take: Tensor) -> tuple[Tensor, Tensor]:
        """Add to the window; give its variance, and whether it is full."""
        window, count = self.fit.window, self.counts[WINDOWED]
        place = (count % WINDOW).view(1)
        old = window.ring.index_select(0, place)[0]
        wide = new.double()
        window.total.copy_(torch.where(take, window.total + wide - old, window.total))
        window.ring.index_copy_(0, place, torch.where(take, new, old)[None])
        square = torch.where(take, (wide * wide).sum(), window.squares.index_select(0, place)[0])
        window.squares.index_copy_(0, place, square.view(1))
        count += take
        of_mean = (window.total * window.total).sum() / WINDOW
        variance = (window.squares.sum() - of_mean) / WINDOW / window.total.numel()
        return variance.clamp(min=0), count >= WINDOW

    def _offer(self, name: str, value: Tensor, output: Tensor, gate: Tensor) -> None:
        """Take an output if its value is the lowest yet: BestSoFar.offer."""
        iteration, best = self.counts[ITERATION], self.counts[BEST[name]]
        over, lowest = self.counts[OVER[name]], self.values[BEST_VALUE[name]]
        patience = PATIENCE_OF[name]
        if patience is not None:
            over |= gate & (best >= 0) & (iteration - best > patience)
        better = gate & (over == 0) & (value < lowest)
        best.copy_(torch.where(better, iteration, best))
        lowest.copy_(torch.where(better, value, lowest))
        kept = self.fit.best[name].output
        kept.copy_(torch.where(better, output, kept))

    def _write(self, loss: Tensor, errors: Tensor | None, variance: Tensor) -> None:
        """Write this iteration's row of the history."""
        none = [self.undefined]
        found = none * 3 if errors is None else (list(errors.double().unbind()) + none * 2)[:3]
        average = self.fit.objective.errors(self.fit.mean_output)
        row = [loss.double(), *found, self.undefined if average is None else average[0].double()]
        row += [variance, self.counts[SPIKES].double(), self.counts[AVERAGED].double()]
        self.history.index_copy_(0, self.counts[ITERATION].view(1), torch.stack(row)[None])
