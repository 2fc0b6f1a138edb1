"""Runs that a post names and that are not recorded."""

import json
import re
from pathlib import Path

import pytest
from made_site import SITE
from reading import Told

from press.cli import main

pytest.importorskip("torch")
small_runs = pytest.importorskip("small_runs")

ROOT = Path(__file__).parent.parent
POST = (
    "---\ntitle: One\ndate: 2026-01-02\n---\n\n"
    'It has {{ run("seeded/waves").psnr_db }} and '
    '{{ run("seeded/waves", seed=1).psnr_db }}.\n'
)


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a site with one post that names two very short runs."""
    content, images = small_runs.write_project(tmp_path)
    (content / "posts").mkdir()
    (content / "site.toml").write_text(SITE)
    (content / "posts/one.md").write_text(POST)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIP_IMAGES", str(images))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


def page(work: Path) -> str:
    """Read the post's page without its tags."""
    return re.sub(r"<[^>]+>", "", (work / "site/posts/one.html").read_text())


def test_what_is_not_run_is_no_error_and_no_warning(work: Path, capsys: Told) -> None:
    assert main(["build", "--strict", "--run", "never"]) == 0
    told = capsys.readouterr()
    assert "2 runs that posts name are not run yet" in told.out
    assert told.err == ""
    assert "It has not run yet and not run yet." in page(work)


def test_a_draft_asks_for_no_run(work: Path, capsys: Told) -> None:
    text = POST.replace("title: One", "title: One\ndraft: true")
    (work / "content/posts/one.md").write_text(text)
    assert main(["build"]) == 0
    assert "not run yet" not in capsys.readouterr().out


@pytest.mark.slow
def test_short_runs_are_made_and_then_found(work: Path, capsys: Told) -> None:
    assert main(["build"]) == 0
    assert re.search(r"It has \d+\.\d\d\sdB and \d+\.\d\d\sdB\.", page(work))
    record = json.loads((work / "results/seeded/waves/seed1/run.json").read_text())
    assert record["seed"] == 1
    capsys.readouterr()
    assert main(["build"]) == 0
    assert "nothing changed" in capsys.readouterr().out


@pytest.mark.slow
def test_long_runs_are_named_with_time_and_command(work: Path, capsys: Told) -> None:
    path = work / "content/experiments.toml"
    path.write_text(path.read_text().replace("iterations = 3", "iterations = 900000000"))
    assert main(["build"]) == 0
    said = capsys.readouterr().out
    assert re.search(
        r"seeded: 2 runs not run yet, .* on this machine.*: python -m dip run seeded\n", said
    )
    assert "It has not run yet" in page(work)
    assert not (work / "results/seeded").exists()


@pytest.mark.slow
def test_a_short_run_that_fails_is_told_and_tried_once(work: Path, capsys: Told) -> None:
    (work / "images").rename(work / "elsewhere")
    told = r"seeded: 2 runs not run yet, .*\nthe runs of 'seeded' were not made: .*to try it again"
    assert main(["build"]) == 0
    assert re.search(told, capsys.readouterr().out)
    (work / "elsewhere").rename(work / "images")
    assert main(["build"]) == 0
    assert re.search(told, capsys.readouterr().out)
    assert not (work / "results/seeded").exists(), "it was not tried again"
    path = work / "content/experiments.toml"
    path.write_text(path.read_text().replace("iterations = 3", "iterations = 4"))
    assert main(["build"]) == 0
    assert (work / "results/seeded").exists(), "it is another run now"


@pytest.mark.slow
def test_a_program_that_is_not_there_costs_no_site(work: Path, capsys: Told) -> None:
    (work / "manifest.py").write_text(
        "import subprocess, sys\n"
        "said = subprocess.check_output([sys.executable, '-m', 'dip', 'manifest'], text=True)\n"
        "print(said.replace('python -m dip run', 'nosuchprogram run'))\n"
    )
    settings = work / "content/site.toml"
    text = settings.read_text()
    assert "python -m dip manifest" in text
    settings.write_text(text.replace("python -m dip manifest", "python manifest.py"))
    assert main(["build"]) == 0
    told = r"were not made: `nosuchprogram run .*`: nosuchprogram: No such file .*to try it again"
    assert re.search(told, capsys.readouterr().out)
    assert "It has not run yet" in page(work)
