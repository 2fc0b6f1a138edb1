"""What a record of a run says and shows, and where it is put."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from dip.experiments.experiment import Experiment, arithmetic_on, key
from dip.experiments.test_images import ListedImage, named
from dip.planning.estimates import bytes_needed, side_that_fits, size
from dip.planning.jobs import Job, pixels_of
from dip.records.environment import commit, free_memory
from dip.records.record import Record, write_record
from dip.records.superseded import put_in_place
from dip.tasks.degradations import Task
from dip.tasks.images import load_all

if TYPE_CHECKING:
    from dip.engine.fit import Step

EVERY_STEP_UNTIL, THEN_EVERY = 1000, 10  # the iterations that a curve has


class Listener(Protocol):
    """Who is told of a run while it goes on."""

    def begin(self, name: str, first: int, last: int) -> None:
        """A run begins at iteration `first` and will end at `last`."""

    def step(self, step: "Step") -> None:
        """A step was done."""

    def say(self, sentence: str) -> None:
        """Something is worth a line."""


class Silence:
    """A listener that keeps silent."""

    def begin(self, name: str, first: int, last: int) -> None:
        """Keep silent."""

    def step(self, step: "Step") -> None:
        """Keep silent."""

    def say(self, sentence: str) -> None:
        """Keep silent."""


@dataclass(frozen=True)
class Setting:
    """Where and with what runs are made."""

    results: Path
    images: Mapping[str, ListedImage]
    image_folder: Path | None = None
    device: str = "cpu"
    threads: int | None = None  # of the CPU; None leaves torch's choice
    checkpoint_seconds: float = 30.0
    listener: Listener = field(default_factory=Silence)
    should_stop: Callable[[], bool] = bool

    def load(self, experiment: Experiment) -> dict[str, np.ndarray]:
        """Load every image that an experiment reads, (C, H, W) float32 in [0, 1]."""
        return load_all(experiment.images(), self.images, self.image_folder)


def frames_of(experiment: Experiment) -> set[int]:
    """Space the scrubber's frames over the iterations, closest at the beginning (cubes)."""
    count = experiment.frames
    return (
        {round(experiment.iterations * (i / (count - 1)) ** 3) for i in range(count)}
        if (count > 1)
        else set()
    )


def in_curve(iteration: int, last: int) -> bool:
    """Tell whether a curve has `iteration`: each to 1,000, then every tenth, and the last."""
    return iteration <= EVERY_STEP_UNTIL or iteration % THEN_EVERY == 0 or iteration == last


def keeps_pictures(experiment: Experiment, images: Mapping[str, ListedImage]) -> bool:
    """Tell whether a record has pictures: its suite keeps them, and the image may be shown."""
    return experiment.pictures and named(experiment.image, images).show


def pictured(experiment: Experiment, show: bool) -> set[int]:
    """Give the iterations of which a picture is kept: past seed 0 the last one only."""
    if not (show and experiment.pictures):
        return set()
    if experiment.seed != 0:
        return {experiment.iterations}
    return {*experiment.snapshots, *frames_of(experiment), experiment.iterations}


def input_is_the_image(experiment: Experiment) -> bool:
    """Tell whether the input is a clean test image, of which no record keeps a copy.

    The photographs of jpeg and flash are degraded observations, kept like every other input.
    """
    return experiment.task == "fit" and experiment.target == "image"


def described(
    job: Job,
    setting: Setting,
    task: Task,
    mode: str,
    revision: int,
    made_at: tuple[str | None, bool] | None = None,
) -> dict[str, Any]:
    """Give of run.json what says what was run."""
    head, dirty = made_at or commit()
    pixels = pixels_of(job.experiment, setting.images)
    channels, height, width = task.shape
    return {
        "kind": job.kind, "suite": job.suite.name,
        "image": job.experiment.image, "seed": job.experiment.seed, "method": job.method,
        "experiment": job.experiment.to_dict(),
        "key": key(job.experiment, pixels, mode, revision), "pixels_sha256": pixels,
        "arithmetic": mode, "trajectory_revision": revision,
        "height": height, "width": width, "channels": channels,
        "commit": head, "commit_dirty": dirty,
    }  # fmt: skip


def put(
    job: Job,
    setting: Setting,
    data: Mapping[str, Any],
    pictures: Mapping[str, bytes],
    files: Mapping[str, bytes],
    local_files: Mapping[str, bytes] | None = None,
) -> Record:
    """Write a record where it belongs; once it is whole, the one that stood there is moved aside."""
    named_pictures = {f"snapshots/{name}.webp": data for name, data in pictures.items()}

    def stand(fresh: Path, folder: Path) -> None:
        aside = put_in_place(fresh, folder, setting.results)
        if aside:
            setting.listener.say(f"{job.name}: the old record is now {aside}")

    place = job.folder(setting.results)
    return write_record(place, data, {**files, **named_pictures}, stand, local_files)


def webp(picture: np.ndarray) -> bytes:
    """Write (C, H, W) in [0, 1] as a lossless WebP of 8 bit."""
    from PIL import Image

    levels = np.round(np.clip(np.nan_to_num(picture), 0, 1) * 255).astype(np.uint8)
    pixels = levels[0] if len(levels) == 1 else np.ascontiguousarray(levels.transpose(1, 2, 0))
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "WEBP", lossless=True, quality=80, method=4)
    return stream.getvalue()


def what_would_fit(experiment: Experiment, setting: Setting) -> str:
    """Say how much memory a run needs, and the size of picture for which there would be enough."""
    image = named(experiment.image, setting.images)
    side = experiment.preview_side
    width, height = (side, side) if side else (image.width, image.height)
    shape = (3 if image.mode == "RGB" else 1, height, width)
    precision = arithmetic_on(experiment, setting.device.split(":")[0])
    needed = size(bytes_needed(experiment, shape, precision))
    sentence = f"out of memory: {width}x{height} pixels need about {needed}"
    free = free_memory(setting.device)
    if free is None:
        return f"{sentence}; try a smaller picture"
    fits = side_that_fits(experiment, (shape[0], 1, 1), precision, free)
    would = f"about {fits}x{fits} pixels would fit" if fits else "too little for any picture"
    return f"{sentence}, {size(free)} are free: {would}"


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
