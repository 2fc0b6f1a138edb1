"""The outputs of a run by their names in the record: how a page calls them, and their scores."""

from typing import cast

from press.errors import InputError
from press.results.numbers import Measured, Quantity, grouped
from press.results.run import Run
from press.results.scores import Score

NAMES = {
    "input": "the input",
    "output": "the output",
    "average": "average of the last outputs",
}


def output_name(run: Run, name: str) -> str:
    """Name an output: an iterate, an average, the choice of a stopping rule ..."""
    if name.isdigit():
        return f"iteration {grouped(int(name))}"
    point = run.stop_points.get(name.removeprefix("stop-"))
    return point.label if point else NAMES.get(name, name)


def psnr_of(run: Run, name: str) -> Quantity | None:
    """Give the PSNR of an output, as the paper scores such a task; None if it was not scored."""
    try:
        return cast("Quantity", getattr(_score(run, name), run.measure))
    except InputError:
        return None


def _score(run: Run, name: str) -> Score:
    if name.isdigit():
        return run.at(int(name))
    if name.startswith("stop-"):
        return run.stop(name.removeprefix("stop-"))
    return {"input": run.input, "average": run.average}.get(name, run.final)


def level_in_db(value: Quantity | None) -> float | None:
    """Give a PSNR as a bare number in dB; None if there is none, or it is not run."""
    return float(value) if isinstance(value, Measured) else None
