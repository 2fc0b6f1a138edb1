"""Mistakes in what a person wrote, each a sentence with its place."""

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

PACKAGE = Path(__file__).parent
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


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
        return one_line(f"{':'.join(place)}: {self.sentence}" if place else self.sentence)


def one_line(text: str) -> str:
    """A text in which control characters, which could pass for other words, are written out."""
    return CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def nearest(word: str, choices: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the choice nearest to `word`, or an empty string."""
    near = get_close_matches(word, list(choices), n=1, cutoff=0.5)
    return f"; did you mean '{near[0]}'?" if near else ""


def sentence_of(error: InputError | OSError) -> str:
    """A mistake, or what the system refused, such as a full disk, in words."""
    if isinstance(error, InputError):
        return str(error)
    return f"{error.filename or 'the system'}: {error.strerror or error}"


def innermost(error: BaseException, *within: Path) -> tuple[Path, int] | None:
    """The last place in these files or folders that an exception passed through; None if none."""
    from traceback import walk_tb

    frames = walk_tb(error.__traceback__)
    places = [(Path(frame.f_code.co_filename), line) for frame, line in frames]
    fitting = [place for place in places if any(map(place[0].is_relative_to, within))]
    return fitting[-1] if fitting else None


@contextmanager
def mistakes_of(file: Path) -> Iterator[None]:
    """Make what goes wrong in a site's Python an InputError, at the innermost line of its file."""
    try:
        yield
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        if isinstance(error, SyntaxError) and error.filename == str(file):
            sentence = f"not valid Python: {error.msg}"
            raise InputError(sentence, file, error.lineno, error.offset) from error
        sentence = f"{type(error).__name__}: {error}"
        _, line = innermost(error, file) or (file, 1)
        raise InputError(sentence, file, line, 1) from error


@contextmanager
def step(words: str) -> Iterator[None]:
    """Make what nobody foresaw an InputError that says in which step it was, and where in the code.

    It is a defect of the press, or a want of memory; `python -X dev` shows the traceback instead.
    """
    try:
        yield
    except (InputError, OSError):
        raise
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        path, line = innermost(error, PACKAGE) or (Path(__file__), 1)
        place = f"press/{path.relative_to(PACKAGE).as_posix()}:{line}"
        sentence = f"internal error in {words}, at {place}: {type(error).__name__}: {error}"
        raise InputError(sentence) from error
