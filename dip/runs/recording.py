"""What a record of a run says and shows."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from dip.experiments.experiment import Experiment, arithmetic_on, device_kind
from dip.experiments.test_images import ListedImage, named
from dip.planning.estimates import bytes_needed, side_that_fits, size, size_of
from dip.planning.jobs import Job
from dip.records.environment import commit, environment, free_memory
from dip.records.record import identity
from dip.runs.progress import Listener
from dip.tasks.degradations import Task, make_task
from dip.tasks.images import load_all
from dip.tasks.metrics import scores

EVERY_STEP_UNTIL, THEN_EVERY = 1000, 10  # the iterations that a curve has


@dataclass(frozen=True)
class RunContext:
    """Where and with what runs are made: folders, device, who listens, when to stop."""

    results: Path
    images: Mapping[str, ListedImage]
    image_folder: Path | None = None
    device: str = "cpu"
    threads: int | None = None  # of the CPU; None leaves torch's choice
    checkpoint_seconds: float = 30.0
    listener: Listener = field(default_factory=Listener)
    should_stop: Callable[[], bool] = bool
    keeps_records: bool = False  # a run that another process recorded meanwhile is not made anew

    def task(self, experiment: Experiment) -> Task:
        """The task of an experiment, from the test images that it reads; raises InputError."""
        images = load_all(experiment.images(), self.images, self.image_folder)
        return make_task(experiment, images)


def frames_of(experiment: Experiment) -> set[int]:
    """The iterations of the scrubber's frames, closest at the beginning (cubes)."""
    last, gaps = experiment.iterations, experiment.frames - 1
    return {round(last * (i / gaps) ** 3) for i in range(gaps + 1)} if gaps > 0 else set()


def in_curve(iteration: int, last: int) -> bool:
    """Whether a curve has `iteration`: each to 1,000, then every tenth, and the last."""
    return iteration <= EVERY_STEP_UNTIL or iteration % THEN_EVERY == 0 or iteration == last


def pictured(experiment: Experiment, show: bool) -> set[int]:
    """The iterations of which a picture is kept: past seed 0 the last one only."""
    if not (show and experiment.pictures):
        return set()
    if experiment.seed != 0:
        return {experiment.iterations}
    return {*experiment.snapshots, *frames_of(experiment), experiment.iterations}


def input_is_the_image(experiment: Experiment) -> bool:
    """Whether the input is a test image as it is, of which no record keeps a copy."""
    is_clean = experiment.task == "fit" and experiment.target == "image"
    return is_clean or keeps_change(experiment)


def keeps_change(experiment: Experiment) -> bool:
    """Whether a record has a map of what was changed, since its input is a photograph as it is."""
    return experiment.task in ("jpeg", "flash")


def change(output: np.ndarray, given: np.ndarray) -> np.ndarray:
    """How far an output is from what was given, eightfold, the mean over the channels: (1, H, W).

    The photograph itself cannot be made from it.
    """
    found: np.ndarray = 8 * np.abs(output - given).mean(axis=0, keepdims=True)
    return found


@dataclass(frozen=True)
class Finished:
    """All that is written of a run, a baseline or a mean: run.json, and files by name."""

    data: dict[str, Any]
    pictures: Mapping[str, bytes]  # WebP
    files: Mapping[str, bytes] = field(default_factory=dict)
    local_files: Mapping[str, bytes] = field(default_factory=dict)  # these stay on this machine


def provenance(
    job: Job, what: Mapping[str, Any], task: Task, at: tuple[str | None, bool] | None = None
) -> dict[str, Any]:
    """The part of run.json that says what was run, and by which code (`at`, now's if not given).

    `what` is the identity of the job.
    """
    head, dirty = at or commit()
    channels, height, width = task.shape
    return {
        "kind": job.kind, "suite": job.suite.name,
        "image": job.experiment.image, "seed": job.experiment.seed, "method": job.method,
        **what, "height": height, "width": width, "channels": channels,
        "commit": head, "commit_dirty": dirty,
    }  # fmt: skip


def of_one_output(
    job: Job, context: RunContext, task: Task, output: np.ndarray, started: str, seconds: float
) -> Finished:
    """What is recorded of a baseline or a mean: its `output`, (C, H, W), made on the CPU."""
    data = {
        **provenance(job, identity(job.experiment, context.images), task),
        "metrics": {
            "input": scores(task, task.shown), "snapshots": {}, "final": scores(task, output),
            "average": None, "clean_z": None,
        },
        "stops": {}, "spikes": 0, "environment": environment("cpu"), "started": started,
        "seconds": round(seconds, 3), "seconds_per_iteration": None,
    }  # fmt: skip
    kept = job.experiment.pictures and named(job.experiment.image, context.images).show
    return Finished(data, {"output": webp(output)} if kept else {})


def webp(picture: np.ndarray) -> bytes:
    """(C, H, W) in [0, 1] as the bytes of a lossless WebP of 8 bit."""
    from PIL import Image

    levels = np.round(np.clip(np.nan_to_num(picture), 0, 1) * 255).astype(np.uint8)
    pixels = levels[0] if len(levels) == 1 else np.ascontiguousarray(levels.transpose(1, 2, 0))
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "WEBP", lossless=True, quality=80, method=4)
    return stream.getvalue()


def what_would_fit(experiment: Experiment, context: RunContext) -> str:
    """How much memory a run needs, and for which size of image there would be enough."""
    height, width, channels = size_of(experiment, context.images)
    precision = arithmetic_on(experiment, device_kind(context.device))
    needed = size(bytes_needed(experiment, (channels, height, width), precision))
    sentence = f"out of memory: {width}x{height} pixels need about {needed}"
    free = free_memory(context.device)
    fits = side_that_fits(experiment, (channels, 1, 1), precision, free)
    would = f"about {fits}x{fits} pixels would fit" if fits else "too little for any picture"
    return f"{sentence}, {size(free)} are free: {would}"


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
