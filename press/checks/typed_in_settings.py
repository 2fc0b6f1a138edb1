"""Results typed by hand in what the settings say in words, which pages print as it stands."""

from collections.abc import Iterator
from pathlib import Path

from press.diagnostics import Diagnostic, Place, SourceMap
from press.errors import InputError
from press.markdown.typed_numbers import RESULT, SENTENCE, NumberSearch, Piece
from press.toml_file import TomlFile, leaves

PRINTED = {  # claims.toml is where the numbers of a source belong
    "site.toml": ("title", "description"),
    "experiments.toml": ("title", "why"),
    "choices.toml": ("name", "shown", "why"),
    "images.toml": ("title", "why"),
}


def typed_in_settings(content: Path, search: NumberSearch) -> tuple[list[Path], list[Diagnostic]]:
    """The files that were searched, and a diagnostic for each result that was typed in them."""
    paths = [content / name for name in PRINTED]
    found = [message for path in paths for message in _messages(path, search)]
    return paths, found


def _messages(path: Path, search: NumberSearch) -> Iterator[Diagnostic]:
    try:
        file = TomlFile(path)
    except InputError:  # told where the file is used
        return
    for table, key, value in leaves(file.data):
        is_printed = isinstance(value, str) and key in PRINTED[path.name]
        origin = SourceMap.of_lines(str(path), str(value), 1)
        for found in search.find([Piece(value, 0)] if is_printed else [], origin):
            if found.kind == RESULT:
                place = _place(file, table, key, found.text)
                yield Diagnostic(place, SENTENCE.format(found.text), "check", "typed-result")


def _place(file: TomlFile, table: str | None, key: str, number: str) -> Place:
    """Find a number in the text of a key, which may go over several lines."""
    line, column = file.place(table, key) or file.place(table) or (1, 1)
    for row, text in enumerate(file.text.splitlines()[line - 1 :], line):
        if number in text:
            return Place(str(file.path), row, text.index(number) + 1)
    return Place(str(file.path), line, column)
