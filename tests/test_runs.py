"""What a post sees of the records: present, absent, damaged, unknown."""

import shutil
from pathlib import Path
from statistics import mean, stdev

import pytest
from made_records import changed
from made_site import LEVELS, make_results, results_of, write_content, write_suite

from press.diagnostics import format_duration
from press.errors import InputError
from press.results.numbers import NotRun, decimal, difference, grouped, listed
from press.results.record import parse_curve
from press.results.run import Run
from press.results.verdicts import Judge


def test_a_recorded_run_gives_its_scores_and_the_page_behind_them(tmp_path: Path) -> None:
    run = make_results(tmp_path, "paper").run("paper/anna")
    assert run.recorded
    assert run.psnr_db == pytest.approx(31.9)
    assert run.psnr_db.origin == "runs/paper/anna/seed0.html"
    assert run.psnr_unknown_db == pytest.approx(28.9)
    assert run.output("at.0").psnr_db < run.output("at.250").psnr_db < run.output("at.1000").psnr_db
    assert run.output("stop.oracle").iteration == 900
    assert run.output("input").psnr_db == pytest.approx(9.1)
    assert run.output("average").psnr_db == pytest.approx(32.2)
    assert run.output("clean").psnr_db == pytest.approx(32.0)
    assert run.seconds == 120
    assert run.command == "python -m dip run paper --image anna --seed 0"


def test_links_begin_at_the_page_that_is_made(tmp_path: Path) -> None:
    made = make_results(tmp_path, "paper")
    deeper = results_of(made.path, made.content, root="../")
    assert deeper.run("paper/anna").psnr_db.origin == "../runs/paper/anna/seed0.html"


def test_a_run_that_is_not_recorded_says_so_everywhere(tmp_path: Path) -> None:
    lacking: list[Run] = []
    made = make_results(tmp_path)
    results = results_of(made.path, made.content, lacks=lacking.append)
    run = results.run("paper/anna", seed=1)
    assert not run.recorded
    for value in (
        run.psnr_db,
        run.output("at.250").ssim,
        run.output("stop.es-wmv").psnr_db,
        run.seconds,
        run.device,
    ):
        assert str(value) == "not run yet"
        assert not value
    assert isinstance(difference(run.psnr_db, run.output("at.250").psnr_db), NotRun)
    assert lacking == [run]


@pytest.mark.parametrize(
    ("name", "seed", "sentence"),
    [
        ("papre/anna", None, "unknown suite 'papre'; did you mean 'paper'?"),
        ("paper/ana", None, "suite 'paper' has no case 'ana'; did you mean 'anna'?"),
        ("paper/anna", 7, "suite 'paper' has no seed 7; it has 0, 1 and 2"),
        ("paper/anna/seed0", 1, "'paper/anna/seed0' is not of seed 1"),
        ("paper/anna/biharmonic", 1, "'paper/anna/biharmonic' is no run of a seed"),
        ("paper/anna/mean-seeds-7", None, "suite 'paper' has no average 'mean-seeds-7' of runs"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest(
    tmp_path: Path, name: str, seed: int | None, sentence: str
) -> None:
    with pytest.raises(InputError, match="^" + sentence.replace("?", r"\?")):
        make_results(tmp_path).run(name, seed)


def test_a_mean_of_seeds_leads_to_the_list_of_them_all(tmp_path: Path) -> None:
    suite = make_results(tmp_path, "paper").suite("paper")
    mean, one = suite.final.of("anna"), suite.run("anna", seed=1).psnr_db
    assert (mean.n, mean.origin, one.origin) == (3, suite.page, suite.run("anna", 1).url)
    with pytest.raises(InputError, match="suite 'paper' has no seed 7"):
        suite.run("anna", seed=7)


def test_a_record_of_other_settings_does_not_count(tmp_path: Path) -> None:
    results = make_results(tmp_path, "paper")
    path = tmp_path / "content" / "experiments.toml"
    path.write_text(path.read_text().replace("learning_rate = 0.001", "learning_rate = 0.002"))
    assert results_of(results.path, results.content).run("paper/anna").recorded is False


def test_a_record_whose_settings_the_project_refuses_is_damaged(tmp_path: Path) -> None:
    results = make_results(tmp_path, "paper")
    folder = tmp_path / "results/paper/anna/seed0"
    changed(folder, lambda data: data["experiment"].update(task="cleaning"))
    with pytest.raises(InputError, match=r"run\.json: the record is damaged: task is 'cleaning'"):
        _ = results_of(results.path, results.content).run("paper/anna").psnr_db


def test_a_record_of_an_older_revision_stays_valid(tmp_path: Path) -> None:
    from dip.experiments.experiment import key
    from dip.experiments.suites import load_suites

    results = make_results(tmp_path, "paper")
    experiment = load_suites(results.content / "experiments.toml")["paper"].experiments[0]
    old = key(experiment, {"set/anna": "0" * 64}, "ieee", 0)
    folder = tmp_path / "results/paper/anna/seed0"
    changed(folder, lambda data: data.update(trajectory_revision=0, key=old))
    assert results_of(results.path, results.content).run("paper/anna").recorded


def test_a_damaged_file_is_named_and_never_shown(tmp_path: Path) -> None:
    run = make_results(tmp_path, "paper").run("paper/anna")
    curve = tmp_path / "results/paper/anna/seed0/curve.csv"
    curve.write_text(curve.read_text() + "9999,0,0,0,0,0,0\n")
    with pytest.raises(InputError, match=r"curve\.csv: the record is damaged"):
        run.curve()
    (tmp_path / "results/paper/anna/seed0/snapshots/250.webp").unlink()
    with pytest.raises(InputError, match=r"250\.webp: the record is damaged: this file is missing"):
        run.picture("at.250")


def test_means_over_images_and_seeds(tmp_path: Path) -> None:
    view = make_results(tmp_path, "paper").suite("paper")
    means = [mean([LEVELS["set/anna", seed], LEVELS["set/bob", seed]]) for seed in (0, 1, 2)]
    value = view.mean_psnr_db
    assert value == pytest.approx(mean(means))
    assert value.spread == pytest.approx(stdev(means))
    assert (value.n, view.n, view.recorded, view.planned, view.cases) == (3, 3, 6, 6, 2)
    assert view.output("baseline.biharmonic").mean_psnr_db == pytest.approx(29.0)
    assert (view.seconds, view.duration, view.devices) == (720, "12 minutes", "Example CPU 3000")


def test_a_mean_is_over_seeds_that_have_every_image(tmp_path: Path) -> None:
    suites = write_content(tmp_path / "content")
    some = {what: level for what, level in LEVELS.items() if what != ("set/bob", 2)}
    write_suite(tmp_path / "results", suites["paper"], some, baselines=False)
    view = results_of(tmp_path / "results", tmp_path / "content").suite("paper")
    assert view.mean_psnr_db.n == 2
    assert view.final.of("set/anna").n == 3
    assert isinstance(view.output("baseline.biharmonic").mean_psnr_db, NotRun)
    with pytest.raises(InputError, match="has no baseline 'biharmonik'; did you mean 'biharmonic'"):
        view.output("baseline.biharmonik")


def test_a_mean_joins_runs_of_one_precision_only(tmp_path: Path) -> None:
    from dip.experiments.experiment import key
    from dip.experiments.suites import load_suites

    results = make_results(tmp_path, "paper")
    experiments = load_suites(results.content / "experiments.toml")["paper"].experiments
    [third] = [one for one in experiments if one.case == "set/bob" and one.seed == 2]
    other = {"arithmetic": "tf32", "key": key(third, {"set/bob": "0" * 64}, "tf32", 1)}
    changed(tmp_path / "results/paper/bob/seed2", lambda data: data.update(other))
    found = results_of(results.path, results.content)
    view = found.suite("paper")
    assert view.recorded == 6, "each is a record for itself"
    assert view.final.of("set/anna").n == 3
    sentence = "the runs of paper are in ieee and tf32: no mean joins them"
    for mean_of in (lambda: view.mean_psnr_db, lambda: view.final.of("set/bob")):
        with pytest.raises(InputError, match=sentence):
            mean_of()
    with pytest.raises(InputError, match=sentence):
        Judge(found).verdict("inpainting.dip.bob")
    assert view.output("baseline.biharmonic").mean_psnr_db.n == 1


def test_a_baseline_is_a_run_of_its_own(tmp_path: Path) -> None:
    run = make_results(tmp_path, "paper").run("paper/anna/biharmonic")
    assert run.psnr_db == pytest.approx(29.0)
    assert run.page == "runs/paper/anna/biharmonic.html"
    assert run.curve().rows == ()
    with pytest.raises(InputError, match=r", average of the last outputs has no psnr_db"):
        _ = run.output("average").psnr_db


@pytest.mark.parametrize("last", ["nearest-known-pixel", "seed0"])
def test_a_record_of_another_method_does_not_count(tmp_path: Path, last: str) -> None:
    made = make_results(tmp_path, "paper")
    folder = tmp_path / "results/paper/anna"
    shutil.rmtree(folder / last)
    shutil.copytree(folder / "biharmonic", folder / last)
    run = results_of(made.path, made.content).run(f"paper/anna/{last}")
    assert str(run.psnr_db) == "not run yet"


def test_an_image_that_is_not_to_be_shown_has_numbers_but_no_pictures(tmp_path: Path) -> None:
    results = make_results(tmp_path, "paper")
    text = '["set/anna"]\ntitle = "Anna"\nshow = false\nwhy = "she asked"\n'
    (tmp_path / "content/images.toml").write_text(text)
    results = results_of(results.path, results.content)
    run = results.run("paper/anna")
    assert run.picture("at.250") is None
    assert run.psnr_db == pytest.approx(31.9)
    assert results.suites.images.why_not_shown("set/anna") == "she asked"


def test_a_baseline_shows_the_input_of_the_run(tmp_path: Path) -> None:
    results = make_results(tmp_path, "paper")
    assert results.run("paper/anna/biharmonic").picture("input") == (
        results.run("paper/anna").picture("input")
    )
    assert results.run("paper/anna/biharmonic").picture("average") is None


def test_every_file_that_is_read_is_noted(tmp_path: Path) -> None:
    made = make_results(tmp_path, "paper")
    noted: list[Path] = []
    run = results_of(made.path, made.content, noted.append).run("paper/anna")
    run.curve()
    run.picture("at.250")
    folder = tmp_path / "results/paper/anna/seed0"
    needed = {folder / "run.json", folder / "curve.csv", folder / "snapshots/250.webp"}
    planned = {made.parts / "suite-paper.json", made.parts / "images.json"}
    assert needed | planned <= set(noted)


def test_a_missing_record_is_noted_too(tmp_path: Path) -> None:
    made = make_results(tmp_path)
    noted: list[Path] = []
    assert not results_of(made.path, made.content, noted.append).run("paper/anna").recorded
    assert tmp_path / "results/paper/anna/seed0/run.json" in noted


def test_how_numbers_are_written() -> None:
    assert decimal(-1.25, 1) == "−1.2"
    assert decimal(-0.001, 2) == "0.00"
    assert grouped(11000) == "11,000"
    assert listed(["a", "b", "c"]) == "a, b and c"
    words = [format_duration(s) for s in (0.3, 1, 42, 60 * 31, 3600 * 3 + 60 * 20, 86400 * 3)]
    assert words == ["0.3 seconds", "1 second", "42 seconds", "31 minutes", "3 hours 20 minutes",
                     "3.0 days"]  # fmt: skip


@pytest.mark.parametrize("row", ["1,0.5,x", ",0.5,3", "1,0.5"])
def test_a_damaged_line_of_a_curve_is_named(tmp_path: Path, row: str) -> None:
    text = f"iteration,loss,psnr_db\n0,0.5,\n{row}\n"
    with pytest.raises(InputError, match=r"curve\.csv:3: the curve is damaged in this line"):
        parse_curve(text, tmp_path / "curve.csv").points("psnr_db")
