"""The server for writing, used as a browser uses it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

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
        if line.startswith("data: "):
            found: dict[str, object] = json.loads(line.removeprefix("data: "))
            return found


def news_after(stream: HTTPResponse, version: object) -> dict[str, object]:
    """Wait for news of another version than `version`."""
    while (news := event(stream))["version"] == version:
        pass
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
        assert first["mistakes"] == []
        page = read(f"{address}posts/one.html")
        assert "First words." in page, "drafts are shown"
        assert '<script src="/__press/follow.js"></script></body>' in page
        assert "EventSource" in read(f"{address}__press/follow.js")

        post.write_text("---\ntitle: One\ndraft: true\n---\n\nSecond words.\n")
        second = news_after(stream, first["version"])
        assert "Second words." in read(f"{address}posts/one.html")

        post.write_text("---\ntitle: One\ndraft: true\n---\n\nThird $\\words$.\n")
        third = news_after(stream, second["version"])
        assert third["mistakes"] == [
            "content/posts/one.md:6:8: in this formula: undefined control sequence: \\words"
        ]
        assert "Second words." in read(f"{address}posts/one.html"), "the last good page stands"

        post.write_text("---\ntitle: One\ndraft: true\n---\n\nFourth words.\n")
        assert news_after(stream, third["version"])["mistakes"] == []
        assert "Fourth words." in read(f"{address}posts/one.html")
        with pytest.raises(HTTPError) as missing:
            read(f"{address}posts/none.html")
        assert missing.value.code == 404
    assert not (tmp_path / "site").exists(), "the published site is not touched"
