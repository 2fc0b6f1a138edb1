"""Mistakes in what a person wrote, each a sentence with its place."""

from collections.abc import Iterable
from difflib import get_close_matches
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


def nearest(word: str, choices: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the choice nearest to `word`, or an empty string."""
    near = get_close_matches(word, list(choices), n=1, cutoff=0.5)
    return f"; did you mean '{near[0]}'?" if near else ""


def sentence_of(error: InputError | OSError) -> str:
    """A mistake, or what the system refused, such as a full disk, in words."""
    if isinstance(error, InputError):
        return str(error)
    return f"{error.filename or 'the system'}: {error.strerror or error}"
