"""`dip run`: what is not recorded, in order of worth, one after the other or several at once."""

import argparse
import os
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

from dip.errors import InputError, sentence_of
from dip.experiments.experiment import device_kind
from dip.experiments.suites import load_suites
from dip.experiments.test_images import load_images
from dip.planning.jobs import Job, choose_jobs, find_suites, record_of
from dip.records.environment import choose_device, cores
from dip.runs.progress import Interrupts, Lines

POLL_SECONDS = 0.2


def run(args: argparse.Namespace) -> int:
    """Run the jobs that `args` name, unless they are recorded.

    Returns 0 if all went well or the time limit ended it, 1 if a job failed or the process was
    asked to stop. Raises InputError for a wrong name or device.
    """
    device = choose_device(args.device)
    suites = load_suites(args.content / "experiments.toml")
    chosen = find_suites(suites, args.suites)
    jobs = choose_jobs(chosen, args.image or (), args.seed or (), args.method or ())
    if args.rerun and args.jobs > 1:
        raise InputError("--rerun works on one run after the other: leave --jobs out")
    sequence = Sequence(args, device)
    code = run_at_once(jobs, args, sequence) if args.jobs > 1 else sequence.run(jobs)
    if sequence.recorded == len(jobs):
        sequence.say.say(f"nothing to do: all {len(jobs)} are recorded; --rerun runs them anew")
    return code


class Sequence:
    """Jobs run one after the other in this process; a failed one is named, the others go on."""

    def __init__(self, args: argparse.Namespace, device: str) -> None:
        """Take the command's arguments, and listen for signals from now on."""
        from dip.runs.recording import RunContext

        self.rerun, self.results = args.rerun, Path(args.results)
        self.recorded = 0  # jobs that needed no run
        self.interrupts = Interrupts(args.time_limit)
        self.say = Lines(args.plain)
        self.context = RunContext(
            results=self.results,
            images=load_images(args.content / "images.toml"),
            image_folder=args.images,
            device=device,
            threads=args.threads,
            checkpoint_seconds=args.checkpoint_every,
            listener=self.say,
            should_stop=self.interrupts.should_stop,
            keeps_records=not args.rerun,
        )

    def run(self, jobs: list[Job]) -> int:
        """Run `jobs` until asked to stop; returns the exit code."""
        failed = 0
        for job in jobs:
            if self.interrupts.should_stop():
                break
            failed += not self._one(job)
        if self.interrupts.should_stop():
            rest = "the same command goes on from here"
            if self.rerun:
                rest = "name the rest by --image, --seed and --method, or all run anew"
            self.say.say(f"stopped; {rest}")
        return self.interrupts.exit_code(failed)

    def _one(self, job: Job) -> bool:
        """Run a job unless it is recorded; whether nothing went wrong."""
        try:
            return self.is_recorded(job) or self._performed(job)
        except InputError as error:
            self.say.say(f"{job.name}: {error}")
        except OSError as error:  # a full disk, a folder without permission
            self.say.say(f"{job.name}: {sentence_of(error)}")
        except Exception as error:  # noqa: BLE001 (one failure is not the others')
            self.say.say(f"{job.name}: failed: {type(error).__name__}: {error}")
        return False

    def is_recorded(self, job: Job) -> bool:
        """Whether a job needs no run; never with --rerun. Raises InputError for a bad record."""
        if self.rerun:
            return False
        try:
            if record_of(job, self.results, self.context.images) is None:
                return False
        except InputError as error:
            raise InputError(
                f"{error.sentence}; --rerun moves it aside", error.path, error.line, error.column
            ) from None
        self.recorded += 1
        return True

    def _performed(self, job: Job) -> bool:
        from dip.runs.checkpoint import Busy
        from dip.runs.run import perform

        try:
            record = perform(job, self.context)
        except Busy as error:
            self.say.say(f"{job.name}: {error.sentence}; left to it")
            return True
        if record:
            psnr_db = record.metrics["final"]["psnr_db"]
            score = "" if psnr_db is None else f", {psnr_db:.2f} dB"
            if record.metrics["final"]["loss"] is None and record.kind == "run":
                score = ", diverged: its last loss is not a number"
            self.say.say(f"{job.name}: recorded{score}, {record.data['seconds']:.1f} s")
        return True


def run_at_once(jobs: list[Job], args: argparse.Namespace, sequence: Sequence) -> int:
    """Run the baselines here, each run in a process of its own, then the means; the exit code.

    A run that fails names itself and does not stop the others.
    """
    stopped = sequence.interrupts.should_stop
    failed = sequence.run([job for job in jobs if job.kind == "baseline"])
    if not stopped():
        runs = [job for job in jobs if job.kind == "run" and _is_missing(job, sequence)]
        failed = max(failed, _run_children(runs, args, sequence))
    if not stopped():
        failed = max(failed, sequence.run([job for job in jobs if job.kind == "mean"]))
    return failed


def _is_missing(job: Job, sequence: Sequence) -> bool:
    """Whether a job must run; a damaged record is left to the child, which names it."""
    try:
        return not sequence.is_recorded(job)
    except InputError:
        return True


def _run_children(jobs: list[Job], args: argparse.Namespace, sequence: Sequence) -> int:
    """Run each job as a child process, `args.jobs` at once; the exit code."""
    interrupts, device = sequence.interrupts, sequence.context.device
    waiting, failed = deque(jobs), 0
    running: dict[int, tuple[Job, subprocess.Popen[bytes]]] = {}  # by place
    while waiting or running:
        if interrupts.should_stop():
            waiting.clear()
            for _, child in running.values():
                child.terminate()
        for place in range(args.jobs):
            if waiting and place not in running:
                job = waiting.popleft()
                command = _command(job, args, device, interrupts.seconds_left)
                environment = child_environment(device, place)
                running[place] = job, subprocess.Popen(command, env=environment)
        for place, (job, child) in list(running.items()):
            code = child.poll()
            if code is None:
                continue
            del running[place]
            if code != 0 and not interrupts.should_stop():
                print(f"{job.name}: failed, exit code {code}", flush=True)
                failed += 1
        time.sleep(POLL_SECONDS)
    return interrupts.exit_code(failed)


def _command(job: Job, args: argparse.Namespace, device: str, limit_s: float | None) -> list[str]:
    """The command that runs one job in a process of its own, for at most `limit_s` seconds."""
    command = [
        sys.executable, "-m", "dip", "--content", str(args.content), "run", job.suite.name,
        "--image", job.experiment.case, "--seed", str(job.experiment.seed),
        "--device", device_kind(device), "--checkpoint-every", str(args.checkpoint_every),
        "--results", str(args.results), "--plain",
    ]  # fmt: skip
    if args.images:
        command += ["--images", str(args.images)]
    if args.threads or device_kind(device) == "cpu":  # shared among the children
        command += ["--threads", str(args.threads or max(1, cores() // args.jobs))]
    if limit_s is not None:
        command += ["--time-limit", f"{limit_s:.0f}"]
    return command


def child_environment(device: str, place: int) -> dict[str, str]:
    """The environment of the child at `place`, from 0 on.

    On CUDA it sees one GPU, the one that `device` names ("cuda:1"), or each in turn.
    """
    environment = dict(os.environ)
    if device_kind(device) == "cuda":
        named = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        visible = [name for name in named.split(",") if name]
        if not visible:
            import torch

            visible = [str(number) for number in range(torch.cuda.device_count())]
        number = device.partition(":")[2]
        environment["CUDA_VISIBLE_DEVICES"] = visible[int(number or place) % len(visible)]
    return environment
