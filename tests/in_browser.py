"""A real browser for tests: where it is found, and pages opened from disk without a complaint."""

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str | None:
    """Find a Chromium: the one that CHROMIUM names, else one on the path."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next((p for n in names if (p := shutil.which(n))), None)


class Opened:
    """Opens pages from disk; whatever the browser complains of, at any time, fails the test."""

    def __init__(self, browser: "Browser") -> None:
        """Begin with no page."""
        self.browser, self.complaints = browser, list[str]()
        self.pages = list["Page"]()

    def __call__(self, path: Path, **settings: Any) -> "Page":
        """Open a page in a context of its own."""
        settings = {"viewport": {"width": 1280, "height": 900}, **settings}
        page = self.browser.new_context(**settings).new_page()
        self.pages.append(page)
        page.set_default_timeout(120_000)  # a busy machine is no fault of the page
        complain = self.complaints.append
        page.on("console", lambda message: complain(message.text))
        page.on("pageerror", lambda error: complain(str(error)))
        page.on("requestfailed", lambda request: complain(f"failed: {request.url}"))
        page.on("request", lambda request: complain(request.url)
                if not request.url.startswith(("file:", "data:")) else None)  # fmt: skip
        page.goto(path.as_uri())
        page.wait_for_load_state("load")
        assert not self.complaints, self.complaints
        return page

    def close(self) -> None:
        """Close the pages, once they have said all that they had to say."""
        for page in self.pages:
            page.wait_for_timeout(50)
        said = list(self.complaints)  # closing ends requests, which is no fault of the page
        for page in self.pages:
            page.context.close()
        assert not said, said


def check_accessibility(page: "Page") -> None:
    """Fail, with axe's report, where a rule of accessibility is broken."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    # Preloaded are style sheets, by requests that a page from disk may not make.
    results = axe.Axe().run(page, options={"resultTypes": ["violations"], "preload": False})
    assert results.violations_count == 0, results.generate_report()
