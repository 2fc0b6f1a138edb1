"""The picture by which other sites show a link to a post."""

import io
import re
from pathlib import Path

import pytest
from made_site import make_results, run_press, write_content
from PIL import Image

BASE = "https://example.org/sub/"
STRIP = """---
title: A post
date: 2026-01-02
{}---

::: film-strip suite="small" images="{}" iterations="0 250"
From noise to picture.
:::
"""


def built(work: Path, *more: str) -> str:
    """Build the small site; gives its post's page."""
    assert run_press(work, "build", "--run", "never", *more) == 0
    return (work / "site/posts/post.html").read_text()


def meta(page: str) -> dict[str, str]:
    """Collect what a page's head says of its picture."""
    return dict(
        re.findall(r'<meta (?:property|name)="((?:og:image|twitter)[^"]*)" content="([^"]*)"', page)
    )


def shared(work: Path, page: str) -> Image.Image:
    """Open the picture that a page names, from where its address leads in the site."""
    address = meta(page)["og:image"]
    assert address.startswith(BASE)
    return Image.open(work / "site" / address.removeprefix(BASE))


def test_the_input_and_the_last_iterate_shown(tmp_path: Path) -> None:
    make_results(tmp_path, "small")
    (tmp_path / "content/posts/post.md").write_text(STRIP.format("", "anna bob"))
    page = built(tmp_path, "--base-url", BASE)
    said = meta(page)
    assert (said["og:image:width"], said["og:image:height"]) == ("1200", "630")
    assert said["og:image:alt"] == "Anna: the input and iteration 250"
    assert said["twitter:card"] == "summary_large_image"
    picture = shared(tmp_path, page)
    assert (picture.format, picture.size) == ("PNG", (1200, 630))
    side, snapshots = 32 * 16, tmp_path / "results/small/anna/seed0/snapshots"
    left, top = (1200 - 2 * side - 40) // 2, (630 - side) // 2
    for name, x in (("input", left), ("250", left + side + 40)):
        box = picture.crop((x, top, x + side, top + side))
        with Image.open(snapshots / f"{name}.webp") as source:
            true = source.convert("RGB").resize((side, side), Image.Resampling.NEAREST)
        assert box.tobytes() == true.tobytes()
    assert picture.getpixel((0, 0)) == (254, 253, 251)


def test_nothing_is_made_where_no_address_is_known(tmp_path: Path) -> None:
    make_results(tmp_path, "small")
    (tmp_path / "content/posts/post.md").write_text(STRIP.format("", "anna"))
    assert meta(built(tmp_path)) == {}
    assert not list((tmp_path / "site/media").glob("*shared*"))


def test_an_image_that_must_not_be_shown_is_not_shared(tmp_path: Path) -> None:
    make_results(tmp_path, "small")
    (tmp_path / "content/images.toml").write_text(
        '["set/anna"]\nshow = false\nwhy = "no licence"\n'
    )
    (tmp_path / "content/posts/post.md").write_text(STRIP.format("", "anna bob"))
    page = built(tmp_path, "--base-url", BASE)
    assert meta(page)["og:image:alt"] == "Bob: the input and iteration 250"
    (tmp_path / "content/posts/post.md").write_text(STRIP.format("", "anna"))
    assert meta(built(tmp_path, "--base-url", BASE)) == {}


@pytest.mark.parametrize(("size", "shown"), [((2400, 1000), (1200, 500)), ((100, 50), (1200, 600))])
def test_the_front_matter_names_one(
    tmp_path: Path, size: tuple[int, int], shown: tuple[int, int]
) -> None:
    make_results(tmp_path, "small")
    stream = io.BytesIO()
    Image.new("RGBA", size, (200, 0, 0, 255)).save(stream, "PNG")
    (tmp_path / "content/posts/red.png").write_bytes(stream.getvalue())
    (tmp_path / "content/posts/post.md").write_text(STRIP.format("image: red.png\n", "anna"))
    page = built(tmp_path, "--base-url", BASE)
    assert meta(page)["og:image:alt"] == "A post"
    reds = [n for n, colour in shared(tmp_path, page).getcolors() if colour == (200, 0, 0)]
    assert reds == [shown[0] * shown[1]]


def test_a_post_without_pictures_has_none(tmp_path: Path) -> None:
    write_content(tmp_path / "content", "---\ntitle: A\ndate: 2026-01-02\n---\n\nText.\n")
    assert meta(built(tmp_path, "--base-url", BASE)) == {}
