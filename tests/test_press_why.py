"""Why a page was made anew: which input changed, from which value to which."""

from pathlib import Path

import pytest
from made_site import build_site, run_press
from reading import Told

from press.cli import main

POST = (
    "---\ntitle: One\ndate: 2026-01-02\n---\n\nThe {} words.\n\n"
    '::: include path="notes.toml"\n:::\n'
)


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a small site, and build it."""
    (tmp_path / "content/posts").mkdir(parents=True)
    (tmp_path / "content/posts/one.md").write_text(POST.format("first"))
    (tmp_path / "notes.toml").write_text("[fit]\nrate = 0.01\nsteps = 10\n")
    monkeypatch.chdir(tmp_path)
    assert main([]) == 0
    return tmp_path


def said(name: str, capsys: Told) -> str:
    """Ask why, and give the answer."""
    capsys.readouterr()
    assert main(["why", name]) == 0
    return capsys.readouterr().out


def test_nothing_changed(work: Path, capsys: Told) -> None:
    assert "posts/one.html is up to date" in said("one", capsys)


def test_a_value_that_changed_is_told_old_and_new(work: Path, capsys: Told) -> None:
    (work / "notes.toml").write_text("[fit]\nrate = 0.001\nsteps = 10\n")
    before = said("posts/one.html", capsys)
    assert "will be made anew" in before
    assert "notes.toml:\n    fit.rate: 0.01 -> 0.001\n" in before
    assert "steps" not in before
    main([])
    after = said("content/posts/one.md", capsys)
    assert "last made anew since these had changed" in after
    assert "notes.toml:\n    fit.rate: 0.01 -> 0.001\n" in after


def test_what_would_make_a_page_anew_is_told_before(work: Path, capsys: Told) -> None:
    (work / "templates").mkdir()
    (work / "templates/own.html").write_text("<p>Words.</p>\n")
    assert "templates/own.html: was not there before" in said("one", capsys)
    main([])
    (work / "site/posts/one.html").unlink()
    assert "anew, since it is not in 'site' as it was written" in said("one", capsys)


def test_a_text_that_changed_is_told_line_by_line(work: Path, capsys: Told) -> None:
    (work / "content/posts/one.md").write_text(POST.format("second"))
    main([])
    answer = said("one", capsys)
    assert "-The first words.\n" in answer and "+The second words.\n" in answer


def test_a_file_that_came_or_went(work: Path, capsys: Told) -> None:
    (work / "content/site.toml").write_text('title = "A site"\n')
    assert "content/site.toml: was not there before" in said("one", capsys)


def test_an_unknown_page(work: Path, capsys: Told) -> None:
    for name in ("posts/oen.html", "oen", "runs/index.html", "runs/index"):
        assert main(["why", name]) == 1
        assert f"there is no page '{name}'" in capsys.readouterr().err


def test_a_page_of_the_site_as_a_whole_is_no_page_of_runs(tmp_path: Path, capsys: Told) -> None:
    build_site(tmp_path, "paper")
    answers = {
        "index.html": "index.html is written by every build",
        "404": "404.html is written by every build",
        "runs/index.html": "runs/index.html is up to date",
        "paper/anna/seed0": "runs/paper/anna/seed0.html is up to date",
        "posts/post/tab-results.csv": "posts/post.html is up to date",
    }
    for name, answer in answers.items():
        capsys.readouterr()
        assert run_press(tmp_path, "why", name) == 0
        assert answer in capsys.readouterr().out


def test_a_run_whose_suite_asks_for_something_else(tmp_path: Path, capsys: Told) -> None:
    build_site(tmp_path, "paper")
    ask = ("why", "paper/anna/seed0")
    assert run_press(tmp_path, *ask) == 0
    assert "is recorded under the key" in capsys.readouterr().out
    experiments = tmp_path / "content/experiments.toml"
    experiments.write_text(experiments.read_text().replace("0.001", "0.02"))
    assert run_press(tmp_path, "build", "--run", "never") == 0
    assert "not run yet" in capsys.readouterr().out
    assert run_press(tmp_path, *ask) == 0
    said = capsys.readouterr().out
    assert "is not of the run that is asked for now" in said
    assert "    learning_rate: 0.001 -> 0.02\n" in said
    assert not (tmp_path / "site/runs/paper/anna/seed0.html").exists()
