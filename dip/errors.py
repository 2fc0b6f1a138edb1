"""Mistakes in what a person wrote, each a sentence with its place."""

import re
from collections.abc import Iterable
from pathlib import Path


class InputError(Exception):
    """A mistake in an input, as a sentence: `path:line:column: what is wrong`.

    `path`, `line` and `column` (both counted from 1) are None where they are not known.
    """

    def __init__(
        self,
        sentence: str,
        path: str | Path | None = None,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        self.sentence, self.path, self.line, self.column = sentence, path, line, column
        super().__init__(str(self))

    def __str__(self) -> str:
        """The sentence behind as much of its place as is known."""
        place = [str(part) for part in (self.path, self.line, self.column) if part is not None]
        return f"{':'.join(place)}: {self.sentence}" if place else self.sentence


def is_lack_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, of the machine or of a graphics card."""
    is_said = re.search("(out of|not enough|allocate) memory", str(error).lower())
    return isinstance(error, MemoryError) or bool(is_said)


def nearest(word: str, choices: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the choice nearest to `word`, or an empty string."""
    from difflib import get_close_matches  # slow to load

    near = get_close_matches(word, list(choices), n=1, cutoff=0.5)
    return f"; did you mean '{near[0]}'?" if near else ""


def sentence_of(error: OSError) -> str:
    """What the system refused, in words: a full disk, a folder without permission."""
    return f"{error.filename or 'the system'}: {error.strerror or error}"
