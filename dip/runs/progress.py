"""How far runs are, as a bar on a terminal or plain lines elsewhere; and being asked to stop."""

import signal
import sys
import time
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, Any

from dip.planning.jobs import duration

if TYPE_CHECKING:
    from dip.engine.fit import Step

LINE_SECONDS = 30.0


class Interrupts:
    """Whether this process was asked to stop: by Ctrl-C, by SIGTERM, or by a time limit.

    The first Ctrl-C lets the step that is being done come to its end; the second ends it at once.
    """

    def __init__(self, time_limit_s: float | None = None) -> None:
        """Listen for SIGINT and SIGTERM from now on; `time_limit_s` counts from now too."""
        self.asked = self.by_hand = False
        self.deadline = None if time_limit_s is None else time.monotonic() + time_limit_s
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked, self.by_hand = True, number == signal.SIGINT
        signal.signal(signal.SIGINT, signal.default_int_handler)

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the time limit, at least 0; None without a limit."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    def should_stop(self) -> bool:
        """Whether to stop after this step."""
        return self.asked or self.seconds_left == 0.0

    def exit_code(self, failed: int = 0) -> int:
        """1 if anything failed or was stopped, else 0.

        Raises KeyboardInterrupt after Ctrl-C, once all is saved, so that a shell's loop ends too.
        """
        if self.by_hand:
            raise KeyboardInterrupt
        return 1 if failed or self.asked else 0


class Listener:
    """Hears of a run while it goes on; this one prints nothing."""

    def begin(self, name: str, first: int, last: int) -> None:
        """A run begins at iteration `first` and will end at `last`."""

    def step(self, step: "Step") -> None:
        """A step was done."""

    def say(self, sentence: str) -> None:
        """Something is worth a line."""


class Lines(Listener):
    """A line every half minute: name, iteration, PSNR, time left."""

    def begin(self, name: str, first: int, last: int) -> None:
        """Print that a run begins, or resumes from its checkpoint at iteration `first`."""
        self.name, self.first, self.last = name, first, last
        self.began = self.printed = time.monotonic()
        self.say(f"{name}: {'goes on at' if first else 'begins;'} iteration {first} of {last}")

    def step(self, step: "Step") -> None:
        """Print how far the run is, if the last line is old."""
        now = time.monotonic()
        if now - self.printed < LINE_SECONDS:
            return
        self.printed = now
        each = (now - self.began) / (step.iteration + 1 - self.first)
        left = duration(each * (self.last - step.iteration))
        self.say(
            f"{self.name}: iteration {step.iteration} of {self.last}{_psnr(step)}, {left} left"
        )

    def say(self, sentence: str) -> None:
        """Print one line."""
        print(sentence, flush=True)


class Bar(Listener):
    """A tqdm bar for each run."""

    def __init__(self) -> None:
        """Begin with no run; raises ImportError if tqdm is not installed."""
        from tqdm import tqdm

        self._tqdm: Any = tqdm
        self._bar: Any = None

    def begin(self, name: str, first: int, last: int) -> None:
        """Draw a new bar under the old ones."""
        if self._bar is not None:
            self._bar.close()
        self._bar = self._tqdm(desc=name, initial=first, total=last, dynamic_ncols=True)

    def step(self, step: "Step") -> None:
        """Move the bar."""
        self._bar.set_postfix_str(_psnr(step).lstrip(", "), refresh=False)
        self._bar.update(step.iteration - self._bar.n)
        if step.iteration == self._bar.total:
            self._bar.close()

    def say(self, sentence: str) -> None:
        """Print one line above the bar."""
        self._tqdm.write(sentence)


def _psnr(step: "Step") -> str:
    return "" if step.psnr_db is None else f", {step.psnr_db:.2f} dB"


def listener(plain: bool = False) -> Listener:
    """A bar if this is a terminal, tqdm is installed and `plain` is not asked for; else lines."""
    with suppress(ImportError):
        if not plain and sys.stderr.isatty():
            return Bar()
    return Lines()
