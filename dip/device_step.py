"""One iteration on static buffers, without waiting for the device: what a graph captures.

Run eagerly, the same functions are the fallback, and what the tests compare with Fit.
"""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from dip.device_follow import ITERATION, PREVIOUS_UPDATES, UPDATES, Follower
from dip.fit import Fit
from dip.fused_reference import adam_into, normals_into
from dip.layers import fill_border, inside
from dip.optimiser import BETA_1, BETA_2


class Operations(Protocol):
    """What a step is made of: the input, the network, its gradient and the update."""

    def draw_input(self, iteration: Tensor) -> None:
        """Write the noisy input of an iteration."""

    def draw_clean(self) -> None:
        """Write the input without noise."""

    def forward(self) -> Tensor:
        """Give the output for the input as it stands."""

    def gradient_of(self, loss: Tensor) -> Tensor | None:
        """Write the gradient; tell of an overflow, or None where there can be none."""

    def update(self, bad: Tensor, updates: Tensor) -> None:
        """Take a step, or go back."""


class StockOperations:
    """Noise, network and update by torch's operations and dip.layers: path A, the reference."""

    def __init__(self, fit: Fit) -> None:
        """Take the fit's arrays; bias corrections of Adam are tabled in float64."""
        self.fit = fit
        # zeros: without noise on z it is added all the same, times 0
        self.noise = torch.zeros_like(fit.clean_z, memory_format=torch.channels_last)
        rows = [(1.0, 0.0)] + [
            ((1 - BETA_2**k) ** 0.5, -fit.experiment.learning_rate / (1 - BETA_1**k))
            for k in range(1, fit.experiment.iterations + 2)
        ]
        self.corrections = torch.tensor(rows, dtype=torch.float64).float().to(fit.device)
        self.leaves = list(fit.network.parameters.values())

    def draw_input(self, iteration: Tensor) -> None:
        """Write z + sigma_p * noise of this iteration into the fit's input, with its border."""
        fit, settings = self.fit, self.fit.experiment
        pad = settings.kernel_down // 2
        inner = inside(fit.input, pad)
        if settings.sigma_p == 0:
            inner.copy_(fit.z)
        else:
            normals_into(self.noise.permute(0, 2, 3, 1), settings.seed, iteration)
            torch.add(fit.z, self.noise, alpha=settings.sigma_p, out=inner)
        fill_border(fit.input, pad, "reflection")

    def draw_clean(self) -> None:
        """Write z without noise into the fit's input."""
        pad = self.fit.experiment.kernel_down // 2
        inside(self.fit.input, pad).copy_(self.fit.clean_z)
        fill_border(self.fit.input, pad, "reflection")

    def forward(self) -> Tensor:
        """Give the network's output for the input as it stands."""
        return self.fit.network.forward(self.fit.input)

    def gradient_of(self, loss: Tensor) -> Tensor | None:
        """Write the loss's gradient into the flat array; None, as it cannot overflow."""
        found = torch.autograd.grad(loss, self.leaves, allow_unused=True)
        pairs = [(p.grad, g) for p, g in zip(self.leaves, found, strict=True)]
        known = [(place, g) for place, g in pairs if place is not None and g is not None]
        torch._foreach_copy_([place for place, _ in known], [g for _, g in known])
        return None

    def update(self, bad: Tensor, updates: Tensor) -> None:
        """Take an Adam step to update number `updates`, or go back if `bad`."""
        adam, gradient = self.fit.adam, self.fit.network.gradient
        adam_into(
            gradient, adam.values, adam.previous, self.corrections, updates, bad, 1.0,
            self.fit.experiment.spike_return == "weights",
        )  # fmt: skip


class DeviceStep:
    """One iteration of `fit`: everything it reads and writes stays where it is."""

    def __init__(self, fit: Fit, make: Callable[[Fit], Operations] = StockOperations) -> None:
        """Move what is followed to the device; `make` chooses the operations."""
        self.fit, self.follower = fit, Follower(fit)
        self.operations: Operations = make(fit)
        self.output = torch.zeros_like(fit.mean_output)

    def run(self, last: bool) -> None:
        """Do one iteration; the last one has no update."""
        counts = self.follower.counts
        self.operations.draw_input(counts[ITERATION])
        with torch.set_grad_enabled(not last):
            output = self.shown(self.operations.forward())
            loss = self.fit.objective.loss(output)
        overflow = None if last else self.operations.gradient_of(loss)
        self.output.copy_(output.detach())
        loss = loss.detach()
        bad = self.follower.judge(loss, overflow)
        self.follower.take_in(self.output, loss, bad)
        if last:
            self._go_back(bad)
        else:
            self._update(bad)
        counts[ITERATION] += 1

    def shown(self, output: Tensor) -> Tensor:
        """Cut the network's output to the image's true size."""
        return output[:, :, self.fit.rows, self.fit.columns]

    def _update(self, bad: Tensor) -> None:
        updates, before = (self.follower.counts[i] for i in (UPDATES, PREVIOUS_UPDATES))
        self.operations.update(bad, updates + 1)
        after = updates + 1
        if self.fit.experiment.spike_return == "state":
            after = torch.where(bad, self._earlier(updates, before), after)
        before.copy_(torch.where(bad, before, updates))
        updates.copy_(after)

    def _go_back(self, bad: Tensor) -> None:
        adam = self.fit.adam
        updates, before = (self.follower.counts[i] for i in (UPDATES, PREVIOUS_UPDATES))
        if adam.previous is not None:
            adam.values.copy_(torch.where(bad, adam.previous, adam.values))
        updates.copy_(torch.where(bad, self._earlier(updates, before), updates))

    def _earlier(self, updates: Tensor, before: Tensor) -> Tensor:
        """Give the count of updates to go back to: the one that stands where none is remembered."""
        return updates if self.fit.adam.previous is None else before

    def clean_output(self) -> Tensor:
        """Give f_theta(z) without noise, for theta as it stands."""
        self.operations.draw_clean()
        with torch.no_grad():
            return self.shown(self.operations.forward())
