"""Pictures of posts: upright, in their colours, under addresses that browsers understand."""

import re
import struct
import zlib
from html import unescape
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote

import pytest
from PIL import Image, ImageCms
from reading import Told

from press.blocks.images import reduced
from press.cli import main
from press.errors import InputError
from press.markdown.assets import PIXELS, opened

RED, BLUE = (220, 30, 30), (30, 30, 220)
WIDE = 700, 300  # so that there is a smaller copy


def write_pictures(folder: Path) -> None:
    """Write a picture of each kind."""
    exif = Image.Exif()
    exif[0x0112] = 6  # the left side is shown at the top
    lying = Image.new("RGB", (1600, 900), BLUE)
    lying.paste(RED, (0, 0, 400, 900))
    lying.save(folder / "lying.jpg", exif=exif)
    for name in ("my pic.png", "a, b.png", "100% #1?.png", "größe.png"):
        Image.new("RGB", WIDE, RED).save(folder / name)
    frames = [Image.new("RGB", WIDE, colour) for colour in (RED, BLUE)]
    frames[0].save(folder / "moving.webp", save_all=True, append_images=frames[1:])
    frames[0].save(folder / "moving.png", save_all=True, append_images=frames[1:])
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    frames[0].save(folder / "profile.jpg", icc_profile=profile)
    Image.new("CMYK", WIDE, (200, 0, 0, 0)).save(folder / "print.jpg")
    Image.new("I;16", WIDE, 30000).save(folder / "deep.png")
    Image.new("L", WIDE, 90).save(folder / "grey.png")
    for name in ("old.tif", "old.bmp"):
        Image.new("RGB", (8, 8)).save(folder / name)


def images_of(page: Path) -> dict[str, dict[str, str]]:
    """The attributes of each picture of a page, by its text."""
    tags = re.findall(r"<img ([^>]*)>", page.read_text())
    found = [
        {name: unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        for tag in tags
    ]
    return {one["alt"]: one for one in found}


def copies(page: Path, image: dict[str, str]) -> dict[str, Path]:
    """The files that a picture's srcset names, by their widths."""
    rows = [row.split() for row in image.get("srcset", "").split(", ") if row]
    return {width: page.parent / unquote(url) for url, width in rows}


def test_smaller_copies_look_as_the_picture_does(work: Path, capsys: Told) -> None:
    posts = work / "content/posts"
    write_pictures(posts)
    good = {path.name for path in posts.iterdir()} - {"old.tif", "old.bmp", "one.md"}
    lines = [f"![{name}](<{name.replace('%', '%25')}>)" for name in sorted(good)]
    (posts / "one.md").write_text("---\ntitle: One\n---\n\n" + "\n\n".join(lines))
    two = "![A](old.tif)\n\n![B](old.bmp)\n"
    (posts / "two.md").write_text(
        f'---\ntitle: T\n---\n::: figure src="old.tif" alt="C"\n:::\n{two}'
    )
    assert main(["check"]) == 1
    told = capsys.readouterr().err
    assert told.count("TIFF") == 2 and "warning: 'old.tif'" not in told
    (posts / "two.md").write_text(f"# Two\n\n{two}")
    assert main(["check"]) == 0  # every address leads to a file
    told = capsys.readouterr().err.splitlines()
    shown = "browsers show PNG, JPEG, WEBP, AVIF, GIF, SVG [image]"
    assert told == [
        f"content/posts/two.md:3:1: warning: 'old.tif' is a TIFF file; {shown}",
        f"content/posts/two.md:5:1: warning: 'old.bmp' is a BMP file; {shown}",
    ]
    page = work / "site/posts/one.html"
    images = images_of(page)
    assert {name for name, one in images.items() if "srcset" not in one} == {
        "moving.webp", "moving.png", "print.jpg", "deep.png",
    }  # fmt: skip
    for name, one in images.items():
        assert (page.parent / unquote(one["src"])).read_bytes() == (posts / name).read_bytes()
        assert not set(one["src"]) & set(" ,#?"), one["src"]
        assert all(path.is_file() for path in copies(page, one).values())
    copies_of_grey = copies(page, images["grey.png"])["640w"].read_bytes()[:16]
    upright = images["lying.jpg"]
    assert (upright["width"], upright["height"]) == ("900", "1600")
    assert set(copies(page, upright)) == {"640w", "900w"}
    with Image.open(copies(page, upright)["640w"]) as small:
        assert small.size == (640, 1138)
        top, bottom = small.getpixel((320, 100)), small.getpixel((320, 1000))
    assert top[0] > top[2] and bottom[2] > bottom[0]  # type: ignore[index]
    with (
        Image.open(posts / "profile.jpg") as whole,
        Image.open(copies(page, images["profile.jpg"])["640w"]) as small,
    ):
        assert small.info["icc_profile"] == whole.info["icc_profile"]
    (posts / "grey.png").rename(posts / "grey.jpg")  # of another name, of another kind
    (posts / "one.md").write_text("# One\n\n![grey](grey.jpg)\n")
    assert main([]) == 0
    small = copies(page, images_of(page)["grey"])["640w"]
    assert b"VP8 " in small.read_bytes()[:16] and b"VP8L" in copies_of_grey


def test_a_picture_with_too_many_pixels_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    for side in (10_001, 2**31 - 1):
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
        (tmp_path / "large.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b""))
        with (
            pytest.raises(InputError, match=f"has over {PIXELS:,} pixels"),
            opened(tmp_path / "large.png"),
        ):
            pass


def test_a_thumbnail_stands_upright_in_any_mode(tmp_path: Path) -> None:
    write_pictures(tmp_path)
    for name, size in (
        ("lying.jpg", (70, 124)),
        ("print.jpg", (117, 50)),
        ("moving.webp", (117, 50)),
    ):
        with Image.open(
            BytesIO(reduced(tmp_path / name, 13 if name == "lying.jpg" else 6))
        ) as small:
            assert small.size == size
    Image.new("P", (64, 64)).save(tmp_path / "palette.gif")
    with Image.open(BytesIO(reduced(tmp_path / "palette.gif", 2))) as small:
        assert small.size == (32, 32)
    with Image.open(BytesIO(reduced(tmp_path / "deep.png", 6))) as small:
        assert small.convert("L").getextrema() == (30000 // 257, 30000 // 257)
