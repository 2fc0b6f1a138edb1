"""Pictures of a post: found beside it, copied under a hashed name, smaller for small screens."""

import re
import struct
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import unquote, urlsplit

from press.cache import Cache
from press.diagnostics import Message, Place
from press.errors import InputError, nearest
from press.files import sha256_of
from press.page import PageContext

WIDTHS = (640, 1280)  # of the smaller copies, in pixels
OUTSIDE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)


@dataclass
class Assets:
    """The pictures and files that a page takes from the folder of its post."""

    context: PageContext
    cache: Cache
    folder: Path  # where relative addresses begin
    is_checked: bool = False  # what a picture lacks is an error of `check`
    count: int = 0

    def find(self, address: str) -> Path | None:
        """Give the local file that an address names; None if it is absent."""
        path = self.folder / unquote(urlsplit(address).path)
        self.context.note(path)
        return path if path.is_file() else None

    def picture(
        self, address: str, alt: str | None, place: Place, attributes: dict[str, str] | None = None
    ) -> str:
        """Write an <img>; an absent picture and a missing text are told."""
        attributes = dict(attributes or {})
        if not (alt or "").strip():
            self._lacks(place, f"the picture '{address}' has no alternative text")
        if OUTSIDE.match(address):
            if not address.startswith("data:"):
                self.context.warn(place, f"the picture '{address}' is not on this site")
            return _tag({"src": address, "alt": alt or "", **attributes})
        path = self.find(address)
        if path is None:
            return self._absent(address, place)
        size = self._size(path, place)
        self.count += 1
        lazy = {"loading": "lazy", "decoding": "async"} if self.count > 1 else {}
        sized = {} if {"width", "height"} & set(attributes) else _sized(size)
        try:
            sources = self._smaller(path, size)
        except InputError as error:
            self.context.error(place, error.sentence)
            return ""
        source = {"src": self.context.copy(path), "alt": alt or ""}
        return _tag({**source, **sources, **sized, **lazy, **attributes})

    def _absent(self, address: str, place: Place) -> str:
        near = self.nearest(address)
        self._lacks(place, f"there is no picture '{address}'{near}")
        return f'<span class="absent">Picture to come: {escape(address)}</span>'

    def _lacks(self, place: Place, sentence: str) -> None:
        self.context.say(Message(place, sentence, is_error_in_check=self.is_checked))

    def nearest(self, address: str) -> str:
        """Name the file that an address of an absent one may mean."""
        folder = (self.folder / unquote(address)).parent
        self.context.note(folder)
        names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        return nearest(Path(address).name, names)

    def _size(self, path: Path, place: Place) -> tuple[int, int] | None:
        """Give width and height in pixels; None for a drawing without them or a bad file."""
        if path.suffix.lower() == ".svg":
            return svg_size(path)
        size = png_size(path) or self._decoded_size(path)
        if size is None:
            self.context.error(place, f"'{path.name}' cannot be read as a picture")
        return size

    def _decoded_size(self, path: Path) -> tuple[int, int] | None:
        def measure() -> list[int] | None:
            from PIL import Image, UnidentifiedImageError

            try:
                with Image.open(path) as image:
                    return list(image.size)
            except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
                return None

        found = self.cache.json("sizes", sha256_of(path), measure)
        return (found[0], found[1]) if found else None

    def _smaller(self, path: Path, size: tuple[int, int] | None) -> dict[str, str]:
        """Copy smaller versions of a wide photograph; gives srcset and sizes."""
        if size is None or size[0] <= WIDTHS[0] or path.suffix.lower() in (".gif", ".svg"):
            return {}
        widths = [width for width in WIDTHS if width < size[0]]
        copies = [(self.context.copy(self._scaled(path, width)), width) for width in widths]
        listed = [f"{url} {width}w" for url, width in copies]
        listed.append(f"{self.context.copy(path)} {size[0]}w")
        return {"srcset": ", ".join(listed), "sizes": "(max-width: 60rem) 100vw, 60rem"}

    def _scaled(self, path: Path, width: int) -> Path:
        def encode() -> bytes:
            from io import BytesIO

            from PIL import Image

            try:
                with Image.open(path) as image:
                    height = max(1, round(image.height * width / image.width))
                    mode = "RGBA" if image.has_transparency_data else "RGB"
                    small = image.convert(mode).resize((width, height), Image.Resampling.LANCZOS)
            except (OSError, SyntaxError, Image.DecompressionBombError):
                raise InputError(f"'{path.name}' cannot be read as a picture") from None
            data = BytesIO()
            small.save(data, "WEBP", lossless=path.suffix.lower() == ".png", quality=85, method=4)
            return data.getvalue()

        return self.cache.file("pictures", f"{sha256_of(path)}|{width}", ".webp", encode)


def png_size(path: Path) -> tuple[int, int] | None:
    """Read width and height from the head of a PNG file; None if it is none."""
    with path.open("rb") as file:
        head = file.read(24)
    if head[:8] != b"\x89PNG\r\n\x1a\n" or head[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def svg_size(path: Path) -> tuple[int, int] | None:
    """Read the size of a drawing from its view box; None if it has none."""
    head = path.read_text(encoding="utf-8", errors="replace")[:2000]
    found = re.search(
        r'viewBox\s*=\s*["\'][\d.eE+-]+[\s,]+[\d.eE+-]+[\s,]+([\d.]+)[\s,]+([\d.]+)', head
    )
    return (round(float(found[1])), round(float(found[2]))) if found else None


def _sized(size: tuple[int, int] | None) -> dict[str, str]:
    return {"width": str(size[0]), "height": str(size[1])} if size else {}


def _tag(attributes: dict[str, str]) -> str:
    written = [f'{name}="{escape(value)}"' for name, value in attributes.items()]
    return f"<img {' '.join(written)}>"
