"""The fit on CUDA: one captured graph for each step, told in blocks while the next ones run."""

import gc
import math
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from dip.cuda_path import captures_graphs, cuda_path
from dip.device_follow import COLUMNS
from dip.device_operations import operations_for
from dip.device_step import DeviceStep, Operations, StockOperations
from dip.experiment import Experiment, arithmetic_on
from dip.fit import Fit, Step
from dip.objective import psnr_db
from dip.stopping import Stop

if TYPE_CHECKING:
    from dip.tasks import Task

BLOCK = 50  # iterations between two looks at the history
CAPTURING = Lock()  # fits of several threads capture one after the other
WARM_UPS = 2  # eager steps before a capture: libraries make their plans


@dataclass
class Block:
    """Iterations that were sent to the device together, and where their results will be."""

    first: int
    rows: Tensor  # (n, columns of the history) float64, on the host
    before: list[Tensor]  # the state before the first of them
    kept: dict[int, Tensor] = field(default_factory=dict)  # outputs, by iteration
    event: "torch.cuda.Event | None" = None

    @property
    def end(self) -> int:
        """The iteration after the last."""
        return self.first + len(self.rows)


class GraphFit:
    """A Fit whose steps run on the device without waiting: the same interface, the same states.

    On CUDA each step is a replay of a captured graph; elsewhere, or if `capture` is off, the same
    functions run eagerly. The device runs up to two blocks ahead of what was told; whoever asks
    for the state between two steps gets the state there, found by replaying.
    Raises what Fit raises.
    """

    def __init__(
        self,
        task: "Task",
        experiment: Experiment,
        *,
        device: str = "cuda",
        keep: Collection[int] = (),
        threads: int | None = None,
        operations: Callable[[Fit], Operations] = StockOperations,
        capture: bool = True,
        block: int = BLOCK,
        warm_ups: int = WARM_UPS,
    ) -> None:
        self.fit = Fit(task, experiment, device=device, threads=threads)
        self.experiment, self.arithmetic = experiment, self.fit.arithmetic
        self.keep, self.block, self.warm_ups = frozenset(keep), block, warm_ups
        self.step = DeviceStep(self.fit, operations)
        self.follower = self.step.follower
        self.on_cuda = torch.device(device).type == "cuda"
        self.capture = capture and self.on_cuda and captures_graphs()
        self.stream = torch.cuda.Stream(device) if self.on_cuda else None  # type: ignore[no-untyped-call]
        self.graphs: dict[bool, torch.cuda.CUDAGraph] = {}
        self._begin(0)

    def _begin(self, iteration: int) -> None:
        """Stand at an iteration, with nothing sent to the device."""
        self.iteration = self.reached = iteration  # next to tell; next on the device
        self.blocks: list[Block] = []
        self.steps: list[Step] = []  # of the block that is being told
        with self._streamed():
            self.follower.upload()

    def _streamed(self) -> AbstractContextManager[object]:
        if self.stream is None:
            return nullcontext()
        self.stream.wait_stream(torch.cuda.current_stream(self.stream.device))
        return torch.cuda.stream(self.stream)

    def __iter__(self) -> Iterator[Step]:
        """Go on from the iteration where the fit stands."""
        while self.iteration <= self.experiment.iterations:
            yield self._tell()

    def _tell(self) -> Step:
        if self.blocks and self.iteration >= self.blocks[0].end:
            self.blocks.pop(0)
            self.steps = []
        while len(self.blocks) < 2 and self._sent <= self.experiment.iterations:
            self.blocks.append(self._send())
        if not self.steps:
            self.steps = self._read(self.blocks[0])
        step = self.steps[self.iteration - self.blocks[0].first]
        self.iteration += 1
        return step

    @property
    def _sent(self) -> int:
        """The iteration after the last that was sent to the device."""
        return self.blocks[-1].end if self.blocks else self.iteration

    def _send(self) -> Block:
        """Send the next block to the device, with copies of all that will be asked of it."""
        first = self._sent
        self._stand_at(first)
        count = min(self.block, self.experiment.iterations + 1 - first)
        rows = torch.empty((count, len(COLUMNS)), dtype=torch.float64, pin_memory=self.on_cuda)
        with self._streamed():
            block = Block(first, rows, [tensor.clone() for tensor in self.follower.tensors()])
            for iteration in range(first, block.end):
                self._advance()
                if iteration in self.keep:
                    block.kept[iteration] = self.step.output[0].clone()
            rows.copy_(self.follower.history[first : block.end], non_blocking=True)
            if self.stream is not None:
                block.event = torch.cuda.Event()  # type: ignore[no-untyped-call]
                block.event.record(self.stream)
        return block

    def _advance(self) -> None:
        """Do the next iteration on the device."""
        last = self.reached == self.experiment.iterations
        if self.capture:
            if last not in self.graphs:
                self.graphs[last] = self._captured(last)
            self.graphs[last].replay()
        else:
            self.step.run(last)
        self.reached += 1

    def _captured(self, last: bool) -> "torch.cuda.CUDAGraph":
        """Capture a step; the warm-up before it leaves no trace."""
        with CAPTURING:
            self._warm_up(last)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, stream=self.stream, capture_error_mode="thread_local"):
                self.step.run(last)
        return graph

    def _warm_up(self, last: bool) -> None:
        before = [tensor.clone() for tensor in self.follower.tensors()]
        for _ in range(self.warm_ups):
            self.step.run(last)
            self._put_back(before)

    def _put_back(self, before: list[Tensor]) -> None:
        with torch.no_grad():
            for tensor, value in zip(self.follower.tensors(), before, strict=True):
                tensor.copy_(value)

    def _stand_at(self, iteration: int) -> None:
        """Bring the device's state to `iteration`, back to a block's beginning if it is beyond."""
        with self._streamed():
            if iteration < self.reached:
                block = next(b for b in reversed(self.blocks) if b.first <= iteration)
                self._put_back(block.before)
                self.reached = block.first
            while self.reached < iteration:
                self._advance()

    def _read(self, block: Block) -> list[Step]:
        """Wait for a block and make its steps."""
        if block.event is not None:
            block.event.synchronize()
        numbers = enumerate(block.rows.tolist(), block.first)
        return [self._step(iteration, row, block.kept.get(iteration)) for iteration, row in numbers]

    def _step(self, iteration: int, row: list[float], kept: Tensor | None) -> Step:
        loss, *errors, average, variance, spikes, averaged = row
        objective = self.fit.objective
        scored, masked = objective.x is not None, objective.mask is not None
        defined = (scored, scored and masked, scored and masked)
        psnrs = [psnr_db(e) if d else None for e, d in zip(errors, defined, strict=True)]
        average_db = psnr_db(average) if scored and averaged else None
        output = None if kept is None else kept.cpu().numpy().copy()
        found = None if math.isnan(variance) else variance
        whole, known, unknown = psnrs
        return Step(iteration, loss, whole, known, unknown, average_db, found, int(spikes), output)

    def _current(self) -> Fit:
        """Give the fit with everything as it was after the step told last."""
        self._stand_at(self.iteration)
        if self.stream is not None:
            self.stream.synchronize()
        self.follower.download()
        return self.fit

    @property
    def average(self) -> np.ndarray | None:
        """The exponential sliding average of the outputs, (C, H, W); None before the first."""
        return self._current().average

    def stops(self) -> dict[str, Stop]:
        """Give "oracle" (highest PSNR) and "es-wmv" (least windowed variance), as known so far."""
        return self._current().stops()

    def clean_output(self) -> np.ndarray:
        """Give f_theta(z) without noise, (C, H, W) float32, for theta as it stands."""
        self._current()
        with self._streamed():
            output: np.ndarray = self.step.clean_output()[0].float().cpu().numpy().copy()
        return output

    def state(self) -> dict[str, np.ndarray]:
        """Give all that is needed to go on exactly, as Fit.state; valid between two steps."""
        return self._current().state()

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take up a state of the same experiment, into the arrays that stand.

        Raises ValueError if an array is missing or has another shape.
        """
        if self.stream is not None:
            self.stream.synchronize()
        self.fit.restore(state)
        self._begin(self.fit.iteration)


def make_fit(
    task: "Task",
    experiment: Experiment,
    device: str = "cpu",
    keep: Collection[int] = (),
    threads: int | None = None,
    path: str | None = None,
) -> Fit | GraphFit:
    """Make the fit for a device: steps of captured graphs on CUDA, elsewhere plain ones.

    `path` is the way that a step goes on CUDA, by default that of dip.cuda_path.
    """
    kind = torch.device(device).type
    if kind != "cuda":
        return Fit(task, experiment, device=device, keep=keep, threads=threads)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # for products without atomics
    gc.collect()  # a fit before this one may still hold the memory of its graphs
    torch.cuda.empty_cache()
    operations = operations_for(path or cuda_path(), arithmetic_on(experiment, kind))
    return GraphFit(
        task, experiment, device=device, keep=keep, threads=threads, operations=operations
    )
