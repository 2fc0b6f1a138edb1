"""Mistakes in templates and in the cache's folder are told like those in a post."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from press.cache import Cache
from press.cli import main
from press.errors import InputError
from press.options import THEME
from press.page import PageContext
from press.pages.site_pages import Site
from press.pages.templates import Templates, Theme


def told(folder: Path, name: str, **values: object) -> str:
    """Fill a template that has a mistake, and give what is said of it."""
    templates = Templates([folder], Site(), Theme(), Cache(folder))
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


def test_a_file_of_the_project_goes_before_the_theme_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    post, own = tmp_path / "content/posts/one.md", tmp_path / "templates"
    post.parent.mkdir(parents=True)
    post.write_text("# One\n\nWords.\n")
    assert main(["build"]) == 0
    page = tmp_path / "site/posts/one.html"
    before = page.read_text()
    (own / "styles").mkdir(parents=True)
    extended = (
        '{% extends "theme/post.html" %}{% block main %}{{ super() }}<p>Ours.</p>{% endblock %}'
    )
    (own / "post.html").write_text(extended)
    (own / "base.html").write_text(
        '{% extends "theme/base.html" %}{% block site_foot %}<footer>Foot.</footer>{% endblock %}'
    )
    (own / "styles/print.css").write_text("/* Ours, on paper */")
    (own / "styles/zz-own.css").write_text("/* Ours, last */")
    assert main(["build"]) == 0
    assert "Ours." not in before and "<p>Ours.</p>" in page.read_text()
    assert page.read_text().count("<footer") == page.read_text().count("Foot.") == 1
    (sheet,) = (tmp_path / "site/assets").glob("*.css")
    theirs = {path.name: path.read_text() for path in (THEME / "styles").iterdir()}
    ours = {"print.css": "/* Ours, on paper */", "zz-own.css": "/* Ours, last */"}
    assert sheet.read_text() == "\n".join(dict(sorted({**theirs, **ours}.items())).values())


def test_a_mistake_in_a_template_of_the_project_has_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in (("content/posts/one.md", "# One"), ("templates/post.html", "\n{{ titel }}")):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    assert main(["build"]) == 1
    assert capsys.readouterr().err.startswith("templates/post.html:2:4: ")
