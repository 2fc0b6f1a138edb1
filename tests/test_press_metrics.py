"""Metrics as a site declares them: what is read, how numbers are written, what is refused."""

from pathlib import Path

import pytest
from made_site import results_of

from press.blocks.tables import cell
from press.errors import InputError
from press.markdown.expressions import attribute
from press.pages.site_pages import load_site
from press.results.expressions import mean_sd
from press.results.metrics import Metric, Metrics, read_metrics
from press.results.numbers import Measured, difference, with_sign, with_unit, written
from press.results.recording import record
from press.results.verdicts import Judge

SITE = """title = "Digits"

[metrics.accuracy]
label = "accuracy"
unit = "%"
digits = 1
better = "higher"
tolerance = 0.3
at_most = 0.6
agrees = 0.05
difference = "points"

[metrics.perplexity]
better = "lower"

[metrics.loss]
digits = 4
scale = "log"
"""


def read(folder: Path, text: str = SITE) -> Metrics:
    """The metrics of a site.toml of this text."""
    path = folder / "site.toml"
    path.write_text(text)
    return read_metrics(path)


def test_what_a_site_declares_is_read_in_its_order(tmp_path: Path) -> None:
    metrics = read(tmp_path)
    assert list(metrics) == ["accuracy", "perplexity", "loss"]
    assert metrics["accuracy"] == Metric(
        "accuracy", "accuracy", "%", 1, "higher", 0.3, 0.6, 0.05, difference="points"
    )  # fmt: skip
    assert metrics["accuracy"].heading == "accuracy, %"
    assert metrics["accuracy"].phrase == "accuracy in %"
    assert metrics["perplexity"] == Metric("perplexity", "perplexity", better="lower")
    assert metrics["perplexity"].heading == "perplexity"
    assert load_site(tmp_path / "site.toml", None).title == "Digits"


def test_one_that_no_site_declares_has_its_name_and_no_unit(tmp_path: Path) -> None:
    metrics = read(tmp_path)
    assert "fid" not in metrics
    assert metrics["fid_1"] == Metric("fid_1", "fid 1", "", 3, "")
    assert metrics["seconds"].unit == "s"
    assert len(read_metrics(tmp_path / "absent.toml")) == 0


def test_which_way_is_better(tmp_path: Path) -> None:
    metrics = read(tmp_path)
    gains = [metrics[name].gain(2.0) for name in ("accuracy", "perplexity", "loss")]
    assert gains == [2, -2, 0]


def test_a_number_is_written_as_its_metric_says(tmp_path: Path) -> None:
    accuracy, loss = read(tmp_path)["accuracy"], read(tmp_path)["loss"]
    points = accuracy.of_differences
    assert with_unit(97.24, accuracy) == "97.2\u202f%"
    assert with_unit(97.24, accuracy, 2) == "97.24\u202f%"
    assert with_sign(with_unit(0.31, points)) == "+0.3\u202fpoints"
    assert with_sign(with_unit(-0.31, points)) == "−0.3\u202fpoints"
    assert with_sign(with_unit(0.01, points)) == "0.0\u202fpoints"
    assert [written(x, loss) for x in (0.5, 0.001, 0.0000518, -0.0000518, 0)] == [
        "0.5000", "0.0010", "5.18×10⁻⁵", "−5.18×10⁻⁵", "0.0000",
    ]  # fmt: skip
    assert written(0.0000518, loss, 1) == "5.2×10⁻⁵", "decimals that are asked for are these"
    assert written(0.5, loss, 1) == "0.5" and written(1e300, loss) == "1.00×10³⁰⁰"
    assert Measured(97.24, accuracy).__html__() == '<span class="q">97.2\u202f%</span>'


def test_a_mean_is_written_as_its_metric_says(tmp_path: Path) -> None:
    mean = Measured(5e-5, read(tmp_path)["loss"], spread=1.2e-6, n=3)
    assert mean_sd(mean) == '<span class="q">5.00×10⁻⁵ ± 1.20×10⁻⁶ (n\u00a0=\u00a03)</span>'


def test_a_name_that_means_two_things_is_told(tmp_path: Path) -> None:
    metrics = {"score": 1.0, "seconds": 1.5}
    record("timing", "sort", metrics=metrics, seconds=100, results=tmp_path / "results")
    run = results_of(tmp_path / "results", tmp_path / "content").run("timing/sort")
    assert attribute(run, "score") == 1 and attribute(run.final, "seconds") == 1.5
    with pytest.raises(InputError, match="'seconds' is a metric here, and something else"):
        attribute(run, "seconds")


def test_numbers_of_two_kinds_are_not_subtracted(tmp_path: Path) -> None:
    metrics = read(tmp_path)
    accuracy, loss = (Measured(1.0, metrics[name]) for name in ("accuracy", "loss"))
    none = difference(accuracy, accuracy)
    assert none.__html__() == '<span class="q">0.0\u202fpoints</span>'
    with pytest.raises(InputError, match="a difference is one of two results"):
        difference(none, accuracy)
    with pytest.raises(InputError, match="'accuracy, %' and 'loss' are not of one kind"):
        difference(accuracy, loss)
    with pytest.raises(InputError, match="'loss' and 'perplexity' are not of one kind"):
        difference(loss, Measured(1.0, metrics["perplexity"]))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("tolerance", "tolerence", r"8:1: unknown key 'tolerence'; did you mean 'tolerance'\?"),
        ("digits = 1", "digits = 1.5", r"6:1: 'digits': expected an integer, got 1\.5"),
        ("digits = 1", "digits = -1", "6:1: 'digits': expected 0 to 12, got -1"),
        ('"higher"', '"up"', "7:1: 'better': expected higher or lower, got 'up'"),
        ('"log"', '"powers"', "18:1: 'scale': expected linear or log, got 'powers'"),
        *(
            ("0.3", number, f"8:1: 'tolerance'{said}")
            for number, said in (
                ("nan", ": expected a number, got nan"),
                ("-inf", ": expected a number, got -inf"),
                ("1e400", ": expected a number, got inf"),
                (f"1{'0' * 400}", " has more than 64 bits"),
            )
        ),
        ("0.05", "-0.05", "10:1: 'agrees': expected a number that is not negative, got -0.05"),
        ("0.6", "0.2", "9:1: 'at_most' is less than 'tolerance'"),
        ("metrics.loss", 'metrics."log loss"', "16:2: 'log loss' is no name for a metric"),
        ("metrics.loss", "metrics.iterations", "16:2: 'iterations' means something else of a run"),
        ("metrics.loss", "metrics.label", "16:2: 'label' means something else of a run"),
        ("[metrics.loss]", "[metrics]\nloss = 3", "17:1: 'loss': expected a table, got 3"),
        ("[metrics.loss]\ndigits = 4", "[metrics]\nloss = {digits = 'x'}", "17:1: 'digits': exp"),
        ("[metrics.loss]\ndigits", "[metrics]\nloss.digit", "17:1: unknown key 'digit'"),
        ('"log"', '"\u2028"\ndigit = 1', "19:1: unknown key 'digit'"),
    ],
)
def test_a_mistake_is_told_with_its_place(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    path = tmp_path / "site.toml"
    assert old in SITE
    path.write_text(SITE.replace(old, new, 1))
    with pytest.raises(InputError, match=rf"site\.toml:{sentence}"):
        load_site(path, None)


CLAIMS = """
[digits]
suite = "digits"
cases = ["small", "large"]
ours = "net"

[digits.net]
compare = "final"
small = 97.0
large = 98.9
mean = 98.0

[digits.nearest]
compare = "baseline.nearest"
small = 95.40

[times]
suite = "digits"
metric = "perplexity"
cases = ["small"]

[times.net]
compare = "at.2"
small = 3.0
"""


def test_accuracy_in_per_cent_from_the_record_to_the_page(tmp_path: Path) -> None:
    content, results = tmp_path / "content", tmp_path / "results"
    content.mkdir()
    read(content, SITE.replace("[metrics.perplexity]", "[metrics.perplexity]\ntolerance = 0.5"))
    (content / "claims.toml").write_text(CLAIMS)
    for seed, (small, large) in enumerate([(97.0, 98.0), (97.2, 98.2), (97.4, 98.4)]):
        for case, accuracy in (("small", small), ("large", large)):
            scores = {"final": {"accuracy": accuracy, "f1": 0.5}, "at.2": {"perplexity": 2.25}}
            record("digits", case, metrics=scores, seed=seed, results=results, seconds=9)
    record("digits", "small", metrics={"accuracy": 95.4}, method="nearest", results=results)
    pages = results_of(results, content)
    judge, run, suite = Judge(pages), pages.run("digits/small"), pages.suite("digits")
    assert suite.measure == "accuracy"
    assert run.accuracy.__html__().endswith(">97.0\u202f%</a>")
    assert (run.f1.metric.digits, run.seconds.metric.unit) == (3, "s")
    assert ">97.7 ± 0.2\u202f% (n\u00a0=\u00a03)<" in mean_sd(suite.mean_accuracy)
    verdicts = [judge.verdict(f"digits.net.{column}") for column in ("small", "large", "mean")]
    assert [verdict.word for verdict in verdicts] == ["reproduced", "worse", "reproduced"]
    assert verdicts[1].reason.startswith(
        "−0.7\u202fpoints from the source (tolerance 0.4\u202fpoints"
    )
    assert judge.verdict("digits.nearest.small").word == "agrees"
    assert cell(judge.claims.claim("digits.nearest.small")).striptags() == "95.40", "as printed"
    assert judge.verdict("times.net.small").word == "better"
    with pytest.raises(InputError, match="has no 'acuracy'; did you mean 'accuracy'"):
        assert run.acuracy
    with pytest.raises(InputError, match="has no loss: it was not scored so"):
        assert run.loss


@pytest.mark.parametrize(
    ("id", "row", "text"),
    [
        ("t.net.small", 'compare = "final"\nsmall = 1.5e-5', "0.000015"),
        ("t.net.w/o aug", '"w/o aug" = 2.50', "2.50"),
        ("t.net.small", 'compare = "baseline.gpt-3.5"\nsmall = 97.0', "97.0"),
    ],
)
def test_a_claim_is_read_as_it_is_printed(tmp_path: Path, id: str, row: str, text: str) -> None:
    content, results = tmp_path / "content", tmp_path / "results"
    content.mkdir()
    read(content)
    table = '[t]\nmetric = "accuracy"\nsuite = "digits"\ncases = ["small", "w/o aug"]\n'
    (content / "claims.toml").write_text(f"{table}[t.net]\n{row}\n")
    record("digits", "small", metrics={"accuracy": 97}, method="gpt-3.5", results=results)
    claims = Judge(results_of(results, content)).claims
    assert cell(claims.claim(id)).striptags() == text
    assert list(claims.row("t.net").by_run) == [(id.removeprefix("t.net."), None)]
    (content / "claims.toml").write_text('[t]\nmetric = "accuracy"\n[t."v1.1"]\nmean = 1\n')
    with pytest.raises(InputError, match=r"claims\.toml:3:2: 'v1.1' has a dot"):
        Judge(results_of(results, content)).claims.claim("t.v1.1.mean")
