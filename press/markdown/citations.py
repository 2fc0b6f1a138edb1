"""Citations of a page: `[@key]` from BibTeX, and references that the author made by hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import quote

from markupsafe import Markup, escape

from press.diagnostics import Place, SourceMap
from press.errors import nearest
from press.markdown.bibliography import Entry, plain_title, surnames, written
from press.markdown.math import Maths
from press.markdown.syntax import works_in
from press.page import PageContext

HAND_MADE = "citation-"  # how the id of a hand-made reference begins


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

    def cite(self, text: str, origin: SourceMap, start: int) -> str:
        """The citation `[text]` as HTML, each work's number linked to its reference.

        An unknown key is an error with its place.
        """
        works, joint = [], ", "
        for work in works_in(text):
            key = work.key
            if key not in self.entries:
                sentence = f"unknown citation '@{key}'{nearest(key, self.entries)}"
                self.context.error(origin.at(start + work.offset), sentence)
                continue
            id = _mention(self.used, key, key)
            number = list(self.used).index(key) + 1
            link = (
                f'<a class="citation" id="{escape(id)}" href="#ref-{quote(key)}" '
                f'title="{escape(_title(self.entries[key]))}">{number}</a>'
            )
            works.append(f"{escape(work.before)} {link}{escape(work.after)}".lstrip())
            joint = "; " if work.after else joint
        return f'<span class="citations">[{joint.join(works)}]</span>'

    def references(self) -> list[Reference]:
        """The works that were cited, with the links back."""
        return [
            Reference(
                number,
                key,
                f"ref-{key}",
                written(self.entries[key], partial(self._in_title, key)),
                _back_links(number, ids),
            )
            for number, (key, ids) in enumerate(self.used.items(), 1)
        ]

    def _in_title(self, key: str, tex: str) -> str:
        place = self.entries[key].place
        # An entry does not know where in it a formula stands: every mistake has the entry's place.
        origin = SourceMap(place.path, "", ((place.line, place.column),))
        return self.maths.html(tex, False, origin, 0)

    def link_by_hand(self, target: str) -> str:
        """Note a link to a reference made by hand; returns the id that the link is to have."""
        return _mention(self.by_hand, target, target.removeprefix(HAND_MADE))

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


def _title(entry: Entry) -> str:
    return f"{surnames(entry)}, {entry.fields.get('year', 'no year')}: {plain_title(entry)}"


def _mention(mentions: dict[str, list[str]], target: str, name: str) -> str:
    """Note one more mention of `target`; the id by which its reference leads back to it."""
    ids = mentions.setdefault(target, [])
    ids.append(f"cite-{name}-{len(ids) + 1}")
    return ids[-1]


def _back_links(number: int | str, ids: list[str]) -> list[BackLink]:
    mention = ", mention {}" if len(ids) > 1 else ""
    return [
        BackLink(f"#{quote(id)}", f"Back to citation {number}{mention.format(count)}")
        for count, id in enumerate(ids, 1)
    ]
