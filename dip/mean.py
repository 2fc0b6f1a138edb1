"""The average of several runs of one input, as the paper reports it of two (denoising)."""

import io
import time
from pathlib import Path

import numpy as np

from dip.environment import environment
from dip.files import write_bytes_whole
from dip.images import read_picture
from dip.metrics import scores
from dip.problems import InputError
from dip.records import Record
from dip.report import Setting, described, keeps_pictures, now, put, webp
from dip.schedule import Job, jobs_of, record_of
from dip.tasks import make_task


def keep_output(record: Record, average: np.ndarray | None, setting: Setting) -> None:
    """Keep a run's sliding average (C, H, W) in full digits, where it may enter a mean of runs."""
    if record.experiment.problem_seed is None or average is None:
        return
    stream = io.BytesIO()
    np.save(stream, average, allow_pickle=False)
    write_bytes_whole(_kept(record, setting), stream.getvalue())


def _kept(record: Record, setting: Setting) -> Path:
    return setting.results / ".work" / "outputs" / f"{record.key}.npy"


def average_runs(job: Job, setting: Setting) -> Record:
    """Average the sliding averages of the job's runs, score that, and record it.

    In full digits where they were kept on this machine, else from the recorded pictures of 8 bit.
    Raises InputError if a run is not recorded, or its output was kept nowhere.
    """
    task = make_task(job.experiment, setting.load(job.experiment))
    started, clock = now(), time.perf_counter()
    outputs = [_output(record, setting) for record in _records(job, setting)]
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


def _output(record: Record, setting: Setting) -> np.ndarray:
    kept = _kept(record, setting)
    if kept.is_file():
        array: np.ndarray = np.load(kept, allow_pickle=False)
        return array
    if "snapshots/average.webp" not in record.data["files"]:
        raise InputError(
            "its sliding average is not shown, and was not kept on this machine", record.folder
        )
    output = read_picture(record.snapshot("average"))
    return output[: record.data["channels"]]
