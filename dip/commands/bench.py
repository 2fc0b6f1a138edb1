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

from dip.errors import InputError
from dip.experiments.experiment import Experiment, arithmetic_on, device_kind
from dip.records.environment import choose_device, environment

if TYPE_CHECKING:
    from dip.tasks.degradations import Task

# Ours; a textbook loop in torch's own layout; and the same in ours, so that no gain is owed to it.
LOOPS = ("engine", "plain", "plain-channels-last")
ROUNDS = 2  # child processes for each loop, in turn
UNCOUNTED = 250  # iterations that a run has beyond those counted, at least
WARM_UP = 6  # steps that are not counted: the heap, libraries and caches come to rest
LEAST_SIDE, BLOCK = 64, 32  # what the plain loop can do without padding
CHILD_SECONDS = 3600


def bench(
    size: int, steps: int, device: str, precision: str = "default", threads: int | None = None
) -> dict[str, Any]:
    """Time `steps` iterations of each loop, at `size` x `size` pixels, grey, half of them missing.

    Each loop runs in child processes of its own, in turn; `precision` is the engine's alone, the
    plain loops keep to torch's defaults. Returns medians in seconds an iteration (engine_s,
    plain_s, plain_channels_last_s), ratio (plain / engine), ratio_channels_last, and where they
    were measured. Raises InputError for a size that the plain loop cannot do, or if a child fails.
    """
    if size < LEAST_SIDE or size % BLOCK:
        raise InputError(f"the plain loop needs a size of {LEAST_SIDE} or more in steps of {BLOCK}")
    mode = arithmetic_on(bench_experiment(steps, precision), device_kind(device))
    seconds: dict[str, list[float]] = {loop: [] for loop in LOOPS}
    for _ in range(ROUNDS):
        for loop in LOOPS:
            seconds[loop] += seconds_of(loop, size, steps, device, mode, threads)
    engine, plain, channels_last = (median(seconds[loop]) for loop in LOOPS)
    where = environment(device) | ({"threads": threads} if threads else {})
    return {
        "size": size, "steps": steps, "device": device, "rounds": ROUNDS, "arithmetic": mode,
        "engine_s": engine, "plain_s": plain, "plain_channels_last_s": channels_last,
        "ratio": plain / engine, "ratio_channels_last": channels_last / engine,
        "environment": where,
    }  # fmt: skip


def seconds_of(
    loop: str, size: int, steps: int, device: str, precision: str, threads: int | None
) -> list[float]:
    """Seconds of each step of a loop in a fresh process; raises InputError if that fails."""
    words = [loop, str(size), str(steps), device, precision, str(threads or 0)]
    done = subprocess.run(
        [sys.executable, "-m", "dip.commands.bench", *words], capture_output=True, text=True,
        cwd=Path(__file__).resolve().parents[2], timeout=CHILD_SECONDS, check=False,
    )  # fmt: skip
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        sentence = last.removeprefix("dip.errors.InputError: ")
        raise InputError(f"the {loop} loop failed at {size}x{size}: {sentence}")
    numbers: list[float] = json.loads(done.stdout.splitlines()[-1])
    return numbers


def bench_experiment(steps: int, precision: str = "default") -> Experiment:
    """The paper's inpainting with more iterations than the `steps` that are counted."""
    return Experiment(
        image="bench/made", mask="bernoulli", iterations=steps + UNCOUNTED, arithmetic=precision
    )


def made_task(size: int) -> "Task":
    """An inpainting of waves, grey, `size` pixels a side, half of them missing; needs no file."""
    import numpy as np

    from dip.tasks.degradations import Task

    rows, columns = np.mgrid[0:size, 0:size] / size
    x = (0.5 + 0.4 * np.sin(9 * columns + 6 * rows**2))[None].astype(np.float32)
    mask = (np.random.default_rng(0).random((1, size, size)) < 0.5).astype(np.float32)
    return Task("inpainting", x * mask, x, mask)


def _steps(loop: str, size: int, experiment: Experiment, device: str) -> Iterator[object]:
    """The iterations of a loop."""
    task = made_task(size)
    if loop == "engine":
        from dip.engine.fit import Fit

        return iter(Fit(task, experiment, device=device))
    import torch

    from dip.network.plain import plain_steps

    assert task.mask is not None
    torch.backends.cudnn.benchmark = True
    x0, mask = (torch.from_numpy(pixels)[None].to(device) for pixels in (task.x0, task.mask))
    return plain_steps(experiment, x0, mask, channels_last=loop == "plain-channels-last")


def timed(steps: Iterator[object], count: int, together: int = 1) -> list[float]:
    """Seconds of each of `count` steps after the warm-up; each step reads its loss.

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
    """Print the bench that `args` ask for, as JSON with `args.json`; nothing is written."""
    device = choose_device(args.device)
    result = bench(args.size, args.steps, device, args.precision, args.threads)
    if args.json:
        print(json.dumps(result, indent=1))
        return 0
    threads = f", {result['environment']['threads']} threads" if device == "cpu" else ""
    print(f"{result['size']}x{result['size']}, {device}, {result['arithmetic']}{threads}")
    for loop in LOOPS:
        name = f"{loop.replace('-', '_')}_s"
        print(f"{loop:20} {result[name] * 1e3:9.1f} ms an iteration")
    print(f"{'plain / engine':20} {result['ratio']:9.2f}")
    print(f"{'channels last / engine':20} {result['ratio_channels_last']:7.2f}")
    return 0


def _child() -> None:
    loop, size, steps, device, precision, threads = sys.argv[1:]
    experiment = bench_experiment(int(steps), precision)
    if int(threads):
        import torch

        torch.set_num_threads(int(threads))
    together = 1
    if loop == "engine" and device_kind(device) == "cuda":
        from dip.engine.fit import CUDA_BLOCK as together
    print(json.dumps(timed(_steps(loop, int(size), experiment, device), int(steps), together)))


if __name__ == "__main__":
    _child()
