"""What is newer than a page: its newest run, and its numbers whose records gave way to others.

A record that gave way to another stands at `superseded/KEY/SUITE-CASE-RUN-*/RUN` of the results;
its run.json is enough. Records say when their runs started, so that a page tells the same wherever
and whenever it is built.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from press.results.metrics import Metric
from press.results.numbers import with_unit
from press.results.record import Record, read_record
from press.results.run import Run
from press.results.store import Results


@dataclass(frozen=True)
class Erratum:
    """A number that a page shows, or counts in, and that was another when it was published."""

    run: Run
    output: str  # its selector
    metric: Metric
    before: str  # the old number, as a page writes it
    now: str  # that which took its place
    day: datetime.date | None  # on which the new run started, if a record says so


def errata(results: Results, published: datetime.date) -> list[Erratum]:
    """What changed after that day in the numbers asked for so far; of a run, the oldest first.

    Raises InputError for a record that is damaged.
    """
    found: list[Erratum] = []
    for run in results.asked:
        given_way = map(read_record, results.superseded(run.name))
        own = (record for record in given_way if record.suite == run.suite.name)
        history = sorted(own, key=lambda record: (record.started, record.data["seal"]))
        for old, new in _changed(history, run.record):
            day = max(filter(None, map(_day, (old, new))), default=None)
            if day is None or day > published:
                found += _changes(run, old, new, day)
    return list(dict.fromkeys(found))


def newest_run(results: Results, published: datetime.date) -> datetime.date | None:
    """The day of the newest run whose score was asked for so far, if it is after that day."""
    records = filter(None, (run.record for run in results.asked))
    days = filter(None, map(_day, records))
    return max((day for day in days if day > published), default=None)


def _changed(history: list[Record], standing: Record | None) -> list[tuple[Record, Record]]:
    """Each record with the next, or with the one that stands where no record tells their order."""
    starts = {record.started for record in history if record.started}
    if len(starts) == len(history):
        return [*pairwise([*history, *([standing] if standing else [])])]
    return [(old, standing) for old in history if standing]


def _day(record: Record) -> datetime.date | None:
    return datetime.date.fromisoformat(record.started[:10]) if record.started else None


def _changes(run: Run, old: Record, new: Record, day: datetime.date | None) -> Iterator[Erratum]:
    """The numbers of a run that read otherwise in its next record."""
    for output, name in run.asked:
        values = [record.metrics.get(output, {}).get(name) for record in (old, new)]
        metric = run.metrics[name]
        before, now = ("" if value is None else with_unit(value, metric) for value in values)
        if before and now and before != now:
            yield Erratum(run, output, metric, before, now, day)
