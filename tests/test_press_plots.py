"""Plots that authors' scripts draw: what stands on the page, what is drawn anew, what is told."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from in_browser import Opened
from made_records import write_run
from made_site import LEVELS, ROOT, make_results, write_suite
from reading import Told, words_of

from dip.experiments.suites import load_suites
from press.cli import main

CALL = (
    '::: plot script="figures/level.py" id="fig-level" alt="Two rising curves"\nA caption.\n:::\n'
)
POST = f"---\ntitle: A post\ndate: 2026-01-02\n---\n\n{CALL}\nSee [](#fig-level).\n"
SCRIPT = """
import os
from matplotlib import pyplot as plt


def draw(records, claims):
    print("drawn by", os.getpid())
    figure, axes = plt.subplots()
    for name in ("anna", "bob"):
        run = records.run(f"paper/{name}")
        axes.plot(*zip(*run.curve().points("psnr_db"), strict=True), label=run.title)
    axes.axhline(claims["inpainting.dip.anna"], color="published", label="printed")
    axes.set(xlabel="iteration", ylabel="PSNR, dB")
    axes.legend()
    return figure
"""


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a site of one post that calls one plot; nothing of it is built yet."""
    make_results(tmp_path, "paper", "small")
    (tmp_path / "content/figures").mkdir()
    write(tmp_path, SCRIPT, POST)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


def write(folder: Path, script: str, post: str = POST) -> None:
    """Write the script and the post that calls it."""
    (folder / "content/figures/level.py").write_text(script)
    (folder / "content/posts/post.md").write_text(post)


def built(work: Path, *options: str) -> str:
    """Build the site, which must succeed; gives the page's HTML."""
    assert main(["build", "--run", "never", *options]) == 0
    return (work / "site/posts/post.html").read_text()


def drawings(page: str) -> list[str]:
    """Find the plots of a page."""
    return re.findall(r"<svg[^>]* class=\"plot\".*?</svg>", page, re.DOTALL)


def test_a_plot_stands_on_the_page_in_its_colours_with_text_and_origin(work: Path) -> None:
    page = built(work)
    [drawing] = drawings(page)
    assert drawing.startswith('<svg role="img" aria-label="Two rising curves" class="plot" viewBox')
    assert ">PSNR, dB</text>" in drawing and ">Anna</text>" in drawing
    assert {"var(--series-1)", "var(--series-2)", "var(--published)"} <= set(
        re.findall(r"var\(--[\w-]+\)", drawing)
    )
    assert not re.search(r"#[0-9a-f]{6}\b|<metadata|<style|font-family|<!--|\d\.\d\d", drawing)
    assert all(f'id="{id}"' in drawing for id in re.findall(r'#(fig-level-\d+)["\)]', drawing))
    note = page[page.index("A caption.") : page.index("</figcaption>")]
    assert re.findall(r'<a href="([^"]+)">', note)[:2] == [
        "../runs/paper/anna/seed0.html",
        "../runs/paper/bob/seed0.html",
    ]
    assert '<a class="reference" href="#fig-level">Figure 1</a>' in page


def test_a_plot_names_the_runs_it_reads_not_those_it_only_counts(work: Path) -> None:
    script = SCRIPT.replace('("anna", "bob")', '["bob"][: records.suite("paper").recorded]')
    write(work, script)
    note = built(work).partition("A caption.")[2].partition("</figcaption>")[0]
    assert "runs/paper/bob/seed0.html" in note and "anna" not in note


def test_a_plot_says_whether_all_or_some_of_its_runs_are_previews(work: Path) -> None:
    assert "review" not in words_of(built(work))
    head = "from matplotlib import pyplot as plt\ndef draw(records, claims):\n"
    for names, said in (
        (["small"], "Preview, 32×32."),
        (["small", "paper"], "In part a preview, 32×32."),
    ):
        levels = ", ".join(f'records.run("{name}/anna").psnr_db' for name in names)
        write(work, f"{head}    plt.plot([{levels}])\n    return plt.gcf()")
        assert said in words_of(built(work))


def test_the_points_of_a_plot_are_data_beside_the_page_with_their_origin(work: Path) -> None:
    names = """
    axes.set_xticks([0, 1000], ["start", "1,000"])
    return figure
"""
    write(work, SCRIPT.replace("\n    return figure\n", names))
    page = built(work)
    assert "Quoted: The paper, table 1." in page
    assert 'Data: <a href="../posts/post/fig-level.csv">CSV</a>' in page
    *lines, last = (work / "site/posts/post/fig-level.csv").read_text().splitlines()
    head = [line for line in lines if line.startswith("# ")]
    assert head[:2] == ["# Figure 1. A caption.", "# Quoted: The paper, table 1."]
    assert any(line.startswith("# from paper/bob/seed0, key ") for line in head)
    assert lines[len(head)] == 'panel,series,iteration,"PSNR, dB"'
    assert lines[len(head) + 1].startswith("1,Anna,start,8")
    assert last.startswith("1,Bob,1000,")  # the line from edge to edge is none of the data


MANY = """
import datetime, os
import numpy as np
from matplotlib import pyplot as plt


def draw(records, claims):
    figure, axes = plt.subplots()
    axes.set_title("中", loc="right")  # which matplotlib's font lacks
    {}
    return figure
"""
DAY = "datetime.date(2026, 1, 1)"
KINDS = {
    'axes.bar(["House", "7"], [1, 2], label="ours", hatch="//", color="accent")': [
        "panel,series,x,y", "1,ours,House,1", "1,ours,7,2"],
    'axes.set_xticks([0, 1], ["A", "a tree"]); axes.bar([0, 1], [2, 3], label=["p", "q"])': [
        "panel,series,x,y", "1,p,A,2", "1,q,a tree,3"],
    'axes.barh([1, 2], [3, np.nan]); axes.set_xlabel("dB")': [
        "panel,series,dB,y", "1,1,3,1", "1,1,,2"],
    f'axes.errorbar([{DAY}, {DAY}], [1, np.inf], label="e")': [
        "panel,series,x,y", "1,e,2026-01-01,1", "1,e,2026-01-01,"],
    'axes.hist([1, 2, 2, 3], bins=2, label="of all"); os.chdir("/")': [
        "panel,series,x,y", "1,of all,1.5,1", "1,of all,2.5,3"],
    """axes.plot([1], [2], label="ours"); axes.set_ylabel("PSNR")
    axes = axes.twinx(); axes.plot([1], [3]); axes.set_ylabel("loss")""": [
        "panel,series,x,y", "1 (PSNR),ours,1,2", "2 (loss),1,1,3"],
    'axes.set_xscale("log"); axes.plot([1, 10], [1, 2]); axes.set_xticks([1, 10])': [
        "panel,series,x,y", "1,1,1,1", "1,1,10,2"],
    'axes.imshow(np.ones((512, 512)), interpolation="none"); axes.fill_between([1, 2], [3, 4])': [],
    'plt.rcParams["svg.fonttype"] = "path"': [],
    "axes.pie([1, 2])": [],
    'axes.remove(); figure.add_subplot(projection="3d").plot([1, 2], [1, 2], [1, 2])': [],
    f'axes.barh(["train"], [datetime.timedelta(3)], left=[{DAY}])': [
        "panel,series,x,y", "1,1,2026-01-01,train", "1,1,2026-01-04,train"],
    'axes.plot([1, 2], [3, 4], "o", label="ours"); axes.plot([1, 2], [3, 4], [1, 2], [4, 4])': [
        "panel,series,x,y", "1,ours,1,3", "1,ours,2,4", "1,3,1,4", "1,3,2,4"],
}  # fmt: skip


def test_many_kinds_of_plots_are_drawn_with_their_data_where_they_have_any(
    work: Path, capfd: Told
) -> None:
    calls = []
    for number, body in enumerate(KINDS):
        (work / f"content/figures/{number}.py").write_text(MANY.format(body))
        calls.append(CALL.replace("level.py", f"{number}.py").replace("fig-level", f"kind{number}"))
    calls[7] = calls[7].replace('id="kind7"', 'id="plot-10"')
    calls[9] = calls[9].replace('id="kind9"', "")  # the tenth, whose ids are none of the eighth's
    write(work, SCRIPT, POST.replace(CALL, "\n".join(calls)).replace("See [](#fig-level).", ""))
    drawn = drawings(built(work))
    for number, lines in enumerate(KINDS.values()):
        file = work / f"site/posts/post/kind{number}.csv"
        found = file.read_text().splitlines() if file.exists() else []
        assert [line for line in found if line[0] != "#"][: len(lines) or None] == lines
    assert len([*(work / "site/posts/post").glob("*.csv")]) == sum(map(bool, KINDS.values()))
    (pattern,) = re.findall(r'<pattern id="([^"]+)".*?fill="var\(--accent\)".*?--ink', drawn[0])
    assert drawn[0].count(f"fill:url(#{pattern})") == 2
    assert re.search(r'transform="matrix\(0\.\d{4,5} 0 0 0\.\d{4,5} ', drawn[7])
    assert "scale(0.105 -0.105)" in drawn[8] and "scale(0.015625)" in drawn[8]
    told = capfd.readouterr().err
    assert told.count("Glyph") == 1 and "content/figures/8.py: Glyph" in told


def test_two_builds_give_the_same_bytes(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = built(work)
    shutil.rmtree(work / "site")
    shutil.rmtree(work / ".press")
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    (work / "matplotlibrc").write_text("lines.linewidth: 9\n")  # is nobody's but the author's
    assert built(work) == first


def test_a_plot_of_other_records_is_another(work: Path) -> None:
    first = built(work)
    shutil.copytree(work / "results", work / "others")
    suite = load_suites(work / "content/experiments.toml")["paper"]
    write_run(work / "others", suite, suite.experiments[0], 20.0)
    built(work, "--results", "others", "--out", "second")
    assert drawings((work / "second/posts/post.html").read_text()) != drawings(first)
    assert built(work) == first


def test_only_the_child_loads_matplotlib_and_only_for_a_plot_that_is_stale(
    work: Path, capfd: Told
) -> None:
    program = (
        "import sys; from press.cli import main\n"
        "assert main(['build', '--run', 'never']) == 0\n"
        "assert not {'matplotlib', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=work)
    output = capfd.readouterr()
    assert "drawn by" in output.err and "drawn by" not in output.out
    write(work, SCRIPT, POST + "\nAnother sentence.\n")
    (drawing,) = drawings(built(work))
    assert "drawn by" not in capfd.readouterr().err
    suite = load_suites(work / "content/experiments.toml")["paper"]
    write_run(work / "results", suite, suite.experiments[0], 20.0)
    (other,) = drawings(built(work))
    assert "drawn by" in capfd.readouterr().err
    assert other != drawing
    write(work, SCRIPT.replace("PSNR, dB", "PSNR"))
    assert ">PSNR</text>" in built(work)


def test_one_process_draws_every_plot_of_a_build(work: Path, capfd: Told) -> None:
    second = CALL.replace("fig-level", "fig-again")
    post = work / "content/posts/other.md"
    post.write_text(POST)
    write(work, SCRIPT, POST + second)
    built(work)
    found = re.findall(r"drawn by (\d+)", capfd.readouterr().err)
    assert len(found) == 2 and len({*found, str(os.getpid())}) == 2  # the same call is drawn once


def test_what_is_not_recorded_is_not_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Told
) -> None:
    make_results(tmp_path)
    (tmp_path / "content/figures").mkdir()
    write(tmp_path, SCRIPT)
    monkeypatch.chdir(tmp_path)
    page = built(tmp_path)
    assert not drawings(page) and "not run yet" in page
    assert "python -m dip run paper --image anna" in words_of(page)
    suite = load_suites(tmp_path / "content/experiments.toml")["paper"]
    write_suite(tmp_path / "results", suite, LEVELS)
    assert drawings(built(tmp_path))
    added = 'records.run("paper/anna").psnr_db + records.run("small/anna").psnr_db'
    write(tmp_path, f"def draw(records, claims):\n    return {added}\n")
    page = built(tmp_path)
    assert not drawings(page) and "python -m dip run small --image anna" in words_of(page)
    told = "for +: 'Measured' and 'NotRun', and small/anna/seed0 is not recorded: the plot is left"
    assert told in capfd.readouterr().err


BROKEN = r'from matplotlib import pyplot as p; f = p.figure(); p.title(r"a $\frac{1$"); return f'
TOGETHER = (
    "from matplotlib import pyplot; figure, axes = pyplot.subplots();"
    ' axes.plot([records.run("small/anna").psnr_db, claims["inpainting.dip.anna"]]); return figure'
)
MISTAKES = {
    'import os; os.chdir("/"); return input()': "4:1: EOFError: EOF when reading a line",
    BROKEN: r"4:1: matplotlib cannot read the formula '\frac{1' from character 6 on",
    TOGETHER: ".py: a preview is not drawn on the axes of a source's numbers",
    'return records.run("paper/ann")': "4:1: suite 'paper' has no case 'ann'",
    'return records.run("paper/anna").curve().points("psnr")': ": the curve has no 'psnr'; did you",
    'return claims["inpainting.dip.ana"]': "4:1: unknown claim 'inpainting.dip.ana'",
    "return 1 / 0": "4:1: ZeroDivisionError: division by zero",
    "raise SystemExit(3)": "4:1: SystemExit: 3",
    "return 1 +": "4:15: not valid Python: invalid syntax",
    "return 1": "1:1: draw returned a int instead of a matplotlib figure",
    "return None": " draw returned no figure",
    "import os; os._exit(5)": "the process that drew it ended with 5",
    "while True: pass": "it took over 2 seconds and was stopped",
}


def test_failing_scripts_are_told_with_their_lines_at_their_places_in_the_post(
    work: Path, capfd: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("press.charts.plotting.LIMIT_S", 2.0)
    calls = []
    for number, body in enumerate(MISTAKES):
        text = f"# A script.\n\ndef draw(records, claims):\n    {body}\n"
        (work / f"content/figures/{number}.py").write_text(text)
        calls.append(f'::: plot alt="x" script="figures/{number}.py"\nA caption.\n:::\n')
    (work / "content/figures/none.py").write_text("drawn = 1\n")
    calls.append('::: plot alt="x" script="figures/none.py"\nA caption.\n:::\n')
    write(work, SCRIPT, "# A post\n\n" + "\n".join(calls))
    assert main(["build", "--run", "never"]) == 1
    told = capfd.readouterr().err
    *lines, summary = told.splitlines()
    assert summary == f"{len(calls)} errors" and len(lines) == len(calls)
    sentences = [*MISTAKES.values(), "1:1: this script defines no function draw(records, claims)"]
    for number, (line, sentence) in enumerate(zip(lines, sentences, strict=True)):
        assert line.startswith(f"content/posts/post.md:{3 + 4 * number}:26: ")
        assert sentence in line
    assert not (work / "site").exists()


def test_a_mistake_in_the_claims_is_told_once_and_of_a_failed_block_no_link(
    work: Path, capfd: Told
) -> None:
    claims = work / "content/claims.toml"
    claims.write_text(claims.read_text().replace('compare = "final"', 'compare = "fianl"'))
    write(work, SCRIPT, POST + '\nIt is {{ claim("inpainting.dip.anna") }}.\n')
    assert main(["build", "--run", "never"]) == 1
    _, line, summary = capfd.readouterr().err.splitlines()  # the first is what the script prints
    assert line.startswith("content/claims.toml:") and "unknown output 'fianl'" in line
    assert summary == "1 error"


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1280])
def test_a_plot_follows_the_theme_of_the_page_and_its_width(
    opened: Opened, work: Path, width: int
) -> None:
    built(work)
    strokes = set[str]()
    for scheme in ("light", "dark"):
        view = {"width": width, "height": 800}
        page = opened(work / "site/posts/post.html", viewport=view, color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.get_by_role("img", name="Two rising curves").count() == 1
        lines = page.locator("svg.plot path[clip-path]")
        strokes.add(lines.first.evaluate("line => getComputedStyle(line).stroke"))
    assert len(strokes) == 2
