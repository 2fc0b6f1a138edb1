"""What a suite asks to be run, and what is recorded of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dip.errors import InputError, nearest
from dip.experiments.experiment import REPORTING, Experiment, key
from dip.experiments.suites import Suite
from dip.experiments.test_images import ListedImage
from dip.records.record import Record, check_files, load_record
from dip.records.store import find_records

# The settings that make the problem, whoever solves it: all that a baseline depends on.
PROBLEM = (
    "image", "seed", "problem_seed", "task", "preview_side", "mask", "keep", "noise_255", "factor",
    "target", "guide", "variant",
)  # fmt: skip
# What the description of a mean over seeds has not: it is of no run, and of no precision.
OF_MEAN: dict[str, Any] = {"snapshots": (), "frames": 0, "arithmetic": "default"}


@dataclass(frozen=True)
class Job:
    """One run of a suite, one baseline on one of its images (`method`), or a mean of `seeds`."""

    suite: Suite
    experiment: Experiment
    method: str | None = None
    seeds: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """The job's name, and its folder: suite, image, and seed or method."""
        image = self.suite.image_folder(self.experiment.case)
        return f"{self.suite.name}/{image}/{self.method or f'seed{self.experiment.seed}'}"

    @property
    def command(self) -> str:
        """The arguments of `dip` that make the job's record."""
        seed, method = f" --seed {self.experiment.seed}", f" --method {self.method}"
        which = {"run": seed, "baseline": method, "mean": ""}[self.kind]  # a mean needs its runs
        image = self.suite.image_folder(self.experiment.case)
        return f"run {self.suite.name} --image {image}{which}"

    @property
    def kind(self) -> str:
        """What the job's record will be: a run, a baseline or a mean."""
        return "mean" if self.seeds else "baseline" if self.method else "run"

    def folder(self, results: Path) -> Path:
        """The folder where the record belongs."""
        return results / self.name


def problem_of(experiment: Experiment) -> Experiment:
    """The problem that an experiment solves: its degradation, every other setting default."""
    return Experiment(**{name: getattr(experiment, name) for name in PROBLEM})


def jobs_of(suite: Suite) -> list[Job]:
    """A suite's jobs in order of worth: baselines, runs, and means where seeds share an input."""
    first = {experiment.case: experiment for experiment in reversed(suite.experiments)}
    baselines = [
        Job(suite, replace(problem_of(first[case]), pictures=first[case].pictures), method)
        for case in suite.images
        for method in suite.baselines
    ]
    runs = [Job(suite, experiment) for experiment in suite.experiments]
    means = [
        Job(suite, replace(first[case], **OF_MEAN), suite.mean_method, suite.seeds)
        for case in suite.images
        if suite.averages_runs
    ]
    return baselines + runs + means


def find_suites(suites: Mapping[str, Suite], words: Iterable[str]) -> list[Suite]:
    """The suites that `words` name, once each, all of them for "all"; raises InputError."""
    chosen = list(dict.fromkeys(words))
    if "all" in chosen:
        return list(suites.values())
    for word in chosen:
        if word not in suites:
            raise InputError(f"unknown suite '{word}'{nearest(word, (*suites, 'all'))}")
    return [suites[word] for word in chosen]


def choose_jobs(
    suites: Iterable[Suite],
    images: Iterable[str] = (),
    seeds: Iterable[int] = (),
    methods: Iterable[str] = (),
) -> list[Job]:
    """The jobs of `suites`, those of `images`, `seeds` and `methods` only where these are given.

    Baselines and means have no seed of their own and are left out where seeds are named; runs have
    no method. Raises InputError for an image, a seed or a method that no suite has, and if no job
    is left.
    """
    images, seeds, suites = list(images), list(seeds), list(suites)
    jobs = [job for suite in suites for job in jobs_of(suite)]
    if images:
        pairs = {pair for word in images for pair in _found(suites, word)}
        jobs = [job for job in jobs if (job.suite.name, job.experiment.case) in pairs]
    if seeds:
        known = {experiment.seed for suite in suites for experiment in suite.experiments}
        for seed in seeds:
            if seed not in known:
                raise InputError(f"no such seed {seed}; there are {sorted(known)}")
        jobs = [job for job in jobs if job.method is None and job.experiment.seed in seeds]
    if methods := list(methods):
        names = {name for suite in suites for job in jobs_of(suite) for name in _methods(job)}
        for method in methods:
            if method not in names:
                raise InputError(f"no such method '{method}'{nearest(method, names)}")
        jobs = [job for job in jobs if _methods(job) & {*methods}]
    if not jobs and (images or seeds or methods):
        raise InputError("the suites have no run of these images, seeds and methods together")
    return jobs


def _methods(job: Job) -> set[str]:
    """By what a baseline or a mean may be called; nothing for a run."""
    return {job.method, *(["mean"] if job.kind == "mean" else [])} if job.method else set()


def _found(suites: list[Suite], word: str) -> set[tuple[str, str]]:
    """Find the image called `word` in each suite that has it; raises InputError if none has."""
    found, problem = set(), None
    for suite in suites:
        try:
            found |= {(suite.name, case) for case in suite.find(word)}
        except InputError as error:
            problem = error
    if problem and not found:
        raise problem
    return found


@dataclass(frozen=True)
class State:
    """What stands where a job's record belongs: one rule for every command and for pages.

    `word` is recorded, outdated, missing or damaged. Of an outdated record `changed` has what
    differs, as [recorded, asked for], or `sentence` says it; of a damaged one that is `error`.
    """

    word: str
    record: Record | None = None
    changed: Mapping[str, list[Any]] = field(default_factory=dict)
    sentence: str | None = None
    error: InputError | None = None


def state_of(
    job: Job,
    results: Path,
    images: Mapping[str, ListedImage],
    read: Callable[[Path], Record] = load_record,
) -> State:
    """The state of a job; the files beside run.json are not looked at.

    Runs and means depend on every setting that moves numbers, a mean on its runs too; a baseline
    on those alone that make the problem. `read` is what reads the record in a folder. An image
    whose pixels the list does not state counts as it was recorded.
    """
    folder = job.folder(results)
    if not (folder / "run.json").exists() and not any(folder.glob("[!.]*")):
        return State("missing")  # pictures without their run.json are a damaged record
    try:
        record = read(folder)
    except InputError as error:
        return State("damaged", sentence=str(error), error=error)
    recorded: Mapping[str, str] = record.data["pixels_sha256"]
    pixels = {
        name: images[name].pixels_sha256 or sha256 if name in images else sha256
        for name, sha256 in recorded.items()
    }
    if changed := _changed(record, job, pixels):
        return State("outdated", record, changed)
    if job.kind != "baseline" and not _has_own_key(record, job, pixels):
        return State("outdated", record, sentence="its key is not that of its settings")
    for name, seal in record.data.get("runs", {}).items():  # of a mean; older ones do not say
        run = readable(folder.parent / name, read)
        if run and run.data["seal"] != seal:
            remade = "a run that it is made of was made again since"
            return State("outdated", record, sentence=remade)
    return State("recorded", record)


def _has_own_key(record: Record, job: Job, pixels: Mapping[str, str]) -> bool:
    precision, revision = record.data["arithmetic"], record.data["trajectory_revision"]
    has_all = set(job.experiment.images()) <= set(pixels)
    return has_all and record.key == key(job.experiment, pixels, precision, revision)


def _changed(record: Record, job: Job, pixels: Mapping[str, str]) -> dict[str, list[Any]]:
    """What a record was made of and what its job asks for, wherever these differ."""
    made, asked = record.experiment.to_dict(), job.experiment.to_dict()
    moving = [name for name in asked if name not in (*REPORTING, "arithmetic")]
    names = PROBLEM if job.kind == "baseline" else moving
    pairs = {name: [made[name], asked[name]] for name in names}
    pairs |= {"kind": [record.kind, job.kind], "method": [record.data["method"], job.method]}
    if job.experiment.arithmetic != "default":
        pairs["arithmetic"] = [record.data["arithmetic"], job.experiment.arithmetic]
    if not set(map(str, job.experiment.snapshots)) <= set(record.metrics["snapshots"]):
        pairs["snapshots"] = [made["snapshots"], asked["snapshots"]]
    recorded = record.data["pixels_sha256"]
    pairs |= {f"pixels of {name}": [recorded[name], pixels[name]] for name in pixels}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def record_of(job: Job, results: Path, images: Mapping[str, ListedImage]) -> Record | None:
    """The record of this very job, or None; raises InputError if the one there is damaged."""
    state = state_of(job, results, images)
    if state.error:
        raise state.error
    if state.record:
        check_files(state.record)
    return state.record if state.word == "recorded" else None


def readable(folder: Path, read: Callable[[Path], Record] = load_record) -> Record | None:
    """The record in a folder; None if it is absent, or damaged: its own job reports that."""
    try:
        return read(folder)
    except InputError:
        return None


def records_in(results: Path) -> list[Record]:
    """Every record that can be read, of all suites; damaged ones are left out."""
    return [record for place in find_records(results) if (record := readable(place))]


def duration(seconds: float) -> str:
    """A duration for a person: 40 s, 12 min, 3 h 05 min."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"
