"""The operator d against a direct sum, and how it is differentiated."""

import math

import numpy as np
import pytest
import torch
from made_tasks import downsample, waves

from dip.engine.objective import Objective
from dip.errors import InputError
from dip.tasks.degradations import lanczos_matrix, super_resolution


def lanczos(distance: float) -> float:
    if abs(distance) >= 2:
        return 0.0
    if distance == 0:
        return 1.0
    angle = math.pi * distance
    return 2 * math.sin(angle) * math.sin(angle / 2) / angle**2


@pytest.mark.parametrize("factor", [4, 8])
def test_each_low_resolution_pixel_is_a_weighted_sum_around_its_centre(factor: int) -> None:
    x = waves(64, 48, 2).astype(np.float64)
    low = downsample(x.astype(np.float32), factor)
    assert low.shape == (2, 64 // factor, 48 // factor) and low.dtype == np.float32
    for row, column in [(0, 0), (3, 2), (64 // factor - 1, 48 // factor - 1)]:
        centres = [(place + 0.5) * factor - 0.5 for place in (row, column)]
        total, value = 0.0, np.zeros(2)
        for i in range(64):
            for j in range(48):
                weight = lanczos((i - centres[0]) / factor) * lanczos((j - centres[1]) / factor)
                total += weight
                value += weight * x[:, i, j]
        np.testing.assert_allclose(low[:, row, column], value / total, rtol=1e-6)


def test_away_from_the_border_it_is_one_fixed_convolution() -> None:
    weights = lanczos_matrix(64, 4)
    taps = weights[5][np.nonzero(weights[5])]
    assert len(taps) == 16
    for row in range(2, 14):
        np.testing.assert_allclose(weights[row][np.nonzero(weights[row])], taps, rtol=1e-12)


def test_a_constant_stays_a_constant_up_to_the_border() -> None:
    np.testing.assert_allclose(downsample(np.full((1, 32, 32), 0.7, np.float32), 8), 0.7, rtol=1e-6)


def test_a_side_that_does_not_divide_is_told() -> None:
    with pytest.raises(InputError, match="30 pixels cannot be reduced 4 times"):
        downsample(np.zeros((1, 32, 30), np.float32), 4)


def test_the_data_term_reduces_the_output_by_the_same_operator() -> None:
    x, other = waves(32, 48, 3), waves(32, 48, 3)[:, ::-1].copy()
    x0 = downsample(x, 4)
    objective = Objective(super_resolution(x0, 4, x), "cpu")
    assert objective.loss(torch.from_numpy(x)[None]).item() < 1e-12
    expected = np.mean((downsample(other, 4) - x0).astype(np.float64) ** 2)
    loss = objective.loss(torch.from_numpy(other)[None]).item()
    assert loss == pytest.approx(expected, rel=1e-5)
