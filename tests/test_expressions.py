"""Expressions of a post: numbers with their links, words, and mistakes with their place."""

from pathlib import Path

import pytest
from made_site import POST, build_site, make_context, read_anew

from press.diagnostics import SourceMap
from press.markdown.expressions import Expressions
from press.page import PageContext
from press.results.expressions import spelled


def worked_out(context: PageContext, source: str) -> str:
    origin = SourceMap("post.md", "{{" + source + "}}", ((7, 5),))
    return Expressions(context).html(source, origin, 0)


@pytest.mark.parametrize(
    ("source", "html"),
    [
        (
            'run("paper/anna").psnr_db',
            '<a class="q from-run" href="../runs/paper/anna/seed0.html">31.90\u202fdB</a>',
        ),
        (
            'run("paper/anna", seed=1).ssim | digits(3)',
            '<a class="q from-run" href="../runs/paper/anna/seed1.html">0.954</a>',
        ),
        (
            'suite("paper").mean_psnr_db | mean_sd',
            (
                '<a class="q from-run" href="../runs/index.html#paper">'
                "30.15 ± 0.20\u202fdB (n\u00a0=\u00a03)</a>"
            ),
        ),
        (
            'claim("inpainting.dip.anna")',
            (
                '<data class="claim q" value="32.0" data-claim="inpainting.dip.anna" '
                'title="The paper, table 1">32.00\u202fdB</data>'
            ),
        ),
        (
            'run("paper/anna").stable.highest',
            '<a class="q from-run" href="../runs/paper/anna/seed0.html">32.05\u202fdB</a>',
        ),
        ('suite("paper").recorded', "6"),
        ('suite("paper").cases | spelled', "two"),
        ('verdicts("inpainting").reproduced', "1"),
        ('verdict("inpainting.dip.bob").word', "worse"),
        ('suite("paper").duration', "12 minutes"),
    ],
)
def test_what_an_expression_writes(tmp_path: Path, source: str, html: str) -> None:
    context = make_context(tmp_path, "paper")
    assert worked_out(context, source) == html
    assert context.diagnostics == []


def test_a_difference_of_runs_has_its_sign(tmp_path: Path) -> None:
    context = make_context(tmp_path, "paper")
    source = '(run("paper/anna").psnr_db - run("paper/anna/biharmonic").psnr_db) | signed'
    assert ">+2.90\u202fdB<" in worked_out(context, source)


@pytest.mark.parametrize(
    "source",
    [
        'run("paper/anna").psnr_db',
        '(run("paper/anna").psnr_db - run("paper/bob").psnr_db) | signed',
        'suite("paper").mean_psnr_db | mean_sd',
        'suite("paper").duration',
        'run("paper/anna").seconds | words',
        'verdict("inpainting.dip.mean").difference | signed',
    ],
)
def test_what_was_not_run_says_so_and_is_no_mistake(tmp_path: Path, source: str) -> None:
    context = make_context(tmp_path)
    assert ">not run yet</span>" in worked_out(context, source)
    assert context.diagnostics == []


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ('run("papre/anna").psnr_db', "7:12: unknown suite 'papre'; did you mean 'paper'?"),
        ('run("paper/anna").psnr', "has no 'psnr'; did you mean 'psnr_db'?"),
        ('claim("inpainting.dip.ana")', "unknown claim 'inpainting.dip.ana'; did you mean"),
        ('suite("paper").devicse', "has no 'devicse'"),
        ('"many"', "'many' is a result typed by hand"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, source: str, sentence: str) -> None:
    context = make_context(tmp_path, "paper")
    assert worked_out(context, source) == ""
    (message,) = context.diagnostics
    assert message.severity == "error"
    assert sentence in str(message)


def test_a_post_says_what_was_not_run(tmp_path: Path) -> None:
    html = (build_site(tmp_path) / "posts" / "post.html").read_text()
    assert "not run yet" in html
    assert "suite(" not in html
    assert "suite(" in POST


def test_small_counts_are_words() -> None:
    assert [spelled(0), spelled(7), spelled(11), spelled(33)] == ["no", "seven", "eleven", "33"]


def test_every_expression_of_the_documentation_works(tmp_path: Path) -> None:
    import re
    from dataclasses import replace

    root = Path(__file__).parent.parent
    found = replace(
        make_context(tmp_path), results_dir=root / "results", content_dir=root / "content"
    )
    context = read_anew(found)
    text = (root / "docs/writing.md").read_text().replace("\\|", "|")
    sources = re.findall(r"\{\{(.+?)\}\}", text)
    assert len(sources) > 15
    for source in sources:
        assert worked_out(context, source) != "", source
    assert context.diagnostics == []


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("34.39 | value", "'34.39' is a result typed by hand"),
        ('"34.39 dB"', "'34.39 dB' is a result typed by hand"),
        ("100 | value", "'100' is a result typed by hand"),
        ("[34.39][0]", "'34.39' is a result typed by hand"),
        ('"{} dB".format(34)', "'{} dB' is a result typed by hand"),
        ('run("paper/anna").psnr_db + 1', "'1' is a result typed by hand"),
        ('"better" if run("paper/anna").psnr_db else "worse"', "'better' is a result typed"),
        ('run("paper/anna").psnr_db * run("paper/anna").psnr_db', "is no number of a run"),
        ("range(34, 35)", "unknown name 'range'"),
        ('suite("paper").title.replace("Half", "39.16 dB")', "cannot call 'replace'"),
        ('run("paper/anna").psnr_db.fromhex("0x27.29p0")', "cannot call 'fromhex'"),
        ('suite("paper").suite.images | listed("39 dB")', "'39 dB' is a result typed by hand"),
        ('[run][0]("paper/anna").psnr_db', "'0' is a result typed by hand"),
        ('run("paper/anna").psnr_db | replace("3", "4")', "unknown filter 'replace'"),
    ],
)
def test_no_result_can_be_typed_in_an_expression(
    tmp_path: Path, source: str, sentence: str
) -> None:
    context = make_context(tmp_path, "paper")
    assert worked_out(context, source) == ""
    assert sentence in str(context.diagnostics[0])


@pytest.mark.parametrize(
    "source",
    [
        'run("small/anna").psnr_db - claim("inpainting.dip.anna")',
        '(claim("inpainting.dip.anna") - run("small/anna").psnr_db) | signed',
        '(suite("small").mean_psnr_db - claim("inpainting.dip.mean")) | signed',
    ],
)
def test_a_preview_is_not_compared_with_a_source(tmp_path: Path, source: str) -> None:
    context = make_context(tmp_path, "paper", "small")
    assert worked_out(context, source) == ""
    assert "a preview is not compared with the numbers of a source" in str(context.diagnostics[0])
