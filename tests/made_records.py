"""Small records in their real form, made by arithmetic: for tests only, never under results/."""

import io
import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

from dip.experiments.experiment import Experiment, key
from dip.experiments.suites import Suite
from dip.records.record import Record, load_record, seal_of
from dip.records.store import curve_text, write_record

Picture = Callable[[str, str], Image.Image]  # of an image, by name: "input", "250", "average" ...

ENVIRONMENT = {
    "device": "Example CPU 3000", "device_kind": "cpu", "instruction_set": "AVX512", "threads": 2,
    "driver": None, "torch": "2.13.0", "numpy": "2.3.1", "python": "3.11.7", "cuda": None,
    "cudnn": None, "platform": "Linux x86_64",
}  # fmt: skip


def plain_picture(image: str, name: str) -> Image.Image:
    """Draw a small picture that depends on its names alone."""
    shade = sum(map(ord, image + name)) % 200
    picture = Image.linear_gradient("L").resize((32, 32))
    return picture.point(lambda value: (value + shade) % 256)


def encoded(picture: Image.Image) -> bytes:
    """Write a picture as lossless WebP."""
    stream = io.BytesIO()
    picture.save(stream, "WEBP", lossless=True)
    return stream.getvalue()


def level(iteration: int, last: int, final_db: float) -> float:
    """Give a PSNR in dB that rises from 8 dB as a run does, and is `final_db` at the end."""
    return final_db - (final_db - 8) * math.exp(-9 * math.sqrt(iteration / last)) * (
        1 - iteration / last
    )


def scores(psnr_db: float, masked: bool = True) -> dict[str, float | None]:
    """Give the scores of one output."""
    return {
        "loss": round(10 ** (-psnr_db / 10) / 2, 6),
        "psnr_db": psnr_db,
        "ssim": round(1 - 10 ** (-psnr_db / 24), 4),
        "psnr_known_db": psnr_db + 6 if masked else None,
        "psnr_unknown_db": psnr_db - 3 if masked else None,
    }


def recorded_iterations(last: int) -> list[int]:
    """List the iterations that a curve has: each to 1,000, then every tenth, and the last."""
    return sorted({*range(min(last, 1000) + 1), *range(1000, last, 10), last})


@cache
def curve(last: int, final_db: float) -> str:
    """Write a curve that rises to `final_db`."""
    rows: list[tuple[float | None, ...]] = []
    for iteration in recorded_iterations(last):
        psnr_db = level(iteration, last, final_db) + 0.15 * math.sin(iteration * 1.7)
        variance = None if iteration < 99 else 1e-3 / (1 + abs(iteration - last * 0.7))
        rows.append(
            (iteration, 10 ** (-psnr_db / 10) / 2, psnr_db, psnr_db + 6 * iteration / last,
             psnr_db - 3 * iteration / last, psnr_db + 0.3, variance)
        )  # fmt: skip
    return curve_text(rows)


def write_run(
    results: Path,
    suite: Suite,
    experiment: Experiment,
    final_db: float,
    picture: Picture = plain_picture,
    seconds: float = 120.0,
    side: int = 32,
) -> Record:
    """Write the record of one run of a suite, ending at `final_db`."""
    last = experiment.iterations
    pixels = dict.fromkeys(experiment.images(), "0" * 64)
    kept = sorted({*experiment.snapshots, *frames(experiment)})
    names = ["input", *map(str, kept), "stop-oracle", "stop-es-wmv", "average"]
    files = {f"snapshots/{name}.webp": encoded(picture(experiment.image, name)) for name in names}
    files["curve.csv"] = curve(last, final_db).encode()
    stop = round(last * 0.7)
    data = {
        "kind": "run", "suite": suite.name, "image": experiment.image, "seed": experiment.seed,
        "method": None, "experiment": experiment.to_dict(),
        "key": key(experiment, pixels, "ieee", 1), "pixels_sha256": pixels, "arithmetic": "ieee",
        "trajectory_revision": 1, "height": side, "width": side, "channels": 1,
        "metrics": {
            "input": scores(9.1),
            "snapshots": {str(k): scores(level(k, last, final_db)) for k in kept},
            "final": scores(final_db), "average": scores(final_db + 0.3),
            "clean_z": scores(final_db + 0.1),
        },
        "stops": {
            "fixed": {"iteration": last, **scores(final_db)},
            "oracle": {"iteration": round(last * 0.9), **scores(final_db + 0.2)},
            "es-wmv": {"iteration": stop, **scores(level(stop, last, final_db))},
        },
        "spikes": 0, "environment": ENVIRONMENT, "commit": "a" * 40, "commit_dirty": False,
        "started": "2026-11-23T20:00:00Z", "seconds": seconds,
        "seconds_per_iteration": seconds / last,
    }  # fmt: skip
    place = results / suite.name / suite.image_folder(experiment.case)
    return write_over(place / f"seed{experiment.seed}", data, files)


def write_over(folder: Path, data: dict[str, Any], files: dict[str, bytes]) -> Record:
    """Write a record where another may stand, which goes."""
    shutil.rmtree(folder, ignore_errors=True)
    return write_record(folder, data, files)


def frames(experiment: Experiment) -> set[int]:
    """Space the scrubber's frames as a run does: closer at the beginning."""
    last = experiment.iterations
    return (
        {round(last * (i / experiment.frames) ** 2) for i in range(experiment.frames + 1)}
        if (experiment.frames)
        else set()
    )


def changed(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a record as a run would have written it, with a seal that fits."""
    path = folder / "run.json"
    data = json.loads(path.read_text())
    change(data)
    data["seal"] = seal_of(data)
    path.write_text(json.dumps(data))


def write_baseline(
    results: Path,
    suite: Suite,
    image: str,
    method: str,
    final_db: float,
    picture: Picture = plain_picture,
    side: int = 32,
) -> Record:
    """Write the record of a baseline on one image of a suite."""
    experiment = next(e for e in suite.experiments if e.image == image)
    data = {
        "kind": "baseline", "suite": suite.name, "image": image, "seed": experiment.seed,
        "method": method, "experiment": experiment.to_dict(), "key": "0" * 16,
        "pixels_sha256": dict.fromkeys(experiment.images(), "0" * 64), "arithmetic": "ieee",
        "trajectory_revision": 1, "height": side, "width": side, "channels": 1,
        "metrics": {
            "input": scores(9.1), "snapshots": {}, "final": scores(final_db), "average": None,
            "clean_z": None,
        },
        "stops": None, "spikes": 0, "environment": ENVIRONMENT, "commit": "a" * 40,
        "commit_dirty": False, "started": "2026-11-23T20:00:00Z", "seconds": 0.5,
        "seconds_per_iteration": None,
    }  # fmt: skip
    files = {"snapshots/output.webp": encoded(picture(image, "output"))}
    return write_over(results / suite.name / suite.image_folder(image) / method, data, files)


def write_mean(results: Path, suite: Suite, image: str, final_db: float, side: int = 32) -> Record:
    """Write the record of the average of a suite's runs on one image."""
    first = next(e for e in suite.experiments if e.image == image)
    experiment = replace(first, snapshots=(), frames=0)
    pixels = dict.fromkeys(experiment.images(), "0" * 64)

    def as_a_mean(data: dict[str, Any]) -> None:
        data.update(kind="mean", stops={}, seeds=list(suite.seeds), seed=first.seed)
        data.update(experiment=experiment.to_dict(), key=key(experiment, pixels, "ieee", 1))

    record = write_baseline(results, suite, image, suite.mean_method, final_db, side=side)
    changed(record.folder, as_a_mean)
    return load_record(record.folder)
