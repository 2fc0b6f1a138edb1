"""Pictures and files of a post: found beside it and copied under a name with their hash.

Wide pictures get smaller copies besides, for small screens.
"""

import re
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
from press.files import sha256_of
from press.markdown.post import slug_of
from press.page import PageContext
from press.paths import AbsentError, is_unsafe

if TYPE_CHECKING:
    from PIL import Image

WIDTHS = (640, 1280)  # of the smaller copies, in pixels
OUTSIDE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)
ON_SITE = "site:"  # how the address of a page begins that no post stands behind
VIEW_BOX = re.compile(r'viewBox\s*=\s*["\'](?:[\d.eE+-]+[\s,]+){2}([\d.]+)[\s,]+([\d.]+)')


@contextmanager
def opened(path: Path) -> "Iterator[Image.Image]":
    """A picture's file while it is read; raises InputError if it is none."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            yield image
    except (OSError, SyntaxError, Image.DecompressionBombError):
        raise InputError(f"'{path.name}' cannot be read as a picture") from None


@dataclass
class Assets:
    """The pictures and files that a page takes from the folder of its post."""

    context: PageContext
    folder: Path  # where relative addresses begin
    is_checked: bool = False  # what a picture lacks is an error of `check`
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
            return urlsplit(href)._replace(path=quote(f"{slug_of(path)}.html"), query="").geturl()
        return self.context.copy(path)

    def picture(
        self, address: str, alt: str | None, place: Place, given: dict[str, str] | None = None
    ) -> str:
        """A picture as an <img>; tells of an absent file and of an absent text for who cannot see.

        The attributes `given` are the author's and go before ours.
        """
        given, alt = given or {}, alt or ""
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
        self.count += 1
        lazy = {"loading": "lazy", "decoding": "async"} if self.count > 1 else {}
        try:
            size = self._size(path)
            sources = {"src": self.context.copy(path), "alt": alt, **self._smaller(path, size)}
        except InputError as error:
            self.context.error(place, error.sentence)
            return ""
        sized = {} if size is None or {"width", "height"} & set(given) else {
            "width": str(size[0]), "height": str(size[1])
        }  # fmt: skip
        return tag("img", {**sources, **sized, **lazy, **given})

    def _tell(self, place: Place, sentence: str) -> None:
        self.context.warn(place, sentence, self.is_checked, "image")

    def _size(self, path: Path) -> tuple[int, int] | None:
        """Width and height in pixels; None for a drawing that names none. Raises InputError."""
        if path.suffix.lower() == ".svg":
            found = VIEW_BOX.search(path.read_bytes()[:2000].decode(errors="replace"))
            return (round(float(found[1])), round(float(found[2]))) if found else None

        def measure() -> tuple[int, int]:
            with opened(path) as image:
                return image.size

        width, height = self.context.cache.json("dimensions", sha256_of(path), measure)
        return width, height

    def _smaller(self, path: Path, size: tuple[int, int] | None) -> dict[str, str]:
        """Smaller copies of a wide photograph, as srcset and sizes; empty for any other picture."""
        if size is None or size[0] <= WIDTHS[0] or path.suffix.lower() in (".gif", ".svg"):
            return {}
        copies = {width: self._scaled(path, width) for width in WIDTHS if width < size[0]}
        copies[size[0]] = self.context.copy(path)
        listed = ", ".join(f"{url} {width}w" for width, url in copies.items())
        return {"srcset": listed, "sizes": "(max-width: 60rem) 100vw, 60rem"}

    def _scaled(self, path: Path, width: int) -> str:
        """A smaller version of a photograph; its address."""

        def encode() -> bytes:
            from PIL import Image

            with opened(path) as image:
                height = max(1, round(image.height * width / image.width))
                mode = "RGBA" if image.has_transparency_data else "RGB"
                small = image.convert(mode).resize((width, height), Image.Resampling.LANCZOS)
            data = BytesIO()
            small.save(data, "WEBP", lossless=path.suffix.lower() == ".png", quality=85, method=4)
            return data.getvalue()

        data = self.context.cache.data("pictures", f"{sha256_of(path)}|{width}", encode)
        return self.context.media(f"{path.stem}-{width}", ".webp", data)


def tag(name: str, attributes: dict[str, str]) -> str:
    """A tag of HTML with its attributes."""
    written = [f'{key}="{escape(value)}"' for key, value in attributes.items()]
    return f"<{name} {' '.join(written)}>"
