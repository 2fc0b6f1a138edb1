"""One frozen description is the experiment: its settings, its key, and the suites that list it.

Nothing here needs torch or numpy, so that a page can be printed from records alone.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Any, Self, get_args, get_origin

from dip.errors import InputError, nearest

CHOICES: dict[str, tuple[str, ...]] = {
    "task": ("inpainting", "denoising", "super-resolution", "fit", "jpeg", "flash"),
    "target": ("image", "noisy", "shuffled", "shuffled-channels", "noise"),
    "z": ("uniform", "meshgrid", "guide"),
    "upsampling": ("bilinear", "nearest"),
    "initialisation": ("torch", "kaiming"),
    "spike_return": ("state", "weights"),
    "arithmetic": ("default", "ieee", "tf32", "bf16"),
}

# Settings that are gone, each with the only value it may have: records and suites still name them.
RETIRED: dict[str, Any] = {
    "padding": "reflection",
    "noise_accumulates": False,
    "biases_before_norm": "held",
}

# What is reported about a run, but does not move its numbers: no part of the key.
REPORTING = ("snapshots", "frames", "pictures", "variant")

# Raised for a kind of device and a mode of arithmetic only when recorded bits change.
TRAJECTORY_REVISION: dict[tuple[str, str], int] = {
    ("cpu", "ieee"): 2, ("cpu", "bf16"): 1, ("mps", "ieee"): 2,
    ("cuda", "ieee"): 1, ("cuda", "tf32"): 1, ("cuda", "bf16"): 1,
}  # fmt: skip

DEFAULT_ARITHMETIC = {"cpu": "ieee", "mps": "ieee", "cuda": "tf32"}

NUMBERS: dict[type, Any] = {int: (int, Integral), float: (float, Real)}
PLAIN = (str, bool, int)  # types whose values stand as they are
SEEDS = 2**64  # Philox has keys of 64 bits
OF_SEEDS = ("seed", "problem_seed")
LARGE = 2**31  # no other integer is, as torch counts
MOST_SCALES = 16  # an image is halved so often
KERNELS = ("kernel_down", "kernel_up", "kernel_skip")
# Rules for some settings: whether a value is possible, and what it is not if it is not.
Rule = tuple[tuple[str, ...], Callable[[Any], bool], str]
NOT_NEGATIVE = ("seed", "problem_seed", "noise_255", "z_max", "sigma_p", "slope", "frames")
RULES: tuple[Rule, ...] = (
    (NOT_NEGATIVE, lambda value: value >= 0, "at least 0"),
    (("preview_side", "z_channels", "iterations"), lambda value: value >= 1, "at least 1"),
    (("factor",), lambda value: value in (1, 4, 8), "4 or 8"),
    (OF_SEEDS, lambda value: value < SEEDS, "below 2**64"),
    (("learning_rate", "spike_factor"), lambda value: value > 0, "more than 0"),
    (("keep",), lambda value: 0 < value < 1, "between 0 and 1"),
    (("average_decay",), lambda value: 0 <= value < 1, "from 0 to below 1"),
    (KERNELS, lambda side: side > 0 and side % 2 == 1, "odd and positive, so it has no middle"),
)

# Settings that only some experiments read; elsewhere they would promise what is not done.
Reader = tuple[str, Callable[["Experiment"], bool], str]
READERS: tuple[Reader, ...] = (
    ("mask", lambda one: one.task == "inpainting", 'task = "inpainting"'),
    ("keep", lambda one: one.mask == "bernoulli", 'mask = "bernoulli"'),
    ("factor", lambda one: one.task == "super-resolution", 'task = "super-resolution"'),
    ("target", lambda one: one.task == "fit", 'task = "fit"'),
    (
        "noise_255",
        lambda one: one.task == "denoising" or one.target == "noisy",
        'task = "denoising" or target = "noisy"',
    ),
    ("guide", lambda one: one.task == "flash", 'task = "flash"'),
)


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """All that moves the numbers of one run, and what is to be reported of it.

    The network and its fit default to the settings for super-resolution, which the supplement
    gives as the default ones; what it leaves open is chosen by us and marked so.
    """

    # The picture and what was done to it
    image: str  # "<set>/<name>" of content/images.toml
    seed: int = 0  # network, z, noise and mask
    problem_seed: int | None = (
        None  # of the degradation alone (its noise, mask, order), if not `seed`
    )
    task: str = "inpainting"
    preview_side: int | None = None  # reduce and crop to a square of this many pixels a side
    mask: str | None = None  # "bernoulli", or the name of a mask image (white = known)
    keep: float = 0.5  # Bernoulli: probability that a pixel is known
    noise_255: float = 0.0  # standard deviation of the degrading noise, in grey levels of 255
    factor: int = 1  # super-resolution: 4 or 8
    target: str = "image"  # task "fit", figure 2: one of CHOICES
    guide: str | None = None  # flash/no-flash: the image that stands in for z

    # z, section 3 and supplement
    z: str = "uniform"
    z_channels: int = 32
    z_max: float = 0.1  # z is uniform on [0, z_max]

    # The network, supplement
    channels: tuple[int, ...] = (128, 128, 128, 128, 128)  # n_d = n_u, from the finest scale
    skip_channels: tuple[int, ...] = (4, 4, 4, 4, 4)  # n_s; 0 = no skip connection
    kernel_down: int = 3
    kernel_up: int = 3
    kernel_skip: int = 1
    upsampling: str = "bilinear"
    align_corners: bool = False  # open in the paper
    slope: float = 0.2  # LeakyReLU; open in the paper
    initialisation: str = "torch"  # open in the paper

    # The fit
    iterations: int = 2000  # updates of theta
    learning_rate: float = 0.01  # Adam, constant
    sigma_p: float = 1 / 30  # fresh Gaussian noise on z in each iteration
    average_decay: float = 0.99  # exponential sliding window over the outputs
    spike_factor: float | None = 2.0  # roll back one iterate if loss >= factor x running loss
    # what is rolled back: "state", Adam's means too, as if the step had not been taken; or
    # "weights" alone, while the means take in the spike's gradient, which shortens the next steps
    spike_return: str = "state"
    arithmetic: str = "default"  # default: ieee on the CPU, tf32 on CUDA

    # The report
    snapshots: tuple[int, ...] = ()  # iterations whose output is kept and scored
    frames: int = 0  # further outputs, spaced for the scrubber
    pictures: bool = True  # False: scores and curve only
    variant: str = ""  # tells apart the runs of one image in one suite

    def __new__(cls, *_: Any, **settings: Any) -> Self:
        """Raise InputError if there is no such setting."""
        known = [field.name for field in fields(cls)]
        for name in settings:
            if name not in known:
                raise InputError(f"unknown setting '{name}'{nearest(name, known)}")
        return super().__new__(cls)

    def __post_init__(self) -> None:
        """Raise InputError if a setting has the wrong type, or is impossible."""
        for name, kind, may_be_none in _kinds():
            value = getattr(self, name)
            if type(value) is kind and kind in PLAIN:
                continue
            if value is not None or not may_be_none:  # 25 as 25.0, a list as a tuple
                object.__setattr__(self, name, _as_type(name, kind, value))
        for name, choices in CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                near = nearest(str(value), choices)
                raise InputError(f"{name} is '{value}', not one of {', '.join(choices)}{near}")
        _check_numbers(self)
        _check_task(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Experiment":
        """The experiment of plain values, retired ones too; raises InputError for others."""
        for name, value in data.items():
            if name in RETIRED and value != RETIRED[name]:
                raise InputError(
                    f"the setting '{name}' was retired: it is always {_plain(RETIRED[name])},"
                    f" not {_plain(value)}"
                )
        return cls(**{name: value for name, value in data.items() if name not in RETIRED})

    def to_dict(self) -> dict[str, Any]:
        """Every setting as a plain value, for a record."""
        values = vars(self).items()
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values}

    def canonical(self) -> dict[str, Any]:
        """What moves the numbers, without what stands at its default.

        So a setting that is added later, with a default that changes nothing, orphans no record.
        """
        plain = self.to_dict()
        return {
            field.name: plain[field.name]
            for field in fields(self)
            if field.name not in REPORTING
            and field.name != "arithmetic"
            and (field.default is MISSING or getattr(self, field.name) != field.default)
        }

    @property
    def degradation_seed(self) -> int:
        """The seed of what is random about the problem: its noise, its mask, its order."""
        return self.seed if self.problem_seed is None else self.problem_seed

    @property
    def case(self) -> str:
        """What a suite makes of an image: "<set>/<name>", with "-<variant>" if it has some."""
        return f"{self.image}-{self.variant}" if self.variant else self.image

    def images(self) -> tuple[str, ...]:
        """The names of the images that the run reads: the picture, its mask, its guide."""
        names = (self.image, self.mask if self.mask != "bernoulli" else None, self.guide)
        return tuple(name for name in names if name)


def _plain(value: Any) -> str:
    """A setting's value as a TOML file has it, but for the quotes."""
    return json.dumps(value, default=str) if not isinstance(value, str) else f"'{value}'"


def _check_task(experiment: Experiment) -> None:
    defaults = {field.name: field.default for field in fields(Experiment)}
    for name, reads, readers in READERS:
        value = getattr(experiment, name)
        if value != defaults[name] and not reads(experiment):
            raise InputError(f"{name} is {_plain(value)}, which is read only with {readers}")
    if experiment.task == "super-resolution" and experiment.factor == 1:
        raise InputError("super-resolution needs factor = 4 or factor = 8")
    if experiment.task == "inpainting" and not experiment.mask:
        raise InputError("inpainting needs a mask: 'bernoulli' or the name of a mask image")


@cache
def _kinds() -> list[tuple[str, type, bool]]:
    """Each setting's name, its type, `tuple` for tuple[int, ...], and whether it may be None."""
    found = []
    for field in fields(Experiment):
        kinds = get_args(field.type) if isinstance(field.type, UnionType) else (field.type,)
        found.append((field.name, get_origin(kinds[0]) or kinds[0], NoneType in kinds))
    return found


def _as_type(name: str, kind: type, value: Any) -> Any:
    """A plain value as one of `kind`; raises InputError."""
    if kind is tuple and isinstance(value, list | tuple):
        return tuple(_as_type(name, int, number) for number in value)
    # Numbers of Python's or numpy's; a truth value is none.
    if isinstance(value, NUMBERS.get(kind, ())) and not isinstance(value, bool):
        return int(value) if kind is int else _finite(name, value)
    raise InputError(f"{name}: expected {kind.__name__}, got {value!r}")


def _finite(name: str, value: float) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InputError(f"{name} is {number}, not a finite number")
    return number


def _check_numbers(settings: Experiment) -> None:
    """Raise InputError, beginning with the setting's name, where a number is impossible."""
    for name, value in vars(settings).items():
        numbers = value if isinstance(value, tuple) else (value,)
        if name not in OF_SEEDS and any(isinstance(one, int) and one >= LARGE for one in numbers):
            raise InputError(f"{name} is too large, not below 2**31")
    for names, is_possible, words in RULES:
        for name in names:
            value = getattr(settings, name)
            if value is not None and not is_possible(value):
                raise InputError(f"{name} is {value}, not {words}")
    if len(settings.channels) != len(settings.skip_channels) or not settings.channels:
        raise InputError("channels and skip_channels need one number each for every scale")
    if len(settings.channels) > MOST_SCALES:
        raise InputError(f"channels has {len(settings.channels)} scales, more than {MOST_SCALES}")
    for name, least in (("channels", 1), ("skip_channels", 0)):
        if min(getattr(settings, name)) < least:
            raise InputError(f"{name} has {min(getattr(settings, name))}, not at least {least}")
    beyond = [k for k in settings.snapshots if not 0 <= k <= settings.iterations]
    if beyond:
        raise InputError(
            f"snapshot {beyond[0]} is not between 0 and {settings.iterations} iterations"
        )


def key(experiment: Experiment, pixels: Mapping[str, str], arithmetic: str, revision: int) -> str:
    """The hash of what a run's numbers depend on: 16 hexadecimal digits.

    `pixels` maps each of `experiment.images()` to the SHA-256 of its pixels; `arithmetic` is
    ieee, tf32 or bf16; `revision` is the trajectory revision of that kind of device.
    """
    described = {
        "experiment": experiment.canonical(),
        "pixels": {name: pixels[name] for name in sorted(experiment.images())},
        "arithmetic": arithmetic,
        "trajectory_revision": revision,
    }
    text = json.dumps(described, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def device_kind(device: str) -> str:
    """The kind of a device, cpu, cuda or mps, from its name as torch has it: "cuda:1" is cuda."""
    return device.partition(":")[0]


def arithmetic_on(experiment: Experiment, device_kind: str) -> str:
    """The precision that `experiment` is run in on cpu, mps or cuda, by name.

    Raises InputError if that kind of device has no such precision; whether this very processor
    computes in bf16 is not asked.
    """
    name = experiment.arithmetic
    if name == "default":
        return DEFAULT_ARITHMETIC[device_kind]
    if (device_kind, name) not in TRAJECTORY_REVISION:
        known = " or ".join(mode for kind, mode in TRAJECTORY_REVISION if kind == device_kind)
        raise InputError(f"arithmetic '{name}' is not available on {device_kind}, only {known}")
    return name
