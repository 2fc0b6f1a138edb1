"""Where stopping rules stop.

ES-WMV waits: it has stopped only once 1,000 iterations brought no lower variance. A run that ends
before that has a least variance so far and no stop, and a page says so. Records hold the iteration
alone; that, and how long the run was, tells which of the two it is.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from press.errors import InputError, nearest
from press.results.numbers import grouped

RULES = {"fixed": "the last iteration", "oracle": "the best iterate", "es-wmv": "ES-WMV"}
PATIENCE = {"es-wmv": 1000}  # iterations, as the engine has it


def require_rule(name: str, others: Iterable[str]) -> None:
    """Raise InputError with the nearest name if it is no rule, nor one of `others` of records.

    Nothing is asked of `others`, for which records are read, if the name is among `RULES`.
    """
    if name in RULES:
        return
    known = dict.fromkeys([*RULES, *others])
    if name not in known:
        raise InputError(f"unknown stopping rule '{name}'{nearest(name, known)}")


@dataclass(frozen=True)
class StopPoint:
    """What a rule chose of a run whose last step on its axis is `last`.

    A rule of another name than those in `RULES` is called by that.
    """

    rule: str
    iteration: int
    last: float  # infinite where it is not known
    axis: str = "iteration"

    @property
    def name(self) -> str:
        """The rule, as a page calls it."""
        return f"the last {self.axis}" if self.rule == "fixed" else RULES.get(self.rule, self.rule)

    @property
    def reached(self) -> bool:
        """Whether the rule stopped within the run."""
        return self.last - self.iteration > PATIENCE.get(self.rule, -1)

    @property
    def words(self) -> str:
        """Say where it stops: "stops at iteration 8,031", or that it did not."""
        if self.reached:
            return f"stops at {self.axis} {grouped(self.iteration)}"
        so_far = f"least variance so far at {self.axis} {grouped(self.iteration)}"
        return f"not stopped within the run; {so_far}"

    @property
    def row(self) -> str:
        """Name its output in a table of scores."""
        if self.rule == "fixed":
            return f"the last output, {self.axis} {grouped(self.iteration)}"
        if self.reached:
            return f"{self.name}, {self.axis} {grouped(self.iteration)}"
        return f"{self.name}: {self.words}"

    @property
    def label(self) -> str:
        """Name its output under a picture."""
        if self.rule in ("fixed", "oracle"):
            return self.name
        return f"where {self.name} stops" if self.reached else f"{self.name}: {self.words}"

    @property
    def mark(self) -> str:
        """Name it over a curve, in a word or two."""
        if self.rule == "oracle":
            return "best"
        return self.name if self.reached else "least variance so far"
