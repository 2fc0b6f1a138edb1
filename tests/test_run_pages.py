"""The page of a run: everything that it takes to make the run again, and the record as data."""

import json
import re
from pathlib import Path

import html5lib
import pytest
from made_site import build_site, make_context, make_results, read_anew, run_press

from dip.records.record import load_record
from press.page import PageContext
from press.pages.run_page import run_page, run_pages


def context_at(folder: Path, url: str, *recorded: str) -> PageContext:
    context = make_context(folder, *recorded)
    context.url = url
    return context


def test_there_is_a_page_for_each_record_and_a_list_of_all(tmp_path: Path) -> None:
    urls = list(run_pages(make_results(tmp_path, "paper")))
    assert urls[0] == "runs/index.html"
    assert len(urls) == 1 + 6 + 4
    assert "runs/paper/anna/seed2.html" in urls
    assert "runs/paper/bob/biharmonic.html" in urls


def test_a_run_page_has_all_that_it_takes(tmp_path: Path) -> None:
    context = context_at(tmp_path, "runs/paper/anna/seed1.html", "paper")
    html = run_page("paper/anna/seed1", context)
    record = load_record(tmp_path / "results/paper/anna/seed1")
    data = record.data
    for words in (record.key, data["commit"], "Example CPU 3000", "2.13.0", "AVX512", "ieee",
                  "python -m dip run paper --image anna --seed 1 --rerun",
                  "python -m dip verify paper --image anna"):  # fmt: skip
        assert words in re.sub("</?span[^>]*>", "", html), words
    for name, sha256 in data["files"].items():
        assert name in html
        assert sha256 in html
    for setting, value in data["experiment"].items():
        is_shown = f"<dt>{setting}</dt>" in html
        assert is_shown == (value not in ("", [])), "what is empty is left out"
    assert html.split('<ul class="gallery')[1].count("<img") == len(record.snapshot_names())
    assert html.split("To make it again")[0].count("<img") == 2, "the input and the last output"
    assert "line-1" in html


def test_the_record_stands_beside_the_page_byte_for_byte(tmp_path: Path) -> None:
    context = context_at(tmp_path, "runs/paper/anna/seed0.html", "paper")
    html = run_page("paper/anna", context)
    written = context.written["runs/paper/anna/seed0.json"]
    assert written == (tmp_path / "results/paper/anna/seed0/run.json").read_bytes()
    assert 'href="seed0.json"' in html


def test_a_baseline_has_a_page_without_a_curve(tmp_path: Path) -> None:
    context = context_at(tmp_path, "runs/paper/anna/biharmonic.html", "paper")
    html = run_page("paper/anna/biharmonic", context)
    assert "Biharmonic fill" in html
    assert "29.00" in html
    assert "line-1" not in html


def test_a_picture_that_is_not_shown_has_its_reason_on_the_page(tmp_path: Path) -> None:
    context = context_at(tmp_path, "runs/paper/anna/seed0.html", "paper")
    text = '["set/anna"]\nshow = false\nwhy = "she asked that it be retired"\n'
    (tmp_path / "content/images.toml").write_text(text)
    html = run_page("paper/anna", read_anew(context))
    assert "<img" not in html
    assert "she asked that it be retired" in html
    assert not context.copies


def test_a_suite_that_keeps_pictures_of_some_images_says_so(tmp_path: Path) -> None:
    context = context_at(tmp_path, "runs/paper/anna/seed0.html", "paper")
    suites = tmp_path / "content/experiments.toml"
    suites.write_text(suites.read_text().replace("frames", 'pictures_of = ["set/bob"]\nframes', 1))
    html = run_page("paper/anna", read_anew(context))
    assert "<img" not in html
    assert "so that the results stay small, this suite keeps pictures only of Bob" in html
    assert "line-1" in html, "the curve is there"
    assert run_page("paper/bob", context).count("<img") > 2


@pytest.mark.parametrize("recorded", [(), ("small",), ("paper", "small")])
def test_every_page_is_well_formed_and_every_link_leads_somewhere(
    tmp_path: Path, recorded: tuple[str, ...]
) -> None:
    site = build_site(tmp_path, *recorded)
    for page in site.rglob("*.html"):
        parser = html5lib.HTMLParser(strict=True)
        parser.parse(page.read_text())
    assert run_press(tmp_path, "check", "--run", "never") == 0


def test_the_list_shows_what_is_not_run(tmp_path: Path) -> None:
    html = (build_site(tmp_path, "small") / "runs/index.html").read_text()
    assert "so that it is quick" in html, "why there is such a suite"
    assert "0 of 6 runs recorded" in html
    assert "2 of 2 runs recorded" in html
    assert html.count('<td class="none-yet" colspan="5"><span class="hatched">not run yet<') == 2
    assert html.count("not run yet") == 2, "one for each image: cells that follow each other join"


def test_a_page_reads_only_what_it_notes(tmp_path: Path) -> None:
    context = context_at(tmp_path, "runs/paper/anna/seed0.html", "paper")
    run_page("paper/anna", context)
    folder = tmp_path / "results/paper/anna/seed0"
    names = json.loads((folder / "run.json").read_text())["files"]
    assert {folder / "run.json", *(folder / name for name in names)} <= set(context.inputs)
