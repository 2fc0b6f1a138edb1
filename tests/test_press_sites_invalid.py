"""Small sites that must fail, each with its sentences, and without touching the last good site."""

import re
import shutil
from pathlib import Path

import pytest
from reading import Told

from press.cli import main

FOLDER = Path(__file__).parent / "sites_invalid"
CASES = sorted(path.name for path in FOLDER.iterdir())
WHOLE = {  # what is told of a folder, and of a file as such
    "no-posts": "content/posts: .", "same-address": r"content/posts/a-post\.md: .",
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_told_with_its_place(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Told
) -> None:
    work = tmp_path / "work"
    shutil.copytree(FOLDER / name, work)
    last_good = work / "site"
    last_good.mkdir()
    (last_good / ".nojekyll").write_text("index.html\n")
    (last_good / "index.html").write_text("the last good site")
    monkeypatch.chdir(work)
    arguments = work / "arguments.txt"
    code = main(arguments.read_text().split() if arguments.exists() else ["build"])
    told = capsys.readouterr().err.splitlines()
    expected = (FOLDER / name / "expected.txt").read_text(encoding="utf-8").splitlines()
    assert code == 1
    assert [line for line in told if "the site is as it was" not in line] == expected
    begins = WHOLE.get(name, r"content/[\w./-]+:\d+:\d+: .")
    assert all(re.match(begins, line) for line in expected)
    assert (last_good / "index.html").read_text() == "the last good site"
    assert sorted(path.name for path in last_good.iterdir()) == [".nojekyll", "index.html"]
    assert not [path for path in work.iterdir() if path.name.startswith(".site")]
