"""Record two runs and their mean, with a kill at each file operation of the second in turn.

Run in a process of its own: `python killed_at.py FOLDER`, where FOLDER has a project. It prints how
many operations there are, and fails where a kill made a difference.
"""

import os
import shutil
import signal
import sys
from pathlib import Path

from dip.experiments.suites import load_suites
from dip.experiments.test_images import load_images
from dip.planning.jobs import Job, jobs_of, record_of
from dip.records.archive import pack, unpack
from dip.records.record import check_files, load_record
from dip.records.store import find_records
from dip.runs.recording import RunContext
from dip.runs.run import perform

WRITES = ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.chmod", "shutil.rmtree")


def kill_at(number: int, results: Path) -> None:
    """From now on kill this process at its file operation `number` in `results`."""
    count = 0

    def watch(event: str, args: tuple[object, ...]) -> None:
        nonlocal count
        writes = event in WRITES or (event == "open" and _is_writing(args))
        if writes and str(args[0]).startswith(str(results)):
            count += 1
            if count == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


def _is_writing(args: tuple[object, ...]) -> bool:
    flags = args[2]
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


def was_killed(job: Job, context: RunContext, number: int) -> bool:
    """Perform a job in a forked process; tell whether it came to its operation `number`."""
    child = os.fork()
    if child == 0:
        kill_at(number, context.results)
        perform(job, context)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0
    return os.WIFSIGNALED(status)


def main(folder: Path) -> None:
    """Kill and go on until a run outlives the kill that was meant for it."""
    content, images = folder / "content", folder / "images"
    suite = load_suites(content / "experiments.toml")["tiny"]
    jobs = [job for job in jobs_of(suite) if job.experiment.image == "made/waves"]
    one, two, mean = [job for job in jobs if job.kind != "baseline"]
    listed = load_images(content / "images.toml")

    def context(name: str) -> RunContext:
        return RunContext(folder / name, listed, images, threads=1, checkpoint_seconds=0.0)

    perform(one, context("first"))
    shutil.copytree(folder / "first", folder / "whole")
    whole = perform(two, context("whole")), perform(mean, context("whole"))
    assert all(whole)
    for number in range(1, 1000):
        here = context(f"killed{number}")
        shutil.copytree(folder / "first", here.results)
        if not was_killed(two, here, number):
            print(f"operations: {number - 1}")
            return
        found = find_records(here.results)
        for place in found:
            check_files(load_record(place))
        archives = pack(here.results, here.results / "archives", 10)
        assert len(unpack(archives, here.results / "home")) == len(found)
        for left in here.results.rglob(".new.*"):
            os.utime(left, (0, 0))  # as if it had happened long ago
        again = record_of(two, here.results, listed) or perform(two, here)
        mean_again = perform(mean, here)
        for before, after in zip(whole, (again, mean_again), strict=True):
            assert before and after
            assert after.data["files"] == before.data["files"], number
            assert after.metrics == before.metrics, number
        assert mean_again and mean_again.data["averaged_from"] == "float32 averages"
        assert not list(here.results.rglob(".new.*")), number
        shutil.rmtree(here.results)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
