"""Citations of a page: `[@key]`, of works in a BibTeX file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import quote

from markupsafe import Markup, escape

from press.diagnostics import SourceMap
from press.errors import nearest
from press.markdown.bibliography import Entry, plain_title, surnames, written
from press.markdown.math import Maths
from press.markdown.syntax import works_in
from press.page import PageContext


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
            ids = self.used.setdefault(key, [])
            ids.append(id := f"cite-{key}-{len(ids) + 1}")
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


def _title(entry: Entry) -> str:
    return f"{surnames(entry)}, {entry.fields.get('year', 'no year')}: {plain_title(entry)}"


def _back_links(number: int, ids: list[str]) -> list[BackLink]:
    mention = ", mention {}" if len(ids) > 1 else ""
    return [
        BackLink(f"#{quote(id)}", f"Back to citation {number}{mention.format(count)}")
        for count, id in enumerate(ids, 1)
    ]
