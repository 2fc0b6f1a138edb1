"""The same of several runs, or of a source's numbers, at once: what "on every image" rests on.

`runs("denoising", "average").psnr_db > runs("denoising").psnr_db` compares run by run.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from press.errors import InputError

# The case, "" of one that is compared with another; the seed, None of what is one for all seeds.
Key = tuple[str, int | None]


@dataclass(frozen=True, eq=False, repr=False)
class Each:
    """Runs, or what each of them has, by case and seed."""

    name: str  # as the expression has it
    by_run: Mapping[Key, Any]

    def map(self, ask: Callable[[Any], Any]) -> "Each":
        """What `ask` gives for each of them."""
        return Each(self.name, {key: ask(one) for key, one in self.by_run.items()})

    def get(self, key: Key) -> Any:
        """What belongs to a run; None where there is none of it."""
        return self.by_run.get(key, self.by_run.get((key[0], None)))


def together(sides: Sequence[Any]) -> dict[Key, list[Any]]:
    """The sides run by run; a side that is no `Each` is the same for all runs.

    These are the runs that all sides have. Raises InputError if there is none.
    """
    many = [side for side in sides if isinstance(side, Each)]
    rows = {
        key: [side.get(key) if isinstance(side, Each) else side for side in sides]
        for key in dict.fromkeys(key for each in many for key in each.by_run)
        if all(each.get(key) is not None for each in many)
    }
    if not rows:
        raise InputError(f"{' and '.join(each.name for each in many)} have no case in common")
    return rows


def one_by_one(work: Callable[..., Any], *sides: Any) -> Any:
    """What `work` gives for the sides, or for those of each run."""
    many = [side.name for side in sides if isinstance(side, Each)]
    if not many:
        return work(*sides)
    return Each(" - ".join(many), {key: work(*row) for key, row in together(sides).items()})
