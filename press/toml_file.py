"""TOML files whose mistakes are reported with their place."""

import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

from press.errors import InputError, nearest
from press.files import FORBIDDEN, text_of

# What a value may be asked to be, and whether it is that.
KINDS: dict[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "a number": lambda value: (
        type(value) in (int, float, Typed) and abs(value) <= sys.float_info.max
    ),
    "an integer": lambda value: type(value) is int,
    "a list of names": lambda value: type(value) is list and all(type(n) is str for n in value),
    "a table": lambda value: isinstance(value, dict),
}


class Typed(float):
    """A number that knows how many decimals it has as it was typed: 2 for 1.50, 6 for 1.5e-5."""

    def __init__(self, text: str) -> None:
        """Count the decimals of `text`, of which the number is made."""
        exponent = Decimal(text).as_tuple().exponent
        self.decimals = max(0, -exponent) if isinstance(exponent, int) else 0  # not of inf or nan


Leaf = tuple[str | None, str, Any]  # the name of its table, its key, a single value


def leaves(data: Mapping[str, Any], table: str | None = None) -> Iterator[Leaf]:
    """Every single value of nested tables, those of lists too."""
    for key, value in data.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                yield from leaves(one, f"{table}.{key}" if table else key)
            else:
                yield table, key, one


@lru_cache(maxsize=16)  # every page asks for the same few files
def _parse(text: str) -> tuple[dict[str, Any], Leaf | None]:
    """The tables of TOML; and table, key and sentence of the first value that cannot be used."""
    data = tomllib.loads(text, parse_float=Typed)
    for table, key, value in leaves(data):
        letter = FORBIDDEN.search(f"{key}{value}" if isinstance(value, str) else key)
        if letter:
            return data, (table, key, f"a page cannot hold the character U+{ord(letter[0]):04X}")
        if type(value) is int and abs(value) >= 2**63:
            return data, (table, key, f"'{key}' has more than 64 bits")
    return data, None


class TomlFile:
    """A TOML file's tables, which are only to be read, and where they stand.

    A file that is absent has none: what the press reads of a site all has defaults.
    """

    def __init__(self, path: Path) -> None:
        """Read `path`; raises InputError with its place if it is no TOML that a page can hold."""
        self.path, self.text = path, text_of(path) if path.exists() else ""
        self.lines = self.text.split("\n")  # TOML knows no other ends of lines
        try:
            self.data, wrong = _parse(self.text)
        except RecursionError:
            raise self._most(r"[\[{.]", "not valid TOML: nested too deeply") from None
        except tomllib.TOMLDecodeError as error:
            words, _, place = str(error).partition(" (at ")
            numbers = [int(number) for number in re.findall(r"\d+", place)]  # none at the end
            line, column = numbers or (self.text.count("\n") + 1, 1)
            sentence = f"not valid TOML: {words[0].lower()}{words[1:]}"
            raise InputError(sentence, path, line, column) from None
        except ValueError:  # the only other one
            raise self._most(r"\d", "a number with too many digits") from None
        if wrong:
            self.fail(wrong[2], *wrong[:2])

    def _most(self, pattern: str, sentence: str) -> InputError:
        """The error at the line that has the most of a pattern."""
        counts = [len(re.findall(pattern, row)) for row in self.lines]
        return InputError(sentence, self.path, counts.index(max(counts)) + 1, 1)

    def place(self, table: str | None = None, key: str | None = None) -> tuple[int, int] | None:
        """Line and column, from 1, of a `[table]` header or of `key` in it; None if not found.

        A key may be a table of its own, with a header or in that of a table within it.
        """
        inside, whole = table is None, ".".join(filter(None, (table, key)))
        for number, text in enumerate(self.lines, 1):
            header = re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", text)
            if header:
                name = header[1].replace('"', "").replace("'", "")
                inside = name == table
                if name == whole or (key and name.startswith(f"{whole}.")):
                    return number, header.start(1) + 1
            elif inside and key is not None:
                found = re.match(rf"""\s*(["']?){re.escape(key)}\1\s*[.=]""", text)
                if found:
                    return number, found.start(1) + 1
        return None

    def place_near(self, table: str | None, key: str | None) -> tuple[int, int] | None:
        """The place of a key, else of the innermost table around it that is found."""
        found = self.place(table, key)
        while table and not found:
            outer, _, inner = table.rpartition(".")
            found, table = self.place(outer or None, inner), outer
        return found

    def table(self, name: str) -> dict[str, Any]:
        """The table `[name]`, empty if there is none; raises InputError if it is something else."""
        data: dict[str, Any] = self.data.get(name, {})
        self.expect({name: "a table"}, {name: data}, None)
        return data

    def expect(self, kinds: Mapping[str, str], data: Mapping[str, Any], table: str | None) -> None:
        """Check that each key of `data` is one of `kinds`, and its value of that kind."""
        for key, value in data.items():
            if key not in kinds:
                self.fail(f"unknown key '{key}'{nearest(key, kinds)}", table, key)
            if not KINDS[kinds[key]](value):
                self.fail(f"'{key}': expected {kinds[key]}, got {value!r}", table, key)

    def fail(self, sentence: str, table: str | None = None, key: str | None = None) -> NoReturn:
        """Raise InputError with the place of `table` and `key`."""
        line, column = self.place_near(table, key) or (None, None)
        raise InputError(sentence, self.path, line, column)
