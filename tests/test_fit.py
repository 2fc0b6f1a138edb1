"""The fit: what it yields, that it is exact, that it can be taken up again, and its rules."""

import hashlib
import subprocess
import sys
from dataclasses import fields, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_tasks import downsample, inpainting_task, small, waves

from dip.fit import Fit, Step, fit
from dip.machine import set_arithmetic
from dip.network import Network
from dip.optimiser import BETA_1, BETA_2, SETTLING, Adam, SpikeWatch
from dip.problems import InputError
from dip.tasks import Task

ROOT = Path(__file__).resolve().parent.parent
VARIANTS: list[dict[str, Any]] = [
    {},
    {"spike_factor": None},
    {"spike_factor": 1.01, "learning_rate": 0.1, "iterations": 114},
    {"spike_factor": 1.01, "learning_rate": 0.1, "iterations": 114, "spike_return": "weights"},
]


def psnr_db(squares: np.ndarray) -> float:
    return float(-10 * np.log10(squares.astype(np.float64).mean()))


def test_yields_every_iterate_from_the_first_output_to_the_last() -> None:
    steps = list(fit(inpainting_task(), small(iterations=5), keep=(0, 3)))
    assert [step.iteration for step in steps] == [0, 1, 2, 3, 4, 5]
    assert [step.iteration for step in steps if step.output is not None] == [0, 3]


def test_loss_and_scores_are_those_of_the_output() -> None:
    task = inpainting_task(30, 32, 3)
    last = list(fit(task, small(), keep=(4,)))[-1]
    assert last.output is not None and last.output.shape == (3, 30, 32)
    assert last.output.dtype == np.float32
    assert task.mask is not None and task.x is not None
    squares = (last.output - task.x) ** 2
    known = np.broadcast_to(task.mask, squares.shape) == 1
    assert last.loss == pytest.approx((squares * known).mean(), rel=1e-5)
    assert last.psnr_db == pytest.approx(psnr_db(squares), abs=1e-4)
    assert last.psnr_known_db == pytest.approx(psnr_db(squares[known]), abs=1e-4)
    assert last.psnr_unknown_db == pytest.approx(psnr_db(squares[~known]), abs=1e-4)


def test_without_truth_there_are_losses_and_no_scores() -> None:
    task = replace(inpainting_task(), x=None)
    steps = list(fit(task, small()))
    assert all(step.psnr_db is None and step.psnr_average_db is None for step in steps)
    assert all(step.loss > 0 for step in steps)


def test_sliding_average_is_the_exponential_one_of_the_outputs() -> None:
    run = Fit(inpainting_task(), small(average_decay=0.7, iterations=6), keep=range(7))
    outputs = [step.output for step in run]
    expected = outputs[0]
    for output in outputs[1:]:
        expected = 0.7 * expected + 0.3 * output
    assert run.average is not None
    np.testing.assert_allclose(run.average, expected, rtol=1e-5)


def test_the_fit_finds_the_picture() -> None:
    steps = list(fit(inpainting_task(), small(iterations=150, sigma_p=0.01)))
    assert steps[-1].psnr_db is not None and steps[0].psnr_db is not None
    assert steps[-1].psnr_db > steps[0].psnr_db + 8
    assert steps[-1].loss < steps[0].loss / 10


def test_oracle_stop_is_the_best_iterate_and_its_output() -> None:
    run = Fit(inpainting_task(), small(iterations=120, learning_rate=0.03), keep=range(121))
    steps = list(run)
    best = max(steps, key=lambda step: (step.psnr_db, -step.iteration))
    stop = run.stops()["oracle"]
    assert stop.iteration == best.iteration
    np.testing.assert_array_equal(stop.output, best.output)


def test_es_wmv_stop_is_at_the_least_windowed_variance() -> None:
    run = Fit(inpainting_task(), small(iterations=120), keep=range(121))
    assert "es-wmv" not in run.stops()
    steps = list(run)
    assert all(step.windowed_variance is None for step in steps[:99])
    best = min(steps[99:], key=lambda step: step.windowed_variance)
    assert run.stops()["es-wmv"].iteration == best.iteration
    np.testing.assert_array_equal(run.stops()["es-wmv"].output, best.output)


def test_clean_output_feeds_z_itself_and_disturbs_nothing() -> None:
    disturbed, quiet = (Fit(inpainting_task(), small()) for _ in range(2))
    steps = []
    for step in disturbed:
        steps.append(step)
        disturbed.clean_output()
    assert steps == list(quiet)
    noiseless = Fit(inpainting_task(), small(sigma_p=0.0), keep=(0,))
    fresh = Fit(inpainting_task(), small()).clean_output()
    np.testing.assert_array_equal(fresh, next(iter(noiseless)).output)


@pytest.mark.parametrize("settings", VARIANTS)
@pytest.mark.parametrize("before_end", [13, 6])
def test_taken_up_from_a_state_equals_uninterrupted_bit_for_bit(
    before_end: int, settings: dict[str, Any], tmp_path: Path
) -> None:
    experiment = small(**({"iterations": 14} | settings))
    at, last = experiment.iterations - before_end, experiment.iterations
    whole = Fit(inpainting_task(), experiment, keep=(last,))
    steps = list(whole)
    first = Fit(inpainting_task(), experiment, keep=(last,))
    begun = list(islice(first, at))
    np.savez(tmp_path / "state.npz", **first.state())
    second = Fit(inpainting_task(), experiment, keep=(last,))
    with np.load(tmp_path / "state.npz") as state:
        second.restore(state)
    rest = list(second)
    assert [told(step) for step in begun + rest] == [told(step) for step in steps]
    assert all(
        np.array_equal(one, other)
        for one, other in zip(second.state().values(), whole.state().values(), strict=True)
    )
    assert second.stops()["oracle"].iteration == whole.stops()["oracle"].iteration


def told(step: Step) -> tuple[Any, ...]:
    output = None if step.output is None else step.output.tobytes()
    return (*(getattr(step, field.name) for field in fields(step)[:-1]), output)


def test_a_state_of_another_experiment_is_refused() -> None:
    state = Fit(inpainting_task(), small()).state()
    with pytest.raises(ValueError, match="does not fit"):
        Fit(inpainting_task(), small(channels=(8, 8))).restore(state)


CHILD = """
import hashlib, sys
sys.path[:0] = ["tests", "."]
from made_tasks import inpainting_task, small
from dip.fit import Fit
run = Fit(inpainting_task(64, 64), small(iterations=12), threads=2)
losses = [step.loss for step in run]
print(hashlib.sha256(run.state()["adam"].tobytes()).hexdigest(), losses[-1])
"""


@pytest.mark.slow
def test_two_fresh_processes_give_the_same_bits() -> None:
    told = {
        subprocess.run(
            [sys.executable, "-c", CHILD], cwd=ROOT, capture_output=True, check=True
        ).stdout
        for _ in range(2)
    }
    assert len(told) == 1 and len(told.pop()) > 64


def test_adam_is_the_stock_adam() -> None:
    torch.manual_seed(0)
    values, stock = torch.zeros(3, 50), torch.randn(50, requires_grad=True)
    values[0] = stock.detach()
    ours = Adam(values, 0.01, remember=True)
    theirs = torch.optim.Adam([stock], lr=0.01, foreach=False)
    for _ in range(30):
        gradient = torch.randn(50) * 1e-3
        ours.update(gradient)
        stock.grad = gradient.clone()
        theirs.step()
    torch.testing.assert_close(values[0], stock.detach(), rtol=1e-6, atol=1e-7)


def test_adam_goes_back_to_the_iterate_before_and_repeats_its_step() -> None:
    torch.manual_seed(0)
    values = torch.zeros(3, 20)
    adam = Adam(values, 0.01, remember=True)
    adam.update(torch.randn(20))
    before, gradient = values.clone(), torch.randn(20)
    adam.update(gradient)
    after = values.clone()
    adam.go_back()
    assert torch.equal(values, before) and adam.updates == 1
    adam.update(gradient)
    assert torch.equal(values, after) and adam.updates == 2


def test_spike_watch_tells_jumps_and_nan_from_steady_losses() -> None:
    watch = SpikeWatch(2.0)
    assert [watch.is_bad(k, loss) for k, loss in enumerate((1.0, 1.5, 0.9))] == [False] * 3
    assert all(watch.is_bad(SETTLING, loss) for loss in (2.5, float("nan"), float("inf")))
    assert watch.count == 3
    assert not watch.is_bad(SETTLING + 1, 0.9)


def test_while_the_fit_settles_only_what_is_not_finite_is_a_spike() -> None:
    watch = SpikeWatch(2.0)
    losses = (1.0, 5.0, float("nan"), float("inf"), 9.0)
    judged = [watch.is_bad(iteration, loss) for iteration, loss in enumerate(losses)]
    assert judged == [False, False, True, True, False]
    assert watch.is_bad(SETTLING, 9.0) and not watch.is_bad(SETTLING, 1.0)


def test_spike_watch_accepts_a_lasting_change_in_the_end() -> None:
    watch = SpikeWatch(2.0)
    judged = [watch.is_bad(SETTLING, loss) for loss in [1.0] + [10.0] * 60]
    assert judged[1] and not judged[-1]


def test_without_a_factor_nothing_is_a_spike() -> None:
    watch = SpikeWatch(None)
    assert not any(watch.is_bad(SETTLING, loss) for loss in (1.0, 100.0, float("nan")))


def test_a_spike_takes_theta_back_and_the_iteration_goes_on() -> None:
    run = Fit(inpainting_task(), small(iterations=SETTLING + 9))
    steps = iter(run)
    for _ in range(SETTLING):
        next(steps)
    good = run.network.values.clone()
    with torch.no_grad():
        run.network.values[0] += 3 * torch.randn_like(run.network.values[0])
        run.adam.previous.copy_(good)  # type: ignore[union-attr]
    run.spikes.running = 1e-9
    averaged = run.averaged
    spiked = next(steps)
    assert spiked.spikes == 1 and spiked.iteration == SETTLING
    assert torch.equal(run.network.values, good) and run.averaged == averaged
    assert next(steps).iteration == SETTLING + 1


def test_where_the_weights_alone_go_back_the_means_take_in_the_jump() -> None:
    run = Fit(inpainting_task(), small(iterations=SETTLING + 9, spike_return="weights"))
    steps = iter(run)
    for _ in range(SETTLING):
        next(steps)
    good = run.network.values.clone()
    assert run.adam.previous is not None
    with torch.no_grad():
        run.network.values[0] += 3 * torch.randn_like(run.network.values[0])
        run.adam.previous.copy_(good)
    run.spikes.running, updates = 1e-9, run.adam.updates
    assert next(steps).spikes == 1
    parameters, mean, square = run.network.values
    assert torch.equal(parameters, good[0])
    assert run.adam.updates == updates + 1
    gradient = (mean - BETA_1 * good[1]) / (1 - BETA_1)
    assert gradient.abs().max() > 0
    expected = BETA_2 * good[2] + (1 - BETA_2) * gradient**2
    assert torch.allclose(square, expected, rtol=1e-2, atol=1e-12)


@pytest.mark.parametrize("spike_return", ["state", "weights"])
def test_means_that_are_no_numbers_are_taken_back_too(spike_return: str) -> None:
    run = Fit(inpainting_task(), small(iterations=40, spike_return=spike_return))
    steps = iter(run)
    for _ in range(5):
        next(steps)
    run.network.values.fill_(float("nan"))
    assert next(steps).spikes == 1
    assert torch.isfinite(run.network.values).all()
    assert all(np.isfinite(step.loss) for step in steps)


def test_nan_in_theta_is_taken_back_and_the_fit_goes_on() -> None:
    run = Fit(inpainting_task(), small(iterations=40))
    steps = iter(run)
    for _ in range(5):
        next(steps)
    run.network.values[0].fill_(float("nan"))
    assert next(steps).spikes == 1
    rest = list(steps)
    assert all(np.isfinite(step.loss) for step in rest)
    assert all(np.isfinite(step.psnr_average_db) for step in rest)


@pytest.mark.parametrize(
    ("height", "width", "settings"),
    [(35, 50, {}), (7, 9, {}), (21, 32, {"kernel_down": 5}), (5, 33, {})],
)
def test_any_side_can_be_fitted(height: int, width: int, settings: dict[str, Any]) -> None:
    steps = list(fit(inpainting_task(height, width), small(**settings), keep=(4,)))
    assert steps[-1].output is not None and steps[-1].output.shape == (1, height, width)


def test_super_resolution_fits_through_d() -> None:
    x = waves(32, 64, 1)
    task = Task("super-resolution", downsample(x, 4), x, None, 4, None, x.shape, x)
    experiment = small(task="super-resolution", factor=4, mask=None, iterations=60, sigma_p=0.01)
    steps = list(fit(task, experiment))
    assert steps[-1].loss < steps[0].loss / 3 and steps[-1].psnr_known_db is None


def test_arithmetic_is_set_by_name_and_refused_where_it_cannot_be() -> None:
    set_arithmetic("ieee", "cpu")
    assert torch.backends.cudnn.allow_tf32 is False
    with pytest.raises(InputError, match="did you mean 'bf16'"):
        set_arithmetic("bf15", "cpu")
    with pytest.raises(InputError, match="needs a CUDA device"):
        set_arithmetic("tf32", "cpu")
    with pytest.raises(InputError, match="not available on cpu"):
        Fit(inpainting_task(), small(arithmetic="tf32"))


def test_hash_of_the_weights_does_not_hang_on_threads() -> None:
    digests, usual = set(), torch.get_num_threads()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        values = Network(small(), 6, 1, "cpu").values
        digests.add(hashlib.sha256(values.numpy().tobytes()).hexdigest())
    torch.set_num_threads(usual)
    assert len(digests) == 1
