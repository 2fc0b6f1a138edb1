"""Records as the press reads them: every one of the repository, and those that it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest

from press.errors import InputError
from press.results.format_1 import general_form
from press.results.record import read_record, seal_of
from press.results.schema import SCHEMA

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


def lacking(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda data: data.pop(name)


WRONG: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lacking("environment"), r"run\.json: the record is damaged: it lacks 'environment'"),
    (lacking("metrics"), "it lacks 'metrics'"),
    (lambda data: data["metrics"].pop("final"), r"run\.json:\d+: .*'metrics' lacks 'final'"),
    (lambda data: data.update(metrcs={}), "unknown 'metrcs'; did you mean 'metrics'?"),
    (lambda data: data.update(seed="1"), r"run\.json:6: .*'seed' must be integer"),
    (lambda data: data.update(seconds=-1.0), "'seconds' must be bigger than or equal to 0"),
    (lambda data: data.update(suite="a/b"), "'suite' is not a name of letters, digits"),
    (lambda data: data["metrics"].update(best={}), "'metrics' has a name that is not a selector"),
    (
        lambda data: data["metrics"]["final"].update(accuracy="97.2"),
        r"run\.json:1\d: .*'metrics.final.accuracy' must be number or null",
    ),
    (lambda data: data.update(started="yesterday"), "'started' is not a time in UTC"),
    (lambda data: data.update(measure="loss"), "measure 'loss' is not under 'metrics.final'"),
    (lambda data: data.update(method="svm"), "a run has none"),
    (lambda data: data.update(kind="baseline"), "a baseline or a mean has a 'method'"),
    (lambda data: data.update(files={"curve.csv": "0" * 64}), "'axis' does not name"),
    (lambda data: data.update(files={"../x": "0" * 64}), "not a path below the record's folder"),
    (lambda data: data.update(pictures={"final": "x.png"}), "'x.png' of 'final' is not under"),
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


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
def test_a_number_that_is_not_finite_is_refused(tmp_path: Path, number: str) -> None:
    folder = written(tmp_path / "digits/mlp/seed1", ACCURACY)
    text = (folder / "run.json").read_text()
    (folder / "run.json").write_text(text.replace("97.25", number))
    with pytest.raises(InputError, match=r"run\.json: the record is damaged"):
        read_record(folder)
