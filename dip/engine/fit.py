"""The fit as a generator of steps, each of which others print, save and plot.

On CUDA the host would wait for the device in each iteration if it read its loss there and then. So
steps are sent in blocks, and read a block later; `state`, `stops` and `average` bring the device
back to the step that the caller has seen last.
"""

import json
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from numbers import Integral

import numpy as np
import torch
from torch import Tensor

from dip.engine.graph import Replay, prepare_cuda, put_back
from dip.engine.monitor import AVERAGED, COLUMNS, ITERATION, Stop
from dip.engine.objective import psnr_db
from dip.engine.precision import keep_large_buffers, multiply_in, set_precision
from dip.engine.step import EngineStep
from dip.errors import InputError
from dip.experiments.experiment import LARGE, Experiment, arithmetic_on, device_kind
from dip.files import sha256_of
from dip.network.network import check_repeatable
from dip.records.environment import choose_device
from dip.tasks.degradations import Task

CUDA_BLOCK = 50  # iterations between two looks at the history
TORN = "the fit was interrupted within an update: restore a state, or begin"


@dataclass(frozen=True)
class Step:
    """The output after `iteration` updates of theta, and how good it is.

    `loss` is the data term of section 3, before its update; `spikes` counts the loss spikes so far.
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


@dataclass
class Block:
    """Iterations that were sent to the device together, and where their results will be."""

    first: int
    rows: Tensor  # (n, columns of the history) float64, on the host
    before: list[Tensor]  # the state before the first of them, where there is more than one
    kept: dict[int, Tensor] = field(default_factory=dict)  # outputs, by iteration
    event: "torch.cuda.Event | None" = None

    @property
    def end(self) -> int:
        """The iteration after the last."""
        return self.first + len(self.rows)


def _check(task: Task, experiment: Experiment, threads: int | None, block: int | None) -> None:
    """Raise InputError for what is no such thing, or does not belong together."""
    for name, given, kind in (("task", task, Task), ("experiment", experiment, Experiment)):
        if not isinstance(given, kind):
            found = type(given).__name__
            raise InputError(f"{name} is a {found}; expected a dip.{kind.__name__}")
    if experiment.task not in ("fit", task.name):
        raise InputError(
            f"the task is '{task.name}' and the experiment's task '{experiment.task}';"
            ' give the experiment the same, or "fit" for a task of one\'s own'
        )
    task.check()
    for name, count in (("threads", threads), ("block", block)):
        if count is None:
            continue
        if not isinstance(count, Integral):
            raise InputError(f"{name} is {count!r}; expected an integer")
        if count < 1:
            raise InputError(f"{name} is {count}; it must be at least 1")
        if count >= LARGE:
            raise InputError(f"{name} is too large, not below 2**31")


def _iterations(keep: Collection[int], last: int) -> frozenset[int]:
    """The iterations that are to be kept; raises InputError for one that the run has not."""
    try:
        kept = frozenset(keep)
    except TypeError:
        raise InputError(f"keep is {keep!r}; expected a set of iterations") from None
    if wrong := [k for k in kept if k not in range(last + 1)]:
        raise InputError(f"keep names iteration {wrong[0]!r}; expected 0 to {last}, integers")
    return kept


class Fit:
    """One run of min over theta of E(f_theta(z); x0) (equation 2), from iteration 0 to the last.

    Iterating gives a Step for each iteration from 0 to `experiment.iterations`, both included;
    between two steps `state` is all that is needed to go on with the same bits. The outputs of the
    iterations in `keep` come with their steps. `threads` sets the CPU threads of the whole
    process, which are part of what makes bits the same.

    On CUDA steps are replays of a captured graph, sent in blocks of `block` that run up to two
    blocks ahead of what was yielded; whoever asks for the state gets the one after the step yielded
    last. Elsewhere each step is yielded as soon as it is done.

    Raises InputError where task and experiment disagree, the task's parts do not belong together,
    `keep` names an iteration that the run has not, `threads` or `block` is no count, the device is
    not there, does not have the experiment's precision or would not give its bits twice, or only
    one of z and the task has a guide.
    """

    def __init__(
        self,
        task: Task,
        experiment: Experiment,
        *,
        device: str = "cpu",
        keep: Collection[int] = (),
        threads: int | None = None,
        block: int | None = None,
    ) -> None:
        _check(task, experiment, threads, block)
        keep = _iterations(keep, experiment.iterations)
        device = choose_device(device)
        check_repeatable(experiment, device_kind(device))
        if threads is not None:
            torch.set_num_threads(int(threads))
        keep_large_buffers()
        on_cuda = device_kind(device) == "cuda"
        if on_cuda:
            prepare_cuda()
        self.precision = arithmetic_on(experiment, device_kind(device))
        dtype = set_precision(self.precision, device)
        self.experiment, self.keep = experiment, keep
        self.block = block or (CUDA_BLOCK if on_cuda else 1)
        self.step = EngineStep(task, experiment, device, dtype)
        self.replay = Replay(self.step, device)
        self._stand(0)

    def _stand(self, iteration: int) -> None:
        """Begin at an iteration, with nothing sent to the device."""
        self._blocks: list[Block] = []
        self._steps: list[Step] = []  # of the block that is being yielded
        self.iteration = self._reached = iteration  # next to yield; next on the device

    def __iter__(self) -> Iterator[Step]:
        """Go on from the iteration where the fit stands."""
        while self.iteration <= self.experiment.iterations:
            yield self._tell()

    def _tell(self) -> Step:
        if self._blocks and self.iteration >= self._blocks[0].end:
            self._steps = []
            self._blocks.pop(0)
        ahead = 2 if self.block > 1 else 1
        while len(self._blocks) < ahead and self._sent <= self.experiment.iterations:
            self._blocks.append(self._send())
            self.step.is_torn = False
        if not self._steps:
            self._steps = self._read(self._blocks[0])
        step = self._steps[self.iteration - self._blocks[0].first]
        self.iteration += 1
        return step

    @property
    def _sent(self) -> int:
        """The iteration after the last that was sent to the device."""
        return self._blocks[-1].end if self._blocks else self.iteration

    def _send(self) -> Block:
        """Send the next block to the device, with copies of all that will be asked of it."""
        first, history = self._sent, self.step.monitor.history
        self._advance_to(first)
        count = min(self.block, self.experiment.iterations + 1 - first)
        rows = torch.empty(
            (count, len(COLUMNS)), dtype=history.dtype, pin_memory=self.replay.on_cuda
        )
        with self.replay.streamed():
            tensors = self.step.tensors().values() if self.block > 1 else ()
            block = Block(first, rows, [tensor.clone() for tensor in tensors])
            for iteration in range(first, block.end):
                self._advance()
                if iteration in self.keep:
                    block.kept[iteration] = self.step.output[0].clone()
            rows.copy_(history[first : block.end], non_blocking=True)
            if self.replay.stream is not None:
                block.event = torch.cuda.Event()  # type: ignore[no-untyped-call]
                block.event.record(self.replay.stream)
        return block

    def _advance(self) -> None:
        """Do the next iteration on the device."""
        multiply_in(self.precision)
        self.replay.run(last=self._reached == self.experiment.iterations)
        self._reached += 1

    def _advance_to(self, iteration: int) -> None:
        """Bring the device to `iteration`, from a block's beginning if it is beyond.

        The steps between are computed once more, with the same bits.
        """
        if self.step.is_torn:
            raise InputError(TORN)
        with self.replay.streamed():
            if iteration < self._reached:
                block = next(b for b in reversed(self._blocks) if b.first <= iteration)
                if not block.before:  # done, and interrupted before it was yielded
                    raise InputError(TORN)
                self.step.is_torn = True
                put_back(list(self.step.tensors().values()), block.before)
                self._reached = block.first
            while self._reached < iteration:
                self._advance()
            self.step.is_torn = False

    def _read(self, block: Block) -> list[Step]:
        """A block's steps; waits until the device has done it."""
        if block.event is not None:
            block.event.synchronize()
        numbers = enumerate(block.rows.tolist(), block.first)
        return [self._step(iteration, row, block.kept.get(iteration)) for iteration, row in numbers]

    def _step(self, iteration: int, row: list[float], kept: Tensor | None) -> Step:
        loss, *errors, average, variance, spikes, averaged = row
        objective = self.step.objective
        scored, masked = objective.x is not None, objective.mask is not None
        defined = (scored, scored and masked, scored and masked)
        whole, known, unknown = (
            psnr_db(error) if is_defined else None
            for error, is_defined in zip(errors, defined, strict=True)
        )
        average_db = psnr_db(average) if scored and averaged else None
        output = None if kept is None else kept.cpu().numpy().copy()
        found = None if math.isnan(variance) else variance
        return Step(iteration, loss, whole, known, unknown, average_db, found, int(spikes), output)

    def _current(self) -> EngineStep:
        """Everything as it was after the step yielded last."""
        self._advance_to(self.iteration)
        self.replay.wait()
        return self.step

    @property
    def average(self) -> np.ndarray | None:
        """The sliding average of the outputs, (C, H, W) in [0, 1]; None before the first."""
        monitor = self._current().monitor
        return monitor.average[0].cpu().numpy().copy() if monitor.counts[AVERAGED] else None

    def stops(self) -> dict[str, Stop]:
        """Where "oracle" (highest PSNR) and "es-wmv" (least windowed variance) stop, so far."""
        return self._current().monitor.stops()

    def clean_output(self) -> np.ndarray:
        """f_theta(z) without noise, (C, H, W) float32 in [0, 1], for theta as it stands."""
        step = self._current()
        multiply_in(self.precision)
        with self.replay.streamed():
            output: np.ndarray = step.clean_output()[0].cpu().numpy().copy()
        return output

    def state(self) -> dict[str, np.ndarray]:
        """All that is needed to go on exactly, as plain arrays; valid between two steps."""
        tensors = self._current().tensors()
        state = {name: tensor.cpu().numpy().copy() for name, tensor in tensors.items()}
        return state | {"described": self._described}

    @property
    def _described(self) -> np.ndarray:
        """The hash of what a state is of: experiment and precision."""
        described = json.dumps([self.experiment.canonical(), self.precision], sort_keys=True)
        return np.frombuffer(bytes.fromhex(sha256_of(described.encode())), np.uint8)

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take up a state of the same experiment, into the arrays that stand.

        Raises ValueError if an array is missing or has another shape, if the state is of another
        experiment or precision (older states do not say), or stands beyond the last iteration.
        """
        self.replay.wait()
        own = self.step.tensors()
        for name, tensor in own.items():
            if name not in state or state[name].shape != tuple(tensor.shape):
                raise ValueError(f"this state does not fit the experiment: '{name}' differs")
        if not np.array_equal(state.get("described", self._described), self._described):
            raise ValueError("this state is of another experiment, or of another precision")
        next_, last = int(state["counts"][ITERATION]), self.experiment.iterations
        if not 0 <= next_ <= last + 1:
            raise ValueError(f"this state stands at iteration {next_}, the last one is {last}")
        arrays = [torch.from_numpy(np.array(state[name])) for name in own]
        self.step.is_torn = True
        put_back(list(own.values()), arrays)
        self._stand(next_)
        self.step.is_torn = False
