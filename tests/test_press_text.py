"""Parts of the press that can be told from their input and output alone."""

import datetime
import subprocess
import sys
from pathlib import Path

import pytest
from markupsafe import Markup

from press.cache import Cache
from press.diagnostics import map_source
from press.markdown.code import code_block
from press.markdown.math import FormulaError, katex_files, typeset
from press.pages.post import bibtex_of
from press.pages.site_pages import Site, Summary


def test_places_follow_lines_and_indents() -> None:
    source = ["> one", ">   two three", "> four"]
    origin = map_source("post.md", source, "one\ntwo three\nfour", 0)
    assert str(origin.at(0)) == "post.md:1:3"
    assert str(origin.at("one\ntwo three".index("three"))) == "post.md:2:9"
    assert str(origin.at(len("one\ntwo three\nfo"))) == "post.md:3:5"


def test_katex_says_where_a_formula_is_wrong() -> None:
    with pytest.raises(FormulaError) as caught:
        typeset(r"a + \frac{b}{c", False)
    sentence = "Unexpected end of input in a macro argument, expected '}'"
    assert (caught.value.sentence, caught.value.position) == (sentence, 14)
    assert typeset("é", False)[1]


def test_a_definition_in_one_formula_is_unknown_to_the_next() -> None:
    assert typeset(r"\gdef\mine{x}\mine", False)[0]
    with pytest.raises(FormulaError):
        typeset(r"\mine", False)


def test_a_process_ends_that_set_a_formula() -> None:
    code = "from press.markdown.math import *; print(typeset('x', False)[1])"
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
        assert done.stdout.split() == [b"[]"] and done.returncode == 0


def test_a_formula_too_deep_is_an_error_and_no_crash() -> None:
    with pytest.raises(FormulaError):
        typeset(r"\sqrt{" * 4000 + "x" + "}" * 4000, True)
    assert typeset("x", False)[0]


def test_a_formula_that_takes_too_long_is_an_error_and_the_next_is_set() -> None:
    with pytest.raises(FormulaError, match=r"it takes longer than 0\.05 seconds"):
        typeset("x" * 200000, False, seconds=0.05)
    assert typeset("y", False)[0]


def test_the_style_sheet_names_fonts_as_woff2_alone() -> None:
    css, fonts = katex_files()
    assert len(fonts) == 20 and css.count("@font-face") == 20
    assert all(data.startswith(b"wOF2") for data in fonts.values())
    assert ".ttf" not in css and ".woff)" not in css


def test_code_keeps_its_lines(tmp_path: Path) -> None:
    html = code_block("def f():\n\n    '''a\n    b'''\n", "python", Cache(tmp_path), frozenset({2}))
    assert html.count('<span class="line') == 4
    assert '<span class="line marked">\n</span>' in html
    again = code_block(
        "def f():\n\n    '''a\n    b'''\n", "python", Cache(tmp_path), frozenset({2})
    )
    assert html == again
    with pytest.raises(ValueError):
        code_block("x", "pyhton", Cache(tmp_path))


def test_a_post_is_cited_so_that_tex_prints_its_title() -> None:
    post = Summary(
        "posts/a.html", "R&D at 50% of x_0", Markup(""), datetime.date(2026, 3, 1),
        ("The contributors", "Ada Byron", "Plato", "Smith and Sons"), "", False,
    )  # fmt: skip
    text = bibtex_of(post, Site(base_url="https://example.org/a_b/", title="A"))
    assert r"title = {{R\&D at 50\% of x\_0}}," in text
    assert "author = {{The contributors} and Ada Byron and {Plato} and {Smith and Sons}}," in text
    assert "url = {https://example.org/a_b/posts/a.html}," in text
    assert text.startswith("@misc{contributors2026-a,\n")


@pytest.mark.parametrize(
    ("author", "key"),
    [
        ("Ümläut, Ann", "umlaut2026"),
        ("Ann van Ümläut", "umlaut2026"),
        ("von Berg, A", "vonberg2026"),
        ("王小明", "2026"),
    ],
)
def test_a_post_s_key_is_its_author_s_family_name_and_the_file_s(author: str, key: str) -> None:
    post = Summary(
        "posts/wie-groß-ist-2x.html",
        "X}Y",
        Markup(""),
        datetime.date(2026, 3, 1),
        (author,),
        "",
        False,
    )
    text = bibtex_of(post, Site())
    assert text.startswith(f"@misc{{{key}-wie-gro-ist-2x,\n")
    assert r"title = {{X\textbraceright{}Y}}," in text


def test_formulas_are_set_within_an_event_loop_and_after_it_has_ended() -> None:
    program = (
        "import asyncio\n"
        "from press.markdown.math import typeset\n"
        "async def main(): return typeset('x^2', False)\n"
        "print(asyncio.run(main()) == typeset('x^2', False))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "True\n"
