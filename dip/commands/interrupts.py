"""Being told to stop: Ctrl-C, SIGTERM, a time limit."""

import signal
import time
from types import FrameType


class Interrupts:
    """Tells whether this process was asked to stop; a second Ctrl-C ends it at once."""

    def __init__(self, time_limit_s: float | None = None) -> None:
        """Listen for SIGINT and SIGTERM from now on; `time_limit_s` counts from now too."""
        self.asked = False
        self.deadline = None if time_limit_s is None else time.monotonic() + time_limit_s
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    @property
    def late(self) -> bool:
        """Tell whether the time limit is over."""
        return self.deadline is not None and time.monotonic() >= self.deadline

    @property
    def seconds_left(self) -> float | None:
        """Give the seconds until the time limit; None without one."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    def should_stop(self) -> bool:
        """Tell whether to stop after this step."""
        return self.asked or self.late
