"""Pictures and files of a post: found beside it and copied under a name with their hash.

Wide pictures get smaller copies besides, for small screens.
"""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from press.diagnostics import Place
from press.errors import InputError
from press.files import content_of, sha256_of
from press.markdown.post import load_post, slug
from press.page import PageContext
from press.paths import AbsentError, is_unsafe

if TYPE_CHECKING:
    from PIL import Image

WIDTHS = (640, 1280)  # of the smaller copies, in pixels
OUTSIDE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)
ON_SITE = "site:"  # how the address of a page begins that no post stands behind
NUMBER = r"(\d{1,9}(?:\.\d+)?)"
VIEW_BOX = re.compile(rf"""viewBox\s*=\s*["'](?:[\d.eE+-]+[\s,]+){{2}}{NUMBER}[\s,]+{NUMBER}""")
PIXELS = 100_000_000  # that a picture may have
SHOWN = ("PNG", "JPEG", "WEBP", "AVIF", "GIF", "SVG")  # formats that browsers show
READ = (*SHOWN[:-1], "TIFF", "BMP")
MPO = "MPO"  # a JPEG of a camera with a further picture behind the one that is shown
ORIENTATION = 0x0112  # the tag of EXIF
ON_ITS_SIDE = (5, 6, 7, 8)  # values of it that exchange width and height
WEBP_SIDE = 16383  # pixels at most
GAMMA = 1 / 2.2  # that every browser takes for granted


@contextmanager
def opened(path: Path) -> "Iterator[Image.Image]":
    """A picture's file while it is read; raises InputError if it is none, or one too large.

    Its size is looked at before anything is decoded.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=READ) as image:
            if image.width * image.height > PIXELS:
                raise Image.DecompressionBombError
            yield image
    except InputError:
        raise
    except Image.DecompressionBombError:
        raise InputError(f"'{path.name}' has over {PIXELS:,} pixels") from None
    except Exception:  # noqa: BLE001 - whatever a damaged file makes the decoders raise
        raise InputError(f"'{path.name}' cannot be read as a picture") from None


def turned(image: "Image.Image") -> int:
    """How a picture is to be turned to stand upright, as EXIF numbers it; 1: not at all."""
    if image.format != "PNG" or "exif" in image.info:  # else it is looked for behind the pixels
        with suppress(Exception):  # whatever damaged data raise
            value = int(image.getexif().get(ORIENTATION, 1))
            return value if 1 < value < 9 else 1
    return 1


def upright_size(image: "Image.Image") -> tuple[int, int]:
    """The width and height in pixels of a picture as browsers show it."""
    width, height = image.size
    return (height, width) if turned(image) in ON_ITS_SIDE else (width, height)


def upright(image: "Image.Image") -> "Image.Image":
    """A picture as browsers show it: RGB, RGBA or grey, turned as its EXIF data say."""
    from PIL import ImageOps

    mode = "RGBA" if image.has_transparency_data else "RGB"
    if image.mode.startswith("I"):  # grey of 16 bit, which a conversion would cut at 255
        plain = image.convert("I").point(lambda level: level * (1 / 257)).convert("L")
    else:
        plain = image if image.mode in ("L", "RGB", "RGBA") else image.convert(mode)
    return ImageOps.exif_transpose(plain) if turned(image) > 1 else plain


def can_be_scaled(image: "Image.Image") -> bool:
    """Whether a smaller copy would look the same: one frame, in colours that WebP can have."""
    frames = getattr(image, "n_frames", 1) if image.format != MPO else 1
    is_plain = abs(image.info.get("gamma", GAMMA) - GAMMA) < 0.01
    is_grey = image.mode in ("1", "L", "LA") and "icc_profile" not in image.info
    fits = frames == 1 and max(image.size) <= WEBP_SIDE
    return fits and is_plain and (is_grey or image.mode in ("P", "RGB", "RGBA"))


@dataclass
class Assets:
    """The pictures and files that a page takes from the folder of its post."""

    context: PageContext
    folder: Path  # where relative addresses begin
    count: int = 0

    def find(self, address: str, what: str) -> Path:
        """The local file that an address names, `#` and `?` encoded or not; InputError if none."""
        try:
            return self.context.file(unquote(urlsplit(address).path), self.folder, what)
        except AbsentError:
            with suppress(AbsentError):
                return self.context.file(unquote(address), self.folder, what)
            raise

    def address(self, href: str, place: Place) -> str:
        """Where a link leads on the site; one to nothing is an error.

        Another post's file becomes its page, `site:runs/index.html` is named from the site's root,
        any other file is copied. An address that runs a script is an error, and leads nowhere.
        """
        href = href.strip()  # as browsers do
        if is_unsafe(href):
            self.context.error(place, f"'{href}' is an address that no page may link to")
            return ""
        if href.startswith(ON_SITE):
            return self.context.root + href.removeprefix(ON_SITE)
        if OUTSIDE.match(href) or not href:
            return href
        if href.startswith("/"):
            self.context.error(place, f"'{href}' would leave the site's folder; write site:...")
            return href
        try:
            path = self.find(href, "file")
        except InputError as error:
            self.context.error(place, error.sentence)
            return href
        if path.suffix == ".md" and path.parent.resolve() == self.folder.resolve():
            with suppress(InputError):  # which is told where that post is made
                if not self.context.drafts and load_post(path).draft:
                    self.context.error(place, f"'{href}' is a draft, which the site does not have")
            return urlsplit(href)._replace(path=quote(f"{slug(path.stem)}.html"), query="").geturl()
        parts = urlsplit(href)  # a place in the file stays, such as the page of a PDF
        is_place = parts.fragment and path.name == unquote(parts.path).rpartition("/")[2]
        return self.context.copy(path) + (f"#{parts.fragment}" if is_place else "")

    def picture(
        self, address: str, alt: str | None, place: Place, given: dict[str, str] | None = None
    ) -> str:
        """A picture as an <img>; tells of an absent file and of an absent text for who cannot see.

        The attributes `given` are the author's and go before ours.
        """
        given, alt, address = given or {}, alt or "", address.strip()
        if not alt.strip():
            self._tell(place, f"the picture '{address}' has no alternative text")
        if OUTSIDE.match(address):
            if not address.startswith("data:"):
                self.context.warn(
                    place,
                    f"the picture '{address}' is not on this site, and the page will not show it;"
                    " put it beside the post",
                )
            return tag("img", {"src": address, "alt": alt, **given})
        try:
            path = self.find(address, "picture")
        except AbsentError as error:
            self._tell(place, error.sentence)
            return f'<span class="absent">Picture to come: {escape(address)}</span>'
        except InputError as error:
            self.context.error(place, error.sentence)
            return ""
        return self.shown(path, alt, place, given)

    def shown(self, path: Path, alt: str, place: Place, given: dict[str, str]) -> str:
        """A picture's file as an <img>; tells of one that is none, or that browsers do not show."""
        self.count += 1
        lazy = {"loading": "lazy", "decoding": "async"} if self.count > 1 else {}
        try:
            size, form, scalable = self._measured(path)
            sources = {"src": self.context.copy(path), "alt": alt}
            if size and scalable:
                sources |= self._smaller(path, sources["src"], size[0])
        except InputError as error:
            self.context.error(place, error.sentence)
            return ""
        if form not in SHOWN:
            self._tell(place, f"'{path.name}' is a {form} file; browsers show {', '.join(SHOWN)}")
        sized = {} if size is None or {"width", "height"} & set(given) else {
            "width": str(size[0]), "height": str(size[1])
        }  # fmt: skip
        return tag("img", {**sources, **sized, **lazy, **given})

    def _tell(self, place: Place, sentence: str) -> None:
        self.context.warn(place, sentence, self.context.is_checked, "image")

    def _measured(self, path: Path) -> tuple[tuple[int, int] | None, str, bool]:
        """Width and height in pixels, format, whether it can be scaled; or InputError.

        A drawing that names no size has none.
        """
        if path.suffix.lower() == ".svg":
            found = VIEW_BOX.search(content_of(path)[:2000].decode(errors="replace"))
            size = (round(float(found[1])), round(float(found[2]))) if found else None
            return size, "SVG", False

        def measure() -> tuple[tuple[int, int], str, bool]:
            with opened(path) as image:
                form = str(image.format).replace(MPO, "JPEG")
                return upright_size(image), form, can_be_scaled(image)

        (width, height), *rest = self.context.cache.json("pictures", sha256_of(path), measure)
        return ((width, height), *rest)

    def _smaller(self, path: Path, full: str, width: int) -> dict[str, str]:
        """Smaller copies of a wide photograph, as srcset and sizes; empty for one that is none."""
        copies = {small: self._scaled(path, small) for small in WIDTHS if small < width}
        listed = ", ".join(f"{url} {size}w" for size, url in {**copies, width: full}.items())
        return {"srcset": listed, "sizes": "(max-width: 60rem) 100vw, 60rem"} if copies else {}

    def _scaled(self, path: Path, width: int) -> str:
        """A smaller version of a photograph; its address."""
        lossless = path.suffix.lower() == ".png"

        def encode() -> bytes:
            from PIL import Image

            data = BytesIO()
            with opened(path) as image:
                mode = "RGBA" if image.has_transparency_data else "RGB"
                whole = upright(image).convert(mode)
                height = max(1, round(whole.height * width / whole.width))
                small = whole.resize((width, height), Image.Resampling.LANCZOS)
                small.save(
                    data, "WEBP", lossless=lossless, quality=85, method=4,
                    icc_profile=image.info.get("icc_profile"),
                )  # fmt: skip
            return data.getvalue()

        data = self.context.cache.data("pictures", f"{sha256_of(path)}|{width}|{lossless}", encode)
        return self.context.media(f"{path.stem}-{width}", ".webp", data)


def tag(name: str, attributes: dict[str, str]) -> str:
    """A tag of HTML with its attributes."""
    written = [f'{key}="{escape(value)}"' for key, value in attributes.items()]
    return f"<{' '.join([name, *written])}>"
