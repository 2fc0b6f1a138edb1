"""Small sites, and what they must give."""

import runpy
import shutil
from pathlib import Path

import html5lib
import pytest
from reading import Told, contents

from press.cli import main

FOLDER = Path(__file__).parent / "sites"
CASES = sorted(path.name for path in FOLDER.iterdir())


@pytest.fixture(params=CASES)
def made_site(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, Path]:
    """Copy a small site and make the copy the working folder; gives the case and the copy."""
    case = FOLDER / request.param
    shutil.copytree(case, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    if Path("make_records.py").exists():
        runpy.run_path("make_records.py", run_name="__main__")
    return case, tmp_path / "work"


def test_a_site_is_made_as_expected(made_site: tuple[Path, Path], capsys: Told) -> None:
    case, work = made_site
    assert main(["check"]) == 0
    assert capsys.readouterr().err == (case / "warnings.txt").read_text(encoding="utf-8")
    for line in (case / "expected.txt").read_text(encoding="utf-8").splitlines():
        name, _, snippet = line.partition(": ")
        assert snippet in (work / "site" / name).read_text(encoding="utf-8")
    assert not (work / "site/posts/hidden.html").exists()
    assert "Hidden" not in (work / "site/index.html").read_text()


def test_the_pages_are_html_without_an_error(made_site: tuple[Path, Path]) -> None:
    main(["build"])
    for page in (made_site[1] / "site").rglob("*.html"):
        parser = html5lib.HTMLParser(strict=True)
        parser.parse(page.read_text(encoding="utf-8"))


def test_warnings_are_errors_when_strict(made_site: tuple[Path, Path], capsys: Told) -> None:
    case, work = made_site
    warnings = (case / "warnings.txt").read_text(encoding="utf-8")
    assert main(["build", "--strict"]) == (1 if warnings else 0)
    assert (work / "site").exists() == (not warnings)
    assert warnings.replace("warning: ", "") in capsys.readouterr().err


def test_the_same_input_gives_the_same_bytes(made_site: tuple[Path, Path], tmp_path: Path) -> None:
    work = made_site[1]
    assert main(["build"]) == 0
    shutil.copytree(work / "content", tmp_path / "elsewhere/content")
    if (work / "code").exists():
        shutil.copytree(work / "code", tmp_path / "elsewhere/code")
    other = ["--content", str(tmp_path / "elsewhere/content"), "--out", str(tmp_path / "other")]
    assert main(["build", *other]) == 0
    assert contents(work / "site") == contents(tmp_path / "other")
