"""The command line: what is printed, the exit codes, mistakes in one sentence."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from made_records import write_run
from reading import Told
from small_runs import SUITES, write_project

from dip.cli import main
from dip.experiments.suites import load_suites
from dip.runs.progress import Lines

ROOT = Path(__file__).parent.parent


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_project(tmp_path, SUITES)
    monkeypatch.setenv("DIP_IMAGES", str(tmp_path / "images"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_run_then_nothing_is_left_to_run(project: Path, capsys: Told) -> None:
    pytest.importorskip("torch")
    command = ["run", "tiny", "--device", "cpu", "--plain", "--threads", "1"]
    assert main(command) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("tiny/waves/nearest-known-pixel: recorded, ")
    assert told[4] == "tiny/waves/seed0: begins; iteration 0 of 60"
    assert told[5].startswith("tiny/waves/seed0: recorded, ")
    for at_once in ([], ["--jobs", "2"]):
        assert main([*command, *at_once]) == 0
        told = capsys.readouterr().out
        assert told == "nothing to do: all 6 are recorded; --rerun runs them anew\n"
    assert main(["list", "--device", "cpu"]) == 0
    assert (
        "tiny: Tiny\n  recorded: 2 of 2 runs, 4 of 4 baselines and means\n"
        in capsys.readouterr().out
    )


def test_a_terminal_has_one_line_that_is_written_over(
    capsys: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    step = SimpleNamespace(iteration=5, psnr_db=20.0)
    for term, plain in (("xterm", False), ("xterm", True), ("dumb", False)):
        monkeypatch.setenv("TERM", term)
        lines = Lines(plain)
        lines.begin("x", 0, 10)
        lines.printed -= 2
        capsys.readouterr()
        lines.step(step)
        out = capsys.readouterr().out
        if plain or term == "dumb":
            assert out == ""
        else:
            assert out.startswith("\rx: iteration 5 of 10, 20.00 dB, ") and "\n" not in out


def test_a_line_that_is_written_over_fits_into_the_terminal(
    capsys: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "40")
    lines = Lines()
    lines.begin("a-suite-of-a-long-name/an-image/seed0", 0, 10)
    capsys.readouterr()
    lines.printed -= 2
    lines.step(SimpleNamespace(iteration=5, psnr_db=20.0))
    lines.say("stopped")
    lines.say("the same command goes on from here")
    drawn, said, last = capsys.readouterr().out.split("\r")[1:]
    assert drawn == "0: iteration 5 of 10, 20.00 dB, 0 s left"[-39:]
    assert said == f"{'stopped':39}\n", "no letter of the line before is left"
    assert last == "the same command goes on from here\n"


def test_rerun_moves_the_old_record_aside_and_says_so(project: Path, capsys: Told) -> None:
    pytest.importorskip("torch")
    command = ["run", "seeded", "--seed", "1", "--device", "cpu", "--plain", "--threads", "1"]
    assert main(command) == main([*command, "--rerun"]) == 0
    assert (
        "seeded/waves/seed1: the old record is now results/superseded/" in capsys.readouterr().out
    )
    assert len(list(project.glob("results/superseded/*/*/seed1/run.json"))) == 1
    assert main([*command, "--rerun", "--time-limit", "0"]) == 0
    assert "stopped; name the rest by --image, --seed and --method" in capsys.readouterr().out
    baseline = ["run", "tiny", "--method", "biharmonic", "--image", "waves", "--plain"]
    assert main(baseline) == main([*baseline, "--rerun"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert {line.partition(":")[0] for line in told} == {"tiny/waves/biharmonic"}


def test_a_failed_run_names_itself_and_the_others_go_on(project: Path, capsys: Told) -> None:
    pytest.importorskip("torch")
    (project / "images/made/waves.png").write_bytes(b"no picture")
    assert main(["run", "tiny", "--device", "cpu", "--plain", "--threads", "1"]) == 1
    told = capsys.readouterr().out
    assert f"tiny/waves/seed0: {project}/images/made/waves.png: the SHA-256 of image" in told
    assert "tiny/rings/seed0: recorded" in told


def test_a_damaged_record_is_never_overwritten_silently(project: Path, capsys: Told) -> None:
    pytest.importorskip("torch")
    command = ["run", "tiny", "--image", "rings", "--device", "cpu", "--plain", "--threads", "1"]
    assert main(command) == 0
    path = Path("results/tiny/rings/biharmonic/run.json")
    path.write_text("{")
    capsys.readouterr()
    assert main(command) == 1
    told = capsys.readouterr().out
    assert told.startswith(f"tiny/rings/biharmonic: {path}:1:2: the record is damaged")
    assert told.endswith("--rerun moves it aside\n")
    assert path.read_text() == "{"


def test_list_tells_every_run_and_what_is_missing(project: Path, capsys: Told) -> None:
    suite = load_suites(project / "content/experiments.toml")["tiny"]
    write_run(project / "results", suite, suite.experiments[0], 30.0)
    assert main(["list", "tiny", "tiny", "--device", "cpu"]) == 0
    title, counts, *runs = capsys.readouterr().out.splitlines()
    assert title == "tiny: Tiny"
    counted = "  recorded: 0 of 2 runs, 0 of 4 baselines and means; the rest would take "
    assert counts.startswith(counted) and counts.endswith(", a guess")
    assert [line.split()[0] for line in runs[4:]] == ["tiny/waves/seed0", "tiny/rings/seed0"]
    assert {" ".join(line.split()[1:4]) for line in runs} == {"not run yet,"}


def test_describe_gives_the_network_of_the_paper(
    capsys: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["describe", "inpainting", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["parameters"] == 2_217_573
    assert main(["describe"]) == 0
    assert "2,217,573 parameters" in capsys.readouterr().out


def test_images_are_listed_and_checked(project: Path, capsys: Told) -> None:
    assert main(["images", "list"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].split() == ["made/waves", "64x48", "L", "here"]
    assert told[1].endswith("here  (its picture is not shown)")
    assert main(["images", "fetch"]) == 0
    assert main(["images", "fetch", "made/wave"]) == 1
    assert "unknown image 'made/wave'; did you mean 'made/waves'?" in capsys.readouterr().out


def test_an_entry_of_one_s_own_is_completed_by_what_the_list_says(
    project: Path, capsys: Told
) -> None:
    path = project / "content/images.toml"
    right = path.read_text()
    lines = [line for line in right.splitlines() if "sha256" in line or line.startswith("width")]
    wrong = right
    for line in lines[:3]:
        wrong = wrong.replace(
            line, line.partition("=")[0] + ("= 1" if "width" in line else '= "?"')
        )
    path.write_text(wrong)
    assert main(["images", "list"]) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[0].endswith(f"another than listed; {project}/images/made/waves.png has")
    assert {line.strip() for line in told[1:4]} == set(lines[:3])
    assert told[4].startswith("made/rings"), "which is as listed"
    for name in ("waves", "rings"):  # as <file> too, as every command finds it
        (project / f"images/made/{name}.png").rename(project / f"images/{name}.png")
    path.write_text(right)
    assert main(["images", "list"]) == 0
    assert "not in" not in capsys.readouterr().out
    (project / "images/waves.png").write_bytes(b"no picture")
    (project / "images/rings.png").unlink()
    assert main(["images", "list"]) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[1].strip() == f"{project}/images/waves.png: is no picture that can be read"
    assert "not in the folder" in told[2]


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (["images", "list", "made/wve"], "unknown image 'made/wve'; did you mean 'made/waves'?"),
        (["images", "list", "--images", "nowhere"], "nowhere: no such folder of test images"),
        (["run", "tyni"], "unknown suite 'tyni'; did you mean 'tiny'?"),
        (
            ["run", "tiny", "--image", "wave"],
            "suite 'tiny' has no image 'wave'; did you mean 'waves'?",
        ),
        (["run", "tiny", "--seed", "9"], "no such seed 9; there are [0]"),
        (["run", "tiny", "--method", "bicubik"], "no such method 'bicubik'"),
        (
            ["run", "tiny", "seeded", "--image", "rings", "--seed", "1"],
            "the suites have no run of these",
        ),
        (["run", "tiny", "--device", "cpu:x"], "this machine has no device 'cpu:x'; it has "),
        (["run", "tiny", "--device", "tpu"], "this machine has no device 'tpu'; it has "),
        (["run", "tiny", "--rerun", "--jobs", "2"], "--rerun works on one run after the other"),
        (["describe", "all"], "describe takes one suite, not all"),
        (["verify", "tiny"], "results: no run of 'tiny' is recorded"),
        (["compare", "results", "nowhere"], "no such folder of results"),
        (["unpack", "absent.tar"], "absent.tar: no such archive"),
        (["--content", "nowhere", "list"], "nowhere/experiments.toml: no such file"),
    ],
)
def test_mistakes_are_told_in_one_sentence(
    project: Path, capsys: Told, command: list[str], sentence: str
) -> None:
    pytest.importorskip("torch")
    (project / "results").mkdir()
    assert main([*command]) == 1
    told = capsys.readouterr()
    assert sentence in told.err
    assert len(told.err.splitlines()) == 1


def test_wrong_usage_is_exit_code_2(capsys: Told) -> None:
    for command in (["run"], ["fly"], ["run", "tiny", "--jobs", "0"], []):
        with pytest.raises(SystemExit) as left:
            main(command)
        assert left.value.code == 2


@pytest.mark.slow
def test_bench_times_the_three_loops(capsys: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.setattr("dip.commands.plain.ROUNDS", 1)
    command = ["bench", "--size", "64", "--steps", "1", "--device", "cpu", "--threads", "1"]
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["size"], found["arithmetic"], found["environment"]["threads"]) == (64, "ieee", 1)
    assert min(found[f"{loop}_s"] for loop in ("engine", "plain", "plain_channels_last")) > 0
    assert found["ratio"] == found["plain_s"] / found["engine_s"]


PHOTO = "denoise in.png -o out.png"


@pytest.mark.parametrize(
    ("command", "option", "value", "sentence"),
    [
        ("bench", "--steps", "0", "expected a positive integer, got '0'"),
        ("bench", "--steps", "1.5", "expected a positive integer, got '1.5'"),
        ("bench", "--size", "32", "expected 64 or more in steps of 32, got '32'"),
        ("bench", "--size", "80", "expected 64 or more in steps of 32, got '80'"),
        ("run tiny", "--time-limit", "nan", "expected a number of seconds, got 'nan'"),
        ("run tiny", "--time-limit", "inf", "expected a number of seconds, got 'inf'"),
        ("run tiny", "--checkpoint-every", "-1", "expected a number of seconds, got '-1'"),
        (PHOTO, "--max-side", "31", "expected at least 32 pixels, got '31'"),
        (PHOTO, "--minutes", "0", "expected minutes, more than 0, got '0'"),
        (PHOTO, "--minutes", "nan", "expected minutes, more than 0, got 'nan'"),
        (PHOTO, "--threads", "two", "expected a positive integer, got 'two'"),
        (PHOTO, "--threads", "9" * 10, "expected at most 9 digits, got '9999999999'"),
        (PHOTO, "--channels", "9" * 5000, "expected at most 9 digits, got '9999"),
        (PHOTO, "--seed", "-1", "expected an integer from 0 to 4294967295, got '-1'"),
        (PHOTO, "--seed", "4294967296", "expected an integer from 0 to 4294967295, got '429"),
        (PHOTO, "--seed", "9" * 5000, f"to 4294967295, got '{'9' * 20}...'\n"),
    ],
)
def test_a_number_out_of_range_is_wrong_usage(
    capsys: Told, command: str, option: str, value: str, sentence: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([*command.split(), f"{option}={value}"])
    told = capsys.readouterr().err
    assert f"argument {option}: " in told and sentence in told


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full device")
@pytest.mark.parametrize("words", ["list", "--help"])
def test_output_that_is_refused_is_told_once(project: Path, words: str) -> None:
    python = f"env -u PYTHONUNBUFFERED PYTHONPATH={ROOT} {sys.executable} -m dip {words}"
    for to, code, told in ((">/dev/full", 1, "No space left"), ("| true", 0, ""), (">&-", 0, "")):
        done = subprocess.run(
            f"{python} {to}", shell=True, capture_output=True, text=True, check=False
        )
        assert (done.returncode, told in done.stderr) == (code, True), done.stderr
        assert done.stderr.count("\n") == bool(told), done.stderr


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["list"], 0),
        (["images", "list"], 0),
        (["describe", "tiny"], 0),
        (["compare", "results", "results"], 0),
        (["pack", "packed.tar"], 0),
        (["run", "tiny"], 1),
        (["verify", "tiny"], 1),
    ],
)
def test_without_torch_what_only_reads_still_works(
    project: Path, command: list[str], code: int
) -> None:
    suite = load_suites(project / "content/experiments.toml")["tiny"]
    write_run(project / "results", suite, suite.experiments[0], 30.0)
    done = subprocess.run(  # -S: nothing that was installed can be imported
        [sys.executable, "-S", "-m", "dip", *command], capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(ROOT), "DIP_IMAGES": str(project / "images")},
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    if code:
        assert 'pip install -e ".[experiments]"' in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_each_child_sees_one_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    from dip.commands.run import child_environment

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    assert [child_environment("cuda", place)["CUDA_VISIBLE_DEVICES"] for place in range(3)] == [
        "2", "5", "2"
    ]  # fmt: skip
    named = [child_environment("cuda:1", place)["CUDA_VISIBLE_DEVICES"] for place in range(2)]
    assert named == ["5", "5"], "the one that was asked for"
    assert child_environment("cpu", 1)["CUDA_VISIBLE_DEVICES"] == "2,5"


@pytest.mark.slow
def test_several_processes_at_once(project: Path) -> None:
    pytest.importorskip("torch")
    (project / "images/made/rings.png").write_bytes(b"no picture")
    command = [sys.executable, "-m", "dip", "run", "tiny", "--device", "cpu", "--jobs", "2"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=project,
        env={"PYTHONPATH": str(ROOT), "DIP_IMAGES": str(project / "images")},
    )  # fmt: skip
    assert done.returncode == 1
    assert "tiny/waves/seed0: recorded" in done.stdout
    assert "tiny/rings/seed0: failed, exit code 1" in done.stdout
    assert Path("results/tiny/waves/seed0/run.json").exists()
