"""`dip run`: run what is not recorded, in order of worth."""

import argparse
from pathlib import Path

from dip.errors import InputError
from dip.experiments.suites import load_suites
from dip.experiments.test_images import load_images
from dip.planning.jobs import Job, choose_jobs, find_suites, record_of
from dip.records.environment import choose_device
from dip.runs.progress import Interrupts, listener


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
    if args.jobs > 1 or args.executor == "slurm":
        from dip.commands.parallel import run_many

        return run_many(jobs, args, device)
    return Sequence(args, device).run(jobs)


class Sequence:
    """Jobs run one after the other in this process; a failed one is named, the others go on."""

    def __init__(self, args: argparse.Namespace, device: str) -> None:
        """Take the command's arguments, and listen for signals from now on."""
        from dip.runs.recording import RunContext

        self.rerun, self.results = args.rerun, Path(args.results)
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
        return 1 if failed or self.interrupts.asked else 0

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
            return record_of(job, self.results, self.context.images) is not None
        except InputError as error:
            raise InputError(
                f"{error.sentence}; --rerun moves it aside", error.path, error.line, error.column
            ) from None

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
