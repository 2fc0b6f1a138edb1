"""Authors' plots: the one child process of a build that draws all of them that are stale.

The child (`plot_process.py`) is started by the first plot that must be drawn, so that a build
without one never loads matplotlib, and it ends with the build.
"""

import json
import os
import re
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Timer
from typing import Any

from press.errors import InputError
from press.files import sha256_of

PACKAGE = Path(__file__).parent.parent
STARTING_S = 180  # matplotlib's first start on a machine looks for all of its fonts
LIMIT_S = 180.0  # that one script may take; on a busy machine a plot of seconds takes a minute
COLOURS = re.compile(r"--([a-z][\w-]*)\s*:\s*(?:#[0-9a-fA-F]{3,8}\b|var\()")


@dataclass
class Plotter:
    """Draws plots in a child process, one after the other.

    `colours` are the names of the theme's CSS variables, which scripts may use as colours.
    """

    colours: tuple[str, ...] = ()
    _child: "subprocess.Popen[str] | None" = field(default=None, init=False)
    _is_ready: bool = field(default=False, init=False)

    @cached_property
    def identity(self) -> str:
        """What a plot depends on beside its script and its records.

        Raises InputError if matplotlib is not installed.
        """
        from importlib.metadata import PackageNotFoundError, version

        code = sorted([*PACKAGE.glob("results/*.py"), *PACKAGE.glob("charts/plot_*.py")])
        try:
            matplotlib = version("matplotlib")
        except PackageNotFoundError:
            raise InputError("plots need matplotlib: pip install matplotlib") from None
        return json.dumps([matplotlib, self.colours, *map(sha256_of, code)])

    def draw(self, request: dict[str, Any]) -> dict[str, Any]:
        """The child's answer to a request; raises InputError if it gives none in time."""
        child = self._child or self._start()
        assert child.stdin
        if not self._is_ready and self._line(child, STARTING_S)[0] != "ready\n":
            raise InputError("the process that draws plots could not be started")
        self._is_ready = True
        with suppress(OSError):  # of a child that has ended, which is told below
            child.stdin.write(json.dumps(request) + "\n")
            child.stdin.flush()
        answer, in_time = self._line(child, LIMIT_S)
        if answer:
            return dict(json.loads(answer))
        if not in_time:
            raise InputError(f"it took over {LIMIT_S:g} seconds and was stopped")
        raise InputError(f"the process that drew it ended with {child.wait()}")

    def _start(self) -> "subprocess.Popen[str]":
        paths = [str(PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        surroundings = {
            "PYTHONPATH": os.pathsep.join(paths),
            "PYTHONHASHSEED": "0",  # so that bytes repeat
            "PYTHONIOENCODING": "utf-8",
            "MPLBACKEND": "svg",
        }
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-m", "press.charts.plot_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**os.environ, **surroundings},
        )
        return self._child

    def _line(self, child: "subprocess.Popen[str]", seconds: float) -> tuple[str, bool]:
        """A whole line of the child, and whether it came in time; without one the child ends."""
        assert child.stdout
        deadline, late = time.monotonic() + seconds, Timer(seconds, child.kill)
        late.start()
        line = child.stdout.readline()
        in_time = time.monotonic() < deadline
        late.cancel()
        if line.endswith("\n"):
            return line, in_time
        self.close()
        return "", in_time

    def close(self) -> None:
        """End the child process."""
        child, self._child, self._is_ready = self._child, None, False
        if child and child.stdin and child.stdout:
            child.kill()  # it has nothing to keep, and a script may have left a thread in it
            child.wait()
            child.stdout.close()
            with suppress(OSError):  # what was not read
                child.stdin.close()


def colours_of(style: bytes) -> tuple[str, ...]:
    """The names of the colours that a style sheet sets as CSS variables: "ink", "accent" ..."""
    return tuple(dict.fromkeys(COLOURS.findall(style.decode())))
