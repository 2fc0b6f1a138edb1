"""The upsampling convolution against enlarging, joining, normalising, padding and convolving."""

import pytest
import torch
from stock import assert_same, enlarged, gradients, image, kernels, leaves, norm, reflected, vector
from torch import Tensor
from torch.nn import functional

from dip.network.upsampling_convolution import UpsamplingConvolution

SIDES = [(1, 2), (2, 1), (2, 3), (3, 3), (5, 8), (16, 9)]
CHANNELS, OUT = 5, 3


def inputs_of(sides: tuple[int, int], skip_channels: int) -> tuple[Tensor, ...]:
    """Draw low, gamma and weight, and skip at the end where there is one."""
    height, width = sides
    channels = CHANNELS + skip_channels
    made = (image(CHANNELS, height, width), vector(channels, 1), kernels(OUT, channels, 3, 2))
    skip = (image(skip_channels, 2 * height, 2 * width, seed=3),) if skip_channels else ()
    return leaves(*made, *skip)


def ours(
    kind: str, low: Tensor, gamma: Tensor, weight: Tensor, skip: Tensor | None = None
) -> Tensor:
    """Give the engine's way, with the norm behind it that cancels each channel's constant."""
    return norm(UpsamplingConvolution.apply(low, skip, gamma, weight, kind))


def stock(
    kind: str, low: Tensor, gamma: Tensor, weight: Tensor, skip: Tensor | None = None
) -> Tensor:
    """Give the textbook's way; the first norm's shift, here some numbers, is cancelled."""
    high = enlarged(low, kind)
    joined = high if skip is None else torch.cat([high, skip], 1)
    normed = norm(joined, gamma, vector(len(gamma), 9))
    return norm(functional.conv2d(reflected(normed, 1), weight))


@pytest.mark.parametrize("skip_channels", [0, 2])
@pytest.mark.parametrize("kind", ["bilinear", "nearest"])
@pytest.mark.parametrize("sides", SIDES)
def test_output_and_gradients_are_those_of_stock_operations(
    sides: tuple[int, int], kind: str, skip_channels: int
) -> None:
    inputs = inputs_of(sides, skip_channels)
    fast, slow = ours(kind, *inputs), stock(kind, *inputs)
    assert_same(fast, slow)
    for found, wanted in zip(gradients(fast, *inputs), gradients(slow, *inputs), strict=True):
        size = float(wanted.abs().max())
        assert_same(found, wanted, atol=1e-9 * size + 1e-11)


@pytest.mark.parametrize("skip_channels", [0, 2])
@pytest.mark.parametrize("kind", ["bilinear", "nearest"])
def test_a_single_pixel_is_enlarged_to_a_constant(kind: str, skip_channels: int) -> None:
    inputs = inputs_of((1, 1), skip_channels)
    assert_same(ours(kind, *inputs), stock(kind, *inputs))
    found = gradients(ours(kind, *inputs), *inputs)
    assert all(gradient.isfinite().all() for gradient in found)


@pytest.mark.parametrize("kind", ["bilinear", "nearest"])
def test_without_the_norm_behind_it_only_a_constant_of_each_channel_differs(kind: str) -> None:
    low, gamma, weight, skip = inputs_of((5, 8), 2)
    fast = UpsamplingConvolution.apply(low, skip, gamma, weight, kind)
    normed = norm(torch.cat([enlarged(low, kind), skip], 1), gamma, vector(len(gamma), 9))
    difference = fast - functional.conv2d(reflected(normed, 1), weight)
    assert_same(difference, difference.mean((2, 3), keepdim=True).expand_as(difference))


@pytest.mark.parametrize("kind", ["bilinear", "nearest"])
def test_a_large_mean_costs_no_digits_of_32_bits(kind: str) -> None:
    exact = inputs_of((8, 6), 2)
    shifted = [tensor.detach() + (1000 if number in (0, 3) else 0)
               for number, tensor in enumerate(exact)]  # fmt: skip
    single = [tensor.float() for tensor in shifted]
    wanted = ours(kind, *(tensor.double() for tensor in single))
    assert_same(ours(kind, *single).double(), wanted, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("skip_channels", [0, 2])
@pytest.mark.parametrize("kind", ["bilinear", "nearest"])
def test_in_16_bits_it_is_near_and_gradients_of_parameters_are_of_32(
    kind: str, skip_channels: int
) -> None:
    exact = [tensor.detach() for tensor in inputs_of((12, 10), skip_channels)]
    images = [number in (0, 3) for number in range(len(exact))]
    narrow, wide = [], []
    for tensor, is_image in zip(exact, images, strict=True):
        narrow.append(tensor.bfloat16() if is_image else tensor.float())
        wide.append(narrow[-1].double())
    results = []
    for inputs in (leaves(*narrow), leaves(*wide)):
        low, gamma, weight, *skip = inputs
        made = UpsamplingConvolution.apply(low, *(skip or [None]), gamma, weight, kind)
        normed = norm(made.double())
        results.append((made.dtype, normed, gradients(normed, *inputs)))
    (dtype, fast, found), (_, slow, wanted) = results
    assert dtype == torch.bfloat16
    assert [gradient.dtype for gradient in found] == [tensor.dtype for tensor in narrow]
    for one, other in zip((fast, *found), (slow, *wanted), strict=True):
        assert (one.double() - other).norm() / other.norm() < 0.03
