"""The site's settings, `content/site.toml`; every one of them has a default."""

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from press.errors import InputError, nearest
from press.toml_file import TomlFile

OTHERS = ("experiments",)  # tables of site.toml that are not about the site's words


@dataclass(frozen=True)
class Site:
    """What the whole site says of itself.

    `base_url` is where it is published, with a slash at its end, or empty: then nothing that
    needs a full address (feed, sitemap, canonical addresses) is made.
    """

    title: str = "Posts"
    description: str = ""
    authors: tuple[str, ...] = ()
    base_url: str = ""
    language: str = "en"
    licence: str = ""
    repository: str = ""  # where the source is, for links

    def full_url(self, url: str) -> str:
        """Give the full address of `url`, named from the site's root."""
        return self.base_url + ("" if url == "index.html" else url)


def load_site(path: Path, base_url: str | None) -> Site:
    """Read the settings; an absent file means the defaults; `base_url` goes before the file's.

    Raises InputError with its place for a mistake in the file.
    """
    site = _read(TomlFile(path)) if path.exists() else Site()
    return replace(site, base_url=_checked_url(site.base_url if base_url is None else base_url))


def _read(file: TomlFile) -> Site:
    known = {field.name: field for field in fields(Site)}
    settings = {key: value for key, value in file.data.items() if key not in OTHERS}
    for key, value in settings.items():
        if key not in known:
            file.fail(f"unknown key '{key}'{nearest(key, (*known, *OTHERS))}", None, key)
        if not _has_form(value, list if key == "authors" else str):
            wanted = "a list of names" if key == "authors" else "text"
            file.fail(f"'{key}' is not {wanted}", None, key)
    try:
        _checked_url(file.data.get("base_url", ""))
    except InputError as error:
        file.fail(error.sentence, None, "base_url")
    return Site(**{**settings, "authors": tuple(filter(str.strip, file.data.get("authors", ())))})


def _has_form(value: Any, form: type) -> bool:
    if form is list:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return isinstance(value, form)


def _checked_url(url: str) -> str:
    if url and not url.startswith(("https://", "http://")):
        raise InputError(f"the base URL '{url}' does not begin with https:// or http://")
    return url if not url or url.endswith("/") else f"{url}/"
