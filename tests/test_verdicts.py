"""Verdicts: the rule, the words, and the claims of the site itself."""

from collections.abc import Callable
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import pytest
from made_site import CLAIMS, METRICS, make_results, results_of, write_content, write_suite

from press.errors import InputError
from press.results.claims import MEAN, Claim, Claims, Row, Rule
from press.results.metrics import Metric, read_metrics
from press.results.numbers import Measured, decimal, with_sign
from press.results.selectors import Selector
from press.results.verdicts import Judge, Verdict
from press.toml_file import Typed

SITE = Path(__file__).parent.parent / "content"


PSNR = Metric("psnr_db", "PSNR", "dB", 2, "higher", 0.5, 1.0, 0.1)


def claim_of(metric: Metric, compare: str = "final") -> Claim:
    return Claim(30.0, "", Row("", "", "", Selector(compare), lambda: metric))


def verdict(level: float, spread: float | None, n: int, metric: Metric = PSNR) -> Verdict:
    return Verdict(claim_of(metric), Measured(level, metric, "", spread, n), Rule())


@pytest.mark.parametrize(
    ("level", "spread", "n", "word"),
    [
        (30.0, None, 1, "reproduced"),
        (30.5, None, 1, "reproduced"),
        (29.5, None, 1, "reproduced"),
        (30.51, None, 1, "better"),
        (29.49, None, 1, "worse"),
        (30.6, 0.35, 2, "better"),  # two seeds: their spread does not count yet
        (30.6, 0.35, 3, "reproduced"),  # within two standard deviations
        (30.6, 0.2, 3, "better"),  # two standard deviations are less than half a decibel
        (31.0, 2.0, 5, "reproduced"),
        (31.01, 2.0, 5, "better"),  # never over one decibel
    ],
)
def test_the_rule(level: float, spread: float | None, n: int, word: str) -> None:
    assert str(verdict(level, spread, n)) == word


FID = Metric("fid", "FID", "", 2, "lower", 0.5, 1.0, 0.1)


@pytest.mark.parametrize(
    ("level", "spread", "n", "word"),
    [
        (30.5, None, 1, "reproduced"),
        (29.49, None, 1, "better"),
        (30.51, None, 1, "worse"),
        (29.4, 0.35, 3, "reproduced"),
        (28.99, 2.0, 5, "better"),
    ],
)
def test_lower_may_be_better(level: float, spread: float | None, n: int, word: str) -> None:
    assert str(verdict(level, spread, n, FID)) == word


def test_without_a_cap_the_spread_alone_widens_the_tolerance() -> None:
    assert verdict(33, 2.0, 3, replace(PSNR, at_most=inf)).tolerance == 4.0
    assert verdict(33, 2.0, 3).tolerance == 1.0


@pytest.mark.parametrize(("level", "word"), [(30.1, "agrees"), (30.11, "differs")])
def test_a_deterministic_method_agrees_or_differs(level: float, word: str) -> None:
    found = Verdict(claim_of(FID, "baseline"), Measured(level, FID), Rule())
    assert (found.word, found.runs) == (word, "")
    assert found.reason == f"{with_sign(decimal(level - 30))} from the source (tolerance 0.10)"


@pytest.mark.parametrize(
    ("changes", "compare"),
    [({"better": ""}, "final"), ({"tolerance": None}, "final"), ({"agrees": None}, "baseline")],
)
def test_a_metric_that_does_not_say_how_is_not_judged(
    changes: dict[str, Any], compare: str
) -> None:
    metric = replace(FID, **changes)
    found = Verdict(claim_of(metric, compare), Measured(30.0, metric), Rule())
    sentence = rf"no verdict on 'FID': \[metrics\.fid\] .* states no '{next(iter(changes))}'"
    with pytest.raises(InputError, match=sentence):
        assert found.word


def test_below_three_seeds_the_verdict_says_on_how_many_runs() -> None:
    assert "reproduced, on one run" in verdict(30, None, 1).__html__()
    assert "reproduced, on 2 runs" in verdict(30, 0.1, 2).__html__()
    assert ", on" not in verdict(30, 0.1, 3).__html__()
    mean = Verdict(claim_of(PSNR, "mean"), Measured(30.25, PSNR), Rule())
    assert "reproduced</span>" in mean.__html__() and "n = " not in mean.reason, "of all seeds"
    assert "+0.25\u202fdB from the source" in verdict(30.25, 0.1, 3).reason


def test_a_tolerance_has_the_decimals_that_it_was_stated_with() -> None:
    metric = replace(FID, digits=1, agrees=Typed("0.05"), tolerance=Typed("0.25"))
    found = Verdict(claim_of(metric, "baseline"), Measured(30.1, metric), Rule())
    assert found.reason == "+0.1 from the source (tolerance 0.05)"
    assert verdict(30.0, None, 1, metric).tolerance_written == "0.25"
    assert verdict(30.0, 0.2, 3, metric).tolerance_written == "0.4", "two deviations, measured"


def test_what_stands_outside_of_a_table_is_told(tmp_path: Path) -> None:
    results = make_results(tmp_path)
    (results.content / "claims.toml").write_text(f"from_seeds = 2\n{CLAIMS}")
    with pytest.raises(InputError, match="'from_seeds' is no table of claims") as told:
        Judge(results).claims.table("inpainting")
    assert told.value.line == 1


def judge(folder: Path, *recorded: str) -> Judge:
    results = make_results(folder, *recorded)
    return Judge(results)


def test_claims_are_joined_with_records(tmp_path: Path) -> None:
    judged = judge(tmp_path, "paper")
    assert judged.verdict("inpainting.dip.anna").word == "reproduced"
    assert judged.verdict("inpainting.dip.anna").difference == pytest.approx(0.1)
    assert judged.verdict("inpainting.dip.bob").word == "worse"
    mean = judged.verdict("inpainting.dip.mean")
    assert (mean.word, mean.n) == ("worse", 3)
    found = judged.table("inpainting")
    assert (found.reproduced, found.better, found.worse, found.not_run) == (1, 0, 1, 0)
    with pytest.raises(InputError, match=r"counts the row 'dip' alone, .* no case agrees: it is"):
        assert found.agrees


def test_the_same_records_judged_where_less_is_better(tmp_path: Path) -> None:
    results = make_results(tmp_path, "paper")
    error_rate = METRICS.replace('"dB"', '"%"').replace("higher", "lower")
    (results.content / "site.toml").write_text(error_rate.replace('"PSNR"', '"error"'))
    judged = Judge(results_of(results.path, results.content))
    assert judged.verdict("inpainting.dip.bob").word == "better"
    assert str(judged.claims.claim("inpainting.dip.bob").__html__()).endswith(
        ">30.00\u202f%</data>"
    )
    mean = judged.verdict("inpainting.dip.mean")
    assert (mean.metric.phrase, mean.word) == ("error in %", "better")
    assert mean.reason.startswith("−0.85\u202f% from the source (tolerance 0.50\u202f%; n = 3")


def test_a_row_is_judged_by_the_metric_that_it_or_its_table_names(tmp_path: Path) -> None:
    results = make_results(tmp_path, "paper")
    rows = '[inpainting.bare]\ncompare = "baseline.biharmonic"\nanna = 29.05\nbob = 28.5\n'
    rows += '[inpainting.parts]\ncompare = "final.psnr_unknown_db"\nanna = 29.0\n'
    rows += '[other]\nmetric = "ssim"\ncases = ["set/anna"]\n[other.theirs]\n"set/anna" = 0.9\n'
    (results.content / "claims.toml").write_text(f"{CLAIMS}\n{rows}")
    judged = Judge(results_of(results.path, results.content))
    bare = [judged.verdict(f"inpainting.bare.{image}").word for image in ("anna", "bob")]
    assert bare == ["agrees", "differs"]
    claims = judged.claims
    names = ("inpainting.papyan.anna", "inpainting.parts.anna", "other.theirs.set/anna")
    assert [claims.claim(name).metric.name for name in names] == [
        "psnr_db", "psnr_unknown_db", "ssim",
    ]  # fmt: skip
    with pytest.raises(InputError, match="no verdict on 'PSNR, unknown pixels'"):
        assert judged.verdict("inpainting.parts.anna").word


def test_not_run_yet_is_a_verdict(tmp_path: Path) -> None:
    judged = judge(tmp_path)
    assert judged.verdict("inpainting.dip.mean").word == "not run yet"
    assert judged.table("inpainting").not_run == 2


def test_the_mean_waits_for_every_image(tmp_path: Path) -> None:
    suites = write_content(tmp_path / "content")
    write_suite(tmp_path / "results", suites["paper"], {("set/anna", 0): 32.0})
    results = results_of(tmp_path / "results", tmp_path / "content")
    judged = Judge(results)
    assert judged.verdict("inpainting.dip.anna").word == "reproduced"
    assert judged.verdict("inpainting.dip.mean").word == "not run yet"


def test_a_preview_is_never_judged(tmp_path: Path) -> None:
    judged = judge(tmp_path, "small")
    path = tmp_path / "content/claims.toml"
    path.write_text(CLAIMS.replace('suite = "paper"', 'suite = "small"'))
    again = Judge(judged.results)
    with pytest.raises(InputError, match="'small' is a preview, which is never judged"):
        again.verdict("inpainting.dip.anna")


def test_a_misspelt_suite_is_no_run_to_come(tmp_path: Path) -> None:
    results = make_results(tmp_path)
    path = tmp_path / "content/claims.toml"
    path.write_text(CLAIMS.replace('suite = "paper"', 'suite = "papre"'))
    judged = Judge(results)
    with pytest.raises(InputError, match=r"toml:8:1: unknown suite 'papre'; .*'paper'"):
        judged.verdict("inpainting.dip.mean")
    (tmp_path / "content/experiments.toml").unlink()
    without = results_of(results.path, results.content)
    alone = Judge(without).verdict("inpainting.dip.mean")
    assert alone.word == "not run yet", "claims come before the experiments"


def test_what_is_not_compared_has_no_verdict(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'inpainting\.papyan\.anna' is not compared"):
        judge(tmp_path, "paper").verdict("inpainting.papyan.anna")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda t: t.replace("bob = 30.0", 'bob = "30"'),
            r"toml:25:1: 'bob': expected a number, got '30'",
        ),
        (
            lambda t: t.replace("bob = 30.0", "bobb = 30.0"),
            r"toml:25:1: 'bobb' is none of the table's 'cases'; .*'bob'",
        ),
        (
            lambda t: t.replace("deviations", "deviation"),
            r"toml:3:1: unknown key 'deviation'; .*'deviations'",
        ),
        (
            lambda t: t.replace('"final"', '"final.pnsr_db"'),
            r"toml:23:1: unknown metric 'pnsr_db'; did you mean 'psnr_db'",
        ),
        (lambda t: t.replace('"final"', '"last"'), r"toml:23:1: unknown output 'last'"),
        (
            lambda t: t.replace('suite = "paper"', 'metric = "ssmi"'),
            r"toml:8:1: unknown metric 'ssmi'; did you mean 'ssim'",
        ),
        (
            lambda t: t.replace('suite = "paper"\n', ""),
            r"toml:6:2: the table names neither its metric nor the suite that answers it",
        ),
        (lambda t: t.replace('ours = "dip"', 'ours = "dpi"'), r"'ours' names no row; .*'dip'"),
        (lambda t: t.replace('"papyan"]', '"papian"]'), r"'beside' names no row; .*'papyan'"),
        (lambda t: t.replace('"bob"]', '"anna"]'), r"toml:12:1: 'cases' names 'anna' twice"),
    ],
)
def test_a_mistake_in_the_claims_is_told_with_its_line(
    tmp_path: Path, change: Callable[[str], str], sentence: str
) -> None:
    results = make_results(tmp_path)
    (results.content / "claims.toml").write_text(change(CLAIMS))
    with pytest.raises(InputError, match=sentence):
        claims = Claims(results)
        assert claims.rule.from_seeds == 3
        assert claims.tables


def test_the_rule_of_the_site_is_the_one_that_was_fixed_before_the_runs(tmp_path: Path) -> None:
    rule = Claims(results_of(SITE.parent / "results", SITE, parts=tmp_path)).rule
    assert replace(rule, why="") == Rule(2, 3)
    declared = read_metrics(SITE / "site.toml")
    told = {name: (one.tolerance, one.at_most, one.agrees) for name, one in declared.items()}
    judged = {name: numbers for name, numbers in told.items() if numbers != (None, inf, None)}
    names = ("psnr_db", "psnr_luma_db", "psnr_unknown_db", "psnr_known_db")
    assert judged == dict.fromkeys(names, (0.5, 1.0, 0.1))


def test_the_means_that_sources_print_are_the_means_of_their_numbers(tmp_path: Path) -> None:
    claims = Claims(results_of(SITE.parent / "results", SITE, parts=tmp_path))
    checked = 0
    for table in claims.tables.values():
        for row in table.rows.values():
            levels = [row.get(table.column(image)) for image in table.cases]
            if MEAN in row.numbers and all(level is not None for level in levels):
                mean = sum(float(level) for level in levels if level is not None) / len(levels)
                # one source rounds each number before it prints their mean
                assert mean == pytest.approx(row.numbers[MEAN], abs=0.03), row.name
                checked += 1
    assert checked >= 15


def test_the_claims_of_the_site_name_known_suites_and_images(tmp_path: Path) -> None:
    results = results_of(SITE.parent / "results", SITE, parts=tmp_path)
    claims = Claims(results)
    for table in claims.tables.values():
        assert table.suite is None or table.suite in results.suites, table.id
        if table.suite is not None:
            suite = results.suites[table.suite]
            assert set(table.cases) <= set(suite.images)
            assert not suite.preview
