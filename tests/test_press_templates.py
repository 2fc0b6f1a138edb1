"""Mistakes in templates and in the cache's folder are told like those in a post."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from press.cache import Cache
from press.errors import InputError
from press.page import PageContext
from press.pages.site_pages import Site
from press.pages.templates import Templates, Theme


def told(folder: Path, name: str, **values: object) -> str:
    """Fill a template that has a mistake, and give what is said of it."""
    templates = Templates(folder, Site(), Theme(), Cache(folder))
    context = PageContext("posts/one.html", folder, folder, templates.cache, templates.render)
    with pytest.raises(InputError) as error:
        context.render(name, **values)
    return str(error.value)


def test_a_mistake_in_a_template_has_its_line(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<p>\n{{ site.title }}\n{% if %}\n</p>\n")
    assert told(tmp_path, "page.html").startswith(f"{page}:3:1: ")
    page.write_text("<p>\n{{ site.title }}\n{{ titel }}\n</p>\n")
    assert told(tmp_path, "page.html") == (
        f"{page}:3:4: this template cannot be filled: 'titel' is undefined"
    )


def test_a_mistake_in_an_included_template_has_its_own_place(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text('<p>\n{% include "part.html" %}\n</p>\n')
    part = tmp_path / "part.html"
    part.write_text("\n{{ page.body | no_such_filter }}\n")
    assert told(tmp_path, "page.html", page=SimpleNamespace(body="")).startswith(f"{part}:2:16: ")
    part.write_text("\n\n{{ page.bodies }}\n")
    assert told(tmp_path, "page.html", page=SimpleNamespace(body="")).startswith(f"{part}:3:9: ")
    part.unlink()
    assert "there is no template 'part.html'" in told(tmp_path, "page.html")
