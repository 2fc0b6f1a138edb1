"""Results typed by hand in the words of settings and of a site's blocks, which pages print."""

import re
from collections.abc import Iterator
from pathlib import Path

from press.diagnostics import Diagnostic, Place, SourceMap
from press.errors import InputError
from press.markdown.numbers_in_post import numbers_in_script
from press.markdown.typed_numbers import RESULT, SENTENCE, NumberSearch, Piece, pieces_of_tex
from press.toml_file import TomlFile, leaves

PRINTED = {  # claims.toml is where the numbers of a source belong
    "site.toml": ("title", "description", "label", "case", "paper"),
    "experiments.toml": ("title", "why"),
    "choices.toml": ("name", "shown", "why"),
    "images.toml": ("title", "why"),
}

PARAMETER = re.compile(r"#\d")  # of a macro


def typed_in_settings(content: Path, search: NumberSearch) -> tuple[list[Path], list[Diagnostic]]:
    """The files that were searched, and a diagnostic for each result that was typed in them."""
    paths = [content / name for name in PRINTED]
    found = [message for path in paths for message in _messages(path, search)]
    blocks = content / "blocks.py"
    typed = numbers_in_script(blocks, search, only_words=True)
    found += [_told(one.place, one.text) for one in typed if one.kind == RESULT]
    return [*paths, blocks], found


def _messages(path: Path, search: NumberSearch) -> Iterator[Diagnostic]:
    try:
        file = TomlFile(path)
    except InputError:  # told where the file is used
        return
    for table, key, value in leaves(file.data):
        text, is_tex = str(value), table == "math.macros"
        is_printed = is_tex or key in PRINTED[path.name] or table == "names.methods"
        origin = SourceMap.of_lines(str(path), text, 1)
        pieces = pieces_of_tex(PARAMETER.sub("  ", text), 0) if is_tex else [Piece(text, 0)]
        for found in search.find(pieces if is_printed else [], origin):
            if found.kind == RESULT:
                yield _told(_place(file, table, key, found.text), found.text)


def _told(place: Place, number: str) -> Diagnostic:
    return Diagnostic(place, SENTENCE.format(number), "check", "typed-result")


def _place(file: TomlFile, table: str | None, key: str, number: str) -> Place:
    """Find a number in the text of a key, which may go over several lines."""
    line, column = file.place_near(table, key) or (1, 1)
    for row, text in enumerate(file.lines[line - 1 :], line):
        if number in text:
            return Place(str(file.path), row, text.index(number) + 1)
    return Place(str(file.path), line, column)
