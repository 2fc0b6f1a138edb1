"""A page says at its end which of its numbers changed since it was published."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from made_records import changed, write_run
from made_site import make_results
from reading import Told

from dip.experiments.suites import load_suites
from dip.records.store import move_aside
from press import record
from press.cli import main

POST = """---
title: A post
date: {}
---

Anna: {{{{ run("paper/anna").psnr_db }}}}, on the mean {{{{ suite("paper").mean_psnr_db }}}}.
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site of a post about recorded runs, all of which were made on 23 November 2026."""
    monkeypatch.chdir(tmp_path)
    make_results(tmp_path, "paper")
    write_post(tmp_path, "2026-11-30")
    return tmp_path


def write_post(project: Path, day: str) -> None:
    (project / "content/posts/post.md").write_text(POST.format(day))


def run_again(project: Path, level: float, started: str, seed: int = 0) -> None:
    """Record a run of Anna anew; of the old record only run.json stays, as in a clone."""
    suite = load_suites(project / "content/experiments.toml")["paper"]
    experiment = next(e for e in suite.experiments if (e.image, e.seed) == ("set/anna", seed))
    aside = move_aside(project / f"results/paper/anna/seed{seed}")
    assert aside
    shutil.rmtree(aside / "snapshots")
    (aside / "curve.csv").unlink()
    made = write_run(project / "results", suite, experiment, level)

    def date(data: dict[str, Any]) -> None:
        data["started"] = f"{started}T08:00:00Z"

    changed(made.folder, date)


def told(project: Path) -> list[str]:
    """What a page says of its errata, after a build."""
    assert main(["build", "--run", "never"]) == 0
    page = (project / "site/posts/post.html").read_text(encoding="utf-8")
    section = re.search(r'<section class="errata".*?</section>', page, re.DOTALL)
    rows = re.findall(r"<li>(.*?)</li>", section[0]) if section else []
    return [re.sub(r"<[^<>]*>", "", row) for row in rows]


def test_a_number_that_changed_is_told_with_both_values_run_and_day(project: Path) -> None:
    assert told(project) == []
    run_again(project, 32.5, "2026-12-05")
    first = (
        "paper/anna/seed0: PSNR 31.90\u202fdB before, 32.50\u202fdB in the run of 5 December 2026."
    )
    assert told(project) == [first]
    page = (project / "site/posts/post.html").read_text(encoding="utf-8")
    assert '<a href="../runs/paper/anna/seed0.html">paper/anna/seed0</a>' in page
    run_again(project, 32.7, "2026-12-06")
    run_again(project, 32.1, "2026-12-07", seed=1)  # which is the same number
    second = (
        "paper/anna/seed0: PSNR 32.50\u202fdB before, 32.70\u202fdB in the run of 6 December 2026."
    )
    assert told(project) == [first, second]


def test_what_changed_before_a_page_was_published_is_no_erratum(project: Path) -> None:
    run_again(project, 32.5, "2026-11-30")
    assert told(project) == []
    page = project / "site/posts/post.html"
    assert "newest run" not in page.read_text(encoding="utf-8")
    write_post(project, "2026-11-29")
    assert len(told(project)) == 1
    newest = '29 November 2026</time> · newest run <time datetime="2026-11-30">30 November 2026<'
    assert newest in page.read_text(encoding="utf-8")


def test_a_record_of_another_place_with_the_same_dashes_is_no_erratum(project: Path) -> None:
    settings = project / "content/site.toml"
    settings.write_text(settings.read_text().replace("python -m dip manifest", ""))
    for suite, case, accuracy in (("a-b", "c", 10), ("a", "b-c", 99), ("a-b", "c", 20)):
        record(suite, case, metrics={"accuracy": accuracy}, results="results", replace=True)
    post = project / "content/posts/post.md"
    post.write_text(
        "---\ntitle: A\ndate: 2026-11-20\n---\n"
        '{{ run("a/b-c").accuracy }} {{ run("a-b/c").accuracy }}\n'
    )
    (only,) = told(project)
    assert only.startswith("a-b/c/seed0: accuracy 10.000 before, 20.000 in the run of ")


def test_a_score_that_a_page_has_nothing_of_is_not_told(project: Path) -> None:
    run_again(project, 32.5, "2026-12-05")
    post = project / "content/posts/post.md"
    post.write_text(post.read_text().replace("psnr_db", "ssim"))
    (ssim,) = told(project)
    assert ssim.startswith("paper/anna/seed0: SSIM 0.")
    post.write_text("---\ntitle: A post\ndate: 2026-11-30\n---\nNo number.\n")
    assert told(project) == []


def test_a_scrubber_shows_the_numbers_of_its_frames_and_no_others(project: Path) -> None:
    post = project / "content/posts/post.md"
    scrubber = '::: scrubber run="paper/anna" id="fig-scrubber"\nAll frames.\n:::\n'
    post.write_text(f"---\ntitle: A post\ndate: 2026-11-30\n---\n\n{scrubber}")
    assert told(project) == []
    run_again(project, 32.5, "2026-12-05")
    assert (rows := told(project))
    assert not [row for row in rows if "average" in row or "oracle" in row or "input" in row]


def test_records_without_a_time_of_their_own_are_told_beside_the_one_that_stands(
    project: Path,
) -> None:
    settings = project / "content/site.toml"
    settings.write_text(settings.read_text().replace("python -m dip manifest", ""))
    for accuracy in (10, 20, 30):
        Path("table.csv").write_text(f"case,seed,accuracy\nc,0,{accuracy}\n")
        assert main(["import-csv", "table.csv", "--suite", "s", "--replace"]) == 0
    front = "---\ntitle: A\ndate: 2026-11-20\n---\n"
    (project / "content/posts/post.md").write_text(front + '{{ run("s/c").accuracy }}\n')
    expected = [f"s/c/seed0: accuracy {old}.000 before, 30.000 " for old in (10, 20)]
    assert sorted(one.split("in the")[0].split("now")[0] for one in told(project)) == expected


def test_what_a_plot_asks_for_is_told(project: Path) -> None:
    pytest.importorskip("matplotlib")
    (project / "content/figures").mkdir()
    (project / "content/figures/bar.py").write_text(
        "from matplotlib import pyplot\n\n\ndef draw(records, claims):\n"
        "    figure, axes = pyplot.subplots()\n"
        "    axes.bar(['Anna'], [records.run('paper/anna').psnr_db])\n    return figure\n"
    )
    (project / "content/posts/post.md").write_text(
        "---\ntitle: A post\ndate: 2026-11-30\n---\n\n"
        '::: plot script="figures/bar.py" alt="A bar" id="fig-bar"\nA bar.\n:::\n'
    )
    assert told(project) == []
    run_again(project, 32.5, "2026-12-05")
    assert len(told(project)) == len(told(project)) == 1  # drawn, and kept from before


def test_the_old_record_cannot_be_edited(project: Path, capsys: Told) -> None:
    run_again(project, 32.5, "2026-12-05")
    (old,) = project.glob("results/superseded/*/*/seed0/run.json")
    old.write_text(old.read_text().replace("31.9", "32.5"))
    assert main(["build", "--run", "never"]) == 1
    assert "its seal does not fit" in capsys.readouterr().err
