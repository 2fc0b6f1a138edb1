"""What a person sees while a photograph is restored: time left, a preview, a way to stop."""

import os
import time
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING

from dip.errors import InputError
from dip.files import write_bytes_whole
from dip.photo.files import encoded
from dip.planning.jobs import duration
from dip.runs.progress import Interrupts
from dip.tasks.photographs import Photo

if TYPE_CHECKING:
    from dip.engine.fit import Fit, Step

SPEED_AFTER = 20  # iterations after which the speed is known well enough to print
LONG_SECONDS = 3600  # from which on the way to a shorter fit is printed too
LINE_SECONDS, PREVIEW_SECONDS = 15.0, 20.0


class Progress:
    """Prints how far a fit is, writes previews, and stops the fit when its time is over."""

    def __init__(self, output: Path, minutes: float | None) -> None:
        """Count `minutes` from now; previews lie beside `output`, under a name that is free."""
        self.preview = _free_name(output)
        self.interrupts = Interrupts()
        self.end = None if minutes is None else time.monotonic() + 60 * minutes
        self.begin(1, 1.0)

    def begin(self, iterations: int, share: float) -> None:
        """Begin a fit of at most `iterations`, which may use `share` of the time that is left."""
        self.iterations = iterations
        self.began = self.printed = self.drawn = time.monotonic()
        self.deadline = None if self.end is None else self.began + share * (self.end - self.began)

    def watch(self, fit: "Fit", step: "Step") -> bool:
        """Take in a step; whether the time is over. Raises InputError after Ctrl-C."""
        if self.interrupts.asked:
            note = f"; the last preview is {self.preview}" if self.preview.exists() else ""
            raise InputError(f"stopped: nothing was written{note}")
        now = time.monotonic()
        if step.iteration == SPEED_AFTER:
            self._print_speed((now - self.began) / SPEED_AFTER, now)
        if now - self.printed > LINE_SECONDS:
            self.printed = now
            each = (now - self.began) / (step.iteration + 1)
            left = self._left(each * (self.iterations - step.iteration), now)
            print(f"iteration {step.iteration} of at most {self.iterations}, {left}", flush=True)
        if now - self.drawn > PREVIEW_SECONDS:
            self._draw(fit)
        return self.deadline is not None and now > self.deadline

    def _left(self, seconds: float, now: float) -> str:
        """How long a fit that needs at most `seconds` more can take, in words."""
        if self.deadline is not None and self.deadline - now < seconds:
            return f"{duration(max(0.0, self.deadline - now))} left, as --minutes says"
        return f"at most {duration(seconds)} left"

    def _print_speed(self, each: float, now: float) -> None:
        seconds = each * (self.iterations - SPEED_AFTER)
        long = self.deadline is None and seconds > LONG_SECONDS
        hint = "; a smaller --max-side, or --minutes, makes it shorter" if long else ""
        left = self._left(seconds, now)
        print(f"{each:.2g} s an iteration: {left}{hint}; preview: {self.preview}", flush=True)

    def _draw(self, fit: "Fit") -> None:
        """Write the average of the outputs so far as the preview, whole."""
        average = fit.average
        if average is not None:
            write_bytes_whole(self.preview, encoded(Photo(average, None, 8), "PNG"))
        self.drawn = time.monotonic()

    def finish(self) -> None:
        """Remove the preview: the image itself is written."""
        self.preview.unlink(missing_ok=True)


def _free_name(output: Path) -> Path:
    """`<output>.preview.png`, numbered where there is anybody's file of that name already."""
    ends = chain([""], (f"-{number}" for number in count(2)))
    names = (f"{output.stem}.preview{end}.png" for end in ends)
    return next(path for path in map(output.with_name, names) if not os.path.lexists(path))
