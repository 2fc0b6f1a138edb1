"""The four commands on one's own photograph: what they write, say, and refuse."""

import dataclasses
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from reading import Told

from dip.cli import main, parser

pytest.importorskip("torch")
pytest.importorskip("PIL")

from PIL import Image

from dip.experiments.experiment import Experiment
from dip.photo.command import Job
from dip.photo.files import write_photo
from dip.photo.progress import Progress
from dip.photo.restore import SETTLING, restore
from dip.tasks.degradations import inpainting
from dip.tasks.photographs import Photo, read_photo

QUICK = ["--device", "cpu", "--minutes", "0.01"]
Made = Callable[..., Path]


def picture(channels: int = 3, height: int = 40, width: int = 48) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width]
    waves = [np.sin(rows / (5 + c)) + np.cos(columns / (4 + c)) for c in range(channels)]
    return np.round((np.stack(waves) + 2) / 4 * 255).astype(np.float32) / np.float32(255)


@pytest.fixture
def photo(tmp_path: Path) -> Made:
    def made(name: str = "photo.png", **settings: object) -> Path:
        defaults = {"pixels": picture(), "alpha": None, "bits": 8, "profile": None}
        write_photo(tmp_path / name, Photo(**(defaults | settings)))  # type: ignore[arg-type]
        return tmp_path / name

    return made


def mask(path: Path, share: str = "few black", height: int = 40, width: int = 48) -> Path:
    values = np.full((height, width), 255, np.uint8)
    values[10:20, 12:30] = 0
    if share == "few white":
        values = 255 - values
    Image.fromarray(values).save(path)
    return path


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def told(capsys: Told) -> str:
    return capsys.readouterr().out


def test_denoise_keeps_size_depth_alpha_and_profile(
    tmp_path: Path, photo: Made, capsys: Told
) -> None:
    alpha = picture(1)[0]
    source = photo(alpha=alpha, bits=16, profile=b"a profile of colour")
    out = tmp_path / "out.png"
    assert main(["denoise", str(source), "-o", str(out), "--channels", "4", *QUICK]) == 0
    before, after = read_photo(source), read_photo(out)
    assert after.pixels.shape == before.pixels.shape
    assert (after.bits, after.profile) == (16, b"a profile of colour")
    assert after.alpha is not None
    assert before.alpha is not None
    assert np.array_equal(after.alpha, before.alpha)
    assert files(tmp_path) == {"photo.png", "out.png"}
    said = told(capsys)
    assert "48x40, RGB, 16 bit, with alpha" in said
    assert "4 channels on cpu" in said
    assert "stopped when the time was over; few: it takes some 1000" in said


def test_a_photograph_called_like_the_preview_stays(tmp_path: Path, photo: Made) -> None:
    source, other = photo("out.preview.png"), photo("out.preview-2.png")
    before = source.read_bytes(), other.read_bytes()
    command = ["denoise", str(source), "-o", str(tmp_path / "out.png"), "--channels", "4", *QUICK]
    assert main(command) == 0
    assert (source.read_bytes(), other.read_bytes()) == before
    assert files(tmp_path) == {"out.preview.png", "out.preview-2.png", "out.png"}


def test_upscale_enlarges_the_picture_and_its_alpha(tmp_path: Path, photo: Made) -> None:
    source = photo(pixels=picture(1), alpha=picture(1)[0])
    out = tmp_path / "out.png"
    command = ["upscale", str(source), "-o", str(out), "--factor", "4", "--channels", "4"]
    assert main([*command, *QUICK]) == 0
    after = read_photo(out)
    assert after.pixels.shape == (1, 160, 192)
    assert after.alpha is not None
    assert after.alpha.shape == (160, 192)


def test_clean_jpeg_reads_a_turned_photograph(tmp_path: Path) -> None:
    source, out = tmp_path / "photo.jpg", tmp_path / "out.webp"
    tags = Image.Exif()
    tags[274] = 6
    levels = np.round(picture() * 255).astype(np.uint8).transpose(1, 2, 0)
    Image.fromarray(levels).save(source, exif=tags, quality=15)
    assert main(["clean-jpeg", str(source), "-o", str(out), "--channels", "4", *QUICK]) == 0
    assert read_photo(out).pixels.shape == (3, 48, 40)


@pytest.mark.parametrize("share", ["few black", "few white"])
def test_inpaint_takes_the_rarer_colour_and_keeps_what_is_known(
    tmp_path: Path, photo: Made, capsys: Told, share: str
) -> None:
    source, drawn = photo(bits=16), mask(tmp_path / "mask.png", share)
    out = tmp_path / "out.png"
    command = ["inpaint", str(source), "--mask", str(drawn), "-o", str(out), "--channels", "4"]
    assert main([*command, *QUICK]) == 0
    before, after = read_photo(source).pixels, read_photo(out).pixels
    holes = np.zeros((40, 48), bool)
    holes[10:20, 12:30] = True
    assert np.array_equal(before[:, ~holes], after[:, ~holes])
    assert (before[:, holes] != after[:, holes]).mean() > 0.5
    colour = share.split()[1]
    assert f"restoring 9.4% of the picture: the {colour} pixels of {drawn}" in told(capsys)


def test_holes_says_which_colour_the_holes_have(tmp_path: Path, photo: Made, capsys: Told) -> None:
    source, drawn = photo(), mask(tmp_path / "mask.png")
    command = ["inpaint", str(source), "--mask", str(drawn), "-o", str(tmp_path / "out.png")]
    assert main([*command, "--holes", "white", "--channels", "4", *QUICK]) == 0
    assert "restoring 90.6% of the picture: the white pixels" in told(capsys)


def test_soft_edges_of_a_mask_belong_to_its_holes(tmp_path: Path, photo: Made) -> None:
    source, out = photo(), tmp_path / "out.png"
    values = np.full((40, 48), 255, np.uint8)
    values[10:20, 12:30] = 200
    values[11:19, 13:29] = 0
    Image.fromarray(values).save(tmp_path / "mask.png")
    command = ["inpaint", str(source), "--mask", str(tmp_path / "mask.png"), "-o", str(out)]
    assert main([*command, "--channels", "4", *QUICK]) == 0
    changed = (read_photo(source).pixels != read_photo(out).pixels).any(axis=0)
    assert changed[10, 12:30].mean() > 0.5
    assert not changed[:10].any()


def test_without_a_mask_transparent_pixels_are_the_holes(
    tmp_path: Path, photo: Made, capsys: Told
) -> None:
    alpha = np.ones((40, 48), np.float32)
    alpha[5:9, 5:9] = 0
    source, out = photo(alpha=alpha), tmp_path / "out.png"
    assert main(["inpaint", str(source), "-o", str(out), "--channels", "4", *QUICK]) == 0
    after = read_photo(out)
    assert after.alpha is None
    assert np.array_equal(after.pixels[:, alpha == 1], read_photo(source).pixels[:, alpha == 1])
    assert "restoring 0.8% of the picture: its transparent pixels" in told(capsys)


def test_a_large_photograph_is_worked_on_in_windows(
    tmp_path: Path, photo: Made, capsys: Told
) -> None:
    values = np.zeros((600, 700), np.uint8)
    values[20:30, 20:30] = 255
    values[500:540, 600:640] = 255
    Image.fromarray(values).save(tmp_path / "mask.png")
    source, out = photo(pixels=picture(1, 600, 700)), tmp_path / "out.png"
    command = ["inpaint", str(source), "--mask", str(tmp_path / "mask.png"), "-o", str(out)]
    assert main([*command, "--channels", "2", "--max-side", "64", *QUICK]) == 0
    assert "2 windows round the holes: 128x128, 128x128" in told(capsys)
    before, after = read_photo(source).pixels, read_photo(out).pixels
    assert np.array_equal(before[:, values == 0], after[:, values == 0])
    assert (before[:, values > 0] != after[:, values > 0]).mean() > 0.5


def test_minutes_are_shared_by_the_pixels_that_are_worked_on(
    tmp_path: Path, photo: Made, capsys: Told
) -> None:
    values = np.zeros((700, 700), np.uint8)
    values[150:360, 150:360] = 255  # its window is over ten times as large as each of the others
    values[20:24, 640:644] = values[660:664, 20:24] = 255
    Image.fromarray(values).save(tmp_path / "mask.png")
    source, out = photo(pixels=picture(1, 700, 700)), tmp_path / "out.png"
    command = ["inpaint", str(source), "--mask", str(tmp_path / "mask.png"), "-o", str(out)]
    command += ["--channels", "2", "--max-side", "64", "--device", "cpu", "--minutes", "0.12"]
    assert main(command) == 0
    said = told(capsys)
    fits = [line.split() for line in said.splitlines() if " iterations in " in line]
    done = [int(fit[0]) for fit in fits]
    assert len(done) == 3, "all three are worked on in 64x64 pixels, in 7 seconds"
    for count, place in zip(
        done, ("128x128 at 572,0", "420x420 at 45,45", "128x128 at 0,572"), strict=True
    ):
        smooth = f"too few for the window of {place}: its holes are filled smoothly"
        assert (smooth in said) == (count < 300), said
    # A smooth fill is within its surroundings' values; untrained noise is not.
    after = read_photo(out).pixels
    for hole in (np.s_[:, 20:24, 640:644], np.s_[:, 660:664, 20:24]):
        assert abs(after[hole] - read_photo(source).pixels[hole]).max() < 0.1


def test_the_time_left_counts_the_windows_that_come(tmp_path: Path, capsys: Told) -> None:
    fit, step = SimpleNamespace(average=picture()), SimpleNamespace(iteration=20)
    for minutes, left in ((None, "1 s an iteration: at most 6 min left"), (1.0, "40 s left, as")):
        progress = Progress(tmp_path / "out.png", minutes)
        progress.begin(100, 0.25)
        progress.began -= 20
        progress.end -= 20
        assert progress.watch(fit, step) == ""  # type: ignore[arg-type]
        assert left in told(capsys)
    progress.preview, progress.drawn = tmp_path / "gone/out.preview.png", 0.0
    assert progress.watch(fit, step) == "", "no preview, and all goes on"  # type: ignore[arg-type]


def test_a_long_scratch_is_filled_along_it(tmp_path: Path, photo: Made, capsys: Told) -> None:
    values = np.zeros((640, 640), np.uint8)
    values[np.eye(640, k=3, dtype=bool)] = 255
    Image.fromarray(values).save(tmp_path / "mask.png")
    source, out = photo(pixels=picture(1, 640, 640)), tmp_path / "out.png"
    command = ["inpaint", str(source), "--mask", str(tmp_path / "mask.png"), "-o", str(out)]
    assert main([*command, "--channels", "2", "--max-side", "128", *QUICK]) == 0
    assert "working in 10 windows round the holes: 128x128" in told(capsys)
    before, after = read_photo(source).pixels, read_photo(out).pixels
    assert np.array_equal(before[:, values == 0], after[:, values == 0])
    assert abs(before - after).max() < 0.1


@pytest.mark.parametrize("command", ["denoise", "clean-jpeg", "upscale", "inpaint"])
@pytest.mark.parametrize("limit", [None, 44])
def test_what_colour_lies_under_alpha_0_changes_nothing(
    tmp_path: Path, photo: Made, command: str, limit: int | None
) -> None:
    """A cut-out gets no fringe of what is hidden, be it white or black."""
    alpha = np.zeros((40, 48), np.float32)
    alpha[5:35, 5:30], alpha[5, 5:30] = 1, 0.5
    drawn = np.zeros((40, 48), np.uint8)
    drawn[10:14, 10:14] = 255
    Image.fromarray(drawn).save(tmp_path / "mask.png")
    seen = []
    for hidden in (0, 1):
        source = photo(pixels=np.where(alpha > 0, picture(), np.float32(hidden)), alpha=alpha)
        words = [command, str(source), "-o", str(tmp_path / "out.png"), "--device", "cpu"]
        words += ["--mask", str(tmp_path / "mask.png")] if command == "inpaint" else []
        words += ["--max-side", str(limit * (4 if command == "upscale" else 1))] if limit else []
        job = Job(parser().parse_args([*words, "--channels", "2"]), read_photo(source))
        job.settings = job.for_textures = dataclasses.replace(job.settings, iterations=4)
        seen.append(job.inpainted() if command == "inpaint" else job.whole())
        job.progress.finish()
    shown = slice(None) if command != "inpaint" else alpha > 0
    assert np.array_equal(seen[0].pixels[:, shown], seen[1].pixels[:, shown])
    assert np.array_equal(seen[0].alpha, seen[1].alpha)


@pytest.mark.parametrize(
    ("side", "fill", "sentence"),
    [
        (20, "texture", ""),
        (40, "texture", "the widest hole is 39 pixels across, a large one: textures are continued"),
        (20, "shapes", "shapes are continued, in at most 1200 iterations"),
        (40, "shapes", "shapes are continued, in at most 1200 iterations"),
    ],
)
def test_a_large_hole_is_told_and_shapes_are_continued_if_asked_for(
    tmp_path: Path, photo: Made, capsys: Told, side: int, fill: str, sentence: str
) -> None:
    values = np.zeros((80, 96), np.uint8)
    values[20 : 20 + side, 30 : 30 + side] = 255
    values[5, :] = 255  # a scratch beside it
    Image.fromarray(values).save(tmp_path / "mask.png")
    command = ["inpaint", str(photo(pixels=picture(3, 80, 96))), "-o", str(tmp_path / "out.png")]
    command += ["--mask", str(tmp_path / "mask.png"), "--fill", fill, "--channels", "2", *QUICK]
    assert main(command) == 0
    said = told(capsys)
    assert sentence in said
    assert ("continued" in said) == bool(sentence)


def test_what_is_transparent_round_a_hole_does_not_make_it_large(
    tmp_path: Path, photo: Made, capsys: Told
) -> None:
    alpha, drawn = np.zeros((64, 96), np.float32), np.zeros((64, 96), np.uint8)
    alpha[8:32, 8:32], drawn[16:24, 16:24] = 1, 255
    Image.fromarray(drawn).save(tmp_path / "mask.png")
    command = ["inpaint", str(photo(pixels=picture(3, 64, 96), alpha=alpha)), "--channels", "2"]
    command += ["--mask", str(tmp_path / "mask.png"), "-o", str(tmp_path / "out.png"), *QUICK]
    assert main(command) == 0
    assert "the widest hole" not in told(capsys)


def test_scratches_that_vanish_at_max_side_are_filled_all_the_same(
    tmp_path: Path, photo: Made
) -> None:
    values = np.zeros((128, 640), np.uint8)
    values[64, 10:630] = 255
    Image.fromarray(values).save(tmp_path / "mask.png")
    source, out = photo(pixels=picture(1, 128, 640)), tmp_path / "out.png"
    command = ["inpaint", str(source), "--mask", str(tmp_path / "mask.png"), "-o", str(out)]
    assert main([*command, "--channels", "2", "--max-side", "64", *QUICK]) == 0
    before, after = read_photo(source).pixels, read_photo(out).pixels
    assert np.array_equal(before[:, values == 0], after[:, values == 0])
    assert abs(before - after).max() < 0.1


def test_what_is_known_may_vanish_at_max_side_but_not_altogether(
    tmp_path: Path, photo: Made, capsys: Told
) -> None:
    values, alpha = np.full((64, 640), 255, np.uint8), np.ones((64, 640), np.float32)
    values[::16, ::16] = 0
    Image.fromarray(values).save(tmp_path / "mask.png")
    out = tmp_path / "out.png"
    rest = ["--mask", str(tmp_path / "mask.png"), "--holes", "white", "-o", str(out), *QUICK]
    rest += ["--channels", "2", "--max-side", "64"]
    source = photo(pixels=picture(1, 64, 640))
    assert main(["inpaint", str(source), *rest]) == 0
    assert "made that small, nothing is known in the window of 640x64 at 0,0" in told(capsys)
    assert abs(read_photo(source).pixels - read_photo(out).pixels).mean() < 0.2
    out.unlink()
    alpha[values == 0] = 0
    source = photo("clear.png", pixels=picture(1, 64, 640), alpha=alpha)
    assert main(["inpaint", str(source), *rest]) == 1
    sentence = "nothing is known round the holes in the window of 640x64 at 0,0"
    assert sentence in capsys.readouterr().err and not out.exists()


def test_max_side_makes_the_picture_smaller(tmp_path: Path, photo: Made, capsys: Told) -> None:
    source, out = photo(pixels=picture(1, 90, 180)), tmp_path / "out.png"
    command = ["denoise", str(source), "-o", str(out), "--channels", "2", "--max-side", "80"]
    assert main([*command, *QUICK]) == 0
    assert read_photo(out).pixels.shape == (1, 40, 80)
    assert "made smaller first, to 80x40, as --max-side says" in told(capsys)
    square = photo(pixels=picture(1, 180, 180))
    command = ["upscale", str(square), "-o", str(out), "--channels", "2", "--max-side", "300"]
    assert main([*command, "--factor", "8", *QUICK]) == 0
    assert max(read_photo(out).pixels.shape) == 296, "the largest multiple of 8 below"
    wide = photo(pixels=picture(1, 33, 5000))
    command = ["upscale", str(wide), "-o", str(tmp_path / "out.webp"), "--max-side", "9000"]
    assert main([*command, *QUICK]) == 1, "would leave too few, but the format could hold it"
    assert "WEBP" not in capsys.readouterr().err


def test_bad_inputs_are_told_in_one_sentence_and_nothing_is_written(
    tmp_path: Path, photo: Made, capsys: Told
) -> None:
    source, out = photo(), tmp_path / "out.png"
    small = photo("small.png", pixels=picture(3, 20, 20))
    (tmp_path / "cut.png").write_bytes(source.read_bytes()[:-60])
    (tmp_path / "folder").mkdir()
    Image.new("CMYK", (40, 40)).save(tmp_path / "cmyk.tif")
    Image.new("L", (48, 40), 128).save(tmp_path / "grey.png")
    few = mask(tmp_path / "few.png")
    Image.new("L", (8000, 8000)).save(tmp_path / "huge.png")
    here = str(tmp_path)
    cases = [
        ([f"{here}/small.png"], f"{small}: the photograph has 20x20 pixels; at least 32x32"),
        ([f"{here}/none.png"], "no such file"),
        ([f"{here}/folder"], "is a folder, not a photograph"),
        ([f"{here}/cut.png"], "the picture is damaged"),
        ([f"{here}/cmyk.tif"], "neither grey nor RGB"),
        ([str(source), "--max-side", "36"], "--max-side 36 would leave 36x30 pixels"),
        ([str(source), "--device", "gpu"], "no device 'gpu'"),
        ([str(source), "-o", str(source)], "would overwrite the photograph"),
        ([f"{here}/huge.png"], "8000x8000 pixels need about .* and .* are free; --max-side"),
    ]
    masks = [
        ([str(source)], "has no transparent pixels: say by --mask FILE"),
        ([str(source), "--mask", f"{here}/grey.png"], "the mask is grey all over"),
        ([str(source), "--mask", str(few), "-o", str(few)], "would overwrite the mask"),
    ]
    out.write_bytes(b"old")
    before = files(tmp_path)
    for command, list_ in (("denoise", cases), ("inpaint", masks)):
        for arguments, sentence in list_:
            words = [command, *arguments, *([] if "-o" in arguments else ["-o", str(out)])]
            assert main(words + ([] if "--device" in arguments else ["--device", "cpu"])) == 1
            error = capsys.readouterr().err
            assert re.search(sentence, error), error
            assert error.count("\n") == 1
            assert files(tmp_path) == before
    assert out.read_bytes() == b"old"


ROOT = Path(__file__).parent.parent
ALONE = os.environ | {"OMP_NUM_THREADS": "1"}


# A person who presses Ctrl-C at an iteration, on however busy a machine.
AT_500 = """
import os, runpy, signal
from dip.photo.progress import Progress
watch = Progress.watch
def watched(self, fit, step):
    if step.iteration == 500:
        os.kill(os.getpid(), signal.SIGINT)
    return watch(self, fit, step)
Progress.watch = watched
runpy.run_module("dip", run_name="__main__")
"""


def interrupted(tmp_path: Path, source: Path, number: signal.Signals, after: str) -> str:
    """Denoise in a process, and send it the signal after the line `after`, or at iteration 500."""
    program = ["-m", "dip"] if after else ["-c", AT_500]
    command = [sys.executable, "-u", *program, "denoise", str(source)]
    command += ["-o", str(tmp_path / "out.png"), "--device", "cpu", "--channels", "2"]
    # As at a terminal: in a script's background job the tests ignore it, and so would the child.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=ALONE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        if after:
            next(line for line in process.stdout if after in line)
            process.send_signal(number)
        told = process.stderr.read()
    assert told.count("\n") == 1
    assert process.returncode == -signal.SIGINT, "so that a shell ends its loop"
    assert not [name for name in files(tmp_path) if "preview" in name or ".new" in name]
    return told


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after", ["channels on cpu", "an iteration"])
def test_ctrl_c_or_a_kill_before_anything_is_learnt_writes_nothing(
    tmp_path: Path, photo: Made, number: signal.Signals, after: str
) -> None:
    (tmp_path / "out.png").write_bytes(b"old")
    assert interrupted(tmp_path, photo(), number, after) == "stopped: nothing was written\n"
    assert (tmp_path / "out.png").read_bytes() == b"old"


@pytest.mark.slow
def test_ctrl_c_later_saves_the_picture_as_it_stands(tmp_path: Path, photo: Made) -> None:
    said = interrupted(tmp_path, photo(), signal.SIGINT, "")
    assert said == f"stopped: {tmp_path / 'out.png'} is the picture as it stood\n"
    assert read_photo(tmp_path / "out.png").size == "48x40"


@pytest.mark.parametrize("seconds", [0.1, 0.3, 0.6])
def test_ctrl_c_while_it_starts_ends_it_silently(
    tmp_path: Path, photo: Made, seconds: float
) -> None:
    program = (
        "import _thread, os, runpy, sys, threading;"
        f"threading.Timer({seconds}, os.kill, (os.getpid(), 2)).start();"
        "runpy.run_module('dip', run_name='__main__')"
    )
    command = [sys.executable, "-c", program, "denoise", str(photo()), "--device", "cpu"]
    command += ["-o", str(tmp_path / "out.png"), "--minutes", "0.1", "--channels", "2"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=ALONE, check=False)
    assert done.returncode == -signal.SIGINT
    assert done.stderr in ("", "stopped: nothing was written\n")
    assert files(tmp_path) == {"photo.png"}


def test_a_closed_pipe_loses_nothing(tmp_path: Path, photo: Made) -> None:
    command = [sys.executable, "-m", "dip", "denoise", str(photo()), "--channels", "2"]
    command += ["-o", str(tmp_path / "out.png"), *QUICK]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=ALONE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0
    assert files(tmp_path) == {"photo.png", "out.png"}


@pytest.mark.parametrize("threads", ["1", "2"])
def test_the_number_of_threads_can_be_chosen(tmp_path: Path, photo: Made, threads: str) -> None:
    import torch

    before = torch.get_num_threads()
    command = ["denoise", str(photo()), "-o", str(tmp_path / "out.png"), "--channels", "2"]
    assert main([*command, "--threads", threads, *QUICK]) == 0
    assert torch.get_num_threads() == int(threads)
    torch.set_num_threads(before)


def test_strip_takes_exif_and_resolution_away(tmp_path: Path) -> None:
    tags, source = Image.Exif(), tmp_path / "photo.jpg"
    tags[315] = "somebody"
    Image.new("RGB", (40, 40)).save(source, exif=tags, dpi=(300, 300))
    for options, kept in (([], True), (["--strip"], False)):
        out = tmp_path / "out.png"
        assert (
            main(["denoise", str(source), "-o", str(out), "--channels", "2", *options, *QUICK]) == 0
        )
        with Image.open(out) as image:
            assert (image.getexif().get(315) == "somebody") == kept
            assert ("dpi" in image.info) == kept


def test_the_version_and_the_defaults_are_told(capsys: Told) -> None:
    for words, told in ((["--version"], "dip "), (["upscale", "--help"], "default: 4")):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 0
        assert told in capsys.readouterr().out


@pytest.mark.parametrize(("sigma_p", "reason"), [(0.0, "settled"), (0.1, "last")])
def test_without_noise_a_fit_stops_once_its_picture_stands_still(
    sigma_p: float, reason: str
) -> None:
    truth = picture(1, 32, 32)
    task = inpainting(truth, np.indices(truth.shape[1:]).sum(0) % 2 == 0, truth)
    settings = Experiment(
        image="own/waves", mask="bernoulli", channels=(4,), skip_channels=(2,), z_channels=4,
        sigma_p=sigma_p, iterations=6 * SETTLING + 1,
    )  # fmt: skip
    restored = restore(task, settings, "cpu", lambda fit, step: "", threads=1)
    assert (restored.reason, restored.iterations) == (
        reason, 6 * SETTLING + (reason == "last"),
    )  # fmt: skip


@pytest.mark.slow
def test_denoising_stops_by_itself_and_comes_nearer_to_the_truth(
    tmp_path: Path, photo: Made, capsys: Told
) -> None:
    truth = picture(1, 64, 64)
    noise = np.random.default_rng(0).normal(0, 0.15, truth.shape)
    source = photo(pixels=np.clip(truth + noise, 0, 1).astype(np.float32))
    out = tmp_path / "out.png"
    command = ["denoise", str(source), "-o", str(out), "--channels", "16", "--device", "cpu"]
    assert main(command) == 0
    assert "stopped by itself" in told(capsys)
    errors = [((read_photo(path).pixels - truth) ** 2).mean() for path in (source, out)]
    assert errors[1] < errors[0] / 3
