"""TOML files whose mistakes are told with their line."""

import re
import tomllib
from pathlib import Path
from typing import Any, NoReturn

from dip.problems import InputError


class TomlFile:
    """A TOML file's tables, and the lines that they stand on."""

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

    def line(self, table: str | None = None, key: str | None = None) -> int | None:
        """Give the line of a `[table]` header, or of `key` in it, counted from 1; None if unseen."""
        inside = table is None
        for number, text in enumerate(self.text.splitlines(), 1):
            header = re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", text)
            if header:
                inside = header[1].replace('"', "").replace("'", "") == table
                if inside and key is None:
                    return number
            elif (
                inside
                and key is not None
                and re.match(rf"""\s*["']?{re.escape(key)}["']?\s*=""", text)
            ):
                return number
        return None

    def fail(self, sentence: str, table: str | None = None, key: str | None = None) -> NoReturn:
        """Raise InputError with the line of `table` and `key`."""
        line = self.line(table, key) or self.line(table)
        raise InputError(sentence, self.path, line)
