"""What a reference or a citation points at, shown beside it: by pointer, by key, never by touch."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from in_browser import Opened, check_accessibility

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

POST = "posts/post.html"


def link_to(page: "Page", id: str) -> "Locator":
    """Find the reference to something of the page."""
    return page.locator(f"a.reference[href='#{id}']")


def test_a_citation_shows_its_reference(opened: Opened, own_post: Path) -> None:
    page = opened(own_post)
    link = page.locator("a.citation").first
    link.hover()
    assert "Ulyanov" in page.locator(".card").inner_text()
    assert link.get_attribute("aria-describedby") == page.locator(".card").get_attribute("id")
    page.keyboard.press("Escape")
    assert page.locator(".card").count() == 0


def test_a_figure_shows_its_pictures_and_caption(opened: Opened, site: Path) -> None:
    page = opened(site / POST)
    card = page.locator(".card")
    for id, words, wanted, count in [
        ("fig-strip", "From noise to picture.", "img", 6),
        ("fig-scrubber", "Drag along the curve.", "img", 1),
        ("fig-curves", "Curves.", "svg", 2),
    ]:
        link_to(page, id).hover()
        assert words in card.inner_text() and "Run" not in card.inner_text()
        assert card.locator(wanted).count() == count
        assert card.locator(wanted).first.bounding_box()["width"] < 340
        assert card.locator("[id], [role=slider], [tabindex]").count() == 0


def test_a_table_shows_its_caption_alone(opened: Opened, site: Path) -> None:
    page = opened(site / POST)
    link_to(page, "tab-results").hover()
    assert page.locator(".card").inner_text().strip() == "Table 1. What came out."
    assert page.locator(".card table").count() == 0


def test_an_equation_shows_itself_typeset(opened: Opened, site: Path) -> None:
    page = opened(site / POST)
    link_to(page, "eq-data").hover()
    formula = page.locator(".card .katex-html")
    assert formula.bounding_box()["height"] > 12
    assert page.locator(".card").inner_text().strip().endswith("(1)")


def test_a_footnote_shows_its_text(opened: Opened, site: Path) -> None:
    page = opened(site / POST)
    page.locator(".footnote-ref a").first.hover()
    assert page.locator(".card").inner_text().strip() == "The footnote."


def test_a_section_needs_no_card(opened: Opened, site: Path) -> None:
    page = opened(site / POST)
    link_to(page, "end").hover()
    assert page.locator(".card").count() == 0


def test_a_card_is_opened_and_left_by_key(opened: Opened, site: Path) -> None:
    page = opened(site / POST)
    link, card = link_to(page, "fig-strip"), page.locator(".card")
    for _ in range(40):
        page.keyboard.press("Tab")
        if link.evaluate("link => link === document.activeElement"):
            break
    assert "From noise to picture." in card.inner_text()
    page.mouse.move(5, 5)
    page.wait_for_timeout(400)
    assert card.count() == 1, "it stays while its link is focused"
    page.keyboard.press("Escape")
    assert card.count() == 0
    assert link.evaluate("link => link === document.activeElement")
    assert link.get_attribute("aria-describedby") is None
    page.keyboard.press("Tab")
    assert "Drag along the curve." in card.inner_text()


def test_a_card_stays_under_the_pointer_and_goes_without_it(opened: Opened, site: Path) -> None:
    page = opened(site / POST)
    link_to(page, "fig-strip").hover()
    card = page.locator(".card")
    box = card.bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + 20, steps=4)
    page.wait_for_timeout(400)
    assert card.count() == 1
    assert box["y"] >= 0 and box["y"] + box["height"] <= 900
    assert box["x"] >= 0 and box["x"] + box["width"] <= 1280
    page.mouse.move(2, 2)
    card.wait_for(state="detached")


def test_a_finger_follows_the_link_and_opens_nothing(opened: Opened, site: Path) -> None:
    page = opened(site / POST, has_touch=True, viewport={"width": 375, "height": 700})
    link_to(page, "fig-strip").tap()
    page.wait_for_function("location.hash === '#fig-strip'")
    assert page.locator(".card").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_open_card_is_accessible(opened: Opened, site: Path, scheme: str) -> None:
    page = opened(site / POST, color_scheme=scheme)
    for id in ("fig-strip", "fig-curves", "eq-data"):
        link_to(page, id).hover()
        page.locator(".card").wait_for()
        check_accessibility(page)


def test_a_card_fits_a_narrow_page(opened: Opened, site: Path) -> None:
    page = opened(site / POST, viewport={"width": 360, "height": 700})
    for id in ("fig-strip", "fig-curves", "eq-data"):
        link_to(page, id).hover()
        page.locator(".card").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_what_an_author_wrote_stops_no_script(opened: Opened, site: Path) -> None:
    html = (site / POST).read_text()
    odd = "The footnote.<pre tabindex='0'>a</pre><button>b</button>"
    html = html.replace("The footnote.", odd).replace("<h2", "<a href='#citation-50%'>c</a><h2", 1)
    (site / "posts/odd.html").write_text(html.replace('id="end"', 'id="card"'))
    page = opened(site / "posts/odd.html")
    page.locator("a[href='#citation-50%']").hover()
    page.locator(".footnote-ref a").first.hover()
    link = page.locator(".footnote-ref a").first
    assert link.get_attribute("aria-describedby") == page.locator("div.card").get_attribute("id")
    assert page.evaluate("[...document.querySelectorAll('#card')].length") == 1
    kept = "[...document.querySelectorAll('.side-note *')].filter(one => one.tabIndex >= 0).length"
    page.wait_for_selector(".side-note")
    assert page.evaluate(kept) == 0
