"""Tests that run beside each other, and what many of them need."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from in_browser import Opened
    from playwright.sync_api import Browser

    from press.page import PageContext

# Threads of several processes that wait by spinning take the cores from one another: tests of the
# fit took four times as long in two processes with two threads each.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
# What somebody has set for git, or for the way out of their network, changes no test.
os.environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
os.environ |= dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Start a Chromium, or skip the test where there is none."""
    from in_browser import QUIET, chromium

    sync_api = pytest.importorskip("playwright.sync_api")
    if chromium() is None:
        pytest.skip("there is no Chromium here")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        yield running
        running.close()


@pytest.fixture
def opened(browser: "Browser") -> Iterator["Opened"]:
    """Give what opens pages from disk."""
    from in_browser import Opened

    pages = Opened(browser)
    yield pages
    pages.close()


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a project of one post, not yet built, the working folder."""
    (tmp_path / "content/posts").mkdir(parents=True)
    (tmp_path / "content/posts/one.md").write_text("# One\n\nWords.\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def context(tmp_path: Path) -> "PageContext":
    """The page of a post in a small site, a drawing beside the post."""
    from made_site import make_context

    made = make_context(tmp_path)
    (tmp_path / "content/posts/line.svg").write_text('<svg viewBox="0 0 9 9"/>')
    return made


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the small site; gives the folder of its pages."""
    from made_site import build_site

    return build_site(tmp_path_factory.mktemp("made"), "paper", "small")


@pytest.fixture(scope="module")
def own_post(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site of this repository, and give the page of its post."""
    from press.cli import main

    root, out = Path(__file__).parent.parent, tmp_path_factory.mktemp("own") / "site"
    folders = ["--content", str(root / "content"), "--results", str(root / "results")]
    assert main(["build", *folders, "--run", "never", "--out", str(out)]) == 0
    return out / "posts" / "deep-image-prior.html"
