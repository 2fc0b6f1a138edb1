"""What is followed along the iterates: variance of the window, best outputs."""

import numpy as np
import pytest
import torch

from dip.stopping import WINDOW, BestSoFar, WindowedVariance


def test_running_variance_is_the_variance_of_the_last_hundred() -> None:
    torch.manual_seed(0)
    window, outputs = WindowedVariance((2, 4, 5)), []
    for k in range(2 * WINDOW + 30):
        outputs.append(0.5 + 0.3 * torch.randn(2, 4, 5) / (k + 1) ** 0.5)
        told = window.push(outputs[-1])
        if k < WINDOW - 1:
            assert told is None
        else:
            direct = torch.stack(outputs[-WINDOW:]).double().var(0, unbiased=False).mean()
            assert told == pytest.approx(float(direct), rel=1e-8)


def test_outputs_that_stand_still_have_no_variance() -> None:
    window = WindowedVariance((1, 3, 3))
    for _ in range(WINDOW + 5):
        told = window.push(torch.full((1, 3, 3), 0.3))
    assert told == pytest.approx(0, abs=1e-15)


def test_best_keeps_a_copy_of_the_output_at_the_lowest_value() -> None:
    best = BestSoFar((1, 2, 2))
    assert best.stop() is None
    output = torch.zeros(1, 2, 2)
    for iteration, value in enumerate([3.0, 1.0, 2.0, 1.0]):
        output.fill_(iteration)
        best.offer(iteration, value, output)
    stop = best.stop()
    assert stop is not None and stop.iteration == 1
    np.testing.assert_array_equal(stop.output, np.ones((1, 2, 2)))


def test_patience_ends_the_search_for_good() -> None:
    best, output = BestSoFar((1, 1, 1), patience=10), torch.zeros(1, 1, 1)
    best.offer(100, 1.0, output)
    best.offer(110, 2.0, output)
    best.offer(111, 0.5, output)
    best.offer(112, 0.1, output)
    assert best.over and best.iteration == 100
    patient = BestSoFar((1, 1, 1), patience=10)
    patient.offer(100, 1.0, output)
    patient.offer(110, 0.5, output)
    assert not patient.over and patient.iteration == 110
