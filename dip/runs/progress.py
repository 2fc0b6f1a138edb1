"""How far runs are, in lines; and being asked to stop."""

import os
import shutil
import signal
import sys
import time
from types import FrameType
from typing import TYPE_CHECKING

from dip.planning.jobs import duration

if TYPE_CHECKING:
    from dip.engine.fit import Step

LINE_SECONDS, OVER_SECONDS = 30.0, 1.0


class Interrupts:
    """Whether this process was asked to stop: by Ctrl-C, by SIGTERM or SIGHUP, or by a time limit.

    The first Ctrl-C lets the step that is being done come to its end; the second ends it at once.
    """

    def __init__(self, time_limit_s: float | None = None) -> None:
        """Listen for these signals from now on; `time_limit_s` counts from now too."""
        self.asked = self.by_hand = False
        self.deadline = None if time_limit_s is None else time.monotonic() + time_limit_s
        signal.signal(signal.SIGTERM, self._ask)
        hangup = getattr(signal, "SIGHUP", None)  # the terminal is closed; Windows has none
        for number in (signal.SIGINT, hangup):
            # Ignored under nohup, and where a script runs it in the background: a Ctrl-C there is
            # meant for another.
            if number and signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked, self.by_hand = True, number == signal.SIGINT
        if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
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
    """How far a run is: name, iteration, PSNR, time left.

    On a terminal it is one line, written over every second; elsewhere, and where `plain` is asked
    for, a new line every half minute.
    """

    def __init__(self, plain: bool = False) -> None:
        """Look whether this is a terminal that can go back in its line; a dumb one cannot."""
        self.drawn = 0  # letters that stand in the line to be written over
        self.over = sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and not plain
        self.pause = OVER_SECONDS if self.over else LINE_SECONDS

    def begin(self, name: str, first: int, last: int) -> None:
        """Print that a run begins, or resumes from its checkpoint at iteration `first`."""
        self.name, self.first, self.last = name, first, last
        self.began = self.printed = time.monotonic()
        self.say(f"{name}: {'goes on at' if first else 'begins;'} iteration {first} of {last}")

    def step(self, step: "Step") -> None:
        """Print how far the run is, if the last line is old."""
        now = time.monotonic()
        if now - self.printed < self.pause:
            return
        self.printed = now
        each = (now - self.began) / (step.iteration + 1 - self.first)
        left = duration(each * (self.last - step.iteration))
        psnr = "" if step.psnr_db is None else f", {step.psnr_db:.2f} dB"
        sentence = f"{self.name}: iteration {step.iteration} of {self.last}{psnr}, {left} left"
        # A line as wide as the terminal cannot be written over. What is new stands at its end.
        short = sentence[1 - shutil.get_terminal_size().columns :]
        self._print(short, end="") if self.over else self.say(sentence)

    def say(self, sentence: str) -> None:
        """Print one line, which stays."""
        self._print(sentence, end="\n")

    def _print(self, sentence: str, end: str) -> None:
        print("\r" * self.over + sentence.ljust(self.drawn), end=end, flush=True)
        self.drawn = 0 if end else len(sentence)
