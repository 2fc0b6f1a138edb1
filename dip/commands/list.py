"""`dip list`, `manifest`, `describe`, `images`: what there is, without running anything."""

import argparse
import json
import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from dip.errors import InputError
from dip.experiments.experiment import TRAJECTORY_REVISION, key
from dip.experiments.suites import Suite, load_suites
from dip.experiments.test_images import ListedImage, find, load_images, named
from dip.network.architecture import describe, input_channels
from dip.planning.estimates import Estimate, Machine, known_speeds, seconds_of_job, size_of
from dip.planning.jobs import Job, duration, find_suites, jobs_of, record_of
from dip.records.environment import choose_device, cores, cpu_model, environment, has_torch
from dip.records.record import Record, pixels_of

OF_RUN = re.compile("[0-9a-f]{16}-")  # how the work folder of a run begins: with its key


class Row(NamedTuple):
    """A job of a suite: its record, what is wrong with that, or how long it would take here."""

    job: Job
    record: Record | None = None
    problem: str | None = None
    expected: Estimate | None = None

    def __str__(self) -> str:
        """The job's line in the list of its suite."""
        if self.problem:
            return f"  {self.problem}"
        if not self.record:
            seconds = self.expected.seconds if self.expected else 0
            return f"  {self.job.name:50} not run yet, {duration(seconds)}"
        data, psnr_db = self.record.data, self.record.metrics["final"]["psnr_db"]
        level = "" if psnr_db is None else f"{psnr_db:6.2f} dB, "
        made = f"{data['environment'].get('device', 'unknown device')}, {data['arithmetic']}"
        return f"  {self.job.name:50} {level}{made}, revision {data['trajectory_revision']}"


def list_suites(args: argparse.Namespace) -> int:
    """Print every suite, what of it is recorded, and how long the rest would take here."""
    suites = find_suites(load_suites(args.content / "experiments.toml"), args.suites or ["all"])
    images = load_images(args.content / "images.toml")
    rows: dict[str, list[Row]] = {suite.name: [] for suite in suites}
    speeds, here = [], None
    for job in (job for suite in suites for job in jobs_of(suite)):
        record, problem, expected = None, None, None
        try:
            record = record_of(job, args.results, images)
        except InputError as error:
            problem = str(error)
        if record is None:
            if here is None:  # to ask for it loads torch
                here = _machine(args.device, args.threads)
                speeds = known_speeds(args.results, images)
            try:
                expected = seconds_of_job(job, images, speeds, here)
            except InputError as error:
                problem = problem or f"{job.name}: {error}"
        rows[job.suite.name].append(Row(job, record, problem, expected))
    if args.measure and here:
        from dip.commands.plain import measure

        every = [row for of_suite in rows.values() for row in of_suite if not row.job.method]
        unknown = [row.job for row in every if row.expected and not row.expected.measured]
        measure([job.experiment for job in unknown], images, here, args)
        return list_suites(argparse.Namespace(**{**vars(args), "measure": False}))
    for suite in suites:
        print(_summary(suite, rows[suite.name]))
        for row in rows[suite.name]:
            if args.suites or row.problem:
                print(row)
    if not args.suites and (abandoned := _abandoned(args.results, suites, images)):
        print(abandoned)
    return 0


def _abandoned(results: Path, suites: Iterable[Suite], images: Mapping[str, ListedImage]) -> str:
    """A line for each work folder of a run that no suite asks for any more; nothing removes it."""
    places = [path for path in (results / ".work").glob("*-*") if OF_RUN.match(path.name)]
    asked = set()
    for one in (one for suite in suites for one in suite.experiments if places):
        with suppress(InputError):  # an image that is not listed: the list of its suite says so
            pixels = pixels_of(one, images)
            modes = ((mode, revision) for (_, mode), revision in TRAJECTORY_REVISION.items())
            asked |= {key(one, pixels, *mode) for mode in modes}
    left = sorted(str(path) for path in places if path.name.partition("-")[0] not in asked)
    return "\n".join(f"{path}: of a run that no suite asks for; it can be deleted" for path in left)


def _machine(wanted: str, threads: int | None) -> Machine:
    """What runs would be made on; the processor without torch."""
    if not has_torch():
        return Machine("cpu", cpu_model(), None, threads or cores())
    where = environment(choose_device(wanted))
    kind, model = where["device_kind"], where["device"]
    if kind != "cpu":
        return Machine(kind, model)
    return Machine(kind, model, where["instruction_set"], threads or where["threads"])


def _summary(suite: Suite, rows: list[Row]) -> str:
    """A suite's name, how much of it is recorded, and what the rest would take."""
    runs = [row.record is not None for row in rows if not row.job.method]
    others = [row.record is not None for row in rows if row.job.method]
    counted = f"{sum(runs)} of {len(runs)} runs"
    if others:
        counted += f", {sum(others)} of {len(others)} baselines and means"
    missing = [(row.job, row.expected) for row in rows if row.expected]
    if sum(runs + others) < len(rows):
        seconds = duration(sum(expected.seconds for _, expected in missing))
        counts = sorted({expected.threads for _, expected in missing if expected.threads})
        plural = "" if counts == [1] else "s"
        threads = f", {' or '.join(map(str, counts))} thread{plural}" if counts else ""
        guessed = any(not (expected.measured or job.method) for job, expected in missing)
        counted += f"; the rest would take {seconds} here{threads}{', a guess' if guessed else ''}"
    return f"{suite.name}: {suite.title}\n  recorded: {counted}"


def print_manifest(args: argparse.Namespace) -> int:
    """Print the manifest: suites, images and the state of every run, as one line of JSON."""
    from dip.planning.manifest import Manifest

    print(json.dumps(Manifest(args.content, args.results).to_dict(), separators=(",", ":")))
    return 0


def describe_network(args: argparse.Namespace) -> int:
    """Print the network of a suite at the size of its first image."""
    suites = load_suites(args.content / "experiments.toml")
    if args.suite == "all":
        raise InputError("describe takes one suite, not all: name it")
    (suite,) = find_suites(suites, [args.suite])
    experiment = suite.experiments[0]
    images = load_images(args.content / "images.toml")
    height, width, channels = size_of(experiment, images)
    z_channels = input_channels(experiment, channels)
    network = describe(experiment, height, width, z_channels, channels)
    if args.json:
        print(json.dumps(network, indent=1))
        return 0
    print(f"{'layer':16} {'output':>15} {'kernel':>7} {'parameters':>11} {'multiply-adds':>15}")
    for layer in network["layers"]:
        shape = "x".join(map(str, layer["shape"]))
        kernel = f"{layer['kernel']}, /{layer['stride']}" if layer["kind"] == "conv" else ""
        print(
            f"{layer['name']:16} {shape:>15} {kernel:>7} {layer['parameters']:11,}"
            f" {layer['multiply_adds']:15,}"
        )
    print(
        f"{network['parameters']:,} parameters; {network['multiply_adds']:,} multiply-adds of"
        f" convolutions, {network['multiply_adds_per_pixel']:,.0f} a pixel"
    )
    return 0


def images(args: argparse.Namespace) -> int:
    """List the test images, or fetch some; returns 1 if one is not as listed, or cannot be had."""
    listed = load_images(args.content / "images.toml")
    return _fetch(listed, args) if args.action == "fetch" else _check(listed, args)


def _check(images: Mapping[str, ListedImage], args: argparse.Namespace) -> int:
    """Print the test images named, all by default, and whether their files are as listed."""
    from dip.tasks.images import check_image

    named_folder = args.images or os.environ.get("DIP_IMAGES")
    folder = Path(named_folder) if named_folder else None
    if folder and not folder.is_dir():
        raise InputError("no such folder of test images", folder)
    wrong = 0
    for image in [named(name, images) for name in args.names] or images.values():
        good, (here, *more) = check_image(image, folder) if folder else (True, [""])
        hidden = "" if image.show else "  (its picture is not shown)"
        line = f"{image.name:32} {image.width:4}x{image.height:<4} {image.mode:3}  {here}{hidden}"
        print("\n".join([line.rstrip(), *more]))
        wrong += not good
    return 1 if wrong else 0


def _fetch(images: Mapping[str, ListedImage], args: argparse.Namespace) -> int:
    """Find or download the images named, all by default."""
    failed = 0
    for name in args.names or images:
        try:
            print(f"{name}: {find(named(name, images), args.images)}")
        except InputError as error:
            print(error)
            failed += 1
    return 1 if failed else 0
