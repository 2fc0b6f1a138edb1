"""Expressions of a post: numbers with their links, words, and mistakes with their place."""

import re
import shutil
from pathlib import Path

import pytest
from made_site import make_context, read_anew, run_press, write_content
from markupsafe import Markup
from PIL import Image

from press.diagnostics import SourceMap
from press.errors import InputError
from press.markdown.expressions import RESULTS, Expressions, parsed
from press.markdown.syntax import compares
from press.page import PageContext
from press.results.comparison import why_not
from press.results.expressions import fraction, spelled
from press.results.numbers import Measured, NotRun
from press.results.settings import Setting


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> PageContext:
    """A page of the small site, all of whose runs are recorded."""
    return make_context(tmp_path_factory.mktemp("site"), "paper", "small")


@pytest.fixture
def context(paper: PageContext) -> PageContext:
    """The same page, of which nothing has been told yet."""
    paper.diagnostics.clear()
    return paper


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
        (
            'run("paper/anna", "curve.250").psnr_average_db | digits(1)',
            '<a class="q from-run" href="../runs/paper/anna/seed0.html">31.9</a>',
        ),
        ('run("paper/anna", "curve.250").iteration', "250"),
        ('suite("paper").recorded', "6"),
        ('suite("paper").cases | spelled', "two"),
        ('verdicts("inpainting").reproduced', "1"),
        ('verdict("inpainting.dip.bob").word', "worse"),
        ('suite("paper").duration', "12 minutes"),
        *(
            (f'setting("{of}").{how}', f'<span class="q" title="{name} of {of}">{text}</span>')
            for of, name, how, text in (
                ("paper", "learning_rate", "learning_rate | value", "0.001"),
                ("paper", "learning_rate", "learning_rate | digits", "0.001"),
                ("paper", "learning_rate", "learning_rate | digits(4)", "0.0010"),
                ("paper", "iterations", "iterations", "1,000"),
                ("paper/anna", "keep", "keep | percent", "50%"),
                ("paper", "sigma_p", "sigma_p | fraction", "1/30"),
                ("paper", "channels", "channels", "128"),
            )
        ),
        ('setting("paper").mask', "bernoulli"),
        (r'suite("paper").cases \| spelled', "two"),  # in a cell, as other Markdown wants it
    ],
)
def test_what_an_expression_writes(context: PageContext, source: str, html: str) -> None:
    assert worked_out(context, source) == html
    assert context.diagnostics == []


def test_a_difference_of_runs_has_its_sign(context: PageContext) -> None:
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
        ('rnu("paper/anna").psnr_db', "unknown name 'rnu'; did you mean 'run'?"),
        ('run("paper/anna").psnr_db | valeu', "unknown filter 'valeu'; did you mean 'value'?"),
        ("run.__class__", "'run' is no part of an expression"),
        (
            'claim("inpainting.dip.ana")',
            "unknown claim 'inpainting.dip.ana'; did you mean 'inpainting.dip.anna'?",
        ),
        ('suite("paper").devicse', "has no 'devicse'"),
        ('"many"', "'many' is a result typed by hand"),
        ('setting("paper").lambda', "7:16: 'paper' has no setting 'lambda'"),  # Python's word
        ('setting("paper").iteration', "'paper' has no setting 'iteration'; did you mean"),
        ('setting("papers").iterations', "unknown suite 'papers'; did you mean 'paper'?"),
        ('setting("paper").image', "not the same in all of 'paper'; say: 'paper/anna'"),
        ('setting("paper").preview_side', "is None, no number and no words"),
        # what cannot be compared
        ('run("paper/anna").psnr_db < run("paper/anna").ssim', "are not of one kind"),
        ('run("paper/anna").psnr_db > 1 > run("paper/anna").ssim', "are not of one kind"),
        ('run("small/anna").psnr_db < 31.95 < claim("inpainting.dip.anna")', "a preview is not"),
        (
            'run("paper/anna").psnr_db - run("small/anna").psnr_db < claim("inpainting.dip.anna")',
            "a preview is not",
        ),
        (
            'run("paper/anna").psnr_db - run("paper/bob").psnr_db < run("paper/bob").psnr_db',
            "a difference is not compared",
        ),
        ('run("paper/anna").psnr_db == "31.90"', "numbers are compared with numbers"),
        ('verdict("inpainting.dip.bob") == "worse"', "of a verdict its .word"),
        ('verdict("inpainting.dip.bob").word != "wrse"', "called 'wrse'; did you mean 'worse'?"),
        ('run("paper/anna").psnr_db | digits(2) == "31.90"', "use no filter"),
        ('suite("paper").duration < "2 minutes"', "by == or !="),
        ('run("paper/anna") > 31', "say which score is meant"),
        ('run("paper/anna").recorded == 1', "this is neither a number nor words"),
        ('verdicts("inpainting").reproduced is 1', "compare by ==, !=, <"),
        ('(run("paper/anna").psnr_db > 31) | value', "a comparison stands alone"),
        ('run("paper/anna").psnr_db > 31 and 1 < 2', "a comparison stands alone"),
        ("1 < 2", "a comparison names a result"),
        ('not run("paper/anna").psnr_db', "is no part of an expression"),
        ('run("papre/anna").psnr_db > 31', "did you mean 'paper'?"),
        ('setting("paper").iterations < 3,000', "has no commas between thousands"),
        (f'run("paper/anna").psnr_db < 1{"0" * 400}', "this number is too long"),
        ('(run("paper/anna").psnr_db > 31), (1 < 2)', "a comparison stands alone"),
        ('runs("paper").psnr_db', "are many numbers, which are compared, not written"),
        ('runs("paper").psnr_db | value', "are many numbers"),
        ('runs("paper") > 31', "say which score is meant"),
        ('run("paper/anna", "curve.9999").psnr_db', "the curve of paper/anna/seed0 has no step 9"),
        ('run("paper/anna", "curve.250").ssim', "curve at 250 has no ssim: it was not scored so"),
        ('run("paper/anna", "curve.end").ssim', "expected a step behind 'curve.', got 'end'"),
        ('runs("paper").mean_psnr_db > 31', "has no 'mean_psnr_db'"),
        ('runs("paper", "at.7").psnr_db > 31', "has no snapshot at 7"),
        ('runs("small").psnr_db > claims("inpainting.dip")', "a preview is not compared"),
        ('claims("inpainting.dap") > 1', "table 'inpainting' has no row 'dap'; did you mean 'dip'"),
        ('claims("inpainting") > 1', "name a row of 'inpainting'"),
        ('run("paper").psnr_db', "name a case of suite 'paper': 'paper/anna'"),
    ],
)
def test_a_mistake_is_told_with_its_place(context: PageContext, source: str, sentence: str) -> None:
    assert worked_out(context, source) == ""
    (message,) = context.diagnostics
    assert message.severity == "error"
    assert sentence in str(message)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ('verdicts("inpainting").reproduced == 1', ""),
        ('verdict("inpainting.dip.bob").word == "worse"', ""),
        ('31.85 <= run("paper/anna").psnr_db < claim("inpainting.dip.anna")', ""),
        ('run("paper/anna").psnr_db - claim("inpainting.dip.anna") > -0.2', ""),
        ('setting("paper").iterations != 3', ""),
        ('run("paper/anna").psnr_db - claim("inpainting.dip.anna") >= -0.1', ""),  # in decimals
        ('setting("paper").iterations > claim("inpainting.dip.anna")', ""),
        ('verdicts("inpainting").reproduced == 2', "does not hold: 1 == 2"),
        ('31 < run("paper/anna").psnr_db < 31.5', "does not hold: 31.9 < 31.5"),
        ('run("paper/anna").psnr_db > 31.9000001', "does not hold: 31.9 > 31.9000001"),
        ('verdict("inpainting.dip.bob").word != "worse"', "does not hold: 'worse' != 'worse'"),
        ('runs("paper").psnr_db > 27.7', ""),
        ('runs("paper", "average").psnr_db > runs("paper").psnr_db', ""),
        ('runs("paper").psnr_db > runs("paper", "baseline.nearest-known-pixel").psnr_db', ""),
        ('runs("paper").stable.highest >= runs("paper").stable.median > 27', ""),
        ('runs("paper/anna").psnr_db > runs("paper/bob").psnr_db', ""),
        ('runs("paper/anna").psnr_db - claim("inpainting.dip.anna") > -0.2', ""),
        ('runs("paper/anna").psnr_db > runs("paper/anna", "baseline.biharmonic").psnr_db', ""),
        (
            'runs("paper/bob").psnr_db > runs("paper/anna").psnr_db',
            "does not hold: 28 > 31.9 for seed 0, nor for 2 more of 3",
        ),
        ('-2.5 < runs("paper").psnr_db - claims("inpainting.dip") < 0.5', ""),
        ('claims("inpainting.papyan") < claims("inpainting.dip")', ""),
        ('runs("small").psnr_db - runs("paper").psnr_db == 0', ""),
        (
            'run("paper/anna").psnr_db >= runs("paper").psnr_db',
            "does not hold: 31.9 >= 32.1 for set/anna, seed 1, nor for 1 more of 6",
        ),
        (
            'runs("paper", "baseline.biharmonic").psnr_db > claims("inpainting.dip")',
            "does not hold: 29 > 32 for set/anna, nor for 1 more of 2",
        ),
        ('run("paper/anna").device == "\\ud800"', "does not hold: 'Example CPU 3000' == '\\ud800'"),
    ],
)
def test_words_rest_on_a_comparison_that_holds(
    context: PageContext, source: str, sentence: str
) -> None:
    assert worked_out(context, source) == ""
    told = [one for one in context.diagnostics if one.code == "untrue"]
    assert [one.severity for one in told] == ["check"] * bool(sentence)
    assert not told or f"'{source}', on which these words rest, {sentence}" in str(told[0])


@pytest.mark.parametrize(
    ("sign", "one", "other"),
    [
        ("<", 5e-11, 2e-10), ("!=", 1e-10, 0), (">", 1e-9, 0),
        ("<=", 20.3 - 20, 0.3), ("<", 1e9, 1e9 + 0.1),  # but for what binary numbers leave
    ],
)  # fmt: skip
def test_small_numbers_are_compared_as_large_ones_are(sign: str, one: float, other: float) -> None:
    assert why_not([sign], [Measured(one), other]) == ""


def test_words_about_what_was_not_run_cannot_be_told_yet(tmp_path: Path) -> None:
    context = make_context(tmp_path)
    assert worked_out(context, 'run("paper/anna").psnr_db > 30') == ""
    (told,) = context.diagnostics
    assert told.code == "untrue"
    assert "cannot be told yet: paper/anna" in told.sentence


def test_of_each_run_those_are_compared_that_are_recorded(tmp_path: Path) -> None:
    context = make_context(tmp_path, "paper")
    assert worked_out(context, 'runs("small").psnr_db > 20') == ""
    (told,) = context.diagnostics
    assert "cannot be told yet: small/anna/seed0 is not recorded" in told.sentence
    shutil.rmtree(tmp_path / "results/paper/bob/seed1")
    context = read_anew(context)
    context.diagnostics.clear()
    assert worked_out(context, 'runs("paper").psnr_db > 31') == ""
    (told,) = context.diagnostics
    assert "for set/bob, seed 0, nor for 1 more of 5" in told.sentence


def test_small_counts_are_words() -> None:
    assert [spelled(0), spelled(7), spelled(11), spelled(33)] == ["no", "seven", "eleven", "33"]


def test_every_expression_of_the_documentation_works(tmp_path: Path) -> None:
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
        assert (worked_out(context, source) == "") == compares(source), source
    assert [one for one in context.diagnostics if one.code != "untrue"] == []


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("34.39 | value", "'34.39' is a result typed by hand"),
        ('"34.39 dB"', "'34.39 dB' is a result typed by hand"),
        ("100 | value", "'100' is a result typed by hand"),
        ("[34.39][0]", "'34.39' is a result typed by hand"),
        ("run('paper/anna').psnr_db | value(-1.5)", "'1.5' is a result typed by hand"),
        ('"{} dB".format(34)', "'{} dB' is a result typed by hand"),
        ('run("paper/anna").psnr_db + 1', "'1' is a result typed by hand"),
        ('"better" if run("paper/anna").psnr_db else "worse"', "'better' is a result typed"),
        ('run("paper/anna").psnr_db * run("paper/anna").psnr_db', "is no part of an expression"),
        ("range(34, 35)", "unknown name 'range'"),
        ('suite("paper").title.replace("Half", "39.16 dB")', "cannot call 'replace'"),
        ('run("paper/anna").psnr_db.fromhex("0x27.29p0")', "cannot call 'fromhex'"),
        ('suite("paper").title | whole("39 dB")', "'whole': too many positional arguments"),
        ('[run][0]("paper/anna").psnr_db', "'0' is a result typed by hand"),
        ('run("paper/anna").psnr_db | replace("3", "4")', "unknown filter 'replace'"),
    ],
)
def test_no_result_can_be_typed_in_an_expression(
    context: PageContext, source: str, sentence: str
) -> None:
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
def test_a_preview_is_not_compared_with_a_source(context: PageContext, source: str) -> None:
    assert worked_out(context, source) == ""
    assert "a preview is not compared with the numbers of a source" in str(context.diagnostics[0])


PSNR, COUNT = 'run("paper/anna").psnr_db', 'suite("paper").recorded'
OTHER, QUOTED = 'run("paper/bob").psnr_db', 'claim("inpainting.dip.anna")'
SETTING, TITLE = 'setting("paper").iterations', 'suite("paper").title'


@pytest.mark.parametrize(
    ("sources", "sentence"),
    [
        (  # arithmetic: only the difference of two results
            (
                f"{PSNR} - {COUNT}", f"{COUNT} - {COUNT}", f"{PSNR} - {SETTING}",
                f"{PSNR} - {TITLE}", f"{QUOTED} - {QUOTED}", f"{PSNR} - ({OTHER} - {PSNR})",
                f'verdict("inpainting.dip.anna").difference - {PSNR}',
            ),
            "a difference is one of two results, or of a result and a claim",
        ),
        (
            (
                f"{PSNR} / {PSNR}", f"{SETTING} / {SETTING}",
                f"{PSNR} + {OTHER}", f"-{PSNR}", f"{COUNT} ** {COUNT}", f"{TITLE} * {COUNT}",
                f"{TITLE} + {TITLE}", f"{TITLE} % {COUNT}", f"{PSNR} if {COUNT} else {OTHER}",
                f"{PSNR} or {OTHER}", f"{TITLE}[{COUNT}:{COUNT}]",
                f"[{PSNR}, {OTHER}]", f"f'{{{TITLE}}}{{{COUNT}}}'", "[x for x in run]",
                f"lambda: {PSNR}", "run",
            ),
            "is no part of an expression",
        ),
        (("", "  "), "there is nothing within these braces"),
        ((f"{PSNR} ~ {OTHER}", "3 +", "`", ";", "(" * 240, "\ud800"), "this is no expression"),
        (('run(run("paper/anna").name)', "run(*x)", "run(3)"), "expected text as its name"),
        (('run("paper/anna", seed=True)', 'run("paper/anna", seed="a")'), "expected an integer"),
        (  # what Python knows of numbers and texts
            (
                f"{PSNR}.real", f"{COUNT}.denominator", f"{TITLE}.__len__", f"{QUOTED}.decimals",
                f"{PSNR}.metric.digits", 'run("paper/anna").case.image', f"{PSNR}.__class__",
            ),
            "this has no '",
        ),
        # filters of another kind of number than theirs
        ((f"{PSNR} | words", f"{COUNT} | words"), "is not a time in seconds"),
        ((f"{PSNR} | percent", f"{COUNT} | percent", f"{QUOTED} | percent"), "is not a share"),
        (
            (f"{QUOTED} | mean_sd", f"{COUNT} | n", f"{SETTING} | n", f"{PSNR} - {OTHER} | n"),
            "has no n",
        ),
        ((f"{PSNR} | spelled", f"{TITLE} | spelled"), "is no count"),
        ((f"{PSNR} | digits | value", f"{COUNT} | whole | whole"), "follows a filter"),
        (
            (f"{PSNR} | value(13)", f"{PSNR} | mean_sd(99999999999)", f"{PSNR} | digits(-1)"),
            "expected 0 to 12 decimals",
        ),
        (  # of another kind than is asked for
            (
                "1/0", "x", "[]", "run(5)", 'run("")', 'run("paper")', 'run("paper/anna").at("x")',
                'run("paper/anna", seed="x")', 'run("paper/anna").stop(4)', "claim(None)",
                "verdict(5)", 'suite("paper").baseline(3)', f'{PSNR} | digits("x")',
                'run("paper/anna").record', 'suite("paper")', '"a" | value',
                'run("paper/anna").device | value', 'verdicts("x")', 'run("paper/anna").recorded',
                'run("paper/anna").curve()',
            ),
            "",
        ),
        # work and size
        (("'a' * 10**9", "9**(9**9)", "'%0999999999d' % 3"), "is a result typed by hand"),
        (("x" * 501, "-" * 10**6 + "x", "9" * 5000), "an expression has 500 characters at most"),
        (('run("paper/anna/seed\u00b2")', f'run("paper/anna/seed{"9" * 400}")'), "has no case"),
    ],
)  # fmt: skip
def test_what_is_not_of_the_language_is_a_mistake_with_a_place(
    context: PageContext, sources: tuple[str, ...], sentence: str
) -> None:
    for source in sources:
        assert worked_out(context, source) == "", source
        (told,) = map(str, context.diagnostics)
        assert sentence in told and told.startswith("post.md:7:"), (source, told)
        context.diagnostics.clear()


def test_whatever_an_expression_asks_for_is_written_or_a_mistake(context: PageContext) -> None:
    run, verdicts = 'run("paper/anna")', 'verdicts("inpainting")'
    results = (
        run, f"{run}.final", f"{run}.stable", 'suite("paper")', 'suite("paper").final', verdicts,
        f"{verdicts}.mean", SETTING.rpartition(".")[0],
    )  # fmt: skip
    names = {name for one in RESULTS for name in dir(one)}
    for source in (f"{of}.{name}{call}" for of in results for name in names for call in ("", "()")):
        html, told = worked_out(context, source), context.diagnostics
        assert "object at 0x" not in f"{html}{told}", source
        assert len(told) <= 1 and not (html and told), source
        told.clear()


def test_a_setting_is_written_as_it_is_stated_however_long_it_is() -> None:
    assert [str(Setting(value, "x")) for value in (2**60, 12345678901234567, 1e3, -0.25)] == [
        "1,152,921,504,606,846,976", "12,345,678,901,234,567", "1,000", "−0.25",
    ]  # fmt: skip


def test_a_fraction_is_the_number_that_it_stands_for() -> None:
    assert ">1/30<" in fraction(Setting(1 / 30, "x"))
    assert ">−1/30<" in fraction(Setting(-1 / 30, "x"))
    with pytest.raises(InputError, match="is no simple fraction"):
        fraction(Setting(0.0333, "x"))


@pytest.mark.parametrize("source", [PSNR, QUOTED, SETTING, 'verdict("inpainting.dip.anna")'])
def test_what_an_expression_writes_stands_in_other_html_as_it_is(
    context: PageContext, source: str
) -> None:
    value = Expressions(context)._value(parsed(source))
    assert Markup("<p>{}</p>").format(value) == Markup(f"<p>{worked_out(context, source)}</p>")
    absent = NotRun("a & b")
    assert Markup("{}").format(absent) == absent.__html__()


def test_a_comparison_leaves_nothing_on_the_page(tmp_path: Path) -> None:
    holds = '{{ suite("paper").cases == 2 }}'
    post = f"""---
title: A
date: 2026-11-29
---

The rate is {{{{ setting("paper").learning_rate }}}}.{holds}
{holds} {holds}

{holds}
{holds}

| a |
|---|
| b |

Table: Words. {{#tab-words}}
{holds}

![A picture of {{{{ suite("paper").cases }}}}](dot.png "A caption")
{holds}

[](#tab-words)
"""
    write_content(tmp_path / "content", post)
    Image.new("RGB", (8, 8)).save(tmp_path / "content/posts/dot.png")
    assert run_press(tmp_path, "check", "--run", "never") == 0
    html = (tmp_path / "site/posts/post.html").read_text(encoding="utf-8")
    assert "{{ " not in html and not re.search(r"<p>\s*</p>", html)
    assert re.search(r"The rate is <span[^>]*>0.001</span>\.\s*</p>", html)
    assert 'id="tab-words"' in html and "A caption" in html
    assert 'alt="A picture of 2"' in html
