"""The notebook's cells run, in order, in a small project, and end with a record to unpack."""

import ast
import json
import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any

import pytest
from reading import Told
from small_runs import git, write_project

from dip.cli import main, parser
from dip.records.record import load_record

ROOT = Path(__file__).parent.parent
NOTEBOOK = ROOT / "content" / "notebooks" / "deep_image_prior.ipynb"


def cells() -> list[dict[str, Any]]:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    return list(notebook["cells"])


def sources() -> list[str]:
    return ["".join(cell["source"]) for cell in cells() if cell["cell_type"] == "code"]


def test_it_holds_no_outputs() -> None:
    for cell in cells():
        assert cell["cell_type"] in ("markdown", "code")
        assert all(isinstance(line, str) for line in cell["source"])
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None


def test_the_commands_that_it_calls_exist() -> None:
    calls = [
        node
        for source in sources()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dip"
    ]
    words = [[ast.unparse(argument).strip("'") for argument in call.args] for call in calls]
    assert [command[0] for command in words] == ["run", "pack"]
    for command in words:
        parser().parse_args([word.replace("str(SEED)", "0") for word in command])


def test_the_run_that_it_makes_is_not_recorded_yet() -> None:
    named = next(line for line in sources()[0].splitlines() if line.startswith("SUITE"))
    suite, image, seed = ast.literal_eval(named.partition("=")[2].partition("#")[0].strip())
    assert not (ROOT / f"results/{suite}/{image}/seed{seed}").exists(), "name another"


def test_the_address_is_left_to_the_reader(tmp_path: Path, monkeypatch: Any) -> None:
    assert 'REPOSITORY = ""' in sources()[0]
    assert "://" not in NOTEBOOK.read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="Put the repository's address into REPOSITORY"):
        run_cells(sources()[:2], {})


def run_cells(code: list[str], names: dict[str, Any]) -> None:
    for place, source in enumerate(code):
        exec(compile(source, f"cell {place}", "exec"), names)  # noqa: S102


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give an empty working folder beside the project `origin`, a repository with small suites."""
    origin, here = tmp_path / "origin", tmp_path / "here"
    write_project(origin)
    copytree(ROOT / "dip", origin / "dip", ignore=ignore_patterns("__pycache__"))
    (origin / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    git(origin, "init", "-q")
    git(origin, "add", ".")
    git(origin, "commit", "-qm", "a small project")
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("DIP_IMAGES", str(origin / "images"))
    monkeypatch.setenv("PIP_DRY_RUN", "1")  # the cell asks pip, and pip changes nothing
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield here


def small_cells() -> list[str]:
    """Give the code with the small suite in place of the paper's.

    What pip is asked for is what stands here already, so that no network is needed; cells that
    draw are left out where matplotlib is not installed.
    """
    code = sources()
    code[0] = 'REPOSITORY = "../origin"\nSUITE, IMAGE, SEED = "seeded", "waves", 1'
    if find_spec("matplotlib") is None:
        code = [source for source in code if "plt." not in source]
        code = [source.replace(', "matplotlib"', "") for source in code]
    return code


@pytest.mark.slow
def test_its_cells_run_and_end_with_a_record_to_unpack(
    elsewhere: Path, capfd: Told, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("pip")
    run_cells(small_cells(), names := {})
    told = capfd.readouterr().out
    assert "seeded/waves/seed1: recorded" in told
    assert "psnr_db" in told
    assert Path.cwd() == elsewhere / "project"
    assert names["record"].experiment.seed == 1
    (archive,) = names["archives"]
    assert main(["unpack", str(archive), "--results", str(tmp_path / "home")]) == 0
    record = load_record(tmp_path / "home/seeded/waves/seed1")
    assert record.metrics["final"] == names["record"].metrics["final"]
    os.chdir(elsewhere)  # as after the kernel was started again
    run_cells(small_cells(), names := {})
    assert Path.cwd() == elsewhere / "project"
    assert names["archives"] == [archive]


@pytest.mark.slow
def test_a_picture_that_cannot_be_had_is_told_in_a_sentence(
    elsewhere: Path, capfd: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("pooch")
    monkeypatch.delenv("DIP_IMAGES")
    monkeypatch.setenv("XDG_CACHE_HOME", str(elsewhere))
    code = small_cells()
    run = next(place for place, source in enumerate(code) if source.startswith('dip("run"'))
    with pytest.raises(SystemExit, match=r"dip run seeded .* ended with code 1"):
        run_cells([*code[:2], code[run]], {})
    told = capfd.readouterr().out
    assert "image 'made/waves' could not be downloaded from http://127.0.0.1:9/" in told
    assert "Traceback" not in told
