"""The outputs of a run by the names of their files: how a page calls them, and their scores."""

from typing import cast

from press.errors import InputError
from press.results.numbers import Measured, Quantity
from press.results.run import Run


def selector_of(name: str) -> str:
    """The selector of the output whose image has this name in a record."""
    if name.isdigit():
        return f"at.{name}"
    if name.startswith("stop-"):
        return f"stop.{name.removeprefix('stop-')}"
    return "final" if name == "output" else name


def output_name(run: Run, name: str) -> str:
    """Name an output: an iterate, an average, the choice of a stopping rule ..."""
    try:
        return run.output(selector_of(name)).label
    except InputError:
        return name


def psnr_of(run: Run, name: str) -> Quantity | None:
    """The PSNR of an output, as the paper scores such a task; None if it was not scored."""
    try:
        return cast("Quantity", getattr(run.output(selector_of(name)), run.measure))
    except InputError:
        return None


def level_in_db(value: Quantity | None) -> float | None:
    """A PSNR as a bare number in dB; None if there is none, or it is not run."""
    return float(value) if isinstance(value, Measured) else None
