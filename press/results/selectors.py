"""The names of a run's outputs, spelled one way wherever one is chosen.

`final`, `at.1000`, `stop.oracle`, `stop.es-wmv`, `average`, `clean`, `input`, `change`,
`baseline.biharmonic`, and `mean`, the average of the outputs of a suite's seeds.
"""

import re
from dataclasses import dataclass

from press.errors import InputError, nearest

# What stands behind the dot, in words; an empty text where nothing may.
KINDS = {
    "final": "",
    "at": "an iteration",
    "curve": "a step",
    "stop": "a stopping rule",
    "average": "",
    "clean": "",
    "input": "",
    "change": "",
    "baseline": "a method",
    "mean": "",
}


@dataclass(frozen=True)
class Selector:
    """One output of a run: its kind, and the iteration, rule or method that its kind asks for."""

    kind: str
    name: str = ""

    def __str__(self) -> str:
        """The spelling: "stop.oracle"."""
        return f"{self.kind}.{self.name}" if self.name else self.kind


FINAL = Selector("final")


def parse_selector(text: str | Selector) -> Selector:
    """The selector that `text` spells; raises InputError."""
    if isinstance(text, Selector):
        return text
    kind, dot, name = text.partition(".")
    if kind not in KINDS:
        near = nearest(kind, KINDS) or f"; there are {', '.join(KINDS)}"
        raise InputError(f"unknown output '{text}'{near}")
    wanted = KINDS[kind]
    if bool(wanted) != bool(name) or bool(dot) != bool(name):
        example = f"'{kind}.' and {wanted}" if wanted else f"'{kind}' alone"
        raise InputError(f"expected {example}, got '{text}'")
    if kind in ("at", "curve") and not re.fullmatch(r"0|[1-9][0-9]{0,8}", name):
        raise InputError(f"expected {wanted} behind '{kind}.', got '{name}'")
    return Selector(kind, name)
