"""Blocks that set suites and choices of an output side by side, and the curves of losses."""

import re
from pathlib import Path
from typing import Any

import pytest
from made_records import changed, write_baseline, write_mean, write_run
from made_site import made, make_context, read_anew, results_of
from reading import words_of

from dip.experiments.suites import load_suites
from press.errors import InputError
from press.page import PageContext
from press.results.numbers import NotRun

MORE = """
[noisy]
title = "Noisy"
task = "denoising"
images = ["set/anna", "set/bob"]
seeds = [0, 1]
problem_seed = 0
preview_side = 32
iterations = 900
snapshots = [0, 900]
baselines = ["non-local-means"]

[slope]
like = "small"
title = "Another slope"
slope = 0.01

[targets]
title = "Targets"
task = "fit"
images = ["set/anna"]
preview_side = 32
iterations = 100
snapshots = [0, 100]

[targets.variants]
image = { target = "image" }
noise = { target = "noise" }
"""

LARGER = """
[larger]
title = "Larger"
task = "super-resolution"
factor = 4
images = ["set/anna", "set/bob"]
iterations = 100
snapshots = [0, 100]
baselines = ["bicubic"]
"""
LARGER_CLAIMS = """
[larger]
suite = "larger"
set = "set"
ours = "dip"
cases = ["anna"]
[larger.dip]
name = "DIP"
compare = "final"
anna = 29.0
mean = 29.0
"""


@pytest.fixture
def context(tmp_path: Path) -> PageContext:
    """Make a page whose site has suites to be compared."""
    found = make_context(tmp_path, "small")
    path = tmp_path / "content/experiments.toml"
    path.write_text(path.read_text() + MORE)
    suites = load_suites(path)
    for name, level in (("noisy", 28.0), ("slope", 26.0), ("targets", 30.0)):
        for number, experiment in enumerate(suites[name].experiments):
            write_run(tmp_path / "results", suites[name], experiment, level + number)
    for image in ("set/anna", "set/bob"):
        write_baseline(tmp_path / "results", suites["noisy"], image, "non-local-means", 25.0)
        write_mean(tmp_path / "results", suites["noisy"], image, 31.0)
    return read_anew(found)


def rows(html: str) -> dict[str, list[str]]:
    body = html[html.index("<tbody") : html.index("</tbody")]
    found = {}
    for row in body.split("</tr>")[:-1]:
        name = re.search(r'scope="row"[^>]*>([^<]+)', row)
        assert name
        cells = re.findall(r'<td class="number[^"]*"[^>]*>(.*?)</td>', row, re.DOTALL)
        found[name[1]] = [words_of(cell) for cell in cells]
    return found


def test_a_mean_of_runs_with_other_settings_does_not_count(
    context: PageContext, tmp_path: Path
) -> None:
    assert context.results.suite("noisy").output("mean").mean_psnr_db == pytest.approx(31.0)
    path = tmp_path / "content/experiments.toml"
    noisy = MORE.replace("problem_seed = 0", "problem_seed = 0\nlearning_rate = 0.02")
    path.write_text(path.read_text().replace(MORE, noisy))
    fresh = results_of(context.results_dir, context.content_dir)
    assert isinstance(fresh.suite("noisy").output("mean").mean_psnr_db, NotRun)


def test_every_choice_of_an_output_stands_beside_what_it_loses(context: PageContext) -> None:
    html = made(context, "stops-table", suite="noisy", id="tab-stops")
    heads = words_of(html[html.index("<thead") : html.index("</thead")])
    assert heads.endswith("last best ES-WMV average mean of runs"), heads
    shapes = re.findall(r'class="dots sign"[^>]*><(.*?)></svg>', html[: html.index("<tbody")])
    assert len(set(shapes)) == len(shapes) == 5, "each has a mark"
    found = rows(html)
    assert list(found) == ["Anna", "Bob", "Mean", "Against the best"]
    assert found["Anna"][0] == "29.00 ± 1.41", "two seeds"
    assert found["Mean"][-1] == "31.00"
    lost = found["Against the best"]
    assert lost[:2] == ["−0.20", "0.00"], "the last output is below the best iterate"
    assert html[html.index("<tbody") :].count("dot-choice") == 3 * 4
    assert "not comparable with the paper" in html
    assert "data-claim" not in html


def test_suites_that_differ_in_one_setting_stand_side_by_side(context: PageContext) -> None:
    html = made(context, "suites-table", suites="small slope", names="0.2, 0.01")
    found = rows(html)
    assert list(found) == ["Anna", "Bob", "Mean", "Against ours"]
    ours, theirs = (float(word) for word in found["Mean"])
    assert theirs == 26.5
    assert float(found["Against ours"][1].replace("−", "-")) == pytest.approx(
        theirs - ours, abs=0.01
    )
    with pytest.raises(InputError, match="1 name for 2 suites") as wrong:
        made(context, "suites-table", suites="small slope", names="0.2")
    assert (wrong.value.line, wrong.value.column) == (9, 11)
    for suites, sentence in (
        ("small slop", r"unknown suite 'slop'; did you mean 'slope'\?"),
        ("small paper", "a preview is not compared with a suite in full size"),
        ("noisy targets", "these suites have no case in common"),
    ):
        with pytest.raises(InputError, match=sentence):
            made(context, "suites-table", suites=suites)


def test_losses_are_drawn_on_a_scale_of_powers_of_ten(context: PageContext) -> None:
    html = made(context, "loss-curves", suite="targets", id="fig-loss")
    assert 'id="fig-loss"' in html
    words = "Loss against the iteration; at the end: image 4.94×10⁻⁴, noise 3.92×10⁻⁴"
    assert words in words_of(html)
    assert ">10⁻¹<" in html and ">10⁻⁴<" in html
    assert html.count('class="line line-') == 2
    assert "Preview, 32×32." in html


def test_losses_of_variants_of_several_images_are_told_apart(
    context: PageContext, tmp_path: Path
) -> None:
    path = tmp_path / "content/experiments.toml"
    both = MORE.replace('"fit"\nimages = ["set/anna"]', '"fit"\nimages = ["set/anna", "set/bob"]')
    path.write_text(path.read_text().replace(MORE, both))
    suite = load_suites(path)["targets"]
    for experiment in suite.experiments[2:]:
        write_run(tmp_path / "results", suite, experiment, 30.0)
    html = made(read_anew(context), "loss-curves", suite="targets")
    for title in ("Anna, image", "Anna, noise", "Bob, image", "Bob, noise"):
        assert f">{title}</text>" in html


def test_losses_of_what_is_not_run_say_so(tmp_path: Path) -> None:
    context = make_context(tmp_path)
    assert "not run yet" in made(context, "loss-curves", suite="small")


def test_a_run_without_an_original_shows_its_pictures_without_levels(
    context: PageContext, tmp_path: Path
) -> None:
    def without_levels(data: dict[str, Any]) -> None:
        for scores in (data["metrics"]["final"], *data["metrics"]["snapshots"].values()):
            scores["psnr_db"] = None

    changed(tmp_path / "results/targets/anna-image/seed0", without_levels)
    html = made(context, "film-strip", suite="targets", images="anna-image", iterations="0 100")
    assert html.count("<img") == 2
    assert 'alt="Anna, image after 100 iterations"' in html
    assert "dB" not in html


def _add_luma(metrics: dict[str, Any]) -> None:
    for scores in (metrics["final"], *metrics["snapshots"].values()):
        scores["psnr_luma_db"] = scores["psnr_db"] + 1.8


def test_super_resolution_is_scored_on_luma_everywhere(tmp_path: Path) -> None:
    context = make_context(tmp_path)
    content = tmp_path / "content"
    path = content / "experiments.toml"
    path.write_text(path.read_text() + LARGER)
    claims = content / "claims.toml"
    claims.write_text(claims.read_text() + LARGER_CLAIMS)
    suite = load_suites(path)["larger"]
    for experiment in suite.experiments:
        record = write_run(tmp_path / "results", suite, experiment, 27.0)
        changed(record.folder, lambda data: _add_luma(data["metrics"]))
    found = rows(made(read_anew(context), "results-table", suite="larger"))
    assert found["Anna"] == ["29.00", "28.80", "−0.20"]
    assert found["Mean"] == ["29.00", "28.80", "−0.20"], "the mean is over the source's pictures"
    with pytest.raises(InputError, match="table 'larger' has no case 'set/bob'"):
        made(read_anew(context), "results-table", suite="larger", images="bob")
    for image, level in (("set/anna", 26.0), ("set/bob", 20.0)):
        record = write_baseline(tmp_path / "results", suite, image, "bicubic", level)
        luma = {"psnr_luma_db": level}
        changed(record.folder, lambda data, luma=luma: data["metrics"]["final"].update(luma))
    found = rows(made(read_anew(context), "baselines-table", suite="larger"))
    assert found["Mean"] == ["26.00", "29.00"], "of the source's pictures alone"
    assert "of luma" in made(read_anew(context), "preview-table", suite="larger")
    strip = words_of(
        made(read_anew(context), "film-strip", suite="larger", images="anna", iterations="100")
    )
    assert "28.80 dB" in strip
    beside = words_of(made(read_anew(context), "compare", run="larger/anna", outputs="at.0 final"))
    assert "28.80 dB" in beside and "27.00 dB" not in beside


def test_panels_of_curves_have_the_names_that_are_given(context: PageContext) -> None:
    runs = "small/anna slope/anna"
    html = made(context, "curve", runs=runs, names="as chosen, another slope")
    assert re.findall(r'panel-title">([^<]*)', html) == ["as chosen", "another slope"]
    assert re.findall(r'panel-title">([^<]*)', made(context, "curve", runs=runs)) == [
        "Anna",
        "Anna",
    ]
    with pytest.raises(InputError, match="1 name for 2 runs"):
        made(context, "curve", runs=runs, names="as chosen")


def test_one_picture_has_no_mean_beside_it(context: PageContext, tmp_path: Path) -> None:
    path = tmp_path / "content/experiments.toml"
    path.write_text(path.read_text() + '\n[single]\nlike = "small"\nimages = ["set/anna"]\n')
    read_anew(context)
    assert list(rows(made(context, "preview-table", suite="single"))) == ["Anna"]
    assert list(rows(made(context, "preview-table", suite="small"))) == ["Anna", "Bob", "Mean"]
