"""The site of another paper, about a classifier: data sets, epochs, per cent, and no pictures."""

import re
import runpy
import shutil
from pathlib import Path

import pytest
from in_browser import Opened, check_accessibility
from made_site import run_press
from reading import Told, words_of

from press.cli import main

SITE = Path(__file__).parent / "sites/classifier"
PAGES = ("posts/classifier.html", "runs/mlp/digits/seed0.html", "runs/index.html")
SPOKEN = re.compile(r' (?:title|alt|aria-label|content)="([^"]*)"')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the records and the site of a copy; gives the folder of its pages."""
    work = tmp_path_factory.mktemp("second") / "work"
    shutil.copytree(SITE, work)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(work)
        runpy.run_path("make_records.py", run_name="__main__")
        assert main(["check", "--strict"]) == 0
    return work / "site"


def told_by(page: Path) -> str:
    """What a page says, and what it says of itself to who cannot see it."""
    html = re.sub(r"<(style|script)\b.*?</\1>", "", page.read_text(), flags=re.DOTALL)
    return " ".join([words_of(html), *SPOKEN.findall(html)])


def test_no_page_speaks_of_the_first_paper(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) == 4 + 12, "front page, the lost one, the post, the list, twelve runs"
    for page in pages:
        said = re.findall(r"(?i)psnr|ssim|\bdB\b|image|picture|iterat|pixel", told_by(page))
        assert not said, (page, said)


def test_numbers_have_the_unit_and_the_decimals_of_their_metric(site: Path) -> None:
    words = told_by(site / "posts/classifier.html").replace("\u202f", " ")
    assert re.search(r"The network reaches 97\.\d % on the digits; the paper says 97\.3 %", words)
    assert re.search(r"Over five seeds it comes to 94\.\d ± 0\.\d % \(n = 5\)", words)
    assert re.search(r"calibration error is 1\.\d\d % .* than the paper’s 2\.50 %", words)


def test_verdicts_follow_the_metric(site: Path) -> None:
    html = (site / "posts/classifier.html").read_text()
    words = told_by(site / "posts/classifier.html")
    assert "agrees on the digits and differs on the letters" in words, "it has no luck to allow for"
    assert "less is better: better than" in words, "a lower error is a better one"
    tables = html.split('<table class="dot-table')[1:3]
    verdicts = [re.findall(r"verdict-([a-z-]+)", table.split("</table")[0]) for table in tables]
    assert verdicts == [["reproduced", "worse", "worse"], ["better", "reproduced", "better"]]
    assert "Calibration error in %; lower is better." in words


def test_curves_are_over_epochs(site: Path) -> None:
    html = (site / "posts/classifier.html").read_text()
    first, second, losses = re.findall(r'<svg class="chart".*?</svg>', html, re.DOTALL)
    for chart in (first, second):
        assert ">epoch<" in chart and ">%<" in chart and ">20<" in chart
        assert chart.count('class="line ') == 2 and ">calibration error<" in chart
    assert "square-root" not in html
    assert losses.count('class="line ') == 10 and ">cross-entropy<" in losses
    assert ">10⁻²<" in losses


def test_the_page_of_a_run_has_its_metrics_and_no_pictures(site: Path) -> None:
    page = site / "runs/mlp/digits/seed2.html"
    html, words = page.read_text(), told_by(page)
    assert "<img" not in html and "Pictures" not in words
    assert "after 20 epochs" in words
    assert re.findall(r'class="number">([^<]+)</th>', html)[:3] == [
        "accuracy, %", "calibration error, %", "cross-entropy",
    ]  # fmt: skip
    assert "python train.py digits --seed 2" in words
    assert "hidden_units 128" in words
    baseline = told_by(site / "runs/mlp/digits/logistic-regression.html")
    assert "Logistic regression" in baseline and "epoch" not in baseline


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('metrics="accuracy calibration"', 'metrics="acuracy"',
         "35:32: mlp/digits/seed0 has no curve of 'acuracy'; did you mean 'accuracy'?"),
        ('::: loss-curves suite="mlp"', '::: loss-curves suite="mlp" metric="fid"',
         "39:37: mlp/digits/seed0 has no curve of 'fid'"),
    ],
)  # fmt: skip
def test_a_metric_without_a_curve_is_told_with_its_place(
    site: Path, capsys: Told, old: str, new: str, said: str
) -> None:
    post = site.parent / "content/posts/classifier.md"
    before = post.read_text()
    assert old in before
    try:
        post.write_text(before.replace(old, new))
        assert run_press(site.parent, "build") == 1
    finally:
        post.write_text(before)
    assert f"classifier.md:{said}" in capsys.readouterr().err


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_its_pages_fit_and_are_accessible(
    opened: Opened, site: Path, name: str, scheme: str, width: int
) -> None:
    viewport = {"width": width, "height": 800}
    page = opened(site / name, viewport=viewport, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    check_accessibility(page)


def test_no_code_that_makes_pages_knows_a_metric_by_name() -> None:
    root = SITE.parents[2]
    folders = [
        root / "templates",
        *(root / "press" / name for name in ("blocks", "charts", "pages")),
    ]
    files = [path for folder in folders for path in folder.rglob("*.*") if path.suffix != ".pyc"]
    assert len(files) > 40
    for path in files:
        assert not re.search(r"(?i)psnr_|ssim|\bluma\b|[^\w. ]dB\b", path.read_text()), path
