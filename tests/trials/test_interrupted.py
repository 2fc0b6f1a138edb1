"""Builds and runs that are killed, or whose disk is full, at their file operations."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from small_runs import SUITES, write_project
from trials.trying import SEED, TRIALS, TRIED

SCRIPT = Path(__file__).with_name("interrupted.py")
SHARED = SUITES.replace('"made/rings"]', '"made/rings"]\nseeds = [0, 1]\nproblem_seed = 7', 1)
pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="Windows has no fork"),
    pytest.mark.timeout(7200 if TRIALS else 300),
]


def interrupted(what: str, how: str, folder: Path, few: int, *before: str) -> None:
    """Try it in a process of its own, which says how many operations there are."""
    number = TRIALS or few
    command = [*before, sys.executable, str(SCRIPT), what, how, str(folder), str(number), str(SEED)]
    tests = SCRIPT.parents[1]
    code = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tests.parent), str(tests)])}
    done = subprocess.run(command, env=code, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"TRIAL_SEED={SEED}: {done.stderr[-3000:]}"
    operations = int(done.stdout.split()[-1])
    assert operations > 20
    TRIED[f"{what}, {how}, at {operations} operations"] += number


@pytest.mark.parametrize(
    ("what", "how", "few"),
    [
        ("again", "kill", 2),
        pytest.param("first", "kill", 2, marks=pytest.mark.slow),
        pytest.param("again", "renames", 2, marks=pytest.mark.slow),
        pytest.param("again", "full", 2, marks=pytest.mark.slow),
    ],
)
def test_an_interrupted_build_leaves_a_whole_site(
    tmp_path: Path, what: str, how: str, few: int
) -> None:
    interrupted(what, how, tmp_path, few)


def test_a_build_on_a_disk_that_is_full_leaves_a_whole_site(tmp_path: Path) -> None:
    mount = f'mount -t tmpfs -o size=100m none {tmp_path} && exec "$@"'
    before = ("unshare", "-rm", "sh", "-c", mount, "sh")
    may = shutil.which("unshare") and subprocess.run([*before, "true"], check=False).returncode == 0
    if not may:
        pytest.skip("this system lets nobody mount a disk in memory")
    interrupted("again", "disk", tmp_path, 2, *before)


@pytest.mark.slow
@pytest.mark.parametrize(("how", "few"), [("kill", 8), ("full", 4)])
def test_an_interrupted_run_costs_nothing_but_time(tmp_path: Path, how: str, few: int) -> None:
    pytest.importorskip("torch")
    write_project(tmp_path, SHARED.replace("[0, 20, 60]", "[]").replace("60", "3"))
    interrupted("run", how, tmp_path, few)
