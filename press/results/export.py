"""Results as data that can be taken out: CSV below lines of origin, and all records of a site."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from press.results.metrics import Metrics
from press.results.record import Record
from press.results.run import Run

OF_RECORD = ("suite", "case", "method", "seed", "kind", "preview", "key", "started")


def csv_text(origin: Iterable[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Rows as CSV in UTF-8, the first of them the heads, below the origin as lines with a `#`."""
    stream = io.StringIO()
    for line in origin:
        stream.write(f"# {' '.join(line.split())}\n")
    plain = csv.writer(stream, lineterminator="\n")
    quoted = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in rows:  # within quotation marks a `#` begins no comment
        (quoted if any("#" in str(cell) for cell in row) else plain).writerow(row)
    return stream.getvalue().encode()


def origin_of(run: Run) -> str:
    """A recorded run by its place and the key under which it was made."""
    assert run.record
    return f"{run.name}, key {run.record.key}"


def curve_rows(runs: Sequence[Run]) -> list[list[str]]:
    """The curves of runs, as they are recorded, below each other; no rows if there are none."""
    found = [(run.name, run.curve()) for run in runs if run.recorded]
    found = [(name, curve) for name, curve in found if curve.rows]
    columns = dict.fromkeys(column for _, curve in found for column in curve.columns)
    rows = []
    for name, curve in found:
        of_column = dict(zip(curve.columns, zip(*curve.rows, strict=True), strict=True))
        nothing = ("",) * len(curve.rows)
        cells = (of_column.get(column, nothing) for column in columns)
        rows += [[name, *row] for row in zip(*cells, strict=True)]
    return [["run", *columns], *rows] if rows else []


def results_csv(records: Sequence[Record], declared: Metrics) -> bytes:
    """Every output of these records, a line each, with its number by every metric."""
    metrics = _metrics_of(records)
    origin = [
        "Every result of this site as its record has it, a line for each output of a run.",
        "Outputs have the names of selectors, seconds are the whole run's; empty: not scored.",
        *(f"{name}: {declared[name].heading}" for name in metrics if name in declared),
    ]
    rows = (row for record in records for row in _rows(record, metrics))
    return csv_text(
        origin, [["run", *OF_RECORD, "device", "seconds", "output", "step", *metrics], *rows]
    )


def results_json(records: Sequence[Record], declared: Metrics) -> bytes:
    """The records with their numbers by output and metric, their settings and environment."""
    metrics = [declared[name] for name in _metrics_of(records)]
    found = [
        {
            **_of_run(record),
            "command": record.command,
            "seconds": record.seconds,
            "steps": record.steps,
            "metrics": record.metrics,
            "settings": record.settings,
            "environment": record.environment,
        }
        for record in records
    ]
    meant = {
        one.name: {"label": one.label, "unit": one.unit, "better": one.better} for one in metrics
    }
    whole = {"metrics": meant, "results": found}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def _metrics_of(records: Sequence[Record]) -> list[str]:
    """The names of the metrics by which something of these records was scored."""
    outputs = [values for record in records for values in record.metrics.values()]
    return list(dict.fromkeys(metric for values in outputs for metric in values))


def _of_run(record: Record) -> dict[str, Any]:
    """What identifies a record."""
    name = f"{record.suite}/{record.case}/{record.run}"
    of_record = {field: getattr(record, field) for field in OF_RECORD}
    device = record.environment.get("device", "")
    return {"run": name, **of_record, "method": record.method or "", "device": device}


def _rows(record: Record, metrics: Sequence[str]) -> Iterator[list[object]]:
    whole = {**_of_run(record), "preview": "yes" if record.preview else "no"}
    whole["seed"] = "" if record.method else record.seed
    head = [*whole.values(), record.seconds]
    for selector, values in record.metrics.items():
        step = record.steps.get(selector)
        yield [*head, selector, step, *map(values.get, metrics)]
