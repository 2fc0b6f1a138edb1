"""The package by itself: built as a wheel, installed where there is no repository, and used."""

import os
import re
import shlex
import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path

import numpy as np
import pytest
from in_browser import Opened
from PIL import Image
from small_runs import write_project

ROOT = Path(__file__).parent.parent


def output_of(folder: Path, *command: str | Path) -> str:
    """What a command prints in `folder`, where nothing leads to the repository; it must succeed."""
    hidden = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    around = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run(
        command, cwd=folder, env=around, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build_wheel(folder: Path) -> Path:
    """Build the wheel by the tools of this environment; nothing is left in the repository."""
    for tool in ("hatchling", "pip"):
        pytest.importorskip(tool)
    words = ("--no-deps", "--no-build-isolation", "--disable-pip-version-check")
    output_of(folder, sys.executable, "-m", "pip", "wheel", *words, "-w", folder, ROOT)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a fresh environment with the wheel.

    torch and the rest are those of this environment: the fresh one looks there after its own
    packages, and an editable install of this repository is not followed from there.
    """
    folder = tmp_path_factory.mktemp("wheel")
    wheel = build_wheel(folder)
    venv.create(folder / "env", with_pip=False)
    paths = {"base": str(folder / "env"), "platbase": str(folder / "env")}
    own = Path(sysconfig.get_path("purelib", scheme="venv", vars=paths))
    here = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (own / "beside.pth").write_text("\n".join(sorted(here)))
    programs = Path(sysconfig.get_path("scripts", scheme="venv", vars=paths))
    python = next(programs.glob("python*"))
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    output_of(folder, *pip, "install", "--no-deps", "--no-index", "--ignore-installed", wheel)
    return programs


@pytest.mark.slow
def test_the_command_line_of_the_wheel(scripts: Path, tmp_path: Path) -> None:
    content, _ = write_project(tmp_path)
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"\n## {told}" in (ROOT / "CHANGELOG.md").read_text().partition("## 0.1")[0]
    for name in ("dip", "press"):
        assert output_of(tmp_path, scripts / name, "--version") == f"{name} {told}\n"
    assert "verify" in output_of(tmp_path, scripts / "dip", "--help")
    listing = output_of(tmp_path, scripts / "dip", "--content", content, "list", "tiny")
    assert "tiny/waves/seed0" in listing
    module = output_of(tmp_path, scripts / "python", "-m", "dip", "list")
    assert "tiny" in module and "seeded" in module


@pytest.mark.slow
def test_the_example_of_the_readme_with_the_wheel(scripts: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    ramp = np.tile(np.arange(0, 256, 8, dtype=np.uint8)[:, None, None], (1, 32, 3))
    Image.fromarray(ramp).save(tmp_path / "noisy.png")
    found = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found
    short = found[1].replace("1800", "30").replace("600, 1200", "1, 10").replace("(64,)", "(8,)")
    origins = "import sys\nprint(*{m.__file__ for n, m in sys.modules.items() if n[:3] == 'dip'})"
    lines = output_of(tmp_path, scripts / "python", "-c", f"{short}\n{origins}").splitlines()
    assert [line.split()[0] for line in lines[:-1]] == ["1", "10", "30"]
    assert len(lines[-1].split()) > 5
    assert all(
        "site-packages" in file and str(ROOT) not in file and scripts.parent in Path(file).parents
        for file in lines[-1].split()
    )


@pytest.fixture(scope="module")
def project(scripts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project, built by the wheel alone with the command of the project's workflow."""
    folder = tmp_path_factory.mktemp("newcomer")
    output_of(folder, scripts / "press", "new", "my-reproduction")
    project = folder / "my-reproduction"
    workflow = (project / ".github/workflows/pages.yml").read_text()
    (command,) = re.findall(r"- run: python (build\.py .+)", workflow)
    words = shlex.split(command.replace("$BASE_URL", "https://example.org/made/"))
    output_of(project, scripts / "python", *words)
    return project


@pytest.mark.slow
def test_a_new_project_is_built_by_the_wheel(project: Path) -> None:
    page = (project / "site/posts/secretary.html").read_text(encoding="utf-8")
    assert "reproduced" in page and "not run yet" not in page
    assert "# Its address is not known" in (project / "requirements.txt").read_text()


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
def test_a_new_project_s_pages(opened: Opened, project: Path, width: int) -> None:
    for name in ("index.html", "posts/secretary.html", "runs/index.html"):
        page = opened(project / "site" / name, viewport={"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
