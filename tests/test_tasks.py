"""Tasks: the degraded input, the truth and the mask, repeatable and as the paper says."""

from typing import Any

import numpy as np
import pytest

from dip.errors import InputError
from dip.experiments.experiment import Experiment
from dip.tasks.degradations import Task, make_task, normal, random_bits, uniform
from dip.tasks.images import centre_box, resized

RANDOM = np.random.Generator(np.random.Philox(1))
WORDS = [15722591222556946973, 7105747074721893918]  # of seed 0 for purpose 101
PICTURE = RANDOM.random((3, 64, 96)).astype(np.float32)


def task_of(picture: np.ndarray = PICTURE, **settings: object) -> Task:
    others = settings.pop("others", {})
    mask = {} if "task" in settings else {"mask": "bernoulli"}
    experiment = Experiment.from_dict({"image": "made/it", **mask, **settings})
    return make_task(experiment, {"made/it": picture, **others})  # type: ignore[dict-item]


def plain_function(x: np.ndarray) -> np.ndarray:
    return x


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"factor": 4}, "factor is 4, and there is no operator that reduces"),
        ({"factor": 0}, "factor is 0; expected an integer from 1 on"),
        ({"factor": -1}, "factor is -1; expected an integer from 1 on"),
        ({"factor": 1.5}, "factor is 1.5; expected an integer from 1 on"),
        ({"operator": plain_function}, "operator is a function; expected an object with the metho"),
        ({"mask": "abc"}, "mask is a str; expected an array"),
        ({"x0": None}, "x0 is a NoneType; expected an array"),
        ({"mask": np.zeros((1, 64, 96))}, "mask is 0 everywhere: nothing is known"),
        ({"guide": np.zeros((0, 64, 96))}, r"guide is \(0, 64, 96\); expected \(C, 64, 96\)"),
        ({"x": PICTURE.astype(str)}, "x is .*, values in"),
    ],
)
def test_parts_that_are_no_task_are_told_in_a_sentence(
    parts: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        Task(**{"name": "own", "x0": PICTURE, **parts}).check()


def test_random_words_never_change() -> None:
    assert random_bits(0, 101, 2).tolist() == WORDS
    assert not np.array_equal(random_bits(1, 101, 2), random_bits(0, 101, 2))
    assert not np.array_equal(random_bits(0, 102, 2), random_bits(0, 101, 2))


def test_uniform_and_normal_values_have_their_laws() -> None:
    flat = uniform(3, 7, (200, 500))
    assert 0 <= flat.min() < 1e-3
    assert 0.999 < flat.max() < 1
    assert abs(flat.mean() - 0.5) < 0.005
    bell = normal(3, 7, (200, 501))
    assert abs(bell.mean()) < 0.01
    assert abs(bell.std() - 1) < 0.01
    assert abs((np.abs(bell) < 1).mean() - 0.6827) < 0.01


def test_a_bernoulli_mask_is_one_for_all_channels() -> None:
    task = task_of(keep=0.5)
    assert task.mask is not None
    assert task.mask.shape == (1, 64, 96)
    assert set(np.unique(task.mask)) == {0, 1}
    assert abs(task.mask.mean() - 0.5) < 0.03
    assert task.x is not None
    assert np.array_equal(task.x0, task.x * task.mask)
    assert np.array_equal(task.x0, task_of(keep=0.5).x0)
    other = task_of(keep=0.5, seed=1).mask
    assert other is not None
    assert 0.4 < (other != task.mask).mean() < 0.6
    assert task.shape == (3, 64, 96)


def test_a_mask_image_must_fit_and_leave_something_to_do() -> None:
    mask = np.ones((1, 64, 96), np.float32)
    mask[0, 10:20] = 0
    task = task_of(mask="made/mask", others={"made/mask": mask})
    assert np.array_equal(task.mask, mask)
    with pytest.raises(InputError, match=r"mask 'made/mask': the mask is \(64, 95\)"):
        task_of(mask="made/mask", others={"made/mask": mask[:, :, 1:]})
    with pytest.raises(InputError, match="marks every pixel as known"):
        task_of(mask="made/mask", others={"made/mask": np.ones_like(mask)})
    with pytest.raises(InputError, match="marks no pixel as known"):
        task_of(mask="made/mask", others={"made/mask": np.zeros_like(mask)})


def test_in_a_preview_a_pixel_is_known_only_if_all_that_it_averages_are() -> None:
    mask = np.ones((1, 64, 64), np.float32)
    mask[0, 0, 0] = 0
    task = task_of(
        PICTURE[:, :, :64], mask="made/mask", preview_side=32, others={"made/mask": mask}
    )
    assert task.mask is not None
    assert task.mask[0, 0, 0] == 0
    assert task.mask.sum() == 32 * 32 - 1


def test_noise_is_gaussian_and_clipped() -> None:
    grey = np.full((1, 128, 128), 0.5, np.float32)
    task = task_of(grey, task="denoising", noise_255=25)
    assert abs((task.x0 - grey).std() - 25 / 255) < 0.002
    task = task_of(task="denoising", noise_255=25)
    assert (task.x0.min(), task.x0.max()) == (0, 1)
    with pytest.raises(InputError, match="task 'denoising' needs noise_255"):
        task_of(task="denoising")


@pytest.mark.parametrize("factor", [4, 8])
def test_super_resolution_reduces_the_centre_box(factor: int) -> None:
    picture = RANDOM.random((1, 70, 99)).astype(np.float32)
    task = task_of(picture, task="super-resolution", factor=factor)
    assert task.shape == (1, 64, 96)
    assert task.x0.shape == (1, 64 // factor, 96 // factor)
    assert task.shown.shape == task.shape
    assert np.array_equal(task.x, picture[:, 3:67, 1:97])
    with pytest.raises(InputError, match="at least 32x32"):
        task_of(picture[:, :20], task="super-resolution", factor=factor)


def test_resizing_leaves_a_flat_picture_flat() -> None:
    flat = np.full((3, 32, 64), 77 / 255, np.float32)
    assert np.array_equal(
        resized(flat, 8, 16, "LANCZOS"), np.full((3, 8, 16), np.float32(77 / 255))
    )
    assert centre_box(flat).shape == (3, 32, 64)


def test_the_targets_of_figure_2() -> None:
    image = task_of(task="fit", target="image")
    assert np.array_equal(image.x0, PICTURE)
    noisy = task_of(task="fit", target="noisy", noise_255=25)
    assert np.array_equal(noisy.x, PICTURE)
    assert 0.05 < np.abs(noisy.x0 - PICTURE).mean() < 0.1
    shuffled = task_of(task="fit", target="shuffled").x0
    assert not np.array_equal(shuffled, PICTURE)
    as_rows = [sorted(map(tuple, p.reshape(3, -1).T.tolist())) for p in (shuffled, PICTURE)]
    assert as_rows[0] == as_rows[1], "pixels are moved whole"
    channels = task_of(task="fit", target="shuffled-channels").x0
    for one, other in zip(channels, PICTURE, strict=True):
        assert np.array_equal(np.sort(one, axis=None), np.sort(other, axis=None))
    assert not np.array_equal(
        np.argsort(channels[0], axis=None), np.argsort(channels[1], axis=None)
    )
    assert np.array_equal(channels[0], shuffled[0]), "so in grey both are one target"
    noise = task_of(task="fit", target="noise").x0
    assert abs(noise.var() - 1 / 12) < 0.005


def test_pictures_without_a_truth() -> None:
    jpeg = task_of(task="jpeg")
    assert jpeg.x is None
    assert np.array_equal(jpeg.x0, PICTURE)
    flash = task_of(
        task="flash", z="guide", guide="made/flash", others={"made/flash": PICTURE * 0.5}
    )
    assert np.array_equal(flash.guide, PICTURE * np.float32(0.5))
    with pytest.raises(InputError, match="needs the key 'guide'"):
        task_of(task="flash", z="guide")
    with pytest.raises(InputError, match="the guide is"):
        short = {"made/flash": PICTURE[:, 1:]}
        task_of(task="flash", z="guide", guide="made/flash", others=short)
