"""Where a piece of text came from: from an offset in it back to line and column of its file."""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate

from press.context import Place


@dataclass(frozen=True)
class Origin:
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


def find_origin(path: str, source: list[str], text: str, line: int, column: int = 0) -> Origin:
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
    return Origin(path, text, tuple(starts))
