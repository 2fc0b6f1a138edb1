"""The average of several runs of one input, as the paper reports it of two (denoising)."""

import io
import time

import numpy as np

from dip.errors import InputError
from dip.experiments.experiment import Experiment
from dip.files import sha256_of
from dip.planning.jobs import Job, jobs_of, record_of
from dip.records.environment import environment
from dip.records.record import Record
from dip.runs.recording import Setting, described, keeps_pictures, now, put, webp
from dip.tasks.degradations import make_task
from dip.tasks.images import read_picture
from dip.tasks.metrics import scores

AVERAGE = "average.npy"  # a local file of a run's record: too large to carry, as git's list says


def average_file(experiment: Experiment, average: np.ndarray | None) -> dict[str, bytes]:
    """The file of a run's sliding average (C, H, W) in float32, where it may enter a mean of runs."""
    if experiment.problem_seed is None or average is None:
        return {}
    stream = io.BytesIO()
    np.save(stream, average, allow_pickle=False)
    return {AVERAGE: stream.getvalue()}


def average_runs(job: Job, setting: Setting) -> Record:
    """Average the sliding averages of the job's runs, score that, and record it.

    From the float32 averages if this machine has those of all the runs, else from the recorded
    pictures of 8 bit alone: the two are never mixed, and the record says which. It names the runs
    by their seals, so that it no longer counts once one is remade. Raises InputError if a run is
    not recorded, or its output was kept nowhere.
    """
    task = make_task(job.experiment, setting.load(job.experiment))
    started, clock = now(), time.perf_counter()
    records = _records(job, setting)
    full = [average for record in records if (average := _float32_average(record)) is not None]
    has_all = len(full) == len(records)
    outputs = full if has_all else [_picture(record) for record in records]
    output: np.ndarray = np.stack(outputs).mean(axis=0, dtype=np.float64).astype(np.float32)
    data = {
        **described(job, setting, task, "ieee", 1),
        "metrics": {
            "input": scores(task, task.shown), "snapshots": {}, "final": scores(task, output),
            "average": None, "clean_z": None,
        },
        "stops": {}, "spikes": 0, "environment": environment("cpu"), "started": started,
        "seconds": round(time.perf_counter() - clock, 3), "seconds_per_iteration": None,
        "seeds": list(job.seeds),
        "runs": {record.folder.name: record.data["seal"] for record in records},
        "averaged_from": "float32 averages" if has_all else "8-bit pictures",
    }  # fmt: skip
    kept = keeps_pictures(job.experiment, setting.images)
    return put(job, setting, data, {"output": webp(output)} if kept else {}, {})


def _records(job: Job, setting: Setting) -> list[Record]:
    runs = [
        run
        for run in jobs_of(job.suite)
        if run.method is None and run.experiment.case == job.experiment.case
    ]
    found = []
    for run in runs:
        record = record_of(run, setting.results, setting.images)
        if record is None:
            raise InputError(f"the average needs {run.name}, which is not recorded")
        found.append(record)
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
