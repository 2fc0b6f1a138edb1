"""Where the stopping rules of a run came to, in words.

ES-WMV waits: it has stopped only once 1,000 iterations brought no lower variance. A run that ends
before that has a least variance so far and no stop, and a page says so. Records hold the iteration
alone; that, and how long the run was, tells which of the two it is.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from dip.experiments.experiment import Experiment
from dip.planning.jobs import PROBLEM
from press.results.numbers import grouped

RULES = {"fixed": "the last iteration", "oracle": "the best iterate", "es-wmv": "ES-WMV"}
PATIENCE = {"es-wmv": 1000}  # iterations, as the engine has it
COUNT_NOT_STATED = ("fit", "flash")  # tasks for which the paper gives no count of iterations
# What makes a picture's problem, in whatever size and with whatever seed
POSED = tuple(name for name in PROBLEM if name not in ("seed", "problem_seed", "preview_side"))


def paper_stops(asked: Experiment, full: Iterable[Experiment]) -> int | None:
    """Give after how many iterations the paper stops on a problem, if it says so.

    `full` are the experiments in full size; of those with this problem the shortest is the
    paper's, as a run that goes on further is ours.
    """
    if asked.task in COUNT_NOT_STATED:
        return None
    problem = [getattr(asked, name) for name in POSED]
    same = (e for e in full if [getattr(e, name) for name in POSED] == problem)
    return min((experiment.iterations for experiment in same), default=None)


@dataclass(frozen=True)
class StopPoint:
    """What a rule chose of a run of `last` iterations."""

    rule: str
    iteration: int
    last: int

    @property
    def reached(self) -> bool:
        """Tell whether the rule stopped within the run."""
        return self.last - self.iteration > PATIENCE.get(self.rule, -1)

    @property
    def words(self) -> str:
        """Say where it stops: "stops at iteration 8,031", or that it did not."""
        if self.reached:
            return f"stops at iteration {grouped(self.iteration)}"
        so_far = f"least variance so far at iteration {grouped(self.iteration)}"
        return f"not stopped within the run; {so_far}"

    @property
    def row(self) -> str:
        """Name its output in a table of scores."""
        if self.rule == "fixed":
            return f"the last output, iteration {grouped(self.iteration)}"
        if self.reached:
            return f"{RULES[self.rule]}, iteration {grouped(self.iteration)}"
        return f"{RULES[self.rule]}: {self.words}"

    @property
    def label(self) -> str:
        """Name its output under a picture."""
        if self.rule == "oracle":
            return "the best iterate"
        return "where ES-WMV stops" if self.reached else f"ES-WMV: {self.words}"

    @property
    def mark(self) -> str:
        """Name it over a curve, in a word or two."""
        if self.rule == "oracle":
            return "best"
        return "ES-WMV" if self.reached else "least variance so far"
