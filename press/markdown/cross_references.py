"""References within a page: ids, numbers, and the names that a reference shows."""

import re
from collections import Counter
from dataclasses import dataclass, field
from html import escape, unescape

from press.diagnostics import Place
from press.errors import InputError, nearest
from press.page import PageContext

NAMES = {"figure": "Figure {}", "table": "Table {}", "equation": "Equation ({})"}
WAITING = re.compile("\ue010name:(.*?)\ue011")
RESERVED = ("content", "references", "cite-this")  # ids of the template
IDS = re.compile(r"""<[a-zA-Z][^<>]*?\sid\s*=\s*["']([^"']*)["']""")


@dataclass
class CrossReferences:
    """What a page can refer to, and what it does refer to."""

    context: PageContext
    path: str  # of the post
    names: dict[str, str] = field(default_factory=dict)  # id of a section -> its heading's HTML
    wanted: list[tuple[str, Place]] = field(default_factory=list)
    _ids: set[str] = field(default_factory=lambda: set(RESERVED))

    def new_id(self, wish: str, given: bool) -> str:
        """Give an id that no other heading has; a given one stays as it is."""
        id, count = wish, 1
        while id in self._ids and not given:
            count += 1
            id = f"{wish}-{count}"
        self._ids.add(id)
        return id

    def name(self, id: str, html: str) -> None:
        """Remember the heading of a section."""
        self.names.setdefault(id, html)

    def number(self, kind: str, id: str | None, place: Place) -> int:
        """Give the next number of a kind; an id that is given twice is told with its place."""
        try:
            return self.context.number(kind, id)
        except InputError as error:
            self.context.error(place, error.sentence)
            return self.context.number(kind, None)

    def link(self, id: str, place: Place) -> None:
        """Remember a link to `id`, to be checked once the page is whole."""
        self.wanted.append((id, place))

    def html(self, id: str, place: Place) -> str:
        """Write a reference whose text is filled in once the page is whole."""
        self.link(id, place)
        return f'<a class="reference" href="#{escape(id)}">\ue010name:{id}\ue011</a>'

    def resolved(self, html: str) -> str:
        """Fill in the names of references; links to nothing and ids given twice are told."""
        ids = Counter(unescape(id) for id in IDS.findall(html))
        for id, place in self.wanted:
            if id and id not in ids:
                self.context.error(
                    place, f"nothing on this page has the id '{id}'{nearest(id, ids)}"
                )
        told = self.context.labels
        for id in [id for id, count in ids.items() if count > 1 and id not in told]:
            self.context.error(Place(self.path, 1, 1), f"the id '{id}' is given twice")
        return WAITING.sub(lambda found: self._name(found[1]), html)

    def _name(self, id: str) -> str:
        label = self.context.labels.get(id)
        if label:
            return NAMES.get(label.kind, label.kind.capitalize() + " {}").format(label.number)
        return self.names.get(id, escape(id))
