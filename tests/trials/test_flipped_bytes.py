"""Bytes that a disk or a person changed in what is kept: no number is wrong, and it is told."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from made_site import LEVELS, SITE, write_content, write_suite
from reading import Told, contents
from trials.interrupted import write_site_project
from trials.trying import TRIALS, Chance, odd, trials

from dip.errors import InputError as DipError
from dip.planning.manifest import Manifest
from dip.records.archive import pack, unpack
from dip.records.record import seal_of
from press.cli import main

pytestmark = pytest.mark.timeout(7200 if TRIALS else 300)
BUILD = ["build", "--run", "never"]
POST = """# One

It has {{ run("digits/mlp").accuracy }}, with $x^2$ and $$y$$, by [@one].

```python
print(1)
```

::: curve suite="digits" images="mlp" id="fig-curves"
Curves.
:::
"""


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Build a site with formulas, code, a bibliography, records and their curves."""
    write_site_project(tmp_path)
    (tmp_path / "content/posts/one.md").write_text(POST)
    monkeypatch.chdir(tmp_path)
    assert main(BUILD) == 0
    return tmp_path


def flip(path: Path, chance: Random) -> None:
    """Damage a file as disks and copying do: a bit, a block, or the end of it."""
    data = bytearray(path.read_bytes())
    if not data:
        return
    at = chance.randrange(len(data))
    match chance.randrange(6):
        case 0:
            del data[at:]
        case 1:
            data[at : at + 512] = bytes(len(data[at : at + 512]))
        case _:
            data[at] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


def test_a_damaged_cache_and_state_make_the_same_site(work: Path, capsys: Told) -> None:
    whole, kept = contents(work / "site"), work / "kept"
    shutil.copytree(".press", kept)
    names = sorted(path.relative_to(kept) for path in kept.rglob("*") if path.is_file())
    cache = next(name for name in names if name.suffix == ".sqlite")
    for chance in trials("damaged files of the cache and the state", 6):
        shutil.rmtree(".press")
        shutil.copytree(kept, ".press")
        name = chance.choice([cache, *names])
        flip(".press" / name, chance)
        if name == cache:  # without a state every page is made, of what the cache has
            for state in Path(".press").glob("state-*"):
                state.unlink()
        capsys.readouterr()
        assert main(BUILD) == 0, (name, capsys.readouterr().err, chance.said)
        assert capsys.readouterr().err == "", chance.said
        assert contents(work / "site") == whole, (name, chance.said)


def test_no_damaged_file_of_the_old_site_is_kept_in_the_new_one(work: Path) -> None:
    shutil.copytree("site", "kept-site")
    shutil.copytree(".press", "kept")
    Path("content/posts/two.md").write_text("# Two\n\nOther words.\n")
    assert main(BUILD) == 0
    whole = contents(work / "site")
    for chance in trials("damaged files of the old site", 3):
        for kept, place in (("kept-site", "site"), ("kept", ".press")):
            shutil.rmtree(place)
            shutil.copytree(kept, place)
        path = chance.choice(sorted(path for path in Path("site").rglob("*.*") if path.is_file()))
        stat = path.stat()
        flip(path, chance)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # as a disk that forgets does
        assert main(BUILD) == 0
        assert contents(work / "site") == whole, (path, chance.said)


def is_told(said: str, files: list[str]) -> bool:
    """Whether an error is told by sentences, and one of them names one of these files."""
    is_plain = "Traceback" not in said and "internal error" not in said
    return is_plain and any(name in said for name in files)


def test_a_damaged_record_is_told_and_no_number_of_it_printed(work: Path, capsys: Told) -> None:
    whole = contents(work / "site")
    shutil.copytree("results", "kept")
    for chance in trials("damaged files of records", 6):
        shutil.rmtree("results")
        shutil.copytree("kept", "results")
        path = chance.choice(sorted(path for path in Path("results").rglob("*.*")))
        flip(path, chance)
        capsys.readouterr()
        code, said = main(BUILD), capsys.readouterr().err
        assert code == 0 or is_told(said, [str(path.parent)]), (path, said, chance.said)
        assert contents(work / "site") == whole, (path, chance.said)


def records_of_a_wrong_form(kind: str, few: int, capsys: Told) -> Iterator[Chance]:
    """Trials of a build with one record of a wrong form, sealed, each of which is told."""
    kept = {path: path.read_text() for path in Path("results").rglob("run.json")}
    for chance in trials(kind, few):
        for path, text in kept.items():
            path.write_text(text)
        path = chance.choice(sorted(kept))
        data = json.loads(kept[path])
        odd(data, chance)
        data["seal"] = seal_of(data)
        path.write_text(json.dumps(data))
        capsys.readouterr()
        code, said = main(BUILD), capsys.readouterr().err
        assert code == 0 or is_told(said, [str(path)]), (data, said, chance.said)
        yield chance


def test_a_sealed_record_of_the_wrong_form_is_told(work: Path, capsys: Told) -> None:
    assert list(records_of_a_wrong_form("records of a wrong form, sealed", 8, capsys))


def test_a_sealed_record_of_format_1_of_the_wrong_form_is_told(
    tmp_path: Path, capsys: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the press, and by the project, whose manifest says so."""
    monkeypatch.chdir(tmp_path)
    suites = write_content(Path("content"), "# One\n\n{{ suite('paper').mean_psnr_db }}\n")
    write_suite(Path("results"), suites["paper"], LEVELS)
    Path("content/site.toml").write_text(re.sub(r"manifest = .*", "", SITE))
    for name in ("experiments", "images", "choices"):
        Path(f"content/{name}.toml").rename(f"{name}.toml")
    Path("content/claims.toml").unlink()
    assert main(BUILD) == 0, capsys.readouterr().err
    Path("planned").mkdir()
    for name in ("experiments", "images", "choices"):
        Path(f"{name}.toml").rename(f"planned/{name}.toml")
    kind = "records of format 1 of a wrong form, sealed"
    for chance in records_of_a_wrong_form(kind, 4, capsys):
        json.dumps(Manifest(Path("planned"), Path("results")).to_dict()), chance.said


def test_a_damaged_archive_is_told(tmp_path: Path) -> None:
    content = tmp_path / "content"
    suites = write_content(content)
    write_suite(tmp_path / "results", suites["small"], LEVELS)
    archive = tmp_path / "packed.tar"
    pack(tmp_path / "results", archive)
    whole = archive.read_bytes()
    home = tmp_path / "home"
    unpack([archive], home)
    unpacked = contents(home)
    for chance in trials("damaged archives of records", 10):
        shutil.rmtree(home)
        archive.write_bytes(whole)
        flip(archive, chance)
        try:
            unpack([archive], home)
        except DipError:
            assert not contents(home), chance.said
        else:
            assert contents(home) == unpacked, chance.said
