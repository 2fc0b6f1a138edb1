"""Whether a record answers what a suite asks now: a run, a baseline, or a mean of runs."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dip.experiments.experiment import Experiment
from dip.experiments.suites import Suite
from dip.planning.jobs import PROBLEM, has_another_run, mean_of
from dip.records.record import Record, matches

if TYPE_CHECKING:
    from press.results.store import Results


@dataclass(frozen=True)
class Asked:
    """What a suite asks: a run, or what `method` makes of the problem of its first seed."""

    suite: Suite
    experiment: Experiment
    method: str | None = None

    @property
    def kind(self) -> str:
        """Tell what its record is of: a run, a baseline, or the mean of runs."""
        if self.method is None:
            return "run"
        return "baseline" if self.method in self.suite.baselines else "mean"


def answers(record: Record, asked: Asked, results: "Results") -> bool:
    """Tell whether a record is of the very thing that is asked, by the method that is named.

    Runs and means hang on every setting, a mean on its runs too; a baseline on those alone that
    make the problem.
    """
    if (record.kind, record.data["method"]) != (asked.kind, asked.method):
        return False
    pixels = results.images.pixels(record.data["pixels_sha256"])
    if asked.kind == "run":
        return matches(record, asked.experiment, pixels)
    if asked.kind == "mean":
        fits = matches(record, mean_of(asked.experiment), pixels)
        return fits and not has_another_run(record, results.readable)
    problem, solved = asked.experiment, record.experiment
    return pixels == record.data["pixels_sha256"] and all(
        getattr(problem, name) == getattr(solved, name) for name in PROBLEM
    )
