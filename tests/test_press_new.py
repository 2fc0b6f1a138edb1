"""`press new`: a project that builds at once, and what it refuses."""

import os
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pytest
from reading import Told

from dip.cli import main as dip
from press.cli import main
from press.new import requirement_of

ROOT = Path(__file__).parent.parent
NAME = "deep-image-prior-press"


def test_a_new_project_builds_and_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Told
) -> None:
    folder = tmp_path / "my-reproduction"
    (folder / ".git").mkdir(parents=True)
    (folder / ".new.killed").mkdir()
    assert main(["new", str(folder), "--install-from", f"{NAME}==9"]) == 0
    assert "python build.py serve" in capsys.readouterr().out
    assert not list(folder.glob(".new.*"))
    assert 'title = "My reproduction"' in (folder / "content/site.toml").read_text()
    assert f"\n{NAME}==9\n" in (folder / "requirements.txt").read_text()
    assert len(list(folder.glob("results/*/*/*/run.json"))) == 2
    assert not [p for p in folder.rglob("*") if p.is_file() and "@PRESS@" in p.read_text()]
    monkeypatch.chdir(folder)
    assert main(["check", "--strict"]) == 0, capsys.readouterr().err


def test_a_folder_of_any_name_becomes_a_project_with_a_title(tmp_path: Path) -> None:
    assert main(["new", str(tmp_path / "_")]) == 0
    assert 'title = "A reproduction"' in (tmp_path / "_/content/site.toml").read_text()


def test_the_runs_of_a_new_project_are_made_again_alike(tmp_path: Path) -> None:
    assert main(["new", str(tmp_path)]) == 0
    curves = {path: path.read_bytes() for path in tmp_path.glob("results/*/*/*/curve.csv")}
    subprocess.run([sys.executable, "measure.py"], cwd=tmp_path, check=True)
    assert curves == {path: path.read_bytes() for path in curves} != {}


@pytest.mark.parametrize("project", ["new", "this"])
def test_a_checkout_that_changes_the_ends_of_lines_leaves_records_as_they_are(
    project: str, tmp_path: Path
) -> None:
    source, found = (ROOT if project == "this" else tmp_path / "new"), tmp_path / "windows"
    if project == "new":
        assert main(["new", str(source)]) == 0
    curve = next(source.glob("results/*/*/*/curve.csv"))
    name = curve.relative_to(source)
    for where in (found / ".gitattributes", found / name, found / "content/post.md"):
        where.parent.mkdir(parents=True, exist_ok=True)
    (found / ".gitattributes").write_bytes((source / ".gitattributes").read_bytes())
    (found / name).write_bytes(curve.read_bytes())
    (found / "content/post.md").write_bytes(b"# A post\n")
    git = ["git", "-C", str(found), "-c", "core.autocrlf=true"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    (found / name).unlink()
    (found / "content/post.md").unlink()
    subprocess.run([*git, "checkout-index", "-a"], check=True)
    assert (found / "content/post.md").read_bytes() == b"# A post\r\n"
    assert (found / name).read_bytes() == curve.read_bytes()


@pytest.mark.skipif(os.name == "nt", reason="Windows takes its time zone from nowhere else")
def test_a_new_post_has_the_day_of_its_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every hour the day is another one in one of two zones, 26 hours apart."""
    for zone in ("EAST-14", "WEST+12"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        before = datetime.now(UTC).date()
        assert main(["new", str(tmp_path / zone)]) == 0
        (post,) = (tmp_path / zone).glob("content/posts/*.md")
        (day,) = re.findall(r"(?m)^date: (.*)$", post.read_text())
        assert day in {str(before), str(datetime.now(UTC).date())}
    monkeypatch.undo()
    time.tzset()


def test_a_folder_that_is_in_use_is_refused(tmp_path: Path, capsys: Told) -> None:
    kept = tmp_path / "thesis.tex"
    kept.write_text("the only copy")
    assert main(["new", str(tmp_path)]) == main(["new", str(kept)]) == 1
    assert capsys.readouterr().err == (
        f"{tmp_path}: this folder is not empty, it holds 'thesis.tex'; name another\n"
        f"{kept}: the project is to be a folder, and this is a file\n"
    )
    assert [*tmp_path.iterdir()] == [kept]


def test_a_new_project_is_published_by_the_actions_of_this_one() -> None:
    ours, new = (
        (ROOT / folder / ".github/workflows/pages.yml").read_text()
        for folder in (".", "press/skeleton")
    )
    actions = r"uses: (actions/\S+@[0-9a-f]{40} # v\S+)"
    assert re.findall(actions, ours) == re.findall(actions, new) != []


@pytest.mark.parametrize(
    ("origin", "line"),
    [
        (
            {"url": "https://example.org/p.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}},
            f"{NAME} @ git+https://example.org/p.git@abc",
        ),
        ({"url": "https://example.org/p.whl"}, f"{NAME} @ https://example.org/p.whl"),
        ({"url": "file:///tmp/p.whl"}, "# Its address is not known: it was installed from a file"),
        ({}, "# Its address is not known: pip noted none."),
    ],
)
def test_where_the_press_is_installed_from(origin: dict[str, object], line: str) -> None:
    found = requirement_of(origin)
    assert found == line or (line[0] == "#" and found.startswith(line))
    assert all(one.startswith((NAME, "# ")) for one in found.splitlines())


@pytest.mark.parametrize(("name", "command"), [("press", main), ("dip", dip)])
def test_the_version(name: str, command: object, capsys: Told) -> None:
    with pytest.raises(SystemExit) as ended:
        command(["--version"])  # type: ignore[operator]
    assert ended.value.code is None or ended.value.code == 0
    assert capsys.readouterr().out == f"{name} {version(NAME)}\n"
