"""`dip bench`, `dip parity`, `dip list --measure`: how fast and how good the engine is."""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import replace
from math import sqrt
from multiprocessing import get_context
from pathlib import Path
from statistics import mean, median, stdev
from typing import TYPE_CHECKING, Any

from dip.errors import InputError
from dip.experiments.experiment import (
    KERNELS,
    TRAJECTORY_REVISION,
    Experiment,
    arithmetic_on,
    device_kind,
)  # fmt: skip
from dip.experiments.suites import load_suites
from dip.experiments.test_images import ListedImage, load_images
from dip.files import write_text_whole
from dip.planning import estimates
from dip.planning.jobs import choose_jobs, find_suites, record_of
from dip.records.environment import choose_device, environment
from dip.records.record import Record
from dip.runs.progress import Interrupts

if TYPE_CHECKING:
    from dip.tasks.degradations import Task

# Ours; a textbook loop in torch's own layout; and the same in ours, so that no gain is owed to it.
LOOPS = ("engine", "plain", "plain-channels-last")
ROUNDS = 2  # child processes for each loop, in turn
UNCOUNTED = 250  # iterations that a run has beyond those counted, at least
WARM_UP = 6  # steps that are not counted: the heap, libraries and caches come to rest
OF_SPEED = ("z_channels", "channels", "skip_channels", *KERNELS, "arithmetic")
LEAST_PLAIN, BLOCK = 64, 32  # what the plain loop can do without padding


def bench(args: argparse.Namespace) -> int:
    """Time an inpainting of `args.size` pixels a side by each loop, as JSON with `args.json`.

    Each loop runs in child processes of its own, in turn; `args.precision` is the engine's alone,
    the plain loops keep to torch's defaults. Prints medians in seconds an iteration, their ratios,
    and where they were measured; nothing is written. Raises InputError if a child fails.
    """
    size, device = args.size, choose_device(args.device)
    experiment = Experiment(
        image="bench/made", mask="bernoulli", iterations=args.steps + UNCOUNTED,
        arithmetic=args.precision,
    )  # fmt: skip
    precision = arithmetic_on(experiment, device_kind(device))
    seconds: dict[str, list[float]] = {loop: [] for loop in LOOPS}
    for loop in LOOPS * ROUNDS:
        seconds[loop] += timed(loop, size, args.steps, experiment, device, args.threads)
    engine, plain, channels_last = (median(seconds[loop]) for loop in LOOPS)
    where = environment(device) | ({"threads": args.threads} if args.threads else {})
    found = {
        "size": size, "steps": args.steps, "device": device, "rounds": ROUNDS,
        "arithmetic": precision, "engine_s": engine, "plain_s": plain,
        "plain_channels_last_s": channels_last, "ratio": plain / engine,
        "ratio_channels_last": channels_last / engine, "environment": where,
    }  # fmt: skip
    print(json.dumps(found, indent=1) if args.json else _table(found))
    return 0


def _table(found: dict[str, Any]) -> str:
    """What a bench found, for a person."""
    threads = f", {found['environment']['threads']} threads" if found["device"] == "cpu" else ""
    lines = [f"{found['size']}x{found['size']}, {found['device']}, {found['arithmetic']}{threads}"]
    for loop in LOOPS:
        seconds = found[f"{loop.replace('-', '_')}_s"]
        lines.append(f"{loop:20} {seconds * 1e3:9.1f} ms an iteration")
    lines.append(f"{'plain / engine':20} {found['ratio']:9.2f}")
    lines.append(f"{'channels last / engine':20} {found['ratio_channels_last']:7.2f}")
    return "\n".join(lines)


def timed(loop: str, size: int, *rest: Any) -> list[float]:
    """`seconds_of`, in a process of its own; raises InputError if that fails."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as child:
        try:
            return child.submit(seconds_of, loop, size, *rest).result()
        except Exception as error:  # noqa: BLE001 (whatever ended it)
            last = (str(error).strip().splitlines() or [type(error).__name__])[-1]
            raise InputError(f"the {loop} loop failed at {size}x{size}: {last}") from None


def seconds_of(
    loop: str, size: int, count: int, experiment: Experiment, device: str, threads: int | None
) -> list[float]:
    """Seconds of each of `count` steps of a loop after the warm-up; each step reads its loss."""
    import torch

    from dip.engine.fit import Fit
    from dip.network.plain import plain_steps

    if threads:
        torch.set_num_threads(threads)
    task, together = made_task(size), 1
    if loop == "engine":
        steps: Any = Fit(task, experiment, device=device)
        together = steps.block  # on CUDA steps come in blocks, so whole ones are timed
    else:
        torch.backends.cudnn.benchmark = True
        steps = plain_steps(task, experiment, device, channels_last=loop == "plain-channels-last")
    steps = iter(steps)
    for _ in range(WARM_UP if together == 1 else together + 1):
        next(steps)
    seconds = []
    for _ in range(-(-count // together)):
        start = time.perf_counter()
        for _ in range(together):
            next(steps)
        seconds.append((time.perf_counter() - start) / together)
    return seconds


def measure(
    experiments: Iterable[Experiment], images: Mapping[str, ListedImage], here: estimates.Machine,
    args: argparse.Namespace,
) -> None:  # fmt: skip
    """Time three steps of each precision, network and size among experiments; keep the least."""
    device, found = choose_device(args.device), estimates.timed_steps(args.results)
    where = environment(device) | ({"threads": here.threads} if here.threads else {})
    revisions = {p: r for (kind, p), r in TRAJECTORY_REVISION.items() if kind == here.kind}
    known = {
        (speed.arithmetic, speed.work)
        for speed in found
        if here.made(speed.environment)
        and speed.trajectory_revision == revisions.get(speed.arithmetic)
    }
    for experiment in experiments:
        precision = arithmetic_on(experiment, here.kind)
        height, width, _ = estimates.size_of(experiment, images)
        side = max(LEAST_PLAIN, round(sqrt(height * width) / BLOCK) * BLOCK)
        work = estimates.multiply_adds(replace(experiment, preview_side=side), images)
        if (precision, work) not in known:
            like = {name: getattr(experiment, name) for name in OF_SPEED}
            made = Experiment(image="bench/made", mask="bernoulli", **like)
            seconds = min(timed("engine", side, 3, made, device, here.threads))
            found.append(estimates.Speed(where, precision, revisions[precision], work, seconds))
            known.add((precision, work))
            write_text_whole(args.results / estimates.STEPS_TIMED, json.dumps(found))
            print(f"{side}x{side}, {precision}: {seconds:.3f} s an iteration", file=sys.stderr)


def made_task(size: int) -> "Task":
    """An inpainting of waves, grey, `size` pixels a side, half of them missing; needs no file."""
    import numpy as np

    from dip.tasks.degradations import inpainting

    rows, columns = np.mgrid[0:size, 0:size] / size
    x = (0.5 + 0.4 * np.sin(9 * columns + 6 * rows**2))[None].astype(np.float32)
    return inpainting(x, np.random.default_rng(0).random((size, size)) < 0.5, x)


def parity(args: argparse.Namespace) -> int:
    """Print the PSNR of recorded inpainting runs beside that of plain loops, and the means.

    A plain loop sees the same degraded image and has the same settings, but torch's own weights, z
    and noise, so that one image differs as two seeds do: the means count. Its scores are kept in
    `results/.work/parity`. Raises InputError if nothing is recorded.
    """
    interrupts, device = Interrupts(args.time_limit), choose_device(args.device)
    images = load_images(args.content / "images.toml")
    suites = find_suites(load_suites(args.content / "experiments.toml"), [args.suite])
    jobs = [job for job in choose_jobs(suites, args.image or ()) if job.method is None]
    found = [record_of(job, args.results, images) for job in jobs]
    inpainted = (record for record in found if record and record.experiment.task == "inpainting")
    # Of a run that diverged there is no score.
    records = [one for one in inpainted if one.metrics["final"]["psnr_db"] is not None]
    if not records:
        raise InputError(f"no inpainting run of '{args.suite}' is recorded", args.results)
    pairs = []
    for record in records:
        plain_db = _plain_psnr_db(record, args, device, interrupts)
        if plain_db is None:
            print("stopped; the pictures that are done are kept", flush=True)
            return interrupts.exit_code()
        pairs.append((plain_db, float(record.metrics["final"]["psnr_db"])))
        print(f"{record.folder.relative_to(args.results)}: {_in_words(*pairs[-1])}", flush=True)
    print(f"mean of {len(pairs)}: {_in_words(*map(mean, zip(*pairs, strict=True)))}", end="")
    differences = [engine_db - plain_db for plain_db, engine_db in pairs]
    several = len(pairs) > 1
    print(f", standard error {stdev(differences) / sqrt(len(pairs)):.2f} dB" if several else "")
    return 0


def _in_words(plain_db: float, engine_db: float) -> str:
    difference_db = engine_db - plain_db
    return f"plain {plain_db:.2f}, engine {engine_db:.2f} dB ({difference_db:+.2f})"


def _plain_psnr_db(
    record: Record, args: argparse.Namespace, device: str, interrupts: Interrupts
) -> float | None:
    """PSNR of a plain loop's last output in dB, kept when it is whole; None if asked to stop."""
    import torch

    from dip.engine.precision import set_precision
    from dip.network.plain import plain_steps
    from dip.tasks.degradations import make_task
    from dip.tasks.images import load_all
    from dip.tasks.metrics import psnr_db

    place = Path(args.results) / f".work/parity/{record.key}-{device_kind(device)}.json"
    with suppress(OSError, ValueError, KeyError, TypeError):
        return float(json.loads(place.read_text(encoding="utf-8"))["psnr_db"])
    if args.threads:
        torch.set_num_threads(args.threads)
    set_precision(record.data["arithmetic"], device)
    experiment, images = record.experiment, load_images(args.content / "images.toml")
    task = make_task(experiment, load_all(experiment.images(), images, args.images))
    block = 2 ** len(experiment.channels)
    if any(side % block for side in task.shape[1:]):
        raise InputError(f"the plain loop needs sides in steps of {block} pixels", record.folder)
    assert task.x is not None
    output = task.x0
    for _, image in plain_steps(task, experiment, device):
        if interrupts.should_stop():
            return None
        output = image[0].cpu().numpy()
    found_db = psnr_db(output, task.x)
    found = {"psnr_db": found_db, "environment": environment(device)}
    write_text_whole(place, json.dumps(found, indent=1) + "\n")
    return found_db
