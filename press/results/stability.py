"""How steady the end of a run is: the last fifth of its curve, beside its last iterate.

The last iterate is one draw from iterates that rise and fall by a decibel. So the median and the
range over the last fifth of the iterations stand beside it, and a last iterate that lies in a loss
spike is told as such. A curve has every tenth iteration there.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from statistics import median
from typing import TYPE_CHECKING

from markupsafe import Markup

from press.errors import InputError
from press.results.numbers import THIN_SPACE, Measured, NotRun, Quantity, decimal
from press.results.record import Curve

if TYPE_CHECKING:
    from press.results.run import Run

SHARE = 5  # the last one of so many equal parts of the iterations
BEFORE, SPIKE_DB = 500, 1.0  # iterations before the last, and how far under their median is a spike
SPIKE_MARK = "†"


class Stability:
    """The PSNR of a run's iterates near its end, in dB, as its curve has it (over RGB)."""

    def __init__(self, run: "Run") -> None:
        """Take a run of the network, recorded or not."""
        self.run = run

    @cached_property
    def _curve(self) -> Curve:
        return self.run.curve()

    def levels(self, column: str = "psnr_db", since: int | None = None) -> list[float]:
        """The values of a curve's column after iteration `since`, by default over the last fifth.

        Raises InputError if the recorded run has no such curve: a baseline, or no original.
        """
        last = self.run.iterations
        first = last - last // SHARE if since is None else since
        found = [value for _, value in self._curve.points(column, after=first)]
        if self.run.recorded and not found:
            raise InputError(f"{self.run.name} has no curve of {column}")
        return found

    @cached_property
    def known(self) -> bool:
        """Tell whether there is a curve to speak of."""
        try:
            return bool(self.levels())
        except InputError:
            return False

    @property
    def median_db(self) -> Quantity:
        """The median over the last fifth of the iterations."""
        return self._measured(median)

    @property
    def lowest_db(self) -> Quantity:
        """The lowest level in the last fifth of the iterations."""
        return self._measured(min)

    @property
    def highest_db(self) -> Quantity:
        """The highest level in the last fifth of the iterations."""
        return self._measured(max)

    def _measured(self, summary: Callable[[list[float]], float]) -> Quantity:
        if not self.run.recorded:
            return NotRun(self.run.name)
        value = summary(self.levels())
        return Measured(value, "dB", self.run.url, preview=self.run.suite.preview)

    @property
    def fall_db(self) -> float:
        """How far the last iterate lies under the median of the 500 iterations before it, in dB."""
        before = self.levels(since=self.run.iterations - BEFORE - 1)
        return median(before[:-1]) - before[-1] if len(before) > 1 else 0.0

    @property
    def in_spike(self) -> bool:
        """Whether the last iterate lies in a loss spike: over a decibel under that median."""
        return self.known and self.fall_db > SPIKE_DB


def spike_mark(runs: Sequence["Run"]) -> Markup:
    """The mark of a number in which a last iterate that lies in a loss spike takes part."""
    spiked = [run for run in runs if run.recorded and run.method is None and run.stable.in_spike]
    if not spiked:
        return Markup("")
    words = "; ".join(
        f"{run.last}: the last iterate lies in a loss spike, {decimal(run.stable.fall_db)}"
        f"{THIN_SPACE}dB under the median of the {BEFORE} before it"
        for run in spiked
    )
    return Markup('<span class="spiked" title="{}">{}</span>').format(words, SPIKE_MARK)


def stability_cells(runs: Sequence["Run"]) -> list[str | None]:
    """Over the last fifth: the mean of the runs' medians, and the range of them all."""
    steady = [run.stable for run in runs if run.recorded and run.stable.known]
    if not steady:
        return [None, None]
    medians = [median(each.levels()) for each in steady]
    lowest = min(min(each.levels()) for each in steady)
    highest = max(max(each.levels()) for each in steady)
    middle = decimal(sum(medians) / len(medians))
    return [middle, f"{decimal(lowest)} to {decimal(highest)}"]
