"""A post's file: its front matter, checked with line and column, and its text."""

import datetime
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from press.diagnostics import Place
from press.errors import InputError, nearest
from press.files import text_of

FORMS: dict[str, tuple[type, str]] = {  # of each key: its type, and what to call it
    "title": (str, "text"),
    "date": (datetime.date, "a date such as 2026-11-23"),
    "authors": (list, "a list of names"),
    "summary": (str, "text"),
    "draft": (bool, "true or false"),
    "aliases": (list, "a list of addresses"),
    "image": (str, "the path of a picture"),
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
    places: dict[str, Place] = field(default_factory=dict)  # of the values in the front matter

    @property
    def url(self) -> str:
        """The page's address from the site's root."""
        return url_of(self.file)


def slug_of(file: Path) -> str:
    """A post's name in addresses: its file's name, safe characters only."""
    return re.sub(r"[^\w.-]+", "-", file.stem).strip("-").lower()


def url_of(file: Path) -> str:
    """The address of a post's page from the site's root."""
    return f"posts/{slug_of(file)}.html"


def load_post(file: Path) -> Post:
    """Read a post; raises InputError with its place for a mistake in the front matter."""
    text = text_of(file)
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        return Post(file, text, has_front_matter=False)
    end = next((i for i, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if end is None:
        raise InputError("the front matter is opened here and never closed by ---", file, 1, 1)
    values, places = _front_matter(file, "\n".join(lines[1:end]))
    body = "\n".join([""] * (end + 1) + lines[end + 1 :])
    return Post(file, body, has_front_matter=True, **values, places=places)


def _front_matter(file: Path, text: str) -> tuple[dict[str, Any], dict[str, Place]]:
    import yaml

    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 2, mark.column + 1) if mark else (1, 1)
        sentence = f"the front matter is not valid YAML: {error.problem or error.context}"
        raise InputError(sentence, file, line, column) from None
    except yaml.YAMLError as error:
        raise InputError(f"the front matter is not valid YAML: {error}", file, 1, 1) from None
    if node is None:
        return {}, {}
    if not isinstance(node, yaml.MappingNode):
        raise InputError("the front matter is not a list of `key: value` lines", file, 2, 1)
    values: dict[str, Any] = {}
    places: dict[str, Place] = {}
    for key_node, value_node in node.value:
        key = _known_key(file, key_node, values)
        values[key] = _value(file, key, value_node)
        places[key] = _place(file, value_node)
    return values, places


def _place(file: Path, node: Any) -> Place:
    quoted = getattr(node, "style", None) in ("'", '"')
    return Place(str(file), node.start_mark.line + 2, node.start_mark.column + 1 + quoted)


def _known_key(file: Path, node: Any, seen: dict[str, Any]) -> str:
    place = _place(file, node)
    key = str(node.value)
    if key not in FORMS:
        raise InputError(
            f"unknown key '{key}'{nearest(key, FORMS)}", file, place.line, place.column
        )
    if key in seen:
        raise InputError(f"'{key}' is given twice", file, place.line, place.column)
    return key


def _value(file: Path, key: str, node: Any) -> Any:
    """The value of a key, its form checked."""
    import yaml

    form, words = FORMS[key]
    try:
        value = yaml.SafeLoader("").construct_document(node)
    except (yaml.YAMLError, ValueError) as error:
        value = error
    if key in ("authors", "aliases") and isinstance(value, str):
        value = [value]
    if isinstance(value, datetime.datetime):
        value = value.date()
    is_list_of_text = not isinstance(value, list) or all(isinstance(item, str) for item in value)
    if not isinstance(value, form) or not is_list_of_text:
        place = _place(file, node)
        raise InputError(f"'{key}' is not {words}", file, place.line, place.column)
    return tuple(item for item in value if item.strip()) if isinstance(value, list) else value


def list_posts(content_dir: Path) -> list[Path]:
    """The posts' files, in order; raises InputError if there is no folder of posts."""
    folder = content_dir / "posts"
    if not folder.is_dir():
        raise InputError("there is no such folder; posts are Markdown files in it", folder)
    found = sorted(path for path in folder.glob("*.md") if not path.name.startswith("."))
    for path in found:
        if not slug_of(path):
            raise InputError("this name has no letter that could stand in an address", path)
    return found
