"""Citations of a page: `[@key]` from BibTeX, and anchors that the author made by hand."""

import re
from collections.abc import Mapping
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
BACK_LINKS = re.compile("\ue010back:(.*?)\ue011")


@dataclass(frozen=True)
class BackLink:
    """A way back from a reference to where it is cited."""

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
    anchors: dict[str, Place] = field(default_factory=dict)  # hand-made references, by id

    def html(self, text: str, origin: SourceMap, start: int) -> str:
        """Write the citation `[text]`; an unknown key is told with its place."""
        parts = [self._one(found, origin, start) for found in CITED.finditer(text)]
        joint = ", " if all(part.endswith("</a>") for part in parts) else "; "
        return f'<span class="citations">[{joint.join(parts)}]</span>'

    def _one(self, found: re.Match[str], origin: SourceMap, start: int) -> str:
        before, key, after = found[1].strip(" ;"), found[2], found[3].strip(" ;")
        if key not in self.entries:
            sentence = f"unknown citation '@{key}'{nearest(key, self.entries)}"
            self.context.error(origin.at(start + found.start(2) - 1), sentence)
            return ""
        entry = self.entries[key]
        ids = self.used.setdefault(key, [])
        ids.append(f"cite-{_safe(key)}-{len(ids) + 1}")
        number = list(self.used).index(key) + 1
        title = f"{surnames(entry)}, {entry.fields.get('year', 'no year')}: {plain_title(entry)}"
        link = (
            f'<a class="citation" id="{ids[-1]}" href="#ref-{_safe(key)}" '
            f'title="{escape(title)}">{number}</a>'
        )
        lead = f"{escape(before)} " if before else ""
        return f"{lead}{link}{escape(after)}"

    def references(self) -> list[Reference]:
        """List what was cited, with the ways back."""
        return [
            Reference(
                number,
                key,
                f"ref-{_safe(key)}",
                written(self.entries[key], partial(self._in_title, key)),
                [BackLink(f"#{id}", _label(number, ids, id)) for id in ids],
            )
            for number, (key, ids) in enumerate(self.used.items(), 1)
        ]

    def _in_title(self, key: str, tex: str) -> str:
        line = self.entries[key].line
        return self.maths.html(tex, False, SourceMap("references.bib", tex, ((line, 1),)), 0)

    def link_by_hand(self, target: str) -> str:
        """Note a link to a hand-made reference; gives the id that the link is to have."""
        ids = self.by_hand.setdefault(target, [])
        ids.append(f"cite-{target.removeprefix(HAND_MADE)}-{len(ids) + 1}")
        return ids[-1]

    def anchor_by_hand(self, target: str, place: Place) -> str:
        """Note a hand-made reference; gives what stands for its ways back until they are known."""
        self.anchors[target] = place
        return f"\ue010back:{target}\ue011"

    def with_back_links(self, html: str) -> str:
        """Fill in the ways back of hand-made references; one that nothing cites is warned of."""
        for target, place in self.anchors.items():
            if target not in self.by_hand:
                self.context.warn(place, f"nothing cites the reference '{target}'")
        return BACK_LINKS.sub(lambda found: self._back(found[1]), html)

    def _back(self, target: str) -> str:
        ids = self.by_hand.get(target, [])
        number = target.removeprefix(HAND_MADE)
        links = " ".join(
            f'<a href="#{id}" aria-label="{_label(number, ids, id)}">↩</a>' for id in ids
        )
        return f' <span class="back-links">{links}</span>' if links else ""


def _safe(key: str) -> str:
    return re.sub(r"[^\w.-]", "-", key)


def _label(number: int | str, ids: list[str], id: str) -> str:
    which = f", mention {ids.index(id) + 1}" if len(ids) > 1 else ""
    return f"Back to citation {number}{which}"
