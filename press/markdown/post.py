"""A post's file: its front matter, checked with line and column, and its text."""

import datetime
import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from press.diagnostics import Place
from press.errors import InputError, nearest
from press.files import text_of
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

    @property
    def url(self) -> str:
        """The page's address from the site's root."""
        return url_of(self.file)


def slug_of(file: Path) -> str:
    """A post's name in addresses: its file's name, letters of every script and digits only."""

    def plain(found: re.Match[str]) -> str:
        marks = [sign for sign in found[0] if unicodedata.category(sign)[0] == "M"]  # of letters
        return "".join(marks) + ("-" if len(marks) < len(found[0]) else "")

    return re.sub(r"[^\w.-]+", plain, unicodedata.normalize("NFC", file.stem)).strip("-").lower()


def url_of(file: Path) -> str:
    """The address of a post's page from the site's root."""
    return f"posts/{slug_of(file)}.html"


def load_post(file: Path) -> Post:
    """Read a post; raises InputError with its place for a mistake in the front matter."""
    text = text_of(file)
    if text.split("\n", 1)[0].rstrip() != "---":
        return Post(file, text, has_front_matter=False)
    found = FRONT_MATTER.match(text)
    if not found:
        raise InputError("the front matter is opened here and never closed by ---", file, 1, 1)
    values, places = _front_matter(file, found[1] or "")
    body = "\n" * found[0].count("\n") + text[found.end() :]
    return Post(file, body, has_front_matter=True, **values, places=places)


def _front_matter(file: Path, text: str) -> tuple[dict[str, Any], dict[str, Place]]:
    import yaml

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line, column = (mark.line + 2, mark.column + 1) if mark else (1, 1)
        sentence = f"the front matter is not valid YAML: {getattr(error, 'problem', error)}"
        raise InputError(sentence, file, line, column) from None
    if root is not None and not isinstance(root, yaml.MappingNode):
        raise InputError("the front matter is not a list of `key: value` lines", file, 2, 1)
    values: dict[str, Any] = {}
    places: dict[str, Place] = {}
    for key_node, node in root.value if root else ():
        key, line, column = str(key_node.value), *_line_and_column(key_node)
        if key not in FORMS:
            raise InputError(f"unknown key '{key}'{nearest(key, FORMS)}", file, line, column)
        if key in values:
            raise InputError(f"'{key}' is given twice", file, line, column)
        line, column = _line_and_column(node)
        try:
            values[key] = _value(key, yaml.SafeLoader("").construct_document(node))
        except (yaml.YAMLError, ValueError):
            raise InputError(f"'{key}' is not {FORMS[key][1]}", file, line, column) from None
        places[key] = Place(str(file), line, column)
    return values, places


def _line_and_column(node: Any) -> tuple[int, int]:
    is_quoted = getattr(node, "style", None) in ("'", '"')
    return node.start_mark.line + 2, node.start_mark.column + 1 + is_quoted


def _value(key: str, value: Any) -> Any:
    """The value of a key; raises ValueError if its form is not that of FORMS."""
    form = FORMS[key][0]
    if isinstance(value, datetime.datetime):
        value = value.date()
    if form is list:
        value = [value] if isinstance(value, str) else value
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(item for item in value if item.strip())
    elif isinstance(value, form):
        return value
    raise ValueError(key)


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
        if not slug_of(path):
            raise InputError("this name has no letter that could stand in an address", path)
    return found
