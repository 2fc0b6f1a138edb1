"""Records as the press reads, refuses and writes them."""

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastjsonschema
import numpy as np
import pytest
from made_site import make_results, results_of
from PIL import Image
from reading import Told

import press
from press.blocks.curves import RunChart
from press.cli import main
from press.errors import InputError
from press.pages.run_page import score_rows
from press.results.format_1 import general_form
from press.results.manifest import of_records
from press.results.record import parse_curve, read_record, seal_of
from press.results.schema import SCHEMA
from press.results.settings import settings_of

ROOT = Path(__file__).parent.parent
RECORDS = sorted((ROOT / "results").glob("[!.]*/[!.]*/[!.]*/run.json"))
ACCURACY = {
    "format": 2, "kind": "run", "suite": "digits", "case": "mlp", "seed": 1, "method": None,
    "key": "a1", "settings": {"width": 64}, "environment": {"python": "3.12"}, "files": {},
    "metrics": {"final": {"accuracy": 97.25}, "at.5": {"accuracy": 95.0}},
}  # fmt: skip


def written(folder: Path, data: dict[str, Any]) -> Path:
    """A record with this run.json and a seal that fits."""
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({**data, "seal": seal_of(data)}, indent=1))
    return folder


def test_every_record_of_the_repository_fits_the_schema() -> None:
    fits = fastjsonschema.compile(json.loads(SCHEMA.read_bytes()), use_default=False)
    assert len(RECORDS) > 150
    for path in RECORDS:
        data = json.loads(path.read_text())
        fits(general_form(data, path.parts[-3]) if data["format"] == 1 else data)
        record = read_record(path.parent)
        assert [record.suite, record.case, record.run] == list(path.parts[-4:-1])
        assert (record.last_step is None) == (record.kind != "run")


def test_a_record_of_format_1_has_its_outputs_by_selector() -> None:
    record = read_record(ROOT / "results/inpainting/house/seed0")
    last = record.settings["iterations"]
    assert (record.axis, record.last_step, record.measure) == ("iteration", last, "psnr_db")
    assert record.metrics["final"] == record.data["metrics"]["final"]
    assert record.metrics["clean"] == record.data["metrics"]["clean_z"]
    best = {"iteration": record.steps["stop.oracle"], **record.metrics["stop.oracle"]}
    assert best == record.data["stops"]["oracle"]
    assert record.metrics["at.1000"] == record.data["metrics"]["snapshots"]["1000"]
    assert record.pictures["final"] == record.pictures[f"at.{last}"] == f"snapshots/{last}.webp"


def test_a_record_with_neither_curve_nor_picture_is_whole(tmp_path: Path) -> None:
    record = read_record(written(tmp_path / "digits/mlp/seed1", ACCURACY))
    assert (record.measure, record.axis, record.last_step) == ("accuracy", "", None)
    assert (record.seconds, record.command, dict(record.pictures)) == (None, "", {})
    assert dict(record.steps) == {"at.5": 5}


def test_the_description_has_every_name_and_its_example_fits() -> None:
    text = (ROOT / "docs/records.md").read_text()
    fits = fastjsonschema.compile(json.loads(SCHEMA.read_bytes()), use_default=False)
    example = json.loads(text.split("```json\n")[1].split("```")[0])
    fits(example)
    table = text.split("| name | what it says |")[1].split("\n\n")[0]
    cells = "".join(row.split("|")[1] for row in table.splitlines()[2:])
    assert re.findall(r"`(\w+)`", cells) == list(json.loads(SCHEMA.read_bytes())["properties"])


def test_the_examples_of_the_description_do_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / "docs/records.md").read_text()
    monkeypatch.chdir(tmp_path)
    example, seal = (part.split("```")[0] for part in text.split("```python\n")[1:])
    exec(compile(example, "docs/records.md", "exec"), {})  # noqa: S102
    record = read_record(Path("results/digits/mlp/seed3"))
    assert (record.last_step, record.settings["widths"]) == (3, [64, 32])
    names: dict[str, Any] = {"data": record.data, "json": json, "hashlib": hashlib}
    exec(compile(seal, "docs/records.md", "exec"), names)  # noqa: S102
    assert names["seal"] == record.data["seal"]
    table = text.split("--settings learning_rate\n```\n\n")[1].split("\n\n")[0].splitlines()
    rows = [
        [cell.strip() for cell in row.strip("|").split("|")] for row in table if "--" not in row
    ]
    Path("results.csv").write_text("".join(f"{','.join(row)}\n" for row in rows))
    assert (
        main(["import-csv", "results.csv", "--suite", "digits", "--settings", "learning_rate"]) == 0
    )
    assert read_record(Path("results/digits/mlp/seed0")).settings == {"learning_rate": 0.1}


def lacking(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda data: data.pop(name)


WRONG: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lacking("environment"), r"run\.json: the record is damaged: it lacks 'environment'"),
    (lacking("metrics"), "it lacks 'metrics'"),
    (lambda data: data["metrics"].pop("final"), r"run\.json:\d+: .*'metrics' lacks 'final'"),
    (lambda data: data.update(metrcs={}), "unknown 'metrcs'; did you mean 'metrics'?"),
    (lambda data: data.update(seed="1"), r"run\.json:6: .*'seed' must be integer"),
    (lambda data: data.update(seconds=-1.0), "'seconds' must be bigger than or equal to 0"),
    (lambda data: data.update(suite="a/b"), r"json:4: .* 'suite' is 'a/b', which is not a name of"),
    (
        lambda data: data["metrics"].update(best={}),
        "'metrics' has the name 'best', which is not a selector",
    ),
    (
        lambda data: data["metrics"]["final"].update(accuracy="97.2"),
        r"run\.json:1\d: .*'metrics.final.accuracy' must be number or null",
    ),
    (
        lambda data: data.update(started="yesterday"),
        "'started' is 'yesterday', which is not a time in UTC",
    ),
    (lambda data: data.update(measure="loss"), r"run\.json:\d+: .*measure 'loss' is not under"),
    (lambda data: data.update(method="svm"), "a run has none"),
    (lambda data: data.update(kind="baseline"), "a baseline or a mean has a 'method'"),
    (lambda data: data.update(files={"curve.csv": "0" * 64}), "'axis' does not name"),
    (lambda data: data.update(files={"../x": "0" * 64}), "not a path below the record's folder"),
    (lambda data: data.update(pictures={"final": "x.png"}), "'x.png' of 'final' is not under"),
    (lambda data: data.update(suite="superseded"), "'superseded' is where records go that gave"),
    (
        lambda data: data["settings"].update(a=["\0"]),
        r"run\.json:\d+: .*'settings' holds .* U\+0000",
    ),
    (
        lambda data: data["settings"].update(a=10**400),
        "'settings' holds a number that is too large",
    ),
    (
        lambda data: data["metrics"]["final"].update(accuracy=2**53 + 1),
        r"run\.json:1\d: .*'metrics.final.accuracy' is 9007199254740993, an integer above 2\^53",
    ),
    (lambda data: data.update(format=3), "of another format than 1 or 2"),
]


@pytest.mark.parametrize(("change", "sentence"), WRONG)
def test_what_does_not_fit_is_told_with_its_place(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], sentence: str
) -> None:
    data = json.loads(json.dumps(ACCURACY))
    change(data)
    with pytest.raises(InputError, match=sentence):
        read_record(written(tmp_path / "digits/mlp/seed1", data))


def test_a_record_of_format_1_that_is_wrong_is_told_too(tmp_path: Path) -> None:
    data = json.loads((ROOT / "results/inpainting/house/seed0/run.json").read_text())
    del data["seal"]
    for name, part, sentence in (
        ("stops", ["oracle"], "a part of it is of a wrong type"),
        ("seed", "zero", r"run.json:\d+: .*'seed' must be integer"),
        ("metrics", {**data["metrics"], "final": {}}, "'metrics' lacks 'final'"),
    ):
        with pytest.raises(InputError, match=sentence):
            read_record(written(tmp_path / f"a/{name}/seed0", {**data, name: part}))


@pytest.mark.parametrize("time", ["2036-02-31T06:55:55Z", "2026-02-03T24:01:00Z"])
def test_a_time_that_no_calendar_and_clock_shows_is_refused(tmp_path: Path, time: str) -> None:
    folder = written(tmp_path / "digits/mlp/seed1", {**ACCURACY, "started": time})
    with pytest.raises(InputError, match=rf"json:\d+: .* 'started' is {time}, which no calendar"):
        read_record(folder)


def test_runs_that_differ_in_more_than_a_seed_are_told_of_at_the_later(
    work: Path, capsys: Told
) -> None:
    for seed, rate in ((1, 0.1), (2, 0.1), (3, 5.0)):
        settings = {"learning_rate": rate, "split_seed": seed}
        record = {**ACCURACY, "seed": seed, "settings": settings}
        written(work / f"results/digits/mlp/seed{seed}", record)
    assert main(["build"]) == 0
    [said] = [line for line in capsys.readouterr().err.splitlines() if "run.json" in line]
    assert said == (
        "results/digits/mlp/seed3/run.json:1:1: warning: 'learning_rate' is 5.0, and 0.1 in"
        " digits/mlp/seed1: a mean over seeds joins them all the same"
    )


def test_what_record_writes_is_read_again(tmp_path: Path) -> None:
    picture = Image.new("L", (8, 4), 128)
    folder = press.record(
        "digits", "mlp", results=tmp_path, seed=3, title="An MLP",
        metrics={"final": {"accuracy": np.float32(97.25), "loss": None}, "at.2": {"accuracy": 91}},
        curve={"epoch": [1, 2, 3], "accuracy": np.array([88.0, 91.0, 97.25]), "loss": [1, None, 2]},
        settings={"widths": (64, 32), "rate": np.float64(0.1)}, pictures={"final": picture},
        environment={"device": "a GPU"}, seconds=12.5,
    )  # fmt: skip
    record = read_record(folder)
    assert folder == tmp_path / "digits/mlp/seed3"
    assert dict(record.metrics["final"]) == {"accuracy": 97.25, "loss": None}
    assert dict(record.settings) == {"widths": [64, 32], "rate": 0.1}
    assert (record.measure, record.axis, record.last_step) == ("accuracy", "epoch", 3)
    assert (record.title, record.seconds, record.steps["at.2"]) == ("An MLP", 12.5, 2)
    assert (folder / "curve.csv").read_text().splitlines()[2] == "2,91.0,"
    assert record.environment["device"] == "a GPU" and record.environment["python"]
    assert record.environment["numpy"] == np.__version__
    assert record.started.endswith("Z")
    with Image.open(record.file(record.pictures["final"])) as image:
        assert image.size == (8, 4)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["seed3"]


def test_a_site_without_a_manifest_takes_such_records_as_they_are(tmp_path: Path) -> None:
    results = tmp_path / "results"
    for seed, accuracy in enumerate((97.25, 96.5)):
        press.record(
            "digits", "mlp", results=results, seed=seed, title="An MLP",
            metrics={"final": {"accuracy": accuracy}, "stop.early": {"accuracy": 97.5}},
            curve={"epoch": [1, 2], "accuracy": [90.0, accuracy]}, steps={"stop.early": 1},
            settings={"widths": [64, 32], "equal": [8, 8]},
        )  # fmt: skip
    press.record("digits", "mlp", results=results, method="majority", metrics={"accuracy": 11})
    read = results_of(results, tmp_path / "content")
    view, run = read.suite("digits"), read.run("digits/mlp", seed=1)
    assert (view.planned, view.recorded, view.suite.seeds, view.preview) == (2, 2, (0, 1), False)
    assert (view.measure, view.suite.baselines, run.title) == ("accuracy", ("majority",), "An MLP")
    widths, equal = (getattr(settings_of(read, "digits"), name) for name in ("widths", "equal"))
    assert (widths, str(equal)) == ("64, 32", "8"), "as the run's page has a list"
    assert run.iterations == 2, "as the runs have it, not the baseline"
    assert (run.axis, run.last_step, run.final.label) == ("epoch", 2, "epoch 2")
    assert run.curve().points("accuracy") == [(1, 90.0), (2, 96.5)]
    with pytest.raises(InputError, match="the curve has no 'acuracy'; did you mean 'accuracy'"):
        run.curve().points("acuracy")
    with pytest.raises(InputError, match="told of iterations, and its curve goes over 'epoch'"):
        assert run.stable.median
    assert not run.stable.known and run.kept() == [] and run.final.picture is None
    assert view.output("baseline.majority").one("mlp", 0, "accuracy") == 11
    assert read.run("digits/mlp/majority").final.label == "the output"
    assert run.output("stop.early").words == "stops at epoch 1"
    lacking = "has no snapshot at 2; recorded are final and stop.early, and 'at.2' of press.record"
    with pytest.raises(InputError, match=lacking):
        run.output("at.2")
    with pytest.raises(InputError, match="unknown stopping rule 'earl'"):
        run.output("stop.earl")
    with pytest.raises(InputError, match="digits/mlp/seed1 has no seconds"):
        assert run.seconds


def test_an_output_without_a_step_is_shown_all_the_same(tmp_path: Path) -> None:
    results = tmp_path / "results"
    press.record(
        "digits", "mlp", results=results, seed=10**13, metrics={"final": {"accuracy": 97.5},
        "stop.oracle": {"accuracy": 98.5}}, pictures={"at.5": Image.new("L", (8, 4))},
        curve={"iteration": range(1, 11), "accuracy": [*range(80, 88), 96.0, 97.5]},
        settings={"variant": 2},
    )  # fmt: skip
    run = results_of(results, tmp_path / "content").run(f"digits/mlp/seed{10**13}")
    best = run.output("stop.oracle")
    assert (best.accuracy, best.label, best.iteration) == (98.5, "the best iterate", None)
    rows = {row["name"]: row["cells"] for row in score_rows(run, [run.metrics["accuracy"]])}
    assert rows["the best iterate"] == ["98.500"]
    assert [output.label for output in run.kept()] == ["iteration 5"]
    assert (float(run.stable.median), run.case.variant) == (96.75, "2"), "of its last fifth, two"


def test_what_a_record_leaves_out_costs_no_page(tmp_path: Path) -> None:
    results = tmp_path / "results"
    (tmp_path / "site.toml").write_text('[metrics.loss]\nscale = "log"\n[metrics.accuracy]\n')
    steps = [*range(1000, 10_000, 1000)]
    press.record(
        "coarse", "mlp", results=results, measure="accuracy", steps={"final": 10_000},
        metrics={"accuracy": 9.0, "loss": 1.0}, seconds=60,
        curve={"iteration": steps, "loss": [1.5e-5, *[None] * 8], "accuracy": steps},
    )  # fmt: skip
    press.record(
        "coarse", "mlp", results=results, seed=1, metrics={"final": {"accuracy": 1}, "stop.oracle":
        {"accuracy": 2}}, steps={"stop.oracle": 7}, environment={"device": ""},
    )  # fmt: skip
    read = results_of(results, tmp_path, parts=tmp_path / "parts")
    first, second = (read.run("coarse/mlp", seed=seed) for seed in (0, 1))
    assert RunChart(first).metrics[0].name == "accuracy", "what the suite is judged by"
    rows = {row["name"]: row["cells"] for row in score_rows(first, [*first.metrics.values()])}
    assert rows["last fifth, median"] == ["", "9000.000"], "of the loss there is nothing there"
    assert first.stable.known and not first.stable.in_spike
    assert second.output("stop.oracle").words == "stops at step 7", "however long the run was"
    view = read.suite("coarse")
    with pytest.raises(InputError, match="1 of its 2 recorded runs have none"):
        assert view.duration
    assert (view.timed, view.recorded) == (False, 2)


def test_a_record_that_changed_is_read_anew_whatever_time_its_file_is_given(tmp_path: Path) -> None:
    folder = press.record("digits", "mlp", results=tmp_path, metrics={"accuracy": 97.25})
    assert read_record(folder).metrics["final"] == {"accuracy": 97.25}
    before = os.stat(folder / "run.json")
    press.record("digits", "mlp", results=tmp_path, metrics={"accuracy": 11.25}, replace=True)
    os.utime(folder / "run.json", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert os.stat(folder / "run.json").st_size == before.st_size
    assert read_record(folder).metrics["final"] == {"accuracy": 11.25}


def test_what_gave_way_is_no_record_of_a_suite_whatever_its_name(tmp_path: Path) -> None:
    for accuracy in (1.0, 2.0):
        press.record(
            "digits", "mlp", results=tmp_path, method="pictures", metrics={"accuracy": accuracy},
            replace=True, seconds=0.0,
        )  # fmt: skip
    found = of_records(tmp_path)
    assert [run["name"] for run in found["suites"]["digits"]["runs"]] == ["digits/mlp/pictures"]
    assert not [one for one in found["inputs"] if "superseded" in one]
    press.record("digits", "superseded", results=tmp_path, metrics={"accuracy": 3.0})
    assert "superseded" in of_records(tmp_path)["suites"]["digits"]["cases"], (
        "a case may be so named"
    )
    assert read_record(tmp_path / "digits/mlp/pictures").seconds == 0


def test_a_record_that_comes_into_an_empty_folder_is_seen(tmp_path: Path) -> None:
    results = tmp_path / "results"
    press.record("digits", "mlp", results=results, metrics={"accuracy": 97})
    (results / "digits/cnn/seed0").mkdir(parents=True)
    noted = {Path(name) for name in of_records(results)["inputs"]}
    assert {results, results / "digits", results / "digits/cnn/seed0"} < noted


@pytest.mark.parametrize("is_planned", [True, False])
def test_a_record_that_is_gone_while_its_pictures_stand_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Told, is_planned: bool
) -> None:
    make_results(tmp_path, "paper")
    post = "# One\n\n" + '{{ run("paper/anna/biharmonic").psnr_db }}\n'
    (tmp_path / "content/posts/post.md").write_text(post)
    monkeypatch.chdir(tmp_path)
    if not is_planned:
        settings = tmp_path / "content/site.toml"
        settings.write_text(settings.read_text().replace("python -m dip manifest", ""))
    assert main(["build", "--run", "never"]) == 0, capsys.readouterr().err
    gone = Path("results/paper/anna/biharmonic/run.json")
    gone.unlink()
    capsys.readouterr()
    assert main(["build", "--run", "never"]) == 1
    assert f"{gone}: the record is damaged: this file is missing" in capsys.readouterr().err
    assert "29.00" in (tmp_path / "site/posts/post.html").read_text()


@pytest.mark.parametrize("row", ["2,nan,1", "1,0.5,1", "inf,0.5,1", f"2,{2**53 + 1},1"])
def test_a_curve_that_is_not_finite_or_goes_back_is_told_with_its_line(row: str) -> None:
    curve = parse_curve(f"epoch,loss,accuracy\n1,0.5,1\n{row}\n", Path("curve.csv"), "epoch")
    why = "an integer in this line is above" if str(2**53 + 1) in row else "the curve is not finite"
    with pytest.raises(InputError, match=rf"curve\.csv:3: {why}"):
        curve.points("loss")


def test_a_curve_that_is_no_text_is_told_with_its_line(tmp_path: Path) -> None:
    curve = b"epoch,loss\n1,\xff\n"
    files = {"curve.csv": hashlib.sha256(curve).hexdigest()}
    data = {**ACCURACY, "axis": "epoch", "files": files}
    folder = written(tmp_path / "digits/mlp/seed1", data)
    (folder / "curve.csv").write_bytes(curve)
    results = results_of(tmp_path, tmp_path / "content")
    with pytest.raises(InputError, match=r"curve\.csv:2:1: this is not UTF-8 text"):
        results.run("digits/mlp").curve()


ENDLESS: dict[str, Any] = {}
ENDLESS["a"] = ENDLESS
MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"metrics": {"accuracy": float("nan")}}, "'metrics.final.accuracy' is nan; write None"),
    ({"metrics": 97.0}, "'metrics': expected a table, got a float"),
    ({"seconds": "12"}, "'seconds': expected a number, got a str"),
    ({"metrics": {}}, "'metrics.final' has no number"),
    ({"metrics": {"accuracy": "97 %"}}, "'metrics.final.accuracy' must be number or null"),
    ({"metrics": {"best": {"accuracy": 1.0}}}, "'metrics' lacks 'final'"),
    ({"settings": {"net": object()}}, "'settings.net': expected a number, .* got a object"),
    ({"method": "seed3"}, "'method' is 'seed3', which is not null, or a name as .* but none"),
    ({"method": "svm", "seed": 3}, "give 'seed' or 'method'"),
    ({"curve": {"epoch": [1, 2], "loss": [1.0]}}, "'curve.loss': expected a list .* as 'epoch'"),
    ({"curve": {"epoch": range(2), "my loss": [1, 2]}}, "the column 'my loss': expected letters"),
    ({"metrics": {"top-1": 3}}, "'metrics.final' has the name 'top-1', which is not a name of"),
    ({"curve": {"epoch": [1, 1], "loss": [1.0, 2.0]}}, "'curve.epoch' does not rise"),
    ({"curve": {"epoch": [1], "loss": [float("inf")]}}, r"'curve.loss\[0\]' is inf"),
    ({"pictures": {"final": "absent.png"}}, "the picture of 'final' is neither .* 'absent.png'"),
    ({"measure": "loss"}, "measure 'loss' is not under 'metrics.final'"),
    ({"metrics": {"accuracy": 10**5000}}, "'metrics.final.accuracy' is too large a number"),
    ({"metrics": None}, "'metrics': expected a table, got a NoneType"),
    ({"steps": [1]}, "'steps': expected a table, got a list"),
    ({"seed": 1.5}, "'seed' must be integer"),
    ({"seconds": float("nan")}, "'seconds' is nan"),
    ({"seconds": 1e30}, r"'seconds' is 1e\+30, longer than any run can take"),
    ({"settings": ENDLESS}, "a value is nested too deeply, or holds itself"),
    ({"title": "A\0"}, r"'title' holds the character U\+0000, which no page can show"),
    ({"facts": {"\ud800": "a"}}, r"'facts' holds the character U\+D800"),
    ({"case": ""}, "'case' is '', which is not a name of letters"),
    ({"results": __file__}, "test_press_records.py.*: Not a directory"),
    ({"curve": {"epoch": [1], "right": [True]}}, "'curve.right' holds what is neither a number"),
    ({"curve": {"epoch": [1], "loss": [10**400]}}, r"'curve.loss\[0\]' is too large a number"),
    ({"metrics": {"n": 2**53 + 1}}, r"'metrics.final.n' is 9007199254740993, .* above 2\^53"),
    ({"curve": {"epoch": [1], "n": [2**53 + 1]}}, r"'curve.n' holds 9007199254740993, an integer"),
    ({"curve": {1: [1]}}, "the column '1': expected letters"),
    ({"pictures": {"final": "a\0.png"}}, "the picture of 'final' is neither .* null byte"),
]


@pytest.mark.parametrize(("given", "sentence"), MISTAKES)
def test_a_mistake_is_told_and_nothing_written(
    tmp_path: Path, given: dict[str, Any], sentence: str
) -> None:
    usual: dict[str, Any] = {"case": "mlp", "metrics": {"accuracy": 97.0}, "results": tmp_path}
    with pytest.raises(press.InputError, match=sentence) as caught:
        press.record("digits", **{**usual, **given})
    assert len(caught.traceback) == 2, "the caller's line, and that of press.record alone"
    assert not list(tmp_path.iterdir())


def test_whole_floats_and_numbers_of_numpy_are_taken_as_what_they_are(tmp_path: Path) -> None:
    folder = press.record(
        "digits", "mlp", metrics={"accuracy": 97.0}, seed=np.float64(3.0), results=tmp_path,
        seconds=np.float32(2.5), steps={"final": 4.0},
    )  # fmt: skip
    assert folder == tmp_path / "digits/mlp/seed3"
    record = read_record(folder)
    assert (repr(record.seed), repr(record.last_step), record.seconds) == ("3", "4", 2.5)


def test_no_run_is_lost_for_the_arguments_of_its_program(tmp_path: Path) -> None:
    program = "import press; press.record('digits', 'mlp', metrics={'accuracy': 97.0})"
    (tmp_path / "train.py").write_text(program)
    subprocess.run([sys.executable, "train.py", "\x01", "\udcff"], cwd=tmp_path, check=True)
    record = read_record(tmp_path / "results/digits/mlp/seed0")
    assert record.command == "python train.py '\ufffd' '\ufffd'"


def test_another_record_is_replaced_only_if_asked_for_and_kept(tmp_path: Path) -> None:
    def write(accuracy: float, replace: bool = False, commit: str = "a1", python: str = "") -> Path:
        return press.record(
            "digits", "mlp", metrics={"accuracy": accuracy}, seconds=time.time() % 1000,
            environment={"commit": commit, "python": python}, command="python train.py",
            results=tmp_path, replace=replace,
        )  # fmt: skip

    folder = write(97.0)
    before = (folder / "run.json").stat()
    assert write(97.0) == write(97.0, commit="b2-dirty") == write(97.0, commit="") == folder
    assert (folder / "run.json").stat().st_mtime_ns == before.st_mtime_ns, "the same one stays"
    with pytest.raises(InputError, match="another record stands here; replace=True"):
        write(98.0)
    with pytest.raises(InputError, match="another record stands here"):
        write(97.0, python="3.0")
    key = read_record(folder).key
    assert read_record(write(98.0, replace=True)).metrics["final"] == {"accuracy": 98.0}
    (old,) = (tmp_path / "superseded" / key).glob("*/seed0")
    assert read_record(old).metrics["final"] == {"accuracy": 97.0}
