"""What is followed along the iterates: scores, average, variance of the window, best outputs."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from made_tasks import inpainting_task

from dip.engine.monitor import COLUMNS, ITERATION, PATIENCE, RULES, SPIKES, WINDOW, Monitor
from dip.engine.objective import Objective, psnr_db
from dip.tasks.degradations import Task

NO, YES = torch.tensor(False), torch.tensor(True)
TASK = replace(inpainting_task(4, 5, 2), mask=None)


def monitor_of(task: Task, iterations: int, decay: float = 0.9) -> Monitor:
    return Monitor(Objective(task, "cpu"), task.shape, iterations, decay, "cpu")


def take(
    monitor: Monitor, output: torch.Tensor, loss: float = 1.0, spike: torch.Tensor = NO
) -> dict[str, float]:
    """Take one output in, and give the row of the history."""
    monitor.take(output[None], torch.tensor(loss), spike)
    row = monitor.history[int(monitor.counts[ITERATION])].tolist()
    monitor.counts[ITERATION] += 1
    return dict(zip(COLUMNS, row, strict=True))


def drawn(shape: tuple[int, ...], count: int, seed: int = 0) -> list[torch.Tensor]:
    """Draw outputs that come to rest."""
    torch.manual_seed(seed)
    return [0.5 + 0.3 * torch.randn(shape) / (k + 1) ** 0.5 for k in range(count)]


def single_pixels(values: list[float]) -> tuple[Monitor, list[torch.Tensor]]:
    """Give a monitor of images of one pixel, whose truth is 0, and images of the values."""
    picture = np.zeros((1, 1, 1), np.float32)
    task = Task("denoising", picture, picture)
    return monitor_of(task, len(values)), [torch.full((1, 1, 1), value) for value in values]


def es_wmv(values: list[float], patience: int) -> int:
    """Name the iteration that the published rule stops at, by numpy's own variance."""
    best, lowest = -1, math.inf
    for k in range(WINDOW - 1, len(values)):
        variance = np.var(np.float64(np.float32(values[k - WINDOW + 1 : k + 1])))
        if best >= 0 and k - best > patience:
            break
        if variance < lowest:
            best, lowest = k, variance
    return best


def test_scores_are_mean_squared_errors_of_all_known_and_unknown_pixels() -> None:
    task = inpainting_task(6, 5, 2)
    assert task.x is not None and task.mask is not None
    monitor, output = monitor_of(task, 3), drawn((2, 6, 5), 1)[0]
    row = take(monitor, output, loss=0.25)
    squares = (output.numpy().astype(np.float64) - task.x) ** 2
    known = np.broadcast_to(task.mask == 1, squares.shape)
    wanted = (squares.mean(), squares[known].mean(), squares[~known].mean(), squares.mean())
    found = [row[name] for name in ("whole", "known", "unknown", "average")]
    assert found == pytest.approx(wanted, rel=1e-5) and row["loss"] == 0.25
    assert math.isnan(row["variance"]) and row["spikes"] == 0 and row["averaged"] == 1


def test_what_is_undefined_is_no_number() -> None:
    unmasked = take(monitor_of(TASK, 3), drawn(TASK.shape, 1)[0])
    assert math.isfinite(unmasked["whole"])
    assert math.isnan(unmasked["known"]) and math.isnan(unmasked["unknown"])
    monitor = monitor_of(replace(TASK, x=None), 3)
    untrue = take(monitor, drawn(TASK.shape, 1)[0])
    assert all(math.isnan(untrue[name]) for name in ("whole", "known", "unknown", "average"))
    assert untrue["averaged"] == 1 and monitor.stops() == {}


def test_average_is_exponential_and_begins_with_the_first_output() -> None:
    monitor, expected = monitor_of(TASK, 9, decay=0.7), None
    for output in drawn(TASK.shape, 9):
        take(monitor, output)
        expected = output if expected is None else 0.7 * expected + 0.3 * output
        torch.testing.assert_close(monitor.average[0], expected, rtol=1e-6, atol=1e-7)


def test_running_variance_is_the_variance_of_the_last_hundred() -> None:
    outputs = drawn(TASK.shape, 2 * WINDOW + 30)
    monitor = monitor_of(TASK, len(outputs))
    for k, output in enumerate(outputs):
        variance = take(monitor, output)["variance"]
        if k < WINDOW - 1:
            assert math.isnan(variance)
        else:
            last = torch.stack(outputs[k - WINDOW + 1 : k + 1]).double()
            direct = last.var(0, unbiased=False).mean()
            assert variance == pytest.approx(float(direct), rel=1e-8)


def test_outputs_that_stand_still_have_no_variance() -> None:
    monitor = monitor_of(TASK, WINDOW + 5)
    for _ in range(WINDOW + 5):
        row = take(monitor, torch.full(TASK.shape, 0.3))
    assert 0 <= row["variance"] < 1e-15


@pytest.mark.parametrize(("loss", "spike"), [(1.0, YES), (math.nan, NO), (math.inf, NO)])
def test_what_is_rolled_back_or_not_finite_enters_nothing(loss: float, spike: torch.Tensor) -> None:
    outputs = drawn(TASK.shape, WINDOW + 40)
    calm, disturbed = monitor_of(TASK, 400), monitor_of(TASK, 400)
    bad = torch.full(TASK.shape, math.nan if math.isnan(loss) else 0.9)
    for k, output in enumerate(outputs):
        wanted = take(calm, output)
        if k % 3 == 0:
            row = take(disturbed, bad, loss, spike)
            assert row["averaged"] == k
        found = take(disturbed, output)
        assert found == pytest.approx(wanted, nan_ok=True, rel=0, abs=0)
    for name in ("average", "ring", "total", "squares"):
        assert torch.equal(disturbed.tensors()[name], calm.tensors()[name])
    for name, stop in calm.stops().items():
        np.testing.assert_array_equal(disturbed.stops()[name].output, stop.output)


def test_spikes_that_were_counted_come_with_the_row() -> None:
    monitor = monitor_of(TASK, 3)
    monitor.counts[SPIKES] = 7
    assert take(monitor, drawn(TASK.shape, 1)[0])["spikes"] == 7


def test_oracle_is_the_first_of_the_best_scores_with_a_copy_of_its_output() -> None:
    monitor, outputs = single_pixels([0.5, 0.2, 0.4, 0.1, 0.3, 0.1, 0.2])
    shared = torch.empty(1, 1, 1)
    assert monitor.stops() == {}
    for output in outputs:
        take(monitor, shared.copy_(output))
    stop = monitor.stops()["oracle"]
    assert stop.iteration == 3
    np.testing.assert_array_equal(stop.output, outputs[3].numpy())


def test_scores_equal_in_32_bits_of_decibels_are_equal() -> None:
    monitor, outputs = single_pixels([0.011, 0.011 * (1 - 1e-7)])
    assert outputs[0] != outputs[1]
    assert len({psnr_db(float(output.double().square())) for output in outputs}) == 1
    for output in outputs:
        take(monitor, output)
    assert monitor.stops()["oracle"].iteration == 0


def test_the_oracle_waits_for_ever() -> None:
    values = [0.4, *[0.5] * (PATIENCE + 200), 0.3]
    monitor, outputs = single_pixels(values)
    for output in outputs:
        take(monitor, output)
    assert monitor.stops()["oracle"].iteration == len(values) - 1


@pytest.mark.parametrize(("wait", "accepted"), [(1000, True), (1001, False)])
def test_patience_is_the_published_thousand(wait: int, accepted: bool) -> None:
    """The least variance of all comes after so many iterations without a lower one."""
    assert (WINDOW, PATIENCE) == (100, 1000)
    calm = WINDOW + 9  # where the least variance is, before the pixel grows restless
    quiet = [0.5 + 0.1 * (-1) ** k / (k + 1) for k in range(calm + 1)]
    restless = [
        0.5 + (-1) ** k * 0.01 * (k - calm) ** 0.5 for k in range(calm + 1, calm + wait + 1)
    ]
    values = quiet + restless
    monitor, outputs = single_pixels(values)
    for output in outputs[:-1]:
        take(monitor, output)
    assert monitor.stops()["es-wmv"].iteration == es_wmv(values[:-1], 1000) == calm
    last = outputs[-1].double()  # as if the whole window were the last output
    monitor.total.copy_(last * WINDOW)
    monitor.ring.copy_(outputs[-1].expand_as(monitor.ring))
    monitor.squares.fill_(last.item() ** 2)
    take(monitor, outputs[-1])
    found = monitor.stops()["es-wmv"].iteration
    assert found == (calm + wait if accepted else calm)


@pytest.mark.parametrize("seed", range(4))
def test_es_wmv_follows_the_published_rule(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, "es-wmv", 25)
    rng = np.random.default_rng(seed)
    scales = np.interp(range(420), [0, 130, 190, 220, 419], [1, 0.3, 0.6, 0.4, 0.01])
    values = [float(0.5 + scale * rng.standard_normal() / 10) for scale in scales]
    monitor, outputs = single_pixels(values)
    for output in outputs:
        take(monitor, output)
    wanted = es_wmv(values, 25)
    assert wanted < 419 - 25
    stop = monitor.stops()["es-wmv"]
    assert stop.iteration == wanted
    np.testing.assert_array_equal(stop.output, outputs[wanted].numpy())


def test_the_state_of_a_monitor_is_all_it_needs_to_go_on() -> None:
    outputs = drawn(TASK.shape, WINDOW + 30)
    whole, first, second = (monitor_of(TASK, 200) for _ in range(3))
    rows = [take(whole, output) for output in outputs]
    for output in outputs[: WINDOW + 10]:
        take(first, output)
    for name, tensor in second.tensors().items():
        tensor.copy_(first.tensors()[name])
    rest = [take(second, output) for output in outputs[WINDOW + 10 :]]
    assert repr(rest) == repr(rows[WINDOW + 10 :])  # NaN is equal to itself there
    for name, tensor in whole.tensors().items():
        assert torch.equal(second.tensors()[name], tensor)
