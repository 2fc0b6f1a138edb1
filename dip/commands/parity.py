"""Does the engine cost quality? A suite's recorded runs beside those of a plain loop.

The plain loop (`dip/network/plain.py`) sees the same degraded image and has the same settings, but
torch's own weights, z and noise, so that one image differs as two seeds do: the means count.
"""

import argparse
import json
import time
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING

from dip.errors import InputError
from dip.experiments.experiment import Experiment, device_kind, key
from dip.experiments.suites import load_suites
from dip.experiments.test_images import load_images
from dip.files import write_text_whole
from dip.planning.jobs import choose_jobs, find_suites, record_of
from dip.records.environment import choose_device, environment
from dip.records.record import Record
from dip.runs.progress import Interrupts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from dip.tasks.degradations import Task


@dataclass(frozen=True)
class Pair:
    """The PSNR of one run's last output, by the plain loop and by the engine, in dB."""

    plain_db: float
    engine_db: float

    def __str__(self) -> str:
        """Both and their difference."""
        difference_db = self.engine_db - self.plain_db
        return f"plain {self.plain_db:.2f}, engine {self.engine_db:.2f} dB ({difference_db:+.2f})"


def summary(pairs: list[Pair]) -> str:
    """The means of `pairs` and, from two on, the standard error of the mean difference."""
    means = Pair(mean(pair.plain_db for pair in pairs), mean(pair.engine_db for pair in pairs))
    sentence = f"mean of {len(pairs)}: {means}"
    if len(pairs) == 1:
        return sentence
    error_db = stdev(pair.engine_db - pair.plain_db for pair in pairs) / sqrt(len(pairs))
    return f"{sentence}, standard error {error_db:.2f} dB"


def run_command(args: argparse.Namespace) -> int:
    """Print plain loop and engine side by side; raises InputError if nothing is recorded."""
    loop = PlainRuns(args, Interrupts(args.time_limit))
    pairs = []
    for record in _recorded(args, loop):
        plain_db = loop.psnr_db(record)
        if plain_db is None:
            print("stopped; the pictures that are done are kept", flush=True)
            return loop.interrupts.exit_code()
        pairs.append(Pair(plain_db, record.metrics["final"]["psnr_db"]))
        print(f"{record.folder.relative_to(args.results)}: {pairs[-1]}", flush=True)
    print(summary(pairs))
    return 0


def _recorded(args: argparse.Namespace, loop: "PlainRuns") -> list[Record]:
    suites = find_suites(load_suites(args.content / "experiments.toml"), [args.suite])
    jobs = [job for job in choose_jobs(suites, args.image or ()) if job.method is None]
    found = [record_of(job, args.results, loop.images) for job in jobs]
    records = [record for record in found if record and record.experiment.task == "inpainting"]
    if not records:
        raise InputError(f"no inpainting run of '{args.suite}' is recorded", args.results)
    return records


class PlainRuns:
    """Runs of the plain loop, each kept in `results/.work/parity` when it is whole."""

    def __init__(self, args: argparse.Namespace, interrupts: Interrupts) -> None:
        """Take the command's arguments."""
        self.threads, self.interrupts = args.threads, interrupts
        self.images, self.image_folder = load_images(args.content / "images.toml"), args.images
        self.kept = Path(args.results) / ".work/parity"
        self.device = choose_device(args.device)

    def psnr_db(self, record: Record) -> float | None:
        """PSNR of the plain loop's last output in dB; None if it was asked to stop."""
        place = self.kept / f"{self._key(record)}-{device_kind(self.device)}.json"
        try:
            return float(json.loads(place.read_text(encoding="utf-8"))["psnr_db"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
        started = time.perf_counter()
        found_db = self._run(record)
        if found_db is not None:
            seconds = time.perf_counter() - started
            where = environment(self.device)
            found = {"psnr_db": found_db, "seconds": seconds, "environment": where}
            write_text_whole(place, json.dumps(found, indent=1) + "\n")
        return found_db

    def _key(self, record: Record) -> str:
        """Key of what the plain loop's numbers depend on; it has no rule against loss spikes."""
        usual = Experiment(image=record.experiment.image, task="fit")
        experiment = replace(
            record.experiment, spike_factor=usual.spike_factor, spike_return=usual.spike_return
        )
        # Until revision 2 the loop drew z and weights, and their noise, as by default.
        by_default = (usual.z, usual.initialisation)
        settings = (experiment.z, experiment.initialisation)
        revision = 1 if settings == by_default else 2
        return key(experiment, record.data["pixels_sha256"], record.data["arithmetic"], revision)

    def _run(self, record: Record) -> float | None:
        from dip.tasks.degradations import make_task
        from dip.tasks.images import load_all
        from dip.tasks.metrics import psnr_db

        experiment = record.experiment
        task = make_task(experiment, load_all(experiment.images(), self.images, self.image_folder))
        assert task.x is not None
        steps = self._steps(task, record)
        for iteration, (_, output) in enumerate(steps):
            if self.interrupts.should_stop():
                break
            if iteration == experiment.iterations:
                return psnr_db(output[0].cpu().numpy(), task.x)
        return None

    def _steps(self, task: "Task", record: Record) -> "Iterator[tuple[float, Tensor]]":
        import torch

        from dip.engine.precision import set_precision
        from dip.network.plain import plain_steps

        if self.threads:
            torch.set_num_threads(self.threads)
        set_precision(record.data["arithmetic"], self.device)
        assert task.mask is not None
        block = 2 ** len(record.experiment.channels)
        if any(side % block for side in task.shape[1:]):
            raise InputError(
                f"the plain loop needs sides in steps of {block} pixels", record.folder
            )
        x0, mask = (torch.from_numpy(a)[None].to(self.device) for a in (task.x0, task.mask))
        one_more = replace(record.experiment, iterations=record.experiment.iterations + 1)
        return plain_steps(one_more, x0, mask)
