"""The network against the same network in textbook modules, and where its weights come from."""

from typing import Any

import numpy as np
import pytest
import torch
from made_tasks import inpainting_task, small, waves

from dip.engine.fit import Fit
from dip.errors import InputError
from dip.experiments.experiment import Experiment
from dip.network.architecture import input_channels
from dip.network.inputs import draw_z, network_side
from dip.network.network import Network
from dip.network.operations import inside, reflect_border
from dip.network.plain import PlainNetwork, Scale, plain_network, plain_z
from dip.tasks.degradations import Task

ARCHITECTURES: list[dict[str, Any]] = [
    {},
    {"align_corners": True, "initialisation": "kaiming"},
    {"upsampling": "nearest", "slope": 0.1},
    {"upsampling": "nearest", "align_corners": True},
    {"channels": (4, 6, 8), "skip_channels": (0, 0, 2), "kernel_down": 5},
    {"kernel_skip": 3, "kernel_up": 5, "slope": 0.01},
    {"kernel_skip": 5},
    {"kernel_skip": 5, "kernel_down": 5, "kernel_up": 1},
    {"kernel_skip": 3, "kernel_down": 1},
    {"kernel_skip": 1, "kernel_down": 5, "upsampling": "nearest", "kernel_up": 5},
    {"skip_channels": (0, 0)},
    {"channels": (4,), "skip_channels": (1,)},
    {"channels": (2, 3, 4, 5, 6, 7), "skip_channels": (2, 2, 2, 2, 2, 2)},
]


def as_float64(network: Network) -> Network:
    """Turn a network to float64, where no activation flips by rounding."""
    network.dtype = torch.float64
    network.values, network.gradient = network.values.double(), network.gradient.double()
    for name, parameter in network.parameters.items():
        network.parameters[name] = parameter.detach().double().requires_grad_()
    return network


def a_border(network: Network, height: int, width: int) -> torch.Tensor:
    """Draw an input with its border, channels last."""
    pad, channels = network.pad, network.layers["down1.conv1"].channels_in
    sides = height + 2 * pad, width + 2 * pad
    padded = torch.empty((1, channels, *sides), dtype=torch.float64)
    padded = padded.contiguous(memory_format=torch.channels_last)
    torch.manual_seed(0)
    inside(padded, pad).copy_(torch.rand(1, channels, height, width, dtype=torch.float64))
    reflect_border(padded, pad)
    return padded


def in_order(plain: PlainNetwork) -> list[torch.nn.Parameter]:
    """The parameters in the engine's order: down, skip and up of each scale, the end."""
    found: list[torch.nn.Parameter] = []
    scale: Scale | None = plain.scales
    while scale is not None:
        for unit in (scale.down, scale.skip, scale.up):
            found += [] if unit is None else unit.parameters()
        scale = scale.deeper
    return found + list(plain.end.parameters())


def plain_twin(network: Network, image_channels: int, z_channels: int) -> PlainNetwork:
    plain = PlainNetwork(network.experiment, z_channels, image_channels).double()
    with torch.no_grad():
        for theirs, ours in zip(in_order(plain), network.parameters.values(), strict=True):
            theirs.copy_(ours)
    return plain


def sides_for(experiment: Experiment) -> tuple[int, int]:
    """Give the least two sides, of two lengths, that every layer can be reflected at."""
    least = network_side(1, experiment)
    return least, least + 2 ** len(experiment.channels)


@pytest.mark.parametrize("settings", ARCHITECTURES, ids=str)
def test_output_and_gradients_are_those_of_textbook_modules(settings: dict[str, Any]) -> None:
    experiment = small(**settings)
    network = as_float64(Network(experiment, experiment.z_channels, 3, "cpu"))
    padded = a_border(network, *sides_for(experiment))
    ours = network.forward(padded)
    plain = plain_twin(network, 3, experiment.z_channels)
    theirs = plain(inside(padded, network.pad))
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12, check_stride=False)
    weights = torch.sin(torch.arange(ours.numel(), dtype=ours.dtype)).view(ours.shape)
    (ours * weights).sum().backward()
    (theirs * weights).sum().backward()
    largest = max(float(other.grad.abs().max()) for other in in_order(plain))
    compared = 0
    for (name, mine), other in zip(network.parameters.items(), in_order(plain), strict=True):
        if mine.grad is not None:
            torch.testing.assert_close(
                mine.grad, other.grad, rtol=1e-6, atol=1e-9 * largest, check_stride=False, msg=name
            )
            compared += 1
        else:  # held: a norm cancels it, so the true gradient is zero
            assert other.grad.abs().max() < 1e-10 * largest, name
    layers = network.layers.values()
    held = sum(layer.kind == "conv" for layer in layers) - 1 + len(experiment.channels)
    assert compared == len(network.parameters) - held


def test_biases_before_a_norm_stay_as_drawn() -> None:
    fit = Fit(inpainting_task(), small())
    before = {name: p.detach().clone() for name, p in fit.step.network.parameters.items()}
    list(fit)
    moved = {
        name for name, p in fit.step.network.parameters.items() if not torch.equal(p, before[name])
    }
    cancelled = {
        name for name in before if name.endswith(".bias") and not name.startswith("output.")
    }
    cancelled |= {"up1.norm0.beta", "up2.norm0.beta"}
    assert moved == set(before) - cancelled


def test_parameters_are_views_of_one_flat_array_without_overlap() -> None:
    network = Network(small(), 6, 3, "cpu")
    with torch.no_grad():
        network.values[0].zero_()
        for parameter in network.parameters.values():
            assert not parameter.any()
            parameter += 1
    counted = sum(layer.parameters for layer in network.layers.values())
    assert network.values[0].sum() == counted == sum(p.numel() for p in network.parameters.values())


def test_weights_come_from_the_seed_alone() -> None:
    torch.manual_seed(1)
    first = Network(small(), 6, 1, "cpu").values
    torch.manual_seed(2)
    np.random.seed(2)
    assert torch.equal(first, Network(small(), 6, 1, "cpu").values)
    assert not torch.equal(first, Network(small(seed=1), 6, 1, "cpu").values)


@pytest.mark.parametrize(("name", "times"), [("torch", 1.0), ("kaiming", (6 / 1.04) ** 0.5)])
def test_initial_weights_are_uniform_within_the_stated_bound(name: str, times: float) -> None:
    experiment = Experiment(image="a/a", mask="bernoulli", initialisation=name)
    parameters = Network(experiment, 32, 1, "cpu").parameters
    for layer, fan_in in [("down2.conv2", 9 * 128), ("up1.conv1", 9 * 132)]:
        weight, bound = parameters[f"{layer}.weight"].detach(), times / fan_in**0.5
        assert 0.999 * bound < weight.abs().max() <= bound
        assert weight.std() == pytest.approx(bound / 3**0.5, rel=0.01)
        assert parameters[f"{layer}.bias"].detach().abs().max() <= 1 / fan_in**0.5
    assert (parameters["up1.norm0.gamma"] == 1).all() and (parameters["up1.norm0.beta"] == 0).all()


def test_the_plain_loop_takes_the_same_z_and_weights() -> None:
    task = inpainting_task()
    x0 = torch.from_numpy(task.x0)[None]
    grid = small(z="meshgrid", z_channels=2, initialisation="kaiming")
    torch.testing.assert_close(plain_z(grid, x0), draw_z(task, grid).contiguous())
    own, plain = Network(grid, 2, 1, "cpu"), plain_network(grid, 1)
    bounds = [float(weight.detach().abs().max()) for weight in own.parameters.values()]
    for bound, weight in zip(bounds, in_order(plain), strict=True):
        if weight.ndim == 4:
            assert float(weight.detach().abs().max()) == pytest.approx(bound, rel=0.2)


@pytest.mark.parametrize(
    ("length", "settings", "side"),
    [(512, {}, 512), (500, {}, 512), (481, {}, 512), (32, {}, 64), (33, {"kernel_down": 5}, 96)],
)
def test_sides_that_the_network_runs_on(length: int, settings: dict[str, Any], side: int) -> None:
    assert network_side(length, Experiment(image="a/a", mask="bernoulli", **settings)) == side


def test_z_is_uniform_on_its_range_and_the_same_for_the_same_seed() -> None:
    task, experiment = inpainting_task(61, 30), small(z_max=0.1, z_channels=32)
    z = draw_z(task, experiment)
    assert z.shape == (1, 32, 64, 32) and z.min() >= 0 and z.max() < 0.1
    assert z.mean() == pytest.approx(0.05, rel=0.02)
    assert z.std() == pytest.approx(0.1 / 12**0.5, rel=0.02)
    assert torch.equal(z, draw_z(task, experiment))


def test_meshgrid_z_holds_the_coordinates_from_zero_to_one() -> None:
    z = draw_z(inpainting_task(32, 64), small(z="meshgrid"))[0]
    assert z.shape == (2, 32, 64)
    assert z[0, :, 0].max() == 0 and z[0, :, -1].min() == 1 and z[1, 0].max() == 0
    assert z[1, -1].min() == 1 and z[0, 5, 21] == pytest.approx(21 / 63)


@pytest.mark.parametrize("colours", [1, 3])
def test_guide_is_reflected_to_the_sides_of_the_network(colours: int) -> None:
    guide = waves(30, 32, colours)
    task = Task("flash", guide, guide, guide=guide)
    experiment = small(task="flash", mask=None, z="guide", guide="a/b")
    z = draw_z(task, experiment)[0].numpy()
    assert z.shape == (input_channels(experiment, colours), 32, 32)
    np.testing.assert_array_equal(z[:, 1:31], guide)
    np.testing.assert_array_equal(z[:, 0], guide[:, 1])
    with pytest.raises(InputError, match="guide is not read with z = 'uniform'"):
        draw_z(task, small())


def test_guide_without_a_picture_is_told() -> None:
    with pytest.raises(InputError, match="needs a guide image"):
        draw_z(inpainting_task(), small(z="guide"))
