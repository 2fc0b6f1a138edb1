"""The names of a run's outputs, spelled one way wherever one is chosen.

`final`, `at.1000`, `stop.oracle`, `stop.es-wmv`, `average`, `clean`, `input`,
`baseline.biharmonic`, and `mean`, the average of the outputs of a suite's seeds.
"""

import re
from dataclasses import dataclass

from press.errors import InputError, nearest

# What stands behind the dot, in words; an empty text where nothing may.
KINDS = {
    "final": "",
    "at": "an iteration",
    "stop": "a stopping rule",
    "average": "",
    "clean": "",
    "input": "",
    "baseline": "a method",
    "mean": "",
}
# How an output was chosen before: as an attribute or a method, or by the name of its file.
OLD_ATTRIBUTES = {
    "at": "at.1000", "stop": "stop.oracle", "average": "average", "clean": "clean",
    "input": "input", "baseline": "baseline.bicubic", "mean_of_runs": "mean",
}  # fmt: skip
OLD = {"last": "final", "output": "final", "clean_z": "clean", "mean_of_runs": "mean"}


@dataclass(frozen=True)
class Selector:
    """One output of a run: its kind, and the iteration, rule or method that its kind asks for."""

    kind: str
    name: str = ""

    def __str__(self) -> str:
        """The spelling: "stop.oracle"."""
        return f"{self.kind}.{self.name}" if self.name else self.kind


def parse_selector(text: str | Selector) -> Selector:
    """The selector that `text` spells; raises InputError, with the new form of an old spelling."""
    if isinstance(text, Selector):
        return text
    if newer := _newer(text):
        raise InputError(f"'{text}' is now spelled '{newer}'")
    kind, dot, name = text.partition(".")
    if kind not in KINDS:
        raise InputError(f"unknown output '{text}'{nearest(kind, KINDS)}")
    wanted = KINDS[kind]
    if bool(wanted) != bool(name) or bool(dot) != bool(name):
        example = f"'{kind}.' and {wanted}" if wanted else f"'{kind}' alone"
        raise InputError(f"expected {example}, got '{text}'")
    if kind == "at" and not re.fullmatch(r"0|[1-9][0-9]{0,8}", name):
        raise InputError(f"expected an iteration behind 'at.', got '{name}'")
    return Selector(kind, name)


def _newer(text: str) -> str:
    """The spelling that took the place of an old one; empty if `text` is none."""
    if re.fullmatch(r"[0-9]+", text):
        return f"at.{text}"
    if text.startswith("stop-"):
        return f"stop.{text.removeprefix('stop-')}"
    return OLD.get(text, "")


def refuse_old(attribute: str, call: str) -> None:
    """Raise InputError with the new form, if an attribute is an old way to choose an output.

    `call` is the call that chooses it now, up to the selector.
    """
    if attribute in OLD_ATTRIBUTES:
        new = OLD_ATTRIBUTES[attribute]
        example = ", such as" if "." in new else ":"
        raise InputError(f"'.{attribute}' is now part of the call{example} {call}\"{new}\")")
