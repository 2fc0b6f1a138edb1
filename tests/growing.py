"""How the time to read a text grows with its length."""

import gc
import time
from collections.abc import Callable

NOTHING = 0.01  # seconds that no reader notices
SQUARE = 8  # from which on the time is said to grow as the square of the length


def growth(read: Callable[[str], object], before: str, mark: str, times: int) -> float:
    """How many times as long it takes to read four times as many marks, at their best of three.

    Four where the time grows as the length, sixteen where it grows as its square: `SQUARE` is
    the middle, far enough from both on a busy machine.
    """
    once, more = (
        min(spent(read, before + mark * number) for _ in range(3))
        for number in (times // 2, 2 * times)
    )
    return max(more, NOTHING) / max(once, NOTHING)


def spent(read: Callable[[str], object], text: str) -> float:
    """The processor's seconds to read a text, without those of Python's collecting of garbage."""
    gc.collect()
    gc.disable()
    try:
        start = time.process_time()
        read(text)
        return time.process_time() - start
    finally:
        gc.enable()
