"""What a setting of an experiment may be: its type, and numbers that are possible."""

import math
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

from dip.errors import InputError

LEAST: Mapping[str, int] = {
    "seed": 0, "problem_seed": 0, "preview_side": 1, "noise_255": 0, "z_channels": 1, "z_max": 0,
    "sigma_p": 0, "iterations": 1, "frames": 0,
}  # fmt: skip
SEEDS = 2**64  # Philox has keys of 64 bits
KERNELS = ("kernel_down", "kernel_up", "kernel_skip")


def as_type(name: str, annotation: Any, value: Any) -> Any:
    """Turn a plain value into the type of the field `name`, or raise InputError."""
    wanted = str(annotation) if not isinstance(annotation, type) else annotation.__name__
    if value is None and "None" in wanted:
        return None
    if (
        wanted.startswith("tuple")
        and isinstance(value, list | tuple)
        and all(_is_number(v, Integral) for v in value)
    ):
        return tuple(int(v) for v in value)
    if "float" in wanted and _is_number(value, Real):
        return _finite(name, value)
    if wanted.startswith("int") and _is_number(value, Integral):
        return int(value)
    for word, kind in (("str", str), ("bool", bool)):
        if wanted.startswith(word) and type(value) is kind:
            return value
    raise InputError(f"{name} is {value!r}, which is no {wanted.split(' ')[0].split('[')[0]}")


def _is_number(value: Any, kind: type) -> bool:
    """Tell whether a value is a number of Python's or numpy's; a truth value is none."""
    return isinstance(value, kind) and not isinstance(value, bool)


def _finite(name: str, value: float) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InputError(f"{name} is {number}, which is no finite number")
    return number


def check_numbers(settings: Any) -> None:
    """Raise InputError, as a sentence that begins with the setting, where a number is impossible.

    `settings` is an Experiment whose fields have their types.
    """
    for name, least in LEAST.items():
        value = getattr(settings, name)
        if value is not None and value < least:
            raise InputError(f"{name} is {value}, not at least {least}")
    for name in ("seed", "problem_seed"):
        if (getattr(settings, name) or 0) >= SEEDS:
            raise InputError(f"{name} is {getattr(settings, name)}, not below 2**64")
    for name in ("learning_rate", "spike_factor"):
        value = getattr(settings, name)
        if value is not None and value <= 0:
            raise InputError(f"{name} is {value}, not more than 0")
    if not 0 < settings.keep < 1:
        raise InputError(f"keep is {settings.keep}, not between 0 and 1")
    if not 0 <= settings.average_decay < 1:
        raise InputError(f"average_decay is {settings.average_decay}, not from 0 to below 1")
    _check_network(settings)
    beyond = [k for k in settings.snapshots if not 0 <= k <= settings.iterations]
    if beyond:
        raise InputError(
            f"snapshot {beyond[0]} is not between 0 and {settings.iterations} iterations"
        )


def _check_network(settings: Any) -> None:
    if len(settings.channels) != len(settings.skip_channels) or not settings.channels:
        raise InputError("channels and skip_channels need one number each for every scale")
    for name, least in (("channels", 1), ("skip_channels", 0)):
        if min(getattr(settings, name)) < least:
            raise InputError(f"{name} has {min(getattr(settings, name))}, not at least {least}")
    for name in KERNELS:
        side = getattr(settings, name)
        if side < 1 or side % 2 == 0:
            raise InputError(f"{name} is {side}, not odd and positive, so it has no middle")
