"""A post's file: its front matter, checked with line and column, and its text."""

import datetime
import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from press.diagnostics import Diagnostic, Place, SourceMap
from press.errors import InputError, nearest
from press.files import FORBIDDEN, NOT_IN_LINE, content_of, text_of
from press.paths import find_file

FRONT_MATTER = re.compile(r"---[^\S\n]*(?:\n(.*?))?\n---[^\S\n]*$", re.DOTALL | re.MULTILINE)
FORMS: dict[str, tuple[type, str]] = {  # of each key: its type, and what to call it
    "title": (str, "text"),
    "date": (datetime.date, "a date such as 2026-11-23"),
    "authors": (list, "a list of names"),
    "summary": (str, "text"),
    "draft": (bool, "true or false"),
    "aliases": (list, "a list of addresses"),
    "image": (str, "the path of a picture"),
    "status": (str, "text"),
    "order": (int, "an integer"),
}

READ = ("title", "authors", "summary", "status")  # texts for readers
TEXT = "tag:yaml.org,2002:str"
BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
TIPS = {  # by what YAML says
    "escape": "; in double quotes a backslash begins an escape, in single quotes it is a backslash",
    "mapping values": "; a text with a colon in it stands in quotation marks",
    "<scalar>": "; a text with double quotes inside stands in single quotes",
    "end of stream": "; this quotation mark or bracket is never closed",
    "\\t": "; indent with spaces",
}


@dataclass(frozen=True)
class Post:
    """A post as it was written; `text` keeps the whole file's lines, front matter made blank."""

    file: Path
    text: str
    has_front_matter: bool
    title: str | None = None
    date: datetime.date | None = None
    authors: tuple[str, ...] = ()
    summary: str = ""
    draft: bool = False
    aliases: tuple[str, ...] = ()
    image: str = ""  # by which other sites show a link to it
    status: str = ""  # what stands behind its answer, for the list of posts
    order: int | None = None  # its place in the list of posts
    places: dict[str, Place] = field(default_factory=dict)  # of the values in the front matter
    mistakes: tuple[Diagnostic, ...] = ()  # of the front matter

    @property
    def url(self) -> str:
        """The page's address from the site's root."""
        return url_of(self.file)


def slug(text: str) -> str:
    """A text as a part of an address: letters of every script, digits and points only."""

    def plain(found: re.Match[str]) -> str:
        marks = [sign for sign in found[0] if unicodedata.category(sign)[0] == "M"]  # of letters
        return "".join(marks) + ("-" if len(marks) < len(found[0]) else "")

    return re.sub(r"[^\w.-]+", plain, unicodedata.normalize("NFC", text)).strip("-").lower()


def url_of(file: Path) -> str:
    """The address of a post's page from the site's root."""
    return f"posts/{slug(file.stem)}.html"


def load_post(file: Path) -> Post:
    """Read a post, which has the mistakes of its front matter; raises InputError if it is no text.

    A title that is wrong is replaced by the file's name, so that what follows can be told too.
    """
    text = text_of(file)
    if found := FORBIDDEN.search(text):
        sentence = f"a page cannot hold the character U+{ord(found[0]):04X}"
        raise InputError(sentence, *SourceMap.of_lines(str(file), text, 1).at(found.start()))
    if text.split("\n", 1)[0].rstrip() != "---":
        return Post(file, text, has_front_matter=False)
    matched = FRONT_MATTER.match(text)
    if not matched:
        raise InputError("the front matter is opened here and never closed by ---", file, 1, 1)
    values, places, mistakes = _front_matter(file, matched[1] or "")
    body = "\n" * matched[0].count("\n") + text[matched.end() :]
    return Post(file, body, True, **values, places=places, mistakes=tuple(mistakes))


def _front_matter(
    file: Path, text: str
) -> tuple[dict[str, Any], dict[str, Place], list[Diagnostic]]:
    """The values of the front matter, their places, and every mistake in it."""
    values: dict[str, Any] = {}
    places: dict[str, Place] = {}
    mistakes: list[Diagnostic] = []
    try:
        nodes = _composed(file, text)
    except InputError as error:
        nodes, mistakes = [], [Diagnostic.from_error(error)]
    for key_node, node in nodes:
        place = Place(str(file), *_line_and_column(key_node))
        key = key_node.value if key_node.id == "scalar" else "[...]"
        try:
            if key not in FORMS:
                raise InputError(f"unknown key '{key}'{nearest(key, FORMS)}")
            if key in places:
                raise InputError(f"'{key}' is given twice")
            place = places[key] = Place(str(file), *_line_and_column(node))
            values[key] = _value(key, node)
            mistakes += _cut_off(file, key, node)
        except InputError as error:
            mistakes.append(Diagnostic(place, error.sentence, "error"))
    if mistakes and ("title" in places or not places):
        values.setdefault("title", file.stem)
        places.setdefault("title", Place(str(file), 1, 1))
    return values, places, mistakes


def _composed(file: Path, text: str) -> list[tuple[Any, Any]]:
    """The keys and values of the front matter, as YAML's nodes; raises InputError if it is none.

    The values are read from their texts: YAML's own forms of numbers, dates and the like raise
    many kinds of errors where a text is tagged as one that it is not.
    """
    import yaml

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = (mark.line + 2, mark.column + 1) if mark else (1, 1)
        if (at := getattr(error, "position", None)) is not None:  # of a sign that YAML forbids
            place = text.count("\n", 0, at) + 2, at - text.rfind("\n", 0, at)
        problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
        sentence = f"the front matter is not valid YAML: {problem}"
        sentence += next((tip for word, tip in TIPS.items() if word in problem), "")
        raise InputError(sentence, file, *place) from None
    except RecursionError:
        raise InputError("the front matter is nested too deeply", file, 2, 1) from None
    if root is not None and not isinstance(root, yaml.MappingNode):
        raise InputError("the front matter is not a list of `key: value` lines", file, 2, 1)
    return root.value if root else []


def _line_and_column(node: Any) -> tuple[int, int]:
    """Where the text of a node begins in its file: that of `title: >` on the line below."""
    style = getattr(node, "style", None)
    if style in ("|", ">"):
        rows = node.start_mark.buffer[node.start_mark.pointer :].split("\n")[1:] or [""]
        number = next((n for n, row in enumerate(rows) if row.strip("\0 ")), 0)
        return node.start_mark.line + 3 + number, len(rows[number]) - len(rows[number].lstrip()) + 1
    return node.start_mark.line + 2, node.start_mark.column + 1 + (style in ("'", '"'))


def _cut_off(file: Path, key: str, node: Any) -> Iterator[Diagnostic]:
    """What is no comment in a text for readers, though YAML takes it for one."""
    for one in node.value if node.id == "sequence" else [node]:
        mark, is_plain = one.end_mark, one.id == "scalar" and one.style is None
        found = re.compile(r"[ \t]+#.*").match(mark.buffer, mark.pointer) if is_plain else None
        if found and key in READ:
            column = mark.column + 1 + found[0].index("#")
            sentence = f"'{found[0].lstrip()}' is left out, as a comment of YAML"
            sentence += "; a text with # in it stands in quotation marks"
            yield Diagnostic(Place(str(file), mark.line + 2, column), sentence, "check")


def _value(key: str, node: Any) -> Any:
    """The value of a key; raises InputError if its form is not that of FORMS."""
    (form, what), is_one = FORMS[key], node.id == "scalar"
    kind, text = str(node.tag).rpartition(":")[2], str(node.value)
    nodes = node.value if node.id == "sequence" else [node]
    if form is bool and is_one and kind == "bool" and text.lower() in BOOLEANS:
        return BOOLEANS[text.lower()]
    if form is datetime.date and is_one and (kind == "timestamp" or len(text) == 10):
        with suppress(ValueError):
            return datetime.date.fromisoformat(text[:10])
    if form is int and is_one and kind == "int" and re.fullmatch("-?[0-9]{1,9}", text):
        return int(text)
    if form in (str, list) and all(one.id == "scalar" and one.tag == TEXT for one in nodes):
        texts = [_text(key, one) for one in nodes]
        if form is list:
            return tuple(text for text in texts if text.strip())
        if is_one and key == "title" and not texts[0].strip():
            raise InputError("the title is empty; without this line the first heading is the title")
        if is_one:
            return texts[0]
    quoted = "" if is_one or form is not str else "; one with { or [ stands in quotation marks"
    raise InputError(f"'{key}' is not {what}{quoted}")


def _text(key: str, node: Any) -> str:
    """The text of a node; raises InputError if it holds what is no letter of a line."""
    is_block = node.style in ("|", ">")
    text: str = node.value.rstrip("\n") if is_block else node.value
    if found := NOT_IN_LINE.search(text.replace("\n", " ") if is_block else text):
        why = TIPS["escape"] if node.style == '"' else ""
        raise InputError(f"'{key}' holds U+{ord(found[0]):04X}, no character of a line{why}")
    return text


def deeper_posts(content_dir: Path) -> tuple[list[Path], list[Path]]:
    """What has the front matter of a post and is not listed: what was looked at, what was found."""
    folder = content_dir / "posts"
    folders = [folder, *(one for one in sorted(folder.glob("[!.]*")) if one.is_dir())]
    near = [path for one in folders for path in sorted(one.glob("[!.]*.[mM][dD]"))]
    posts = [*folder.glob("*.md")]
    others = [path for path in near if path.is_file() and path not in posts]
    return [*folders, *others], [path for path in others if content_of(path).startswith(b"---")]


def list_posts(content_dir: Path) -> list[Path]:
    """The posts' files, in order; raises InputError if there is no folder of posts."""
    folder = content_dir / "posts"
    if not folder.is_dir():
        raise InputError("there is no such folder; posts are Markdown files in it", folder)
    found = sorted(path for path in folder.glob("*.md") if not path.name.startswith("."))
    for path in found:
        try:
            find_file(path.name, folder, content_dir)
        except InputError as error:
            raise InputError(error.sentence, path) from None
        if not slug(path.stem):
            raise InputError("this name has no letter that could stand in an address", path)
    return found
