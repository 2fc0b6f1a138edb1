"""How many trials there are of each kind, and by which seed; conftest.py tells what was tried.

`TRIALS=300 TRIAL_SEED=7 python -m pytest tests/trials` tries each kind 300 times.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

TRIALS = int(os.environ.get("TRIALS", "0"))  # of each kind; 0: the few of an ordinary run
SEED = int(os.environ.get("TRIAL_SEED", "0"))
TRIED: Counter[str] = Counter()
ODD: tuple[Any, ...] = (
    None, True, -1, 0, 10**40, 1e308, float("nan"), "", "x", "\0", "../../x", "x" * 100_000, [],
    [[]], [None], {}, {"": 0}, {"x": {}}, {"../../../x": "0"}, {"/etc/hostname": 1}, "2026-13-45",
    "\ud800",
)  # fmt: skip


class Chance(random.Random):
    """The source of one trial's choices; `said` is how to have the same trial again."""

    def __init__(self, kind: str, number: int) -> None:
        """Begin from the seed, the kind and the trial's number."""
        super().__init__(f"{SEED} {kind} {number}")
        self.number, self.said = number, f"{kind}, number {number}, TRIAL_SEED={SEED}"


def trials(kind: str, few: int) -> Iterator[Chance]:
    """The trials of a kind, `few` in an ordinary run."""
    for number in range(TRIALS or few):
        TRIED[kind] += 1
        yield Chance(kind, number)


def odd(data: dict[str, Any], chance: random.Random) -> None:
    """Put a value of another type or size somewhere into the data of a JSON."""
    places: list[tuple[Any, Any]] = []

    def walk(value: Any) -> None:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, inner in items:
            places.append((value, name))
            if isinstance(inner, dict | list):
                walk(inner)

    walk(data)
    inside, name = chance.choice(places)
    inside[name] = chance.choice(ODD)
