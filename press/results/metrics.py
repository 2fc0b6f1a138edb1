"""Metrics: what is measured of a run, as `[metrics.NAME]` of content/site.toml declares it.

How a page names a metric and writes its numbers, which way is better, and how far a number may
lie from a source's and still count as the same, all stand there; no code knows a metric by name.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

from press.toml_file import TomlFile

HIGHER, LOWER = "higher", "lower"
KEYS = {
    "label": "text", "unit": "text", "difference": "text", "digits": "an integer",
    "better": "text", "scale": "text",
    "tolerance": "a number", "at_most": "a number", "agrees": "a number",
}  # fmt: skip
WORDS = {"better": (HIGHER, LOWER), "scale": ("linear", "log")}
MOST_DIGITS = 12


@dataclass(frozen=True)
class Metric:
    """A quantity that is measured of a run; tolerances are in its unit.

    Without `better` it is never judged; without `tolerance` no mean over seeds is, and without
    `agrees` no deterministic method.
    """

    name: str  # in records, expressions and claims.toml
    label: str  # on pages
    unit: str = ""
    digits: int = 3  # decimals, where a page asks for no other number of them
    better: str = ""  # "higher", "lower", or empty
    tolerance: float | None = None  # how far a mean may lie from a source's number
    at_most: float = inf  # the cap of a tolerance that a spread between seeds widens
    agrees: float | None = None  # how far a deterministic method may lie from a source's number
    scale: str = "linear"  # "log": numbers that are too small are written as powers of ten
    difference: str = ""  # the unit of a difference, where that is another: "points" between "%"

    @property
    def heading(self) -> str:
        """The label with the unit, for a column or an axis: "accuracy, %"."""
        return f"{self.label}, {self.unit}" if self.unit else self.label

    @property
    def phrase(self) -> str:
        """The label with the unit, for a sentence: "accuracy in %"."""
        return f"{self.label} in {self.unit}" if self.unit else self.label

    @property
    def of_differences(self) -> "Metric":
        """The same, as differences are written."""
        return replace(self, unit=self.difference or self.unit)

    def gain(self, difference: float) -> float:
        """A difference counted so that more is better; 0 if neither way is."""
        return {HIGHER: difference, LOWER: -difference}.get(self.better, 0.0)


NO_METRIC = Metric("", "", digits=0)  # of a plain count
BUILT_IN = {"seconds": Metric("seconds", "seconds", "s", 0)}  # every record has them


class Metrics(dict[str, Metric]):
    """The metrics that a site declares, in their order.

    One that it does not declare can be asked for too: its name, with spaces, is its label, and it
    has no unit.
    """

    def __missing__(self, name: str) -> Metric:
        return BUILT_IN.get(name) or Metric(name, name.replace("_", " "))


def read_metrics(path: Path, taken: Collection[str] = ()) -> Metrics:
    """The metrics of a site.toml; none without a file. Raises InputError with its place.

    `taken` are names that an expression could not ask for, since they mean something else.
    """
    file = TomlFile(path)
    found = {name: _metric(file, name) for name in file.table("metrics")}
    for name in found:
        if name in taken:
            sentence = f"'{name}' means something else of a run; give the metric another name"
            file.fail(sentence, f"metrics.{name}")
    return Metrics(found)


def _metric(file: TomlFile, name: str) -> Metric:
    """One `[metrics.NAME]`; raises InputError with its place."""
    data: dict[str, Any] = file.data["metrics"][name]
    file.expect({name: "a table"}, {name: data}, "metrics")
    table = f"metrics.{name}"
    fail = partial(file.fail, table=table)
    if not name.isidentifier() or name.startswith("_"):
        fail(f"'{name}' is no name for a metric: letters, digits and _, a letter first")
    file.expect(KEYS, data, table)
    for key, words in WORDS.items():
        if data.get(key, words[0]) not in words:
            fail(f"'{key}': expected {' or '.join(words)}, got '{data[key]}'", key=key)
    for key in ("tolerance", "at_most", "agrees"):
        if data.get(key, 0) < 0:
            fail(f"'{key}': expected a number that is not negative, got {data[key]}", key=key)
    metric = Metric(name, **{"label": name.replace("_", " "), **data})
    if not 0 <= metric.digits <= MOST_DIGITS:
        fail(f"'digits': expected 0 to {MOST_DIGITS}, got {metric.digits}", key="digits")
    if metric.at_most < (metric.tolerance or 0):
        fail("'at_most' is less than 'tolerance', which it is to cap", key="at_most")
    return metric
