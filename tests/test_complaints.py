"""What users of other publishing tools complain of, one test or more for each complaint.

The complaints were collected from the trackers of Quarto, Jupyter Book, MyST, MkDocs, Pelican,
Nikola, al-folio, Distill, showyourwork and of reproductions of the paper; most met first.
"""

import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urldefrag, urljoin
from urllib.request import urlopen

import pytest
from made_site import make_results, python, write_suite
from reading import Told, contents

from dip.experiments.suites import load_suites
from press.build.state import global_inputs, listing
from press.checks.links import PageFacts
from press.cli import main
from press.options import Options

OTHER = "---\ntitle: Other\ndate: 2026-01-03\n---\n\nWith $x^2$.\n\n## Part\n"
NO_NETWORK = (  # a process in which nothing can be reached
    "import socket, sys\n"
    "def refuse(*_, **__): raise OSError('there is no network')\n"
    "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
    "from press.cli import main\n"
    "sys.exit(main(sys.argv[1:]))\n"
)


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a small site with recorded runs and two posts the working folder, and build it."""
    make_results(tmp_path, "paper", "small")
    (tmp_path / "content/posts/other.md").write_text(OTHER)
    monkeypatch.chdir(tmp_path)
    assert main(["--run", "never"]) == 0
    return tmp_path


def said(capsys: Told, *words: str) -> str:
    """Call the press, and give what it said to either side."""
    capsys.readouterr()
    main(list(words) or ["--run", "never"])
    told = capsys.readouterr()
    return told.out + told.err


def record_anew(work: Path, level_db: float) -> None:
    """Record one run of the small suite with another result."""
    suite = load_suites(work / "content/experiments.toml")["small"]
    write_suite(work / "results", suite, {("set/anna", 0): level_db}, baselines=False)


# 1. Stale or surprising caches.


def test_stale_caches_a_new_record_is_on_every_page_that_shows_it(work: Path, capsys: Told) -> None:
    record_anew(work, 29.37)
    told = said(capsys)
    anew = "the post, the run's own page, its two baselines' (its input), and the list of runs"
    assert "5 pages made anew" in told, anew
    pages = ("posts/post.html", "runs/index.html", "runs/small/anna/seed0.html")
    assert all("29.37" in (work / "site" / page).read_text() for page in pages)


def test_stale_caches_a_checkout_that_goes_back_gives_the_bytes_of_then(work: Path) -> None:
    shutil.copytree(work / "results", work / "then")
    before = contents(work / "site")
    record_anew(work, 29.37)
    assert main(["--run", "never"]) == 0
    assert contents(work / "site") != before
    shutil.rmtree(work / "results")
    shutil.copytree(work / "then", work / "results")
    assert main(["--run", "never"]) == 0
    assert contents(work / "site") == before


def test_surprising_caches_the_press_says_which_input_it_was(work: Path, capsys: Told) -> None:
    record_anew(work, 29.37)
    told = said(capsys, "why", "post")
    assert "results/small/anna/seed0/run.json" in told
    assert re.search(r"metrics\.final\.psnr_db: 31\.9 -> 29\.37", told)
    assert "bob" not in told


def test_stale_caches_another_library_makes_the_pages_anew() -> None:
    folders = [path for path in global_inputs(Options()) if Path(path).is_dir()]
    assert any(b"markdown_it_py-" in listing(folder) for folder in folders)


# 2. A remote cache that breaks.


def test_no_remote_cache_everything_is_made_without_a_network(work: Path) -> None:
    shutil.rmtree(work / ".press")
    before = contents(work / "site")
    done = python(work, "-c", NO_NETWORK, "check", "--run", "never", "--out", "fresh/site")
    assert done.returncode == 0, done.stderr
    assert contents(work / "fresh/site") == before


# 3. A whole document runs again for one edit.


def test_one_edit_runs_no_experiment_and_makes_one_page(work: Path, capsys: Told) -> None:
    records = {path: path.stat().st_mtime_ns for path in (work / "results").rglob("*")}
    page = work / "content/posts/post.md"
    page.write_text(page.read_text().replace("The mean is", "The mean comes to"))
    assert "1 page made anew" in said(capsys, "--run", "auto")
    assert {path: path.stat().st_mtime_ns for path in (work / "results").rglob("*")} == records
    assert "The mean comes to" in (work / "site/posts/post.html").read_text()


# 4. Slow preview and rebuild, or a quick one that is wrong.


def test_a_quick_rebuild_is_not_a_wrong_one(work: Path, capsys: Told) -> None:
    """A title is on its page, on the front page, in the feed and in links of other posts."""
    arguments = ["--run", "never", "--base-url", "https://example.org/"]
    (work / "content/posts/other.md").write_text(OTHER.replace("Other", "Renamed"))
    told = said(capsys, *arguments)
    quick = contents(work / "site")
    shutil.rmtree(work / ".press")
    assert main(arguments) == 0
    assert contents(work / "site") == quick, told
    assert b"Renamed" in quick["index.html"] and b"Renamed" in quick["feed.xml"]


def test_nothing_changed_loads_nothing_but_the_standard_library(work: Path) -> None:
    shutil.rmtree(work / "results/paper/anna/seed1")  # a run that is missing is told of too
    assert main(["--run", "never"]) == 0
    program = (
        "import sys\nbefore = set(sys.modules)\n"
        "from press.cli import main\nmain(['--run', 'never'])\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(new - sys.stdlib_module_names - {'press'}))\n"
    )
    done = python(work, "-c", program)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "nothing changed" in done.stdout and "not run yet" in done.stdout


# 5. What is read below a sub-path, or exported, breaks.


class Below(SimpleHTTPRequestHandler):
    """Serves a site below /deep/down/, and its 404 page for all that is not there."""

    def translate_path(self, path: str) -> str:
        """Map an address to a file; what is not below the sub-path is nowhere."""
        inside = path.startswith("/deep/down/")
        return super().translate_path(path[10:] if inside else "/outside-of-the-site")

    def send_error(self, code: int, *_: object) -> None:  # type: ignore[override]
        """Answer with the site's 404 page."""
        self.send_response(code)
        self.end_headers()
        self.wfile.write((Path(self.directory) / "404.html").read_bytes())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def below_a_sub_path(site: Path) -> Iterator[str]:
    """Serve a site at a sub-path; gives its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Below, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/deep/down/"
    server.shutdown()
    server.server_close()


def addresses(page: Path, at: str) -> set[str]:
    """Collect what a page links to and loads on its own server, as it stands at an address."""
    found = {urldefrag(urljoin(at, link.value)).url for link in PageFacts(page).links}
    return {url for url in found if url.startswith(at[: at.index("/", 8)])}


@pytest.mark.parametrize("base", ["", "https://example.org/deep/down/"])
def test_below_a_sub_path_every_link_of_every_page_answers(work: Path, base: str) -> None:
    assert main(["--run", "never", "--base-url", base]) == 0
    site, wanted = work / "site", set[str]()
    with below_a_sub_path(site) as root:
        for page in site.rglob("*.html"):
            if page.name != "404.html":
                wanted |= addresses(page, root + page.relative_to(site).as_posix())
        assert len(wanted) > 20
        for url in wanted:
            with urlopen(url) as answer:
                assert answer.status == 200


def test_below_a_sub_path_the_404_page_has_its_styles_at_any_depth(work: Path) -> None:
    assert main(["--run", "never", "--base-url", "https://example.org/deep/down/"]) == 0
    with below_a_sub_path(work / "site") as root:
        lost = f"{root}posts/very/far/gone.html"
        with pytest.raises(HTTPError, match="404") as missing:
            urlopen(lost)
        (work / "lost.html").write_bytes(missing.value.read())
        wanted = addresses(work / "lost.html", lost) - {lost}
        assert any(url.endswith(".css") for url in wanted)
        for url in wanted:
            with urlopen(url) as answer:
                assert answer.status == 200


def test_exported_the_site_reads_from_disk(work: Path) -> None:
    """No address begins at the root of a domain, names a host, or needs a module."""
    site = Path(shutil.move(work / "site", work / "elsewhere"))
    for page in site.rglob("*.html"):
        loaded = [urldefrag(link.value).url for link in PageFacts(page).links if link.tag != "a"]
        assert any(loaded)
        for path in loaded:
            if path and not path.startswith("data:"):  # none: the page itself
                assert (page.parent / path).resolve().is_relative_to(site)
                assert (page.parent / path).is_file(), path
        assert 'type="module"' not in page.read_text()
    for path in site.rglob("*.css"):
        assert "http:" not in path.read_text() and "https:" not in path.read_text()
    page = (site / "posts/other.html").read_text()
    assert "<math" in page and 'class="katex-html"' in page and "$" not in page
    assert list(site.rglob("KaTeX_Main-Regular*.woff2"))


# 6. Broken links pass silently, or checking takes an hour: tests/test_press_check.py,
# tests/test_markdown.py, tests/test_raw_html.py, tests/sites_invalid.
# 7. Errors without file and line: tests/test_press_sites_invalid.py.
# 8. Dark mode and hover texts cannot be read: tests/test_colours.py, tests/test_cards.py.


# 9. Mathematics needs the network: the last test of 5.


# 10. HTML as the output of a tool for reproducible papers.


def test_html_every_number_leads_to_its_run_and_its_data(work: Path) -> None:
    page = work / "site/posts/post.html"
    origins = re.findall(r'<a class="[^"]*from-run[^"]*" href="([^"#]+)', page.read_text())
    assert len(origins) > 10
    for origin in set(origins):
        run = (page.parent / origin).resolve()
        assert run.is_file()
        if run.name != "index.html":
            assert run.with_suffix(".json").is_file()
            assert ">--rerun<" in run.read_text()


# 11. The paper's numbers are not reached, and nobody says which settings were used:
# tests/test_blocks.py, tests/test_run_pages.py, tests/sites_invalid/typed-result.


# 12. Nobody says when to stop, and "several minutes" says nothing.


def test_when_to_stop_what_each_rule_costs_is_on_the_page_of_the_run(work: Path) -> None:
    page = (work / "site/runs/paper/anna/seed0.html").read_text()
    rows = dict(re.findall(r'<th scope="row">([^<]+)</th><td class="number">([\d.]+)', page))
    assert "the last output, iteration 1,000" in rows
    assert "the best iterate, iteration 900" in rows
    assert any(name.startswith("ES-WMV") for name in rows)


def test_minutes_are_told_with_the_device_that_took_them(work: Path) -> None:
    page = (work / "site/runs/paper/anna/seed0.html").read_text()
    assert "<dt>took</dt><dd>2 minutes</dd>" in page
    assert "<dt>an iteration</dt><dd>120 ms</dd>" in page
    assert "<dd>Example CPU 3000</dd>" in page
    post = (work / "site/posts/post.html").read_text()
    assert "12 minutes" in post and "Example CPU 3000" in post
