"""A stopping rule whose patience outlasts the run has not stopped, and the site says so."""

from pathlib import Path

import pytest
from made_records import write_run
from made_site import (
    build_site,
    make_context,
    make_results,
    results_of,
    run_press,
    write_content,
)

from dip.experiments.suites import load_suites
from press.blocks.images import compared
from press.errors import InputError
from press.results.recording import record
from press.results.stops import PATIENCE, StopPoint

LAST = 3000


def test_the_words_agree_with_the_engine() -> None:
    pytest.importorskip("torch")
    from dip.engine import monitor

    assert PATIENCE["es-wmv"] == monitor.PATIENCE
    reached = [StopPoint("es-wmv", LAST - after, LAST).reached for after in (1, 1000, 1001)]
    assert reached == [False, False, True], "as test_patience_is_the_published_thousand has it"


def test_other_rules_have_no_patience() -> None:
    assert StopPoint("oracle", LAST, LAST).reached
    assert StopPoint("fixed", LAST, LAST).words == "stops at iteration 3,000"
    assert StopPoint("fixed", LAST, LAST).label == "the last iteration"


def test_a_rule_of_another_paper_is_called_by_its_name() -> None:
    point = StopPoint("early", 12, 20, "epoch")
    assert (point.words, point.row) == ("stops at epoch 12", "early, epoch 12")
    assert (point.label, point.mark) == ("where early stops", "early")


def test_a_rule_that_one_record_has_is_known_of_all_runs_of_its_suite(tmp_path: Path) -> None:
    for case, outputs in (("a", ("final", "stop.best")), ("b", ("final",))):
        metrics = {output: {"err": 1.0} for output in outputs}
        record("stops", case, metrics=metrics, results=tmp_path / "results")
    results = results_of(tmp_path / "results", tmp_path / "content")
    assert list(results.suite("stops").each("stop.best").by_run) == [("a", 0)]
    with pytest.raises(InputError, match="the rule 'best' never stopped stops/b/seed0"):
        results.run("stops/b").output("stop.best")
    with pytest.raises(InputError, match="unknown stopping rule 'bets'; did you mean 'best'"):
        results.suite("stops").each("stop.bets")


def test_a_run_that_was_too_short_says_so(tmp_path: Path) -> None:
    """The small runs are 1,000 iterations long, their least variance is at 700."""
    site = build_site(tmp_path, "small")
    words = "not stopped within the run; least variance so far at iteration 700"
    page = (site / "runs/small/anna/seed0.html").read_text()
    assert f"ES-WMV: {words}" in page
    assert ">least variance so far</text>" in page
    assert "where ES-WMV stops" not in page and ">ES-WMV</text>" not in page
    post = (site / "posts/post.html").read_text()
    assert f"ES-WMV: {words}." in post
    assert "least variance so far at 700" in post, "the curve's title names its marks"


def test_a_run_that_was_long_enough_stops(tmp_path: Path) -> None:
    content = tmp_path / "content"
    write_content(content, "---\ntitle: A\ndate: 2026-01-02\n---\n\n" + SENTENCE)
    suites = content / "experiments.toml"
    suites.write_text(suites.read_text().replace("iterations = 1000", "iterations = 4000"))
    results = tmp_path / "results"
    suite = load_suites(suites)["small"]
    write_run(results, suite, suite.experiments[0], 30.0)
    assert run_press(tmp_path, "build", "--run", "never") == 0
    post = (tmp_path / "site/posts/post.html").read_text()
    assert "It stops at iteration 2,800; one run of the two." in post
    page = (tmp_path / "site/runs/small/anna/seed0.html").read_text()
    assert "where ES-WMV stops" in page and ">ES-WMV</text>" in page
    assert "not stopped" not in page


SENTENCE = (
    'It {{ run("small/anna", "stop.es-wmv").words }}; '
    '{{ suite("small").stopped("es-wmv") | spelled }} run of the two.\n'
)


def test_words_of_a_run_that_is_not_recorded(tmp_path: Path) -> None:
    results = make_results(tmp_path)
    assert str(results.run("small/anna").output("stop.es-wmv").words) == "not run yet"
    assert results.suite("small").stopped("es-wmv") == 0


def test_a_comparison_names_what_the_rule_chose(tmp_path: Path) -> None:
    context = make_context(tmp_path, "small")
    html = compared(context, context.results.run("small/anna"), ["stop.es-wmv", "stop.oracle"])
    assert "ES-WMV: not stopped within the run; least variance so far at iteration 700" in html
    assert ">The best iterate<" in html and "32.10" in html
