"""The words of a site for what its suites are about: `[names]` of content/site.toml."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from press.diagnostics import counted
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


def sentence(words: str) -> str:
    """Words as a sentence begins: with a capital letter."""
    return words[:1].upper() + words[1:]


def read_names(path: Path) -> Names:
    """The names of a site.toml; the defaults without one. Raises InputError with its place."""
    file = TomlFile(path, optional=True)
    names = file.table("names")
    file.expect(KEYS, names, "names")
    methods = names.get("methods", {})
    file.expect(dict.fromkeys(methods, "text"), methods, "names.methods")
    return Names(**names)
