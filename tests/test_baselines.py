"""Baselines: known pixels are kept, and each does what it is for."""

import numpy as np
import pytest
from small_runs import rings, waves

from dip.errors import InputError
from dip.experiments.experiment import Experiment
from dip.experiments.suites import BASELINES
from dip.tasks.baselines import METHODS, run_baseline
from dip.tasks.degradations import Task, make_task
from dip.tasks.metrics import psnr_db


def task_of(picture: np.ndarray, **settings: object) -> Task:
    mask = {} if "task" in settings else {"mask": "bernoulli"}
    experiment = Experiment.from_dict({"image": "made/it", **mask, **settings})
    return make_task(experiment, {"made/it": picture})


GREY = (waves(64, 64) / 255).astype(np.float32)[None]
COLOUR = (rings(64) / 255).astype(np.float32).transpose(2, 0, 1)


def test_every_baseline_that_a_suite_may_name_is_there() -> None:
    assert tuple(METHODS) == BASELINES


@pytest.mark.parametrize("picture", [GREY, COLOUR])
def test_filling_keeps_known_pixels_exactly(picture: np.ndarray) -> None:
    task = task_of(picture)
    assert task.mask is not None
    known = np.broadcast_to(task.mask > 0, picture.shape)
    levels = {}
    for method in ("nearest-known-pixel", "biharmonic"):
        output = run_baseline(method, task, 0)
        assert output.shape == picture.shape
        assert output.dtype == np.float32
        assert np.array_equal(output[known], picture[known])
        levels[method] = psnr_db(output, picture) or 0
    assert levels["biharmonic"] > levels["nearest-known-pixel"] + 3 > 15


def test_the_nearest_pixel_is_the_nearest() -> None:
    mask = np.zeros((1, 9, 9), np.float32)
    mask[0, [0, 8], [0, 8]] = 1
    picture = np.zeros((1, 9, 9), np.float32)
    picture[0, 8, 8] = 1
    experiment = Experiment(image="made/it", mask="made/mask")
    output = run_baseline(
        "nearest-known-pixel", make_task(experiment, {"made/it": picture, "made/mask": mask}), 0
    )
    row, column = np.mgrid[:9, :9]
    assert (output[0][row + column < 8] == 0).all()
    assert (output[0][row + column > 8] == 1).all()


@pytest.mark.parametrize("picture", [GREY, COLOUR])
@pytest.mark.parametrize("method", ["total-variation", "non-local-means"])
def test_denoising_gains(method: str, picture: np.ndarray) -> None:
    task = task_of(picture, task="denoising", noise_255=25)
    output = run_baseline(method, task, 25)
    assert output.shape == picture.shape
    before, after = psnr_db(task.x0, picture), psnr_db(output, picture)
    assert before is not None
    assert after is not None
    assert after > before + 3


def test_bicubic_beats_the_repeated_pixels() -> None:
    task = task_of(GREY, task="super-resolution", factor=4)
    repeated, output = psnr_db(task.shown, GREY), psnr_db(run_baseline("bicubic", task, 0), GREY)
    assert output is not None
    assert repeated is not None
    assert output > repeated + 1


@pytest.mark.parametrize(
    ("method", "task", "sentence"),
    [
        ("biharmonic", task_of(GREY, task="jpeg"), "needs a task with a mask"),
        ("non-local-means", task_of(GREY), "needs noise: noise_255 is 0"),
        ("bicubic", task_of(GREY), "needs a task of super-resolution"),
    ],
)
def test_a_baseline_that_does_not_apply_says_so(method: str, task: Task, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        run_baseline(method, task, 0)
