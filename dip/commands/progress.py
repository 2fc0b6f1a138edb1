"""Telling how far runs are: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from typing import TYPE_CHECKING, Any

from dip.planning.jobs import duration

if TYPE_CHECKING:
    from dip.engine.fit import Step
    from dip.runs.recording import Listener

LINE_SECONDS = 30.0


class Lines:
    """A line every half minute: name, iteration, PSNR, time left."""

    def __init__(self) -> None:
        """Begin with no run."""
        self.name, self.first, self.last = "", 0, 0
        self.began = self.told = time.monotonic()

    def begin(self, name: str, first: int, last: int) -> None:
        """Say which run begins, or goes on from its checkpoint."""
        self.name, self.first, self.last = name, first, last
        self.began = self.told = time.monotonic()
        self.say(f"{name}: {'goes on at' if first else 'begins;'} iteration {first} of {last}")

    def step(self, step: "Step") -> None:
        """Say how far the run is, if the last line is old."""
        now = time.monotonic()
        if now - self.told < LINE_SECONDS:
            return
        self.told = now
        done = step.iteration + 1 - self.first
        left = (now - self.began) / done * (self.last - step.iteration)
        self.say(
            f"{self.name}: iteration {step.iteration} of {self.last}{_psnr(step)},"
            f" {duration(left)} left"
        )

    def say(self, sentence: str) -> None:
        """Write one line."""
        print(sentence, flush=True)


class Bar:
    """A tqdm bar for each run."""

    def __init__(self) -> None:
        """Begin with no run; raises ImportError if tqdm is not installed."""
        from tqdm import tqdm

        self._tqdm: Any = tqdm
        self._bar: Any = None

    def begin(self, name: str, first: int, last: int) -> None:
        """Draw a new bar under the old ones."""
        self._close()
        self._bar = self._tqdm(desc=name, initial=first, total=last, dynamic_ncols=True)

    def step(self, step: "Step") -> None:
        """Move the bar."""
        self._bar.set_postfix_str(_psnr(step).lstrip(", "), refresh=False)
        self._bar.update(step.iteration - self._bar.n)
        if step.iteration == self._bar.total:
            self._close()

    def say(self, sentence: str) -> None:
        """Write one line above the bar."""
        self._tqdm.write(sentence)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _psnr(step: "Step") -> str:
    return "" if step.psnr_db is None else f", {step.psnr_db:.2f} dB"


def listener(plain: bool = False) -> "Listener":
    """Give a bar if this is a terminal and tqdm is installed, else lines."""
    if plain or not sys.stderr.isatty():
        return Lines()
    try:
        return Bar()
    except ImportError:
        return Lines()
