"""BibTeX read by pybtex, its fields decoded; every mistake has its line and column."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from press.diagnostics import Diagnostic, Place, Severity, SourceMap
from press.errors import InputError, nearest
from press.markdown.latex import ADDRESS, FORMULA, Decoder, verbatim

TEXTS = (
    "title", "journal", "booktitle", "publisher", "school", "institution", "howpublished",
    "address", "series", "edition", "chapter", "volume", "number", "pages", "year", "note",
)  # fmt: skip
ALIASES = {  # of biblatex
    "date": "year", "eprinttype": "archiveprefix", "journaltitle": "journal", "location": "address",
}  # fmt: skip
IDENTIFIERS = {  # what is looked for in a field that LaTeX does not typeset
    "doi": (r"10\.\d{4,9}/.+", "DOI"),
    "eprint": (r"\b(?:\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?\b", "arXiv number"),
    "url": (r"^(?:https?|ftp)://.+", "address of a page"),
}
NOT_INHERITED = frozenset(("crossref", "title", *IDENTIFIERS))
# An entry's sign; elsewhere, as in an e-mail address of a comment, it begins nothing.
SIGN = r"(?m)^[ \t]*@|@(?=\s*\w+\s*[{(])"

# The key, the place, the authors, the fields, and where those that hold a formula stand.
Row = tuple[str, Place, list[list[str]], dict[str, str], dict[str, Place]]


@dataclass(frozen=True)
class Source:
    """An entry as it stands in the file, from one offset to another."""

    key: str
    start: int
    end: int
    fields: dict[str, str]  # LaTeX, by BibTeX's names; none is empty


class Reader:
    """Reads one file, and remembers what is wrong with single entries."""

    def __init__(self, text: str, path: Path) -> None:
        """Begin at the start of the text."""
        self.text = text.replace(FORMULA, " ")
        self._place = SourceMap.of_lines(str(path), self.text, 1).at
        self.diagnostics = list[Diagnostic]()

    def rows(self) -> Iterator[Row]:
        """A row for each entry; an author has a last name and initials.

        Raises InputError, with its place, if the text is no BibTeX.
        """
        entries: dict[str, Source] = {}
        for entry in self._entries():
            before = entries.setdefault(entry.key, entry)
            line = self._place(before.start).line
            if before is not entry and self._words(before) == self._words(entry):
                self._tell(entry, f"'{entry.key}' stands in line {line} already, word for word")
            elif before is not entry:
                sentence = f"'{entry.key}' is already the key of the entry in line {line}"
                self._tell(entry, sentence, is_error=True)
        for entry in entries.values():
            if "crossref" in entry.fields:
                self._inherit(entry, entries)
            texts = self._decoded(entry)
            if "title" not in entry.fields:
                self._tell(entry, f"'{entry.key}' has no title")
            place, authors = self._place(entry.start), [*self._authors(entry)]
            formulas = [name for name, text in texts.items() if FORMULA in text]
            yield entry.key, place, authors, texts, {n: self._field(entry, n) for n in formulas}

    def _entries(self) -> Iterator[Source]:
        from pybtex.database.input.bibtex import LowLevelParser, month_names
        from pybtex.scanner import Pattern
        from pybtex.utils import CaseInsensitiveDict

        macros = CaseInsensitiveDict(month_names)
        parser = LowLevelParser(self.text, macros=macros, handle_error=self._handle)
        parser.AT = Pattern(SIGN, "'@'")
        for command, body in parser:
            if command.lower() not in ("string", "preamble"):
                yield self._source(parser, *body)

    def _source(self, parser: Any, key: str, found: list[tuple[str, list[str]]]) -> Source:
        named = [(name.lower(), "".join(parts)) for name, parts in found]
        fields = {
            ALIASES.get(name, name): latex
            for name, latex in reversed(named)  # the first counts
            if latex.strip("{} \t\n")
        }
        entry = Source(key, parser.command_start, parser.pos, fields)
        for name, count in Counter(name for name, _ in named).items():
            if count > 1:
                self._tell(entry, f"'{key}' has '{name}' twice, and the first counts", name)
        return entry

    def _handle(self, error: Any) -> None:
        """Make pybtex's error one of ours; a name that nothing defines does not end the reading."""
        from pybtex.database.input.bibtex import UndefinedMacro
        from pybtex.scanner import PrematureEOF

        sentence, parser = error.args[0], error.parser
        place = self._place(parser.pos)
        if isinstance(error, UndefinedMacro):
            place = self._place(parser.pos - len(sentence))
            sentence = f"no @string defines '{sentence}'{nearest(sentence, parser.macros)}"
            self.diagnostics.append(Diagnostic(place, sentence, "error"))
            return
        if isinstance(error, PrematureEOF):
            place, sentence = self._place(parser.command_start), "what begins here never ends"
        elif found := re.compile(r"\w+|\S").match(self.text, parser.pos):
            what, is_missing, _ = sentence.replace("'}'", "',' or '}'").partition(" expected")
            sentence = f"expected {what}, got '{found[0]}'" if is_missing else sentence
        raise InputError(f"not valid BibTeX: {sentence}", *place)

    def _tell(self, entry: Source, sentence: str, name: str = "", is_error: bool = False) -> None:
        """Report what is wrong, at the field of this name, or else where the entry begins."""
        severity: Severity = "error" if is_error else "warning"
        self.diagnostics.append(Diagnostic(self._field(entry, name), sentence, severity))

    def _field(self, entry: Source, name: str) -> Place:
        """Where an entry's field of this name begins, or else the entry."""
        field = re.compile(rf"\b{re.escape(name or '@')}\s*=", re.IGNORECASE)
        found = field.search(self.text, entry.start, entry.end)
        return self._place(found.start() if found else entry.start)

    def _words(self, entry: Source) -> list[str]:
        return self.text[entry.start : entry.end].split()

    def _inherit(self, entry: Source, entries: dict[str, Source]) -> None:
        """Add what an entry has from the one that it refers to, whose title is a book's."""
        fields, key = entry.fields, verbatim(entry.fields["crossref"])
        if key not in entries:
            sentence = f"'{entry.key}' refers to an unknown entry, '{key}'{nearest(key, entries)}"
            self._tell(entry, sentence, "crossref")
            return
        theirs = entries[key].fields
        if "title" in theirs:
            fields.setdefault("booktitle", theirs.get("booktitle", theirs["title"]))
        for name in theirs.keys() - NOT_INHERITED:
            fields.setdefault(name, theirs[name])

    def _authors(self, entry: Source) -> Iterator[list[str]]:
        from pybtex.bibtex.utils import split_name_list
        from pybtex.database import Person
        from pybtex.exceptions import PybtexError

        role = "author" if "author" in entry.fields else "editor"
        for name in split_name_list(" ".join(entry.fields.get(role, "").split())):
            try:
                person = Person(name)
            except (PybtexError, ValueError):
                sentence = f"'{name[:80]}' is no name: 'and' stands between authors"
                self._tell(entry, sentence, role, is_error=True)
                continue
            last = [*person.prelast_names, *person.last_names, *person.lineage_names]
            parts = (" ".join(last), *person.first_names, *person.middle_names)
            surname, *firsts = [self._text(entry, role, part) for part in parts]
            hyphenated = [[part[0] for part in first.split("-") if part] for first in firsts]
            initials = " ".join("-".join(f"{one}." for one in part) for part in hyphenated)
            if surname:
                yield [surname, initials]

    def _decoded(self, entry: Source) -> dict[str, str]:
        """The fields that a reference is made of, as plain text but for formulas."""
        fields = entry.fields
        texts = {name: self._text(entry, name, fields[name]) for name in TEXTS if name in fields}
        if day := re.match(r"(\d{4})-\d\d(?!\d)", texts.get("year", "")):
            texts["year"] = day[1]
        if "author" not in fields and "editor" in fields:
            texts["role"] = "eds" if " and " in fields["editor"] else "ed."
        if "pages" in texts:
            texts["pages"] = re.sub(r"(?<=\d)\s*-\s*(?=\d)", "–", texts["pages"])
        for name in (one for one in TEXTS if one in texts):
            if ADDRESS.search(fields[name]):
                fields.setdefault("url", fields[name])
        if re.fullmatch(r"\w+://\S+", texts.get("howpublished", "")):
            fields.setdefault("url", fields["howpublished"])
            del texts["howpublished"]
        if FORMULA in texts.get("title", ""):
            with suppress(ValueError):  # of a formula, whose mistakes the page tells
                texts["plain_title"] = Decoder().text(fields["title"])
        texts |= self._identifiers(entry)
        return {name: text for name, text in texts.items() if text}

    def _identifiers(self, entry: Source) -> dict[str, str]:
        fields = {name: verbatim(latex) for name, latex in entry.fields.items()}
        archive = fields.get("archiveprefix", "").lower()
        found = {"crossref": fields.get("crossref", "")}
        for name, (pattern, what) in IDENTIFIERS.items():
            value = fields.get(name, "")
            if not value or (name == "eprint" and archive not in ("", "arxiv")):
                continue
            if match := re.search(pattern, unquote(value) if name == "doi" else value):
                found[name] = match[0]
            elif name != "eprint" or archive:
                self._tell(entry, f"'{value}' is no {what}, so '{entry.key}' has none", name)
        return found

    def _text(self, entry: Source, name: str, latex: str) -> str:
        decoder, text = Decoder(FORMULA), ""
        try:
            text = decoder.text(latex)
        except ValueError as error:
            sentence = f"'{name}' of '{entry.key}' is not valid LaTeX: {error}"
            self._tell(entry, sentence, name, is_error=True)
        for command in decoder.unknown:
            sentence = f"'{name}' of '{entry.key}' has an unknown command, '\\{command}', left out"
            self._tell(entry, sentence, name)
        return text
