"""Works that pages cite by `[@key]`: those of `references.bib`, and how references are written.

The style: authors by last name and initials, title, where it appeared, year, DOI or arXiv number.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup, escape

from press.diagnostics import Diagnostic, Place, SourceMap
from press.errors import nearest
from press.files import text_of
from press.markdown.bibtex import Reader
from press.markdown.latex import FORMULA
from press.markdown.math import Maths
from press.markdown.syntax import CITED
from press.page import PageContext
from press.paths import web_address

VENUES = ("journal", "booktitle", "publisher", "school", "institution", "howpublished")
HOLDING = ("journal", "booktitle", "institution")  # venues that go before their number
PLACED = VENUES[2:5]  # venues that have an address
IDENTIFIERS = (  # field, class, where it leads, how it is written
    ("doi", "doi", "https://doi.org/", "doi"),
    ("eprint", "arxiv", "https://arxiv.org/abs/", "arXiv"),
)
FORM = "5"  # raise when the form of an entry below changes
OTHERS = ["others", ""]  # the last author of an entry that does not name all


@dataclass(frozen=True)
class Entry:
    """A work that can be cited; its texts are plain, but for formulas between marks."""

    key: str
    place: Place
    authors: list[list[str]]  # for each: last name, initials
    fields: dict[str, str]
    formulas: dict[str, Place] = field(default_factory=dict)  # where fields that hold one stand


def load_bibliography(path: Path, context: PageContext) -> dict[str, Entry]:
    """Every entry of a BibTeX file, none if it is absent; raises InputError with its line."""
    context.note(path)
    if not path.exists():
        return {}
    text = text_of(path)
    rows, found = context.cache.json(
        "bibliographies", f"{FORM}|{path}|{text}", lambda: _read(text, path)
    )
    context.diagnostics += map(Diagnostic.from_row, found)
    return {
        key: Entry(key, Place(*place), authors, fields, {n: Place(*at) for n, at in places.items()})
        for key, place, authors, fields, places in rows
    }


def _read(text: str, path: Path) -> list[list[Any]]:
    reader = Reader(text, path)
    return [list(reader.rows()), [diagnostic.row() for diagnostic in reader.diagnostics]]


def surnames(entry: Entry) -> str:
    """An entry's authors in short: "Ulyanov et al."."""
    names = [author[0] for author in entry.authors]
    if len(names) > 2 or OTHERS in entry.authors:
        return f"{names[0]} et al."
    return " and ".join(names) or entry.key


def plain_title(entry: Entry) -> str:
    """An entry's title as plain text."""
    title = entry.fields.get("plain_title") or entry.fields.get("title", entry.key)
    return title.replace(FORMULA, "")


def written(entry: Entry, typeset: Callable[[str], str]) -> Markup:
    """An entry as a reference, its title linked to where the work is.

    `typeset` makes HTML of the TeX of a formula.
    """

    def html(text: str) -> Markup:
        pieces = enumerate(text.split(FORMULA))
        return Markup("").join(Markup(typeset(one)) if at % 2 else one for at, one in pieces)

    fields = entry.fields
    title = html(fields.get("title", entry.key))
    links = [
        (kind, base + quote(fields[name], "/:;()"), f"{label}:{fields[name]}")
        for name, kind, base, label in IDENTIFIERS
        if name in fields
    ]
    address = links[0][1] if links else _address(fields.get("url", ""))
    if address:
        title = Markup('<a href="{}">{}</a>').format(address, title)
    cite = Markup('<cite class="title">{}</cite>').format(title)
    authors = f"{_authors(entry)} ({fields['role']})" if "role" in fields else _authors(entry)
    parts = [html(authors), cite, html(_venue(fields))]
    parts += [Markup('<a class="{}" href="{}">{}</a>').format(*link) for link in links]
    stops = (".", "?", "!")
    ended = [part if part.striptags().endswith(stops) else part + "." for part in parts if part]
    return Markup(" ").join(ended)


def _address(url: str) -> str:
    return quote(web_address(url), "%/:?#[]@!$&'()*+,;=~")


def _authors(entry: Entry) -> str:
    names = [", ".join(filter(None, author)) for author in entry.authors if author != OTHERS]
    if len(names) > 8 or OTHERS in entry.authors:
        return ", ".join([*names[:7], "et al."])
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def _venue(fields: dict[str, str]) -> str:
    name = next((name for name in VENUES if name in fields), "")
    venue = fields.get(name, "")
    if name in PLACED and "address" in fields:
        venue = f"{venue}, {fields['address']}"
    volume, number = fields.get("volume", ""), fields.get("number", "")
    if name == "journal" and volume:
        venue += f" {volume}({number})" if number else f" {volume}"
        volume = number = ""
    parts = [fields.get("series"), volume and f"vol. {volume}", number and f"no. {number}"]
    parts.append(_nth(fields.get("edition", "")))
    parts.insert(0 if name in HOLDING else len(parts), venue)
    chapter = f"ch. {fields['chapter']}" if "chapter" in fields else ""
    parts += [chapter, *(fields.get(key, "") for key in ("pages", "year", "note"))]
    return ", ".join(filter(None, parts))


def _nth(edition: str) -> str:
    """An edition: "2nd ed."; what is no number stays as it is."""
    if edition.isdecimal():
        ends = {"1": "st", "2": "nd", "3": "rd"} if edition[-2:-1] != "1" else {}
        edition += ends.get(edition[-1], "th")
    return f"{edition} ed." if edition and not edition.endswith(".") else edition


HAND_MADE = "citation-"  # how the id of a reference begins that the author made by hand


@dataclass(frozen=True)
class Reference:
    """A work of the list of references at the end of a page."""

    key: str
    html: Markup
    back_links: list[tuple[str, str]]  # where it is cited: an address, and what to call it


@dataclass
class Citations:
    """What a page cites, in the order of first use."""

    context: PageContext
    entries: Mapping[str, Entry]
    maths: Maths
    used: dict[str, list[str]] = field(default_factory=dict)  # key -> ids of the citations
    by_hand: dict[str, list[str]] = field(default_factory=dict)  # id -> ids of the links to it

    def cite(self, text: str, origin: SourceMap, start: int) -> str:
        """The citation `[text]` as HTML, each work's number linked to its reference.

        The words around the works stay, but for a semicolon alone. An unknown key is an error with
        its place.
        """
        parts, behind = [], 0
        for found in CITED.finditer(text):
            if key := found[1] or found[2]:
                between = text[behind : found.start()]
                place = origin.at(start + found.end() - len(found[0].lstrip("-")))
                parts += [
                    ", " if between.strip() == ";" else escape(unescape(between)),
                    self._link(key, place),
                ]
                behind = found.end()
        return f'<span class="citations">[{"".join(parts)}{escape(unescape(text[behind:]))}]</span>'

    def _link(self, key: str, place: Place) -> str:
        """The number of a work, linked to its reference; the key of an unknown one."""
        if key not in self.entries:
            self.context.error(place, f"unknown citation '@{key}'{nearest(key, self.entries)}")
            return str(escape(key))
        id = _mention(self.used, key, key)
        entry = self.entries[key]
        title = f"{surnames(entry)}, {entry.fields.get('year', 'no year')}: {plain_title(entry)}"
        return (
            f'<a class="citation" id="{escape(id)}" href="#ref-{quote(key)}" '
            f'title="{escape(title)}">{list(self.used).index(key) + 1}</a>'
        )

    def references(self) -> list[Reference]:
        """The works that were cited, with the links back."""
        return [
            Reference(
                key,
                written(self.entries[key], partial(self._in_title, key)),
                _back_links(number, ids),
            )
            for number, (key, ids) in enumerate(self.used.items(), 1)
        ]

    def link_by_hand(self, target: str) -> str:
        """Note a link to a reference made by hand; returns the id that the link is to have."""
        return _mention(self.by_hand, target, target.removeprefix(HAND_MADE))

    def back_links_by_hand(self, target: str, place: Place) -> str:
        """The links back from a reference made by hand; a warning if nothing cites it."""
        if target not in self.by_hand:
            self.context.warn(place, f"nothing cites the reference '{target}'")
            return ""
        links = _back_links(target.removeprefix(HAND_MADE), self.by_hand[target])
        link = Markup('<a href="{}" aria-label="{}">↩</a>')
        tags = " ".join(link.format(*one) for one in links)
        return f' <span class="back-links">{tags}</span>'

    def _in_title(self, key: str, tex: str) -> str:
        entry, whole = self.entries[key], f"{FORMULA}{tex}{FORMULA}"
        fields = (at for name, at in entry.formulas.items() if whole in entry.fields[name])
        place = next(fields, entry.place)
        # No field knows where in it a formula stands: every mistake has the place of the field.
        origin = SourceMap(place.path, "", ((place.line, place.column),))
        return self.maths.html(tex, False, origin, 0)


def _mention(mentions: dict[str, list[str]], target: str, name: str) -> str:
    """Note one more mention of `target`; the id by which its reference leads back to it."""
    ids = mentions.setdefault(target, [])
    ids.append(f"cite-{name}-{len(ids) + 1}")
    return ids[-1]


def _back_links(number: int | str, ids: list[str]) -> list[tuple[str, str]]:
    mention = ", mention {}" if len(ids) > 1 else ""
    return [
        (f"#{quote(id)}", f"Back to citation {number}{mention.format(count)}")
        for count, id in enumerate(ids, 1)
    ]
