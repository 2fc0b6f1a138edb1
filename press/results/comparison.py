"""Comparisons, on which words of a post rest: which can be made, and why one does not hold."""

from collections.abc import Callable, Sequence
from itertools import combinations, pairwise
from typing import Any

from press.errors import InputError
from press.results.each import Each, Key, together
from press.results.numbers import (
    Measured,
    NotRun,
    Quoted,
    is_difference,
    is_same,
    refuse_pair,
)  # fmt: skip

HOLDS: dict[str, Callable[[float], bool]] = {  # of what the first side is more than the second
    "==": lambda more: more == 0,
    "!=": lambda more: more != 0,
    "<": lambda more: more < 0,
    "<=": lambda more: more <= 0,
    ">": lambda more: more > 0,
    ">=": lambda more: more >= 0,
}


def why_not(signs: Sequence[str], sides: Sequence[Any]) -> str:
    """Why a chain of comparisons does not hold, or cannot be told yet; empty if it holds.

    With an `Each` among the sides it has to hold for each of the runs that are recorded, of which
    there is at least one. Raises InputError for what is not compared.
    """
    if not any(isinstance(side, Each) for side in sides):
        return _why_not(signs, sides)
    rows = [(key, row, _why_not(signs, row)) for key, row in together(sides).items()]
    known = [(key, why) for key, row, why in rows if not any(isinstance(s, NotRun) for s in row)]
    if not known:
        return rows[0][2]
    wrong = [(key, why) for key, why in known if why]
    if not wrong:
        return ""
    more = f", nor for {len(wrong) - 1} more of {len(known)}" if len(wrong) > 1 else ""
    return f"{wrong[0][1]} for {_name(wrong[0][0])}{more}"


def _name(key: Key) -> str:
    case, seed = key
    return case if seed is None else f"{case}, seed {seed}".removeprefix(", ")


def _why_not(signs: Sequence[str], sides: Sequence[Any]) -> str:
    """Why a chain of comparisons does not hold, or cannot be told yet; empty if it holds.

    Every two sides have to be of one kind, neighbours or not: `a < 3 < b` says something about a
    and b too. Raises InputError for what is not compared, whether or not all of it is recorded.
    """
    if not all(sign in HOLDS for sign in signs):
        raise InputError(f"compare by {', '.join(HOLDS)}")
    recorded = [side for side in sides if not isinstance(side, NotRun)]
    for one, other in combinations(recorded, 2):
        _refuse(one, other)
    if any(type(side) is str for side in recorded) and not {*signs} <= {"==", "!="}:
        raise InputError("two texts are compared by == or !=")
    if missing := [side for side in sides if isinstance(side, NotRun)]:
        return f"cannot be told yet: {missing[0].what} is not recorded"
    for sign, (one, other) in zip(signs, pairwise(sides), strict=True):
        if not HOLDS[sign](_more(one, other)):
            return f"does not hold: {_told(one, other)} {sign} {_told(other, one)}"
    return ""


def _refuse(one: Any, other: Any) -> None:
    """Raise InputError for two sides that say nothing about each other."""
    is_number = [isinstance(side, int | float) for side in (one, other)]
    if not all(is_number) and not type(one) is type(other) is str:
        raise InputError(
            "numbers are compared with numbers, and texts with texts; of a score say which metric,"
            " of a verdict its .word, and use no filter"
        )
    both = [side for side in (one, other) if isinstance(side, Measured)]
    if len({is_difference(side) for side in both}) > 1:
        raise InputError("a difference is not compared with a result itself")
    if all(isinstance(side, Measured | Quoted) for side in (one, other)):
        refuse_pair(one, other)  # a count, a setting or a typed number is of any kind


def _more(one: Any, other: Any) -> float:
    """What a number is more than another one; of two texts, 0 if they are the same."""
    if type(one) is str:
        return float(one != other)
    if type(one) is type(other) is int:
        return one - other
    try:
        return 0 if is_same(one, other) else float(one) - float(other)
    except OverflowError:
        raise InputError("this number is too long") from None


def _told(side: Any, beside: Any) -> str:
    """A side in six digits, or in as many as tell it from the one beside it."""
    if not isinstance(side, float) or not isinstance(beside, int | float):
        return repr(side)
    return f"{side:.6g}" if f"{side:.6g}" != f"{beside:.6g}" else f"{side:.12g}"
