"""The fit as a generator of steps: noise, forward, loss and scores, backward, update."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from dip.experiment import Experiment, arithmetic_on
from dip.inputs import draw_z, margins
from dip.layers import empty_image, fill_border, inside
from dip.machine import keep_large_buffers, set_arithmetic
from dip.network import Network
from dip.noise import draw_normal
from dip.objective import Objective
from dip.optimiser import Adam, SpikeWatch
from dip.stopping import PATIENCE, BestSoFar, Stop, WindowedVariance

if TYPE_CHECKING:
    from dip.tasks import Task


@dataclass(frozen=True)
class Step:
    """The output after `iteration` updates of theta, and how good it is.

    PSNR in dB with peak 1, None where there is no x (or no mask); `psnr_average_db` is that of the
    exponential sliding average of the outputs; `windowed_variance` is over the last 100 outputs,
    None before; `output` is (C, H, W) float32 in [0, 1], only at the iterations to keep.
    """

    iteration: int
    loss: float
    psnr_db: float | None
    psnr_known_db: float | None
    psnr_unknown_db: float | None
    psnr_average_db: float | None
    windowed_variance: float | None
    spikes: int
    output: np.ndarray | None


class Fit:
    """One run of min over theta of E(f_theta(z); x0) (equation 2), from iteration 0 to the last.

    Iterating gives a Step for each iteration from 0 to `experiment.iterations`, both included;
    between two steps `state` is all that is needed to go on with the same bits. `threads` sets
    the CPU threads of the whole process, which are part of what makes bits the same.
    Raises InputError where the arithmetic does not suit the device, or z needs a guide.
    """

    def __init__(
        self,
        task: "Task",
        experiment: Experiment,
        *,
        device: str = "cpu",
        keep: Collection[int] = (),
        threads: int | None = None,
    ) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        keep_large_buffers()
        self.arithmetic = arithmetic_on(experiment, torch.device(device).type)
        set_arithmetic(self.arithmetic, device)
        self.experiment, self.device, self.keep = experiment, device, frozenset(keep)
        self.objective = Objective(task, device)
        self._make_inputs(task)
        self.network = Network(experiment, self.z.shape[1], task.shape[0], device)
        remember = experiment.spike_factor is not None
        self.adam = Adam(self.network.values, experiment.learning_rate, remember)
        self.spikes = SpikeWatch(experiment.spike_factor)
        self.iteration = 0  # of the next forward
        self._make_followers(task.shape)

    def _make_inputs(self, task: "Task") -> None:
        """Draw z, and make the buffers that the noise and the padded input are written to."""
        clean = draw_z(task, self.experiment)
        _, channels, height, width = clean.shape
        self.noise = torch.empty((1, height, width, channels))
        self.clean_z = clean.to(self.device)
        self.z = self.clean_z
        pad = self.experiment.kernel_down // 2
        self.input = empty_image(self.z, channels, height + 2 * pad, width + 2 * pad)
        (top, _), (left, _) = (margins(side, self.experiment) for side in task.shape[1:])
        self.rows = slice(top, top + task.shape[1])
        self.columns = slice(left, left + task.shape[2])

    def _make_followers(self, shape: tuple[int, int, int]) -> None:
        self.mean_output = torch.zeros((1, *shape), device=self.device)
        self.averaged = 0  # outputs in the sliding average
        self.window = WindowedVariance(shape)
        self.best = {"oracle": BestSoFar(shape), "es-wmv": BestSoFar(shape, PATIENCE)}

    def __iter__(self) -> Iterator[Step]:
        """Go on from the iteration where the fit stands."""
        while self.iteration <= self.experiment.iterations:
            yield self._step()

    def _step(self) -> Step:
        last = self.iteration == self.experiment.iterations
        self._draw_input()
        with torch.set_grad_enabled(not last):
            output = self._forward()
            loss = self.objective.loss(output)
        value = loss.item()
        bad = self.spikes.is_bad(self.iteration, value)
        step = self._followed(output.detach(), value, bad)
        if bad and (last or self.experiment.spike_return == "state"):
            self.adam.go_back()
        elif not last:
            self.network.gradient.zero_()
            loss.backward()  # type: ignore[no-untyped-call]
            move = self.adam.return_weights if bad else self.adam.update
            move(self.network.gradient)
        self.iteration += 1
        return step

    def _draw_input(self) -> None:
        """Write z + sigma_p * noise of this iteration into the input, with its border."""
        settings = self.experiment
        inner = inside(self.input, settings.kernel_down // 2)
        if settings.sigma_p == 0:
            inner.copy_(self.z)
        else:
            draw_normal(settings.seed, self.iteration, self.noise.view(-1))
            noise = self.noise.to(self.device, non_blocking=True).permute(0, 3, 1, 2)
            torch.add(self.z, noise, alpha=settings.sigma_p, out=inner)
        fill_border(self.input, settings.kernel_down // 2, "reflection")

    def _forward(self) -> Tensor:
        return self.network.forward(self.input)[:, :, self.rows, self.columns]

    def _followed(self, output: Tensor, loss: float, bad: bool) -> Step:
        """Score the output; what is taken back, or is not finite, enters no average and no rule."""
        whole, known, unknown = self.objective.psnrs_db(output)
        variance = self.window.value()
        if not bad and np.isfinite(loss):
            variance = self._take_in(output, whole)
        average = self.objective.psnrs_db(self.mean_output)[0] if self.averaged else None
        kept = output[0].cpu().numpy().copy() if self.iteration in self.keep else None
        return Step(
            self.iteration, loss, whole, known, unknown, average, variance, self.spikes.count, kept
        )

    def _take_in(self, output: Tensor, whole_db: float | None) -> float | None:
        """Add an output to the sliding average, the window and the stops; give the variance."""
        decay = self.experiment.average_decay if self.averaged else 0.0
        self.mean_output.lerp_(output, 1 - decay)
        self.averaged += 1
        on_host = output[0].cpu()
        variance = self.window.push(on_host)
        if whole_db is not None:
            self.best["oracle"].offer(self.iteration, -whole_db, on_host)
        if variance is not None:
            self.best["es-wmv"].offer(self.iteration, variance, on_host)
        return variance

    @property
    def average(self) -> np.ndarray | None:
        """The exponential sliding average of the outputs, (C, H, W); None before the first."""
        return self.mean_output[0].cpu().numpy().copy() if self.averaged else None

    def stops(self) -> dict[str, Stop]:
        """Give "oracle" (highest PSNR) and "es-wmv" (least windowed variance), as known so far."""
        found = {name: best.stop() for name, best in self.best.items()}
        return {name: stop for name, stop in found.items() if stop is not None}

    def clean_output(self) -> np.ndarray:
        """Give f_theta(z) without noise, (C, H, W) float32, for theta as it stands."""
        pad = self.experiment.kernel_down // 2
        inside(self.input, pad).copy_(self.clean_z)
        fill_border(self.input, pad, "reflection")
        with torch.no_grad():
            output: np.ndarray = self._forward()[0].cpu().numpy().copy()
        return output

    def state(self) -> dict[str, np.ndarray]:
        """Give all that is needed to go on exactly, as plain arrays; valid between two steps."""
        return {name: tensor.cpu().numpy().copy() for name, tensor in self.tensors().items()} | {
            "counts": np.array(self.counts(), dtype=np.int64),
            "values": np.array([self.spikes.running, *(b.value for b in self.best.values())]),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take up a state of the same experiment, into the arrays that stand.

        Raises ValueError if an array is missing or has another shape.
        """
        own = self.tensors()
        for name, tensor in own.items():
            if name not in state or state[name].shape != tuple(tensor.shape):
                raise ValueError(f"this state does not fit the experiment: '{name}' differs")
        with torch.no_grad():
            for name, tensor in own.items():
                tensor.copy_(torch.from_numpy(np.array(state[name])))
        self.set_counts([int(count) for count in state["counts"]])
        self.spikes.running, *values = (float(value) for value in state["values"])
        for best, value in zip(self.best.values(), values, strict=True):
            best.value = value

    def tensors(self) -> dict[str, Tensor]:
        """Name the arrays of the state, as they stand."""
        named = {
            "adam": self.adam.values,
            "mean_output": self.mean_output,
            "ring": self.window.ring,
            "ring_total": self.window.total,
            "ring_squares": self.window.squares,
        }
        if self.adam.previous is not None:
            named["previous"] = self.adam.previous
        return named | {f"best_{name}": best.output for name, best in self.best.items()}

    def counts(self) -> list[int]:
        """Give the whole numbers of the state."""
        adam, best = self.adam, self.best.values()
        counts = [self.iteration, adam.updates, adam.previous_updates, self.spikes.count]
        counts += [self.averaged, self.window.count]
        return counts + [b.iteration for b in best] + [int(b.over) for b in best]

    def set_counts(self, counts: list[int]) -> None:
        """Take up what `counts` gave."""
        adam = self.adam
        self.iteration, adam.updates, adam.previous_updates, self.spikes.count = counts[:4]
        self.averaged, self.window.count = counts[4:6]
        for place, best in enumerate(self.best.values()):
            best.iteration, best.over = counts[6 + place], bool(counts[8 + place])


def fit(task: "Task", experiment: Experiment, **settings: Any) -> Iterator[Step]:
    """Fit `experiment` to `task`: give a Step for every iteration from 0 to the last."""
    yield from Fit(task, experiment, **settings)
