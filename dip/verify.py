"""Run the beginning of a recorded run again, and compare."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dip.cuda_path import path_of, trajectory_revision
from dip.environment import environment, exact_part
from dip.experiment import TRAJECTORY_REVISION, arithmetic_on
from dip.images import ListedImage, load_all
from dip.problems import InputError
from dip.records import CURVE_COLUMNS, CurveRow, Record, check_files, curve_text
from dip.schedule import pixels_of
from dip.tasks import make_task

# Across devices, relative: of the loss before the first update, which hangs on weights, z, noise,
# mask and one forward; and of the next losses. Adam's first step has the size of the learning rate
# whatever the gradient's, so where a gradient is about zero, rounding decides its direction: from
# 1e-7 the losses drift 1e-3 apart in one iteration, 0.1 in ten, between two thread counts too.
FIRST_LOSS_RELATIVE = {"ieee": 1e-5, "tf32": 5e-3, "fp16": 5e-3, "bf16": 0.03}
NEXT_ITERATIONS, NEXT_RELATIVE = 20, 0.5
SCORE_TOLERANCE = 1e-3  # of a score beside the curve: in dB, or relative; rounding takes 1e-5


@dataclass(frozen=True)
class Verdict:
    """What a verification found, as a sentence; `good` tells whether the record stands."""

    good: bool
    sentence: str

    def __str__(self) -> str:
        """Give the sentence."""
        return self.sentence


def verify(
    record: Record,
    images: Mapping[str, ListedImage],
    image_folder: Path | None,
    device: str,
    iterations: int,
) -> Verdict:
    """Run the first `iterations` of a record again and compare with its curve.

    Bit for bit where all that EXACT names is the record's (the record's thread count is restored),
    else the first loss closely and the next 20 loosely; so too where the record does not say. A
    file with another hash, or a score that is not the curve's, fails the record. Raises InputError
    if it cannot be run again here.
    """
    try:
        check_files(record)
        check_scores(record)
    except InputError as error:
        return Verdict(False, str(error))
    experiment = record.experiment
    if pixels_of(experiment, images) != record.data["pixels_sha256"]:
        raise InputError("the record is of other images than images.toml lists", record.folder)
    recorded = record.data["environment"]
    _same_arithmetic(record, device)
    made = _run_again(record, images, image_folder, device, iterations)
    here = exact_part(environment(device))
    revision = _revision_here(record, device)
    here["trajectory_revision"] = revision
    known = {**recorded, "trajectory_revision": record.data["trajectory_revision"]}
    different = _differences(known, here)
    rows = [row for row in record.curve() if (row[0] or 0) <= iterations]
    place = record.path("curve.csv")
    if not different:
        return _exactly(rows, made, place)
    return _nearly(rows, made, place, (record.data["arithmetic"], different))


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
    """Hold a run's scores beside its curve, where that has their iteration; raises InputError.

    Both were made of one output, the curve's in 32 bits. SSIM and luma stand in no curve.
    """
    last = record.experiment.iterations
    metrics, stops = record.metrics, record.data["stops"] or {}
    said = {f"metrics.snapshots.{k}": (int(k), told) for k, told in metrics["snapshots"].items()}
    said["metrics.final"] = last, metrics["final"]
    said |= {f"stops.{rule}": (told["iteration"], told) for rule, told in stops.items() if told}
    if metrics["average"]:
        said["metrics.average"] = last, {"psnr_average_db": metrics["average"]["psnr_db"]}
    rows = {int(row[0] or 0): dict(zip(CURVE_COLUMNS, row, strict=True)) for row in record.curve()}
    for place, (iteration, told) in said.items():
        for name, recorded in rows.get(iteration, {}).items():
            score = told.get(name) if name != "iteration" else None
            if score is not None and not _is_near(name, score, recorded):
                raise InputError(
                    f"the record is damaged: {place} has {name} = {score:.7g}, the curve"
                    f" {'nothing' if recorded is None else f'{recorded:.7g}'} at {iteration}",
                    record.folder / "run.json",
                )


def _is_near(name: str, score: float, recorded: float | None) -> bool:
    if recorded is None:
        return False
    scale = 1.0 if name.endswith("_db") else abs(recorded)
    return abs(score - recorded) <= SCORE_TOLERANCE * scale


def _revision_here(record: Record, device: str) -> int:
    """Give the revision of what runs here: on CUDA the record's own, if its way is still known."""
    kind, recorded = device.split(":")[0], record.data["trajectory_revision"]
    if kind == "cuda" and path_of(recorded):
        return int(recorded)
    return trajectory_revision(kind, record.data["arithmetic"])


def _same_arithmetic(record: Record, device: str) -> None:
    """Raise InputError if the device cannot compute as the record was."""
    mode, kind = record.data["arithmetic"], device.split(":")[0]
    if (kind, mode) not in TRAJECTORY_REVISION:
        raise InputError(
            f"the record was made in {mode}, which '{kind}' cannot do:"
            " only its files and hashes could be checked",
            record.folder,
        )


def _run_again(
    record: Record,
    images: Mapping[str, ListedImage],
    image_folder: Path | None,
    device: str,
    iterations: int,
) -> list[CurveRow]:
    from dip.graph_fit import make_fit

    experiment = replace(record.experiment, arithmetic=record.data["arithmetic"])
    arithmetic_on(experiment, device.split(":")[0])
    pictures = load_all(experiment.images(), images, image_folder)
    threads = record.data["environment"]["threads"]
    path = path_of(record.data["trajectory_revision"])  # CUDA alone has several
    task = make_task(experiment, pictures)
    fit = make_fit(task, experiment, device, threads=threads, path=path)
    rows: list[CurveRow] = []
    for step in fit:
        rows.append(tuple(getattr(step, name) for name in CURVE_COLUMNS))
        if step.iteration >= iterations:
            break
    return rows


def _exactly(recorded: list[CurveRow], made: list[CurveRow], place: Path) -> Verdict:
    wanted, found = curve_text(recorded).splitlines(), curve_text(made).splitlines()
    by_iteration = {line.split(",")[0]: line for line in found}
    for number, line in enumerate(wanted[1:], 2):
        again = by_iteration.get(line.split(",")[0])
        if again != line:
            return Verdict(False, f"{place}:{number}: the same run gives {again}, not {line}")
    count = len(wanted) - 1
    return Verdict(True, f"the same bits in {count} recorded iterations, from 0 to {made[-1][0]}")


def _nearly(
    recorded: list[CurveRow], made: list[CurveRow], place: Path, how: tuple[str, str]
) -> Verdict:
    arithmetic, different = how
    losses = {row[0]: row[1] for row in made}
    worst = [0.0, 0.0]  # of the first loss, of the next ones
    for number, row in enumerate(recorded, 2):
        iteration, loss, again = row[0] or 0, row[1] or 0.0, losses.get(row[0]) or 0.0
        if iteration > NEXT_ITERATIONS:
            break
        distance = abs(again - loss) / max(abs(loss), 1e-30)
        allowed = NEXT_RELATIVE if iteration else FIRST_LOSS_RELATIVE[arithmetic]
        worst[iteration > 0] = max(worst[iteration > 0], distance)
        if not distance <= allowed:  # nor if it is not a number
            return Verdict(
                False,
                f"{place}:{number}: the loss is {again:.6g} here, {loss:.6g} in the record:"
                f" {distance:.2g} apart (relative), and {different} can explain {allowed:g} at most",
            )
    first, following = worst
    return Verdict(
        True,
        f"the same start: the first loss is within {first:.1g} (relative) of the record, where"
        f" {FIRST_LOSS_RELATIVE[arithmetic]:g} is allowed, the next ones within {following:.1g},"
        f" where {NEXT_RELATIVE:g} is; with {different}, the bits cannot be"
        " compared, and iterates drift apart by themselves",
    )
