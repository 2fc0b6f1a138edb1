"""The runs of a day on a GPU, one after the other, until the time is up.

`python -m dip.gpu_queue FILE`: FILE is JSON with the fields of Plan.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from dip.experiment import Experiment
from dip.images import load_images, named
from dip.pack import pack
from dip.problems import InputError
from dip.records import Record
from dip.report import Setting
from dip.run import perform
from dip.schedule import Job, jobs_of, record_of
from dip.suites import Suite, load_suites

ARCHIVE_MIB = 15.0
LEAST_S, SHARE = 12.0, 1.15  # a job's seconds besides its iterations; room for a wrong estimate
BROKEN = 3  # how the process ends where a run left the GPU unusable for the next
FAULTS = ("CUDA error", "Triton Error [CUDA]", "EXECUTION_FAILED")
MEAN_S = 5.0  # an average of runs and its scores
CONCURRENT_PIXELS = 256 * 256  # runs up to this size may share the GPU
ORDER = (  # suite, seeds: the order of worth
    ("inpainting", (0,)), ("denoising-f16", (0,)), ("inpainting", (1, 2)), ("denoising", (0, 1)),
    ("super-resolution-x4", (0,)), ("text-inpainting", (0,)), ("noise-impedance", (0,)),
    ("open-initialisation", (0, 1)), ("open-slope", (0, 1)), ("open-corners", (0, 1)),
    ("super-resolution-x8", (0,)), ("large-hole-vase", (0,)), ("large-hole-library", (0,)),
)  # fmt: skip
# Where the gate fails: what can cost more than 0.3 dB comes before any table.
SEARCH = (
    ("open-settings", (0,)), ("open-initialisation", (0,)), ("open-slope", (0,)),
    ("open-corners", (0,)), ("open-settings", (1,)), ("open-initialisation", (1,)),
    ("open-slope", (1,)), ("open-corners", (1,)),
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """What to run, where, and until when."""

    results: str
    out: str  # where the archives go
    content: str
    images: str | None
    device: str
    mode: str  # of arithmetic
    until: float  # seconds since the epoch
    ms: dict[str, float]  # an iteration's milliseconds at 256 and 512 pixels a side
    tiny: bool
    gate: bool
    concurrent: int = 1
    only: tuple[str, ...] = ()  # names of jobs, instead of the order of worth
    skip: tuple[str, ...] = ()  # names of jobs that failed before


def jobs_for(plan: Plan) -> list[Job]:
    """List the plan's runs in order of worth, those of suites that exist, and means of runs."""
    suites = load_suites(Path(plan.content) / "experiments.toml")
    order = ORDER if plan.gate else SEARCH
    jobs = [
        job
        for name, seeds in order
        if name in suites
        for job in _jobs(_adapted(suites[name], plan), seeds)
    ]
    wanted = [job for job in jobs if not plan.only or job.name in plan.only]
    return [job for job in wanted if job.name not in plan.skip]


def _jobs(suite: Suite, seeds: tuple[int, ...]) -> list[Job]:
    """List a suite's runs of `seeds`; where runs are averaged, image by image, each with its mean.

    A mean needs outputs in full digits, which no archive carries from one machine to the next.
    """
    runs = [Job(suite, experiment) for experiment in suite.experiments if experiment.seed in seeds]
    if not suite.averages_runs or not set(suite.seeds) <= set(seeds):
        return runs
    means = [job for job in jobs_of(suite) if job.seeds]
    return sorted(runs + means, key=lambda job: suite.images.index(job.experiment.case))


def _adapted(suite: Suite, plan: Plan) -> Suite:
    return replace(suite, experiments=tuple(adapted(e, plan) for e in suite.experiments))


def adapted(experiment: Experiment, plan: Plan) -> Experiment:
    """Name the mode of arithmetic; a tiny day has pictures of 32x32 and a dozen iterations."""
    mode = plan.mode if plan.device.startswith("cuda") else "default"
    if not plan.tiny:
        return replace(experiment, arithmetic=mode)
    return replace(
        experiment, preview_side=32, channels=(8,) * len(experiment.channels), iterations=12,
        snapshots=(0, 12), frames=0,
    )  # fmt: skip


def pixels_of_job(job: Job, setting: Setting) -> int:
    """Count the pixels that a job's network runs on."""
    side, image = job.experiment.preview_side, named(job.experiment.image, setting.images)
    return side * side if side else image.width * image.height


def seconds_for(job: Job, plan: Plan, setting: Setting) -> float:
    """Estimate a job's seconds, with room: small images take as long as 256x256."""
    if plan.tiny:
        return 2.0
    if job.seeds:
        return MEAN_S
    pixels = pixels_of_job(job, setting)
    small, large = plan.ms["256"], plan.ms["512"]
    slope = (large - small) / (512**2 - 256**2)
    ms = max(small, small + slope * (pixels - 256**2))
    return LEAST_S + SHARE * job.experiment.iterations * ms / 1e3


def repack(results: Path, out: Path) -> list[str]:
    """Pack every record anew into as few archives as they fit, whole or not at all."""
    with tempfile.TemporaryDirectory(dir=results.parent) as folder:
        fresh = pack(results, Path(folder), ARCHIVE_MIB)
        out.mkdir(parents=True, exist_ok=True)
        for path in fresh:
            shutil.copyfile(path, out / f"{path.name}.new")
        for path in fresh:
            (out / f"{path.name}.new").replace(out / path.name)
        return [path.name for path in fresh]


def breaks_gpu(error: Exception) -> bool:
    """Tell whether an error leaves the process without a GPU: an illegal address, an assertion."""
    told = str(error)
    return any(word in told for word in FAULTS) and "out of memory" not in told


class Queue:
    """The jobs of a plan, and what became of them."""

    def __init__(self, plan: Plan) -> None:
        """Read images and make the setting of the runs."""
        self.plan, self.results = plan, Path(plan.results)
        self.setting = Setting(
            results=self.results,
            images=load_images(Path(plan.content) / "images.toml"),
            image_folder=Path(plan.images) if plan.images else None,
            device=plan.device,
            should_stop=lambda: time.time() > plan.until,
        )

    def run(self) -> None:
        """Run what is not recorded and fits into the time left, several at once where told so."""
        self.results.mkdir(parents=True, exist_ok=True)
        jobs = jobs_for(self.plan)
        runs = [job for job in jobs if not job.seeds]  # a mean waits for its runs
        small = [j for j in runs if pixels_of_job(j, self.setting) <= CONCURRENT_PIXELS]
        if self.plan.concurrent > 1:
            with ThreadPoolExecutor(self.plan.concurrent) as pool:
                list(pool.map(self._one, small))
            repack(self.results, Path(self.plan.out))
        for job in jobs:
            if self._one(job) and self.plan.concurrent == 1:
                repack(self.results, Path(self.plan.out))

    def _one(self, job: Job) -> bool:
        """Run a job if it is missing and there is time; tell in a line of JSON what became of it."""
        try:
            record = record_of(job, self.results, self.setting.images)
            if record:
                if self.plan.only:
                    self._tell(job, record)
                return False
            if job.seeds and not self._has_runs(job):
                return False
            needed = seconds_for(job, self.plan, self.setting)
            if time.time() + needed > self.plan.until:
                return False
            self._say({"begins": job.name})
            record = perform(job, self.setting)
        except Exception as error:  # noqa: BLE001 (one failure is not the others')
            told, broken = f"{type(error).__name__}: {error}"[:1500], breaks_gpu(error)
            self._say({"job": job.name, "failed": told, "broken": broken})
            if broken:
                os._exit(BROKEN)  # every later call on the GPU would fail alike
            return False
        if record is None:
            self._say({"job": job.name, "stopped": True})
            return False
        self._tell(job, record)
        return True

    def _has_runs(self, job: Job) -> bool:
        """Tell whether every run is recorded that a mean is made of."""
        runs = (Job(job.suite, e) for e in job.suite.experiments if e.case == job.experiment.case)
        return all(record_of(run, self.results, self.setting.images) for run in runs)

    def _tell(self, job: Job, record: Record) -> None:
        final = record.metrics["final"]
        scores = {"psnr_db": final["psnr_db"], "known_db": final["psnr_known_db"]}
        cost = {"seconds": record.data["seconds"], "spikes": record.data["spikes"]}
        self._say({"job": job.name, **scores, **cost})

    def _say(self, told: dict[str, object]) -> None:
        print(json.dumps(told), flush=True)


def write_plan(plan: Plan, place: Path) -> Path:
    """Write a plan for the process that follows it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(asdict(plan)), encoding="utf-8")
    return place


def main() -> int:
    """Follow the plan in the file that the command line names."""
    data = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    try:
        Queue(Plan(**{**data, "only": tuple(data["only"]), "skip": tuple(data["skip"])})).run()
    except InputError as error:
        print(json.dumps({"failed": str(error)}), flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
