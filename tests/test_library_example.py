"""The ten lines that the documentation shows do what they say."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from reading import Told

import dip

if TYPE_CHECKING:
    from torch import Tensor

ROOT = Path(__file__).parent.parent


def blocks(path: str) -> list[str]:
    """List the Python blocks of a document."""
    text = (ROOT / path).read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def example() -> str:
    """Give the example; where the README shows one too, it is the same."""
    found = [blocks("docs/library.md")[0], *blocks("README.md")]
    assert set(found) == {found[0]}
    return found[0]


def test_the_example_has_ten_lines_at_most() -> None:
    assert len([line for line in example().splitlines() if line.strip()]) <= 10


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Told) -> None:
    pytest.importorskip("torch")
    from PIL import Image

    ramp = np.tile(np.arange(0, 256, 8, dtype=np.uint8)[:, None, None], (1, 32, 3))
    Image.fromarray(ramp).save(tmp_path / "noisy.png")
    monkeypatch.chdir(tmp_path)
    short = example().replace("1800", "30").replace("600, 1200", "1, 10").replace("(64,)", "(8,)")
    exec(compile(short, "docs/library.md", "exec"), {})  # noqa: S102
    told = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [int(words[0]) for words in told] == [1, 10, 30]
    losses = [float(words[1]) for words in told]
    assert losses[0] > losses[-1] > 0
    assert all(0 < float(words[2]) < 1 for words in told)


def test_the_deblurring_of_the_document_runs_in_fifteen_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Told
) -> None:
    pytest.importorskip("torch")
    from PIL import Image

    block = blocks("docs/library.md")[1]
    assert len([line for line in block.splitlines() if line.strip()]) <= 15
    stripes = np.tile(np.arange(48) // 8 % 2 * 255, (48, 1)).astype(np.uint8)
    Image.fromarray(stripes).save(tmp_path / "blurred.png")
    monkeypatch.chdir(tmp_path)
    short = block.replace("iterations=3000", "iterations=30, channels=(8, 8), skip_channels=(4, 4)")
    names: dict[str, object] = {}
    exec(  # noqa: S102
        compile(short.replace("{1000, 2000, 3000}", "{0, 20, 30}"), "docs/library.md", "exec"),
        names,
    )
    told = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [int(words[0]) for words in told] == [0, 20, 30]
    losses = [float(words[1]) for words in told]
    assert losses[2] < losses[0]
    # The loss is that of the blurred output: each pixel the mean of the 5x5 around it.
    step = names["step"]
    assert isinstance(step, dip.Step) and step.output is not None
    inside = np.pad(np.ones((48, 48)), 2)
    padded = np.pad(step.output[0].astype(np.float64), 2)
    windows = [
        np.lib.stride_tricks.sliding_window_view(array, (5, 5)).sum(axis=(2, 3))
        for array in (padded, inside)
    ]
    expected = np.mean((windows[0] / windows[1] - stripes / 255) ** 2)
    assert losses[2] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"x0": np.zeros((32, 32), np.float32)}, r"x0 is float32 \(32, 32\); expected finite"),
        ({"x0": np.zeros((3, 32, 32), np.uint8)}, r"x0 is uint8 \(3, 32, 32\); expected finite"),
        ({"x0": np.full((3, 32, 32), np.nan, np.float32)}, "x0 is not finite everywhere"),
        ({"x": np.zeros((1, 32, 32), np.float32)}, r"x is \(1, 32, 32\); expected \(3, 32, 32\)"),
        (
            {"mask": np.full((1, 32, 32), 255.0)},
            r"mask is \(1, 32, 32\); expected \(1, 32, 32\), v",
        ),
        ({"mask": np.ones((1, 1, 32))}, r"mask is \(1, 1, 32\); expected \(1, 32, 32\), values"),
        ({"guide": np.ones((4, 8, 32))}, r"guide is \(4, 8, 32\); expected \(C, 32, 32\), values"),
    ],
)
def test_arrays_that_do_not_belong_together_are_told(parts: dict[str, Any], sentence: str) -> None:
    pytest.importorskip("torch")
    task = dip.Task(**{"name": "own", "x0": np.full((3, 32, 32), 0.5, np.float32), **parts})
    with pytest.raises(dip.InputError, match=sentence):
        dip.Fit(task, dip.Experiment(image="own/x", task="fit"))


def test_a_fit_is_of_the_arrays_as_they_were_given() -> None:
    pytest.importorskip("torch")
    x0 = np.linspace(0, 1, 32 * 32, dtype=np.float32).reshape(1, 32, 32)
    experiment = dip.Experiment(image="own/x", task="fit", channels=(2,) * 5, iterations=2)
    losses = []
    for change in (0.0, 0.5):
        mine = x0.copy()
        fit = dip.Fit(dip.denoising(mine, mine), experiment, keep=(k for k in (1,)))
        mine += change
        steps = list(fit)
        losses.append([(step.loss, step.psnr_db) for step in steps])
        assert [step.output is not None for step in steps] == [False, True, False]
    assert losses[0] == losses[1]


@pytest.mark.parametrize("keep", [{600}, {-1}, {4.5}, "5"])
def test_outputs_that_a_fit_never_has_cannot_be_kept(keep: Any) -> None:
    pytest.importorskip("torch")
    task = dip.denoising(np.full((3, 32, 32), 0.5, np.float32))
    with pytest.raises(dip.InputError, match=r"keep names iteration .*; expected 0 to 5, integers"):
        dip.Fit(task, dip.Experiment(image="own/x", task="fit", iterations=5), keep=keep)


def test_an_operator_of_another_shape_is_an_error() -> None:
    pytest.importorskip("torch")

    class FirstChannel:
        def on(self, device: str) -> Callable[["Tensor"], "Tensor"]:
            return lambda x: x[:, :1]

    task = dip.Task("first", np.full((3, 32, 32), 0.5, np.float32), operator=FirstChannel())
    with pytest.raises(dip.InputError, match=r"'first' gives \(1, 1, 32, 32\), x0 is"):
        dip.Fit(task, dip.Experiment(image="own/x", task="fit"))


def test_a_mask_goes_with_an_operator_that_makes_the_image_smaller() -> None:
    pytest.importorskip("torch")

    class Mean:
        def on(self, device: str) -> Callable[["Tensor"], "Tensor"]:
            from torch.nn.functional import avg_pool2d

            return lambda x: avg_pool2d(x, 4)

    x = np.linspace(0, 1, 32 * 32, dtype=np.float32).reshape(1, 32, 32)
    mask = np.ones((1, 8, 8), np.float32)
    mask[0, :2] = 0
    x0 = x.reshape(1, 8, 4, 8, 4).mean(axis=(2, 4))
    task = dip.Task("own", x0, x=x, mask=mask, operator=Mean(), factor=4)
    experiment = dip.Experiment(image="own/x", task="fit", channels=(2,) * 5, iterations=1)
    *_, last = dip.Fit(task, experiment, keep=[1])
    assert last.output is not None
    squares = (last.output.astype(np.float64) - x) ** 2
    for found, where in ((last.psnr_unknown_db, np.s_[:, :8]), (last.psnr_known_db, np.s_[:, 8:])):
        assert found == pytest.approx(-10 * np.log10(squares[where].mean()), abs=1e-4)


def test_what_does_not_go_together_is_told_in_a_sentence() -> None:
    torch = pytest.importorskip("torch")
    task = dip.denoising(np.full((3, 32, 32), 0.5, np.float32))
    with pytest.raises(
        dip.InputError, match="the task is 'denoising' and the experiment's task 'j"
    ):
        dip.Fit(task, dip.Experiment(image="own/x", task="jpeg"))
    dip.Fit(task, dip.Experiment(image="own/x", task="fit", channels=(2,) * 5))
    with pytest.raises(dip.InputError, match="unknown setting 'chanels'; did you mean 'channels'"):
        dip.Experiment(image="own/x", chanels=(8,) * 5)
    experiment = dip.Experiment(image="own/x", task="fit", channels=(2,) * 5)
    with pytest.raises(dip.InputError, match="threads is 0; it must be at least 1"):
        dip.Fit(task, experiment, threads=0)
    with pytest.raises(dip.InputError, match="this machine has no device 'None'"):
        dip.Fit(task, experiment, device=None)
    with pytest.raises(dip.InputError, match=r"the mask is \(\), the picture \(32, 32\)"):
        dip.inpainting(task.x0, None)
    assert dip.super_resolution(task.x0, 4.0).shape == (3, 128, 128)
    if not torch.cuda.is_available():
        with pytest.raises(dip.InputError, match="this machine has no device 'cuda'; it has "):
            dip.Fit(task, dip.Experiment(image="own/x", task="denoising"), device="cuda")


def test_every_name_of_the_front_door_is_there() -> None:
    pytest.importorskip("torch")
    for name in dir(dip):
        assert getattr(dip, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = dip.nothing


def test_tasks_of_arrays_know_their_truth_and_refuse_what_does_not_fit() -> None:
    x = np.random.default_rng(1).random((3, 32, 40))
    mask = np.ones((32, 40))
    mask[4:9, 5:12] = 0
    task = dip.inpainting(x, mask, x)
    assert task.shape == (3, 32, 40)
    assert task.x0[:, 4:9, 5:12].max() == 0
    assert np.array_equal(task.x0[:, :4], x[:, :4].astype(np.float32))
    assert dip.super_resolution(x, 8).shape == (3, 256, 320)
    for wrong, sentence in [
        (lambda: dip.inpainting(x, mask[:-1]), "the mask is"),
        (lambda: dip.inpainting(x, np.zeros((32, 40))), "no pixel as known"),
        (lambda: dip.super_resolution(x, 3), "a factor of 3 is not possible"),
        (lambda: dip.denoising(x.transpose(1, 2, 0)), "x0 is"),
        (lambda: dip.denoising(x.astype(str)), "x0 holds <U.*, not numbers"),
        (lambda: dip.denoising(x * 255), r"values outside \[0, 1\]"),
        (lambda: dip.denoising(x, x[:, :-1]), "x is"),
    ]:
        with pytest.raises(dip.InputError, match=sentence):
            wrong()
