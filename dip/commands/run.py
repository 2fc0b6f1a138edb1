"""`dip run`: run what is not recorded, in order of worth.

One after the other in this process; or at once, as its children or as jobs of a cluster.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from dip.errors import InputError
from dip.experiments.experiment import device_kind
from dip.experiments.suites import load_suites
from dip.experiments.test_images import load_images
from dip.planning.jobs import Job, choose_jobs, find_suites, record_of
from dip.records.environment import choose_device, cores
from dip.runs.progress import Interrupts, listener

POLL_SECONDS = 0.2


def run(args: argparse.Namespace) -> int:
    """Run the jobs that `args` name, unless they are recorded.

    Returns 0 if all went well or the time limit ended it, 1 if a job failed or the process was
    asked to stop. Raises InputError for a wrong name or device.
    """
    # A cluster's nodes look for the device themselves; what is left to do here needs none.
    device = choose_device("cpu" if args.executor == "slurm" else args.device)
    suites = load_suites(args.content / "experiments.toml")
    jobs = choose_jobs(find_suites(suites, args.suites), args.image or (), args.seed or ())
    if args.rerun and args.jobs > 1:
        raise InputError("--rerun works on one run after the other: leave --jobs out")
    sequence = Sequence(args, device)
    at_once = args.jobs > 1 or args.executor == "slurm"
    code = run_many(jobs, args, sequence) if at_once else sequence.run(jobs)
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
        self.say = listener(args.plain)
        self.context = RunContext(
            results=self.results,
            images=load_images(args.content / "images.toml"),
            image_folder=args.images,
            device=device,
            threads=args.threads,
            checkpoint_seconds=args.checkpoint_every,
            listener=self.say,
            should_stop=self.interrupts.should_stop,
        )

    def run(self, jobs: list[Job]) -> int:
        """Run `jobs` until asked to stop; returns the exit code."""
        failed = 0
        for job in jobs:
            if self.interrupts.should_stop():
                break
            failed += not self._one(job)
        if self.interrupts.should_stop():
            self.say.say("stopped; the same command goes on from here")
        return self.interrupts.exit_code(failed)

    def _one(self, job: Job) -> bool:
        """Run a job unless it is recorded; whether nothing went wrong."""
        try:
            return self.is_recorded(job) or self._performed(job)
        except InputError as error:
            self.say.say(f"{job.name}: {error}")
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
            self.say.say(f"{job.name}: recorded{score}, {record.data['seconds']:.1f} s")
        return True


def run_many(jobs: list[Job], args: argparse.Namespace, sequence: Sequence) -> int:
    """Run the baselines here, each run in a process of its own, then the means; the exit code.

    A run that fails names itself and does not stop the others. Raises InputError for a wrong
    `--slurm`, before anything is run.
    """
    device, interrupts = sequence.context.device, sequence.interrupts
    slurm, stopped = args.executor == "slurm", interrupts.should_stop
    workers = Cluster(args) if slurm else Children(args, device, interrupts)
    failed = sequence.run([job for job in jobs if job.method and not job.seeds])
    if not stopped():
        runs = [job for job in jobs if not job.method and _is_missing(job, sequence)]
        failed = max(failed, workers.run(runs))
    if not stopped():
        failed = max(failed, sequence.run([job for job in jobs if job.seeds]))
    return failed


def _is_missing(job: Job, sequence: Sequence) -> bool:
    """Whether a job must run; a damaged record is left to the child, which names it."""
    try:
        return not sequence.is_recorded(job)
    except InputError:
        return True


def command_for(
    job: Job, args: argparse.Namespace, device: str, threads: int | None, limit_s: float | None
) -> list[str]:
    """The command that runs one job in a process of its own, for at most `limit_s` seconds."""
    command = [
        sys.executable, "-m", "dip", "--content", str(args.content), "run", job.suite.name,
        "--image", job.experiment.case, "--seed", str(job.experiment.seed),
        "--device", device, "--results", str(args.results), "--plain",
    ]  # fmt: skip
    if args.images:
        command += ["--images", str(args.images)]
    if threads:
        command += ["--threads", str(threads)]
    if limit_s is not None:
        command += ["--time-limit", f"{limit_s:.0f}"]
    return command + (["--rerun"] if args.rerun else [])


class Children:
    """Child processes, each with a run: one for each GPU in turn, or sharing the CPU's threads."""

    def __init__(self, args: argparse.Namespace, device: str, interrupts: Interrupts) -> None:
        """Share the machine's GPUs, or its threads, among `args.jobs` places."""
        self.args, self.device, self.interrupts = args, device, interrupts
        self.threads = args.threads or max(1, cores() // args.jobs)
        self.places = [child_environment(device, place) for place in range(args.jobs)]
        self.running: dict[int, tuple[Job, subprocess.Popen[bytes]]] = {}

    def run(self, jobs: list[Job]) -> int:
        """Run `jobs`; returns 1 if one failed or the processes were asked to stop, else 0."""
        waiting, failed = list(jobs), 0
        while waiting or self.running:
            if self.interrupts.should_stop():
                waiting = []
                for _, child in self.running.values():
                    child.terminate()
            for place in range(len(self.places)):
                if waiting and place not in self.running:
                    self._start(waiting.pop(0), place)
            failed += self._collect()
            time.sleep(POLL_SECONDS)
        return self.interrupts.exit_code(failed)

    def _start(self, job: Job, place: int) -> None:
        threads = self.threads if self.device == "cpu" else self.args.threads
        left = self.interrupts.seconds_left
        command = command_for(job, self.args, self.device, threads, left)
        self.running[place] = (job, subprocess.Popen(command, env=self.places[place]))

    def _collect(self) -> int:
        """Forget the children that ended; the number of those that failed."""
        failed = 0
        for place, (job, child) in list(self.running.items()):
            code = child.poll()
            if code is None:
                continue
            del self.running[place]
            if code != 0 and not self.interrupts.should_stop():
                print(f"{job.name}: failed, exit code {code}", flush=True)
                failed += 1
        return failed


def child_environment(device: str, place: int) -> dict[str, str]:
    """The environment of the child at `place`, from 0 on: on CUDA it sees one GPU, in turn."""
    environment = dict(os.environ)
    if device_kind(device) == "cuda":
        named = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        visible = [name for name in named.split(",") if name]
        if not visible:
            import torch

            visible = [str(number) for number in range(torch.cuda.device_count())]
        environment["CUDA_VISIBLE_DEVICES"] = visible[place % len(visible)]
    return environment


class Cluster:
    """Jobs of a Slurm cluster, by submitit; cluster=local tries the same on this machine."""

    def __init__(self, args: argparse.Namespace) -> None:
        """Read the options `--slurm KEY=VALUE`; raises InputError for one that cannot be."""
        self.args, options = args, dict(_option(text) for text in args.slurm)
        cluster = options.pop("cluster", "slurm")
        self.minutes = options.pop("timeout_min", 60)
        if not isinstance(self.minutes, int) or self.minutes < 1:
            raise InputError(f"--slurm timeout_min={self.minutes}: write whole minutes, such as 60")
        try:
            import submitit
        except ImportError:
            raise InputError('--executor slurm needs submitit: pip install -e ".[slurm]"') from None
        folder = Path(args.results).resolve() / ".work/slurm"
        parameters = {_parameter(name): value for name, value in options.items()}
        try:
            self.executor = submitit.AutoExecutor(folder=folder, cluster=cluster)
            self.executor.update_parameters(timeout_min=self.minutes, **parameters)
        except (RuntimeError, ValueError, NameError, TypeError) as error:
            raise InputError(f"--slurm: {str(error).splitlines()[0]}") from None

    def run(self, jobs: list[Job]) -> int:
        """Send `jobs` and wait for them; returns 1 if one failed, else 0.

        Each ends two minutes before the cluster would end it, so that it writes its checkpoint.
        """
        args = self.args
        limit_s = args.time_limit or max(60, 60 * self.minutes - 120)
        threads = args.threads or (cores() if args.device == "cpu" else None)
        commands = [command_for(job, args, args.device, threads, limit_s) for job in jobs]
        sent = [self.executor.submit(run_command, command) for command in commands]
        failed = 0
        for job, ticket in zip(jobs, sent, strict=True):
            try:
                print(f"{job.name}: {ticket.result()}", flush=True)
            except Exception as error:  # noqa: BLE001 (whatever ended a job, the others go on)
                print(f"{job.name}: failed: {str(error).strip().splitlines()[-1]}", flush=True)
                failed += 1
        return 1 if failed else 0


def run_command(command: list[str]) -> str:
    """Run one command on a node of the cluster: its last line; raises RuntimeError with it."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    last = ((done.stdout + done.stderr).strip().splitlines() or ["no output"])[-1]
    if done.returncode:
        raise RuntimeError(last)
    return last


def _option(text: str) -> tuple[str, Any]:
    """Name and value of KEY=VALUE, a number if it is one; raises InputError."""
    name, sign, value = text.partition("=")
    if not sign:
        raise InputError(f"--slurm {text}: write it as KEY=VALUE, such as partition=gpu")
    return name, int(value) if value.isdigit() else value


def _parameter(name: str) -> str:
    """Submitit's name of an option: its own where it has one, else Slurm's."""
    own = ("timeout_min", "mem_gb", "nodes", "cpus_per_task", "gpus_per_node", "tasks_per_node")
    return name if name in own or name.startswith(("slurm_", "local_")) else f"slurm_{name}"
