"""Parts of the press that can be told from their input and output alone."""

import datetime
import subprocess
import sys
from pathlib import Path

import pytest
from markupsafe import Markup

from press.cache import Cache
from press.diagnostics import SourceMap, map_source
from press.markdown.code import code_block
from press.markdown.math import FormulaError, katex_files, typeset
from press.markdown.numbers_in_post import numbers_in_line
from press.markdown.parser import parse_line
from press.markdown.typed_numbers import RESULT, Checks, NumberSearch
from press.pages.post import bibtex_of
from press.pages.site_pages import Site, Summary
from press.results.metrics import Metric, Metrics

METRICS = Metrics({"psnr_db": Metric("psnr_db", "PSNR", "dB"), "ssim": Metric("ssim", "SSIM")})
SEARCH = NumberSearch(METRICS, Checks(units=("decibel", "decibels")))


def results_in(text: str, in_cell: bool = False) -> list[tuple[int, str]]:
    """The results typed into a line of Markdown, with their columns from 0."""
    origin = SourceMap.of_lines("a.md", text, 1)
    found = numbers_in_line(parse_line(text, origin), origin, SEARCH, in_cell)
    return [(one.place.column - 1, one.text) for one in found if one.kind == RESULT]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("reaches 32.22 dB and", ["32.22"]),
        ("**32.22** dB", ["32.22"]),
        ("32.22 ± 0.10 dB", ["32.22"]),
        ("a PSNR of about 31.2", ["31.2"]),
        ("SSIM: 0.91", ["0.91"]),
        ("after 0.5 seconds", ["0.5"]),
        ("-3.25 dB", ["-3.25"]),
        ("39 dB, 1,039.16 dB and 39,2 dB", ["39", "1,039.16", "39,2"]),
        ("39.16&nbsp;dB, 40&#46;25&#8239;dB, 41\\.5\\ dB", ["39.16", "40.25", "41.5"]),
        ("PSNR (dB): 39.16, PSNR in dB = 40.1", ["39.16", "40.1"]),
        ("39.16 (dB), **39**.25 dB, <b>40</b>.5&thinsp;dB", ["39.16", "39.25", "40.5"]),
        ("$39.16$ dB, $40.5\\,\\mathrm{dB}$, $\\mathbf{41}$ dB", ["39.16", "40.5", "41"]),
        (r"$\mathrm{PSNR} \approx 39.16$, <InlineMath>38.2</InlineMath> dB", ["39.16", "38.2"]),
        (
            '<img alt="PSNR: 39.16" src="a-2.5-dB.png"> <abbr title=\'40 dB\'>a</abbr>',
            ["39.16", "40"],
        ),
        (
            "39.16 dB[5](#a), ±40.25 dB, <td>41.5</td>SSIM, 42.5/43.5 dB, 1/30 dB",
            ["39.16", "40.25", "41.5", "43.5", "1/30"],
        ),
        ("It costs $5: 39.16 dB for $6", ["39.16"]),
        ("`32.2 dB`, {{ 3.5 }} dB, <code>3.5 dB</code>, a PSNR with peak 1", []),
        ("$\\sigma = 25$, $z$ up to $0.1$, x4 dB, 10 levels, in 11,000 seconds", []),
        ("version 3.11.2 seconds it", []),
        ("a rate of 0.01, and later the PSNR", []),
        ("[@psnr 3.5 dB]", []),
        ("11,000 seconds", []),
        ("256×256 (dB), see table 1 (dB), PSNR after 2000 [dB]", []),
        ("a rate of 0.003 (PSNR fell), with $p = 0.5$ PSNR falls", []),
        (r"$10\log_{10} 255^2$ dB, $20\log_{10}(255/\mathrm{RMSE})$ dB", []),
    ],
)
def test_results_typed_by_hand(text: str, found: list[str]) -> None:
    assert [number for _, number in results_in(text)] == found


def test_a_decimal_in_a_cell_is_a_result() -> None:
    assert results_in("about 3.25", in_cell=True) == [(6, "3.25")]
    assert results_in("`3.25` of 11 and $0.01$", in_cell=True) == []


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
