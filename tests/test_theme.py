"""The theme by key, by pointer, on a phone and on paper: what is shown can be used, and no more."""

from pathlib import Path

import pytest
from in_browser import Opened

pytestmark = [pytest.mark.browser, pytest.mark.slow]

POST = "posts/post.html"
PHONE = {"width": 375, "height": 700}
PAPER = {"width": 673, "height": 970}  # A4 without its margins, in pixels


def test_on_a_phone_what_sorts_a_table_is_seen(opened: Opened, site: Path) -> None:
    page = opened(site / POST, viewport=PHONE)
    table = page.locator("#tab-results")
    boxes = [button.bounding_box() for button in table.locator("button.sort").all()]
    assert len(boxes) > 3 and all(box and box["width"] > 20 and box["height"] > 10 for box in boxes)
    clipped = "button => getComputedStyle(button.closest('thead')).clipPath"
    assert table.locator("button.sort").first.evaluate(clipped) == "none"
    assert table.locator("thead .sign").first.is_visible(), "the signs are explained there"


def test_names_are_sorted_from_the_first_letter_on(opened: Opened, site: Path) -> None:
    page = opened(site / POST)
    table = page.locator("#tab-results")
    button, names = table.locator("th.name button"), table.locator("tbody th.name")
    button.click()
    assert table.locator("th[aria-sort=ascending]").count() == 1
    button.click()
    assert names.all_inner_texts() == ["Bob", "Anna", "Mean"]


def test_blinking_is_held_by_key(opened: Opened, site: Path) -> None:
    page = opened(site / POST)
    page.get_by_role("button", name="Hold to blink").focus()
    for key in ("Space", "Enter"):
        page.keyboard.down(key)
        assert page.locator(".compare-stage.blink").count() == 1, key
        page.keyboard.up(key)
        assert page.locator(".compare-stage.blink").count() == 0, key


def test_the_line_between_two_pictures_goes_by_all_keys_of_a_slider(
    opened: Opened, site: Path
) -> None:
    page = opened(site / POST)
    handle = page.locator(".compare-handle")
    handle.focus()
    for key, level in [
        ("ArrowUp", "52"),
        ("ArrowDown", "50"),
        ("PageUp", "60"),
        ("PageDown", "50"),
    ]:
        page.keyboard.press(key)
        assert handle.get_attribute("aria-valuenow") == level, key


def test_the_right_button_moves_nothing(opened: Opened, site: Path) -> None:
    page = opened(site / POST)
    for stage, handle in [
        (".compare-stage", ".compare-handle"),
        (".scrubber-chart svg", ".scrubber [role=slider]"),
    ]:
        before = page.locator(handle).get_attribute("aria-valuenow")
        page.locator(stage).click(button="right", position={"x": 30, "y": 30})
        assert page.locator(handle).get_attribute("aria-valuenow") == before, stage


def test_the_handle_covers_no_label(opened: Opened, site: Path) -> None:
    for width in (375, 1280):
        page = opened(site / POST, viewport={"width": width, "height": 800})
        ends = page.locator(".scrubber").evaluate(
            """root => [root.querySelector(".handle").getBoundingClientRect().right,
               ...[...root.querySelectorAll(".end")].map(e => e.getBoundingClientRect().left)]"""
        )
        assert len(ends) > 1 and ends[0] < min(ends[1:]), width


def test_pictures_to_compare_are_loaded_when_they_are_near(
    opened: Opened, site: Path, tmp_path: Path
) -> None:
    html = (site / POST).read_text().replace("</header>", '</header><div style="height:5000px">', 1)
    page_file = site / "posts" / "far.html"
    page_file.write_text(html)
    page = opened(page_file)
    images = page.locator(".compare img")
    loading = "all => all.map(image => image.loading)"
    assert set(images.evaluate_all(loading)) == {"lazy"}
    images.first.scroll_into_view_if_needed()
    page.locator(".compare img[loading=eager]").first.wait_for(state="attached")
    page_file.unlink()


def test_on_paper_tables_are_tables_and_lines_are_short(opened: Opened, site: Path) -> None:
    page = opened(site / POST, viewport=PAPER)
    page.emulate_media(media="print")
    shown = "element => getComputedStyle(element).display"
    assert page.locator(".dot-table").first.evaluate(shown) == "table"
    widths = page.locator("main p").evaluate_all("all => all.map(p => p.offsetWidth)")
    assert max(widths) <= 473, "125 mm"
    assert page.evaluate("document.documentElement.scrollWidth") <= PAPER["width"]


def test_the_ring_of_the_paper_is_drawn_over_our_dot(opened: Opened, site: Path) -> None:
    page = opened(site / POST)
    kinds = page.locator("#tab-results tbody .dots:not(.axis)").first.evaluate(
        "svg => [...svg.querySelectorAll('.dot')].map(dot => dot.getAttribute('class'))"
    )
    assert kinds[-2:] == ["dot dot-ours", "dot dot-paper"]
