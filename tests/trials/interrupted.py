"""Interrupt a build, or a run of experiments, at its file operations, and see what is lost.

In a process of its own, which forks for each trial: `python interrupted.py WHAT HOW FOLDER TRIALS
SEED`. WHAT is first (a build where there is no site), again (where one stands), or run. HOW is kill
(at one operation), renames (the same, where no system call exchanges two folders), full (this
operation and all that need space after it are refused), or disk (FOLDER is a disk in memory, whose
size is chosen). It prints how many trials there were, and fails where something was lost.
"""

import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

from reading import contents

NEED_SPACE = ("os.rename", "os.mkdir", "os.link")
WRITES = (*NEED_SPACE, "os.remove", "os.rmdir", "os.chmod", "shutil.rmtree")
EXCHANGE = ("ctypes.dlsym", ("renameat2",))  # what a library is asked for
FULL = os.strerror(errno.ENOSPC)
REPORTS = tempfile.TemporaryDirectory()  # what a trial says has room, however full its disk is
OUTSIDE = Path(REPORTS.name)


def _is_writing(args: tuple[object, ...]) -> bool:
    flags = args[2]
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


def interrupt_at(number: int, folder: Path, how: str) -> Callable[[], int]:
    """From now on interrupt this process at its file operation `number` in a folder.

    Returns what tells how many operations there were.
    """
    count = 0

    def watch(event: str, args: tuple[object, ...]) -> None:
        nonlocal count
        opens = event == "open" and _is_writing(args)
        if not opens and event not in WRITES and (event, args[-1:]) != EXCHANGE:
            return
        within = os.path.abspath(str(args[0])).startswith(str(folder))
        if not within and event != EXCHANGE[0]:
            return
        if event == EXCHANGE[0] and how == "renames":
            raise AttributeError("this system exchanges no folders")
        count += 1
        if number and count == number and how != "full":
            os.kill(os.getpid(), signal.SIGKILL)
        if number and count >= number and how == "full" and (opens or event in NEED_SPACE):
            raise OSError(errno.ENOSPC, FULL, args[0])

    sys.addaudithook(watch)
    return lambda: count


def in_fork(make: Callable[[], int], number: int, folder: Path, how: str) -> tuple[int | None, str]:
    """The exit code of `make` in a forked process, None if it was killed, and what it said."""
    said = OUTSIDE / "said"
    child = os.fork()
    if child == 0:
        code = 99
        try:
            sys.stdout = sys.stderr = said.open("w")
            operations = interrupt_at(number, folder, how)
            code = make()
            (OUTSIDE / "operations").write_text(str(operations()))
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            sys.stderr.flush()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    code = None if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status)
    return code, said.read_text()


def content_of(folder: Path) -> dict[str, bytes] | None:
    """Every file of a folder by its name; None if there is no folder."""
    return contents(folder) if folder.exists() else None


def age(folder: Path) -> None:
    """Let what an interrupted process left look as if that had happened long ago."""
    for left in folder.rglob(".new.*"):
        os.utime(left, (0, 0))


SETTINGS = """
title = "Trials"
[metrics.accuracy]
label = "Accuracy"
unit = "%"
digits = 1
"""
POST = """# One

It has {{ run("digits/mlp").accuracy }}, with $x^2$, by [@one]. WORD

```python
print(1)
```
"""


def write_site_project(folder: Path) -> None:
    """A project of two posts and two records."""
    from press import record

    (folder / "content/posts").mkdir(parents=True)
    (folder / "content/site.toml").write_text(SETTINGS)
    (folder / "content/references.bib").write_text("@misc{one, title={One}, author={A}, year=2020}")
    (folder / "content/posts/two.md").write_text("# Two\n\nWords.\n")
    for seed in (0, 1):
        record(
            "digits", "mlp", seed=seed, metrics={"final": {"accuracy": 90 + seed}},
            curve={"epoch": [1, 2], "accuracy": [80, 90 + seed]}, results=folder / "results",
            environment={"python": "3"}, settings={"width": 4},
        )  # fmt: skip


def build() -> int:
    """Build the site of the working folder."""
    from press.cli import main

    return main(["build", "--run", "never"])


def build_trials(folder: Path, what: str, how: str, number: int, chance: random.Random) -> int:
    """Interrupt builds; the site is the old one or the new one, and the next build is clean."""
    here, start, clean = folder / "here", folder / "start", folder / "clean"

    def tried(at: int) -> tuple[int | None, str]:
        os.chdir(here)
        return in_fork(build, at, here, how)

    __import__("press.build.builder")  # once, before the forks
    write_site_project(here)
    shutil.copytree(here, clean)
    for place, word in ((here, "Old."), (clean, "New.")):
        (place / "content/posts/one.md").write_text(POST.replace("WORD", word))
        os.chdir(place)
        code, said = in_fork(build, 0, place, how)
        assert code == 0, said
    old, new = content_of(here / "site"), content_of(clean / "site")
    assert old != new
    if what == "first":
        old = None
        for made in ("site", ".press"):
            shutil.rmtree(here / made)
    (here / "content/posts/one.md").write_text(POST.replace("WORD", "New."))
    here.rename(start)
    shutil.copytree(start, here)
    assert tried(0)[0] == 0
    needed = sum(path.stat().st_size for path in here.rglob("*") if path.is_file())
    operations = int((OUTSIDE / "operations").read_text())
    order = chance.sample(range(1, operations + 1), operations)
    for trial in range(number):
        at = order[trial % operations]
        shutil.rmtree(here)
        shutil.copytree(start, here)
        if how == "disk":
            at = 0
            _resize(folder, f"{_used(folder) + chance.randrange(needed)}")
        code, said = tried(at)
        if how == "disk":
            _resize(folder, "100m")
        now = content_of(here / "site")
        if how == "renames" and now is None:
            now = content_of(here / ".site.old")
        assert now in (old, new), (at, said)
        if how in ("full", "disk"):
            assert (code, now) in ((1, old), (0, new)), (at, said)
            assert code == 0 or FULL in said, (at, said)
            assert not any(word in said for word in ("Traceback", "internal error")), (at, said)
        else:
            assert code is None, (at, said)
        age(here)
        code, said = in_fork(build, 0, here, how)
        assert code == 0 and content_of(here / "site") == new, (at, said)
        left = [path for mask in (".new.*", ".site.*") for path in here.rglob(mask)]
        assert not left, (at, left)
    return operations


def _used(folder: Path) -> int:
    found = os.statvfs(folder)
    return (found.f_blocks - found.f_bfree) * found.f_frsize


def _resize(folder: Path, size: str) -> None:
    command = ["mount", "-o", f"remount,size={size}", str(folder)]
    subprocess.run(command, check=True)


def run_trials(folder: Path, how: str, number: int, chance: random.Random) -> int:
    """Record two runs and their mean, interrupted in the second run.

    Readers see whole records only; run, mean and their bits are those of no interruption at all.
    """
    from dip.experiments.suites import load_suites
    from dip.experiments.test_images import load_images
    from dip.planning.jobs import jobs_of, record_of
    from dip.records.archive import pack, unpack
    from dip.records.record import check_files, load_record
    from dip.records.store import find_records
    from dip.runs.recording import RunContext
    from dip.runs.run import perform

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

    def tried(at: int) -> tuple[int | None, str]:
        shutil.rmtree(folder / "here", ignore_errors=True)
        shutil.copytree(folder / "first", folder / "here")
        here = context("here")
        return in_fork(lambda: perform(two, here) is None, at, here.results, how)

    assert tried(0)[0] == 0
    operations = int((OUTSIDE / "operations").read_text())
    order = chance.sample(range(1, operations + 1), operations)
    for trial in range(number):
        at = order[trial % operations]
        code, said = tried(at)
        # A run that is quicker writes fewer checkpoints, and so may have no such operation.
        assert code == 0 or (code is None if how == "kill" else FULL in said), (at, said)
        here = context("here")
        found = find_records(here.results)
        for place in found:
            check_files(load_record(place))
        archive = folder / f"archive{trial}.tar"
        assert pack(here.results, archive) == (len(found), [])
        assert len(unpack([archive], folder / f"home{trial}")) == len(found)
        age(here.results)
        again = record_of(two, here.results, listed) or perform(two, here)
        mean_again = perform(mean, here)
        for before, after in zip(whole, (again, mean_again), strict=True):
            assert before and after
            assert after.data["files"] == before.data["files"], at
            assert after.metrics == before.metrics, at
        assert mean_again and mean_again.data["averaged_from"] == "float32 averages"
        assert not list(here.results.rglob(".new.*")), at
    return operations


if __name__ == "__main__":
    what, how, folder, number, seed = sys.argv[1:]
    chance = random.Random(f"{seed} {what} {how}")
    if what == "run":
        print(run_trials(Path(folder), how, int(number), chance))
    else:
        print(build_trials(Path(folder), what, how, int(number), chance))
