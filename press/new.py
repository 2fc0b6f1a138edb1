"""A project of one's own, `press new FOLDER`: the example in `skeleton/`, and the runs it makes.

The folder is complete, or as it was: everything is made in a folder within it, and then moved.
"""

import datetime
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from press.diagnostics import command_line
from press.errors import InputError
from press.files import TEMPORARY, fresh_folder
from press.results.names import sentence

DISTRIBUTION = "deep-image-prior-press"
SKELETON = Path(__file__).parent / "skeleton"
SCRIPT = "measure.py"  # of the skeleton, which makes its records
OVERLOOKED = {".git"}  # may stand in an empty folder: of a repository that was just begun


def new(folder: Path, install_from: str | None) -> int:
    """Make a project in `folder`, which is absent or empty; returns the exit code.

    `install_from` is what pip is to install the press from, in the words of a requirements file;
    None: from where it was installed here. Raises InputError, and OSError for a full disk.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError("the project is to be a folder, and this is a file", folder)
    names = {path.name for path in folder.glob("*")} - OVERLOOKED
    found = sorted(name for name in names if not name.startswith(TEMPORARY))
    if found:
        raise InputError(f"this folder is not empty, it holds '{found[0]}'; name another", folder)
    folder.mkdir(parents=True, exist_ok=True)
    with fresh_folder(folder, left_after_s=0) as fresh:
        words = _words(folder.resolve().name, install_from)
        for source in sorted(SKELETON.rglob("*")):
            if source.is_file() and source.suffix != ".pyc":  # which pip makes of what it installs
                _write(fresh / source.relative_to(SKELETON), source.read_text("utf-8"), words)
        _record(fresh)
        for path in sorted(fresh.iterdir()):
            os.replace(path, folder / path.name)
    is_here = folder.resolve() == Path.cwd()
    go_there = "" if is_here else f"{command_line(['cd', str(folder)])} && "
    print(f"{folder}: a project with an example, recorded by its {SCRIPT}")
    print(f"next: {go_there}python build.py serve")
    if words["@PRESS@"].startswith("#"):
        print("before you publish: say in requirements.txt where the press is to be installed from")
    return 0


def _words(name: str, install_from: str | None) -> dict[str, str]:
    """What stands for the placeholders of the skeleton's files."""
    title = sentence(name.replace("-", " ").replace("_", " ").strip()) or "A reproduction"
    return {
        "@TITLE@": title,
        "@QUOTED_TITLE@": json.dumps(title, ensure_ascii=False),
        "@DATE@": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}",  # as records have it
        "@PRESS@": install_from or requirement(),
    }


def _write(path: Path, text: str, words: Mapping[str, str]) -> None:
    for placeholder, word in words.items():
        text = text.replace(placeholder, word)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def _record(folder: Path) -> None:
    """Make the runs of the example; raises InputError with what its script says last."""
    command = [sys.executable, SCRIPT]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise InputError(f"the example's runs cannot be recorded: {said}", SCRIPT)


def requirement() -> str:
    """The line of a requirements file that installs this press anew, or a comment on why not."""
    try:
        noted = distribution(DISTRIBUTION).read_text("direct_url.json")
    except PackageNotFoundError:
        noted = None
    return requirement_of(json.loads(noted) if noted else {})


def requirement_of(origin: Mapping[str, Any]) -> str:
    """That line, by what pip noted of an installation (`direct_url.json`, PEP 610)."""
    url = str(origin.get("url", ""))
    if url and not url.startswith("file:"):
        vcs = origin.get("vcs_info")
        return f"{DISTRIBUTION} @ " + (f"{vcs['vcs']}+{url}@{vcs['commit_id']}" if vcs else url)
    reason = "it was installed from a file of one machine" if url else "pip noted none"
    return (
        f"# Its address is not known: {reason}. Write it in a line such as\n"
        f"# {DISTRIBUTION} @ git+https://example.org/press.git"
    )
