"""What a person sees while a photograph is restored: time left, a preview, a way to stop."""

import os
import sys
import time
from contextlib import suppress
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING

from dip.files import write_bytes_whole
from dip.photo.files import encoded
from dip.planning.jobs import duration
from dip.runs.progress import Interrupts
from dip.tasks.photographs import Photo

if TYPE_CHECKING:
    from dip.engine.fit import Fit, Step

SPEED_AFTER = 20  # iterations after which the speed is known well enough to print
LONG_SECONDS = 3600  # from which on the way to a shorter fit is printed too
SHORT = 50  # letters of a name that with its ending is not too long for any file system
LINE_SECONDS, PREVIEW_SECONDS = 15.0, 20.0


def say(sentence: str) -> None:
    """Print a line at once. Once nobody reads any more, lines are lost and the work goes on."""
    try:
        print(sentence, flush=True)
    except OSError:  # a pipe that was closed, a terminal that is gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Progress:
    """Prints how far a fit is, writes previews, and stops the fit when its time is over."""

    def __init__(self, output: Path, minutes: float | None) -> None:
        """Count `minutes` from the first fit on; previews get a free name beside `output`."""
        self.preview = _free_name(output)
        self.interrupts = Interrupts()
        self.minutes, self.end = minutes, float("inf")

    def begin(self, iterations: int, share: float) -> None:
        """Begin a fit of at most `iterations`, which is `share` of the work that is left."""
        self.iterations, self.share = iterations, share
        self.began = self.printed = self.drawn = time.monotonic()
        if self.minutes is not None:
            self.end, self.minutes = self.began + 60 * self.minutes, None
        self.deadline = self.began + share * (self.end - self.began)

    def watch(self, fit: "Fit", step: "Step") -> str:
        """Take in a step; why to stop after it: "asked", by Ctrl-C, "time", or ""."""
        if self.interrupts.asked:
            return "asked"
        now = time.monotonic()
        if step.iteration == SPEED_AFTER or now - self.printed > LINE_SECONDS:
            self._say_how_far(step.iteration, now)
        if now - self.drawn > PREVIEW_SECONDS:
            self._draw(fit)
        return "time" if now > self.deadline else ""

    def _say_how_far(self, iteration: int, now: float) -> None:
        """Print the speed, or later the iteration, and how long the fit can still take."""
        self.printed = now
        each = (now - self.began) / max(1, iteration)
        # With the windows that come after this one.
        left = each * (self.iterations / self.share - iteration)
        limited = self.end - now < left
        most = f"at most {duration(left)} left"
        if limited:
            most = f"{duration(max(0.0, self.end - now))} left, as --minutes says"
        if iteration != SPEED_AFTER:
            say(f"iteration {iteration} of at most {self.iterations}, {most}")
            return
        long = left > LONG_SECONDS and not limited
        hint = "; a smaller --max-side, or --minutes, makes it shorter" if long else ""
        say(f"{each:.2g} s an iteration: {most}{hint}; preview: {self.preview}")

    def _draw(self, fit: "Fit") -> None:
        """Write the average of the outputs so far as the preview, whole."""
        average = fit.average
        if average is not None:
            with suppress(OSError):  # a full disk costs the preview, not the picture
                write_bytes_whole(self.preview, encoded(Photo(average, None, 8), "PNG"))
        self.drawn = time.monotonic()

    def finish(self) -> None:
        """Remove the preview: the image itself is written, or there is none."""
        with suppress(OSError):  # where it stands open elsewhere
            self.preview.unlink(missing_ok=True)


def _free_name(output: Path) -> Path:
    """`<output>.preview.png`, numbered where there is anybody's file of that name already."""
    ends = chain([""], (f"-{number}" for number in count(2)))
    names = (f"{output.stem[:SHORT]}.preview{end}.png" for end in ends)
    return next(path for path in map(output.with_name, names) if not os.path.lexists(path))
