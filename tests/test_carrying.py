"""Records carried and checked: pack, unpack, compare, verify."""

import dataclasses
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from made_records import changed, write_baseline, write_over, write_run
from reading import Told, contents
from small_runs import git, write_project

from dip.cli import main
from dip.commands.records import compare
from dip.errors import InputError
from dip.experiments.suites import Suite, load_suites
from dip.experiments.test_images import load_images
from dip.records.archive import pack, unpack
from dip.records.record import load_record
from dip.records.store import curve_text, find_records

ROOT = Path(__file__).parent.parent
LOOPS = ("plain ", "engine ")


@pytest.fixture
def project(tmp_path: Path) -> tuple[Path, Suite]:
    content, _ = write_project(tmp_path)
    suite = load_suites(content / "experiments.toml")["tiny"]
    for experiment in suite.experiments:
        write_run(tmp_path / "results", suite, experiment, 30.0)
    write_baseline(tmp_path / "results", suite, "made/waves", "biharmonic", 28.0)
    return tmp_path, suite


def test_what_was_packed_is_unpacked_the_same(project: tuple[Path, Suite], tmp_path: Path) -> None:
    results, archive = tmp_path / "results", tmp_path / "packed/records.tar"
    assert pack(results, archive) == (3, [])
    assert unpack([archive], tmp_path / "home") == [
        "tiny/rings/seed0: unpacked", "tiny/waves/biharmonic: unpacked",
        "tiny/waves/seed0: unpacked",
    ]  # fmt: skip
    assert contents(tmp_path / "home") == contents(results)
    assert unpack([archive], tmp_path / "home")[0] == "tiny/rings/seed0: was there already"


def test_a_record_made_again_since_takes_the_place_of_the_packed_one(
    project: tuple[Path, Suite], tmp_path: Path
) -> None:
    _, suite = project
    results, archive = tmp_path / "results", tmp_path / "packed.tar"
    pack(results, archive)
    unpack([archive], tmp_path / "home")
    again = write_run(results, suite, suite.experiments[0], 31.0)
    pack(results, archive)
    unpack([archive], tmp_path / "home", replace=True)
    assert load_record(tmp_path / "home/tiny/waves/seed0").data == again.data


def test_damaged_records_are_named_and_the_others_packed(
    project: tuple[Path, Suite], tmp_path: Path, capsys: Told
) -> None:
    results, archive = tmp_path / "results", tmp_path / "packed.tar"
    (results / "tiny/rings/seed0/run.json").write_text("{")
    (results / "tiny/waves/biharmonic/snapshots/output.webp").write_bytes(b"")
    assert main(["pack", str(archive), "--results", str(results)]) == 1
    told = capsys.readouterr()
    assert told.out.startswith(f"{archive}: 1 record, 0.")
    one, other = told.err.splitlines()
    assert one.startswith(f"{results}/tiny/rings/seed0/run.json:1:2: the record is damaged: ")
    assert other.startswith(f"{results}/tiny/waves/biharmonic/snapshots/output.webp: the record is")
    assert one.endswith("; this record was left out")
    assert unpack([archive], tmp_path / "home") == ["tiny/waves/seed0: unpacked"]


def test_only_what_git_does_not_hold_is_packed(project: tuple[Path, Suite], tmp_path: Path) -> None:
    for words in (["init", "-q"], ["add", "results/tiny/waves"], ["commit", "-qm", "x"]):
        git(tmp_path, *words)
    path = tmp_path / "packed.tar"
    assert pack(tmp_path / "results", path) == (1, [])
    with tarfile.open(path) as archive:
        assert {name.split("/")[1] for name in archive.getnames()} == {"rings"}
    (tmp_path / ".gitignore").write_text("/results/\n")
    assert pack(tmp_path / "results", path) == (1, []), "ignored, and so not held"
    git(tmp_path, "rm", "-q", "--cached", "results/tiny/waves/seed0/curve.csv")
    git(tmp_path, "commit", "-qm", "x")
    assert pack(tmp_path / "results", path) == (2, []), "a part of it is not held"
    with pytest.raises(InputError, match="no such folder of results"):
        pack(tmp_path / "result", path)


def test_a_changed_record_is_packed_whatever_the_folder_s_name(
    project: tuple[Path, Suite], tmp_path: Path
) -> None:
    results = tmp_path / " r/results"
    results.parent.mkdir()
    (tmp_path / "results").rename(results)
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        git(tmp_path, *words)
    write_run(results, project[1], project[1].experiments[0], 31.0)
    assert pack(results, tmp_path / "packed.tar") == (1, [])


def test_a_record_whose_name_no_archive_holds_is_named(
    project: tuple[Path, Suite], tmp_path: Path
) -> None:
    (tmp_path / "results/tiny/rings").rename(tmp_path / "results/tiny" / ("漢" * 70))
    count, (error,) = pack(tmp_path / "results", tmp_path / "packed.tar")
    assert count == 2 and error.sentence == "cannot be packed: name is too long"


def test_names_in_git_are_read_in_any_locale(project: tuple[Path, Suite], tmp_path: Path) -> None:
    (tmp_path / "results/tiny/waves").rename(tmp_path / "results/tiny/größe")
    for words in (["init", "-q"], ["add", "results"], ["commit", "-qm", "x"]):
        git(tmp_path, *words)
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "dip", "pack", "packed.tar"], cwd=tmp_path, check=False,
        env={**os.environ, **plain, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("nothing new to pack\n", "")


def test_what_is_half_written_is_no_record(project: tuple[Path, Suite], tmp_path: Path) -> None:
    results = tmp_path / "results"
    names = [place.relative_to(results).as_posix() for place in find_records(results)]
    for left in ("tiny/waves/.new.abc", "tiny/waves/.seed0.new.abc", "tiny/.new.d/x", ".new.d/x/y"):
        shutil.copytree(results / "tiny/waves/seed0", results / left)
        (results / left / "curve.csv").unlink()
    assert [place.relative_to(results).as_posix() for place in find_records(results)] == names
    assert [line.split(":")[0] for line in compare(results, results)] == names
    assert pack(results, tmp_path / "packed.tar") == (len(names), [])
    assert len(unpack([tmp_path / "packed.tar"], tmp_path / "home")) == len(names)


def test_what_is_wrong_with_archives_is_told_and_nothing_is_written(
    project: tuple[Path, Suite], tmp_path: Path
) -> None:
    home, whole, other = tmp_path / "home", tmp_path / "packed.tar", tmp_path / "other.tar"
    pack(tmp_path / "results", whole)
    with tarfile.open(whole) as archive, tarfile.open(other, "w") as without:
        for member in archive:
            if member.name != "tiny/rings/seed0/curve.csv":
                without.addfile(member, archive.extractfile(member))
    with pytest.raises(InputError, match=r"a part of 'tiny/rings/seed0' is missing in the arch"):
        unpack([other], home)
    data = bytearray(whole.read_bytes())
    cut = tmp_path / "cut.tar"
    cut.write_bytes(data[: data.rindex(b"iteration,loss") + 40])
    with pytest.raises(InputError, match=r"the archive is damaged: '.*/curve\.csv' is cut off"):
        unpack([cut], home)
    data[data.rindex(b"iteration,loss") + 40] ^= 1
    flipped = tmp_path / "flipped.tar"
    flipped.write_bytes(data)
    with pytest.raises(InputError, match="the hash in run"):
        unpack([flipped], home)
    assert contents(home) == {}


@pytest.mark.parametrize("name", ["../../out/of/here", "/etc/of/the/file", "a/run.json"])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    evil = tmp_path / "evil.tar"
    with tarfile.open(evil, "w") as archive:
        header = tarfile.TarInfo(name)
        archive.addfile(header)
    with pytest.raises(InputError, match="is not the name of a record's file"):
        unpack([evil], tmp_path / "home")


def test_other_records_are_named_and_give_way_only_when_asked(
    project: tuple[Path, Suite], tmp_path: Path, capsys: Told
) -> None:
    _, suite = project
    home = tmp_path / "home"
    archive = tmp_path / "packed.tar"
    pack(tmp_path / "results", archive)
    for experiment in suite.experiments:
        write_run(home, suite, experiment, 31.0)
    before = contents(home)
    command = ["unpack", str(archive), "--results", str(home)]
    assert main(command) == 1
    assert capsys.readouterr().err == (
        f"{home}: another record stands at tiny/rings/seed0, tiny/waves/seed0: move it away"
        " first, or let --replace move it to superseded\n"
    )
    assert contents(home) == before
    assert main([*command, "--replace"]) == 0
    told = capsys.readouterr().out.splitlines()
    key = load_record(home / "tiny/waves/seed0").key
    aside = next(home.glob(f"superseded/{key}/tiny-waves-seed0-*/seed0"))
    assert told[2] == f"tiny/waves/seed0: unpacked; the old record is now {aside}"
    assert (aside / "run.json").read_bytes() == before["tiny/waves/seed0/run.json"]
    now = contents(home)
    assert {name: now[name] for name in now if not name.startswith("superseded/")} == contents(
        tmp_path / "results"
    )


def test_a_damaged_record_in_the_place_is_another(
    project: tuple[Path, Suite], tmp_path: Path
) -> None:
    archive = tmp_path / "packed.tar"
    pack(tmp_path / "results", archive)
    unpack([archive], tmp_path / "home")
    (tmp_path / "home/tiny/rings/seed0/curve.csv").write_text("")
    with pytest.raises(InputError, match="another record stands at tiny/rings/seed0: move it"):
        unpack([archive], tmp_path / "home")
    assert unpack([archive], tmp_path / "home", replace=True)[0].startswith(
        "tiny/rings/seed0: unpacked; the old record is now "
    )


def test_compare_tells_levels_settings_and_where_trajectories_part(
    project: tuple[Path, Suite], tmp_path: Path
) -> None:
    _, suite = project
    a, b = tmp_path / "results", tmp_path / "b"
    shutil.copytree(a, b)
    assert {line.split("; ")[-1] for line in compare(a, b)} == {"the same files"}
    curve = b / "tiny/rings/seed0/curve.csv"
    curve.write_bytes(curve.read_bytes()[:-9])
    assert compare(a, b)[0].startswith(
        f"tiny/rings/seed0: {curve}: the record is damaged: the hash"
    )
    slope = dataclasses.replace(suite.experiments[0], slope=0.1)
    write_run(b, suite, slope, 31.5)
    shutil.rmtree(b / "tiny/rings")
    parting = "trajectories part at iteration 1"  # they begin at the same level
    shutil.copytree(a / "tiny", b / "another")
    assert compare(a, b) == [
        f"another: only in {b}",
        f"tiny/rings/seed0: only in {a}",
        "tiny/waves/biharmonic: 28.00 and 28.00 dB (+0.00); the same files",
        f"tiny/waves/seed0: 30.00 and 31.50 dB (+1.50); other slope; {parting}",
    ]


@pytest.fixture(scope="module")
def real_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record a real run, and give the project's folder."""
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("real")
    content, images = write_project(folder)
    command = ["run", "tiny", "--image", "waves", "--seed", "0", "--device", "cpu", "--plain"]
    places = ["--images", str(images), "--results", str(folder / "results"), "--threads", "1"]
    assert main(["--content", str(content), *command, *places]) == 0
    return folder


@pytest.fixture
def recorded(real_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder of a real run's record in a project of its own."""
    shutil.copytree(real_run, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("DIP_IMAGES", str(tmp_path / "images"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "results/tiny/waves/seed0"


def verified(capsys: Told, code: int) -> str:
    assert main(["verify", "tiny", "--iterations", "30", "--device", "cpu"]) == code
    return capsys.readouterr().out.strip()


def rewrite(folder: Path, change: dict[str, object], curve: str | None = None) -> None:
    """Change a record, with hashes that are right again."""
    record = load_record(folder)
    files = {name: (folder / name).read_bytes() for name in record.data["files"]}
    if curve is not None:
        files["curve.csv"] = curve.encode()
    plain = {k: v for k, v in record.data.items() if k not in ("format", "files")}
    write_over(folder, {**plain, **change}, files)


def test_a_record_verifies_to_the_bit(recorded: Path, capsys: Told) -> None:
    told = verified(capsys, 0)
    assert told.endswith("verified: the same bits in 31 recorded iterations, from 0 to 30")


def test_a_tampered_curve_fails_with_its_line(recorded: Path, capsys: Told) -> None:
    rows = load_record(recorded).curve()
    changed = [*rows[:7], (rows[7][0], rows[7][1], (rows[7][2] or 0) + 1e-4, *rows[7][3:])]
    rewrite(recorded, {}, curve_text([*changed, *rows[8:]]))
    assert "FAILED: results/tiny/waves/seed0/curve.csv:9: the same run gives 7," in verified(
        capsys, 1
    )


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        (("metrics", "final", "psnr_db"), "metrics.final has psnr_db = 39.2, the curve "),
        (("metrics", "snapshots", "20", "psnr_unknown_db"), "metrics.snapshots.20 has psnr_unkn"),
        (("metrics", "average", "psnr_db"), "metrics.average has psnr_average_db = 39.2"),
        (("stops", "oracle", "psnr_db"), "stops.oracle has psnr_db = 39.2"),
    ],
)
def test_a_score_that_is_not_the_curve_s_fails(
    recorded: Path, capsys: Told, place: tuple[str, ...], sentence: str
) -> None:
    def edit(data: dict[str, Any]) -> None:
        table = data
        for name in place[:-1]:
            table = table[name]
        table[place[-1]] = 39.2

    changed(recorded, edit)
    told = verified(capsys, 1)
    assert "FAILED: results/tiny/waves/seed0/run.json: the record is damaged: " in told
    assert sentence in told


def test_a_file_with_another_hash_fails(recorded: Path, capsys: Told) -> None:
    path = recorded / "snapshots/60.webp"
    path.write_bytes(path.read_bytes() + b"\0")
    assert "snapshots/60.webp: the record is damaged: the hash" in verified(capsys, 1)


def test_a_folder_without_its_run_json_fails(recorded: Path, capsys: Told) -> None:
    (recorded / "run.json").unlink()
    told = verified(capsys, 1)
    assert told.startswith("tiny/waves/seed0: FAILED: ")
    assert "run.json: the record is damaged: this file is missing" in told


def test_of_an_older_engine_the_start_and_the_pictures_are_compared(
    recorded: Path, capsys: Told
) -> None:
    rewrite(recorded, {"trajectory_revision": 1})
    told = verified(capsys, 0)
    assert "the engine of its trajectory revision (1) is gone" in told
    assert "today's engine begins with the same loss, within 1e-05 (relative)" in told
    record = load_record(recorded)
    files = {name: (recorded / name).read_bytes() for name in record.data["files"]}
    first, last = "snapshots/0.webp", "snapshots/60.webp"
    plain = {k: v for k, v in record.data.items() if k not in ("format", "files")}
    write_over(recorded, plain, {**files, first: files[last], last: files[first]})
    told = verified(capsys, 1)
    assert "snapshots/0.webp: the record is damaged: " in told
    assert "dB at iteration 0, and this picture has" in told


def test_on_another_device_it_says_what_it_cannot_say(recorded: Path, capsys: Told) -> None:
    environment = load_record(recorded).data["environment"]
    rewrite(recorded, {"environment": {**environment, "device": "Another CPU"}})
    told = verified(capsys, 0)
    assert "verified: the same start: the first loss is within " in told
    assert "with another device than recorded, the bits cannot be compared" in told
    rows = load_record(recorded).curve()
    drifted = [(row[0], (row[1] or 0) * (1.2 if row[0] else 1), *row[2:]) for row in rows]
    record = load_record(recorded)
    for k, told_there in [*record.metrics["snapshots"].items(), ("60", record.metrics["final"])]:
        told_there["loss"] *= 1.2 if k != "0" else 1
    record.data["stops"]["fixed"]["loss"] *= 1.2
    rewrite(
        recorded, {"metrics": record.metrics, "stops": record.data["stops"]}, curve_text(drifted)
    )
    assert "the next ones within 0.2, where 0.5 is" in verified(capsys, 0)


def test_a_record_may_say_nothing_of_its_machine(recorded: Path, capsys: Told) -> None:
    rewrite(recorded, {"environment": {}})
    verified(capsys, 0)
    for command in ("list", "manifest"):
        assert main([command]) == 0, capsys.readouterr().err


def test_what_a_record_does_not_tell_is_unknown(recorded: Path, capsys: Told) -> None:
    environment = load_record(recorded).data["environment"]
    del environment["processor_features"]
    rewrite(recorded, {"environment": environment})
    unknown = "with processor features that the record does not tell, the bits cannot be compared"
    assert unknown in verified(capsys, 0)
    rewrite(recorded, {"environment": {**environment, "threads": 1, "torch": "2.11.0"}})
    assert f"with another torch than recorded and {unknown[5:]}" in verified(capsys, 0)


@pytest.mark.parametrize(("iteration", "factor"), [(0, 1.0002), (9, 2.5), (9, 0.3)])
def test_on_another_device_a_tampered_start_fails(
    recorded: Path, capsys: Told, iteration: int, factor: float
) -> None:
    record = load_record(recorded)
    rows = [
        (row[0], (row[1] or 0) * (factor if row[0] == iteration else 1), *row[2:])
        for row in record.curve()
    ]
    environment = {**record.data["environment"], "device": "Another CPU"}
    rewrite(recorded, {"environment": environment}, curve_text(rows))
    told = verified(capsys, 1)
    assert f"FAILED: results/tiny/waves/seed0/curve.csv:{iteration + 2}: the loss is" in told
    assert "and another device than recorded can explain" in told


def test_a_record_of_an_odd_form_fails_in_its_line(recorded: Path, capsys: Told) -> None:
    rewrite(recorded, {"stops": {"oracle": 5}})
    assert "waves/seed0: FAILED: the record is damaged: " in verified(capsys, 1)


def test_a_mode_that_this_device_cannot_do_is_told(recorded: Path, capsys: Told) -> None:
    rewrite(recorded, {"arithmetic": "tf32"})
    assert "could not be verified: " in verified(capsys, 1)


def test_the_records_of_the_repository_are_whole() -> None:
    from dip.experiments.experiment import key
    from dip.records.record import check_files
    from dip.runs.verify import check_scores

    root = Path(__file__).parent.parent
    images = load_images(root / "content/images.toml")
    places = find_records(root / "results")
    assert len(places) > 200
    for place in places:
        record = load_record(place)
        check_files(record)
        if record.kind == "run":
            check_scores(record)
        pixels = {name: images[name].pixels_sha256 for name in record.experiment.images()}
        assert record.data["pixels_sha256"] == pixels
        made_with = (record.data["arithmetic"], record.data["trajectory_revision"])
        assert key(record.experiment, pixels, *made_with) == record.key, "keys stay as they are"
        if not images[record.data["image"]].show:
            assert not [name for name in record.data["files"] if name.endswith(".webp")]


def test_a_plain_loop_comes_out_near_the_engine(recorded: Path, capsys: Told) -> None:
    command = ["parity", "tiny", "--device", "cpu", "--threads", "1"]
    assert main(command) == 0
    pair, mean = capsys.readouterr().out.splitlines()
    assert pair.startswith("tiny/waves/seed0: plain ")
    assert mean.startswith("mean of 1: plain ")
    plain_db, engine_db = (float(mean.split(word)[1].split()[0].rstrip(",")) for word in LOOPS)
    assert engine_db == pytest.approx(load_record(recorded).metrics["final"]["psnr_db"], abs=0.01)
    assert plain_db == pytest.approx(engine_db, abs=3), "two seeds of so short a run"
    kept = next(Path("results/.work/parity").iterdir())
    kept.write_text(kept.read_text().replace('"psnr_db": ', '"psnr_db": 1'))
    assert main(command) == 0
    assert f"plain 1{plain_db:.2f}" in capsys.readouterr().out, "kept, not run again"
    assert main([*command, "--time-limit", "0", "--results", "results"]) == 0
    with pytest.raises(SystemExit):
        main(["parity"])
    assert main(["parity", "seeded"]) == 1
    assert "no inpainting run of 'seeded' is recorded" in capsys.readouterr().err
