"""What a run would take here: seconds, from what others took or from a few steps, and memory.

Nothing here needs torch or numpy.
"""

import json
import math
from collections.abc import Iterable, Mapping
from operator import attrgetter
from pathlib import Path
from statistics import median_high
from typing import Any, NamedTuple

from dip.errors import InputError
from dip.experiments.experiment import KERNELS, TRAJECTORY_REVISION, Experiment, arithmetic_on
from dip.experiments.test_images import ListedImage, named
from dip.network.architecture import input_channels, layers_of, network_side
from dip.planning.jobs import Job, records_in
from dip.records.record import Record

STEPS_TIMED = ".work/speed.json"  # in the folder of results: speeds of `list --measure`
BASELINE_SECONDS = 2.0  # a picture of 512x512 at the slowest
# Multiply-adds of a forward that a second of a whole step is worth, where nothing was measured:
# of one thread of a CPU with AVX-512, and of a GPU.
GUESSED_SPEED = {
    ("cpu", "ieee"): 25e9, ("cpu", "bf16"): 55e9, ("mps", "ieee"): 300e9,
    ("cuda", "ieee"): 3e12, ("cuda", "tf32"): 6e12, ("cuda", "bf16"): 10e12,
}  # fmt: skip
# A narrow network on a small image does a tenth of the work a second that a wide one does.
COMPARABLE = 16
# What the work of a forward depends on, beside the image's size; and those that were counted.
NETWORK = ("z", "z_channels", "channels", "skip_channels", *KERNELS)
_network = attrgetter(*NETWORK)
_works: dict[tuple[Any, ...], float] = {}


class Machine(NamedTuple):
    """What a step is timed on; `threads` are those that a run would get, None off the CPU."""

    kind: str  # cpu, mps, cuda
    model: str
    instruction_set: str | None = None  # None where it is not known
    threads: int | None = None

    def made(self, where: Mapping[str, Any]) -> bool:
        """Whether an environment is of this machine, whatever its threads; a silent one is not."""
        if (where.get("device_kind"), where.get("device")) != (self.kind, self.model):
            return False
        is_like = self.instruction_set in (None, where.get("instruction_set"))
        return self.kind != "cpu" or (is_like and isinstance(where.get("threads"), int))


class Speed(NamedTuple):
    """Seconds an iteration of a run, or of a few steps; `work`: multiply-adds of a forward."""

    environment: dict[str, Any]
    arithmetic: str
    trajectory_revision: int
    work: float
    seconds: float

    @property
    def threads(self) -> int | None:
        """The CPU threads that it was measured with."""
        cpu = self.environment["device_kind"] == "cpu"
        return int(self.environment["threads"]) if cpu else None


class Estimate(NamedTuple):
    """Seconds an iteration; on a CPU with how many threads; `measured`, or a guess."""

    seconds: float
    threads: int | None
    measured: bool


def size_of(experiment: Experiment, images: Mapping[str, ListedImage]) -> tuple[int, int, int]:
    """Height, width and channels of an experiment's image; raises InputError if not listed."""
    image = named(experiment.image, images)
    side = experiment.preview_side
    height, width = (side, side) if side else (image.height, image.width)
    if not (height and width and image.mode):
        raise InputError(f"the size of image '{image.name}' is not listed")
    return height, width, 3 if image.mode == "RGB" else 1


def multiply_adds(experiment: Experiment, images: Mapping[str, ListedImage]) -> float:
    """The multiply-adds of one forward at the experiment's size, without any short cut."""
    height, width, channels = size_of(experiment, images)
    key = (*_network(experiment), height, width, channels)
    if key not in _works:
        layers = layers_of(experiment, input_channels(experiment, channels), channels)
        sides = network_side(height, experiment), network_side(width, experiment)
        _works[key] = float(sum(layer.multiply_adds(*sides) for layer in layers))
    return _works[key]


def seconds_per_iteration(
    experiment: Experiment,
    images: Mapping[str, ListedImage],
    speeds: Iterable[Speed],
    machine: Machine,
) -> Estimate:
    """The seconds of an iteration on a machine, estimated.

    From the `speeds` of this machine in the same precision and revision, with its number of
    threads if there are such: the median of the seconds for each multiply-add among those of the
    nearest size. A run of more than `COMPARABLE` times the work, or less than its share, says
    nothing of this one. Raises InputError if the machine has no such precision.
    """
    precision = arithmetic_on(experiment, machine.kind)
    wanted = precision, TRAJECTORY_REVISION[machine.kind, precision]
    work = multiply_adds(experiment, images)
    known = [
        speed
        for speed in speeds
        if (speed.arithmetic, speed.trajectory_revision) == wanted
        and machine.made(speed.environment)
        and 1 / COMPARABLE <= speed.work / work <= COMPARABLE
    ]
    if not known:
        guess = GUESSED_SPEED[machine.kind, precision] * (machine.threads or 1)
        return Estimate(work / guess, machine.threads, measured=False)
    known = [speed for speed in known if speed.threads == machine.threads] or known
    nearest = min(known, key=lambda speed: abs(math.log(speed.work / work)))
    like = nearest.work, nearest.threads
    same = [speed for speed in known if (speed.work, speed.threads) == like]
    each = median_high(speed.seconds / speed.work for speed in same)
    return Estimate(work * each, nearest.threads, measured=True)


def seconds_of_job(
    job: Job, images: Mapping[str, ListedImage], speeds: Iterable[Speed], machine: Machine
) -> Estimate:
    """The seconds of a whole job, of a baseline or a mean a guess; raises InputError as above."""
    if job.method:
        return Estimate(BASELINE_SECONDS, None, measured=False)
    each = seconds_per_iteration(job.experiment, images, speeds, machine)
    return each._replace(seconds=round(each.seconds * (job.experiment.iterations + 1), 1))


def known_speeds(results: Path, images: Mapping[str, ListedImage]) -> list[Speed]:
    """What records, runs in progress and timed steps say; damaged ones say nothing."""
    found = [*timed_steps(results), *(speed_of(record, images) for record in records_in(results))]
    found += [_of_checkpoint(path, images) for path in results.glob(".work/*/checkpoint.npz")]
    return [speed for speed in found if speed]


def timed_steps(results: Path) -> list[Speed]:
    """What `list --measure` kept; nothing if that is damaged."""
    try:
        rows = json.loads((results / STEPS_TIMED).read_text("utf-8"))
        return [Speed(dict(row[0]), *row[1:3], *map(float, row[3:])) for row in rows]
    except (OSError, ValueError, LookupError, TypeError):
        return []


def speed_of(record: Record, images: Mapping[str, ListedImage]) -> Speed | None:
    """The speed of a recorded run; None of another record, or of an image of unknown size."""
    data, seconds = record.data, record.data["seconds_per_iteration"]
    if record.kind != "run" or seconds is None:
        return None
    try:
        work = multiply_adds(record.experiment, images)
    except InputError:
        return None
    made = data["environment"], data["arithmetic"], data["trajectory_revision"]
    return Speed(*made, work, seconds)


def _of_checkpoint(path: Path, images: Mapping[str, ListedImage]) -> Speed | None:
    """Read of a checkpoint its first array alone, which is text behind a short header."""
    import zipfile
    import zlib

    try:
        with zipfile.ZipFile(path) as archive:
            content = archive.read("told.npy")
        plain = json.loads(content[content.index(b"{", content.index(b"\n")) :])
        made, told = plain["described"], plain["told"]
        work = multiply_adds(Experiment.from_dict(made["experiment"]), images)
        seconds = float(told["seconds"]) / (told["rows"][-1][0] + 1)
        revision = made["trajectory_revision"]
        return Speed(made, made["arithmetic"], revision, work, seconds)
    except (OSError, ValueError, LookupError, TypeError, RuntimeError, InputError,
            zipfile.BadZipFile, zlib.error):  # fmt: skip
        return None


# Memory: one estimate, for every message that speaks of it

# Bytes that a process takes at its peak beyond those of one that has only imported torch, fitted
# to the engine's peaks on a CPU, float32, one thread: 32, 64 and 128 channels, 128 to 512 pixels a
# side, one colour and three. It was within 6% of all of them but one (64 channels: 13% below).
FIXED = 80 * 2**20  # of libraries, and of room that the allocator keeps
OF_PARAMETER = 64  # parameters, moments, their previous values, gradient, scratch arrays
OF_CHANNEL = 20.5  # of a pixel, for each channel of its scale: arrays between two convolutions
OF_COLOUR = 520  # of a pixel: the last 100 outputs, and what is followed along with them
OF_Z = 16  # of a pixel, for each channel of z
OF_PIXEL = 530  # the rest
HALF = 0.5  # by reasoning, not measured: arrays between convolutions have 16 bits for 32
SPARE = 0.8  # the part of free memory that is counted on


def bytes_needed(experiment: Experiment, shape: tuple[int, int, int], precision: str) -> int:
    """Estimated bytes that a fit of a (C, H, W) image takes at its peak, beyond torch's."""
    fixed, of_pixel = _memory_terms(experiment, shape[0], precision)
    height, width = (network_side(side, experiment) for side in shape[1:])
    return round(fixed + of_pixel * height * width)


def side_that_fits(
    experiment: Experiment, shape: tuple[int, int, int], precision: str, free: int
) -> int:
    """The longest side, in steps of 32 pixels, of a like picture that would fit; 0 if none."""
    fixed, of_pixel = _memory_terms(experiment, shape[0], precision)
    pixels = max(0.0, SPARE * free - fixed) / of_pixel
    return int(max(shape[1:]) * math.sqrt(pixels / (shape[1] * shape[2]))) // 32 * 32


def _memory_terms(experiment: Experiment, colours: int, precision: str) -> tuple[float, float]:
    """The bytes that any picture takes, and those of each pixel."""
    z_channels = input_channels(experiment, colours)
    layers = layers_of(experiment, z_channels, colours)
    of_channel = OF_CHANNEL * (HALF if precision == "bf16" else 1)
    wide = sum(channels / 4**scale for scale, channels in enumerate(experiment.channels))
    of_pixel = of_channel * wide + OF_Z * z_channels + OF_COLOUR * colours + OF_PIXEL
    return FIXED + OF_PARAMETER * sum(layer.parameters for layer in layers), of_pixel


def size(count: int) -> str:
    """A number of bytes for a person: 350 MiB, 1.4 GiB."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
