"""Each operation of the network against torch's stock operations, values and all gradients."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from stock import assert_same, gradients, image, kernels, leaves, norm, reflected, vector
from torch import Tensor
from torch.nn import functional

from dip.network.operations import (
    NORM_EPSILON,
    Convolve,
    NormActivateConvolve,
    NormActivatePad,
    empty_image,
    fold_reflection,
    inside,
    moments,
    pixels,
    reflect_border,
)

SIDES = [(2, 2), (2, 7), (5, 3), (6, 8), (9, 17)]
BORDERED = [(pad, sides) for pad in (0, 1, 2) for sides in SIDES if pad < min(sides)]
CONVOLUTIONS = [
    (kernel, stride, sides)
    for kernel in (1, 3, 5)
    for stride in (1, 2)
    for sides in [(5, 5), (6, 9), (8, 8), (17, 11)]
]


@pytest.fixture(params=[False, True], ids=["whole", "strips"])
def strips(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Run as it comes, where small images are one strip, and again with strips of few values."""
    if request.param:
        for name in ("STRIP_VALUES", "PATCH_VALUES"):
            monkeypatch.setattr(f"dip.network.operations.{name}", 40)
    return bool(request.param)


def bordered(x: Tensor, pad: int) -> Tensor:
    _, channels, height, width = x.shape
    padded = empty_image(x, channels, height + 2 * pad, width + 2 * pad).fill_(torch.nan)
    inside(padded, pad).copy_(x)
    reflect_border(padded, pad)
    return padded


@pytest.mark.parametrize(("pad", "sides"), BORDERED)
def test_border_and_its_adjoint_are_those_of_reflection_padding(
    pad: int, sides: tuple[int, int]
) -> None:
    (x,) = leaves(image(3, *sides))
    stock = reflected(x, pad)
    assert torch.equal(bordered(x.detach(), pad), stock)
    downstream = image(3, *stock.shape[2:], seed=1)
    wanted = torch.autograd.grad(stock, x, downstream)[0]
    folded = downstream.clone()
    fold_reflection(folded, pad)
    assert_same(inside(folded, pad), wanted)


@pytest.mark.parametrize("sides", [(1, 1), (31, 7), *SIDES])
def test_moments_are_the_mean_and_one_over_the_deviation(
    sides: tuple[int, int], strips: bool
) -> None:
    x = image(4, *sides)
    mean, deviation = moments(pixels(x))
    variance = x.var((0, 2, 3), unbiased=False)
    assert_same(mean, x.mean((0, 2, 3)))
    assert_same(deviation, (variance + NORM_EPSILON).rsqrt())


def test_a_nearly_constant_channel_keeps_its_digits() -> None:
    x = 1000 + 1e-2 * image(2, 40, 40)
    single = x.float()
    _, deviation = moments(pixels(single))
    wanted = (single.double().var((0, 2, 3), unbiased=False) + NORM_EPSILON).rsqrt()
    assert deviation.dtype == torch.float32
    assert_same(deviation.double(), wanted, rtol=1e-3)


@pytest.mark.parametrize(("pad", "sides"), BORDERED)
def test_norm_activation_and_border_in_one(pad: int, sides: tuple[int, int], strips: bool) -> None:
    inputs = leaves(image(5, *sides), vector(5, 1), vector(5, 2))
    ours = NormActivatePad.apply(*inputs, 0.2, pad)
    stock = reflected(functional.leaky_relu(norm(*inputs), 0.2), pad)
    assert_same(ours, stock)
    assert_same(gradients(ours, *inputs), gradients(stock, *inputs))


@pytest.mark.parametrize("slope", [0.01, 0.2])
@pytest.mark.parametrize("has_bias", [False, True])
@pytest.mark.parametrize(("sides", "out"), [((1, 2), 1), ((2, 2), 4), ((5, 3), 1), ((9, 17), 6)])
def test_norm_activation_and_product_in_one(
    sides: tuple[int, int], out: int, has_bias: bool, slope: float, strips: bool
) -> None:
    inputs = leaves(image(5, *sides), vector(5, 1), vector(5, 2), kernels(out, 5, 1, 3))
    bias = leaves(vector(out, 4)) if has_bias else ()
    ours = NormActivateConvolve.apply(*inputs, bias[0] if bias else None, slope, torch.float64)
    activated = functional.leaky_relu(norm(*inputs[:3]), slope)
    stock = functional.conv2d(activated, inputs[3], bias[0] if bias else None)
    assert_same(ours, stock)
    assert_same(gradients(ours, *inputs, *bias), gradients(stock, *inputs, *bias))


@pytest.mark.parametrize(("kernel", "stride", "sides"), CONVOLUTIONS)
def test_convolution_is_the_stock_convolution(
    kernel: int, stride: int, sides: tuple[int, int], strips: bool
) -> None:
    inputs = leaves(image(3, *sides), kernels(4, 3, kernel, 1))
    ours = Convolve.apply(*inputs, stride)
    stock = functional.conv2d(*inputs, stride=stride)
    assert_same(ours, stock)
    assert_same(gradients(ours, *inputs), gradients(stock, *inputs))


def test_an_image_without_a_gradient_gets_none() -> None:
    x, (weight,) = image(3, 6, 6), leaves(kernels(2, 3, 3))
    Convolve.apply(x, weight, 1).sum().backward()
    assert x.grad is None and weight.grad is not None


def padded_norm(x: Tensor, gamma: Tensor, beta: Tensor, weight: Tensor) -> Tensor:
    return Convolve.apply(NormActivatePad.apply(x, gamma, beta, 0.2, 1), weight, 1)


def product(x: Tensor, gamma: Tensor, beta: Tensor, weight: Tensor) -> Tensor:
    return NormActivateConvolve.apply(x, gamma, beta, weight, None, 0.2, x.dtype)


@pytest.mark.parametrize(("operation", "side"), [(padded_norm, 3), (product, 1)])
def test_in_16_bits_sums_and_gradients_of_parameters_are_of_32(
    operation: Callable[..., Any], side: int, strips: bool
) -> None:
    exact = (image(4, 12, 10), vector(4, 1), vector(4, 2), kernels(3, 4, side, 3))
    wide = leaves(exact[0].bfloat16().double(), *exact[1:])
    narrow = leaves(exact[0].bfloat16(), *(tensor.float() for tensor in exact[1:]))
    ours, stock = operation(*narrow), operation(*wide)
    assert ours.dtype == torch.bfloat16
    downstream = image(3, *stock.shape[2:], seed=5) - 3
    found = torch.autograd.grad(ours, narrow, downstream.bfloat16())
    wanted = torch.autograd.grad(stock, wide, downstream)
    types = [torch.bfloat16, *[torch.float32] * 3]
    assert [gradient.dtype for gradient in found] == types
    for one, other in zip((ours, *found), (stock, *wanted), strict=True):
        error = (one.double() - other).norm() / other.norm()
        assert error < 0.02
