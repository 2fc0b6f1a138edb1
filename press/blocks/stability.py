"""How stable a last iterate is, in tables: a mark in a loss spike, and the levels before it."""

from collections.abc import Sequence
from functools import partial
from statistics import mean, median

from markupsafe import Markup

from press.results.numbers import with_unit, written
from press.results.run import BEFORE, Run

SPIKE_MARK = "†"


def spike_mark(runs: Sequence[Run]) -> Markup:
    """The mark of a number in which a last iterate that lies in a loss spike takes part."""
    spiked = [run for run in runs if run.recorded and run.method is None and run.stable.in_spike]
    if not spiked:
        return Markup("")
    words = "; ".join(
        f"{run.last}: the last iterate lies in a loss spike,"
        f" {with_unit(run.stable.fall, run.stable.metric.of_differences)} worse than the median of"
        f" the {BEFORE} before it"
        for run in spiked
    )
    return Markup('<span class="spiked" title="{}">{}</span>').format(words, SPIKE_MARK)


def stability_cells(runs: Sequence[Run]) -> list[str | None]:
    """Over the last fifth: the mean of the runs' medians, and the range of them all."""
    steady = [run.stable for run in runs if run.recorded and run.stable.known]
    if not steady:
        return [None, None]
    levels, write = [each.levels() for each in steady], partial(written, metric=steady[0].metric)
    lowest, highest = min(map(min, levels)), max(map(max, levels))
    return [write(mean(map(median, levels))), f"{write(lowest)} to {write(highest)}"]
