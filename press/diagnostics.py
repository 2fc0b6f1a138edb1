"""Messages with their places, and where a piece of text came from."""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import Any


@dataclass(frozen=True)
class Place:
    """Where something stands in a file: line and column are counted from 1."""

    path: str
    line: int
    column: int

    def __str__(self) -> str:
        """Write the place as `path:line:column`."""
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Message:
    """A warning, or an error that did not stop the page."""

    place: Place | None
    sentence: str
    is_error: bool = False
    is_error_in_check: bool = False  # what a post with front matter is not to be published with

    def __str__(self) -> str:
        """Write the message as `path:line:column: sentence`, a warning marked as one."""
        place = f"{self.place}: " if self.place else ""
        return f"{place}{'' if self.is_error else 'warning: '}{self.sentence}"


def message_row(message: Message) -> list[Any]:
    """Give a message as plain values."""
    place = message.place
    where = [place.path, place.line, place.column] if place else None
    return [where, message.sentence, message.is_error, message.is_error_in_check]


def message_from(row: list[Any]) -> Message:
    """Make a message of plain values again."""
    where, sentence, is_error, is_error_in_check = row
    return Message(Place(*where) if where else None, sentence, is_error, is_error_in_check)


@dataclass(frozen=True)
class SourceMap:
    """The place in a file of each line of a text that was cut out of it."""

    path: str
    text: str
    starts: tuple[tuple[int, int], ...]  # for each line of the text: its line and column

    def at(self, offset: int) -> Place:
        """Give the place of `offset`, a count of characters from the start of the text."""
        lengths = [len(line) + 1 for line in self.text.split("\n")]
        ends = list(accumulate(lengths))
        index = min(bisect_right(ends, max(offset, 0)), len(self.starts) - 1)
        line, column = self.starts[index]
        return Place(self.path, line, column + offset - (ends[index] - lengths[index]))


def map_source(path: str, source: list[str], text: str, line: int, column: int = 0) -> SourceMap:
    """Find the lines of `text` in those of `source` from index `line` on.

    The first line is looked for from index `column` on. A line that is not found word for word
    (an escape was taken away) gets the column where its file's line begins.
    """
    starts = []
    for number, wanted in enumerate(text.split("\n"), line):
        here = source[number] if number < len(source) else ""
        found = here.find(wanted, column if number == line else 0)
        if found < 0:
            found = max(here.find(wanted[:4], column if number == line else 0), 0)
        starts.append((number + 1, found + 1))
    return SourceMap(path, text, tuple(starts))
