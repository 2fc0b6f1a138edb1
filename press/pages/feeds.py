"""What readers other than people ask for: feed, sitemap, robots, and pages that moved."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import PurePosixPath
from typing import Any

from press.errors import InputError
from press.pages.site import Site
from press.pages.summaries import Summary


def feed_values(posts: Sequence[Summary]) -> dict[str, Any]:
    """Give what the feed's template needs; the feed is as old as its newest post."""
    dates = [post.date for post in posts if post.date]
    newest = max(dates).isoformat() if dates else "1970-01-01"
    return {"posts": posts, "updated": f"{newest}T00:00:00Z"}


def robots(site: Site) -> bytes:
    """Let everything be read, and name the sitemap."""
    lines = ["User-agent: *", "Allow: /"]
    if site.base_url:
        lines.append(f"Sitemap: {site.full_url('sitemap.xml')}")
    return ("\n".join(lines) + "\n").encode()


def moved_pages(posts: Iterable[Summary], site: Site, taken: Iterable[str]) -> dict[str, bytes]:
    """Make a page at each old address of a post; raises InputError for an address in use."""
    pages: dict[str, bytes] = {}
    used = set(taken)
    for post in posts:
        for alias in post.aliases:
            url = _address(alias)
            wrong = "" if _is_within(url) else "no address within the site"
            if url in used or used & set(map(str, PurePosixPath(url).parents)):
                wrong = "an address in use"
            if wrong:
                sentence = f"the alias '{alias}' is {wrong}"
                raise InputError(sentence, post.source, post.aliases_line, 1)
            used.add(url)
            pages[url] = _moved(url, post, site)
    return pages


def _address(alias: str) -> str:
    """Give the file that stands for an address: "old/" is "old/index.html"."""
    path = alias.removeprefix("/")
    if path.endswith("/") or not path:
        return f"{path}index.html"
    return path if PurePosixPath(path).suffix else f"{path}/index.html"


def _is_within(url: str) -> bool:
    """Tell whether a file of this name stays in the site, and is none of those that are hidden."""
    return url.isprintable() and all(part and part[0] != "." for part in url.split("/"))


def _moved(url: str, post: Summary, site: Site) -> bytes:
    target = "../" * url.count("/") + post.url
    canonical = escape(site.full_url(post.url) if site.base_url else target)
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(site.language)}">\n<meta charset="utf-8">\n'
        f'<meta http-equiv="refresh" content="0; url={escape(target)}">\n'
        f'<link rel="canonical" href="{canonical}">\n<title>{escape(post.title)}</title>\n'
        f'<p>This page has moved: <a href="{escape(target)}">{escape(post.title)}</a>.</p>\n'
        "</html>\n"
    ).encode()


def bibtex_of(post: Summary, site: Site) -> str:
    """Give the BibTeX entry by which a post can be cited."""
    name = (post.authors[0].split()[-1] if post.authors else "anonymous").lower()
    year = str(post.date.year) if post.date else ""
    fields = {
        "author": " and ".join(map(_bibtex_name, post.authors)),
        "title": f"{{{_bibtex_text(post.title)}}}",
        "year": year,
        "month": f"{post.date:%b}".lower() if post.date else "",
        "howpublished": _bibtex_text(site.title),
        "url": site.full_url(post.url) if site.base_url else "",
    }
    rows = [f"  {key} = {{{value}}}," for key, value in fields.items() if value]
    key = "".join(letter for letter in f"{name}{year}" if letter.isalnum())
    return "\n".join([f"@misc{{{key},", *rows, "}"])


def _bibtex_name(name: str) -> str:
    """Write a name; one that is no person's, such as "The authors", stays in one piece."""
    whole = " " not in name or name.startswith("The ")
    return f"{{{_bibtex_text(name)}}}" if whole else _bibtex_text(name)


def _bibtex_text(text: str) -> str:
    """Write a text so that TeX prints every letter of it."""
    letters = {"\\": "\\textbackslash{}", "^": "\\^{}", "~": "\\~{}"}
    letters |= {letter: f"\\{letter}" for letter in "&%$#_{}"}
    return "".join(letters.get(letter, letter) for letter in text)
