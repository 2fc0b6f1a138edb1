"""Several runs at once: child processes of this machine, or jobs of a cluster."""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from dip.commands.interrupts import Interrupts
from dip.commands.run import Sequence
from dip.errors import InputError
from dip.experiments.test_images import load_images
from dip.planning.jobs import Job, record_of
from dip.records.environment import cores

POLL_SECONDS = 0.2


def run_many(jobs: list[Job], args: argparse.Namespace, device: str) -> int:
    """Run the baselines here, then each run in a process of its own; give the exit code.

    A run that fails names itself and does not stop the others.
    """
    sequence = Sequence(args, device)
    failed = sequence.run([job for job in jobs if job.method and not job.seeds])
    images = load_images(args.content / "images.toml")
    waiting = [job for job in jobs if not job.method and _is_missing(job, args, images)]
    if sequence.interrupts.should_stop():
        return failed
    if args.executor == "slurm":
        failed = max(failed, Cluster(args).run(waiting, args.device))
    else:
        failed = max(failed, Children(args, device, sequence.interrupts).run(waiting))
    means = [job for job in jobs if job.seeds]
    return failed if sequence.interrupts.should_stop() else max(failed, sequence.run(means))


def _is_missing(job: Job, args: argparse.Namespace, images: Any) -> bool:
    """Tell whether a job must run; a damaged record is left to the child to name."""
    try:
        return args.rerun or record_of(job, args.results, images) is None
    except InputError:
        return True


def command_for(
    job: Job, args: argparse.Namespace, device: str, threads: int | None, limit_s: float | None
) -> list[str]:
    """Give the command that runs one job in a process of its own."""
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
        self.places = [_environment(device, place) for place in range(args.jobs)]
        self.running: dict[int, tuple[Job, subprocess.Popen[bytes]]] = {}

    def run(self, jobs: list[Job]) -> int:
        """Run `jobs`; give 1 if one failed or the processes were told to stop, else 0."""
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
        return 1 if failed or self.interrupts.asked else 0

    def _start(self, job: Job, place: int) -> None:
        threads = self.threads if self.device == "cpu" else self.args.threads
        left = self.interrupts.seconds_left
        command = command_for(job, self.args, self.device, threads, left)
        self.running[place] = (job, subprocess.Popen(command, env=self.places[place]))

    def _collect(self) -> int:
        """Take note of the children that ended; count those that failed."""
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


def _environment(device: str, place: int) -> dict[str, str]:
    """Give the environment of the child at `place`: on CUDA it sees one GPU."""
    environment = dict(os.environ)
    if device.startswith("cuda"):
        named = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        visible = [name for name in named.split(",") if name] or _all_gpus()
        environment["CUDA_VISIBLE_DEVICES"] = visible[place % len(visible)]
    return environment


def _all_gpus() -> list[str]:
    import torch

    return [str(number) for number in range(torch.cuda.device_count())]


class Cluster:
    """Jobs of a Slurm cluster, by submitit; cluster=local tries the same on this machine."""

    def __init__(self, args: argparse.Namespace) -> None:
        """Read the options `--slurm KEY=VALUE`; raises InputError for one that cannot be."""
        options = dict(_option(text) for text in args.slurm)
        self.args = args
        cluster = options.pop("cluster", "slurm")
        self.minutes = options.pop("timeout_min", 60)
        if not isinstance(self.minutes, int) or self.minutes < 1:
            raise InputError(f"--slurm timeout_min={self.minutes}: write whole minutes, such as 60")
        try:
            import submitit
        except ImportError:
            raise InputError('--executor slurm needs submitit: pip install -e ".[slurm]"') from None
        folder = Path(args.results).resolve() / ".work" / "slurm"
        try:
            self.executor = submitit.AutoExecutor(folder=folder, cluster=cluster)
            self.executor.update_parameters(
                timeout_min=self.minutes,
                **{_parameter(name): value for name, value in options.items()},
            )
        except (RuntimeError, ValueError, NameError, TypeError) as error:
            raise InputError(f"--slurm: {str(error).splitlines()[0]}") from None

    def run(self, jobs: list[Job], device: str) -> int:
        """Send `jobs` and wait; give 1 if one failed, else 0."""
        limit = self.args.time_limit or max(60, 60 * self.minutes - 120)
        sent = [
            (job, self.executor.submit(run_command, self._command(job, device, limit)))
            for job in jobs
        ]
        failed = 0
        for job, ticket in sent:
            try:
                print(f"{job.name}: {ticket.result().strip().splitlines()[-1]}", flush=True)
            except Exception as error:  # noqa: BLE001 (whatever ended a job, the others go on)
                print(f"{job.name}: failed: {str(error).strip().splitlines()[-1]}", flush=True)
                failed += 1
        return 1 if failed else 0

    def _command(self, job: Job, device: str, limit_s: float) -> list[str]:
        threads = self.args.threads if device != "cpu" else self.args.threads or cores()
        return command_for(job, self.args, device, threads, limit_s)


def run_command(command: list[str]) -> str:
    """Run one command on a node of the cluster; raises RuntimeError with its last line."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    told = done.stdout + done.stderr
    if done.returncode:
        raise RuntimeError((told.strip().splitlines() or ["no word"])[-1])
    return told


def _option(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    if not sign:
        raise InputError(f"--slurm {text}: write it as KEY=VALUE, such as partition=gpu")
    return name, int(value) if value.isdigit() else value


def _parameter(name: str) -> str:
    """Give submitit's name of an option: its own where it has one, else Slurm's."""
    own = ("timeout_min", "mem_gb", "nodes", "cpus_per_task", "gpus_per_node", "tasks_per_node")
    return name if name in own or name.startswith(("slurm_", "local_")) else f"slurm_{name}"
