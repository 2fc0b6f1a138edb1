"""A step captured in a CUDA graph: the same kernels, launched by one call.

A step is hundreds of kernels, small ones for the deep scales, and the host would have to launch
each. A graph keeps addresses, so whatever a step reads or writes stays where it is.
"""

import gc
import os
from contextlib import AbstractContextManager, nullcontext
from threading import Lock

import torch

from dip.engine.step import EngineStep
from dip.experiments.experiment import device_kind

CAPTURING = Lock()  # fits of several threads capture one after the other
WARM_UPS = 2  # eager steps before a capture: libraries make their plans
EAGER = "DIP_CUDA_EAGER"  # the variable that has every operation launched by itself: slow, the same


class Replay:
    """Runs an engine's steps: eagerly, or on CUDA as replays of a captured graph, on a stream.

    `warm_ups` are the eager steps before a capture. With the variable DIP_CUDA_EAGER=1 nothing is
    captured, which tells whether a fault is the capture's.
    """

    def __init__(self, step: EngineStep, device: str, warm_ups: int = WARM_UPS) -> None:
        self.step, self.warm_ups = step, warm_ups
        self.on_cuda = device_kind(device) == "cuda"
        self.captures = self.on_cuda and os.environ.get(EAGER) != "1"
        self.stream = torch.cuda.Stream(device) if self.on_cuda else None  # type: ignore[no-untyped-call]
        self.graphs: dict[bool, torch.cuda.CUDAGraph] = {}

    def streamed(self) -> AbstractContextManager[object]:
        """A context whose work follows what was sent before, on this fit's own stream."""
        if self.stream is None:
            return nullcontext()
        self.stream.wait_stream(torch.cuda.current_stream(self.stream.device))
        return torch.cuda.stream(self.stream)

    def run(self, last: bool) -> None:
        """Do the next iteration; the first of its kind (`last` or not) is captured before."""
        if not self.captures:
            self.step.run(last)
            return
        if last not in self.graphs:
            self.graphs[last] = self._captured(last)
        self.step.is_torn = True
        self.graphs[last].replay()

    def _captured(self, last: bool) -> "torch.cuda.CUDAGraph":
        """A captured step, not yet run; the warm-up before it leaves no trace."""
        with CAPTURING:
            self.warm_up(last)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, stream=self.stream, capture_error_mode="thread_local"):
                self.step.run(last)
        return graph

    def warm_up(self, last: bool) -> None:
        """Run a step a few times, and put everything back as it was."""
        tensors = list(self.step.tensors().values())
        before = [tensor.clone() for tensor in tensors]
        for _ in range(self.warm_ups):
            self.step.run(last)
            put_back(tensors, before)

    def wait(self) -> None:
        """Wait until the device has done what was sent."""
        if self.stream is not None:
            self.stream.synchronize()


def put_back(tensors: list[torch.Tensor], values: list[torch.Tensor]) -> None:
    """Copy values into the tensors that stand, whose addresses a graph keeps; shapes agree."""
    with torch.no_grad():
        for tensor, value in zip(tensors, values, strict=True):
            tensor.copy_(value)


def prepare_cuda() -> None:
    """Ask for products without atomics, and free what the graphs of a fit before still hold."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    gc.collect()
    torch.cuda.empty_cache()
