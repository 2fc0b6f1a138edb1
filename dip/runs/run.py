"""From a job to a record: fitted, scored and written; a kill loses nothing but seconds."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dip.errors import InputError, is_lack_of_memory
from dip.experiments.experiment import TRAJECTORY_REVISION, arithmetic_on, device_kind
from dip.experiments.test_images import named
from dip.files import sweep
from dip.planning.jobs import Job, record_of, state_of
from dip.records.environment import choose_device, commit, environment, exact_part
from dip.records.record import CURVE_COLUMNS, Record, identity
from dip.records.store import curve_text, write_record
from dip.runs import recording
from dip.runs.checkpoint import Busy, RunProgress, Work
from dip.runs.mean import average_file, average_runs
from dip.runs.recording import Finished, RunContext, now
from dip.tasks.baselines import run_baseline
from dip.tasks.metrics import scores

if TYPE_CHECKING:
    import numpy as np

    from dip.engine.fit import Step
    from dip.engine.monitor import Stop


def perform(job: Job, context: RunContext) -> Record | None:
    """Run a job and record it; None if it was told to stop, its checkpoint then being written.

    A record that stands in its place is moved to `superseded/KEY/` once the new one is whole, and
    the listener is told where it went. Raises InputError for what it cannot do, and Busy where
    another process is at the run.
    """
    sweep(context.results)  # what a killed process left half written
    try:
        if job.kind != "run":
            make = average_runs if job.kind == "mean" else _baseline
            with _work(job, context, job.name.replace("/", "-")) as work:
                record = _write(job, context, make(job, context))
                work.remove()
                return record
        kind = device_kind(context.device)
        precision = arithmetic_on(job.experiment, kind)
        _refuse_second_precision(job, precision, context)
        revision = TRAJECTORY_REVISION[kind, precision]
        what = identity(job.experiment, context.images, precision, revision)
        name = f"{what['key']}-{job.name.replace('/', '-')}"
        with _work(job, context, name) as work, _given_back_threads() as threads:
            finished = _Run(job, context, what, work, context.threads or threads).finish()
            if finished is None:
                return None
            record = _write(job, context, finished)
            work.remove()  # the checkpoint goes last: until here a kill costs no iteration
            return record
    except (MemoryError, RuntimeError) as error:
        if is_lack_of_memory(error):
            raise InputError(recording.what_would_fit(job.experiment, context)) from None
        raise


@contextmanager
def _work(job: Job, context: RunContext, name: str) -> Iterator[Work]:
    """A job's work folder, locked; raises Busy where another process has recorded the job since."""
    with Work(context.results / ".work" / name) as work:
        if context.keeps_records and record_of(job, context.results, context.images):
            work.remove()
            raise Busy("another process has recorded this run")
        yield work


def _refuse_second_precision(job: Job, precision: str, context: RunContext) -> None:
    """Raise InputError where other runs of the suite are in another: no mean joins two.

    Who names an `arithmetic`, in a variant say, means that precision: such a run is none of these.
    """
    if job.experiment.arithmetic != "default":
        return
    runs = (Job(job.suite, one) for one in job.suite.experiments if one.arithmetic == "default")
    for other in (run for run in runs if run.name != job.name):
        state = state_of(other, context.results, context.images)
        if state.word != "recorded" or state.record is None:
            continue
        if (made := state.record.data["arithmetic"]) != precision:
            raise InputError(
                f"{other.name} is in {made}, and this one would be in {precision}, which no mean"
                " joins: give the suite an `arithmetic`, or make all of its runs anew elsewhere, by"
                " --results"
            )


@contextmanager
def _given_back_threads() -> Iterator[int]:
    """Torch's count of threads, which a run may change: the next one finds it as it was."""
    import torch

    threads = torch.get_num_threads()
    try:
        yield threads
    finally:
        torch.set_num_threads(threads)


def _write(job: Job, context: RunContext, finished: Finished) -> Record:
    pictures = {f"snapshots/{name}.webp": data for name, data in finished.pictures.items()}
    files, place = {**finished.files, **pictures}, job.folder(context.results)
    return write_record(place, finished.data, files, finished.local_files, context.listener.say)


def _baseline(job: Job, context: RunContext) -> Finished:
    task = context.task(job.experiment)
    started, clock = now(), time.perf_counter()
    assert job.method
    output = run_baseline(job.method, task, job.experiment.noise_255)
    return recording.of_one_output(job, context, task, output, started, time.perf_counter() - clock)


class _Run:
    """One run of a fit: what is kept of it, and its progress so far."""

    def __init__(
        self, job: Job, context: RunContext, what: dict[str, Any], work: Work, threads: int
    ) -> None:
        self.job, self.context, self.what, self.work = job, context, what, work
        self.experiment = job.experiment
        self.task = context.task(self.experiment)
        listed = named(self.experiment.image, context.images)
        self.pictured = recording.pictured(self.experiment, listed.show)
        self.shows = listed.show and self.experiment.pictures and self.experiment.seed == 0
        self.changes = self.shows and recording.keeps_change(self.experiment)
        self.averaged = listed.show and self.experiment.problem_seed is not None
        self.scored = self.pictured | set(self.experiment.snapshots) | {self.experiment.iterations}
        self.asked = threads
        self.told_of_disk = False
        self.environment = environment(choose_device(context.device))
        self.commit = commit()
        self.progress = RunProgress(now())

    def _begin(self, threads: int) -> None:
        from dip.engine.fit import Fit

        device = self.context.device
        self.fit: Fit = Fit(
            self.task, self.experiment, device=device, keep=self.scored, threads=threads
        )
        self.environment["threads"] = threads

    def finish(self) -> Finished | None:
        """Go on from the checkpoint to the last iteration; None if told to stop before it."""
        self._resume()
        clock, before = time.perf_counter(), self.progress.seconds
        saved, pause = clock, self.context.checkpoint_seconds
        self.context.listener.begin(self.job.name, self.fit.iteration, self.experiment.iterations)
        for step in self.fit:
            self._take(step)
            self.context.listener.step(step)
            tick = time.perf_counter()
            self.progress.seconds = before + tick - clock
            stop = self.context.should_stop() and step.iteration < self.experiment.iterations
            if stop or tick - saved > pause:
                self._save(stop)
                saved = time.perf_counter()
                # Slow disks: at most a sixth of the time goes into checkpoints.
                pause = max(self.context.checkpoint_seconds, 5 * (saved - tick))
            if stop:
                return None
        return self._finished(self.fit.average, self.fit.stops())

    def _save(self, stop: bool) -> None:
        """Write a checkpoint. A full disk costs the run only where it is to stop; else it is told.

        Told once: there may be room again before the run ends.
        """
        try:
            self.work.save(self._made_with(), self.progress, self.fit.state())
        except InputError as error:
            if stop:
                raise
            if not self.told_of_disk:
                self.context.listener.say(f"{error}; the run goes on without a new checkpoint")
            self.told_of_disk = True

    def _made_with(self) -> dict[str, Any]:
        """What the bits of a trajectory depend on; a checkpoint of anything else is refused."""
        named = ("experiment", "arithmetic", "trajectory_revision")
        return {name: self.what[name] for name in named} | exact_part(self.environment)

    def _resume(self) -> None:
        """Begin; with the checkpoint, if there is one that can be trusted."""
        found = self._loaded()
        # The count of threads moves bits: a run goes on with the one it began with.
        self._begin((found and found[2]) or self.asked)
        if not found:
            return
        progress, state, _ = found
        try:
            self.fit.restore(state)
        except (InputError, ValueError, LookupError) as error:
            self.context.listener.say(f"{error}; starting again from iteration 0")
            self._begin(self.asked)
            return
        self.progress = progress
        self._tell_threads(int(self.environment["threads"]))

    def _loaded(self) -> "tuple[RunProgress, dict[str, np.ndarray], int | None] | None":
        """This kind of machine's checkpoint, whatever its threads; what is none is named."""
        wanted = {name: value for name, value in self._made_with().items() if name != "threads"}
        while True:  # each turn sets one aside
            try:
                return self.work.load(wanted)
            except InputError as error:
                self.context.listener.say(str(error))

    def _tell_threads(self, began_with: int) -> None:
        if began_with != self.asked:
            self.context.listener.say(
                f"{self.job.name} began with --threads {began_with} and goes on so, not with"
                f" {self.asked}, which would round otherwise; to begin anew, delete"
                f" {self.work.folder}"
            )

    def _take(self, step: "Step") -> None:
        """Take a step into the curve, the scores and the pictures."""
        k, progress = step.iteration, self.progress
        progress.spikes = step.spikes
        if recording.in_curve(k, self.experiment.iterations):
            progress.rows.append(tuple(getattr(step, name) for name in CURVE_COLUMNS))
        if step.output is not None:
            progress.scores[str(k)] = scores(self.task, step.output, step.loss)
            if k in self.pictured:
                progress.pictures[str(k)] = recording.webp(step.output)
            if self.changes and k == self.experiment.iterations:
                change = recording.change(step.output, self.task.shown)
                progress.pictures["change"] = recording.webp(change)

    def _finished(self, average: "np.ndarray | None", stops: "dict[str, Stop]") -> Finished:
        progress = self.progress
        data = {
            **recording.provenance(self.job, self.what, self.task, self.commit),
            "metrics": self._metrics(average), "stops": self._stops(stops),
            "spikes": progress.spikes, "environment": self.environment,
            "started": progress.started, "seconds": round(progress.seconds, 3),
            "seconds_per_iteration": progress.seconds / (self.experiment.iterations + 1),
        }  # fmt: skip
        return Finished(
            data,
            progress.pictures | self._last_pictures(average, stops),
            {"curve.csv": curve_text(progress.rows).encode()},
            average_file(self.experiment, average),
        )

    def _metrics(self, average: "np.ndarray | None") -> dict[str, Any]:
        """The scores of the input, the snapshots, the last output, their average, and clean z's."""
        found = self.progress.scores
        return {
            "input": scores(self.task, self.task.shown),
            "snapshots": found,
            "final": found[str(self.experiment.iterations)],
            "average": None if average is None else scores(self.task, average),
            "clean_z": scores(self.task, self.fit.clean_output()),
        }

    def _stops(self, found: "dict[str, Stop]") -> dict[str, Any]:
        """The scores where each rule stops; None for a rule that never did."""
        last = self.experiment.iterations
        stops: dict[str, Any] = {"fixed": {"iteration": last, **self.progress.scores[str(last)]}}
        for name in ("oracle", "es-wmv"):
            stop = found.get(name)
            stops[name] = stop and {
                "iteration": stop.iteration, **scores(self.task, stop.output)
            }  # fmt: skip
        return stops

    def _last_pictures(
        self, average: "np.ndarray | None", stops: "dict[str, Stop]"
    ) -> dict[str, bytes]:
        """The input, the stops and the average as WebP, where they may be shown."""
        outputs = {
            "input": None if recording.input_is_the_image(self.experiment) else self.task.shown
        }
        if self.experiment.task != "fit":  # there all is fitted, and nothing restored
            outputs |= {"average": average}
            outputs |= {f"stop-{name}": stop.output for name, stop in stops.items()}
        names = list(outputs) if self.shows else ["average"] if self.averaged else []
        kept = {name: outputs.get(name) for name in names}
        return {name: recording.webp(output) for name, output in kept.items() if output is not None}
