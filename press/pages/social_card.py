"""The picture by which other sites show a link to a post: what the post shows, at their size.

By default the input and the last iterate shown of the first run whose pictures the post shows,
else the picture that the front matter names. Pixels are enlarged by whole numbers, never smoothed.
"""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from press.errors import InputError
from press.files import sha256_of
from press.markdown.assets import Assets, opened, upright
from press.markdown.post import Post
from press.page import PageContext

if TYPE_CHECKING:
    from PIL import Image

WIDTH, HEIGHT, GAP = 1200, 630, 40  # pixels
PAPER = (254, 253, 251)  # the page's own background


def social_card(post: Post, title: str, context: PageContext, wanted: bool) -> dict[str, Any]:
    """Make a post's card: its address from the site's root, its text, its sides in pixels.

    Empty if the post has none, or it is not `wanted` (no base URL is known).
    A picture that the front matter names and that is not there is an error either way.
    """
    sources, words = pictures_of(post, title, context)
    if not sources or not wanted:
        return {}
    margin = 0 if post.image else GAP
    key = f"1|{margin}|{'|'.join(map(sha256_of, sources))}"
    data = context.cache.data("share", key, lambda: composed(sources, margin))
    url = context.media(f"{Path(post.url).stem}-shared", ".png", data)
    url = unquote(url.removeprefix(context.root))
    return {"url": url, "alternative": words, "width": WIDTH, "height": HEIGHT}


def pictures_of(post: Post, title: str, context: PageContext) -> tuple[list[Path], str]:
    """The pictures that stand for a post, and what they are: the front matter's, or a run's."""
    return (_named(post, context), title) if post.image else _of_a_run(context)


def _named(post: Post, context: PageContext) -> list[Path]:
    """The picture that the front matter names; empty, and an error, if it is none."""
    try:
        path = Assets(context, post.file.parent).find(post.image, "picture")
        if path.suffix.lower() == ".svg":
            raise InputError(f"'{path.name}' is a drawing; other sites show PNG, JPEG or WebP")
        with opened(path) as picture:
            picture.load()
    except InputError as error:
        context.error(post.places["image"], error.sentence)
        return []
    return [path]


def _of_a_run(context: PageContext) -> tuple[list[Path], str]:
    """The pictures of the first run that the page shows, and what they are."""
    if not context.shown:
        return [], ""
    name = next(iter(context.shown))[0]
    run = context.results.run(name)
    stems = [stem for shown, stem in context.shown if shown == name]
    kept = {path.stem: (path, output) for output in run.kept() if (path := output.picture)}
    steps = {stem: k for stem, (_, one) in kept.items() if isinstance(k := one.iteration, int)}
    chosen = max(stems, key=lambda stem: (stem != "input", steps.get(stem, 0)))
    found = [kept[stem] for stem in dict.fromkeys(("input", chosen)) if stem in kept]
    words = " and ".join(output.label for _, output in found)
    return [path for path, _ in found], f"{run.title}: {words}"


def composed(sources: list[Path], margin: int) -> bytes:
    """Put pictures beside each other in the middle of a sheet; the bytes of a PNG."""
    from PIL import Image

    sheet = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    room = (WIDTH - margin * (len(sources) + 1)) // len(sources), HEIGHT - 2 * margin
    pictures = [_fitted(path, *room) for path in sources]
    gaps = WIDTH - sum(picture.width for picture in pictures)
    left = (gaps - margin * (len(pictures) - 1)) // 2
    for picture in pictures:
        sheet.paste(picture, (left, (HEIGHT - picture.height) // 2))
        left += picture.width + margin
    stream = io.BytesIO()
    sheet.save(stream, "PNG")
    return stream.getvalue()


def _fitted(path: Path, width: int, height: int) -> "Image.Image":
    """Enlarge a picture by a whole number, or reduce it, so that it just fits."""
    from PIL import Image, ImageOps

    with opened(path) as file:
        whole = upright(file).convert("RGBA")
    background = Image.new("RGBA", whole.size, (*PAPER, 255))
    picture = Image.alpha_composite(background, whole).convert("RGB")
    factor = min(width // picture.width, height // picture.height)
    if factor:
        return ImageOps.scale(picture, factor, Image.Resampling.NEAREST)
    return ImageOps.contain(picture, (width, height), Image.Resampling.LANCZOS)
