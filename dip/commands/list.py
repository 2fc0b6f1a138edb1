"""`dip list`, `manifest`, `describe`, `images`: what there is, without running anything."""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dip.errors import InputError
from dip.experiments.suites import Suite, load_suites
from dip.experiments.test_images import ListedImage, find, load_images, named
from dip.network.architecture import describe, input_channels
from dip.planning.estimates import Machine, Speed, known_speeds, measure, seconds_of_job, size_of
from dip.planning.jobs import Job, duration, find_suites, jobs_of, record_of
from dip.records.environment import choose_device, cpu_model, environment, has_torch


def list_suites(args: argparse.Namespace) -> int:
    """Print every suite, what of it is recorded, and how long the rest would take here."""
    suites = load_suites(args.content / "experiments.toml")
    chosen = find_suites(suites, args.suites or ["all"])
    images = load_images(args.content / "images.toml")
    summaries = [_suite(suite, args.results, images) for suite in chosen]
    here = None
    if any(suite["recorded"] < suite["total"] for suite in summaries):
        here = _machine(args.device, args.threads)
        if args.measure:
            rows = [row for suite in summaries for row in suite["runs"]]
            jobs = [job for suite in chosen for job in jobs_of(suite)]
            missing = [
                job.experiment
                for job, row in zip(jobs, rows, strict=True)
                if not (job.method or row["recorded"])
            ]
            from dip.commands.bench import seconds_of

            device = choose_device(args.device)
            for sentence in measure(missing, images, args.results, here, device, seconds_of):
                print(sentence, file=sys.stderr)
        speeds = known_speeds(args.results, images)
        for suite, plain in zip(chosen, summaries, strict=True):
            _estimate(suite, plain, images, speeds, here)
    if args.json:
        model, kind = (here.model, here.kind) if here else (None, None)
        print(json.dumps({"device": model, "device_kind": kind, "suites": summaries}, indent=1))
        return 0
    for plain in summaries:
        _print_suite(plain, runs=bool(args.suites))
    return 0


def print_manifest(args: argparse.Namespace) -> int:
    """Print the manifest: suites, images and the state of every run, as one line of JSON."""
    from dip.planning.manifest import Manifest

    print(json.dumps(Manifest(args.content, args.results).to_dict(), separators=(",", ":")))
    return 0


def _machine(wanted: str, threads: int | None) -> Machine:
    """What runs would be made on; the processor without torch."""
    if not has_torch():
        return Machine("cpu", cpu_model(), None, threads or os.cpu_count())
    where = environment(choose_device(wanted))
    kind, model = where["device_kind"], where["device"]
    if kind != "cpu":
        return Machine(kind, model)
    return Machine(kind, model, where["instruction_set"], threads or where["threads"])


def _suite(suite: Suite, results: Path, images: Mapping[str, ListedImage]) -> dict[str, Any]:
    """A suite and each of its jobs as plain values, nothing estimated yet."""
    runs = [_run(job, results, images) for job in jobs_of(suite)]
    return {
        "name": suite.name, "title": suite.title, "preview": suite.preview, "total": len(runs),
        "recorded": sum(run["recorded"] for run in runs), "seconds_missing": 0.0,
        "estimate": "measured", "threads": [], "runs": runs,
    }  # fmt: skip


def _run(job: Job, results: Path, images: Mapping[str, ListedImage]) -> dict[str, Any]:
    """One job as plain values."""
    record, problem = None, None
    try:
        record = record_of(job, results, images)
    except InputError as error:
        problem = str(error)
    return {
        "name": job.name, "image": job.experiment.case, "seed": job.experiment.seed,
        "method": job.method, "recorded": record is not None, "problem": problem,
        "psnr_db": record.metrics["final"]["psnr_db"] if record else None,
        "device": record.data["environment"]["device"] if record else None,
        "arithmetic": record.data["arithmetic"] if record else None,
        "trajectory_revision": record.data["trajectory_revision"] if record else None,
        "seconds_missing": 0.0,
    }  # fmt: skip


def _estimate(
    suite: Suite,
    plain: dict[str, Any],
    images: Mapping[str, ListedImage],
    speeds: list[Speed],
    here: Machine,
) -> None:
    """Add to a suite's plain values how many seconds each missing job would take here."""
    threads = set()
    for job, run in zip(jobs_of(suite), plain["runs"], strict=True):
        if run["recorded"]:
            continue
        try:
            found = seconds_of_job(job, images, speeds, here)
        except InputError as error:
            run["problem"] = run["problem"] or f"{job.name}: {error}"
            continue
        run["seconds_missing"] = found.seconds
        threads.add(found.threads)
        if not found.measured and not job.method:
            plain["estimate"] = "a guess"
    plain["threads"] = sorted(number for number in threads if number)
    plain["seconds_missing"] = round(sum(run["seconds_missing"] for run in plain["runs"]), 1)


def _print_suite(suite: dict[str, Any], runs: bool) -> None:
    rest = ""
    if suite["recorded"] < suite["total"]:
        guess = ", a guess" if suite["estimate"] == "a guess" else ""
        counts = " or ".join(map(str, suite["threads"]))
        threads = f", {counts} thread{'' if counts == '1' else 's'}" if counts else ""
        seconds = duration(suite["seconds_missing"])
        rest = f"; the rest would take {seconds} here{threads}{guess}"
    print(f"{suite['name']}: {suite['title']}")
    print(f"  recorded: {_counted(suite['runs'])}{rest}")
    for run in suite["runs"]:
        if run["problem"]:
            print(f"  {run['problem']}")
        elif runs:
            print(f"  {run['name']:50} {_state(run)}")


def _counted(jobs: list[dict[str, Any]]) -> str:
    """How many are recorded, in words: of the runs, and of the baselines and means."""
    runs = [job["recorded"] for job in jobs if job["method"] is None]
    others = [job["recorded"] for job in jobs if job["method"] is not None]
    beside = f", {sum(others)} of {len(others)} baselines and means" if others else ""
    return f"{sum(runs)} of {len(runs)} runs{beside}"


def _state(run: dict[str, Any]) -> str:
    if not run["recorded"]:
        return f"not run yet, {duration(run['seconds_missing'])}"
    psnr = "" if run["psnr_db"] is None else f"{run['psnr_db']:6.2f} dB, "
    return f"{psnr}{run['device']}, {run['arithmetic']}, revision {run['trajectory_revision']}"


def describe_network(args: argparse.Namespace) -> int:
    """Print the network of a suite at the size of its first image."""
    suites = load_suites(args.content / "experiments.toml")
    if args.suite == "all":
        raise InputError("describe takes one suite, not all: name it")
    (suite,) = find_suites(suites, [args.suite])
    experiment = suite.experiments[0]
    images = load_images(args.content / "images.toml")
    height, width, channels = size_of(experiment, images)
    network = describe(experiment, height, width, input_channels(experiment), channels)
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


def list_images(args: argparse.Namespace) -> int:
    """Print every test image, and whether its file is as listed; returns 1 if one is not."""
    from dip.tasks.images import check_image

    images = load_images(args.content / "images.toml")
    named_folder = args.images or os.environ.get("DIP_IMAGES")
    folder = Path(named_folder) if named_folder else None
    if folder and not folder.is_dir():
        raise InputError("no such folder of test images", folder)
    wrong = 0
    for image in images.values():
        good, (here, *more) = check_image(image, folder) if folder else (True, [""])
        hidden = "" if image.show else "  (its picture is not shown)"
        line = f"{image.name:32} {image.width:4}x{image.height:<4} {image.mode:3}  {here}{hidden}"
        print("\n".join([line.rstrip(), *more]))
        wrong += not good
    return 1 if wrong else 0


def fetch_images(args: argparse.Namespace) -> int:
    """Find or download the images named, all by default; returns 1 if one cannot be had."""
    images = load_images(args.content / "images.toml")
    failed = 0
    for name in args.names or images:
        try:
            print(f"{name}: {find(named(name, images), args.images)}")
        except InputError as error:
            print(error)
            failed += 1
    return 1 if failed else 0
