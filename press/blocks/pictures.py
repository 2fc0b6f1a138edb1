"""Pictures of records on a page: copied as they are, and small ones made for rows and strips."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from press.cache import Cache
from press.charts.svg import element
from press.files import sha256_of
from press.results.numbers import THIN_SPACE, decimal, grouped, listed
from press.results.run import Run

if TYPE_CHECKING:
    from press.page import PageContext

EXACT_SIDES = (128, 256, 512)  # widths that the style sheet enlarges by whole numbers


def picture(
    context: "PageContext", run: Run, name: str | int, *, alternative: str, lazy: bool = True
) -> Markup:
    """Show a picture of a record with its true pixels, or say why there is none."""
    path = run.picture(name)
    if path is None:
        return absent(context, run)
    width, height = run.size
    context.shown[run.name, str(name)] = None
    return image(context.copy(path), width, height, alternative, lazy=lazy)


def image(url: str, width: int, height: int, alternative: str, *, lazy: bool = True) -> Markup:
    """Write an image element with its size, so that nothing shifts while it loads."""
    exact = width if width == height and width in EXACT_SIDES else "other"
    return _img(url, (width, height), alternative, f"pixels native-{exact}", lazy=lazy)


def _img(url: str, size: tuple[int, int], alternative: str, class_: str, *, lazy: bool) -> Markup:
    return element(
        "img",
        src=url,
        width=size[0],
        height=size[1],
        alt=alternative,
        class_=class_,
        loading="lazy" if lazy else None,
        decoding="async",
    )


def absent(context: "PageContext", run: Run) -> Markup:
    """Stand in for a picture that is not to be shown, or not run yet."""
    if run.recorded and not run.shown:
        words = f"{run.title}: not shown"
        why = why_not_shown(context, run)
        return Markup('<span class="absent" title="{}">{}</span>').format(why, words)
    return Markup('<span class="absent absent-not-run">not run yet</span>')


def why_not_shown(context: "PageContext", run: Run) -> str:
    """Give the reason why a run has no pictures; empty if they may be shown."""
    if run.shown:
        return ""
    images, image = context.results.images, run.case.image
    if not images.shown(image):
        return images.why_not_shown(image)
    cases = run.suite.cases.values()
    kept = {case.image for case in cases if case.pictures and images.shown(case.image)}
    whose = f"only of {listed(sorted(map(images.title, kept)))}" if kept else "of no image"
    return f"so that the results stay small, this suite keeps pictures {whose}"


def thumbnail(context: "PageContext", path: Path, side: int, alternative: str) -> Markup:
    """Show a picture reduced by a whole number to at most `side` pixels a side."""
    context.note(path)
    digest = sha256_of(path)
    width, height = size_of(path)
    factor = -(-max(width, height) // side)
    if factor > 1:
        cache = Cache(context.cache_dir)
        path = cache.file(
            "thumbnails", f"{digest}|{factor}", ".webp", lambda: reduced(path, factor)
        )
        width, height = -(-width // factor), -(-height // factor)
    return _img(context.copy(path), (width, height), alternative, "thumbnail", lazy=True)


def size_of(path: Path) -> tuple[int, int]:
    """Read the width and height of a lossless WebP from its head; of others by decoding."""
    head = path.read_bytes()[:25]
    if head[12:16] != b"VP8L":
        return _decoded_size(path)
    bits = int.from_bytes(head[21:25], "little")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def _decoded_size(path: Path) -> tuple[int, int]:
    from PIL import Image

    with Image.open(path) as opened:
        return opened.size


def reduced(path: Path, factor: int) -> bytes:
    """Reduce a picture by averaging squares of `factor` pixels a side; gives lossless WebP."""
    from PIL import Image

    stream = io.BytesIO()
    with Image.open(path) as opened:
        opened.reduce(factor).save(stream, "WEBP", lossless=True, quality=80, method=4)
    return stream.getvalue()


def in_words(run: Run, iteration: int, psnr_db: float | None) -> str:
    """Describe an iterate for those who do not see it; None where there is no original."""
    level = "" if psnr_db is None else f", {decimal(psnr_db)}{THIN_SPACE}dB"
    return f"{run.title} after {grouped(iteration)} iterations{level}"
