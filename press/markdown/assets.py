"""Pictures and files of a post: found beside it and copied under a name with their hash.

Wide pictures get smaller copies besides, for small screens.
"""

import re
from dataclasses import dataclass
from html import escape
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote, urlsplit

from press.diagnostics import Place
from press.errors import InputError, nearest
from press.files import sha256_of
from press.markdown.post import slug_of
from press.page import PageContext

WIDTHS = (640, 1280)  # of the smaller copies, in pixels
OUTSIDE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)
ON_SITE = "site:"  # how the address of a page begins that no post stands behind
VIEW_BOX = re.compile(r'viewBox\s*=\s*["\'](?:[\d.eE+-]+[\s,]+){2}([\d.]+)[\s,]+([\d.]+)')


@dataclass
class Assets:
    """The pictures and files that a page takes from the folder of its post."""

    context: PageContext
    folder: Path  # where relative addresses begin
    is_checked: bool = False  # what a picture lacks is an error of `check`
    count: int = 0

    def find(self, address: str) -> Path | None:
        """The local file that an address names; None if it is absent."""
        path = self.folder / unquote(urlsplit(address).path)
        self.context.note(path)
        return path if path.is_file() else None

    def nearest(self, address: str) -> str:
        """The question which file an address of an absent one may mean."""
        path = self.folder / unquote(urlsplit(address).path)
        self.context.note(path.parent)
        names = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
        return nearest(path.name, names)

    def address(self, href: str, place: Place) -> str:
        """Where a link leads on the site; one to nothing is an error.

        Another post's file becomes its page, `site:runs/index.html` is named from the site's root,
        any other file is copied.
        """
        if href.startswith(ON_SITE):
            return self.context.root + href.removeprefix(ON_SITE)
        if OUTSIDE.match(href) or not href:
            return href
        if href.startswith("/"):
            sentence = f"'{href}' would leave the site's folder; write site:..."
            self.context.error(place, sentence)
            return href
        path = self.find(href)
        if path is None:
            self.context.error(place, f"there is no file '{href}'{self.nearest(href)}")
            return href
        if path.suffix == ".md" and path.parent.resolve() == self.folder.resolve():
            fragment = urlsplit(href).fragment
            return f"{slug_of(path)}.html" + (f"#{fragment}" if fragment else "")
        return self.context.copy(path)

    def picture(
        self, address: str, alt: str | None, place: Place, attributes: dict[str, str] | None = None
    ) -> str:
        """A picture as an <img>; tells of an absent file and of an absent text for who cannot see.

        `attributes` are the author's and go before ours.
        """
        given = attributes or {}
        if not (alt or "").strip():
            self._tell(place, f"the picture '{address}' has no alternative text")
        if OUTSIDE.match(address):
            if not address.startswith("data:"):
                self.context.warn(place, f"the picture '{address}' is not on this site")
            return _tag({"src": address, "alt": alt or "", **given})
        path = self.find(address)
        if path is None:
            self._tell(place, f"there is no picture '{address}'{self.nearest(address)}")
            return f'<span class="absent">Picture to come: {escape(address)}</span>'
        self.count += 1
        lazy = {"loading": "lazy", "decoding": "async"} if self.count > 1 else {}
        try:
            size = self._size(path)
            sources = {
                "src": self.context.copy(path),
                "alt": alt or "",
                **self._smaller(path, size),
            }
        except InputError as error:
            self.context.error(place, error.sentence)
            return ""
        sized = {} if size is None or {"width", "height"} & set(given) else {
            "width": str(size[0]), "height": str(size[1])
        }  # fmt: skip
        return _tag({**sources, **sized, **lazy, **given})

    def _tell(self, place: Place, sentence: str) -> None:
        self.context.warn(place, sentence, self.is_checked, "image")

    def _size(self, path: Path) -> tuple[int, int] | None:
        """Width and height in pixels; None for a drawing that names none. Raises InputError."""
        if path.suffix.lower() == ".svg":
            found = VIEW_BOX.search(path.read_bytes()[:2000].decode(errors="replace"))
            return (round(float(found[1])), round(float(found[2]))) if found else None

        def measure() -> list[int]:
            from PIL import Image, UnidentifiedImageError

            try:
                with Image.open(path) as image:
                    return list(image.size)
            except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
                raise _unreadable(path) from None

        width, height = self.context.cache.json("dimensions", sha256_of(path), measure)
        return width, height

    def _smaller(self, path: Path, size: tuple[int, int] | None) -> dict[str, str]:
        """Smaller copies of a wide photograph, as srcset and sizes; empty for any other picture."""
        if size is None or size[0] <= WIDTHS[0] or path.suffix.lower() in (".gif", ".svg"):
            return {}
        widths = [width for width in WIDTHS if width < size[0]]
        copies = [(self._scaled(path, width), width) for width in widths]
        copies.append((self.context.copy(path), size[0]))
        listed = ", ".join(f"{url} {width}w" for url, width in copies)
        return {"srcset": listed, "sizes": "(max-width: 60rem) 100vw, 60rem"}

    def _scaled(self, path: Path, width: int) -> str:
        """A smaller version of a photograph; its address."""

        def encode() -> bytes:
            from PIL import Image

            try:
                with Image.open(path) as image:
                    height = max(1, round(image.height * width / image.width))
                    mode = "RGBA" if image.has_transparency_data else "RGB"
                    small = image.convert(mode).resize((width, height), Image.Resampling.LANCZOS)
            except (OSError, SyntaxError, Image.DecompressionBombError):
                raise _unreadable(path) from None
            data = BytesIO()
            small.save(data, "WEBP", lossless=path.suffix.lower() == ".png", quality=85, method=4)
            return data.getvalue()

        data = self.context.cache.data("pictures", f"{sha256_of(path)}|{width}", encode)
        return self.context.media(f"{path.stem}-{width}", ".webp", data)


def _unreadable(path: Path) -> InputError:
    return InputError(f"'{path.name}' cannot be read as a picture")


def _tag(attributes: dict[str, str]) -> str:
    written = [f'{name}="{escape(value)}"' for name, value in attributes.items()]
    return f"<img {' '.join(written)}>"
