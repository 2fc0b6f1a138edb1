"""TOML files whose mistakes are reported with their place."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from dip.errors import InputError, nearest

KINDS: dict[str, type] = {"text": str, "a table": dict, "anything": object}  # what a value may be


class TomlFile:
    """A TOML file's tables, and where they stand."""

    def __init__(self, path: Path) -> None:
        """Read `path`; raises InputError with its place if it is absent or not TOML."""
        self.path = path
        try:
            self.text = path.read_text(encoding="utf-8-sig")
            self.data: dict[str, Any] = tomllib.loads(self.text)
            repr(self.data)  # what no sentence could name, a long hexadecimal number, is told here
        except FileNotFoundError:
            raise InputError("no such file", path) from None
        except tomllib.TOMLDecodeError as error:
            words, _, place = str(error).partition(" (at ")
            numbers = [int(number) for number in re.findall(r"\d+", place)]  # none at the end
            line, column = numbers or (self.text.count("\n") + 1, 1)
            sentence = f"not valid TOML: {words[0].lower()}{words[1:]}"
            raise InputError(sentence, path, line, column) from None
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot be read as text: {error}", path) from None
        except RecursionError:
            raise self._most(r"[\[{.]", "not valid TOML: nested too deeply") from None
        except ValueError:  # the only other one
            raise self._most(r"\d", "a number with too many digits") from None

    def _most(self, pattern: str, sentence: str) -> InputError:
        """The error at the line that has the most of a pattern."""
        counts = [len(re.findall(pattern, row)) for row in self.text.splitlines()]
        return InputError(sentence, self.path, counts.index(max(counts)) + 1, 1)

    def place(self, table: str | None = None, key: str | None = None) -> tuple[int, int] | None:
        """Line and column, from 1, of a `[table]` header or of `key` in it; None if not found."""
        inside = table is None
        for number, text in enumerate(self.text.splitlines(), 1):
            header = re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", text)
            if header:
                inside = header[1].replace('"', "").replace("'", "") == table
                if inside and key is None:
                    return number, header.start(1) + 1
            elif inside and key is not None:
                found = re.match(rf"""\s*(["']?{re.escape(key)}["']?)\s*=""", text)
                if found:
                    return number, found.start(1) + 1
        return None

    def expect(self, kinds: Mapping[str, str], data: Mapping[str, Any], table: str | None) -> None:
        """Check that each key of `data` is one of `kinds`, and of its kind; raises InputError."""
        for key, value in data.items():
            if key not in kinds:
                self.fail(f"unknown key '{key}'{nearest(key, kinds)}", table, key)
            if not isinstance(value, KINDS[kinds[key]]):
                self.fail(f"'{key}': expected {kinds[key]}, got {value!r}", table, key)

    def fail(self, sentence: str, table: str | None = None, key: str | None = None) -> NoReturn:
        """Raise InputError with the place of `table` and `key`.

        A table that has no header of its own stands in the one above it: `wide = { keep = 2 }`.
        """
        while not (found := self.place(table, key) or self.place(table)) and "." in (table or ""):
            table, _, key = str(table).rpartition(".")
        line, column = found or (None, None)
        raise InputError(sentence, self.path, line, column)
