"""A small server for writing: it builds again when a file changes, and the page follows.

It answers on the loopback address only, and only requests for a name of it, so that no other site
reads the drafts. It never runs experiments, and makes its site in the cache, so that `site/` is not
touched.
"""

import json
import os
import re
import sys
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from socket import SHUT_RDWR
from threading import BoundedSemaphore, Condition, Thread, Timer
from typing import Any, NoReturn
from urllib.parse import urlsplit

from press.build.command import build, report
from press.build.state import BuildResult
from press.errors import InputError, sentence_of
from press.options import Options

EVENTS, SCRIPT = "/__press/events", "/__press/follow.js"
STILL_THERE_S = 15  # how often a waiting browser is told that the server lives
PATIENCE_S = 10  # for a request to arrive whole, and for each piece of an answer to be taken
CONNECTIONS = 64  # at once; every page that is open in a browser keeps one
QUIET_MS = 250  # how long the watcher waits before it tells that nothing changed

FOLLOW = """
{
  let seen = null;
  const box = document.createElement("div");
  box.setAttribute("role", "alert");
  box.style.cssText =
    "position:fixed;inset:auto 0 0 0;max-height:60vh;overflow:auto;z-index:99;" +
    "background:#2b1113;color:#fff;font:14px/1.5 monospace;padding:1em 1.5em;" +
    "white-space:pre-wrap";
  new EventSource("/__press/events").onmessage = function (event) {
    const now = JSON.parse(event.data);
    if (seen !== null && now.version !== seen && !now.errors.length) location.reload();
    seen = now.version;
    box.textContent = now.errors.join("\\n");
    if (now.errors.length) document.body.append(box); else box.remove();
  };
}
"""
NO_SITE = b"<!DOCTYPE html><title>No site yet</title><body>No site yet.</body>"


class News:
    """What the browser is to know: the version of the site, and what is wrong with it."""

    def __init__(self) -> None:
        """Begin with no site."""
        self.began_ns = time.time_ns()  # a page may have been opened from a server before
        self.version, self.errors = 0, list[str]()
        self._changed = Condition()

    def publish(self, errors: list[str], written: bool) -> bool:
        """Tell everyone who waits, if a site was written or the errors are not as before."""
        with self._changed:
            is_new = written or self.version == 0 or errors != self.errors
            if is_new:
                self.version, self.errors = self.version + 1, errors
                self._changed.notify_all()
        return is_new

    def wait(self, seen: int, seconds: float) -> int:
        """Wait until the version is another than `seen`, or so many seconds; the version."""
        with self._changed:
            self._changed.wait_for(lambda: self.version != seen, seconds)
            return self.version


class Server(ThreadingHTTPServer):
    """Answers so many at once; whoever comes beyond that is hung up on."""

    daemon_threads = True
    allow_reuse_address = os.name != "nt"  # there it would let two servers share a port

    def __init__(self, *arguments: Any) -> None:
        """Listen."""
        self._free = BoundedSemaphore(CONNECTIONS)
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a request in a thread of its own, if one is free."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer a request; then its thread is free."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say in a line what went wrong; a client that went away, or sleeps, is nothing wrong."""
        error = sys.exception()
        if not isinstance(error, OSError):
            print(f"the press itself failed to answer a request: {error!r}", file=sys.stderr)


class Handler(SimpleHTTPRequestHandler):
    """Answers with the made site, whose pages follow its changes."""

    timeout = PATIENCE_S

    def __init__(self, news: News, *rest: Any, **named: Any) -> None:
        """Answer one request."""
        self.news = news
        super().__init__(*rest, **named)

    def handle(self) -> None:
        """Answer, if the request arrives whole in time, however slowly its pieces do."""
        self._patience = Timer(PATIENCE_S, self._hang_up)
        self._patience.daemon = True
        self._patience.start()
        try:
            super().handle()
        finally:
            self._patience.cancel()

    def _hang_up(self) -> None:
        with suppress(OSError):
            self.connection.shutdown(SHUT_RDWR)

    def do_GET(self) -> None:
        """Answer with a file, the follower's script, or the stream of news."""
        self._patience.cancel()
        path, hosts = self.path.partition("?")[0], self.headers.get_all("Host", [])
        if not re.fullmatch(r"/[!-~]*", path) or "%00" in path or len(hosts) != 1:
            self.send_error(400, "This is no request that a browser makes")
        elif not is_loopback(hosts[0]):
            # Another name can be led to this machine, so that another site reads the drafts.
            self.send_error(403, "Only localhost is answered")
        elif path == EVENTS and self.command == "GET":
            self._events()
        elif path == SCRIPT:
            self._answer(200, "text/javascript", FOLLOW.encode())
        else:
            self._file(Path(self.translate_path(path)), Path(str(self.directory), "404.html"))

    do_HEAD = do_GET

    def _file(self, asked: Path, lost: Path) -> None:
        status, file, data = 503, lost, NO_SITE
        for code, path in ((200, asked), (200, asked / "index.html"), (404, lost)):
            with suppress(OSError, ValueError):
                status, file, data = code, path, path.read_bytes()
                break
        if file.suffix == ".html":
            data = data.replace(b"</body>", f'<script src="{SCRIPT}"></script></body>'.encode())
        self._answer(status, self.guess_type(str(file)), data)

    def _answer(self, status: int, kind: str, data: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _events(self) -> None:
        """Send every new version to the browser until it goes away."""
        self._answer(200, "text/event-stream")
        seen = -1
        with suppress(OSError):
            while True:
                seen = self.news.wait(seen, STILL_THERE_S)
                version = f"{self.news.began_ns}-{seen}"
                data = {"version": version, "errors": self.news.errors}
                self.wfile.write(f"data: {json.dumps(data)}\n\n".encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing of single requests."""


def is_loopback(host: str) -> bool:
    """Whether the Host of a request is a name of this machine for itself, with a port or none."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or name.endswith(".localhost") or ip_address(name).is_loopback
    except ValueError:
        return False


def serve(options: Options, port: int) -> int:
    """Serve until Ctrl-C; returns the exit code; raises InputError if the port is taken."""
    shown = replace(
        options, out=options.cache / "preview", cache_folder=options.cache, drafts=True, run="never"
    )
    news = News()
    handler = partial(Handler, news, directory=str(shown.out))
    try:
        server = Server(("127.0.0.1", port), handler)
    except OSError as error:
        raise InputError(f"port {port} cannot be used: {error.strerror}; try --port") from None
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        folders = _make(shown, news)
        print(f"http://127.0.0.1:{server.server_address[1]}/  (Ctrl-C stops)", flush=True)
        _follow(shown, news, folders)
    except KeyboardInterrupt:
        server.shutdown()
        return 0


def _make(options: Options, news: News) -> set[Path]:
    """Make the site, and publish what is new; returns the folders that it was made from."""
    started = time.perf_counter()
    result: BuildResult | None = None
    try:
        result = build(options)
        errors = [str(diagnostic) for diagnostic in result.errors]
    except (InputError, OSError) as error:
        errors = [sentence_of(error)]
    except Exception as error:  # noqa: BLE001  a defect of the press must not end the server
        errors = [f"the press itself failed, and `build.py build` shows where: {error!r}"]
    is_new = news.publish(errors, result is not None and result.written)
    if is_new and result:
        report(result, options, started)
    elif is_new:
        print(*errors, file=sys.stderr)
    pages = result.state.pages.values() if result else ()
    inputs = {path for page in pages for path in page.inputs}
    folders = (options.content, options.results, *options.templates)
    return {*folders, *(Path(path).parent for path in inputs)}


def _follow(options: Options, news: News, folders: set[Path]) -> NoReturn:
    """Make the site again whenever something below the folders that it was made from changes."""
    from watchfiles import DefaultFilter, watch

    unhidden = DefaultFilter(ignore_paths=[options.cache.absolute()])
    while True:
        roots = _watched(folders)
        watching = watch(
            *roots, watch_filter=unhidden, debounce=100, step=20, rust_timeout=QUIET_MS,
            yield_on_timeout=True, raise_interrupt=True,
        )  # fmt: skip
        # Its first word, a change or that all is quiet, is answered by making the site once more:
        # what changed before it watched would otherwise be lost.
        for number, changes in enumerate(watching):
            if changes or number == 0:
                folders |= _make(options, news)
                if _watched(folders) != roots:
                    break


def _watched(folders: set[Path]) -> list[Path]:
    """The outermost of these folders that are there."""
    there = {folder.absolute() for folder in folders if folder.is_dir()}
    return sorted(folder for folder in there if not there & set(folder.parents))
