"""Our engine against a plain loop of the same network: seconds an iteration, side by side."""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from dip.environment import choose_device, environment
from dip.experiment import Experiment, arithmetic_on
from dip.problems import InputError

if TYPE_CHECKING:
    from dip.tasks import Task

LOOPS = ("engine", "plain")
ROUNDS = 2  # child processes for each loop, in turn
UNCOUNTED = 250  # iterations that a run has beyond those counted, at least
WARM_UP = 3  # steps that are not counted: memory, libraries and caches come to rest
LEAST_SIDE, BLOCK = 64, 32  # what the plain loop can do without padding
CHILD_SECONDS = 3600


def bench(size: int, steps: int, device: str) -> dict[str, Any]:
    """Time `steps` iterations of each loop, at `size` x `size` pixels, grey, half of them missing.

    Each loop runs in child processes of its own, in turn. Gives medians in seconds an iteration:
    size, steps, device, engine_s, plain_s, ratio (plain / engine), and where they were measured.
    Raises InputError for a size that the plain loop cannot do, or if a child fails.
    """
    if size < LEAST_SIDE or size % BLOCK:
        raise InputError(f"the plain loop needs a size of {LEAST_SIDE} or more in steps of {BLOCK}")
    seconds: dict[str, list[float]] = {loop: [] for loop in LOOPS}
    for _ in range(ROUNDS):
        for loop in LOOPS:
            seconds[loop] += _in_child(loop, size, steps, device)
    engine, plain = (median(seconds[loop]) for loop in LOOPS)
    told = {"size": size, "steps": steps, "device": device, "rounds": ROUNDS}
    told |= {"arithmetic": arithmetic_on(_experiment(steps), device.split(":")[0])}
    told |= {"engine_s": engine, "plain_s": plain, "ratio": plain / engine}
    return told | {"environment": environment(device)}


def _in_child(loop: str, size: int, steps: int, device: str) -> list[float]:
    """Run one loop in a fresh process; give the seconds of each counted step."""
    command = [sys.executable, "-m", "dip.bench", loop, str(size), str(steps), device]
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=root, timeout=CHILD_SECONDS, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise InputError(f"the {loop} loop failed at {size}x{size}: {last}")
    numbers: list[float] = json.loads(done.stdout.splitlines()[-1])
    return numbers


def _experiment(steps: int) -> Experiment:
    return Experiment(image="bench/made", mask="bernoulli", iterations=steps + UNCOUNTED)


def made_task(size: int) -> "Task":
    """Make a picture of waves and a mask, without any file."""
    import numpy as np

    from dip.tasks import Task

    rows, columns = np.mgrid[0:size, 0:size] / size
    x = (0.5 + 0.4 * np.sin(9 * columns + 6 * rows**2))[None].astype(np.float32)
    mask = (np.random.default_rng(0).random((1, size, size)) < 0.5).astype(np.float32)
    return Task("inpainting", x * mask, x, mask, 1, None, (1, size, size), x * mask)


def _steps(loop: str, size: int, steps: int, device: str) -> Iterator[object]:
    """Give something after each iteration of a loop."""
    task, experiment = made_task(size), _experiment(steps)
    if loop == "engine":
        from dip.graph_fit import make_fit

        return iter(make_fit(task, experiment, device))
    import torch

    from dip.plain import plain_steps

    assert task.mask is not None
    torch.backends.cudnn.benchmark = True
    x0, mask = (torch.from_numpy(pixels)[None].to(device) for pixels in (task.x0, task.mask))
    return plain_steps(experiment, x0, mask)


def timed(steps: Iterator[object], count: int, together: int = 1) -> list[float]:
    """Give the seconds of `count` steps after the warm-up; each step reads its loss.

    On CUDA the engine's steps come `together` in blocks, so whole blocks are timed and shared out.
    """
    for _ in range(WARM_UP if together == 1 else together + 1):
        next(steps)
    seconds = []
    for _ in range(-(-count // together)):
        start = time.perf_counter()
        for _ in range(together):
            next(steps)
        seconds.append((time.perf_counter() - start) / together)
    return seconds


def run_command(args: argparse.Namespace) -> int:
    """Print the bench of `args.size`, `args.steps` and `args.device`, as JSON with `args.json`."""
    told = bench(args.size, args.steps, choose_device(args.device))
    if args.json:
        print(json.dumps(told, indent=1))
        return 0
    print(f"{told['size']}x{told['size']}, {told['device']}, {told['arithmetic']}")
    print(f"engine {told['engine_s'] * 1e3:9.1f} ms an iteration")
    print(f"plain  {told['plain_s'] * 1e3:9.1f} ms an iteration")
    print(f"ratio  {told['ratio']:9.2f}")
    return 0


def _child() -> None:
    loop, size, steps, device = sys.argv[1:]
    together = 1
    if loop == "engine" and device.startswith("cuda"):
        from dip.graph_fit import BLOCK as together
    print(json.dumps(timed(_steps(loop, int(size), int(steps), device), int(steps), together)))


if __name__ == "__main__":
    _child()
