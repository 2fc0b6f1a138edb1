"""The words of a site for what its suites are about: `[names]` of content/site.toml."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from press.errors import nearest
from press.results.numbers import grouped
from press.toml_file import TomlFile

KEYS = {"case": "text", "paper": "text", "methods": "a table"}


@dataclass(frozen=True)
class Names:
    """What a case of a suite is called ("image", "data set"), the source, the methods beside."""

    case: str = "case"
    paper: str = "the paper"
    methods: Mapping[str, str] = field(default_factory=dict)

    def cases(self, count: int) -> str:
        """A number of cases: "1 image", "10 images"."""
        return counted(count, self.case)

    def method(self, name: str) -> str:
        """The title of a method: as the site states it, else its name as words."""
        return self.methods.get(name) or sentence(name.replace("-", " "))


def counted(count: int, noun: str) -> str:
    """A number of things: "1 epoch", "250 iterations"."""
    return f"{grouped(count)} {noun}{'' if count == 1 else 's'}"


def sentence(words: str) -> str:
    """Words as a sentence begins: with a capital letter."""
    return words[:1].upper() + words[1:]


def read_names(path: Path) -> Names:
    """The names of a site.toml; the defaults without one. Raises InputError with its place."""
    if not path.exists():
        return Names()
    file = TomlFile(path)
    file.expect({"names": "a table"}, file.data, None)
    names: dict[str, Any] = file.data.get("names", {})
    for key in names:
        if key not in KEYS:
            file.fail(f"unknown key '{key}'{nearest(key, KEYS)}", "names", key)
    file.expect(KEYS, names, "names")
    methods = names.get("methods", {})
    file.expect(dict.fromkeys(methods, "text"), methods, "names.methods")
    return Names(**names)
