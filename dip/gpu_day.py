"""A day on a GPU in one command: checks, bench, gate, decisions, runs, archives.

`python -m dip.gpu_day --part 1 --minutes 10 --out DIR --images DIR`, then parts 2 and 3.
Every decision is made here, by rules that docs/gpu-day.md explains. `--out` gets a few files to
carry home; each step is a process of its own, so that a failure costs that step alone.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Timer
from typing import Any

from dip import gpu_modes as modes
from dip import gpu_rules as rules
from dip.cuda_path import CHOICE, EAGER
from dip.files import write_text_whole
from dip.gpu_queue import BROKEN, Plan, repack, write_plan
from dip.problems import InputError

MARGIN_S = 15.0  # a part ends this long before its minutes are over
COMMIT_TOLD = re.compile("[0-9a-f]{40}(-dirty)?")
GRACE_S = 10.0  # a queue that has not ended so long after its time is killed
STARTS = 4  # of the queue in one part, where runs break their process
ROOT = Path(__file__).resolve().parent.parent


class Day:
    """What is known and decided so far, kept in `day.json`, and the time that is left."""

    def __init__(self, args: argparse.Namespace) -> None:
        """Take up what earlier parts found."""
        self.args, self.out, self.work = args, args.out.resolve(), args.work.resolve()
        self.until = time.time() + 60 * args.minutes - MARGIN_S
        self.device = "cpu" if args.tiny else "cuda"
        self.out.mkdir(parents=True, exist_ok=True)
        self.work.mkdir(parents=True, exist_ok=True)
        self.known: dict[str, Any] = self._earlier()

    def _earlier(self) -> dict[str, Any]:
        """Read day.json, and put archived records in their place if they are not there."""
        for folder in (self.out, self.args.earlier, self.work):
            if folder is None or not (folder / "day.json").exists():
                continue
            known: dict[str, Any] = json.loads((folder / "day.json").read_text(encoding="utf-8"))
            if known.get("tiny", False) != self.args.tiny:
                continue
            print(f"goes on from {folder / 'day.json'}", flush=True)
            archives = sorted(folder.glob("records-*.tar"))
            mode = known.get("decided", {}).get("mode")
            if mode and archives and not self.results(mode).exists():
                from dip.pack import unpack

                self.results(mode).mkdir(parents=True)
                unpack(archives, self.results(mode))
            return known
        return {"tiny": self.args.tiny, "steps": {}, "decided": {}, "runs": [], "said": []}

    def results(self, mode: str) -> Path:
        """Name the folder of the records made in a mode of arithmetic."""
        return Path(self.work / f"results-{'tiny-' if self.args.tiny else ''}{mode}")

    @property
    def left(self) -> float:
        """The seconds left of this part."""
        return float(self.until - time.time())

    def say(self, sentence: str) -> None:
        """Print a line and keep it, and everything known, on disk."""
        print(sentence, flush=True)
        self.known["said"].append(sentence)
        for folder in (self.out, self.work):
            write_text_whole(folder / "day.json", json.dumps(self.known, indent=1) + "\n")

    def step(self, name: str, seconds: float, act: Callable[[], dict[str, Any]]) -> None:
        """Do a step unless it is done, or would not fit; a failure is noted, and the day goes on."""
        if name in self.known["steps"]:
            return
        if self.left < (seconds if not self.args.tiny else 1):
            print(f"{name}: left for the next part, {self.left:.0f} s are too few", flush=True)
            return
        started = time.time()
        try:
            found = act()
            if found.get("stopped"):
                return
        except subprocess.TimeoutExpired as error:
            if self.left < MARGIN_S:  # the part's end, not the step's fault
                return
            found = {"failed": f"it took over {error.timeout:.0f} s"}
        except (InputError, OSError, ValueError, LookupError, subprocess.SubprocessError) as error:
            found = {"failed": f"{type(error).__name__}: {error}"[-1500:]}
        self.known["steps"][name] = found
        word = found.get("failed") or {k: v for k, v in found.items() if k in rules.TOLD}
        self.say(f"{name}: {word} ({time.time() - started:.0f} s)")

    def child(self, module: str, *words: str, limit: float = 240) -> list[str]:
        """Run a module in a process of its own; give the lines that it printed."""
        done = subprocess.run(
            [sys.executable, "-m", module, *words], capture_output=True, text=True, cwd=ROOT,
            env=self._environment(), timeout=max(1.0, min(limit, self.left + 5)), check=False,
        )  # fmt: skip
        if done.returncode:
            told = f"{done.stderr[-1000:]}\n{done.stdout[-3000:]}"
            raise InputError(f"{module} {' '.join(words)}: {told}")
        return done.stdout.splitlines()

    def _environment(self) -> dict[str, str]:
        """Give the variables of a child: the way decided, products without atomics."""
        decided = self.known["decided"]
        chosen = {CHOICE: decided.get("path", "stock"), EAGER: "1" if decided.get("eager") else "0"}
        if self.args.commit:
            chosen["DIP_COMMIT"] = self.args.commit
        fixed = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8", "PYTHONUNBUFFERED": "1"}
        return {**os.environ, **fixed, **chosen}

    def check(self, name: str, *words: str) -> dict[str, Any]:
        """Ask one of dip.gpu_checks."""
        found: dict[str, Any] = json.loads(
            self.child("dip.gpu_checks", name, self.device, *words)[-1]
        )
        return found

    def _plan(self, mode: str, ends: float) -> Plan:
        """Give the order of worth in a mode, until `ends`."""
        args, decided = self.args, self.known["decided"]
        return Plan(
            results=str(self.results(mode)), out=str(self.out), content=str(args.content.resolve()),
            images=str(args.images.resolve()) if args.images else None,
            device=self.device, mode=mode, until=ends, ms=decided.get("ms", {}), tiny=args.tiny,
            gate=decided.get("gate", True), concurrent=args.concurrent,
        )  # fmt: skip

    def runs(
        self, mode: str, *, only: tuple[str, ...] = (), skip: tuple[str, ...] = (),
        limit: float | None = None,
    ) -> Iterator[dict[str, Any]]:  # fmt: skip
        """Follow the queue of runs in a mode, until the time is up; give what it tells.

        Where its process dies, "failed" is the end of what it wrote, and "job" what it was at.
        """
        ends = self.until - 5 if limit is None else min(self.until - 5, time.time() + limit)
        plan = replace(self._plan(mode, ends), only=only, skip=skip)
        if only:
            plan = replace(plan, out=str(self.work / "trials"))
        file, errors = write_plan(plan, self.work / f"plan-{mode}.json"), self.work / "errors.txt"
        begun: str | None = None
        told: dict[str, Any] = {}
        with errors.open("w", encoding="utf-8") as stderr, subprocess.Popen(
            [sys.executable, "-u", "-m", "dip.gpu_queue", str(file)], stdout=subprocess.PIPE,
            stderr=stderr, text=True, cwd=ROOT, env=self._environment(),
        ) as process:  # fmt: skip
            alarm = Timer(max(1.0, ends - time.time()) + GRACE_S, process.kill)
            alarm.start()
            assert process.stdout
            for line in process.stdout:
                told = json.loads(line) if line.startswith("{") else {}
                begun = told.get("begins", begun)
                if told and "begins" not in told:
                    yield told
            died = process.wait() not in (0, BROKEN)
            alarm.cancel()
        if died and "failed" not in told:
            tail = errors.read_text(encoding="utf-8", errors="replace")[-1000:]
            yield {
                "job": begun,
                "failed": tail or f"ended with {process.returncode}",
                "broken": True,
            }

    def queue(self) -> None:
        """Run the order of worth in the mode decided, and pack what is recorded.

        A run that breaks its process is left out, and the others go on in a new one.
        """
        mode, failed = self.known["decided"]["mode"], list[str]()
        for _ in range(STARTS):
            broken = False
            for told in self.runs(mode, skip=tuple(failed)):
                self.known["runs"].append(told)
                self.say(f"run: {told}")
                failed += [told["job"]] if "failed" in told and told.get("job") else []
                broken = broken or bool(told.get("broken"))
            if not broken or self.left < MARGIN_S:
                break
        if self.results(mode).exists():
            self.say(f"packed: {repack(self.results(mode), self.out)}")


def first_part(day: Day) -> None:
    """Check, measure, decide the way, try the modes, open the gate or not, decide the mode."""
    rules.check_all(day)
    rules.decide_path(day)
    modes.try_modes(day)
    modes.decide_mode(day)


def main(words: list[str] | None = None) -> int:
    """Do one part of the day; give 0 unless it could not begin."""
    parser = argparse.ArgumentParser(prog="python -m dip.gpu_day", description=__doc__)
    parser.add_argument("--part", type=int, choices=(1, 2, 3), required=True)
    parser.add_argument("--minutes", type=float, default=9.5, help="this part ends within them")
    parser.add_argument("--out", type=Path, required=True, help="what is to be carried home")
    parser.add_argument("--images", type=Path, help="the folder of the test images")
    parser.add_argument("--earlier", type=Path, help="what an earlier part left in its --out")
    parser.add_argument("--work", type=Path, help="records and checkpoints")
    parser.add_argument("--content", type=Path, default=ROOT / "content")
    parser.add_argument("--commit", help="the commit of this code, where there is no git")
    parser.add_argument("--concurrent", type=int, default=1, help="runs at once, up to 256x256")
    parser.add_argument("--tiny", action="store_true", help="the whole way on the CPU, tiny")
    args = parser.parse_args(words)
    args.work = args.work or Path(tempfile.gettempdir()) / "dip-gpu-day"
    if args.commit and not COMMIT_TOLD.fullmatch(args.commit):
        parser.error(
            f"--commit is '{args.commit}', not 40 hexadecimal digits, with or without -dirty"
        )
    try:
        day = Day(args)
        if "mode" not in day.known["decided"]:
            first_part(day)
        if args.part == 3:
            rules.verify_some(day)
        if "mode" in day.known["decided"] and day.left > 1:
            day.queue()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    day.say(f"part {args.part} ends with {day.left:.0f} s left")
    return 0


if __name__ == "__main__":
    sys.exit(main())
