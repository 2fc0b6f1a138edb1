"""How a site comes to stand: on the disk first, behind links, with the umask, and swept."""

import ctypes
import errno
import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from made_site import ROOT, python
from reading import Told

from press import record
from press.build.output import write_site
from press.cli import main
from press.files import write_whole

PAGES = {"index.html": b"one", "posts/one.html": b"two"}
posix = pytest.mark.skipif(os.name == "nt", reason="Windows has neither umask nor such links")


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note the order in which files are synced and renamed, on a system that has only these."""
    found = list[str]()
    fsync, replace = os.fsync, os.replace

    def note_fsync(descriptor: int) -> None:
        found.append(f"sync {os.fstat(descriptor).st_ino}")
        fsync(descriptor)

    def note_replace(one: Any, other: Any) -> None:
        found.append(f"to {Path(other).name}")
        replace(one, other)

    def refuse(name: object, **named: object) -> None:
        raise OSError(errno.ENOSYS, "no such call")

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(os, "replace", note_replace)
    return found


def test_all_of_a_site_is_on_the_disk_before_it_takes_its_place(
    tmp_path: Path, steps: list[str]
) -> None:
    out = tmp_path / "site"
    for _ in range(2):
        del steps[:]
        write_site(out, PAGES, {})
        renamed = steps.index("to site")
        for path in (out, *out.rglob("*")):
            assert f"sync {path.stat().st_ino}" in steps[:renamed]
        assert f"sync {tmp_path.stat().st_ino}" in steps[renamed:]
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_file_is_on_the_disk_before_it_takes_its_place(tmp_path: Path, steps: list[str]) -> None:
    write_whole(tmp_path / "file", b"x")
    assert steps == [f"sync {(tmp_path / 'file').stat().st_ino}", "to file"]


def test_an_exchange_that_fails_half_way_leaves_the_old_site(
    tmp_path: Path, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_site(tmp_path / "site", {"index.html": b"old"}, {})
    replace = os.replace

    def refuse_the_new(one: Any, other: Any) -> None:
        if ".new." in Path(one).name:
            raise PermissionError(errno.EACCES, "a window shows it", str(other))
        replace(one, other)

    monkeypatch.setattr(os, "replace", refuse_the_new)
    with pytest.raises(PermissionError):
        write_site(tmp_path / "site", {"index.html": b"new"}, {})
    assert (tmp_path / "site/index.html").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_what_killed_builds_left_is_swept(work: Path) -> None:
    assert main([]) == 0
    (parts,) = (path.name for path in (work / ".press").glob("manifest-*"))
    left = [".site.new.1/posts", ".site.old", ".press/.new.1", f".press/{parts}/.new.2"]
    for name in (*left, ".site.older", ".press/.new.now"):
        (work / name).mkdir(parents=True)
    for name in left:
        os.utime(work / name, (0, 0))
    (work / "content/posts/one.md").write_text("# One\n\nOther words.\n")
    assert main([]) == 0
    assert [name for name in left if (work / name).exists()] == []
    assert (work / ".site.older").exists(), "it is not ours"
    assert (work / ".press/.new.now").exists(), "another build may be writing it"


@posix
def test_a_link_to_a_site_stays_and_what_it_names_is_exchanged(work: Path) -> None:
    (work / "elsewhere").mkdir()
    (work / "site").symlink_to("near")
    (work / "near").symlink_to(work / "elsewhere/html")
    for word in ("First", "Second"):
        (work / "content/posts/one.md").write_text(f"# One\n\n{word}.\n")
        assert main([]) == 0
        assert f"<p>{word}." in (work / "elsewhere/html/posts/one.html").read_text()
    assert os.readlink(work / "site") == "near"
    assert [path.name for path in (work / "elsewhere").iterdir()] == ["html"]
    assert not list(work.glob(".site.*"))


@posix
def test_a_link_to_what_no_site_can_be_is_refused(work: Path, capsys: Told) -> None:
    (work / "site").symlink_to("site")
    assert main([]) == 1
    assert capsys.readouterr().err == "site: this link leads back to itself\n"
    (work / "site").unlink()
    (work / "site").symlink_to("content")
    assert main([]) == 1
    assert capsys.readouterr().err.startswith("site: this folder holds 'posts', which the press")


@posix
def test_a_mounted_folder_is_refused_before_anything_is_made(work: Path, capsys: Told) -> None:
    (work / "site").symlink_to("/")
    assert main([]) == 1
    said = "a mounted folder cannot be exchanged; name one within it, or mount its parent"
    assert capsys.readouterr().err == f"site: {said}\n"


@posix
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_every_file_and_folder_has_what_the_umask_leaves(work: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        assert main([]) == 0
        for accuracy in (1, 2):
            metrics = {"final": {"accuracy": accuracy}}
            record("digits", "mlp", metrics=metrics, results=work / "results", replace=True)
    finally:
        os.umask(before)
    tops = ("site", ".press", "results")
    made = [path for top in tops for path in (work / top, *work.glob(f"{top}/**/*"))]
    assert list(work.glob("results/superseded/*/*/seed0/run.json"))
    assert len(made) > 10
    for path in made:
        allowed = (0o777 if path.is_dir() else 0o666) & ~mask
        assert stat.S_IMODE(path.stat().st_mode) == allowed, path


@posix
def test_a_site_is_built_where_no_file_can_be_locked(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert main([]) == 0
    assert (work / "site/posts/one.html").is_file()


@pytest.mark.parametrize("mask", ["", "/cache-*", "/state-*", "/lock", "/manifest-*"])
def test_a_cache_that_cannot_be_written_is_a_warning(work: Path, capsys: Told, mask: str) -> None:
    """Even the superuser writes no file where a folder stands, and no folder where a file does."""
    (work / "content/posts/one.md").write_text("# One\n\nWords with $x^2$.\n")
    assert main([]) == 0
    page = (work / "site/posts/one.html").read_bytes()
    (place,) = [path for path in work.glob(f".press{mask}") if path.suffix != ".sqlite-wal"]
    is_folder = place.is_dir()
    for old in (".press", "site"):
        (work / old).rename(work / f"{old}-before")
    place.parent.mkdir(exist_ok=True)
    place.write_text("in the way") if is_folder else place.mkdir()
    capsys.readouterr()
    assert main([]) == 0
    assert ".press:1:1: warning: nothing is kept for the next build: " in capsys.readouterr().err
    assert (work / "site/posts/one.html").read_bytes() == page


def test_what_nobody_foresaw_is_a_sentence_and_leaves_the_site(work: Path, capsys: Told) -> None:
    assert main([]) == 0
    before = (work / "site/posts/one.html").read_bytes()
    (work / "templates").mkdir()
    (work / "templates/post.html").write_text("{{ 'a' * 10 ** 18 }}")
    (work / "content/posts/two.md").write_text("# Two\n\n$\\oops$\n")
    assert main([]) == 1
    first, *rest = capsys.readouterr().err.splitlines()
    internal = "internal error in making posts/one.html of 'content/posts/one.md', at press/pages/"
    assert first.startswith(internal)
    assert first.endswith(": MemoryError: ")
    assert any("oops" in line for line in rest), "one page that fails hides no mistake of another"
    assert (work / "site/posts/one.html").read_bytes() == before


@pytest.mark.parametrize("word", ["build", "check", "why", "blocks"])
def test_a_broken_library_is_a_sentence(work: Path, word: str) -> None:
    assert main([]) == 0
    (work / "content/posts/one.md").write_text("# One\n\nOther.\n")
    for library in ("jinja2", "sqlite3", "fastjsonschema"):
        (work / f"broken/{library}.py").parent.mkdir(exist_ok=True)
        (work / f"broken/{library}.py").write_text("1 / 0\n")
    before = {path: path.read_bytes() for path in (work / "site").rglob("*.html")}
    paths = os.pathsep.join([str(work / "broken"), str(ROOT)])
    words = [word, *(["one"] if word == "why" else [])]
    done = python(work, "-m", "press", *words, path=paths)
    assert done.returncode == 1
    said = r"internal error in .+, at press/\S+\.py:\d+: ZeroDivisionError: division by zero\n"
    assert re.fullmatch(said, done.stderr)
    assert before == {path: path.read_bytes() for path in (work / "site").rglob("*.html")}
