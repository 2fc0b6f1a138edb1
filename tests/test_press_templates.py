"""Mistakes in templates and in the cache's folder are told like those in a post."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from reading import Told

from press.cache import Cache
from press.cli import main
from press.errors import InputError
from press.options import THEME
from press.page import PageContext
from press.pages.site_pages import Site
from press.pages.templates import Templates, Theme


def told(folder: Path, name: str, **values: object) -> str:
    """Fill a template that has a mistake, and give what is said of it."""
    templates = Templates([folder], Site(), Theme())
    context = PageContext("posts/one.html", folder, folder, Cache(folder), templates.render)
    with pytest.raises(InputError) as error:
        context.render(name, **values)
    return str(error.value)


@pytest.fixture
def work(work: Path) -> Path:
    """Make an empty folder of templates in the project of one post."""
    (work / "templates").mkdir()
    return work


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
    part.write_bytes(b"\n\n\xff")
    assert told(tmp_path, "page.html") == f"{part}:3:1: this is not UTF-8 text"
    part.unlink()
    (tmp_path / "parts.html").write_text("")
    assert told(tmp_path, "page.html") == (
        f"{tmp_path}/page.html:2:13: there is no template 'part.html'; did you mean 'parts.html'?"
    )


def test_a_file_of_the_project_goes_before_the_theme_s(work: Path) -> None:
    assert main(["build"]) == 0
    own, page = work / "templates", work / "site/posts/one.html"
    before = page.read_text()
    (own / "styles").mkdir()
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
    (sheet,) = (work / "site/assets").glob("*.css")
    theirs = {path.name: path.read_text() for path in (THEME / "styles").iterdir()}
    ours = {"print.css": "/* Ours, on paper */", "zz-own.css": "/* Ours, last */"}
    assert sheet.read_text() == "\n".join(dict(sorted({**theirs, **ours}.items())).values())


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("\n{{ titel }}", "2:4: this template cannot be filled: 'titel' is undefined"),
        ("{{ page.nix }}", "1:9: this template cannot be filled: this value has no attribute"),
        ("\n{{ 1 / 0 }}", "2:1: this template cannot be filled: division by zero"),
        (
            '{% extends "post.html" %}',
            "1:1: this template extends itself; did you mean 'theme/post.html'?",
        ),
        (
            '\n{% from "post.html" import x %}',
            "2:1: this template imports itself; did you mean 'theme/post.html'?",
        ),
        (
            "{% macro m() %}\n {{ m() }}{% endmacro %}{{ m() }}",
            "2:2: this template calls itself without end",
        ),
        (
            '{% extends "theme/pots.html" %}',
            "1:13: there is no template 'theme/pots.html'; did you mean 'theme/post.html'?",
        ),
        (
            '{% extends "theme/post.html" %}\n{% if 1 %}{% block mian %}{% endblock %}{% endif %}',
            "2:20: no template that this one extends has a block 'mian'; did you mean 'main'?",
        ),
    ],
)
def test_a_mistake_in_a_template_of_the_project_has_its_place(
    work: Path, capsys: Told, template: str, said: str
) -> None:
    (work / "templates/post.html").write_text(template)
    assert main(["build"]) == 1
    assert capsys.readouterr().err.startswith(f"templates/post.html:{said}")


def test_a_block_that_no_parent_has_is_told_in_a_base_too_and_may_stand_within_another(
    work: Path, capsys: Told
) -> None:
    base, post = work / "templates/base.html", work / "templates/post.html"
    base.write_text('{% extends "theme/base.html" %}\n{% block site_fot %}{% endblock %}')
    assert main(["build"]) == 1
    said = "no template that this one extends has a block 'site_fot'; did you mean 'site_foot'?"
    assert capsys.readouterr().err == f"templates/base.html:2:10: {said}\n1 error\n"
    base.write_text(
        '{% extends "theme/base.html" %}'
        "{% block main %}{% block inner %}{% endblock %}{% endblock %}"
    )
    post.write_text(
        '{% extends "base.html" %}{% block words %}Words{% endblock %}'
        "{% block inner %}{{ self.words() }}, twice {{ self.words() }}.{% endblock %}"
    )
    assert main(["build"]) == 0
    assert "Words, twice Words." in (work / "site/posts/one.html").read_text()
    base.write_text('{% extends "theme/base.html" %}')
    assert main(["build"]) == 1
    assert "templates/post.html:1:71: no template that this one ex" in capsys.readouterr().err


def test_a_template_of_any_name_and_behind_a_link_is_followed(work: Path) -> None:
    (work / "elsewhere").mkdir()
    (work / "templates/linked").symlink_to(work / "elsewhere")
    (work / "elsewhere/again").symlink_to(work / "templates")
    (work / "templates/index.html").write_text(
        '{% include "footer" %}{% include "linked/x.html" %}'
    )
    footer, linked = work / "templates/footer", work / "elsewhere/x.html"
    linked.write_text("")
    for path, words, page in ((footer, "A", "A"), (footer, "B", "B"), (linked, "C", "BC")):
        path.write_text(words)
        assert main(["build"]) == 0
        assert (work / "site/index.html").read_text() == page


def test_what_one_s_own_base_puts_into_the_head_is_in_every_page(work: Path) -> None:
    (work / "templates/base.html").write_text(
        '{% extends "theme/base.html" %}'
        '{% block head %}{{ super() }}<meta name="own">{% endblock %}'
    )
    assert main(["build"]) == 0
    pages = [*(work / "site").rglob("*.html")]
    assert len(pages) == 3
    assert all(page.read_text().count('<meta name="own">') == 1 for page in pages)


@pytest.mark.parametrize(
    ("language", "begins"),
    [
        ("pt-BR", '<html lang="pt-BR">'), ("fa-IR", '<html lang="fa-IR" dir="rtl">'),
        ("ar-Latn", '<html lang="ar-Latn">'), ("pa-Arab", '<html lang="pa-Arab" dir="rtl">'),
        ("x-klingon", '<html lang="x-klingon">'),
    ],
)  # fmt: skip
def test_a_page_says_its_language_and_its_direction(work: Path, language: str, begins: str) -> None:
    (work / "content/site.toml").write_text(f'language = "{language}"\n')
    assert main(["build"]) == 0
    assert begins in (work / "site/posts/one.html").read_text()


@pytest.mark.parametrize("language", ["", "de_DE", "English, mostly"])
def test_a_language_that_has_no_tag_is_refused(work: Path, capsys: Told, language: str) -> None:
    (work / "content/site.toml").write_text(f'\nlanguage = "{language}"\n')
    assert main(["build"]) == 1
    said = f"content/site.toml:2:1: '{language}' is no tag of a language"
    assert capsys.readouterr().err.startswith(said)
