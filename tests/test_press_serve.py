"""The server for writing, used as a browser uses it."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from press.options import Options
from press.serve import News, _make

ROOT = Path(__file__).parent.parent
PATIENCE_S = 60


@contextmanager
def serving(work: Path) -> Iterator[str]:
    """Serve a site; gives the server's address."""
    call = [sys.executable, "-m", "press", "serve", "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(
        call,
        cwd=work,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert child.stdout
        address = next(
            found[0] for line in child.stdout if (found := re.search(r"http://[\d.]+:\d+/", line))
        )
        yield address
    finally:
        child.terminate()
        child.wait()


def event(stream: HTTPResponse) -> dict[str, object]:
    """Wait for the next piece of news."""
    while True:
        line = stream.readline().decode()
        assert line, "the server is gone"
        if line.startswith("data: "):
            found: dict[str, object] = json.loads(line.removeprefix("data: "))
            return found


def news_after(stream: HTTPResponse, version: object) -> dict[str, object]:
    """Wait for news of another version than `version`, not for ever: the server repeats the old."""
    until = time.monotonic() + PATIENCE_S
    while (news := event(stream))["version"] == version:
        assert time.monotonic() < until, "no news of the change"
    return news


def read(address: str) -> str:
    """Fetch a page."""
    with urlopen(address, timeout=PATIENCE_S) as answer:
        return str(answer.read().decode())


@pytest.mark.slow
def test_a_change_reaches_the_browser_and_a_mistake_is_shown(tmp_path: Path) -> None:
    posts = tmp_path / "content/posts"
    posts.mkdir(parents=True)
    post = posts / "one.md"
    post.write_text("---\ntitle: One\ndraft: true\n---\n\nFirst words.\n")
    with serving(tmp_path) as address, urlopen(f"{address}__press/events", timeout=60) as stream:
        assert address.startswith("http://127.0.0.1:")
        first = event(stream)
        assert first["errors"] == []
        page = read(f"{address}posts/one.html")
        assert "First words." in page, "drafts are shown"
        assert '<script src="/__press/follow.js"></script></body>' in page
        assert "EventSource" in read(f"{address}__press/follow.js")

        post.write_text("---\ntitle: One\ndraft: true\n---\n\nSecond words.\n")
        second = news_after(stream, first["version"])
        assert "Second words." in read(f"{address}posts/one.html")

        post.write_text("---\ntitle: One\ndraft: true\n---\n\nThird $\\words$.\n")
        third = news_after(stream, second["version"])
        assert third["errors"] == [
            "content/posts/one.md:6:8: in this formula: undefined control sequence: \\words"
        ]
        assert "Second words." in read(f"{address}posts/one.html"), "the last good page stands"

        post.write_text("---\ntitle: One\ndraft: true\n---\n\nFourth words.\n")
        assert news_after(stream, third["version"])["errors"] == []
        assert "Fourth words." in read(f"{address}posts/one.html")
        with pytest.raises(HTTPError) as missing:
            read(f"{address}posts/none.html")
        assert missing.value.code == 404
    assert not (tmp_path / "site").exists(), "the published site is not touched"


def test_what_the_system_refuses_does_not_end_the_server(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "content/posts").mkdir(parents=True)
    (tmp_path / "content/posts/one.md").write_text("Words with $x^2$.\n")
    (tmp_path / "public").write_text("a file where a folder is to be")
    options = Options(tmp_path / "content", tmp_path / "results", tmp_path / "public/site")
    news = News()
    folders = _make(replace(options, cache_folder=tmp_path / "cache"), news)
    assert "public" in news.errors[0] and "File exists" in news.errors[0]
    assert news.errors[0] in capsys.readouterr().err
    assert tmp_path / "content" in folders, "the next change is seen"


@pytest.mark.slow
def test_a_change_made_while_the_site_is_first_made_is_not_lost(tmp_path: Path) -> None:
    posts = tmp_path / "content/posts"
    posts.mkdir(parents=True)
    post = posts / "one.md"
    post.write_text("---\ntitle: One\n---\n\nWords 0.\n")
    for turn in range(1, 6):
        with serving(tmp_path) as address:  # its address is told before its watcher stands
            post.write_text(f"---\ntitle: One\n---\n\nWords {turn}.\n")
            until = time.monotonic() + PATIENCE_S
            while f"Words {turn}." not in read(f"{address}posts/one.html"):
                assert time.monotonic() < until, f"change {turn} was never seen"
                time.sleep(0.02)


def test_a_folder_that_a_post_begins_to_include_from_is_watched(tmp_path: Path) -> None:
    posts = tmp_path / "content/posts"
    posts.mkdir(parents=True)
    (tmp_path / "code").mkdir()
    code = tmp_path / "code/step.py"
    code.write_text("first = 1\n")
    (posts / "one.md").write_text("---\ntitle: One\n---\n\nWords.\n")
    with serving(tmp_path) as address, urlopen(f"{address}__press/events", timeout=60) as stream:
        before = event(stream)
        include = '::: include path="code/step.py"\n:::\n'
        (posts / "one.md").write_text(f"---\ntitle: One\n---\n\n{include}")
        shown = news_after(stream, before["version"])
        assert "first" in read(f"{address}posts/one.html")
        code.write_text("second = 2\n")
        news_after(stream, shown["version"])
        assert "second" in read(f"{address}posts/one.html")
