"""Citations of a page: `[@key]` from BibTeX, and references that the author made by hand."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from markupsafe import Markup, escape

from press.diagnostics import Place, SourceMap
from press.errors import nearest
from press.markdown.bibliography import Entry, plain_title, surnames, written
from press.markdown.math import Maths
from press.markdown.syntax import CITED
from press.page import PageContext

HAND_MADE = "citation-"  # how the id of a hand-made reference begins


@dataclass(frozen=True)
class Cited:
    """One work within a citation, and the words around it: `see`, `@key`, `, p. 3`."""

    before: str
    entry: Entry
    after: str
    number: int
    id: str  # of the link, for the way back


@dataclass(frozen=True)
class BackLink:
    """A link from a reference to where it is cited."""

    href: str
    label: str


@dataclass(frozen=True)
class Reference:
    """A work of the list of references at the end of a page."""

    number: int
    key: str
    id: str
    html: Markup
    back_links: list[BackLink]


@dataclass
class Citations:
    """What a page cites, in the order of first use."""

    context: PageContext
    entries: Mapping[str, Entry]
    maths: Maths
    used: dict[str, list[str]] = field(default_factory=dict)  # key -> ids of the citations
    by_hand: dict[str, list[str]] = field(default_factory=dict)  # id -> ids of the links to it

    def cite(self, text: str, origin: SourceMap, start: int) -> list[Cited]:
        """Number the works of the citation `[text]`; an unknown key is an error with its place."""
        works = []
        for found in CITED.finditer(text):
            key = found[2]
            if key not in self.entries:
                sentence = f"unknown citation '@{key}'{nearest(key, self.entries)}"
                self.context.error(origin.at(start + found.start(2) - 1), sentence)
                continue
            ids = self.used.setdefault(key, [])
            ids.append(f"cite-{_safe(key)}-{len(ids) + 1}")
            number = list(self.used).index(key) + 1
            before, after = found[1].strip(" ;"), found[3].strip(" ;")
            works.append(Cited(before, self.entries[key], after, number, ids[-1]))
        return works

    def references(self) -> list[Reference]:
        """The works that were cited, with the links back."""
        return [
            Reference(
                number,
                key,
                f"ref-{_safe(key)}",
                written(self.entries[key], partial(self._in_title, key)),
                _back_links(number, ids),
            )
            for number, (key, ids) in enumerate(self.used.items(), 1)
        ]

    def _in_title(self, key: str, tex: str) -> str:
        line = self.entries[key].line
        return self.maths.html(tex, False, SourceMap("references.bib", tex, ((line, 1),)), 0)

    def link_by_hand(self, target: str) -> str:
        """Note a link to a reference made by hand; returns the id that the link is to have."""
        ids = self.by_hand.setdefault(target, [])
        ids.append(f"cite-{target.removeprefix(HAND_MADE)}-{len(ids) + 1}")
        return ids[-1]

    def back_links_by_hand(self, target: str, place: Place) -> str:
        """The links back from a reference made by hand; a warning if nothing cites it."""
        if target not in self.by_hand:
            self.context.warn(place, f"nothing cites the reference '{target}'")
            return ""
        links = " ".join(
            f'<a href="{link.href}" aria-label="{link.label}">↩</a>'
            for link in _back_links(target.removeprefix(HAND_MADE), self.by_hand[target])
        )
        return f' <span class="back-links">{links}</span>'


def citation_html(works: Sequence[Cited]) -> str:
    """A citation as HTML, each number linked to its reference."""
    joint = "; " if any(work.after for work in works) else ", "
    return f'<span class="citations">[{joint.join(map(_link, works))}]</span>'


def _link(work: Cited) -> str:
    entry = work.entry
    title = f"{surnames(entry)}, {entry.fields.get('year', 'no year')}: {plain_title(entry)}"
    link = (
        f'<a class="citation" id="{work.id}" href="#ref-{_safe(entry.key)}" '
        f'title="{escape(title)}">{work.number}</a>'
    )
    lead = f"{escape(work.before)} " if work.before else ""
    return f"{lead}{link}{escape(work.after)}"


def _safe(key: str) -> str:
    return re.sub(r"[^\w.-]", "-", key)


def _back_links(number: int | str, ids: list[str]) -> list[BackLink]:
    mention = ", mention {}" if len(ids) > 1 else ""
    return [
        BackLink(f"#{id}", f"Back to citation {number}{mention.format(count)}")
        for count, id in enumerate(ids, 1)
    ]
