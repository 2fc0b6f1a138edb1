"""One iteration: noise, forward, loss and scores, backward, update.

The same functions run on every device. Nothing waits for the device or comes from the host, so
that on CUDA the step is captured in a graph and replayed.
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from dip.engine.monitor import ITERATION, PREVIOUS_UPDATES, RUNNING_LOSS, SPIKES, UPDATES, Monitor
from dip.engine.objective import Objective
from dip.engine.optimizer import Adam, judge_spike
from dip.experiments.experiment import Experiment
from dip.network.inputs import draw_z, margins
from dip.network.network import Network
from dip.network.operations import empty_image, inside, reflect_border
from dip.network.random_numbers import draw_normal

if TYPE_CHECKING:
    from dip.tasks.degradations import Task


class EngineStep:
    """All that one fit computes with, in places that stay; `run` does the next iteration.

    `z` and `noise` are (1, channels, H, W) float32 at the network's sides, `input` is their sum
    with the border, in `dtype`; `output` is the last one, (1, C, H, W) float32 in [0, 1] at the
    image's size. Raises InputError where only one of z and the task has a guide.
    """

    def __init__(
        self, task: "Task", experiment: Experiment, device: str, dtype: torch.dtype
    ) -> None:
        self.experiment = experiment
        self.objective = Objective(task, device)
        self.z = draw_z(task, experiment).to(device)  # channels last
        _, channels, height, width = self.z.shape
        self.network = Network(experiment, channels, task.shape[0], device, dtype)
        self.pad = self.network.pad
        self.noise = empty_image(self.z, channels, height, width)
        sides = height + 2 * self.pad, width + 2 * self.pad
        self.input = empty_image(self.z, channels, *sides, dtype=dtype)
        (top, _), (left, _) = (margins(side, experiment) for side in task.shape[1:])
        self.rows = slice(top, top + task.shape[1])
        self.columns = slice(left, left + task.shape[2])
        self.adam = Adam(
            self.network.values, experiment.learning_rate, experiment.iterations,
            experiment.spike_factor is not None, experiment.spike_return == "weights",
        )  # fmt: skip
        self.monitor = Monitor(
            self.objective, task.shape, experiment.iterations, experiment.average_decay, device
        )
        self.output = torch.zeros((1, *task.shape), device=device)
        self.is_torn = False  # an update has begun, and the fit has not yet taken note of it

    def run(self, last: bool) -> None:
        """Do one iteration; the last one is scored and has no update.

        `last` is a constant of the code, not a value on the device: each of its two values is a
        graph of its own on CUDA.
        """
        counts = self.monitor.counts
        self._draw_input(counts[ITERATION])
        with torch.set_grad_enabled(not last):
            output = self._forward()
            loss = self.objective.loss(output)
        if not last:
            self.network.gradient.zero_()
            loss.backward()  # type: ignore[no-untyped-call]
        self.output.copy_(output.detach())
        loss = loss.detach()
        self.is_torn = True
        spike = self._judge(loss)
        self.monitor.take(self.output, loss, spike)
        self._roll_back(spike) if last else self._update(spike)
        counts[ITERATION] += 1

    def _draw_input(self, iteration: Tensor) -> None:
        """Write z + sigma_p * noise of this iteration into the network's input, with its border.

        The noise is drawn afresh for each iteration, round a z that stays (supplement).
        """
        inner, sigma_p = inside(self.input, self.pad), self.experiment.sigma_p
        if sigma_p:
            draw_normal(self.noise.permute(0, 2, 3, 1), self.experiment.seed, iteration)
            torch.add(self.z, self.noise, alpha=sigma_p, out=inner)
        else:
            inner.copy_(self.z)
        reflect_border(self.input, self.pad)

    def _forward(self) -> Tensor:
        """The network's output for the input as it stands, cut to the image's size."""
        return self.network.forward(self.input)[:, :, self.rows, self.columns]

    def _judge(self, loss: Tensor) -> Tensor:
        """Whether a loss is a spike, a boolean scalar; counts it."""
        counts, factor = self.monitor.counts, self.experiment.spike_factor
        if factor is None:
            return torch.zeros_like(loss, dtype=torch.bool)
        running = self.monitor.values[RUNNING_LOSS]
        spike = judge_spike(loss, running, counts[ITERATION], factor)
        counts[SPIKES] += spike
        return spike

    def _update(self, spike: Tensor) -> None:
        """Take an Adam step, or roll back; count the updates that the moments have seen."""
        updates, before = (self.monitor.counts[i] for i in (UPDATES, PREVIOUS_UPDATES))
        after = updates + 1
        self.adam.update(self.network.gradient, after, spike)
        # Bias correction goes by the updates in the moments: who rolls these back, rolls back both.
        if not self.adam.keeps_moments:
            after = torch.where(spike, before, after)
        before.copy_(torch.where(spike, before, updates))
        updates.copy_(after)

    def _roll_back(self, spike: Tensor) -> None:
        """Return to the iterate before where the last output is a spike."""
        updates, before = (self.monitor.counts[i] for i in (UPDATES, PREVIOUS_UPDATES))
        self.adam.roll_back(spike)
        updates.copy_(torch.where(spike, before, updates))

    def clean_output(self) -> Tensor:
        """f_theta(z) without noise, (1, C, H, W), for theta as it stands."""
        inside(self.input, self.pad).copy_(self.z)
        reflect_border(self.input, self.pad)
        with torch.no_grad():
            return self._forward()

    def tensors(self) -> dict[str, Tensor]:
        """All that a step changes, by name: what a checkpoint holds, and a warm-up puts back."""
        named = {"adam": self.adam.values, **self.monitor.tensors()}
        if self.adam.previous is not None:
            named["previous"] = self.adam.previous
        return named
