"""What is wrong in what a person wrote, with its place; and where a piece of text came from."""

import os
import re
import shlex
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple

from press.errors import InputError, one_line


class Place(NamedTuple):
    """Where something stands in a file: line and column are counted from 1."""

    path: str
    line: int
    column: int

    def __str__(self) -> str:
        """Write the place as `path:line:column`."""
        return f"{self.path}:{self.line}:{self.column}"


Severity = Literal["error", "warning", "check"]  # "check": a warning, and an error of `check`


@dataclass(frozen=True)
class Diagnostic:
    """Something wrong in what a person wrote: where, what, how bad, and a code for its kind.

    `code` is short and stable, and empty for most mistakes, whose sentence says it all.
    """

    place: Place | None
    sentence: str
    severity: Severity = "warning"
    code: str = ""

    @classmethod
    def from_error(cls, error: InputError) -> "Diagnostic":
        """An error that stopped something; without a line its sentence begins with the file."""
        if error.path is None or error.line is None:
            return cls(None, str(error), "error")
        return cls(Place(str(error.path), error.line, error.column or 1), error.sentence, "error")

    @classmethod
    def from_row(cls, row: list[Any]) -> "Diagnostic":
        """The diagnostic of which `row` was made."""
        place, *rest = row
        return cls(Place(*place) if place else None, *rest)

    def row(self) -> list[Any]:
        """Plain values, for JSON."""
        return list(astuple(self))

    def __str__(self) -> str:
        """`path:line:column: sentence [code]`, a warning marked as one."""
        place = f"{self.place}: " if self.place else ""
        code = f" [{self.code}]" if self.code else ""
        warning = "" if self.severity == "error" else "warning: "
        return one_line(f"{place}{warning}{self.sentence}{code}")


def settled(found: Iterable[Diagnostic], strict: bool, check: bool) -> list[Diagnostic]:
    """Each diagnostic once, in the order of places, as the error or the warning that it is here.

    With `strict` every warning is an error, with `check` those that are meant for it.
    """
    fatal = {"error", *(["check"] if check else []), *(["check", "warning"] if strict else [])}
    ordered = sorted(dict.fromkeys(found), key=lambda one: one.place or ())
    return [
        replace(one, severity="error" if one.severity in fatal else "warning") for one in ordered
    ]


def errors_of(settled: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Those that are errors."""
    return [one for one in settled if one.severity == "error"]


def summary(settled: Iterable[Diagnostic]) -> str:
    """How many there are: "3 errors, 1 warning"; an empty text for none."""
    found = Counter[str](one.severity for one in settled)
    return ", ".join(counted(found[noun], noun) for noun in ("error", "warning") if found[noun])


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 page", "11,000 pages"."""
    stem = re.sub("([sxz]|sh|[nrt]ch)$", r"\1e", re.sub("(?<![aeiou])y$", "ie", noun))
    return f"{number:,} {noun if number == 1 else f'{stem}s'}"


def format_duration(seconds: float) -> str:
    """A duration as a person says it: "40 seconds", "12 minutes", "3 hours 20 minutes"."""
    if seconds < 0.95:
        return f"{seconds:.2g} seconds"
    if seconds < 90:
        return counted(round(seconds), "second")
    minutes = round(seconds / 60)
    if seconds < 90 * 60:
        return counted(minutes, "minute")
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return f"{seconds / 86400:.1f} days"
    return counted(hours, "hour") + (f" {counted(minutes, 'minute')}" if minutes else "")


def command_line(words: Sequence[str]) -> str:
    """A command as a person types it into a shell of this system."""
    if os.name == "nt":
        import subprocess

        return subprocess.list2cmdline(words)
    return shlex.join(words)


@dataclass(frozen=True)
class SourceMap:
    """The place in a file of each line of a text that was cut out of it."""

    path: str
    text: str
    starts: tuple[tuple[int, int], ...]  # for each line of the text: its line and column

    @classmethod
    def of_lines(cls, path: str, text: str, line: int, column: int = 1) -> "SourceMap":
        """The map of a text that stands in its file as it is, from a line and a column on."""
        return cls(path, text, tuple((line + n, column) for n in range(text.count("\n") + 1)))

    def part(self, start: int, end: int) -> "SourceMap":
        """The map of the text from one offset to another."""
        place, below = self.at(start), bisect_right(self._lines, start)
        text = self.text[start:end]
        starts = ((place.line, place.column), *self.starts[below : below + text.count("\n")])
        return SourceMap(self.path, text, starts)

    def at(self, offset: int) -> Place:
        """The place of `offset`, a count of characters from the start of the text."""
        offset = min(max(offset, 0), len(self.text))
        number = min(bisect_right(self._lines, offset), len(self.starts)) - 1
        line, column = self.starts[number]
        return Place(self.path, line, column + offset - self._lines[number])

    @cached_property
    def _lines(self) -> list[int]:
        """The offset at which each line of the text begins."""
        return [0, *(found.end() for found in re.finditer("\n", self.text))]


def map_source(path: str, source: list[str], text: str, line: int, column: int = 0) -> SourceMap:
    """The map of `text`, whose lines are looked for in those of `source` from index `line` on.

    The first line is looked for from index `column` on. A line that is not found word for word
    (an escape was taken away) gets the column where its file's line begins.
    """
    starts = []
    for number, wanted in enumerate(text.split("\n"), line):
        here = source[number] if number < len(source) else ""
        found = max(here.find(wanted, column), here.find(wanted[:4], column), 0)
        starts.append((number + 1, found + 1))
        column = 0
    return SourceMap(path, text, tuple(starts))
