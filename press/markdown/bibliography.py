"""BibTeX read into plain entries, mistakes told with their line, and written as references.

The style: authors by last name and initials, title, where it appeared, year, DOI or arXiv number.
"""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from press.diagnostics import Place
from press.errors import InputError
from press.files import text_of
from press.page import PageContext
from press.paths import web_address

VENUES = ("journal", "booktitle", "publisher", "school", "institution", "howpublished")
IDENTIFIERS = (  # field, class, where it leads, how it is written
    ("doi", "doi", "https://doi.org/", "doi"),
    ("eprint", "arxiv", "https://arxiv.org/abs/", "arXiv"),
)
FORM = "2"  # raise when the form of an entry below changes


@dataclass(frozen=True)
class Entry:
    """A work that can be cited; texts are still LaTeX, names are decoded."""

    key: str
    line: int
    authors: list[list[str]]  # for each: last name, initials
    fields: dict[str, str]


def load_bibliography(path: Path, context: PageContext) -> dict[str, Entry]:
    """Every entry of a BibTeX file, none if it is absent; raises InputError with its line."""
    context.note(path)
    if not path.exists():
        return {}
    text = text_of(path)
    rows = context.cache.json("bibliographies", f"{FORM}|{text}", lambda: _parse(path, text))
    entries = {row[0]: Entry(*row) for row in rows}
    for entry in entries.values():
        if "title" not in entry.fields:
            context.warn(Place(str(path), entry.line, 1), f"'{entry.key}' has no title")
    return entries


def _parse(path: Path, text: str) -> list[Any]:
    from pybtex.database import parse_string
    from pybtex.exceptions import PybtexError

    try:
        found = parse_string(text, "bibtex").entries
    except PybtexError as error:
        raise _as_input_error(path, text, error) from None
    return [
        [
            key,
            _line_of(text, key),
            [_name(person) for person in entry.persons.get("author", [])],
            {name.lower(): str(value) for name, value in entry.fields.items()},
        ]
        for key, entry in found.items()
    ]


def _as_input_error(path: Path, text: str, error: Exception) -> InputError:
    sentence = str(error.args[0]) if error.args else str(error)
    context = getattr(error, "error_context_info", None)
    if context:
        position = context[2]
        column = position - text.rfind("\n", 0, position)
        return InputError(f"not valid BibTeX: {sentence}", path, context[1], column)
    repeated = re.search(r"repeated bibliography entry: (\S+)", sentence)
    line = _line_of(text, repeated[1], last=True) if repeated else None
    return InputError(f"not valid BibTeX: {sentence}", path, line)


def _line_of(text: str, key: str, last: bool = False) -> int:
    found = list(re.finditer(rf"@\w+\s*[{{(]\s*{re.escape(key)}\s*,", text, re.IGNORECASE))
    return text.count("\n", 0, found[-1 if last else 0].start()) + 1 if found else 1


def _name(person: Any) -> list[str]:
    last = " ".join([*person.prelast_names, *person.last_names, *person.lineage_names])
    firsts = [decoded(name) for name in (*person.first_names, *person.middle_names)]
    initials = " ".join(
        "-".join(f"{part[0]}." for part in name.split("-") if part) for name in firsts
    )
    return [decoded(last), initials]


def decoded(latex: str) -> str:
    """LaTeX text without formulas as plain text."""
    import latexcodec  # noqa: F401  (registers the codec)

    text = re.sub(r"\\(La)?TeX\b\s*(\{\})?", r"\1TeX", latex)
    text = str(codecs.decode(text, "ulatex"))  # type: ignore[call-overload]
    text = re.sub(r"\\(?:textit|emph|textbf|textsc)\s*", "", text)
    space = " " if latex[:1].isspace() else ""  # the codec takes it away
    return space + text.replace("{", "").replace("}", "").lstrip()


def surnames(entry: Entry) -> str:
    """An entry's authors in short: "Ulyanov et al."."""
    names = [author[0] for author in entry.authors]
    if len(names) > 2:
        return f"{names[0]} et al."
    return " and ".join(names) or entry.key


def plain_title(entry: Entry) -> str:
    """An entry's title as plain text."""
    return "".join(_title(entry, str))


def _title(entry: Entry, typeset: Callable[[str], str]) -> list[str]:
    """An entry's title in pieces: text and, in turn, what `typeset` makes of a formula."""
    pieces = re.split(r"(?<!\\)\$([^$]+)\$", entry.fields.get("title", entry.key))
    return [typeset(piece) if index % 2 else decoded(piece) for index, piece in enumerate(pieces)]


def written(entry: Entry, typeset: Callable[[str], str]) -> Markup:
    """An entry as a reference, its title linked to where the work is.

    `typeset` makes HTML of the TeX of a formula in the title.
    """
    fields = entry.fields
    title = Markup("").join(_title(entry, lambda tex: Markup(typeset(tex))))
    links = [
        (kind, base + fields[name], f"{label}:{fields[name]}")
        for name, kind, base, label in IDENTIFIERS
        if name in fields
    ]
    address = links[0][1] if links else web_address(fields.get("url", ""))
    if address:
        title = Markup('<a href="{}">{}</a>').format(address, title)
    cite = Markup('<cite class="title">{}</cite>').format(title)
    parts = [escape(_authors(entry)), cite, escape(_venue(fields))]
    parts += [Markup('<a class="{}" href="{}">{}</a>').format(*link) for link in links]
    stops = (".", "?", "!")
    ended = [part if part.striptags().endswith(stops) else part + "." for part in parts if part]
    return Markup(" ").join(ended)


def _authors(entry: Entry) -> str:
    names = [", ".join(filter(None, author)) for author in entry.authors]
    if len(names) > 8:
        return ", ".join([*names[:7], "et al."])
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def _venue(fields: dict[str, str]) -> str:
    venue = next((decoded(fields[name]) for name in VENUES if name in fields), "")
    volume = fields.get("volume", "")
    issue = f"({fields['number']})" if "number" in fields else ""
    where = f"{venue} {volume}{issue}".strip()
    pages = fields.get("pages", "").replace("--", "–")
    return ", ".join(part for part in (where, pages, fields.get("year", "")) if part)
