"""The server for writing, used as a browser uses it."""

import json
import re
import struct
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.client import HTTPResponse
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET, create_connection
from threading import Thread
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from made_site import serving
from reading import Told

from press.cli import main
from press.errors import InputError
from press.options import Options
from press.pages.site_pages import load_site
from press.serve import CONNECTIONS, Handler, News, Server, _make

PATIENCE_S = 60


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
    (tmp_path / "content/site.toml").write_text('base_url = "https://a.org/deep/"\n')
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
            read(f"{address}posts/deep/none.html")
        assert missing.value.code == 404
        (style,) = re.findall(r'rel="stylesheet" href="/([^"]+)"', missing.value.read().decode())
        assert read(f"{address}{style}"), "whatever the address, and the site's published one"
    assert not (tmp_path / "site").exists(), "the published site is not touched"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """Where a site of one page is served, by the server alone."""
    (tmp_path / "index.html").write_text("<body>The page</body>")
    server = Server(("127.0.0.1", 0), partial(Handler, News(), directory=str(tmp_path)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[0], server.server_address[1]
    server.shutdown()
    server.server_close()


def answer_to(address: tuple[str, int], request: bytes) -> str:
    """What a request is answered with, until the server hangs up."""
    with create_connection(address, PATIENCE_S) as client:
        client.sendall(request)
        return b"".join(iter(partial(client.recv, 4096), b"")).decode()


@pytest.mark.parametrize(
    ("request_line", "headers", "code"),
    [
        ("GET / HTTP/1.1", "Host: localhost:8000", "200"),
        ("GET /?a=/%00 HTTP/1.1", "Host: 127.0.0.9", "200"),
        ("HEAD / HTTP/1.0", "Host: [::1]:80", "200"),
        ("GET /none HTTP/1.1", "Host: site.localhost", "503"),
        ("GET /../../etc/passwd HTTP/1.1", "Host: localhost", "503"),
        ("GET / HTTP/1.1", "Host: evil.org", "403"),
        ("GET /__press/events HTTP/1.1", "Host: localhost.evil.org", "403"),
        ("GET / HTTP/1.1", "Host: 192.168.0.1:8000", "403"),
        ("GET / HTTP/1.1", "Host: [", "403"),
        ("GET / HTTP/1.1", "Host:", "403"),
        ("GET / HTTP/1.1", "Accept: */*", "400"),
        ("GET / HTTP/1.1", "Host: localhost\r\nHost: evil.org", "400"),
        ("GET http://evil.org/ HTTP/1.1", "Host: localhost", "400"),
        ("GET * HTTP/1.1", "Host: localhost", "400"),
        ("GET /a%00b HTTP/1.1", "Host: localhost", "400"),
        ("GET /\x7f\xe9 HTTP/1.1", "Host: localhost", "400"),
        ("GET / x HTTP/1.1", "Host: localhost", "400"),
        ("GET / HTTP/1.x", "Host: localhost", "400"),
        ("GET /" + "%2e%2e/" * 900 + " HTTP/1.1", "Host: localhost", "200"),
        ("GET /" + "%2e%2e/" * 900 + "etc/passwd HTTP/1.1", "Host: localhost", "503"),
        ("GET /" + "a" * 5000 + " HTTP/1.1", "Host: localhost", "503"),
        ("GET /", "Host: evil.org", "403"),
        ("GET /" + "a" * 70_000 + " HTTP/1.1", "Host: localhost", "414"),
        ("GET / HTTP/1.1", "A: b\r\n" * 200 + "Host: localhost", "431"),
        ("POST / HTTP/1.1", "Host: localhost", "501"),
    ],
)
def test_only_this_machine_is_answered_and_odd_requests_are_refused(
    address: tuple[str, int], request_line: str, headers: str, code: str, capsys: Told
) -> None:
    answer = answer_to(address, f"{request_line}\r\n{headers}\r\n\r\n".encode("latin-1"))
    found = re.match(r"HTTP/1.\d (\d+)|.*Error code: (\d+)", answer, re.DOTALL)
    assert found and found[found.lastindex or 0] == code  # the second of HTTP/0.9, without a head
    assert ("The page" in answer) == (code == "200" and request_line.startswith("GET"))
    assert capsys.readouterr().err == ""


def test_who_sleeps_or_comes_in_crowds_is_hung_up_on_and_who_leaves_is_no_traceback(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch, capsys: Told
) -> None:
    page, good = b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"\r\n"
    monkeypatch.setattr("press.serve.PATIENCE_S", 0.5)
    monkeypatch.setattr(Handler, "timeout", None)  # so that nothing else hangs up
    for begun in (b"", b"GET", page, page + b"A"):
        answer_to(address, begun)  # which itself waits no longer than PATIENCE_S

    monkeypatch.setattr("press.serve.PATIENCE_S", PATIENCE_S)
    crowd = [create_connection(address, PATIENCE_S) for _ in range(CONNECTIONS + 5)]
    for one in crowd:
        one.sendall(page)  # and no more
    assert all(one.recv(1) == b"" for one in crowd[CONNECTIONS:])
    for one in crowd:  # gone without a word, as a browser that was killed
        one.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        one.close()
    until = time.monotonic() + PATIENCE_S
    while True:  # and its threads are free again
        try:
            assert "The page" in answer_to(address, page + good)
            break
        except (OSError, AssertionError):
            assert time.monotonic() < until
            time.sleep(0.1)
    for request in (page + good, b"GET /__press/events HTTP/1.1\r\nHost: localhost\r\n\r\n"):
        with create_connection(address, PATIENCE_S) as client:
            client.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
            client.sendall(request)
    time.sleep(0.5)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("port", ["99999", "²", "-1", "1.5", "0x50", "9" * 5000, ""])
def test_a_port_that_is_none_is_told(port: str, capsys: Told) -> None:
    with pytest.raises(SystemExit):
        main(["serve", f"--port={port}"])
    assert f"'{port[:80]}' is not a number between 0 and 65535" in capsys.readouterr().err


@pytest.mark.parametrize(
    "url",
    ["http://[x", "http://x:99999", "http://x:²", "http://a b/", "https://a/b?c", "ftp://x", "a/b"],
)
def test_a_base_url_that_is_none_is_told(tmp_path: Path, url: str) -> None:
    with pytest.raises(InputError, match="is not of the form https://host/folder/"):
        load_site(tmp_path / "site.toml", url)


def test_what_the_system_refuses_does_not_end_the_server(tmp_path: Path, capsys: Told) -> None:
    (tmp_path / "content/posts").mkdir(parents=True)
    (tmp_path / "content/posts/one.md").write_text("Words with $x^2$.\n")
    (tmp_path / "results").mkdir()
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
