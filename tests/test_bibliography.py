"""BibTeX as people write and export it, and the references that are made of it."""

import re
from pathlib import Path

import pytest
from made_site import make_context
from reading import Told

from press.cli import main
from press.errors import InputError
from press.markdown.citations import load_bibliography, plain_title, surnames, written


def read(folder: Path, bibtex: str) -> tuple[list[str], list[str]]:
    """The references of a file, formulas in brackets, and what is said of it."""
    context = make_context(folder)
    path = context.content_dir / "references.bib"
    path.write_text(bibtex, encoding="utf-8")
    entries = load_bibliography(path, context)
    html = [str(written(entry, lambda tex: f"[{tex}]")) for entry in entries.values()]
    return html, [re.sub(r"^.*/", "", str(message)) for message in context.diagnostics]


def test_latex_is_decoded_wherever_it_stands(tmp_path: Path) -> None:
    titles = {
        r"Garc{\'{\i}}a, {\L}ukasz \v{s} \c{S}ahin \ss": "García, Łukasz š Şahin ß",
        r"Na{\"{\i}}ve \^{\j} {\textquotedblleft}q{\textquotedblright}": "Naïve ĵ “q”",
        r"\$5, {\{}MPC{\}} R\&D a\_b \#1 100\% of 50%": "$5, {MPC} R&amp;D a_b #1 100% of 50%",
        r"\href{http://a.org}{Linked} \texttt{code} CO\textsubscript{2}": "Linked code CO2",
        r"1--2 3\textendash 4 ``q'' x\dots{} {\TeX} and {\sc Dip}": "1–2 3–4 “q” x… TeX and Dip",
        r"On $x_1$, \(y\) and {\ensuremath{\alpha}} of \$1": "On [x_1], [y] and [{\\alpha}] of $1",
        r"It costs $5 \noopsort{b} for <b>": "It costs $5 for &lt;b&gt;",
        r"An \odd{word}, \today and \input{/etc/passwd}": "An word, and /etc/passwd",
    }
    entries = [f"@misc{{k{at}, title={{{title}}}}}" for at, title in enumerate(titles)]
    html, said = read(tmp_path, "\n".join(entries))
    shown = [re.sub("</?(cite|a)[^>]*>", "", one).removesuffix(".") for one in html]
    assert shown == [text.removesuffix(".") for text in titles.values()]
    assert [message.rpartition(" has ")[2] for message in said] == [
        f"an unknown command, '\\{name}', left out" for name in ("odd", "today", "input")
    ]
    assert said[0].startswith("references.bib:8:11: warning: 'title' of 'k7' has ")


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ("doi={https://doi.org/10.1000/x}", "https://doi.org/10.1000/x doi:10.1000/x"),
        (r"doi={doi: 10.1000/x\_1}", "https://doi.org/10.1000/x_1 doi:10.1000/x_1"),
        ("doi={{10.1002/a<1>#b}}", "https://doi.org/10.1002/a%3C1%3E%23b doi:10.1002/a<1>#b"),
        ("doi={https://dx.doi.org/10.1000/%28a}", "https://doi.org/10.1000/(a doi:10.1000/(a"),
        ("doi={}, eprint={ {} }", ""),
        ("eprint={arXiv:1711.10925v2 [cs.CV]}", "https://arxiv.org/abs/1711.10925v2"),
        ("eprint={hep-th/9901001}, eprinttype={arXiv}", "https://arxiv.org/abs/hep-th/9901001"),
        ("eprint={2048.1234}, eprinttype={jstor}", ""),
        (r"url={https://a.org/b\_c\%20\&d e}", "https://a.org/b_c%20&d%20e"),
        (r"url={\url{https://a.org/~b}}", "https://a.org/~b"),
        (r"howpublished={\url{https://a.org/a_b}}", "https://a.org/a_b"),
        ("howpublished={https://a.org/a}", "https://a.org/a"),
    ],
)
def test_an_identifier_is_freed_of_what_stands_around_it(
    tmp_path: Path, fields: str, shown: str
) -> None:
    [html], said = read(tmp_path, f"@misc{{a, title={{T}}, {fields}}}")
    html = html.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
    address, _, label = shown.partition(" ")
    assert re.findall('href="([^"]*)"', html)[:1] == [address][: len(address)]
    assert html.endswith(f">{label}</a>.") if label else "T" in html
    assert said == []


def test_fields_of_biblatex_and_names_of_every_form(tmp_path: Path) -> None:
    bibtex = r"""
        @article{a, author={{The Group} and van der Berg, Jr., Anna-Lena and others}, title={T?},
          journaltitle={J. of X}, volume={{3}}, number={1--2}, pages={4--5}, date={2019-05-01}}
        @book{b, author="{\'E}mile {\L}. Bee", title={{T}}, publisher={P \& Q},
          location={Z{\"u}rich}, year={{2001}}, date={2002}, author2={}}
        @inproceedings{c, title={C}, crossref={d'oro:2/x}, pages={7}}
        @book{e, author={Donald Knuth}, title={S}, series={TAOCP}, volume=3, edition={2},
          publisher={A-W}, year=1998, chapter=5, pages={10-20}, note={In part}}
        @book{f, editor={A. Bee and C. Dee}, title={U}, edition={12}, publisher={P}}
        @article{g, title={V}, journal={J}, number=3, pages={4, 6 - 7}}
        @proceedings{d'oro:2/x, title={Proc. of $n$}, year=2003, doi={10.1000/whole}}
    """
    html, said = read(tmp_path, bibtex)
    assert [re.sub("<[^>]*>", "", one) for one in html] == [
        "The Group, van der Berg Jr., A.-L., et al. T? J. of X 3(1–2), 4–5, 2019.",
        "Bee, É. Ł. T. P &amp; Q, Zürich, 2001.",
        "C. Proc. of [n], 7, 2003.",
        "Knuth, D. S. TAOCP, vol. 3, 2nd ed., A-W, ch. 5, 10–20, 1998, In part.",
        "Bee, A. and Dee, C. (eds). U. 12th ed., P.",
        "V. J, no. 3, 4, 6–7.",
        "Proc. of [n]. 2003. doi:10.1000/whole.",
    ]
    assert said == []
    context = make_context(tmp_path / "again")
    entries = load_bibliography(tmp_path / "content/references.bib", context)
    assert [surnames(entry) for entry in entries.values()] == [
        "The Group et al.", "Bee", "c", "Knuth", "Bee and Dee", "g", "d'oro:2/x",
    ]  # fmt: skip
    assert plain_title(entries["d'oro:2/x"]) == "Proc. of n"


def test_what_is_wrong_with_entries_is_told_at_once(tmp_path: Path) -> None:
    bibtex = (
        "% kept by me@x.org\n"
        "@misc{a, title={T}, year=2000,\n  Year={2001}}\n"
        "@misc{a, title={T},\n  year=2000, Year={2001}}\n"
        "@misc{b, title={U}}\n  @misc{b, title={V}}\n"
        "@misc{c, author={A. Bee, C. Dee, E. Eff, G. Gee}, title={T}, journal=nowhere}\n"
        "@misc{d, title={a \\end{x}}, crossref={e}}\n"
        "@misc{f, title={T}, url={javascript:alert(1)}, doi={n-a}, eprint={x},\n"
        " archivePrefix={arXiv}}"
    )
    html, said = read(tmp_path, bibtex)
    assert len(html) == 5 and not any("javascript" in one for one in html)
    assert sorted(message.removeprefix("references.bib:") for message in said) == [
        "10:21: warning: 'javascript:alert(1)' is no address of a page, so 'f' has none",
        "10:48: warning: 'n-a' is no DOI, so 'f' has none",
        "10:59: warning: 'x' is no arXiv number, so 'f' has none",
        "2:21: warning: 'a' has 'year' twice, and the first counts",
        "4:1: warning: 'a' stands in line 2 already, word for word",
        "5:3: warning: 'a' has 'year' twice, and the first counts",
        "7:3: 'b' is already the key of the entry in line 6",
        "8:10: 'A. Bee, C. Dee, E. Eff, G. Gee' is no name: 'and' stands between authors",
        "8:70: no @string defines 'nowhere'",
        "9:10: 'title' of 'd' is not valid LaTeX: unexpected closing environment: 'x'",
        "9:29: warning: 'd' refers to an unknown entry, 'e'",
    ]


def test_a_wrong_formula_is_told_at_its_field(work: Path, capsys: Told) -> None:
    (work / "content/posts/one.md").write_text("# One\n\nAs in [@a].\n")
    bibtex = "@misc{a,\n  title={On $x$ and $\\oops$},\n  journal={Of $\\alas$}, year=2000}\n"
    (work / "content/references.bib").write_text(bibtex)
    assert main(["build"]) == 1
    undefined = "in this formula: undefined control sequence: "
    assert capsys.readouterr().err == (
        f"content/references.bib:2:3: {undefined}\\oops\n"
        f"content/references.bib:3:3: {undefined}\\alas\n2 errors\n"
    )


@pytest.mark.parametrize(
    ("bibtex", "place_and_sentence"),
    [
        ("@misc{a,\n  author = {B}\n  title = {T}}", "3:3: expected ',' or '}', got 'title'"),
        ("@misc{a, title={A}}\n@misc{b,\n title={B,\n year=2}", "2:1: what begins here never ends"),
        ("@misc{a, title {T}}", "1:16: expected '=', got '{'"),
        ("\n @misc a, title={T}}", "2:8: expected '(' or '{', got 'a'"),
        (f"@misc{{a, title={{{'{' * 500}x{'}' * 500}}}}}", "1:118: too many nested braces"),
    ],
)
def test_what_is_no_bibtex_has_line_and_column(
    tmp_path: Path, bibtex: str, place_and_sentence: str
) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, bibtex)
    place, _, sentence = place_and_sentence.partition(" ")
    assert str(caught.value).endswith(f"references.bib:{place} not valid BibTeX: {sentence}")


@pytest.mark.parametrize(
    ("mark", "sentence"),
    [
        (r"\(", "nested too deeply"),
        (r"\begin{a}", "nested too deeply"),
        (r"\sqrt[", "nested too deeply"),
        (r"\'\frac", "a command lacks its argument"),
        (r"\'\href", "a command lacks its argument"),
        (r"$\frac$", 'end of input while parsing arguments of macro "frac"'),
        (r"{\'\i\'}", ""),
        ("$", ""),
        ("%", ""),
    ],
)
def test_a_field_of_nothing_but_marks_is_no_traceback(
    tmp_path: Path, mark: str, sentence: str
) -> None:
    [_], said = read(tmp_path, f"@misc{{a, title={{{mark * 5000}}}}}")
    assert [message.partition(" LaTeX: ")[2] for message in said] == [sentence] * bool(sentence)
