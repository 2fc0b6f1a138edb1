"""References within a page: ids and numbers, and the names that references show."""

import re
from collections import Counter
from dataclasses import dataclass, field
from html import unescape
from itertools import islice

from markdown_it.token import Token

from press.diagnostics import Place
from press.errors import nearest
from press.page import PageContext

NAMES = {  # of what is numbered, each kind by itself
    "figure": "Figure {}",
    "table": "Table {}",
    "equation": "Equation ({})",
    "listing": "Listing {}",
}
RESERVED = ("content", "references", "cite-this")  # ids of the template
IDS = re.compile(r"""<[a-zA-Z][^<>]*?\sid\s*=\s*["']?([^"'\s>]+)""")

COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


@dataclass
class CrossReferences:
    """What a page can refer to, and what it does refer to."""

    context: PageContext
    path: str  # of the post
    labels: dict[str, str] = field(default_factory=dict)  # id -> "Figure 1"
    sections: dict[str, list[Token]] = field(default_factory=dict)  # id -> a heading's words
    wanted: list[tuple[str, Place]] = field(default_factory=list)  # ids that links name
    _counts: Counter[str] = field(default_factory=Counter)
    _repeats: Counter[str] = field(default_factory=Counter)  # of what headings are to be called
    _ids: set[str] = field(default_factory=lambda: set(RESERVED))

    def new_id(self, wish: str, given: bool) -> str:
        """An id that no other heading has; a given one stays as it is."""
        id = wish
        while not given and id in self._ids:
            self._repeats[wish] += 1
            id = f"{wish}-{self._repeats[wish] + 1}"
        self._ids.add(id)
        return id

    def number(self, kind: str, id: str, place: Place) -> int:
        """The next number of a kind of NAMES, which `id` (if it is not empty) refers to."""
        self._counts[kind] += 1
        if id in self.labels:
            self.context.error(place, f"the id '{id}' is given twice")
        elif id:
            self.labels[id] = NAMES[kind].format(self._counts[kind])
        return self._counts[kind]

    def check(self, html: str) -> None:
        """Tell of links to ids that the page's HTML has not, and of ids that it has twice."""
        ids = Counter(unescape(id) for id in IDS.findall(COMMENT.sub("", html)))
        known = {"", *ids, *RESERVED}
        unknown = [(id, place) for id, place in self.wanted if id not in known]
        few = islice(dict.fromkeys(id for id, _ in unknown), 20)  # to look for a name takes time
        hints = {id: nearest(id, ids) for id in few}
        for id, place in unknown:
            self.context.error(place, f"unknown id '{id}'{hints.get(id, '')}")
        for id, times in ids.items():
            if times > 1 and id not in self.labels:
                self.context.error(Place(self.path, 1, 1), f"the id '{id}' is given twice")
