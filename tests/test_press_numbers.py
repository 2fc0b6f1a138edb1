"""Numbers of a post: what each is bound to, and what is told of those that are bound to nothing."""

import re
from pathlib import Path

import pytest
from made_site import SITE, make_results
from reading import Told

from press.blocks.registry import load_blocks
from press.checks.numbers import CLASSES
from press.cli import main
from press.diagnostics import SourceMap
from press.markdown.numbers_in_post import numbers_in_line, numbers_in_post
from press.markdown.parser import parse, parse_line
from press.markdown.post import load_post
from press.markdown.typed_numbers import OPEN, RESULT, Checks, NumberSearch, read_checks
from press.results.metrics import Metric, Metrics, read_metrics
from press.toml_file import TomlFile

ROOT = Path(__file__).parent.parent
METRICS = Metrics({
    "accuracy": Metric("accuracy", "accuracy", "%"), "fid": Metric("fid", "FID"),
})  # fmt: skip
PHRASES = ("256 grey levels", "224 × 224 pixels")
PER_CENT = NumberSearch(METRICS, Checks("all", PHRASES))
DECIBELS = NumberSearch(
    Metrics({"psnr_db": Metric("psnr_db", "PSNR", "dB"), "ssim": Metric("ssim", "SSIM")}),
    Checks(units=("decibel", "decibels")),
)
CHECKED = f"""{SITE}
[checks]
numbers = "all"
conventions = ["256 grey levels"]
"""
FRONT = '---\ntitle: "{}"\nsummary: "{}"\n---\n\n'


def kinds(
    text: str, search: NumberSearch = PER_CENT, in_cell: bool = False, in_heading: bool = False
) -> list[tuple[str, str]]:
    """What each number of a line of Markdown is."""
    origin = SourceMap.of_lines("a.md", text, 1)
    found = numbers_in_line(parse_line(text, origin), origin, search, in_cell, in_heading)
    return [(one.kind, one.text) for one in found if one.text]


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
        ('<input value="41 dB"><data value="42 dB">', ["41"]),
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
    assert [one for kind, one in kinds(text, DECIBELS) if kind == RESULT] == found


def test_a_decimal_in_a_cell_is_a_result() -> None:
    for text, found in (("about 3.25", ["3.25"]), ("`3.25` of 11 and $0.01$", [])):
        told = kinds(text, DECIBELS, in_cell=True)
        assert [one for kind, one in told if kind == RESULT] == found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("reaches 97.2 % and 99%", "result 97.2, result 99"),
        ("accuracy of 97.2, FID: 3.1, FID 12", "result 97.2, result 3.1, unclassified 12"),
        ("39.16 dB", "unclassified 39.16"),  # a unit that no metric of this site has
        ("after 11,000 iterations at 0.001", "unclassified 11,000, unclassified 0.001"),
        ("256 grey levels, 256  colours", "convention 256, unclassified 256"),
        (r"of $224 \times 224$ pixels", "convention 224, convention 224"),
        ("Figure 3, tables 1 and 2, Eq. (4)", "pointer 3, pointer 1, pointer 2, pointer 4"),
        ("p. 12, pp. 3-4, seeds 0 to 4", "pointer 12, pointer 3, pointer 4, pointer 0, pointer 4"),
        ("table 1 and 30 runs, p 5", "pointer 1, unclassified 30, unclassified 5"),
        ("[1](#one) and [2](two.md)", "pointer 1, unclassified 2"),
        ("in 2018 (and CVPR 2019)", "convention 2018, convention 2019"),
        ("since 2026-11-24", "convention 2026, convention 11, convention 24"),
        ("on 3 May 2020", "convention 3, convention 2020"),
        ("in 2000 steps", "unclassified 2000"),
        ("Set5, F16, top-5, x4, v2", ""),
        ("`11`, <code>5</code>, {{ 3 }}, <http://a.b/4>", "convention 4"),
        ("https://a.b/3", "convention 3"),
        ("two of eleven", ""),
        ("![3 cats](a.png) <abbr title='of 7'>a</abbr>", "unclassified 3, unclassified 7"),
    ],
)  # fmt: skip
def test_what_a_number_is(text: str, expected: str) -> None:
    assert ", ".join(map(" ".join, kinds(text))) == expected


@pytest.mark.parametrize(
    ("tex", "expected"),
    [
        ("x_0^2 + 3y", "formula 0, formula 2, formula 3"),
        (r"\sigma_p = 1/30", "unclassified 1/30"),
        ("[0, 0.5]", "unclassified 0, unclassified 0.5"),
        (r"z \in [0, 0.1]", "unclassified 0, unclassified 0.1"),
        (r"\frac{1}{12}", "unclassified 1/12"),
        (r"E_1 = \sum_{i=1}^{10} x_i", "formula 1, formula 1, formula 10"),
        (r"11000 \text{ iterations}", "unclassified 11000"),
    ],
)
def test_a_side_of_a_formula_without_a_letter_states_a_value(tex: str, expected: str) -> None:
    assert ", ".join(map(" ".join, kinds(f"${tex}$"))) == expected


def test_a_number_that_begins_a_heading_points() -> None:
    assert kinds("2.1 After 5 runs", in_heading=True) == [("pointer", "2.1"), (OPEN, "5")]
    assert kinds("50 seeds", in_heading=True) == [(OPEN, "50")]
    assert kinds("2 Seeds") == [(OPEN, "2")]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small site with its runs, all of whose numbers are to be bound."""
    make_results(tmp_path, "paper", "small")
    (tmp_path / "content/site.toml").write_text(CHECKED)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(
    site: Path, capsys: Told, text: str, title: str = "A", summary: str = "A"
) -> tuple[int, str, str]:
    """Check the site with one post of this text: code, report, and what was told."""
    (site / "content/posts/post.md").write_text(FRONT.format(title, summary) + text)
    capsys.readouterr()
    code = main(["check", "--numbers", "--run", "never"])
    return code, *capsys.readouterr()


BOUND = """
## After {{ setting("paper").iterations }} iterations

{{ run("paper/anna").psnr_db }}, {{ claim("inpainting.dip.anna") }} in [](#tab-a)[^1],
by 256 grey levels.

1. One of $x_0$.

[^1]: See section 2.

::: results-table suite="paper" id="tab-a"
After {{ setting("paper").iterations | whole }} iterations.
:::

::: note title="At {{ setting('paper').learning_rate }}"
Of {{ suite("paper").recorded | spelled }} runs.
:::
"""


def test_a_report_of_bound_numbers(site: Path, capsys: Told) -> None:
    code, report, told = check(site, capsys, BOUND)
    assert code == 0, told
    header, row, total, *_ = report.splitlines()[-4:]
    assert header.split() == [*CLASSES]
    assert row.split() == ["content/posts/post.md", "1", "1", "3", "4", "1", "1", "0", "0"]
    assert total == "0 numbers bound to nothing"
    html = (site / "site/posts/post.html").read_text()
    assert "At 0.001" in html and html.count("1,000</span>") >= 2


OPEN_ONES = """
## After 101 iterations

Text 102, ![a 103](a.svg) and <b title="a 104">bold</b>.

| a |
|---|
| 105 |

Table: Of 106 {#tab-a}

::: note title="Of 107"
Of 108[^1].
:::

[^1]: Of 109.

<table><td>110</td></table>

$$ t = 111 $$

![A 112](a.svg "And 113")

::: figure src="a.svg" alt="Of 114"
Of 115.
:::
"""


def test_each_number_bound_to_nothing_has_its_place(site: Path, capsys: Told) -> None:
    (site / "content/posts/a.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    code, _, told = check(site, capsys, OPEN_ONES, "Of 99", "Of 100 and 102")
    assert code == 1
    lines = (site / "content/posts/post.md").read_text().splitlines()
    found = re.findall(r"post\.md:(\d+):(\d+): '(\d+)' is bound to nothing.*\[typed-number\]", told)
    assert sorted(int(number) for *_, number in found) == [99, 100, 101, 102, *range(102, 116)]
    for line, column, number in found:
        assert lines[int(line) - 1][int(column) - 1 :].startswith(number), number
    assert "post.md:3:11: warning: '100' of the summary stands nowhere in the post" in told
    assert "'102' of the summary" not in told


def test_quotes_move_no_number(site: Path, capsys: Told) -> None:
    code, _, told = check(site, capsys, 'It\'s *x* 117 and "118" and 117, it\'s "117".')
    assert code == 1
    found = re.findall(r"post\.md:\d+:(\d+): '(\d+)' is bound to nothing", told)
    assert found == [("10", "117"), ("19", "118"), ("28", "117"), ("39", "117")]


def test_a_site_asks_for_it_and_a_draft_is_left_alone(site: Path, capsys: Told) -> None:
    (site / "content/posts/draft.md").write_text("# Draft\n\nOf 116 runs.\n")
    code, report, told = check(site, capsys, "Text.")
    assert code == 0 and "typed-number" not in told
    assert "content/posts/draft.md:3:4: '116'" in report
    (site / "content/site.toml").write_text(CHECKED.replace('"all"', '"results"'))
    code, report, told = check(site, capsys, "Of 117.")
    assert code == 0 and "typed-number" not in told
    assert "2 numbers bound to nothing:" in report and "post.md:6:4: '117'" in report
    code, _, told = check(site, capsys, "Of 117 dB.")
    assert code == 1 and "'117' is a result typed by hand" in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{{ run("paper/anna").ssim | digits(2) }} dB', "'dB' stands behind '0."),
        ('{{ run("paper/anna").psnr_db }} dB', "which has its unit already"),
        ('{{ run("paper/anna").psnr_db | digits(2) }} dB', ""),
        ('{{ run("paper/anna").psnr_db }} and dB', ""),
    ],
)
def test_a_unit_beside_an_expression_is_its_own(
    site: Path, capsys: Told, text: str, told: str
) -> None:
    code, _, found = check(site, capsys, f"A {text}")
    assert code == 0
    assert ("post.md:6:3: warning: '" in found) == ("[unit]" in found) == bool(told)
    assert told in found


def test_what_makes_another_number_of_a_result_is_told_with_its_place(
    site: Path, capsys: Told
) -> None:
    of = '{{ suite("paper").recorded }}'
    joined = (f"3{of}", f"**3**{of}", f"1,{of}", f"{of}0", f"{of}.5", f"{of}e5", f"−{of}",
              f"is -{of}", f"{of}{of}", f"{of}.{of}", f"<b>3</b>{of}", f"–{of}",
              f"(—{of}")  # fmt: skip
    whole = (f"{of}, {of}", f"{of}–{of}", f"{of}-{of}", f"{of}/{of}", f"{of}-fold", f"4 {of}",
             f"4 %–{of}", f"“so”—{of}",
             f"[0, {of}]", f"- {of}", f"of {of}.")  # fmt: skip
    code, _, told = check(site, capsys, "\n\n".join((*joined, *whole)))
    found = re.findall(r"post\.md:(\d+):\d+: '[^']*' makes another number of a result", told)
    assert code == 1 and found == [str(6 + 2 * line) for line in range(len(joined))]


def test_claims_that_nothing_quotes_are_warnings(site: Path, capsys: Told) -> None:
    quoted = '{{ verdict("inpainting.dip.anna").word }} {{ claim("inpainting.papyan.bob") }}'
    code, _, told = check(site, capsys, quoted)
    assert code == 0 and "unused-claim" not in told
    code, _, told = check(site, capsys, "Text.")
    assert "claims.toml:" in told and "nothing quotes the claims 'inpainting.dip'" in told
    assert code == 0
    assert main(["check", "--numbers", "--strict", "--run", "never"]) == 1
    (site / "content/figures").mkdir()
    (site / "content/figures/a.py").write_text('levels = claims["inpainting.dip.anna"]\n')
    code, _, told = check(site, capsys, "Text.")
    assert code == 0 and "unused-claim" not in told


SCRIPT = '''"""Of 120 runs."""

WIDE = 121
aside = 0.2

def draw(records, claims):
    figure, axes = plt.subplots(1, 2, figsize=(6, 4))
    levels = [122, 123]
    axes.plot(levels, records.run("paper/anna").curve())
    axes.bar([k - aside for k in range(2)], [124], width=0.4)
    axes.axhline(0)
    axes.axhline(WIDE)
    axes.set_title(f"After 125 of {len(levels):.1f}")
    axes.plot(levels[0], label="of 126")
    axes.axhline(39.5, linewidth=0.8)
    axes.axhline(y=41.5, label="published, level")
    axes.plot(levels, label="published, 31.42 dB")
    axes.annotate("best", xy=(0.02, 0.95))
    axes.set_ylim(10, 30)
    return figure
'''


def test_numbers_typed_into_the_script_of_a_plot(site: Path, capsys: Told) -> None:
    (site / "content/figures").mkdir()
    (site / "content/figures/a.py").write_text(SCRIPT)
    code, _, told = check(site, capsys, '::: plot script="figures/a.py" alt="A"\nA plot.\n:::')
    found = re.findall(r"figures/a\.py:(\d+):\d+: '([\d.]+)' is (bound to nothing|a result)", told)
    lines = {"3": "121", "8": "123", "10": "124", "13": "125", "14": "126", "15": "39.5"}
    lines |= {"16": "41.5", "17": "31.42"}
    assert {line: number for line, number, _ in found} == lines
    assert len(found) == 9 and [kind for *_, kind in found].count("a result") == 3
    assert code == 1


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("convention = []", "2:1: unknown key 'convention'; did you mean 'conventions'?"),
        ('numbers = "most"', '2:1: \'numbers\': expected "results" or "all"'),
        ('conventions = "a"', "2:1: 'conventions': expected a list of names"),
    ],
)
def test_wrong_settings_of_checks(tmp_path: Path, capsys: Told, table: str, sentence: str) -> None:
    (tmp_path / "posts").mkdir()
    (tmp_path / "site.toml").write_text(f"[checks]\n{table}\n")
    assert main(["build", "--content", str(tmp_path), "--out", str(tmp_path / "site")]) == 1
    assert f"site.toml:{sentence}" in capsys.readouterr().err


def test_every_number_of_our_own_posts_is_bound() -> None:
    content = ROOT / "content"
    file = TomlFile(content / "site.toml")
    search = NumberSearch(read_metrics(file.path), read_checks(file))
    assert search.checks.numbers == "all"
    for path in sorted((content / "posts").glob("*.md")):
        tokens, _ = parse(load_post(path).text, str(path))
        found = numbers_in_post(tokens, str(path), load_blocks(content), search)
        assert [one for one in found if one.kind in (OPEN, RESULT)] == []
