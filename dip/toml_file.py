"""TOML files whose mistakes are reported with their place."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from dip.errors import InputError

KINDS: dict[str, type] = {"text": str, "a table": dict}  # what a value may be asked to be


class TomlFile:
    """A TOML file's tables, and where they stand."""

    def __init__(self, path: Path) -> None:
        """Read `path`; raises InputError with its place if it is absent or not TOML."""
        self.path = path
        try:
            self.text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise InputError("no such file", path) from None
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot be read as text: {error}", path) from None
        self.data: dict[str, Any] = self._parse()

    def _parse(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"^(.*) \(at line (\d+), column (\d+)\)$", str(error))
            if not found:
                raise InputError(f"not valid TOML: {error}", self.path) from None
            line, column = int(found[2]), int(found[3])
            sentence = f"not valid TOML: {found[1][0].lower()}{found[1][1:]}"
            raise InputError(sentence, self.path, line, column) from None

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
        """Check that each key of `kinds` that `data` has is of its kind; raises InputError."""
        for key, kind in kinds.items():
            if key in data and not isinstance(data[key], KINDS[kind]):
                self.fail(f"'{key}': expected {kind}, got {data[key]!r}", table, key)

    def fail(self, sentence: str, table: str | None = None, key: str | None = None) -> NoReturn:
        """Raise InputError with the place of `table` and `key`."""
        line, column = self.place(table, key) or self.place(table) or (None, None)
        raise InputError(sentence, self.path, line, column)
