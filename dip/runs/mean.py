"""The average of several runs of one input, as the paper reports it of two (denoising)."""

import io
import time

import numpy as np

from dip.errors import InputError
from dip.experiments.experiment import Experiment
from dip.files import sha256_of
from dip.planning.jobs import Job, record_of
from dip.records.record import Record
from dip.runs.recording import Finished, RunContext, now, of_one_output
from dip.tasks.images import read_picture

AVERAGE = "average.npy"  # a local file of a run's record: too large to carry, as git's list says


def average_file(experiment: Experiment, average: np.ndarray | None) -> dict[str, bytes]:
    """The file of a run's sliding average (C, H, W), float32, where it may enter a mean."""
    if experiment.problem_seed is None or average is None:
        return {}
    stream = io.BytesIO()
    np.save(stream, average, allow_pickle=False)
    return {AVERAGE: stream.getvalue()}


def average_runs(job: Job, context: RunContext) -> Finished:
    """The average of the sliding averages of the job's runs, and its scores.

    From the float32 averages if this machine has those of all the runs, else from the recorded
    pictures of 8 bit alone: the two are never mixed, and the record says which. It names the runs
    by their seals, so that it no longer counts once one is recomputed. Raises InputError if a run
    is not recorded, or its output was kept nowhere.
    """
    task = context.task(job.experiment)
    started, clock = now(), time.perf_counter()
    records = _records(job, context)
    full = [average for record in records if (average := _float32_average(record)) is not None]
    has_all = len(full) == len(records)
    outputs = full if has_all else [_picture(record) for record in records]
    output: np.ndarray = np.stack(outputs).mean(axis=0, dtype=np.float64).astype(np.float32)
    seconds = time.perf_counter() - clock
    finished = of_one_output(job, context, task, output, started, seconds)
    finished.data.update(
        seeds=list(job.seeds),
        runs={record.folder.name: record.data["seal"] for record in records},
        averaged_from="float32 averages" if has_all else "8-bit pictures",
    )
    return finished


def _records(job: Job, context: RunContext) -> list[Record]:
    found = []
    case = job.experiment.case
    for run in (Job(job.suite, one) for one in job.suite.experiments if one.case == case):
        record = record_of(run, context.results, context.images)
        if record is None:
            raise InputError(f"the average needs {run.name}, which is not recorded")
        found.append(record)
    made = sorted({record.data["arithmetic"] for record in found})
    if len(made) > 1:
        raise InputError(f"the runs of {job.name} are in {' and '.join(made)}: no mean joins them")
    return found


def _float32_average(record: Record) -> np.ndarray | None:
    """The average in float32 that was written with this very record; None if it is not here."""
    expected = record.data.get("local_files", {}).get(AVERAGE)
    try:
        content = (record.folder / AVERAGE).read_bytes()
    except OSError:
        return None
    if sha256_of(content) != expected:
        return None
    output: np.ndarray = np.load(io.BytesIO(content), allow_pickle=False)
    return output


def _picture(record: Record) -> np.ndarray:
    if "snapshots/average.webp" not in record.data["files"]:
        raise InputError(
            f"its sliding average is not shown, and this machine does not have the {AVERAGE} of"
            " every run",
            record.folder,
        )
    return read_picture(record.snapshot("average"))[: record.data["channels"]]
