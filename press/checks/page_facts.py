"""A made page read again: its ids, links, headings and pictures, each with its line and column."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

ADDRESSES = {
    "a": ("href",),
    "link": ("href",),
    "img": ("src", "srcset"),
    "script": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
    "image": ("href",),
}
POINTERS = ("for", "aria-labelledby", "aria-describedby", "aria-controls", "headers", "list")


@dataclass(frozen=True)
class Found:
    """Something of a page, with its place in the page's HTML."""

    tag: str
    value: str
    line: int
    column: int


@dataclass
class PageFacts(HTMLParser):
    """What a page holds that can be checked."""

    path: Path
    language: str = ""
    title: str = ""
    ids: list[Found] = field(default_factory=list)
    links: list[Found] = field(default_factory=list)
    pointers: list[Found] = field(default_factory=list)
    headings: list[Found] = field(default_factory=list)
    without_alt: list[Found] = field(default_factory=list)
    _in_title: bool = False

    def __post_init__(self) -> None:
        """Read the page."""
        super().__init__(convert_charrefs=True)
        self.feed(self.path.read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag holds."""
        line, offset = self.getpos()
        attributes = {name: value or "" for name, value in attrs}
        self._in_title = tag == "title" and not self.title
        if tag == "html":
            self.language = attributes.get("lang", "")
        if "id" in attributes:
            self.ids.append(Found(tag, attributes["id"], line, offset + 1))
        if tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            self.headings.append(Found(tag, tag[1], line, offset + 1))
        if tag == "img" and "alt" not in attributes:  # a template's: those of posts have one
            self.without_alt.append(Found(tag, attributes.get("src", ""), line, offset + 1))
        for name in POINTERS:
            for id in attributes.get(name, "").split():
                self.pointers.append(Found(tag, id, line, offset + 1))
        for name in ADDRESSES.get(tag, ()):
            for address in _addresses(name, attributes):
                self.links.append(Found(tag, address, line, offset + 1))

    def handle_endtag(self, tag: str) -> None:
        """Leave the title."""
        self._in_title = self._in_title and tag != "title"

    def handle_data(self, data: str) -> None:
        """Read the title."""
        if self._in_title:
            self.title += data


def _addresses(name: str, attributes: dict[str, str]) -> Iterator[str]:
    if name not in attributes:
        return
    if name != "srcset":
        yield attributes[name]
        return
    for candidate in attributes[name].split(","):
        yield candidate.strip().split(" ")[0]
