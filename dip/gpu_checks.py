"""What a day on a GPU measures before it trusts it: one small program for each question.

`python -m dip.gpu_checks NAME ...` prints its answer as JSON in the last line.
"""

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dip.bench import made_task, timed
from dip.device_operations import operations_for
from dip.environment import environment
from dip.experiment import Experiment
from dip.fit import Fit
from dip.graph_fit import BLOCK, GraphFit
from dip.verify import FIRST_LOSS_RELATIVE

# Of the first step against the CPU's: 1 - cosine of the gradients. Later steps cannot be compared:
# Adam's first ones multiply any difference by about ten each.
TURNED = {"ieee": 1e-4, "tf32": 0.02, "fp16": 0.02, "bf16": 0.2}
REPEATS = 10


def _experiment(device: str, mode: str, iterations: int) -> Experiment:
    """Give the network in full, on a CPU a narrow one."""
    experiment = Experiment(image="bench/made", mask="bernoulli", iterations=iterations)
    if device == "cuda":
        return replace(experiment, arithmetic=mode)
    return replace(experiment, channels=(8,) * 5)


def _fit(device: str, path: str, mode: str, size: int, iterations: int) -> GraphFit:
    operations = operations_for(path, mode)
    return GraphFit(
        made_task(size), _experiment(device, mode, iterations), device=device,
        operations=operations, block=block_on(device),
    )  # fmt: skip


def block_on(device: str) -> int:
    """Give the iterations between two looks at the history: few where each is slow."""
    return BLOCK if device == "cuda" else 3


def versions(device: str) -> dict[str, Any]:
    """Say what the machine is, and what it can do at best."""
    told: dict[str, Any] = {"environment": environment(device)}
    try:
        import triton

        told["triton"] = triton.__version__
    except ImportError:
        told["triton"] = None
    if device == "cuda":
        asked = subprocess.run(["nvidia-smi", "-q", "-d", "CLOCK,MEMORY,POWER"], text=True,
                               capture_output=True, check=False)  # fmt: skip
        told["nvidia_smi"] = asked.stdout[:4000]
    return told | _ceilings(device)


def _ceilings(device: str) -> dict[str, float]:
    side = 8192 if device == "cuda" else 256
    found: dict[str, float] = {}
    source = torch.rand(side * side * 4, device=device)
    target = torch.empty_like(source)
    seconds = _seconds(device, lambda: target.copy_(source))
    found["copy_gb_s"] = 2 * source.numel() * 4 / seconds / 1e9
    for name, dtype, fast in (
        ("ieee", torch.float32, False), ("tf32", torch.float32, True), ("fp16", torch.float16, True)
    ):  # fmt: skip
        torch.backends.cuda.matmul.allow_tf32 = fast
        a = torch.randn((side, side), device=device).to(dtype)
        seconds = _seconds(device, lambda a=a: a @ a)  # type: ignore[misc]
        found[f"product_{name}_tflop_s"] = 2 * side**3 / seconds / 1e12
    torch.backends.cuda.matmul.allow_tf32 = False
    return found


def _seconds(device: str, act: Callable[[], object]) -> float:
    """Give the seconds of an act, the mean of ten after three."""
    for _ in range(3):
        act()
    _wait(device)
    start = time.perf_counter()
    for _ in range(REPEATS):
        act()
    _wait(device)
    return (time.perf_counter() - start) / REPEATS


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def first(device: str, path: str, mode: str, size: str) -> dict[str, Any]:
    """Compare the first step's loss and gradient with the CPU's."""
    fit = _fit(device, path, mode, int(size), 1)
    loss, gradient = _one_step(fit)  # before there is another fit, which sets the arithmetic anew
    plain = Fit(made_task(int(size)), replace(fit.experiment, arithmetic="default"))
    wanted, direction = _one_step(plain)
    product = float(gradient @ direction)
    apart = abs(loss - wanted) / wanted
    turned = 1 - product / float(np.linalg.norm(gradient) * np.linalg.norm(direction))
    allowed = (FIRST_LOSS_RELATIVE[mode], TURNED[mode])
    good = apart <= allowed[0] and turned <= allowed[1]
    return {"apart": apart, "turned": turned, "allowed": allowed, "good": good}


def _one_step(fit: Fit | GraphFit) -> tuple[float, np.ndarray]:
    """Give the first loss, and its gradient as Adam's running mean has it."""
    loss = next(iter(fit)).loss
    return loss, fit.state()["adam"][1].astype(np.float64)


def trajectory(
    device: str, path: str, mode: str, size: str, steps: str, state: str
) -> dict[str, Any]:
    """Hash the state half way and at the end; half way it is written to, or taken from, a file.

    The second process checks its own half against the file, and goes on from the file's.
    """
    half, place = int(steps) // 2, Path(state)
    fit = _fit(device, path, mode, int(size), int(steps))
    for step in fit:
        if step.iteration == half:
            break
    middle = fit.state()
    told: dict[str, Any] = {"middle": _hash(middle)}
    if place.exists():
        with np.load(place) as arrays:
            kept = dict(arrays)
        fit = _fit(device, path, mode, int(size), int(steps))
        fit.restore(kept)
        told["resumed"] = True
    else:
        np.savez(place, **middle)  # type: ignore[arg-type]
    losses = [step.loss for step in fit]
    return told | {"end": _hash(fit.state()), "loss": losses[-1]}


def _hash(state: dict[str, np.ndarray]) -> str:
    total = hashlib.sha256()
    for name in sorted(state):
        total.update(name.encode())
        total.update(np.ascontiguousarray(state[name]).tobytes())
    return total.hexdigest()


def speed(device: str, path: str, mode: str, size: str, steps: str) -> dict[str, Any]:
    """Time a step of the engine, or of the plain loop (path "plain")."""
    count = int(steps)
    if path == "plain":
        from dip.plain import plain_steps

        torch.backends.cudnn.benchmark = True
        task, experiment = made_task(int(size)), _experiment(device, mode, 10**6)
        assert task.mask is not None
        x0, mask = (torch.from_numpy(p)[None].to(device) for p in (task.x0, task.mask))
        seconds = timed(plain_steps(experiment, x0, mask), count)
    else:
        fit = _fit(device, path, mode, int(size), count + 4 * BLOCK)
        seconds = timed(iter(fit), count, block_on(device))
    peak = torch.cuda.max_memory_reserved() / 2**30 if device == "cuda" else None
    return {"ms": 1e3 * float(np.median(seconds)), "peak_gib": peak}


def profile(device: str, path: str, mode: str, size: str, file: str) -> dict[str, Any]:
    """Write where the time of some steps goes, kernel by kernel, to the end of a file."""
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as recorded

    fit = _fit(device, path, mode, int(size), 10**4)
    steps = iter(fit)
    next(steps)
    kinds = [ProfilerActivity.CUDA] if device == "cuda" else [ProfilerActivity.CPU]
    with recorded(activities=kinds) as found:
        for _ in range(2 * block_on(device)):
            next(steps)
        _wait(device)
    order = "self_cuda_time_total" if device == "cuda" else "self_cpu_time_total"
    table = found.key_averages().table(sort_by=order, row_limit=60, max_name_column_width=110)
    with Path(file).open("a", encoding="utf-8") as out:
        out.write(
            f"== {path}, {mode}, {size}x{size}, about {2 * block_on(device)} steps\n{table}\n"
        )
    return {"kernels": sum(event.count for event in found.key_averages())}


CHECKS: dict[str, Callable[..., dict[str, Any]]] = {
    "versions": versions, "first": first, "trajectory": trajectory, "speed": speed,
    "profile": profile,
}  # fmt: skip

if __name__ == "__main__":
    torch.set_num_threads(max(1, min(8, torch.get_num_threads())))
    print(json.dumps(CHECKS[sys.argv[1]](*sys.argv[2:])))
