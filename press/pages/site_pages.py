"""The site as a whole: settings, what it says of each post, feed, pages at old addresses."""

import datetime
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from html import escape
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from press.errors import InputError
from press.markdown.math import Macros, read_macros
from press.markdown.typed_numbers import NO_CHECKS, Checks, read_checks
from press.paths import web_address
from press.results.metrics import read_metrics
from press.results.names import read_names
from press.results.run import taken_names
from press.toml_file import TomlFile

LOST = SimpleNamespace(title="There is no such page", summary="", url="")
POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'"  # of a page that only leads on
NOT_IN_ALIAS = frozenset("""?#%\\:*"<>|""")  # what ends an address, or no disk can name
LANGUAGE = r"(?:[A-Za-z]{2,3}|[ix])(-[A-Za-z0-9]{1,8})*"  # a tag as BCP 47 has it
RIGHT_TO_LEFT = {  # languages, and scripts, which have the last word
    "ar", "ckb", "dv", "fa", "he", "iw", "ks", "ps", "sd", "syr", "ug", "ur", "yi",
    "arab", "hebr", "nkoo", "syrc", "thaa",
}  # fmt: skip
OTHERS = ("experiments", "metrics", "names", "checks", "math")  # tables beside the site's own words


@dataclass(frozen=True)
class Site:
    """The settings in `content/site.toml`; every one of them has a default.

    `base_url` is where the site is published, with a slash at its end, or empty: then nothing that
    needs a full address (feed, sitemap, canonical addresses) is made.
    """

    title: str = "Posts"
    description: str = ""
    authors: tuple[str, ...] = ()
    base_url: str = ""
    language: str = "en"
    licence: str = ""
    repository: str = ""  # where the source is, for links
    checks: Checks = NO_CHECKS  # of the table of this name
    macros: Macros = ()  # of the table `math.macros`

    @property
    def root(self) -> str:
        """The way to the site's root from anywhere on its host; empty without a base URL."""
        return "/" + self.base_url.split("/", 3)[3] if self.base_url else ""

    @property
    def is_right_to_left(self) -> bool:
        """Whether the site's language is written from right to left."""
        language, *parts = self.language.lower().split("-")
        scripts = [part for part in parts if len(part) == 4 and part.isalpha()]
        return (*scripts, language)[0] in RIGHT_TO_LEFT

    def full_url(self, url: str) -> str:
        """The full address of `url`, named from the site's root."""
        return self.base_url + ("" if url == "index.html" else quote(url))


def load_site(path: Path, base_url: str | None) -> Site:
    """Read the settings; an absent file means the defaults; `base_url` goes before the file's.

    Raises InputError with its place for a mistake in the file.
    """
    kinds = {one.name: "text" for one in fields(Site) if one.name not in (*OTHERS, "macros")}
    kinds |= {"authors": "a list of names"} | dict.fromkeys(OTHERS, "a table")
    file = TomlFile(path)
    read_metrics(path, taken_names())  # a mistake there is told at once, not on each page
    read_names(path)
    file.expect(kinds, file.data, None)
    settings = {key: value for key, value in file.data.items() if key not in OTHERS}
    checks, macros = read_checks(file), read_macros(file)
    url = settings.get("base_url", "") if base_url is None else base_url
    if url and not (web_address(url) and re.fullmatch(r"https?://[^\s?#]+", url)):
        sentence = f"the base URL '{url}' is not of the form https://host/folder/"
        if base_url is None:
            file.fail(sentence, None, "base_url")
        raise InputError(sentence)
    repository = settings.get("repository", "")
    if repository and not web_address(repository):
        file.fail(f"'{repository}' is not an address of the web", None, "repository")
    if not settings.get("title", "Posts").strip():
        file.fail("the title is empty", None, "title")
    language = settings.get("language", "en")
    if not re.fullmatch(LANGUAGE, language):
        file.fail(f"'{language}' is no tag of a language, such as en or pt-BR", None, "language")
    settings["base_url"] = f"{url.removesuffix('/')}/" if url else ""
    authors = tuple(filter(str.strip, settings.pop("authors", ())))
    return Site(**settings, authors=authors, checks=checks, macros=macros)


@dataclass(frozen=True)
class Summary:
    """What the rest of the site says of a post."""

    url: str
    title: str
    title_html: Markup
    date: datetime.date | None
    authors: tuple[str, ...]
    summary: str
    draft: bool
    status: str = ""  # how much of it is recorded, and the like
    order: int | None = None
    pictures: tuple[str, ...] = ()  # elements of HTML, with addresses from the site's root
    aliases: tuple[str, ...] = ()
    aliases_place: tuple[str, int] = ("", 1)  # the post's file, and the line of its aliases

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for the state of the build."""
        return {**self.__dict__, "date": self.date.isoformat() if self.date else None}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Summary":
        """The summary of which `data` was made."""
        read = {
            "title_html": Markup(data["title_html"]),
            "date": data["date"] and datetime.date.fromisoformat(data["date"]),
            "authors": tuple(data["authors"]),
            "aliases": tuple(data["aliases"]),
            "pictures": tuple(map(Markup, data["pictures"])),
        }
        return cls(**{**data, **read})


def newest_first(posts: Iterable[Summary]) -> list[Summary]:
    """Posts by date, those of one day by their addresses."""
    return sorted(posts, key=lambda p: (-(p.date or datetime.date.min).toordinal(), p.url))


def in_reading_order(posts: Iterable[Summary]) -> list[Summary]:
    """Posts by the order that they give themselves, then those that give none; all as they were."""
    return sorted(posts, key=lambda post: (post.order is None, post.order or 0))


def feed_values(posts: Sequence[Summary]) -> dict[str, Any]:
    """What the feed's template needs; the feed is as old as its newest post."""
    newest = max((post.date for post in posts if post.date), default="1970-01-01")
    return {"posts": posts, "updated": f"{newest}T00:00:00Z"}


def moved_pages(posts: Iterable[Summary], site: Site, taken: Iterable[str]) -> dict[str, bytes]:
    """A page at each old address of a post; raises InputError for an address in use.

    Two addresses that differ in capitals alone are one file on some disks.
    """
    pages: dict[str, bytes] = {}
    used = set(map(str.casefold, taken))
    for post in posts:
        for alias in post.aliases:
            url = _address(alias)
            path, parts = PurePosixPath(url), url.split("/")
            is_used = not used.isdisjoint(str(one).casefold() for one in (path, *path.parents))
            is_used = is_used or any(one.startswith(f"{url.casefold()}/") for one in used)
            is_path = url.isprintable() and not set(url) & NOT_IN_ALIAS
            is_path &= all(p[:1] not in ("", ".") and len(p.encode()) < 255 for p in parts)
            if is_used or not is_path:
                wrong = "an address in use" if is_used else "no address within the site"
                sentence = f"the alias '{alias}' is {wrong}"
                raise InputError(sentence, Path(post.aliases_place[0]), post.aliases_place[1], 1)
            used.add(url.casefold())
            pages[url] = _moved(url, post, site)
    return pages


def _address(alias: str) -> str:
    """The file that stands for an address: "old/" is "old/index.html"."""
    path = alias.removeprefix("/")
    if path.endswith("/") or not path:
        return f"{path}index.html"
    is_file = re.search(r"\.[A-Za-z]\w*$", path)  # "v1.2" is none
    return path if is_file else f"{path}/index.html"


def _moved(url: str, post: Summary, site: Site) -> bytes:
    target = escape("../" * url.count("/") + quote(post.url))
    canonical = escape(site.full_url(post.url)) if site.base_url else target
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(site.language)}">\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f'<meta http-equiv="refresh" content="0; url={target}">\n'
        f'<link rel="canonical" href="{canonical}">\n<title>{escape(post.title)}</title>\n'
        f'<p>This page has moved: <a href="{target}">{escape(post.title)}</a>.</p>\n'
        "</html>\n"
    ).encode()
