"""The device step against the fit: the same trajectory, the same spikes, the same states."""

from dataclasses import replace

import numpy as np
import pytest

from dip.experiment import TRAJECTORY_REVISION, Experiment
from dip.problems import InputError

pytest.importorskip("torch")

import torch

from dip import fused_reference
from dip.cuda_path import path_of, trajectory_revision
from dip.fit import Fit
from dip.fused_network import FusedOperations
from dip.graph_fit import GraphFit, make_fit
from dip.tasks import Task

torch.set_num_threads(1)  # small arrays: more threads wait for each other

NARROW = Experiment(
    image="made/waves", mask="bernoulli", channels=(8, 8), skip_channels=(4, 4),
    z_channels=8, iterations=40,
)  # fmt: skip


def made_task(side=32, channels=1, masked=True, truth=True):
    rows, columns = np.mgrid[0:side, 0:side] / side
    x = np.stack([0.5 + 0.4 * np.sin(9 * columns + (6 + c) * rows**2) for c in range(channels)])
    x = x.astype(np.float32)
    mask = (np.random.default_rng(1).random((1, side, side)) < 0.5).astype(np.float32)
    x0 = x * mask if masked else x
    return Task(
        "inpainting" if masked else "denoising", x0, x if truth else None,
        mask if masked else None, 1, None, x.shape, x0,
    )  # fmt: skip


def both(experiment, task=None, **settings):
    task = task or made_task()
    keep = settings.pop("keep", ())
    return (
        list(Fit(task, experiment, keep=keep)),
        list(GraphFit(task, experiment, device="cpu", keep=keep, **settings)),
    )


def assert_near(ours, theirs, tolerance=2e-3):
    assert [s.iteration for s in ours] == [s.iteration for s in theirs]
    for a, b in zip(ours, theirs, strict=True):
        assert a.spikes == b.spikes
        for name in ("loss", "psnr_db", "psnr_known_db", "psnr_unknown_db", "psnr_average_db"):
            one, two = getattr(a, name), getattr(b, name)
            assert (one is None) == (two is None)
            assert one is None or one == pytest.approx(two, rel=tolerance)


def on_reference(dtype):
    return lambda fit: FusedOperations(fit, fused_reference, dtype)


def same(one, two):
    assert one.keys() == two.keys()
    return all(np.array_equal(one[name], two[name], equal_nan=True) for name in one)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"sigma_p": 0.0},
        {"spike_factor": None},
        {"upsampling": "nearest"},
        {"kernel_skip": 3, "align_corners": True},
        {"skip_channels": (0, 4), "initialisation": "kaiming"},
    ],
    ids=str,
)
def test_the_device_step_walks_with_the_fit(changes):
    plain, ours = both(replace(NARROW, **changes), block=7)
    assert_near(ours[:25], plain[:25])


def test_other_tasks_and_odd_sides():
    settings = replace(NARROW, task="denoising", mask=None, iterations=12)
    for task in (made_task(30, 3, masked=False), made_task(36, 1, masked=False, truth=False)):
        plain, ours = both(settings, task)
        assert_near(ours, plain)


def test_kept_outputs_are_those_of_their_iterations():
    plain, ours = both(replace(NARROW, iterations=9), keep={0, 3, 4, 9}, block=4)
    for a, b in zip(ours, plain, strict=True):
        assert (a.output is None) == (b.output is None)
        assert a.output is None or np.allclose(a.output, b.output, atol=1e-4)


@pytest.mark.parametrize("spike_return", ["state", "weights"])
def test_spikes_go_back_alike(spike_return):
    task, settings = made_task(16), replace(NARROW, iterations=125, learning_rate=0.001)
    settings = replace(settings, spike_return=spike_return)
    plain = Fit(task, settings)
    for step in plain:
        if step.iteration == 104:
            break
    state = plain.state()
    state["values"][0] /= 8  # the running loss: what comes now is a spike, until it has grown
    fits = [plain, GraphFit(task, settings, device="cpu", block=6)]
    for fit in fits:
        fit.restore(state)
    wanted, ours = (list(fit) for fit in fits)
    assert 3 < wanted[-1].spikes < len(wanted)
    assert_near(ours, wanted)


@pytest.mark.parametrize("spike_return", ["state", "weights"])
def test_a_loss_that_is_no_number_goes_back(spike_return):
    task = made_task()
    settings = replace(NARROW, iterations=6, spike_return=spike_return)
    fits = [Fit(task, settings), GraphFit(task, settings, device="cpu", block=2)]
    states = []
    for fit in fits:
        steps = iter(fit)
        next(steps), next(steps)
        state = fit.state()
        state["adam"][0, :] = np.nan
        fit.restore(state)
        step = next(iter(fit))
        assert np.isnan(step.loss) and step.spikes == 1 and np.isnan(step.psnr_db)
        states.append(fit.state())
    assert np.isfinite(states[1]["adam"]).all()
    assert np.array_equal(states[0]["counts"], states[1]["counts"])
    assert np.allclose(states[0]["adam"], states[1]["adam"], atol=1e-5)


def test_the_window_and_the_stops_are_those_of_the_fit():
    settings = replace(NARROW, channels=(4,), skip_channels=(2,), iterations=130)
    task = made_task(16)
    plain, ours = Fit(task, settings), GraphFit(task, settings, device="cpu")
    told, wanted = list(ours), list(plain)
    assert told[98].windowed_variance is None
    assert told[99].windowed_variance == pytest.approx(wanted[99].windowed_variance, rel=0.05)
    ours.restore(plain.state())
    assert ours.stops().keys() == plain.stops().keys() == {"oracle", "es-wmv"}
    for name, stop in plain.stops().items():
        assert ours.stops()[name].iteration == stop.iteration
        assert np.array_equal(ours.stops()[name].output, stop.output)


def test_a_state_between_two_steps_is_exact_wherever_the_device_stands():
    task, settings = made_task(), replace(NARROW, iterations=20)
    whole = GraphFit(task, settings, device="cpu", block=20)
    told = list(whole)
    asked = GraphFit(task, settings, device="cpu", block=5)
    for k, step in enumerate(asked):
        state = asked.state()
        assert state["counts"][0] == k + 1
        assert step.loss == told[k].loss
        if k in (0, 4, 5, 13):
            other = GraphFit(task, settings, device="cpu", block=3)
            other.restore(state)
            assert [s.loss for s in other] == [s.loss for s in told[k + 1 :]]
            assert same(other.state(), whole.state())
    assert same(asked.state(), whole.state())
    assert np.array_equal(asked.clean_output(), whole.clean_output())
    assert np.array_equal(asked.average, whole.average)


def test_a_state_goes_from_the_device_step_to_the_fit_and_back():
    task, settings = made_task(), replace(NARROW, iterations=12)
    ours = GraphFit(task, settings, device="cpu", block=4)
    for step in ours:
        if step.iteration == 5:
            break
    plain = Fit(task, settings)
    plain.restore(ours.state())
    assert same(plain.state(), ours.state())
    assert_near(list(ours), list(plain))
    with pytest.raises(ValueError, match="adam"):
        ours.restore({})


def test_the_warm_up_leaves_no_trace():
    task, settings = made_task(), replace(NARROW, iterations=6)
    states = []
    for count in (0, 1, 5):
        fit = GraphFit(task, settings, device="cpu", warm_ups=count)
        for last in (False, True):
            fit._warm_up(last)
        told = list(fit)
        states.append((fit.state(), [s.loss for s in told]))
    assert states[0][1] == states[1][1] == states[2][1]
    assert same(states[0][0], states[1][0]) and same(states[0][0], states[2][0])


def test_the_cpu_gets_the_plain_fit():
    assert isinstance(make_fit(made_task(), NARROW), Fit)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"upsampling": "nearest"},
        {"kernel_skip": 3, "align_corners": True},
        {"skip_channels": (0, 4), "sigma_p": 0.0},
        {"channels": (16, 16), "skip_channels": (4, 4)},
    ],
    ids=str,
)
def test_the_fused_network_walks_with_the_fit(changes):
    settings = replace(NARROW, **changes, iterations=20)
    wanted, wide = both(settings, operations=on_reference(torch.float32))
    assert_near(wide, wanted)
    for dtype, tolerance in ((torch.float16, 0.02), (torch.bfloat16, 0.1)):
        narrow = list(GraphFit(made_task(), settings, device="cpu", operations=on_reference(dtype)))
        assert narrow[0].loss == pytest.approx(wanted[0].loss, rel=tolerance)
        assert [s.loss for s in narrow[:8]] == pytest.approx(
            [s.loss for s in wanted[:8]], rel=5 * tolerance
        )
        assert narrow[8].loss != wanted[8].loss


def test_an_overflow_of_16_bits_is_a_spike_and_goes_back():
    task, settings = made_task(), replace(NARROW, iterations=4)
    fit = GraphFit(task, settings, device="cpu", operations=on_reference(torch.float16))
    before = fit.state()["adam"]
    fit.step.operations.loss_scale = 2.0**40
    told = list(fit)
    assert [s.spikes for s in told] == [1, 2, 3, 4, 4]
    assert np.array_equal(fit.state()["adam"], before)


def test_a_path_has_its_own_revision(monkeypatch):
    assert trajectory_revision("cuda", "tf32") == 1
    assert trajectory_revision("cpu", "ieee") == TRAJECTORY_REVISION["cpu", "ieee"]
    monkeypatch.setenv("DIP_CUDA_PATH", "fusde")
    with pytest.raises(InputError, match="did you mean 'fused'"):
        trajectory_revision("cuda", "tf32")
    assert path_of(2) == "fused" and path_of(99) is None


@pytest.mark.gpu
def test_a_captured_graph_gives_the_bits_of_the_eager_step():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    settings = replace(NARROW, iterations=60)
    task = made_task(64)
    captured = GraphFit(task, settings, keep={7})
    eager = GraphFit(task, settings, keep={7}, capture=False)
    assert [s.loss for s in captured] == [s.loss for s in eager]
    assert same(captured.state(), eager.state())


@pytest.fixture
def new_memory_is_nan():
    """Fill every new array with NaN, so that what nobody wrote shows when it is read."""
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = True
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("changes", [{}, {"sigma_p": 0.0}, {"skip_channels": (0, 4)}], ids=str)
def test_nothing_reads_what_nobody_wrote(new_memory_is_nan, changes):
    settings = replace(NARROW, **changes, iterations=3)
    assert torch.empty(3).isnan().all()
    for operations in (None, on_reference(torch.float32), on_reference(torch.float16)):
        more = {} if operations is None else {"operations": operations}
        steps = list(GraphFit(made_task(), settings, device="cpu", **more))
        assert all(np.isfinite(step.loss) for step in steps)
    assert all(np.isfinite(step.loss) for step in Fit(made_task(), settings))
