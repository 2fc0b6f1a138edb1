"""How many trials there are of each kind, and by which seed; conftest.py tells what was tried.

`TRIALS=300 TRIAL_SEED=7 python -m pytest tests/trials` tries each kind 300 times.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator

TRIALS = int(os.environ.get("TRIALS", "0"))  # of each kind; 0: the few of an ordinary run
SEED = int(os.environ.get("TRIAL_SEED", "0"))
TRIED: Counter[str] = Counter()


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
