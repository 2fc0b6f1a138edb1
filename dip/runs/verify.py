"""The beginning of a recorded run recomputed, and compared with its record."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dip.errors import InputError
from dip.experiments.experiment import TRAJECTORY_REVISION, device_kind
from dip.experiments.test_images import ListedImage
from dip.records.environment import environment, exact_part
from dip.records.record import CURVE_COLUMNS, CurveRow, Record, check_files, pixels_of
from dip.records.store import curve_text
from dip.tasks.degradations import Task, make_task
from dip.tasks.images import load_all, read_picture
from dip.tasks.metrics import psnr_db

# Across devices, relative: of the loss before the first update, which depends on weights, z, noise,
# mask and one forward; and of the next losses. Adam's first step has the size of the learning rate
# whatever the gradient's, so where a gradient is about zero, rounding decides its direction: from
# 1e-7 the losses drift 1e-3 apart in one iteration, 0.1 in ten, between two thread counts too.
FIRST_LOSS_RELATIVE = {"ieee": 1e-5, "tf32": 5e-3, "bf16": 0.03}
NEXT_ITERATIONS, NEXT_RELATIVE = 20, 0.5
# Of a mean squared error, between a picture of 8 bit and the output that it was rounded from.
ROUNDED_SQUARE, PICTURE_TOLERANCE = 2 / (12 * 255**2), 0.01
SCORE_TOLERANCE = 1e-3  # of a score beside the curve: in dB, or relative; rounding takes 1e-5


class Failed(InputError):
    """A record that does not stand."""


def verify(
    record: Record,
    images: Mapping[str, ListedImage],
    image_folder: Path | None,
    device: str,
    iterations: int,
) -> str:
    """Recompute the first `iterations` of a record and compare with its curve.

    Bit for bit where all that EXACT names is the record's (the record's thread count is restored),
    else the first loss closely and the next 20 loosely; so too where the record does not say. A
    file with another hash, or a score that is not the curve's, fails the record. Of a record of an
    older trajectory revision the pictures and the first loss are compared. Returns what is the
    same, in words; raises Failed if something is not, InputError if it cannot be recomputed here.
    """
    try:
        check_files(record)
    except InputError as error:
        raise Failed(error.sentence, error.path) from None
    check_scores(record)
    experiment = record.experiment
    if pixels_of(experiment, images) != record.data["pixels_sha256"]:
        raise InputError("the record is of other images than images.toml lists", record.folder)
    kind, precision = device_kind(device), record.data["arithmetic"]
    if (kind, precision) not in TRAJECTORY_REVISION:
        why = f"the record was made in {precision}, which '{kind}' cannot do"
        raise InputError(f"{why}: only its files and hashes could be checked", record.folder)
    task = make_task(experiment, load_all(experiment.images(), images, image_folder))
    revision = record.data["trajectory_revision"]
    made_on = record.data["environment"].get("device_kind", kind)
    if revision != TRAJECTORY_REVISION.get((made_on, precision)):
        return _of_older_revision(record, task, device)
    computed = _recompute(record, task, device, iterations)
    different = _differences(record.data["environment"], exact_part(environment(device)))
    rows = [row for row in record.curve() if (row[0] or 0) <= iterations]
    place = record.path("curve.csv")
    if not different:
        return _exactly(rows, computed, place)
    return _nearly(rows, computed, place, (precision, different))


def _of_older_revision(record: Record, task: Task, device: str) -> str:
    """Hold a record of an older trajectory revision against its pictures and its first loss."""
    check_pictures(record, task)
    revision, precision = record.data["trajectory_revision"], record.data["arithmetic"]
    gone = f"the engine of its trajectory revision ({revision}) is gone"
    _nearly(
        record.curve()[:1], _recompute(record, task, device, 0), record.path("curve.csv"),
        (precision, "another trajectory revision"),
    )  # fmt: skip
    return (
        f"{gone}, so no iterate can be recomputed; its seal and hashes are right, its scores are"
        " those of its curve and its pictures, and today's engine begins with the same loss,"
        f" within {FIRST_LOSS_RELATIVE[precision]:g} (relative)"
    )


def check_pictures(record: Record, task: Task) -> None:
    """Hold a run's PSNR beside that of its pictures of 8 bit; raises Failed."""
    if task.x is None:
        return
    for name, score in record.metrics["snapshots"].items():
        if name not in record.snapshot_names() or score["psnr_db"] is None:
            continue
        picture = read_picture(record.snapshot(name))[: task.shape[0]]
        picture_db = psnr_db(picture, task.x) or 0.0
        recorded, found = (10 ** (-db / 10) for db in (score["psnr_db"], picture_db))
        if abs(recorded - found) > ROUNDED_SQUARE + PICTURE_TOLERANCE * recorded:
            raise Failed(
                f"the record is damaged: {score['psnr_db']:.3f} dB at iteration {name}, and this"
                f" picture has {picture_db:.3f}",
                record.snapshot(name),
            )


def _differences(recorded: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """Name what is another here than in the record, or unknown of it; "" if nothing is."""
    names = [name for name, value in here.items() if recorded.get(name) != value]
    other, unknown = (
        ", ".join(name.replace("_", " ") for name in names if (name in recorded) == is_known)
        for is_known in (True, False)
    )
    parts = [f"another {other} than recorded"] if other else []
    if unknown:
        parts.append(f"{unknown} that the record does not tell")
    return " and ".join(parts)


def check_scores(record: Record) -> None:
    """Hold a run's scores beside its curve, where that has their iteration; raises Failed.

    Both were made of one output, the curve's in 32 bits. SSIM and luma stand in no curve.
    """
    last = record.experiment.iterations
    metrics, stops = record.metrics, record.data["stops"] or {}
    said = {f"metrics.snapshots.{k}": (int(k), found) for k, found in metrics["snapshots"].items()}
    said["metrics.final"] = last, metrics["final"]
    said |= {f"stops.{rule}": (stop["iteration"], stop) for rule, stop in stops.items() if stop}
    if metrics["average"]:
        said["metrics.average"] = last, {"psnr_average_db": metrics["average"]["psnr_db"]}
    rows = {int(row[0] or 0): dict(zip(CURVE_COLUMNS, row, strict=True)) for row in record.curve()}
    for place, (iteration, found) in said.items():
        for name, recorded in rows.get(iteration, {}).items():
            score = found.get(name) if name != "iteration" else None
            if score is not None and not _is_near(name, score, recorded):
                raise Failed(
                    f"the record is damaged: {place} has {name} = {score:.7g}, the curve"
                    f" {'nothing' if recorded is None else f'{recorded:.7g}'} at {iteration}",
                    record.folder / "run.json",
                )


def _is_near(name: str, score: float, recorded: float | None) -> bool:
    if recorded is None:
        return False
    scale = 1.0 if name.endswith("_db") else abs(recorded)
    return abs(score - recorded) <= SCORE_TOLERANCE * scale


def _recompute(record: Record, task: Task, device: str, iterations: int) -> list[CurveRow]:
    from dip.engine.fit import Fit

    experiment = replace(record.experiment, arithmetic=record.data["arithmetic"])
    threads = record.data["environment"].get("threads")
    fit = Fit(task, experiment, device=device, threads=threads)
    rows: list[CurveRow] = []
    for step in fit:
        rows.append(tuple(getattr(step, name) for name in CURVE_COLUMNS))
        if step.iteration >= iterations:
            break
    return rows


def _exactly(recorded: list[CurveRow], computed: list[CurveRow], place: Path) -> str:
    wanted, found = curve_text(recorded).splitlines(), curve_text(computed).splitlines()
    by_iteration = {line.split(",")[0]: line for line in found}
    for number, line in enumerate(wanted[1:], 2):
        recomputed = by_iteration.get(line.split(",")[0])
        if recomputed != line:
            raise Failed(f"the same run gives {recomputed}, not {line}", place, number)
    count = len(wanted) - 1
    return f"the same bits in {count} recorded iterations, from 0 to {computed[-1][0]}"


def _nearly(
    recorded: list[CurveRow], computed: list[CurveRow], place: Path, how: tuple[str, str]
) -> str:
    precision, different = how
    losses = {row[0]: row[1] for row in computed}
    worst = [0.0, 0.0]  # of the first loss, of the next ones
    for number, row in enumerate(recorded, 2):
        iteration, loss, found = row[0] or 0, row[1] or 0.0, losses.get(row[0]) or 0.0
        if iteration > NEXT_ITERATIONS:
            break
        distance = abs(found - loss) / max(abs(loss), 1e-30)
        allowed = NEXT_RELATIVE if iteration else FIRST_LOSS_RELATIVE[precision]
        worst[iteration > 0] = max(worst[iteration > 0], distance)
        if not distance <= allowed:  # nor if it is not a number
            raise Failed(
                f"the loss is {found:.6g} here, {loss:.6g} in the record: {distance:.2g} apart"
                f" (relative), and {different} can explain {allowed:g} at most",
                place,
                number,
            )
    first, following = worst
    return (
        f"the same start: the first loss is within {first:.1g} (relative) of the record, where"
        f" {FIRST_LOSS_RELATIVE[precision]:g} is allowed, the next ones within {following:.1g},"
        f" where {NEXT_RELATIVE:g} is; with {different}, the bits cannot be"
        " compared, and iterates drift apart by themselves"
    )
