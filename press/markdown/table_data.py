"""The data of a figure or a table as CSV beside its page, with where it comes from in its head."""

import re
from collections.abc import Sequence
from html.parser import HTMLParser
from itertools import zip_longest
from unicodedata import normalize

from press.markdown.raw_html import VOID
from press.page import PageContext
from press.results.export import csv_text, origin_of
from press.results.run import Run

UNSEEN = {"picture", "plot", "spiked", "none", "footnote-ref"}  # classes of what is not data
RAISED = {"sup": "^", "sub": "_"}  # which would be read as digits of what stands before them
AS_DATA = str.maketrans({"\u2212": "-", "\u202f": " ", "\u00a0": " "})
GROUPED = re.compile(r"-?\d{1,3}(?:,\d{3})+")
POWER_OF_TEN = re.compile(r"(?<=\d)×10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
SPREAD = re.compile(r"(.+) ± (\S+)")
RUN_PAGE = re.compile(r"(?:\.\./)*runs/(?:index\.html#(?P<suite>.+)|(?P<run>.+)\.html)")

Rows = Sequence[Sequence[object]]


class Tables(HTMLParser):
    """The tables of a piece of HTML: the words of their cells, and what these say of their origin.

    Drawings, pictures, signs, marks of footnotes, and tables in a cell, are left out, of a formula
    all but its TeX, and a mean's deviation gets a column of its own.
    """

    def __init__(self, html: str) -> None:
        """Read them."""
        super().__init__()
        self.found: list[list[list[str]]] = []
        self.runs: dict[str, None] = {}  # that numbers lead to
        self.suites: dict[str, None] = {}  # of which numbers are means
        self.sources: dict[str, None] = {}  # of claims
        self._unseen: list[str] = []  # the open tags within what is left out
        self._in_cell = self._in_formula = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a table, a row or a cell; note a run or a claim."""
        attributes = {name: value or "" for name, value in attrs}
        classes = {*attributes.get("class", "").split()}
        is_doubled = self._in_formula and tag != "annotation"  # what is set of its TeX
        self._in_formula = self._in_formula or tag == "semantics"
        is_inner = tag == "svg" or (tag == "table" and self._in_cell)
        is_sign = is_inner or classes & UNSEEN or "aria-hidden" in attributes
        if self._unseen or is_sign or is_doubled:
            self._unseen += [tag] if tag not in VOID else []
        elif tag == "br":
            self.handle_data(" ")
        elif tag in RAISED:
            self.handle_data(RAISED[tag])
        elif tag == "table":
            self.found.append([])
        elif tag == "tr" and self.found:
            self.found[-1].append([])
        elif tag in ("td", "th") and self.found and self.found[-1]:
            self.found[-1][-1].append("")
            self._in_cell = True
        if "from-run" in classes and (page := RUN_PAGE.fullmatch(attributes.get("href", ""))):
            (self.runs if page["run"] else self.suites)[page["run"] or page["suite"]] = None
        if "data-claim" in attributes:
            self.sources[attributes.get("title", "")] = None

    def handle_endtag(self, tag: str) -> None:
        """Close a cell, or something that is left out."""
        if self._unseen:
            self._unseen = self._unseen[: None if tag in VOID else -1]
        elif tag in ("td", "th"):
            self._in_cell = False
        elif tag == "semantics":
            self._in_formula = False

    def handle_data(self, data: str) -> None:
        """Add words to the cell."""
        if self._in_cell and not self._unseen:
            self.found[-1][-1][-1] += data

    @property
    def tables(self) -> list[Rows]:
        """Every table as rows of cells; its first row are the heads."""
        return [_columns(rows) for rows in self.found]


def _columns(rows: list[list[str]]) -> list[list[str]]:
    """The rows of a table, with columns of means split into means and deviations."""
    whole = [[_cell(cell) for cell in row] for row in rows if row]
    columns: list[tuple[str, ...]] = []
    for column in zip_longest(*whole, fillvalue=""):
        pairs = [SPREAD.fullmatch(cell) for cell in column]
        columns.append(tuple(p[1] if p else cell for p, cell in zip(pairs, column, strict=True)))
        if any(pairs):
            columns.append((f"{column[0]}, s.d.", *(p[2] if p else "" for p in pairs[1:])))
    return [list(row) for row in zip(*columns, strict=True)]


def _cell(text: str) -> str:
    """The words of a cell as data: ASCII signs, no commas between thousands."""
    text = POWER_OF_TEN.sub(lambda found: f"e{normalize('NFKC', found[1])}", text)
    words = " ".join(text.translate(AS_DATA).split())
    return words.replace(",", "") if GROUPED.fullmatch(words) else words


def _seen(html: str) -> str:
    """The words of a piece of HTML, as of a cell."""
    return " ".join(Tables(f"<table><tr><td>{html}</td></tr></table>").found[0][0][0].split())


def data_links(
    page: PageContext,
    id: str,
    kind: str,
    words: Sequence[str],
    html: str,
    rows: Rows = (),
    runs: Sequence[Run] = (),
) -> list[tuple[str, str]]:
    """Write the data of a figure or a table beside the page; the words and addresses of links.

    The file is called by its `id`, or where that is empty by its kind and number, "table-2";
    `words` are these with the caption, and its note, as HTML. Without `rows`, those of the tables
    in its HTML are meant.
    """
    tables = Tables(html)
    all_runs = {run.name: run for run in runs}
    all_runs |= {run: page.results.run(run) for run in tables.runs}
    file = re.sub(r"[^\w.-]+", "-", id or kind)
    place = f"{page.url.removesuffix('.html')}/{file}"
    origin = [*filter(None, map(_seen, words)), f"on the page {page.url}{'#' * bool(id)}{id}"]
    origin += [f"from {origin_of(run)}" for run in all_runs.values() if run.recorded]
    origin += [f"means over the recorded runs of suite {name}" for name in tables.suites]
    origin += [f"quoted: {source}" for source in tables.sources if source]
    found = [rows] if rows else [table for table in tables.tables if any(map(any, table[1:]))]
    links = []
    for number, table in enumerate(found):
        url = f"{place}-all.csv" if number else f"{place}.csv"
        links.append(("all as CSV" if number else "CSV", page.add(url, csv_text(origin, table))))
    return links
