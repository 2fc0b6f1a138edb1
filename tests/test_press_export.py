"""The numbers of a site taken out: CSV beside charts and tables, and all results as one file."""

import csv
import json
from pathlib import Path

import pytest
from made_site import POST, make_results, run_press, write_content

from press.markdown.table_data import Tables
from press.results.export import csv_text

TABLE = """
| | Ours | Theirs |
|:--|--:|--:|
| Anna | {{ run("paper/anna").psnr_db | digits(2) }} | \
{{ claim("inpainting.dip.anna") | digits(2) }} |
| Steps | {{ run("paper/anna").iterations | whole }} | |

Table: Both, side by side. {#tab-both}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the small site with a table of its post's own; gives the folder of its pages."""
    work = tmp_path_factory.mktemp("export")
    make_results(work, "paper", "small")
    write_content(work / "content", POST + TABLE)
    assert run_press(work, "check", "--run", "never") == 0
    return work / "site"


def read(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Read a CSV: the lines of its head, and its rows."""
    lines = path.read_text().splitlines()
    head = [line.removeprefix("# ") for line in lines if line.startswith("# ")]
    return head, list(csv.DictReader(lines[len(head) :]))


def test_each_chart_and_table_has_a_link_to_its_data(site: Path) -> None:
    page = (site / "posts/post.html").read_text()
    files = {path.name for path in (site / "posts/post").iterdir()}
    assert files == {
        "tab-results.csv", "tab-results-all.csv", "tab-preview.csv", "tab-preview-all.csv",
        "fig-scrubber.csv", "fig-curves.csv", "tab-settings.csv", "tab-both.csv",
    }  # fmt: skip
    assert all(f'href="../posts/post/{name}"' in page for name in files)


def test_a_table_has_its_numbers_and_says_where_they_are_from(site: Path) -> None:
    head, rows = read(site / "posts/post/tab-results.csv")
    assert head[0] == "Table 1. What came out."
    assert head[2:4] == ["on the page posts/post.html#tab-results", head[3]]
    assert any(line.startswith("from paper/anna/seed0, key ") for line in head)
    assert "quoted: The paper, table 1" in head
    anna = rows[0]
    assert anna["image"] == "Anna" and anna["the paper"] == "32.00"
    assert anna["ours"] == "32.10" and anna["ours, s.d."] == "0.20"
    assert float(anna["difference"]) == pytest.approx(0.1)
    assert anna["verdict"] == "reproduced"
    assert {"seed 0", "seed 2", "Tolerance"} <= set(
        read(site / "posts/post/tab-results-all.csv")[1][0]
    )


def test_a_table_of_the_posts_own_has_its_data_too(site: Path) -> None:
    head, rows = read(site / "posts/post/tab-both.csv")
    assert head[0].endswith("Both, side by side.") and "quoted: The paper, table 1" in head
    assert rows == [
        {"": "Anna", "Ours": "31.90", "Theirs": "32.00"},
        {"": "Steps", "Ours": "1000", "Theirs": ""},
    ]


def test_a_chart_has_the_curves_as_they_were_recorded(site: Path) -> None:
    head, rows = read(site / "posts/post/fig-curves.csv")
    assert sum(line.startswith("from small/") for line in head) == 2
    assert {row["run"] for row in rows} == {"small/anna/seed0", "small/bob/seed0"}
    recorded = (site.parent / "results/small/anna/seed0/curve.csv").read_text().splitlines()
    found = [row for row in rows if row["run"] == "small/anna/seed0"]
    assert len(found) == len(recorded) - 1
    assert ",".join([*found[-1].values()][1:]) == recorded[-1]


def test_the_page_of_a_run_has_its_curve_beside_it(site: Path) -> None:
    head, rows = read(site / "runs/paper/anna/seed0.csv")
    assert head[0].startswith("The curve of paper/anna/seed0, key ") and len(rows) == 1001
    assert 'href="seed0.csv"' in (site / "runs/paper/anna/seed0.html").read_text()
    assert "its curve" not in (site / "runs/paper/anna/biharmonic.html").read_text()


def test_all_results_are_one_table_and_one_json(site: Path) -> None:
    head, rows = read(site / "results.csv")
    [last] = [r for r in rows if r["run"] == "paper/bob/seed1" and r["output"] == "final"]
    assert last["step"] == "1000" and float(last["psnr_db"]) == 28.2 and last["preview"] == "no"
    assert last["seconds"] == "120.0" and last["key"]
    previews = {(row["suite"], row["preview"]) for row in rows}
    assert previews == {("paper", "no"), ("small", "yes")}
    assert {row["method"] for row in rows} >= {"", "biharmonic"}
    assert all(bool(row["method"]) != bool(row["seed"]) for row in rows)
    assert "psnr_db: PSNR, dB" in head
    data = json.loads((site / "results.json").read_text())
    assert len(data["results"]) == len({row["run"] for row in rows})
    [bob] = [run for run in data["results"] if run["run"] == "paper/bob/seed1"]
    assert bob["metrics"]["final"]["psnr_db"] == 28.2 and bob["settings"]["iterations"] == 1000
    previews = {(run["suite"], run["preview"]) for run in data["results"]}
    assert previews == {("paper", False), ("small", True)}
    assert data["metrics"]["psnr_db"] == {"label": "PSNR", "unit": "dB", "better": "higher"}
    page = (site / "runs/index.html").read_text()
    assert all(f'href="../{name}"' in page for name in ("results.csv", "results.json"))


def test_an_ro_crate_describes_both(site: Path) -> None:
    crate = json.loads((site / "ro-crate-metadata.json").read_text())
    parts = {part["@id"]: part for part in crate["@graph"]}
    whole = parts["./"]
    assert whole["datePublished"] == "2026-11-23"
    assert {part["@id"] for part in whole["hasPart"]} == {"results.csv", "results.json"}
    assert parts["results.csv"]["encodingFormat"] == "text/csv"


def test_the_crate_has_the_address_of_a_published_site(tmp_path: Path) -> None:
    make_results(tmp_path, "paper")
    base = "https://example.org/a"
    assert run_press(tmp_path, "build", "--run", "never", "--base-url", base) == 0
    crate = json.loads((tmp_path / "site/ro-crate-metadata.json").read_text())
    [whole] = [part for part in crate["@graph"] if part["@id"] == "./"]
    assert whole["url"] == "https://example.org/a/"


def test_what_is_not_data_of_a_table_is_left_out() -> None:
    html = (
        '<table><tr><th colspan="2">image</th><th><span aria-hidden="true">●</span> ours</th></tr>'
        '<tr><td class="picture"><img src="a.png"></td><th>Anna</th>'
        '<td><a class="q from-run" href="../runs/a/b/seed0.html">−1,234</a>'
        '<span class="spiked" title="x">†</span></td></tr>'
        '<tr><td class="picture"></td><th>Bob</th><td><span class="none">–</span></td></tr>'
        "<tr><td class='picture'></td><th>a<br>b</th><td><math><semantics><mi>x</mi><annotation>"
        "x_1</annotation>"
        '</semantics></math><span aria-hidden="true">x</span></td></tr>'
        "<tr><td class='picture'></td><th>c</th><td>−5.18×10⁻⁵</td></tr></table>"
    )
    found = Tables(html)
    assert found.tables == [[["image", "ours"], ["Anna", "-1234"], ["Bob", ""], ["a b", "x_1"],
                             ["c", "-5.18e-5"]]]  # fmt: skip
    assert list(found.runs) == ["a/b/seed0"]


def test_a_reader_that_skips_comments_reads_all_of_a_cell() -> None:
    rows = [["corpus", "n"], ["C# code", 2]]
    assert csv_text(["C# code"], rows) == b'# C# code\ncorpus,n\n"C# code","2"\n'


def test_what_is_raised_is_not_read_as_digits_of_a_number() -> None:
    mark = '<sup class="footnote-ref"><a href="#fn1">1</a></sup>'
    html = f"<table><tr><td>2.0{mark}</td><td>2<sup>10</sup></td><td>x<sub>1</sub></td></table>"
    assert Tables(html).tables == [[["2.0", "2^10", "x_1"]]]


def test_a_table_in_a_cell_is_none_of_its_data() -> None:
    inner = "<table> <tr><td>x</td></tr> </table>"
    html = f"<table><tr><td>a{inner}b</td><td>c</td></tr></table>"
    assert Tables(html).tables == [[["ab", "c"]]]


def test_what_is_not_seen_is_left_out_of_a_table_however_its_tags_are_closed() -> None:
    for tag in ("<br>", "<br/>", "<wbr />"):
        cell = f'a<span aria-hidden="true">x{tag}y</span>b'
        assert Tables(f"<table><tr><td>{cell}</td></tr></table>").tables == [[["ab"]]]
