"""PSNR and SSIM against closed forms and against what the paper prints."""

import math
import os
from pathlib import Path

import numpy as np
import pytest

from dip.experiments.experiment import Experiment
from dip.experiments.test_images import load_images
from dip.tasks.baselines import run_baseline
from dip.tasks.degradations import make_task
from dip.tasks.images import centre_box, load, resized
from dip.tasks.metrics import luma, psnr_db, psnr_luma_db, scores, ssim

RANDOM = np.random.Generator(np.random.Philox(2))
TRUTH = RANDOM.random((3, 64, 64)).astype(np.float64)
IMAGES = Path(__file__).parent.parent / "content/images.toml"
real = pytest.mark.skipif("DIP_IMAGES" not in os.environ, reason="the test images are not here")


@pytest.mark.parametrize("distance", [0.1, 0.01, 0.5])
def test_psnr_of_a_constant_distance(distance: float) -> None:
    assert psnr_db(TRUTH + distance, TRUTH) == pytest.approx(-20 * math.log10(distance))


def test_psnr_over_a_part() -> None:
    where = np.zeros((1, 64, 64))
    where[:, :16] = 1
    output = TRUTH.copy()
    output[:, :16] += 0.1
    assert psnr_db(output, TRUTH, where) == pytest.approx(20)
    assert psnr_db(output, TRUTH) == pytest.approx(20 + 10 * math.log10(4))
    assert psnr_db(output, TRUTH, 1 - where) is None, "equal there"
    assert psnr_db(output, TRUTH, where * 0) is None, "nothing there"


def test_ssim_of_a_shift_in_brightness_is_its_first_factor() -> None:
    flat = np.full((1, 32, 32), 0.4)
    c1 = 0.01**2
    expected = (2 * 0.4 * 0.6 + c1) / (0.4**2 + 0.6**2 + c1)
    assert ssim(flat + 0.2, flat) == pytest.approx(expected)
    assert ssim(TRUTH, TRUTH) == pytest.approx(1)
    assert ssim(TRUTH[:, :10], TRUTH[:, :10]) is None, "smaller than the window"


def test_luma_goes_from_16_to_235() -> None:
    black, white = np.zeros((3, 1, 1)), np.ones((3, 1, 1))
    assert luma(black).item() == 16
    assert luma(white).item() == pytest.approx(235)
    assert luma(white[:1]).item() == pytest.approx(235)
    red = np.array([1.0, 0, 0])[:, None, None]
    assert luma(red).item() == pytest.approx(16 + 65.481)


def test_luma_psnr_looks_at_the_box_less_its_border() -> None:
    truth = np.round(RANDOM.random((3, 70, 70)) * 200) / 255
    output = truth.copy()
    output[:, :7] = output[:, 67 - 4 :] = output[:, :, :7] = output[:, :, 67 - 4 :] = 1
    assert psnr_luma_db(output, truth) is None, "only outside"
    output = truth + 10 / 255
    assert psnr_luma_db(output, truth) == pytest.approx(20 * math.log10(255 / (10 * 219 / 255)))


def test_scores_have_what_is_defined_only() -> None:
    experiment = Experiment(image="made/it", mask="bernoulli")
    task = make_task(experiment, {"made/it": TRUTH.astype(np.float32)})
    found = scores(task, task.x0, 0.5)
    assert found["loss"] == 0.5
    assert found["psnr_known_db"] is None
    assert 0 < found["psnr_unknown_db"] < found["psnr_db"]
    broken = scores(task, np.full_like(task.x0, np.nan), float("nan"))
    assert set(broken.values()) == {None}
    jpeg = make_task(Experiment(image="made/it", task="jpeg"), {"made/it": TRUTH})
    assert set(scores(jpeg, jpeg.x0).values()) == {None}


@pytest.mark.parametrize("target", ["image", "noisy", "shuffled", "shuffled-channels", "noise"])
def test_a_fit_tells_the_variance_of_its_target(target: str) -> None:
    noise_255 = 25 if target == "noisy" else 0
    experiment = Experiment(image="made/it", task="fit", target=target, noise_255=noise_255)
    task = make_task(experiment, {"made/it": 0.3 + TRUTH / 5})
    variance = scores(task, task.shown)["target_variance"]
    assert variance == pytest.approx(task.x0.astype(np.float64).var())
    of_noise = {"noise": 1 / 12, "noisy": 1 / 300 + (25 / 255) ** 2}
    assert variance == pytest.approx(of_noise.get(target, 1 / 300), rel=0.05)


@real
def test_bicubic_of_set5_as_the_paper_prints_it() -> None:
    """Table of Set5 x4, bicubic: what Pillow's bicubic filter gives both ways."""
    printed = {"baby": 31.78, "bird": 30.20, "butterfly": 22.13, "head": 31.34, "woman": 26.75}
    images = load_images(IMAGES)
    for name, psnr in printed.items():
        truth = centre_box(load(images[f"set5/{name}"]))
        _, height, width = truth.shape
        small = resized(truth, height // 4, width // 4, "BICUBIC")
        large = resized(small, height, width, "BICUBIC")
        assert psnr_luma_db(large, truth) == pytest.approx(psnr, abs=0.05), name


@real
def test_nearest_known_pixel_on_real_pictures() -> None:
    """As measured independently with other masks; Peppers has a black border, and is left out."""
    measured = {"house": 30.06, "cameraman": 24.71, "montage": 24.73}
    images = load_images(IMAGES)
    for name, psnr in measured.items():
        image = f"standard11/{name}"
        experiment = Experiment(image=image, mask="bernoulli")
        task = make_task(experiment, {image: load(images[image])})
        assert task.x is not None
        output = run_baseline("nearest-known-pixel", task, 0)
        assert psnr_db(output, task.x) == pytest.approx(psnr, abs=0.2), name
