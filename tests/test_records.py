"""Records: written whole, read without trust."""

import errno
import json
import math
import os
import random
import struct
from pathlib import Path
from typing import Any

import pytest
from made_records import changed

from dip.errors import InputError
from dip.experiments.experiment import Experiment, key
from dip.records.record import CURVE_COLUMNS, Record, check_files, load_record, parse_curve
from dip.records.store import curve_text, find_records, write_record

EXPERIMENT = Experiment(image="set5/bird", task="denoising", noise_255=25.0, snapshots=(0, 2))
PIXELS = {"set5/bird": "00" * 32}


def run_json(**changed: Any) -> dict[str, Any]:
    return {
        "kind": "run", "suite": "small", "image": "set5/bird", "seed": 0, "method": None,
        "experiment": EXPERIMENT.to_dict(), "key": key(EXPERIMENT, PIXELS, "ieee", 1),
        "pixels_sha256": PIXELS, "arithmetic": "ieee", "trajectory_revision": 1,
        "height": 8, "width": 8, "channels": 3,
        "metrics": {"snapshots": {"0": {}, "2": {}}, "final": {"psnr_db": 20.0}},
        "stops": {}, "spikes": 0, "environment": {}, "commit": None,
        "started": "2026-01-01T00:00:00Z", "seconds": 1.0, "seconds_per_iteration": 0.5, **changed,
    }  # fmt: skip


def write(folder: Path, **changed: Any) -> Record:
    files = {"curve.csv": curve_text([(0, 0.5, *[None] * 5)]).encode(), "snapshots/2.webp": b"x",
             "snapshots/10.webp": b"y", "snapshots/input.webp": b"z"}  # fmt: skip
    return write_record(folder, run_json(**changed), files)


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    write(tmp_path / "small/bird/seed0")
    (folder,) = find_records(tmp_path, "small")
    record = load_record(folder)
    check_files(record)
    assert record.experiment == EXPERIMENT
    assert record.curve() == [(0, 0.5, None, None, None, None, None)]
    assert record.snapshot_names() == ["2", "10", "input"]
    assert record.snapshot("input").read_bytes() == b"z"
    assert list((tmp_path / "small/bird").iterdir()) == [folder]


def test_a_failed_write_leaves_the_old_record(tmp_path: Path) -> None:
    folder = tmp_path / "small/bird/seed0"
    write(folder)
    with pytest.raises(ValueError):
        write(folder, seconds=float("nan"))
    assert load_record(folder).data["seconds"] == 1.0
    assert list(folder.parent.iterdir()) == [folder]


def test_a_disk_that_fails_leaves_a_record_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, sync = tmp_path / "small/bird/seed0", os.fsync
    write(folder)

    def fail_once_moved_aside(descriptor: int) -> None:
        sync(descriptor)
        if (tmp_path / "superseded").exists():
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail_once_moved_aside)
    with pytest.raises(OSError, match="Input/output error"):
        write(folder, seconds=2.0)
    assert load_record(folder, files=True)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ('{"format": 1', "run.json:1:13: the record is damaged"),
        ('{"format": 9}', "run.json: the record is damaged or of another format"),
        ('{"format": 1}', "run.json: the record is damaged: it lacks 'kind'"),
        ("[]", "run.json: the record is damaged"),
    ],
)
def test_a_damaged_record_is_named(tmp_path: Path, damage: str, sentence: str) -> None:
    write(tmp_path / "r")
    (tmp_path / "r/run.json").write_text(damage)
    with pytest.raises(InputError) as told:
        load_record(tmp_path / "r")
    assert sentence in str(told.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pixels_sha256", ["0"]), ("metrics", None), ("environment", "x"), ("files", []),
        ("seconds", "1"), ("metrics", {"final": {}, "snapshots": 7}), ("runs", ["seed0"]),
        ("metrics", {"final": {}, "snapshots": {}}),
        ("trajectory_revision", None), ("seconds", float("nan")),
    ],
)  # fmt: skip
def test_a_sealed_record_of_a_wrong_form_is_damaged(tmp_path: Path, name: str, value: Any) -> None:
    write(tmp_path / "r")
    changed(tmp_path / "r", lambda data: data.update({name: value}))
    with pytest.raises(InputError, match=rf"run.json: the record .*({name}|metrics|nan|NaN)"):
        load_record(tmp_path / "r")


def test_a_record_with_an_impossible_experiment_is_damaged(tmp_path: Path) -> None:
    write(tmp_path / "r")
    changed(tmp_path / "r", lambda data: data["experiment"].update(upsampling="magic"))
    with pytest.raises(InputError, match=r"run.json: the record is damaged: upsampling is 'magic'"):
        load_record(tmp_path / "r")


@pytest.mark.parametrize("place", [("metrics", "final", "psnr_db"), ("seed",), ("seal",)])
def test_a_number_that_was_edited_is_not_believed(tmp_path: Path, place: tuple[str, ...]) -> None:
    path = write(tmp_path / "r").folder / "run.json"
    data = json.loads(path.read_text())
    table = data
    for name in place[:-1]:
        table = table[name]
    table[place[-1]] = 39.2
    path.write_text(json.dumps(data))
    with pytest.raises(InputError, match=r"run.json: the record was changed after it was written"):
        load_record(tmp_path / "r")
    del data["seal"]
    path.write_text(json.dumps(data))
    with pytest.raises(InputError, match="it lacks 'seal'"):
        load_record(tmp_path / "r")


def test_the_form_of_the_file_is_not_sealed(tmp_path: Path) -> None:
    path = write(tmp_path / "r").folder / "run.json"
    data = json.loads(path.read_text())
    path.write_text(json.dumps(dict(reversed(data.items())), indent=7))
    assert load_record(tmp_path / "r").data == data


def test_a_changed_or_missing_file_is_named(tmp_path: Path) -> None:
    record = write(tmp_path / "r")
    (tmp_path / "r/curve.csv").write_text("1")
    with pytest.raises(InputError, match=r"curve.csv: the record is damaged: the hash"):
        check_files(record)
    (tmp_path / "r/curve.csv").unlink()
    with pytest.raises(InputError, match=r"curve.csv: the record is damaged: this file is missing"):
        check_files(record)


def test_a_curve_keeps_every_bit_of_a_float32(tmp_path: Path) -> None:
    chance = random.Random(0)
    singles = [struct.unpack("f", chance.randbytes(4))[0] for _ in range(2000)]
    finite = [value for value in singles if math.isfinite(value)]
    rows = [(number, value, *[None] * 5) for number, value in enumerate(finite)]
    read = parse_curve(curve_text(rows), tmp_path)
    assert [struct.pack("f", row[1] or 0.0) for row in read] == [
        struct.pack("f", value) for value in finite
    ]


@pytest.mark.parametrize("iteration", ["inf", "nan", ""])
def test_an_iteration_that_is_no_number_is_damage(tmp_path: Path, iteration: str) -> None:
    text = f"{','.join(CURVE_COLUMNS)}\n{iteration},,,,,,\n"
    with pytest.raises(InputError, match=r"curve.csv:2: the curve is damaged in this line"):
        parse_curve(text, tmp_path / "curve.csv")


def test_a_damaged_curve_is_told_with_its_line(tmp_path: Path) -> None:
    text = ",".join(CURVE_COLUMNS) + "\n0,1,2,,,,\n1,x,,,,,\n"
    with pytest.raises(InputError, match=r"c\.csv:3: the curve is damaged in this line"):
        parse_curve(text, tmp_path / "c.csv")
    with pytest.raises(InputError, match=r"c\.csv:1: the curve is damaged: its columns"):
        parse_curve("a,b\n", tmp_path / "c.csv")
