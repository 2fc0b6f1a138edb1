"""Blocks of a post: what they show, what they say of absent runs, and what they refuse."""

import json
import re
from pathlib import Path

import pytest
from made_site import LEVELS, made, make_context, read_anew, run_press, write_content, write_suite
from PIL import Image
from reading import Told, words_of

from dip.experiments.suites import Suite, load_suites
from press.charts.dot_plot import WIDTH
from press.errors import InputError
from press.page import PageContext


def planned(context: PageContext) -> dict[str, Suite]:
    return load_suites(context.content_dir / "experiments.toml")


def test_the_strip_tells_what_came_out(tmp_path: Path) -> None:
    context = make_context(tmp_path, "paper", "small")
    text = words_of(made(context, "verdict-strip", suite="paper", preview="small"))
    assert "Reproduced 1 of 2 images 0 better, 1 worse" in text
    assert "30.15 ± 0.20 dB (n = 3)" in text
    assert "6 of 6" in text
    assert "12 minutes on Example CPU 3000" in text
    assert "To make it again python -m dip run paper --results mine" in text, "run repeats none"
    assert "Preview, 32×32" in text


def test_a_method_without_chance_agrees_or_differs_wherever_it_is_shown(tmp_path: Path) -> None:
    context = make_context(tmp_path, "paper")
    path = context.content_dir / "claims.toml"
    path.write_text(
        path.read_text()
        .replace('ours = "dip"', 'ours = "papyan"')
        .replace("anna = 28.0\n", 'compare = "baseline.biharmonic"\nanna = 29.05\n')
    )
    context = read_anew(context)
    strip = words_of(made(context, "verdict-strip", suite="paper"))
    assert "Agree 1 of 2 images 1 differ Mean PSNR 29.00 dB (n = 1)" in strip
    table = made(context, "results-table", suite="paper")
    assert re.findall(r'"verdict verdict-(\w+)" title="([^"(]+)', table)[:2] == [
        ("agrees", "−0.05\u202fdB from the source "),
        ("differs", "+2.00\u202fdB from the source "),
    ]
    assert "Of the paper and of our runs: Papyan et al." in words_of(table)
    assert "reproduced" not in f"{strip} {words_of(table)}".lower()


@pytest.mark.parametrize(
    ("recorded", "said"),
    [
        (
            [("set/anna", 0)],
            "images on one run 0 better, 0 worse, 1 not run yet Mean PSNR needs all 2 images",
        ),
        ([("set/anna", 0), ("set/bob", 0)], "images on one run each 0 better, 1 worse Mean"),
        (
            [(i, k) for i in ("set/anna", "set/bob") for k in (0, 1)],
            "images on 2 runs each 0 better, 1 worse Mean",
        ),
        (
            [("set/anna", 0), ("set/bob", 0), ("set/bob", 1)],
            "images on 1 to 2 runs each 0 better, 1 worse Mean",
        ),
        (list(LEVELS), "images 0 better, 1 worse Mean"),
    ],
)
def test_the_strip_says_on_how_many_runs_it_stands_where_they_are_few(
    tmp_path: Path, recorded: list[tuple[str, int]], said: str
) -> None:
    context = make_context(tmp_path)
    levels = {what: LEVELS[what] for what in recorded}
    write_suite(tmp_path / "results", planned(context)["paper"], levels)
    read_anew(context)
    strip = words_of(made(context, "verdict-strip", suite="paper"))
    assert said in strip
    again = "To make it again" if recorded == list(LEVELS) else "To make all 6 runs"
    assert f"{again} python -m dip run paper --results mine" in strip


def test_a_strip_without_the_paper_suite_says_so_and_never_compares_the_preview(
    tmp_path: Path,
) -> None:
    context = make_context(tmp_path, "small")
    html = made(context, "verdict-strip", suite="paper", preview="small")
    first, _, preview = html.partition("strip-preview")
    assert "not run yet" in first
    assert "none recorded" in first
    assert "To make it python -m dip run paper" in words_of(first) and "mine" not in first
    assert "not comparable with the paper" in preview
    assert "data-claim" not in preview
    assert "verdict-" not in preview


def test_the_table_has_every_image_and_the_mean(tmp_path: Path) -> None:
    html = made(make_context(tmp_path, "paper"), "results-table", suite="paper", id="tab-x")
    assert '<figure class="wide table" id="tab-x">' in html
    assert "Table 1." in html
    body = html[html.index("<tbody") : html.index("</tbody")]
    assert re.findall(r'<th class="name" scope="row"[^>]*>([^<]+)', body) == ["Anna", "Bob", "Mean"]
    assert body.count("dot-ours") == 3
    assert body.count('class="thumbnail"') == 2
    for words in ("32.10", "± 0.20", "+0.10", "−1.80", "reproduced", "worse"):
        assert words in body
    assert "All figures as a plain table" in html


def test_a_table_of_nothing_recorded_says_so_in_every_row(tmp_path: Path) -> None:
    html = made(make_context(tmp_path), "results-table", suite="paper")
    body = html[html.index("<tbody") : html.index("</tbody")]
    assert body.count("dot-ours") == 0
    assert body.count("dot-paper") == 3
    assert body.count("verdict-not-run-yet") == 3


def test_where_a_source_prints_a_mean_only_the_mean_alone_is_judged(tmp_path: Path) -> None:
    context = make_context(tmp_path, "paper")
    claims = tmp_path / "content/claims.toml"
    text = claims.read_text().replace("anna = 32.0\nbob = 30.0\n", "")
    claims.write_text(text.replace('compare = "final"', 'compare = "average"'))
    html = made(context, "results-table", suite="paper")
    body = html[html.index("<tbody") : html.index("</tbody")]
    assert (body.count("dot-ours"), body.count("dot-paper")) == (3, 1)
    assert len(re.findall('class="verdict ', body)) == 1
    assert "Of the paper and of our runs: Deep Image Prior." in html
    plain = html[html.index("All figures as a plain table") :]
    anna = re.sub("<[^>]+>", " ", plain[plain.index("Anna") :].partition("</tr")[0])
    *seeds, ours = re.findall(r"\d\d?\.\d\d", anna)[1:5]
    mean_of_seeds = sum(map(float, seeds)) / len(seeds)
    assert mean_of_seeds == pytest.approx(float(ours), abs=0.01), "each seed's average, not last"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('ours = "dip"\n', "", "table 'inpainting' has no row that our runs answer"),
        ('suite = "paper"', 'suite = "small"', "the runs of 'small' answer table 'inpainting'"),
    ],
)
def test_a_table_that_the_suite_does_not_answer_is_told_with_its_place(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    context = make_context(tmp_path)
    claims = tmp_path / "content/claims.toml"
    claims.write_text(claims.read_text().replace(old, new))
    with pytest.raises(InputError, match=sentence):
        made(context, "results-table", suite="paper", table="inpainting")


def test_a_table_of_chosen_images_has_no_mean(tmp_path: Path) -> None:
    context = make_context(tmp_path)
    write_suite(tmp_path / "results", planned(context)["paper"], {("set/bob", 0): 30.0})
    html = made(read_anew(context), "results-table", suite="paper", images="bob")
    body = html[html.index("<tbody") : html.index("</tbody")]
    assert re.findall(r'<th class="name" scope="row"[^>]*>([^<]+)', body) == ["Bob"]
    assert "1 of 3 runs are recorded" in words_of(html), "of the chosen image"


def test_of_some_cases_several_runs_and_of_others_one(tmp_path: Path) -> None:
    context = make_context(tmp_path)
    suite = load_suites(tmp_path / "content/experiments.toml")["paper"]
    levels = {("set/anna", 0): 32.5, ("set/anna", 1): 30.1, ("set/bob", 0): 30.0}
    write_suite(tmp_path / "results", suite, levels)
    html = made(read_anew(context), "results-table", suite="paper")
    text = words_of(html)
    assert "31.30 ± 1.70" in text
    assert "±: the standard deviation between seeds." in text
    assert "The mean is over the seeds that have every case (n = 1)." in text
    alone = made(context, "results-table", suite="paper", images="anna")
    (whisker,) = re.findall(r"<line[^>]*whisker[^>]*>", alone)
    ends = [float(x) for x in re.findall(r'x[12]="([^"]+)"', whisker)]
    assert 0 < min(ends) < max(ends) < WIDTH, "it lies within the axis"


def test_a_preview_has_no_verdicts_and_no_claims(tmp_path: Path) -> None:
    html = made(make_context(tmp_path, "small"), "preview-table", suite="small")
    assert "verdict" not in html
    assert "data-claim" not in html
    assert "Preview, 32×32, not comparable" in html
    body = html[html.index("<tbody") : html.index("</tbody")]
    assert body.count('class="dot dot-baseline"') == 3 * 2


def test_baselines_stand_beside_what_the_paper_prints(tmp_path: Path) -> None:
    html = made(make_context(tmp_path, "paper"), "baselines-table", suite="paper")
    body = html[html.index("<tbody") : html.index("</tbody")]
    assert "dot-ours" not in body
    assert "29.00" in body
    assert 'data-claim="inpainting.dip.mean"' in body
    assert "printed</th>" in html, "nothing of baselines: the head says whose numbers they are"


def test_what_a_source_prints_of_a_baseline_stands_beside_it(tmp_path: Path) -> None:
    context = make_context(tmp_path, "paper")
    path = tmp_path / "content/claims.toml"
    own = '[inpainting.fill]\nname = "Fill"\ncompare = "baseline.biharmonic"\nanna = 28.5\n'
    path.write_text(path.read_text() + own)
    site = tmp_path / "content/site.toml"
    site.write_text(site.read_text().replace("[names]", '[names]\npaper = "Doe"'))
    html = made(context, "baselines-table", suite="paper")
    assert 'data-claim="inpainting.fill.anna"' in html and "Fill, printed</th>" in html
    assert "inpainting.dip" not in html
    assert "Doe</th>" in made(context, "results-table", suite="paper")
    strip = made(context, "verdict-strip", suite="paper")
    assert "Doe’s table" in strip and "the paper:" not in strip


def test_a_table_of_claims_names_its_source(tmp_path: Path) -> None:
    html = made(make_context(tmp_path), "claims-table", table="inpainting")
    assert "Source: The paper, table 1" in html
    assert 'data-claim="inpainting.papyan.bob"' in html
    assert 'data-claim="inpainting.dip.mean"' in html


def test_the_strip_of_pictures_says_that_it_is_a_preview(tmp_path: Path) -> None:
    context = make_context(tmp_path, "small")
    html = made(context, "film-strip", suite="small", images="anna", iterations="0 250")
    assert "Preview, 32×32." in html
    assert html.count("<img") == 2
    assert 'alt="Anna after 250 iterations, ' in html
    assert 'href="../runs/small/anna/seed0.html"' in html


def test_a_strip_of_nothing_recorded_says_so(tmp_path: Path) -> None:
    html = made(
        make_context(tmp_path), "film-strip", suite="paper", images="anna bob", iterations="0"
    )
    assert "not run yet" in html
    assert "python -m dip run paper --image bob --seed 0" in words_of(html)
    assert "<img" not in html


def test_pictures_are_copied_as_they_are(tmp_path: Path) -> None:
    context = make_context(tmp_path, "paper")
    made(context, "film-strip", suite="paper", images="anna", iterations="250")
    (copied,) = context.copies.values()
    assert copied == tmp_path / "results/paper/anna/seed0/snapshots/250.webp"


def test_the_scrubber_has_its_data_in_the_page_and_works_without_scripts(tmp_path: Path) -> None:
    html = made(make_context(tmp_path, "paper"), "scrubber", run="paper/anna")
    data = json.loads(re.findall(r'<script type="application/json">(.*?)</script>', html)[0])
    frames = [frame["step"] for frame in data["frames"]]
    assert frames == [0, 62, 250, 562, 1000]
    assert html.count("<li data-step=") == len(frames)
    assert all(frame["src"].startswith("../media/") for frame in data["frames"])
    levels = [frame["at"][1] for frame in data["frames"]]
    assert levels == sorted(levels, reverse=True)  # upwards as the PSNR grows
    assert all(word in html for word in ("ES-WMV", ">best<", ">the paper stops<"))


def test_curves_share_their_axis(tmp_path: Path) -> None:
    html = made(make_context(tmp_path, "paper"), "curve", suite="paper", images="anna bob")
    ticks = [
        re.findall(r'class="tick" text-anchor="end">(\d+)<', svg) for svg in html.split("<svg")[1:]
    ]
    assert len(ticks) == 2
    assert ticks[0] == ticks[1] != []


def test_comparing_shows_input_and_result(tmp_path: Path) -> None:
    html = made(make_context(tmp_path, "small"), "compare", run="small/anna")
    assert html.count("<img") == 2
    assert 'alt="Anna: the input"' in html
    assert 'alt="Anna: after 1,000 iterations"' in html
    assert "Preview, 32×32." in html


def test_comparing_more_than_two_takes_files_and_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = make_context(tmp_path, "small")
    monkeypatch.chdir(tmp_path / "content")  # where the post of these calls is
    for name in ("scan.png", "../scan.png"):
        Image.new("L", (32, 32)).save(name)
    arguments = {"run": "small/anna", "outputs": "input scan.png final", "spot": "20 40"}
    html = made(context, "compare", **arguments)
    assert re.findall(r'film-head">([^<]*)', html) == [
        "The input",
        "Scan",
        "After 1,000 iterations",
    ]
    assert 'class="compare compare-many" data-compare="20 40"' in html
    html = made(context, "compare", **arguments, names="seen, scanned, drawn")
    assert 'alt="Anna: scanned"' in html
    with pytest.raises(InputError, match="2 names for 3 outputs"):
        made(context, "compare", **arguments, names="seen, drawn")
    with pytest.raises(InputError, match=r"'\.\./scan\.png' lies outside of"):
        made(context, "compare", run="small/anna", outputs="input ../scan.png")


def test_settings_say_who_they_come_from(tmp_path: Path) -> None:
    html = made(make_context(tmp_path), "settings", suite="paper")
    text = words_of(html)
    assert "Learning rate 0.001 the paper" in text
    assert "Slope 0.2 ours not stated" in text


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("curve", {"suite": "papre"}, "post.md:9:10: unknown suite 'papre'; did you mean 'paper'?"),
        ("curve", {"suite": "paper", "imges": "anna"},
         "post.md:9:11: block 'curve' has no argument 'imges'; did you mean 'images'?"),
        ("curve", {"suite": "paper", "images": "ana"},
         "post.md:9:11: suite 'paper' has no case 'ana'; did you mean 'anna'?"),
        ("film-strip", {"suite": "paper"}, "block 'film-strip' needs the argument 'iterations'"),
        ("film-strip", {"suite": "paper", "images": "anna", "iterations": "0 25o"},
         "post.md:9:12: expected an integer, got '25o'"),
        *(("film-strip", {"suite": "paper", "iterations": number},
           f"post.md:9:11: expected an integer, got '{number}'")
          for number in ("²", "٣", "9" * 5000)),
        ("film-strip", {"suite": "paper", "images": "anna", "iterations": "300"},
         "post.md:9:12: paper/anna/seed0 has no snapshot at 300; it has 0, 62, 250, 562 or 1000"),
        ("verdict-strip", {"suite": "paper", "preview": "paper"},
         "post.md:9:11: suite 'paper' is no preview"),
        *((block, {"suite": "small", "table": "inpainting"},
           "post.md:9:10: 'small' is a preview, which no source's numbers stand beside")
          for block in ("verdict-strip", "results-table", "baselines-table")),
        *((block, {"suite": "paper", "table": "other"},
           "post.md:9:11: the runs of 'small' answer table 'other'")
          for block in ("verdict-strip", "results-table", "baselines-table")),
        ("claims-table", {"table": "inpaintin"},
         "post.md:9:10: unknown table of claims 'inpaintin'; did you mean 'inpainting'?"),
        ("compare", {"run": "small/anna", "outputs": "inputt final"},
         "post.md:9:11: unknown output 'inputt'; did you mean 'input'?"),
        ("compare", {"run": "small/anna", "outputs": "input stop-oracle"},
         "post.md:9:11: unknown output 'stop-oracle'"),
        ("compare", {"run": "small/anna", "outputs": "input 250"},
         "post.md:9:11: unknown output '250'; there are final, at, curve, "),
        ("compare", {"run": "small/anna", "outputs": "input clean"},
         "post.md:9:11: small/anna/seed0 has no picture of 'clean'"),
        ("compare", {"run": "small/anna", "outputs": "final"},
         "post.md:9:11: expected two outputs or more"),
        ("compare", {"run": "small/anna", "spot": "50"},
         "post.md:9:11: expected two numbers up to 100, such as '50 50'"),
        ("curve", {"runs": " "}, "post.md:9:10: the argument 'runs' is empty"),
        ("suites-table", {"suites": " "}, "post.md:9:10: the argument 'suites' is empty"),
        ("suites-table", {}, "block 'suites-table' needs the argument 'suites'"),
        ("curve", {}, "block 'curve' needs the argument 'suite'"),
        ("scrubber", {}, "block 'scrubber' needs the argument 'run'"),
        ("plot", {"script": "level.py"}, "block 'plot' needs the argument 'alt'"),
        ("curve", {"suite": "paper", "width": "huge"},
         "post.md:9:11: expected text, wide or full, got 'huge'"),
        ("figure", {"src": "no.png", "alt": "x"}, "post.md:9:10: 'no.png' lies outside of"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_the_place_of_the_argument(
    tmp_path: Path, name: str, arguments: dict[str, str], sentence: str
) -> None:
    context = make_context(tmp_path, "paper", "small")
    with (tmp_path / "content/claims.toml").open("a") as claims:
        claims.write('\n[other]\nsuite = "small"\n')
    with pytest.raises(InputError) as error:
        made(context, name, **arguments)
    assert sentence in str(error.value)


def test_a_network_that_is_not_described_is_told_with_the_place(tmp_path: Path) -> None:
    context = make_context(tmp_path)
    (tmp_path / "content/images.toml").unlink()  # so that no size is known
    sentence = r"post\.md:9:10: the manifest describes no network of suite 'paper'"
    with pytest.raises(InputError, match=sentence):
        made(read_anew(context), "network", suite="paper")


def test_an_unknown_origin_of_a_setting_is_told_with_its_line(tmp_path: Path, capsys: Told) -> None:
    write_content(tmp_path / "content")
    path = tmp_path / "content/choices.toml"
    path.write_text(path.read_text().replace('"ours"', '"our"'))
    assert run_press(tmp_path, "build", "--run", "never") == 1
    said = capsys.readouterr().err
    assert re.search(r"choices\.toml:8:1: the origin is not .*did you mean 'ours'", said)


def test_runs_that_are_lacking_are_remembered(tmp_path: Path) -> None:
    context = make_context(tmp_path)
    made(context, "curve", suite="paper", images="anna")
    assert ("paper", "set/anna", 0) in context.missing_runs


def test_half_recorded_tables_count_what_there_is(tmp_path: Path) -> None:
    context = make_context(tmp_path)
    write_suite(tmp_path / "results", planned(context)["paper"], {("set/anna", 0): 32.4})
    read_anew(context)
    text = words_of(made(context, "results-table", suite="paper"))
    assert "1 of 6 runs are recorded" in text
    assert "reproduced, on one run" in text


def test_metrics_of_two_units_have_a_panel_each(tmp_path: Path) -> None:
    context = make_context(tmp_path, "paper")
    html = made(context, "curve", suite="paper", images="anna bob", metrics="psnr_db loss")
    assert html.count("<svg") == 4
    units = re.findall(r'class="label">([^<]*)</text>', html)
    assert [words for words in units if "iteration" not in words] == ["PSNR, dB", "loss"] * 2
