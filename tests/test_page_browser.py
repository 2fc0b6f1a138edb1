"""The page in a real browser, from disk: narrow and wide, both themes, keys, pointer, paper."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from in_browser import Opened, check_accessibility
from made_site import build_site

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGES = (
    "posts/post.html",
    "runs/paper/anna/seed0.html",
    "runs/index.html",
    "index.html",
    "404.html",
)


@pytest.fixture(scope="module")
def empty_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(tmp_path_factory.mktemp("empty"))


@pytest.mark.parametrize("width", [360, 768, 1000, 1280, 1720])
@pytest.mark.parametrize("name", PAGES)
def test_nothing_scrolls_sideways(opened: Opened, site: Path, width: int, name: str) -> None:
    page = opened(site / name, viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_a_phone_all_rows_of_a_table_have_one_axis_and_its_numbers(
    opened: Opened, site: Path
) -> None:
    page = opened(site / "posts/post.html", viewport={"width": 375, "height": 800})
    drawn = """(all, of) => all.map(e => [...e.querySelectorAll(of)].map(
      e => { const b = e.getBoundingClientRect(); return [b.x, b.width].join() }))"""
    rows = page.locator(".dot-table tbody").evaluate_all(drawn, ".dots:not(.axis)")
    assert len(rows) > 1 and all(len(table) > 1 for table in rows)
    assert len({place for table in rows for place in table}) == 1
    numbers = page.locator(".dot-table tbody").evaluate_all(drawn, ".axis")
    assert [len(table) for table in numbers] == [len(table) for table in rows]
    assert {place for table in numbers for place in table} == {rows[0][0]}


@pytest.mark.parametrize("name", PAGES[:2])
def test_on_a_phone_no_word_of_a_drawing_is_small_or_cut(
    opened: Opened, site: Path, name: str
) -> None:
    page = opened(site / name, viewport={"width": 375, "height": 800})
    found = page.locator("svg :is(text, tspan)").evaluate_all(
        """all => all.filter(e => e.checkVisibility() && !e.closest("thead")).map(e => {
          const svg = e.closest("svg"), box = e.getBoundingClientRect();
          const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
          return [parseFloat(getComputedStyle(e).fontSize) * scale, box.left, box.right] })"""
    )
    assert found and all(size >= 10.5 for size, _, _ in found)
    assert all(left >= 0 and right <= 375 for _, left, right in found)


def test_nothing_scrolls_sideways_where_nothing_is_recorded(
    opened: Opened, empty_site: Path
) -> None:
    page = opened(empty_site / "posts/post.html", viewport={"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_accessibility(opened: Opened, site: Path, scheme: str, name: str) -> None:
    page = opened(site / name, color_scheme=scheme)
    check_accessibility(page)


def test_reading_needs_no_script(opened: Opened, site: Path) -> None:
    page = opened(site / "posts/post.html", java_script_enabled=False)
    assert page.locator(".contact img").count() == 5
    assert page.locator(".contact img").first.is_visible()
    assert page.locator(".compare-side img").count() == 2
    assert page.locator(".scrubber-help").is_hidden()
    assert page.locator("th button").count() == 0


def test_the_scrubber_goes_by_keys(opened: Opened, site: Path) -> None:
    page = opened(site / "posts/post.html")
    handle = page.locator(".scrubber [role=slider]")
    picture = page.locator(".scrubber-picture img")
    handle.focus()
    assert handle.get_attribute("aria-valuenow") == "1000"
    last = picture.get_attribute("src")
    seen = []
    for key in ("Home", "ArrowRight", "ArrowRight", "ArrowLeft", "End"):
        page.keyboard.press(key)
        seen.append(handle.get_attribute("aria-valuenow"))
    assert seen == ["0", "62", "250", "62", "1000"]
    assert picture.get_attribute("src") == last
    page.keyboard.press("Home")
    assert picture.get_attribute("src") != last
    assert "Iteration 0: 8.00" in page.locator(".scrubber-words").inner_text()
    assert handle.get_attribute("aria-valuetext") == page.locator(".scrubber-words").inner_text()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 32


def test_the_scrubber_goes_by_pointer(opened: Opened, site: Path) -> None:
    page = opened(site / "posts/post.html")
    handle = page.locator(".scrubber [role=slider]")
    chart = page.locator(".scrubber-chart svg")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.6 * box["width"], middle)
    page.mouse.down()
    between = handle.get_attribute("aria-valuenow")
    page.mouse.move(box["x"] + 2, middle, steps=5)
    first = handle.get_attribute("aria-valuenow")
    page.mouse.up()
    page.mouse.move(box["x"] + box["width"] - 2, middle)
    assert between not in ("0", "1000", None)
    assert first == handle.get_attribute("aria-valuenow") == "0"
    page.locator(".contact li").nth(2).click()
    assert handle.get_attribute("aria-valuenow") == "250"


def test_comparing_by_drag_keys_and_blink(opened: Opened, site: Path) -> None:
    page = opened(site / "posts/post.html")
    stage = page.locator(".compare-stage")
    handle = page.locator(".compare-handle")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 20)
    page.mouse.down()
    page.mouse.up()
    assert handle.get_attribute("aria-valuenow") in ("24", "25", "26")
    page.keyboard.press("End")
    assert handle.get_attribute("aria-valuenow") == "100"
    page.keyboard.press("ArrowLeft")
    assert handle.get_attribute("aria-valuenow") == "98"
    page.keyboard.down("b")
    assert "blink" in (stage.get_attribute("class") or "")
    page.keyboard.up("b")
    assert "blink" not in (stage.get_attribute("class") or "")
    assert page.locator(".lens canvas").count() == 2


def test_a_table_can_be_sorted_and_goes_back(opened: Opened, site: Path) -> None:
    page = opened(site / "posts/post.html")
    table = page.locator("#tab-results table[data-sortable]")
    names = table.locator("tbody th.name")
    assert names.all_inner_texts() == ["Anna", "Bob", "Mean"]
    button = table.locator("thead th", has_text="ours").locator("button")
    button.focus()
    orders = []
    for _ in range(3):
        page.keyboard.press("Enter")
        orders.append((names.all_inner_texts(), table.locator("th[aria-sort]").count()))
    assert orders == [(["Anna", "Bob", "Mean"], 1), (["Bob", "Anna", "Mean"], 1),
                      (["Anna", "Bob", "Mean"], 0)]  # fmt: skip
    rows = table.locator("tbody tr")
    for row, level in ((0, "5.18×10⁻⁵"), (1, "0.02")):
        rows.nth(row).evaluate(
            "(row, level) => row.querySelectorAll('td.number').forEach(c => c.textContent = level)",
            level,
        )
    page.keyboard.press("Enter")
    assert names.all_inner_texts() == ["Bob", "Anna", "Mean"]
    rows.nth(0).evaluate(
        "row => row.querySelectorAll('td.number').forEach(c => c.textContent = 'not run yet')"
    )
    for order in ("ascending", "none", "descending"):
        page.keyboard.press("Enter")
        expected = ["Anna", "Bob", "Mean"]  # a number, and then words, in both directions
        assert names.all_inner_texts() == expected, order


def test_pictures_are_enlarged_by_whole_numbers_and_not_smoothed(
    opened: Opened, tmp_path: Path
) -> None:
    """The style sheet's sizes for the sides that the suites have, at every width of the page."""
    styles = Path(__file__).parent.parent / "templates" / "styles"
    sheet = "".join(path.read_text() for path in sorted(styles.glob("*.css")))
    images = "".join(
        f'<div class="{frame}"><img class="pixels native-{side}" width="{side}" height="{side}" '
        'alt="" src="data:image/gif;base64,'
        'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7">'
        "</div>"
        for side in (128, 256, 512)
        for frame in ("film", "scrubber-picture", "compare")
    )
    html = tmp_path / "page.html"
    body = f'<main class="sheet"><figure class="wide"><div class="scrubber">{images}</div></figure>'
    html.write_text(f"<!DOCTYPE html><style>{sheet}</style><body>{body}")
    for width in (360, 800, 1280, 1720):
        page = opened(html, viewport={"width": width, "height": 800})
        found = page.evaluate(
            """[...document.images].map(i => [i.getBoundingClientRect().width,
               +i.getAttribute("width"), getComputedStyle(i).imageRendering])"""
        )
        for shown, side, rendering in found:
            assert shown % side == 0 or side % shown == 0, (width, shown, side)
            if shown > side:
                assert rendering == "pixelated", (width, shown, side)
            if shown < side:
                assert rendering == "auto", (width, shown, side)


def test_paper_has_no_controls(opened: Opened, site: Path) -> None:
    page = opened(site / "posts/post.html")
    page.emulate_media(media="print")
    for selector in (
        ".scrubber-help",
        ".scrubber-stage",
        ".compare-tools",
        ".site-head",
        "summary",
    ):
        elements = page.locator(selector).all()
        assert elements and all(element.is_hidden() for element in elements), selector
    assert page.locator(".contact img").first.is_visible()
    assert page.locator(".film img").first.is_visible()
    one, other = (image.bounding_box() for image in page.locator(".compare-stage img").all())
    assert one and other and other["x"] + other["width"] <= one["x"], "side by side, input first"
    assert len(page.pdf(prefer_css_page_size=True)) > 20_000


def test_every_picture_has_its_size_and_a_text(opened: Opened, site: Path) -> None:
    page = opened(site / "posts/post.html", java_script_enabled=False)
    bare = page.locator("img:not([width]), img:not([height]), img:not([alt])")
    assert bare.count() == 0


def test_what_can_be_focused_shows_it(opened: Opened, site: Path) -> None:
    page = opened(site / "posts/post.html")
    for _ in range(12):
        page.keyboard.press("Tab")
        style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert style != "none"


def test_the_post_of_the_site_is_light(browser: "Browser", own_post: Path) -> None:
    """Everything that reading the post loads but its pictures: under 150 kB compressed."""
    import gzip

    loaded: set[Path] = set()
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.on("request", lambda request: loaded.add(Path(request.url.removeprefix("file://"))))
    page.goto(own_post.as_uri())
    page.evaluate("document.fonts.ready.then(() => null)")
    kinds = {".html", ".css", ".js", ".woff2", ".json"}
    sizes = {path.name: len(gzip.compress(path.read_bytes())) for path in loaded
             if path.suffix in kinds}  # fmt: skip
    assert any(name.endswith(".woff2") for name in sizes)
    assert sum(sizes.values()) < 150_000, sizes
    page.close()


@pytest.mark.parametrize("width", [320, 360, 768, 1280, 1720])
def test_the_post_of_the_site_fits(opened: Opened, own_post: Path, width: int) -> None:
    page = opened(own_post, viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    captions = "[...document.querySelectorAll('caption')]"
    ends = page.evaluate(f"{captions}.map(one => one.getBoundingClientRect().right)")
    assert max(ends) <= width, "of a table that scrolls, the caption does not"


def test_references_stand_beside_their_lines_and_do_not_touch(
    opened: Opened, own_post: Path
) -> None:
    page = opened(own_post, viewport={"width": 1280, "height": 900})
    page.wait_for_selector(".side-note")
    boxes = page.evaluate(
        """[...document.querySelectorAll('.side-note, .sheet > .wide, .sheet > .full')].map(e => {
           const b = e.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom] })"""
    )
    for i, (left, top, right, bottom) in enumerate(boxes):
        assert right <= 1280
        for other in boxes[i + 1 :]:
            apart = bottom <= other[1] or other[3] <= top or right <= other[0] or other[2] <= left
            assert apart, (boxes[i], other)
    lists = "document.querySelectorAll('.contents-margin, .contents-folded')"
    shown = f"[...{lists}].map(list => list.checkVisibility())"
    assert page.evaluate(shown) == [True, False]
    page.evaluate(
        """document.querySelector('.sheet > .title').insertAdjacentHTML(
           'afterend', '<div class="wide" style="height: 300px">wide</div>')"""
    )
    page.set_viewport_size({"width": 1290, "height": 900})
    page.wait_for_selector(".crowded")
    assert page.evaluate(shown) == [False, True], "over a wide block the list of contents folds"
