"""The one step: the same with and without a graph, without the host, and in 16 bits."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from made_tasks import inpainting_task, small
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from dip.engine.fit import Fit
from dip.engine.graph import Replay
from dip.engine.monitor import AVERAGED, ITERATION, SPIKES, UPDATES
from dip.engine.step import EngineStep

SETTINGS: list[dict[str, Any]] = [
    {},
    {"sigma_p": 0.0},
    {"spike_factor": None},
    {"spike_return": "weights"},
    {"skip_channels": (0, 2)},
    {"upsampling": "nearest"},
    {"align_corners": True, "kernel_skip": 3},
    {"kernel_up": 5, "kernel_skip": 5},
]
BOTH = (torch.float32, torch.bfloat16)


def made_step(
    dtype: torch.dtype = torch.float32, device: str = "cpu", **settings: Any
) -> EngineStep:
    return EngineStep(inpainting_task(), small(**settings), device, dtype)


def losses(step: EngineStep, count: int) -> list[float]:
    """Do the next `count` iterations; the experiment's last is never among them."""
    begun = int(step.monitor.counts[ITERATION])
    for _ in range(count):
        step.run(False)
    return step.monitor.history[begun : begun + count, 0].tolist()


def copied(step: EngineStep) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in step.tensors().items()}


def same(one: dict[str, Tensor], two: dict[str, Tensor]) -> bool:
    """Tell whether two states are equal bit for bit, NaN included."""
    assert one.keys() == two.keys()
    return all(one[name].numpy().tobytes() == two[name].numpy().tobytes() for name in one)


class Devices(TorchDispatchMode):
    """Notes where every operation's results lie, and which operations there were."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.operations: set[str] = set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        out = function(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, tuple | list) else [out]:
            self.found |= {tensor.device.type} if isinstance(tensor, Tensor) else set()
        self.operations.add(str(function))
        return out


@pytest.mark.parametrize("dtype", BOTH, ids=str)
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_step_takes_nothing_from_the_host(settings: dict[str, Any], dtype: torch.dtype) -> None:
    """Else no graph could hold it. What lies on "meta" has no values that one could wait for."""
    step = made_step(dtype, "meta", **settings)
    step.run(False)
    step.run(True)  # what is made once is made
    for last in (False, True):
        with Devices() as devices:
            step.run(last)
        assert devices.found == {"meta"}
        assert len(devices.operations) > 30


def test_the_test_for_the_host_sees_what_it_should() -> None:
    """A number that is asked for is refused, and an array of the host is seen."""
    with pytest.raises(RuntimeError, match="meta"):
        torch.zeros((), device="meta").item()
    with Devices() as devices:
        torch.tensor([1.0, 2.0])
    assert devices.found == {"cpu"}


@pytest.mark.parametrize("settings", SETTINGS[:4], ids=str)
def test_the_warm_up_of_a_capture_leaves_no_trace(settings: dict[str, Any]) -> None:
    found = []
    for count in (0, 1, 5):
        step = made_step(iterations=6, **settings)
        replay = Replay(step, "cpu", warm_ups=count)
        for last in (False, True):
            replay.warm_up(last)
        before = losses(step, 3)
        for last in (True, False):
            replay.warm_up(last)
        rest = losses(step, 3)
        step.run(True)
        found.append((before + rest, copied(step), step.output.clone()))
    for told, state, output in found[1:]:
        assert told == found[0][0] and same(state, found[0][1])
        assert torch.equal(output, found[0][2])


@pytest.mark.parametrize("settings", SETTINGS[:3], ids=str)
def test_the_last_iteration_is_scored_and_takes_no_update(settings: dict[str, Any]) -> None:
    short, long = made_step(iterations=5, **settings), made_step(iterations=9, **settings)
    losses(short, 5), losses(long, 5)
    before = copied(short)
    short.run(True)
    long.run(False)
    assert torch.equal(short.output, long.output)
    rows = [{"row": step.monitor.history[5]} for step in (short, long)]
    assert same(*rows)
    assert torch.equal(short.adam.values, before["adam"])
    assert short.monitor.counts[ITERATION] == 6 and short.monitor.counts[UPDATES] == 5
    assert short.monitor.counts[AVERAGED] == 6


@pytest.mark.parametrize("spike_return", ["state", "weights"])
def test_a_last_output_that_is_no_number_returns_to_the_iterate_before(spike_return: str) -> None:
    step = made_step(iterations=5, spike_return=spike_return)
    losses(step, 4)
    before = copied(step)
    losses(step, 1)
    step.adam.values[0].fill_(torch.nan)
    step.run(True)
    assert torch.equal(step.adam.values, before["adam"])
    counts = step.monitor.counts
    assert counts[SPIKES] == 1 and counts[UPDATES] == before["counts"][UPDATES]
    assert step.clean_output().isfinite().all()


def test_the_output_of_a_step_is_that_of_its_weights_and_its_noise() -> None:
    step = made_step(iterations=5)
    losses(step, 2)
    values, counts = step.adam.values.clone(), step.monitor.counts.clone()
    losses(step, 1)
    output, loss = step.output.clone(), float(step.monitor.history[2, 0])
    step.adam.values.copy_(values)
    step.monitor.counts.copy_(counts)
    step.run(True)
    assert torch.equal(step.output, output)
    assert float(step.objective.loss(output)) == pytest.approx(loss, rel=1e-6)


@pytest.fixture
def new_memory_is_nan() -> Iterator[None]:
    """Fill every new array with NaN, so that what nobody wrote shows when it is read."""
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = True
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.filterwarnings("ignore:.*deterministic")
@pytest.mark.parametrize(("settings", "dtype"), list(product(SETTINGS, BOTH)), ids=str)
def test_nothing_reads_what_nobody_wrote(
    new_memory_is_nan: None, settings: dict[str, Any], dtype: torch.dtype
) -> None:
    assert torch.empty(3).isnan().all()
    step = made_step(dtype, iterations=3, **settings)
    assert np.isfinite(losses(step, 3)).all()
    step.run(True)
    assert step.output.isfinite().all() and step.network.gradient.isfinite().all()
    assert step.adam.values.isfinite().all() and step.monitor.counts[SPIKES] == 0
    assert step.clean_output().isfinite().all()


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_in_16_bits_the_first_loss_is_that_of_32(settings: dict[str, Any]) -> None:
    wide, narrow = (made_step(dtype, **settings) for dtype in BOTH)
    (wanted,), (found,) = losses(wide, 1), losses(narrow, 1)
    assert found == pytest.approx(wanted, rel=0.03) and found != wanted
    cosine = torch.nn.functional.cosine_similarity(
        wide.network.gradient, narrow.network.gradient, dim=0
    )
    assert cosine > 0.95


def test_in_16_bits_what_adds_up_is_of_32() -> None:
    step = made_step(torch.bfloat16)
    losses(step, 2)
    kept = [step.adam.values, step.network.gradient, step.output, step.monitor.average]
    kept += [step.adam.previous, step.z, step.clean_output()]
    assert {tensor.dtype for tensor in kept} == {torch.float32}
    assert step.input.dtype == torch.bfloat16
    gradients = [p.grad for p in step.network.parameters.values()]
    assert {gradient.dtype for gradient in gradients} == {torch.float32}
    changed = step.adam.values[0]
    assert not torch.equal(changed, changed.bfloat16().float())


class Convolutions(TorchDispatchMode):
    """Notes of every matrix product and convolution the type of what it multiplies."""

    def __init__(self) -> None:
        super().__init__()
        self.types: list[torch.dtype] = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        if any(word in str(function) for word in ("convolution.", "aten.mm.", "addmm")):
            self.types += {x.dtype for x in args[:2] if isinstance(x, Tensor)}
        return function(*args, **(kwargs or {}))


def test_in_16_bits_the_last_product_and_the_ring_s_alone_are_of_32() -> None:
    step = made_step(torch.bfloat16)
    losses(step, 1)
    with torch.no_grad(), Convolutions() as seen:
        step._forward()
    assert seen.types[-1] == torch.float32
    convolutions = [layer for layer in step.network.layers.values() if layer.kind == "conv"]
    assert seen.types.count(torch.bfloat16) >= len(convolutions) - 1


def test_in_16_bits_losses_fall_as_in_32() -> None:
    wide, narrow = (losses(made_step(dtype, iterations=60), 40) for dtype in BOTH)
    assert narrow[-1] < narrow[0] / 3
    np.testing.assert_allclose(np.mean(narrow[-10:]), np.mean(wide[-10:]), rtol=0.15)


@pytest.mark.parametrize("spike_return", ["state", "weights"])
def test_in_16_bits_a_state_is_taken_up_exactly(spike_return: str) -> None:
    settings = {"iterations": 20, "spike_return": spike_return}
    whole, first, second = (made_step(torch.bfloat16, **settings) for _ in range(3))
    wanted = losses(whole, 12)
    begun = losses(first, 5)
    first.adam.values[0].fill_(torch.nan)  # both come back from it
    (nan,) = losses(first, 1)
    assert np.isnan(nan) and first.adam.values.isfinite().all()
    for name, tensor in second.tensors().items():
        tensor.copy_(first.tensors()[name])
    assert begun == wanted[:5]
    assert losses(second, 5) == losses(first, 5)
    assert same(copied(second), copied(first))


def test_a_fit_runs_the_steps_of_its_engine() -> None:
    step = made_step(iterations=6)
    wanted = losses(step, 6)
    step.run(True)
    fit = Fit(inpainting_task(), small(iterations=6))
    told = [one.loss for one in fit]
    assert told == [*wanted, float(step.monitor.history[6, 0])]
    assert fit.state()["adam"].tobytes() == step.adam.values.numpy().tobytes()
