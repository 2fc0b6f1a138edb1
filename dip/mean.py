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
from dip.tasks import Task, make_task

SAME_DB = 1e-9  # of one array scored twice


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
    The record names the runs by their seals, so that it no longer counts once one is remade.
    Raises InputError if a run is not recorded, or its output was kept nowhere.
    """
    task = make_task(job.experiment, setting.load(job.experiment))
    started, clock = now(), time.perf_counter()
    records = _records(job, setting)
    outputs = [_output(record, setting, task) for record in records]
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


def _output(record: Record, setting: Setting, task: Task) -> np.ndarray:
    kept = _kept_output(record, setting, task)
    if kept is not None:
        return kept
    if "snapshots/average.webp" not in record.data["files"]:
        raise InputError(
            "its sliding average is not shown, and was not kept on this machine", record.folder
        )
    output = read_picture(record.snapshot("average"))
    return output[: record.data["channels"]]


def _kept_output(record: Record, setting: Setting, task: Task) -> np.ndarray | None:
    """Give the average that was kept in full digits, if it is this record's: with its very score."""
    try:
        output: np.ndarray = np.load(_kept(record, setting), allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    scored = record.metrics["average"]
    if output.shape != task.shape or not scored:
        return None
    recorded_db, found_db = scored["psnr_db"], scores(task, output)["psnr_db"]
    if recorded_db is None or found_db is None:
        return output if recorded_db is found_db else None
    return output if abs(found_db - recorded_db) < SAME_DB else None
