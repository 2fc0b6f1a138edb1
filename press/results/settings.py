"""The settings of a suite's runs as the manifest states them, for expressions of posts.

`{{ setting("inpainting").iterations }}` writes 11,000. A suite whose problems differ in a setting
is asked for one of them: `setting("denoising/House256")`.
"""

from decimal import Decimal
from typing import Any, Self

from markupsafe import Markup

from press.errors import InputError, nearest
from press.results.manifest import Case
from press.results.numbers import MINUS
from press.results.store import Results
from press.toml_file import KINDS


class Setting(float):
    """A number that a suite's runs were set to; `name` says which one."""

    name: str
    stated: float  # an integer may have more digits than a float

    def __new__(cls, value: float, name: str) -> Self:
        """Wrap `value`."""
        setting = super().__new__(cls, value)
        setting.name, setting.stated = name, value
        return setting

    def __html__(self) -> Markup:
        """Write the number, so that a reader who points at it sees its name."""
        return self.marked(str(self))

    def __str__(self) -> str:
        """The shortest way to write it, with commas between thousands: "11,000", "0.001"."""
        return f"{Decimal(repr(self.stated)):,f}".removesuffix(".0").replace("-", MINUS)

    def marked(self, text: str) -> Markup:
        """Mark `text` as this setting's number."""
        return Markup('<span class="q" title="{}">{}</span>').format(self.name, text)


class Settings:
    """The settings of a suite, or of one problem of it; each is an attribute."""

    def __init__(self, name: str, cases: list[Case]) -> None:
        """`name` is as the post has it: "inpainting" or "inpainting/house"."""
        self._name, self._cases = name, cases

    def __getattr__(self, key: str) -> Setting | str:
        """A setting by its name, a number or words.

        A list of equal values is one of them, another has commas between them. Raises
        InputError if it is unknown, not set, neither number nor words, or not the same in all the
        problems.
        """
        if key.startswith("_"):
            raise AttributeError(key)
        known = self._cases[0].settings
        if key not in known:
            raise InputError(f"'{self._name}' has no setting '{key}'{nearest(key, known)}")
        values = [case.settings.get(key) for case in self._cases]
        value: Any = values[0]
        if any(other != value for other in values):
            example = f"{self._name}/{self._cases[0].folder}"
            raise InputError(f"'{key}' is not the same in all of '{self._name}'; say: '{example}'")
        if isinstance(value, list) and value:
            is_one = all(one == value[0] for one in value)
            value = value[0] if is_one else ", ".join(map(str, value))
        if KINDS["a number"](value):
            return Setting(value, f"{key} of {self._name}")
        if isinstance(value, str):
            return value
        raise InputError(f"'{key}' of '{self._name}' is {value!r}, no number and no words")


def settings_of(results: Results, name: str) -> Settings:
    """The settings of a suite, or of one image of it; raises InputError with the nearest name."""
    suite_name, _, image = name.partition("/")
    suite = results.suite(suite_name).suite
    cases = [suite.cases[suite.find(image)]] if image else list(suite.cases.values())
    return Settings(name, cases)
