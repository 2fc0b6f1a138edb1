"""What a post can hold, in a real browser; and the page that follows its file while one writes."""

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from in_browser import Opened, check_accessibility
from made_site import serving

from press.cli import main

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SITES = Path(__file__).parent / "sites"
POSTS = {"draft": "posts/first_draft.html", "whole": "posts/every-thing.html"}


@pytest.fixture(scope="module", params=sorted(POSTS))
def post(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a small site as it is published, and give its post's page on disk."""
    work = tmp_path_factory.mktemp(request.param) / "work"
    shutil.copytree(SITES / request.param, work)
    folders = ["--content", str(work / "content"), "--out", str(work / "site")]
    assert main(["build", *folders, "--base-url", ""]) == 0
    return work / "site" / POSTS[request.param]


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_scrolls_sideways(opened: Opened, post: Path, width: int) -> None:
    page = opened(post, viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessibility(opened: Opened, post: Path, scheme: str) -> None:
    page = opened(post, color_scheme=scheme)
    check_accessibility(page)


def test_formulas_are_set_without_a_script(opened: Opened, post: Path) -> None:
    page = opened(post, java_script_enabled=False)
    formula = page.locator(".equation .katex-html").first
    assert formula.bounding_box()["height"] > 15
    fonts = "getComputedStyle(document.querySelector('.mathnormal')).fontFamily"
    page = opened(post)
    assert "KaTeX_Math" in page.evaluate(fonts)
    assert page.evaluate("document.fonts.check('16px KaTeX_Math', 'x')")


def test_the_page_follows_its_file(browser: "Browser", tmp_path: Path) -> None:
    (tmp_path / "content/posts").mkdir(parents=True)
    file = tmp_path / "content/posts/one.md"
    file.write_text("# One\n\nFirst words.\n")
    with serving(tmp_path) as address:
        page = browser.new_context().new_page()
        page.goto(f"{address}posts/one.html")
        page.get_by_text("First words.").wait_for()
        file.write_text("# One\n\nSecond words.\n")
        page.get_by_text("Second words.").wait_for()
        file.write_text("# One\n\nBroken $\\words$.\n")
        alert = page.get_by_role("alert")
        alert.wait_for()
        assert re.search(r"one\.md:3:9: in this formula: .*\\words", alert.inner_text())
        assert page.get_by_text("Second words.").is_visible()
        file.write_text("# One\n\nThird words.\n")
        page.get_by_text("Third words.").wait_for()
        assert page.get_by_role("alert").count() == 0
