"""Tests that run beside each other, and what many of them need."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from in_browser import Opened
    from playwright.sync_api import Browser

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
