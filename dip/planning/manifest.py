"""The manifest: all that is planned and what of it is recorded, as plain values for JSON.

A generator of pages needs it and the records, and nothing else of this package. Nothing here
needs torch or numpy, and each record's run.json is read once.
"""

import sys
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any

from dip.errors import InputError, nearest
from dip.experiments.experiment import RETIRED, Experiment
from dip.experiments.suites import Suite, load_suites
from dip.experiments.test_images import ListedImage, load_images
from dip.network.architecture import describe, input_channels
from dip.planning.estimates import NETWORK, Machine, seconds_of_job, size_of, speed_of
from dip.planning.jobs import PROBLEM, Job, State, jobs_of, state_of
from dip.records.environment import cores, cpu_model
from dip.records.record import load_record
from dip.toml_file import TomlFile

VERSION = 1
OF_IMAGE = ("title", "show", "why", "licence", "width", "height", "mode", "pixels_sha256")
# What makes an image's problem, in whatever size and with whatever seed.
POSED = [name for name in PROBLEM if name not in ("seed", "problem_seed", "preview_side")]
posed = attrgetter(*POSED)
# On what the description of a network depends, beside the image's size.
described = attrgetter(*NETWORK, "upsampling", "align_corners", "slope")

# Where a setting comes from, and how a reader is told.
ORIGINS = {
    "paper": "the paper", "supplement": "the supplement", "reproduction": "a reproduction",
    "measured": "the published images", "ours": "ours",
}  # fmt: skip
CHOICE_KEYS = dict.fromkeys(("name", "origin", "why", "shown"), "text")


class Manifest:
    """What is planned in a folder of content, and recorded in a folder of results.

    Raises InputError with its place for a mistake in a TOML file; lists of images and of choices
    may be absent, and so may the results.
    """

    def __init__(self, content: Path, results: Path) -> None:
        """Read what is planned, and the state of every job."""
        self.content, self.results = content, results
        self.suites = load_suites(content / "experiments.toml")
        images, choices = content / "images.toml", content / "choices.toml"
        self.images = load_images(images, whole=False) if images.exists() else {}
        self._choices = TomlFile(choices) if choices.exists() else None
        read = cache(load_record)
        self._states = {
            name: [(job, state_of(job, results, self.images, read)) for job in jobs_of(suite)]
            for name, suite in self.suites.items()
        }
        self._jobs = [pair for pairs in self._states.values() for pair in pairs]
        found = [speed_of(state.record, self.images) for _, state in self._jobs if state.record]
        self._speeds = [speed for speed in found if speed]
        # This machine as its processor: only torch could tell of a graphics card.
        self._here = Machine("cpu", cpu_model(), None, cores())
        stated = [
            suite for suite in self.suites.values() if not suite.preview and self._is_stated(suite)
        ]
        full = [experiment for suite in stated for experiment in suite.experiments]
        longest_first = sorted(full, key=lambda experiment: -experiment.iterations)
        self._shortest = {posed(experiment): experiment.iterations for experiment in longest_first}
        self._networks: dict[str, dict[str, Any]] = {}  # by the first suite that has each
        self._first_with: dict[tuple[Any, ...], str] = {}

    def to_dict(self) -> dict[str, Any]:
        """The manifest as JSON has it; docs/experiments.md describes its form."""
        suites = {name: self._suite(suite) for name, suite in self.suites.items()}
        images = {name: _image(image) for name, image in self.images.items()}
        found = {"manifest": VERSION, "images": images, "networks": self._networks}
        # The inputs come last: by now all modules are loaded that are needed.
        return {**found, "suites": suites, "inputs": self._inputs()}

    def _inputs(self) -> list[str]:
        """Every file on which the manifest depends, whether it is there or not."""
        content = [self.content / f"{name}.toml" for name in ("experiments", "images", "choices")]
        records = [job.folder(self.results) / "run.json" for job, _ in self._jobs]
        ours = [
            _relative(module.__file__)
            for name, module in list(sys.modules.items())
            if name.partition(".")[0] == "dip" and module.__file__
        ]
        return [path.as_posix() for path in (*content, *records, *sorted(ours))]

    def _suite(self, suite: Suite) -> dict[str, Any]:
        first, task = suite.experiments[0], suite.experiments[0].task
        return {
            "title": suite.title, "why": suite.why, "preview": suite.preview,
            "measure": "psnr_luma_db" if task == "super-resolution" else "psnr_db",
            "images": suite.images, "seeds": suite.seeds, "baselines": suite.baselines,
            "mean": suite.mean_method if suite.averages_runs else None,
            "cases": {case: self._case(suite, case) for case in suite.images},
            "settings": self._choices and choices_of(self._choices, first, suite.name),
            "network": self._network(suite.name, first),
            "command": f"python -m dip run {suite.name}",
            "again": f"python -m dip run {suite.name} --results mine",
            "runs": [self._run(job, state) for job, state in self._states[suite.name]],
        }  # fmt: skip

    def _case(self, suite: Suite, case: str) -> dict[str, Any]:
        first = next(experiment for experiment in suite.experiments if experiment.case == case)
        return {
            "folder": suite.image_folder(case), "image": first.image, "variant": first.variant,
            "preview_side": first.preview_side, "pictures": first.pictures,
            "iterations": first.iterations, "paper_iterations": self._paper_iterations(first),
            "settings": first.to_dict(),
        }  # fmt: skip

    def _is_stated(self, suite: Suite) -> bool:
        """Whether the number of a suite's iterations is the paper's, and not `ours`."""
        rows = choices_of(self._choices, suite.experiments[0], suite.name) if self._choices else []
        return ("iterations", "ours") not in [(row["setting"], row["origin"]) for row in rows]

    def _paper_iterations(self, experiment: Experiment) -> int | None:
        """After how many iterations the paper stops on a problem: the shortest run in full size.

        None where no suite in full size has the paper's number.
        """
        return self._shortest.get(posed(experiment))

    def _network(self, name: str, experiment: Experiment) -> str | None:
        """The name in "networks" of an experiment's network; None if its size is not known."""
        try:
            size = size_of(experiment, self.images)
        except InputError:
            return None
        key = self._first_with.setdefault((described(experiment), size), name)
        if key not in self._networks:
            z_channels = input_channels(experiment, size[2])
            self._networks[key] = describe(experiment, *size[:2], z_channels, size[2])
        return key

    def _run(self, job: Job, state: State) -> dict[str, Any]:
        why = {"changed": state.changed} if state.changed else {"sentence": state.sentence}
        seconds, estimate = None, None
        if state.word != "recorded":
            seconds, estimate = self._expected(job)
        command = f"python -m dip {job.command}"
        once_more = f"{command}{' --method mean' if job.kind == 'mean' else ''} --rerun"
        image = job.suite.image_folder(job.experiment.case)
        verify = f"python -m dip verify {job.suite.name} --image {image}"
        return {
            "name": job.name, "case": job.experiment.case, "seed": job.experiment.seed,
            "method": job.method, "kind": job.kind, "state": state.word,
            "why": why if state.changed or state.sentence else None,
            "command": command, "again": [once_more, *([] if job.method else [verify])],
            "seconds": seconds, "estimate": estimate,
        }  # fmt: skip

    def _expected(self, job: Job) -> tuple[float | None, str | None]:
        """The seconds that a job would take on this machine, and whether that is a guess."""
        try:
            found = seconds_of_job(job, self.images, self._speeds, self._here)
        except InputError:  # an image of unknown size, or a precision that is not to be had here
            return None, None
        return found.seconds, "measured" if found.measured else "a guess"


def _image(image: ListedImage) -> dict[str, Any]:
    """What is stated of an image, null where nothing is."""
    values = {name: getattr(image, name) for name in OF_IMAGE}
    return {name: value if value or value is False else None for name, value in values.items()}


def _relative(file: str) -> Path:
    """A file's path from the working directory if it lies below it, else the whole of it."""
    path, here = Path(file), Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def choices_of(file: TomlFile, experiment: Experiment, suite: str) -> list[dict[str, str]]:
    """Each setting of content/choices.toml as `experiment` has it, in the file's order.

    A table is named for a setting of dip/experiments/experiment.py, a retired one too; a further
    table `[<suite>.<setting>]` says what is different in one suite. Raises InputError with its
    place for an unknown setting, key or origin.
    """
    known = {**RETIRED, **experiment.to_dict()}
    rows = []
    file.expect(dict.fromkeys(file.data, "a table"), file.data, None)
    of_suite = file.data.get(suite, {})
    for setting, table in file.data.items():
        if not isinstance(of_suite.get(setting, {}), dict):
            file.expect(dict.fromkeys(of_suite, "a table"), of_suite, suite)
        if setting not in known:
            if all(isinstance(inner, dict) for inner in table.values()):
                continue  # what is different in one suite
            file.fail(f"unknown setting '{setting}'{nearest(setting, known)}", setting)
        chosen = {**table, **of_suite.get(setting, {})}
        file.expect(CHOICE_KEYS, chosen, setting)
        if chosen.get("origin") not in ORIGINS:
            near = nearest(str(chosen.get("origin")), ORIGINS)
            file.fail(f"the origin is not one of {', '.join(ORIGINS)}{near}", setting, "origin")
        value, origin = in_words(known[setting], chosen.get("shown", "{}")), chosen["origin"]
        row = {"setting": setting, "name": chosen.get("name", setting), "value": value}
        rows.append(
            {**row, "origin": origin, "source": ORIGINS[origin], "why": chosen.get("why", "")}
        )
    return rows


def in_words(value: object, form: str = "{}") -> str:
    """A setting's value as a page shows it, in a form such as "{} iterations"."""
    if value is None or isinstance(value, bool):
        words = {None: "none", True: "yes", False: "no"}[value]
    elif isinstance(value, float):
        words = _fraction(value)
    elif isinstance(value, list | tuple):
        same = len(set(value)) == 1
        words = f"{value[0]} at each of {len(value)} scales" if same else ", ".join(map(str, value))
    else:
        words = f"{value:,}" if isinstance(value, int) else str(value)
    return form.replace("{}", words)


def _fraction(value: float) -> str:
    """1/30 for what is one over an integer below 100, else decimals."""
    below = round(1 / value) if 0.01 < value < 0.1 else 0
    return f"1/{below}" if below and abs(1 / value - below) < 1e-9 else f"{value:g}"
