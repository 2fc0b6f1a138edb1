"""Run one experiment, or one baseline, and record it; a kill loses nothing but seconds."""

import time
from typing import TYPE_CHECKING, Any

from dip.errors import InputError
from dip.experiments.experiment import TRAJECTORY_REVISION, arithmetic_on, key
from dip.experiments.test_images import named
from dip.files import sweep
from dip.planning.jobs import Job, pixels_of
from dip.records.environment import commit, environment, exact_part
from dip.records.record import CURVE_COLUMNS, Record, curve_text
from dip.runs.checkpoint import Told, Work
from dip.runs.mean import average_file, average_runs
from dip.runs.recording import (
    Setting,
    described,
    in_curve,
    input_is_the_image,
    keeps_pictures,
    now,
    pictured,
    put,
    webp,
    what_would_fit,
)
from dip.tasks.baselines import run_baseline
from dip.tasks.degradations import make_task
from dip.tasks.metrics import scores

if TYPE_CHECKING:
    import numpy as np

    from dip.engine.fit import Fit, Step
    from dip.engine.monitor import Stop


def perform(job: Job, setting: Setting) -> Record | None:
    """Run a job and record it; None if it was told to stop, its checkpoint then being written.

    A record that stands in its place is moved to `superseded/<key>/` once the new one is whole.
    Raises InputError for what it cannot do, and Busy where another process is at the run.
    """
    sweep(setting.results)
    try:
        if job.seeds:
            return average_runs(job, setting)
        return _baseline(job, setting) if job.method else _fit(job, setting)
    except (MemoryError, RuntimeError) as error:
        told = str(error).lower()
        if isinstance(error, MemoryError) or "out of memory" in told or "allocate memory" in told:
            raise InputError(what_would_fit(job.experiment, setting)) from None
        raise


def _baseline(job: Job, setting: Setting) -> Record:
    task = make_task(job.experiment, setting.load(job.experiment))
    started, clock = now(), time.perf_counter()
    assert job.method
    output = run_baseline(job.method, task, job.experiment.noise_255)
    seconds = time.perf_counter() - clock
    data = {
        **described(job, setting, task, "ieee", 1),
        "metrics": {
            "input": scores(task, task.shown), "snapshots": {}, "final": scores(task, output),
            "average": None, "clean_z": None,
        },
        "stops": {}, "spikes": 0, "environment": environment("cpu"), "started": started,
        "seconds": round(seconds, 3), "seconds_per_iteration": None,
    }  # fmt: skip
    kept = keeps_pictures(job.experiment, setting.images)
    pictures = {"output": webp(output)} if kept else {}
    return put(job, setting, data, pictures, {})


def _fit(job: Job, setting: Setting) -> Record | None:
    mode = arithmetic_on(job.experiment, setting.device.split(":")[0])
    revision = TRAJECTORY_REVISION[setting.device.split(":")[0], mode]
    pixels = pixels_of(job.experiment, setting.images)
    work_key = key(job.experiment, pixels, mode, revision)
    with Work(setting.results / ".work" / work_key) as work:
        return _Run(job, setting, mode, revision, work).record()


class _Run:
    """One run of a fit: what it keeps, and what it has told so far."""

    def __init__(self, job: Job, setting: Setting, mode: str, revision: int, work: Work) -> None:
        self.job, self.setting, self.mode, self.revision = job, setting, mode, revision
        self.work, self.experiment = work, job.experiment
        self.task = make_task(self.experiment, setting.load(self.experiment))
        listed = named(self.experiment.image, setting.images)
        self.pictured = pictured(self.experiment, listed.show)
        self.shows = listed.show and self.experiment.pictures and self.experiment.seed == 0
        self.averaged = listed.show and self.experiment.problem_seed is not None
        self.scored = self.pictured | set(self.experiment.snapshots) | {self.experiment.iterations}
        # The count of threads moves bits: a run goes on with the one it began with.
        self.threads = work.threads() or setting.threads
        self.fit = self._new_fit()
        self.environment = environment(setting.device)
        self.commit = commit()
        self.told = Told(now())

    def _new_fit(self) -> "Fit":
        from dip.engine.fit import Fit

        return Fit(
            self.task,
            self.experiment,
            device=self.setting.device,
            keep=self.scored,
            threads=self.threads,
        )

    def record(self) -> Record | None:
        """Go on to the end and write the record; None if told to stop."""
        self._resume()
        clock, before = time.perf_counter(), self.told.seconds
        saved, pause = clock, self.setting.checkpoint_seconds
        self.setting.listener.begin(self.job.name, self.fit.iteration, self.experiment.iterations)
        for step in self.fit:
            self._take(step)
            self.setting.listener.step(step)
            tick = time.perf_counter()
            self.told.seconds = before + tick - clock
            stop = self.setting.should_stop() and step.iteration < self.experiment.iterations
            if stop or tick - saved > pause:
                self._save()
                saved = time.perf_counter()
                pause = max(self.setting.checkpoint_seconds, 5 * (saved - tick))
            if stop:
                return None
        record = self._finish(self.fit.average, self.fit.stops())
        self.work.remove()
        return record

    def _described(self) -> dict[str, Any]:
        return {
            "experiment": self.experiment.to_dict(),
            "arithmetic": self.mode,
            "trajectory_revision": self.revision,
            **exact_part(self.environment),
        }

    def _resume(self) -> None:
        """Take up the checkpoint, if there is one that can be trusted."""
        try:
            found = self.work.load(self._described())
            if found:
                told, state = found
                self.fit.restore(state)
                self.told = told
        except (InputError, ValueError, LookupError) as error:
            self.setting.listener.say(f"{error}; starting again from iteration 0")
            self.fit = self._new_fit()

    def _save(self) -> None:
        self.work.save(self._described(), self.told, self.fit.state())

    def _take(self, step: "Step") -> None:
        """Take a step into the curve, the scores and the pictures."""
        k, told = step.iteration, self.told
        told.spikes = step.spikes
        if in_curve(k, self.experiment.iterations):
            told.rows.append(tuple(getattr(step, name) for name in CURVE_COLUMNS))
        if step.output is not None:
            told.scores[str(k)] = scores(self.task, step.output, step.loss)
            if k in self.pictured:
                told.pictures[str(k)] = webp(step.output)

    def _finish(self, average: "np.ndarray | None", stops: "dict[str, Stop]") -> Record:
        told, last = self.told, self.experiment.iterations
        data = {
            **described(
                self.job, self.setting, self.task, self.mode, self.revision, self.commit
            ),
            "metrics": self._metrics(average), "stops": self._stops(stops), "spikes": told.spikes,
            "environment": self.environment, "started": told.started,
            "seconds": round(told.seconds, 3),
            "seconds_per_iteration": told.seconds / (last + 1),
        }  # fmt: skip
        pictures = self._last_pictures(average, stops)
        curve = {"curve.csv": curve_text(told.rows).encode()}
        local = average_file(self.experiment, average)
        return put(self.job, self.setting, data, told.pictures | pictures, curve, local)

    def _metrics(self, average: "np.ndarray | None") -> dict[str, Any]:
        """Score the input, the snapshots, the last output, their average, and that of clean z."""
        told = self.told
        return {
            "input": scores(self.task, self.task.shown),
            "snapshots": told.scores,
            "final": told.scores[str(self.experiment.iterations)],
            "average": None if average is None else scores(self.task, average),
            "clean_z": scores(self.task, self.fit.clean_output()),
        }

    def _stops(self, found: "dict[str, Stop]") -> dict[str, Any]:
        """Score where each rule stops; None for a rule that never did."""
        last = self.experiment.iterations
        stops: dict[str, Any] = {"fixed": {"iteration": last, **self.told.scores[str(last)]}}
        for name in ("oracle", "es-wmv"):
            stop = found.get(name)
            stops[name] = stop and {
                "iteration": stop.iteration, **scores(self.task, stop.output)
            }  # fmt: skip
        return stops

    def _last_pictures(
        self, average: "np.ndarray | None", stops: "dict[str, Stop]"
    ) -> dict[str, bytes]:
        """Give the input, the stops and the average as pictures, where they may be shown."""
        shown = None if input_is_the_image(self.experiment) else self.task.shown
        outputs = {"input": shown}
        if self.experiment.task != "fit":  # there all is fitted, and nothing restored
            outputs |= {"average": average}
            outputs |= {f"stop-{name}": stop.output for name, stop in stops.items()}
        names = list(outputs) if self.shows else ["average"] if self.averaged else []
        kept = {name: outputs[name] for name in names}
        return {name: webp(output) for name, output in kept.items() if output is not None}
