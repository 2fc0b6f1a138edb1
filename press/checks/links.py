"""Checks of a made site: links, anchors, ids, headings, pictures, references, outside addresses.

Each page is read again as a browser gets it. The place of what came from a post is that in the
post; of anything else it is a line and column of the page's HTML.
"""

import os
import posixpath
import re
import sys
import urllib.request
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from html.parser import HTMLParser
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from markupsafe import Markup

from press.cache import Cache
from press.diagnostics import (
    Diagnostic,
    Place,
    Severity,
    SourceMap,
    counted,
    errors_of,
    settled,
    summary,
)
from press.errors import nearest
from press.files import text_of
from press.markdown.citations import load_bibliography
from press.markdown.renderer import CANDIDATE
from press.options import Options
from press.page import PageContext
from press.pages.site_pages import load_site
from press.results.claims import Claims
from press.results.metrics import BUILT_IN
from press.results.store import Results
from press.toml_file import TomlFile

LINKS = ("href", "src", "srcset", "poster")
BEFORE = (r"(?<=[\"'(<=#:])", r"(?<![\w./-])")  # what stands before an address or an id; or may
POINTERS = ("for", "aria-labelledby", "aria-describedby", "aria-controls", "headers", "list")
SECONDS = 15  # to wait for an outside address
GONE = (404, 410)  # anything else may be a guard against machines, and is only a warning


class Found(NamedTuple):
    """Something of a page, with its place in the page's HTML."""

    tag: str
    place: Place
    value: str


class PageFacts(HTMLParser):
    """What a page holds that can be checked."""

    def __init__(self, path: Path, post: str = "") -> None:
        """Read the page; `post` is the file that it was made of, if that is one of Markdown."""
        super().__init__()
        self.path, self.post, self.language = path, post, ""
        self.source = text_of(Path(post)) if post else ""
        self._passed: dict[str, int] = {}  # offset behind what was found last, by its pattern
        self.ids: list[Found] = []
        self.links: list[Found] = []
        self.pointers: list[Found] = []
        self.headings: list[Found] = []
        self.without_alt: list[Found] = []
        self.html = path.read_text(encoding="utf-8")
        self.has_title = bool(re.search(r"<title>\s*[^<\s]", self.html.partition("</head>")[0]))
        self.feed(self.html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag holds."""
        line, offset = self.getpos()
        attributes = {name: value or "" for name, value in attrs}
        found = partial(Found, tag, Place(str(self.path), line, offset + 1))
        if tag == "html":
            self.language = attributes.get("lang", "")
        if "id" in attributes or (tag == "a" and "name" in attributes):
            self.ids.append(found(attributes.get("id", attributes.get("name", ""))))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(found(tag[1]))
        if tag == "img" and "alt" not in attributes:  # a template's: those of posts have one
            self.without_alt.append(found(attributes.get("src", "")))
        for name in POINTERS:
            self.pointers += map(found, attributes.get(name, "").split())
        for name in filter(attributes.__contains__, LINKS):
            value = attributes[name]
            several = [one for one, _ in CANDIDATE.findall(value)]
            self.links += map(found, several if name == "srcset" else [value])

    def place(self, found: Found) -> Place:
        """Where something stands in the post, each time behind the last; or else in the page."""
        value = unquote(found.value)
        words = [found.value, value, re.sub(r"^(?:\.\./)+", "", value), *value.split("#")[1:]]
        known = [re.escape(word) for word in words if word]
        forms = (rf"{before}{word}(?![\w/-])" for before in BEFORE for word in known)
        return next(filter(None, map(self._written, forms)), found.place)

    def heading_place(self, heading: Found) -> Place:
        """Where a heading stands in the post, found by its words; or else in the page."""
        _, line, column = heading.place
        rest = self.html.split("\n", line - 1)[-1][column - 1 :]
        words = r"\W+".join(re.findall(r"\w+", Markup(rest.partition("</h")[0]).striptags()))
        place = self._written(rf"^ *(?:#|<h)\W*(?:\w+\W+)??{words}") if words else None
        return place or heading.place

    def _written(self, pattern: str) -> Place | None:
        found = re.compile(pattern, re.MULTILINE).search(self.source, self._passed.get(pattern, 0))
        if not found:
            return None
        self._passed[pattern] = found.end()
        return SourceMap.of_lines(self.post, self.source, 1).at(found.start())


def check_site(
    options: Options, posts: Mapping[str, str], cited: Collection[str], outside: bool
) -> int:
    """Check the site that was made; prints what is wrong and returns the exit code.

    `posts` has the file of which each post's page was made, `cited` the keys of the works that
    posts cite; outside addresses are asked for on demand.
    """
    paths = {path.relative_to(options.out): path for path in sorted(options.out.rglob("*.html"))}
    # What a post links to is a file of its author's, and no page of ours.
    urls = {url.as_posix(): path for url, path in paths.items() if url.parts[0] != "media"}
    pages = {url: PageFacts(path, posts.get(url, "")) for url, path in urls.items()}
    ids = {url: {id.value for id in page.ids} for url, page in pages.items()}
    root = unquote(load_site(options.content / "site.toml", options.base_url).root)
    found = [*_unused_references(options, cited), *_unused_metrics(options)]
    for url, page in pages.items():
        found += [Diagnostic(place, sentence, "error", "html") for place, sentence in _page(page)]
        for link in page.links:
            if sentence := _broken(options.out, url, link, ids, root):
                found.append(Diagnostic(page.place(link), sentence, "error", "link"))
    if outside:
        found += _outside(pages.values())
    diagnostics = settled(found, options.strict, options.check)
    for diagnostic in diagnostics:
        print(diagnostic, file=sys.stderr)
    number = counted(sum(len(page.links) for page in pages.values()), "link")
    what = summary(diagnostics) or "no errors"
    print(f"checked {counted(len(pages), 'page')}, {number}: {what}")
    return 1 if errors_of(diagnostics) else 0


def _page(page: PageFacts) -> Iterator[tuple[Place, str]]:
    """What is wrong with a page's HTML, as far as the page alone can tell."""
    start = Place(str(page.path), 1, 1)
    if not page.has_title:
        yield start, "the page has no title"
    if not page.language:
        yield start, "the page does not say its language"
    seen = Counter(found.value for found in page.ids)
    for id in page.ids:
        if seen[id.value] > 1:
            yield page.place(id), f"the id '{id.value}' is given {seen[id.value]} times"
    for found in page.pointers:
        if found.value not in seen:
            near = nearest(found.value, seen)
            yield page.place(found), f"unknown id '{found.value}' in <{found.tag}>{near}"
    for image in page.without_alt:
        yield image.place, f"the picture '{image.value}' has no alternative text"
    levels = [int(heading.value) for heading in page.headings]
    for number, (heading, now) in enumerate(zip(page.headings, levels, strict=True)):
        if now == 1 and 1 in levels[:number]:
            yield page.heading_place(heading), "a second heading of the first level"
        before = levels[number - 1] if number else 0
        if now > before + 1:
            follows = f"follows one of level {before}" if before else "is the first of the page"
            yield page.heading_place(heading), f"a heading of level {now} {follows}"


def _broken(out: Path, url: str, found: Found, ids: dict[str, set[str]], root: str) -> str:
    """What is wrong with a link; empty if nothing is. The lost page's begin at `root`."""
    try:
        parts = urlsplit(found.value)
    except ValueError:
        return f"'{found.value}' is not a valid address"
    if parts.scheme in ("data", "mailto"):
        return ""
    if parts.scheme or parts.netloc:
        loads = found.tag not in ("a", "area", "link")
        return f"'{found.value}' is loaded from another site" if loads else ""
    path, target = unquote(parts.path), url
    if path.startswith("/"):
        if url != "404.html":
            return f"'{found.value}' begins at the root of the domain"
        if not root or not path.startswith(root):  # outside of the site
            return ""
        path = path.removeprefix(root) or "index.html"
    if path:
        file = f"{path}index.html" if path.endswith("/") else path
        target = posixpath.normpath(posixpath.join(posixpath.dirname(url), file))
    if target.startswith("../") or not os.path.isfile(out / target):  # of any length
        known = [path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()]
        return f"the link '{found.value}' leads nowhere{nearest(target, known)}"
    fragment = unquote(parts.fragment)
    if fragment and target in ids and fragment not in ids[target]:
        return f"'{target}' has no id '{fragment}'{nearest(fragment, ids[target])}"
    return ""


def _unused_references(options: Options, cited: Collection[str]) -> Iterator[Diagnostic]:
    path = options.content / "references.bib"
    folders = options.results, options.content
    context = PageContext("", *folders, Cache(options.cache), lambda *_: "")  # no page is made
    entries = load_bibliography(path, context)
    parents = {entry.fields.get("crossref") for key, entry in entries.items() if key in cited}
    for key, entry in entries.items():
        if key not in cited and key not in parents:
            yield Diagnostic(entry.place, f"nothing cites '{key}'", "warning", "unused-reference")


def _unused_metrics(options: Options) -> Iterator[Diagnostic]:
    """A warning for each metric that the site declares, and that no record or claim has."""
    results = Results(options.results, options.content, options.parts)
    used, file = {*BUILT_IN}, TomlFile(options.content / "site.toml")
    if not results.suites:  # nothing is recorded yet, or the cache cannot be written
        return
    for view in map(results.suite, results.suites):
        used.add(view.measure)  # of a suite that is not run yet
        for run in view.all_runs:
            if run.record:
                used |= {name for output in run.record.metrics.values() for name in output}
                used |= {*run.curve().columns}
    for table in Claims(results).tables.values():
        used |= {row.metric.name for row in table.rows.values()}
    for name in results.metrics.keys() - used:
        place = Place(str(file.path), *(file.place("metrics", name) or (1, 1)))
        sentence = f"no record, curve or claim has the metric '{name}'"
        near = nearest(name, used - results.metrics.keys())
        yield Diagnostic(place, f"{sentence}{near}", "warning", "unused-metric")


def _outside(pages: Iterable[PageFacts]) -> Iterator[Diagnostic]:
    """Ask the network once for each outside address that a page links to."""
    places: dict[str, Place] = {}
    links = ((page, link) for page in pages for link in page.links if link.tag == "a")
    for page, link in links:
        address = link.value.partition("#")[0]
        if address.startswith(("https://", "http://")) and address not in places:
            places[address] = page.place(link)
    with ThreadPoolExecutor(8) as pool:
        for (address, place), answer in zip(places.items(), pool.map(_ask, places), strict=True):
            if answer:
                yield Diagnostic(place, f"'{address}' {answer[1]}", answer[0], "outside-link")


def _ask(address: str) -> tuple[Severity, str] | None:
    """What is wrong with an address: an error if it is surely gone; None if it answers."""
    agent = {"User-Agent": "Mozilla/5.0 (checks the links of a site)"}
    try:
        request = urllib.request.Request(address, headers=agent)
        with urllib.request.urlopen(request, timeout=SECONDS):
            return None
    except (OSError, ValueError, HTTPException) as error:
        code, reason = getattr(error, "code", None), getattr(error, "reason", error)
        said = f"answers with {code} {reason}" if code else f"does not answer: {reason}"
        return "error" if code in GONE else "warning", said
