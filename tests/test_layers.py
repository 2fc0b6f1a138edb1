"""Each stencil of our own against torch's stock operation, values and gradients."""

import pytest
import torch
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from dip.joining import UpsampleNormPad
from dip.layers import Crop, NormActivatePad, Pad
from dip.upsample import upsample, upsample_adjoint

KINDS = [("bilinear", False), ("bilinear", True), ("nearest", False)]


def image(channels: int, height: int, width: int, seed: int = 0) -> torch.Tensor:
    torch.manual_seed(seed)
    made = torch.randn(1, channels, height, width, dtype=torch.float64)
    return made.contiguous(memory_format=torch.channels_last)


def stock_upsample(low: torch.Tensor, kind: str, align_corners: bool) -> torch.Tensor:
    corners = align_corners if kind == "bilinear" else None
    return functional.interpolate(low, scale_factor=2, mode=kind, align_corners=corners)


def stock_pad(picture: torch.Tensor, pad: int, mode: str) -> torch.Tensor:
    name = "reflect" if mode == "reflection" else "constant"
    return functional.pad(picture, (pad,) * 4, mode=name)


def stock_norm(picture: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor) -> torch.Tensor:
    return functional.batch_norm(picture, None, None, gamma, beta, training=True)


def gradients_of(output: torch.Tensor, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
    weights = torch.sin(torch.arange(output.numel(), dtype=output.dtype)).view(output.shape)
    return torch.autograd.grad((output * weights).sum(), inputs)


def same(ours: object, stock: object) -> None:
    torch.testing.assert_close(ours, stock, rtol=1e-9, atol=1e-11, check_stride=False)


@pytest.mark.parametrize("mode", ["reflection", "zero"])
@pytest.mark.parametrize("pad", [1, 2])
def test_padding_is_the_stock_padding(pad: int, mode: str) -> None:
    x = image(3, 5, 7).requires_grad_()
    ours, stock = Pad.apply(x, pad, mode), stock_pad(x, pad, mode)
    same(ours, stock)
    same(gradients_of(ours, x), gradients_of(stock, x))


def test_reflecting_two_pixels_by_one_reads_the_only_neighbour() -> None:
    x = image(2, 2, 2).requires_grad_()
    ours, stock = Pad.apply(x, 1, "reflection"), stock_pad(x, 1, "reflection")
    same(ours, stock)
    same(gradients_of(ours, x), gradients_of(stock, x))


def test_crop_gives_the_border_no_gradient() -> None:
    x = image(3, 6, 7).requires_grad_()
    ours, stock = Crop.apply(x, 2), x[:, :, 2:-2, 2:-2]
    same(ours, stock)
    same(gradients_of(ours, x), gradients_of(stock, x))


@pytest.mark.parametrize(("kind", "align_corners"), KINDS)
@pytest.mark.parametrize("sides", [(1, 1), (1, 2), (4, 3), (8, 6)])
def test_upsampling_is_the_stock_upsampling(
    sides: tuple[int, int], kind: str, align_corners: bool
) -> None:
    x = image(3, *sides).requires_grad_()
    stock = stock_upsample(x, kind, align_corners)
    same(upsample(x.detach(), kind, align_corners), stock)
    downstream = image(3, *(2 * side for side in sides), seed=1)
    ours = upsample_adjoint(downstream, kind, align_corners)
    same(ours, torch.autograd.grad((stock * downstream).sum(), x)[0])


class Devices(TorchDispatchMode):
    """Notes where every operation's result lies."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        out = function(*args, **(kwargs or {}))
        self.found |= {out.device.type} if isinstance(out, torch.Tensor) else set()
        return out


@pytest.mark.parametrize("kind", ["bilinear", "nearest"])
@pytest.mark.parametrize("align_corners", [False, True])
def test_upsampling_makes_nothing_on_the_host(kind: str, align_corners: bool) -> None:
    """A graph that is being captured can take nothing from there."""
    image = torch.zeros((1, 3, 4, 6), device="meta").to(memory_format=torch.channels_last)
    with Devices() as devices:
        upsample_adjoint(upsample(image, kind, align_corners), kind, align_corners)
    assert devices.found == {"meta"}


@pytest.mark.parametrize(("pad", "mode"), [(0, "reflection"), (1, "reflection"), (2, "zero")])
def test_norm_activation_and_padding_in_one(pad: int, mode: str) -> None:
    x = image(5, 6, 8).requires_grad_()
    gamma = (image(5, 1, 1, seed=1).flatten() + 2).requires_grad_()
    beta = image(5, 1, 1, seed=2).flatten().requires_grad_()
    ours = NormActivatePad.apply(x, gamma, beta, 0.2, pad, mode)
    stock = stock_pad(functional.leaky_relu(stock_norm(x, gamma, beta), 0.2), pad, mode)
    same(ours, stock)
    same(gradients_of(ours, x, gamma, beta), gradients_of(stock, x, gamma, beta))


@pytest.mark.parametrize(("kind", "align_corners"), KINDS)
@pytest.mark.parametrize("skip_channels", [0, 2])
def test_upsampling_concatenation_and_norm_in_one(
    skip_channels: int, kind: str, align_corners: bool
) -> None:
    low = image(4, 3, 5).requires_grad_()
    skip = image(skip_channels, 6, 10, seed=1).requires_grad_() if skip_channels else None
    gamma = (image(4 + skip_channels, 1, 1, seed=2).flatten() + 2).requires_grad_()
    beta = image(4 + skip_channels, 1, 1, seed=3).flatten().requires_grad_()
    how = {"pad": 1, "padding": "reflection", "kind": kind, "align_corners": align_corners}
    ours = UpsampleNormPad.apply(low, skip, gamma, beta, how | {"hold_beta": False})
    high = stock_upsample(low, kind, align_corners)
    joined = high if skip is None else torch.cat([high, skip], 1)
    stock = stock_pad(stock_norm(joined, gamma, beta), 1, "reflection")
    same(ours, stock)
    inputs = [tensor for tensor in (low, skip, gamma, beta) if tensor is not None]
    same(gradients_of(ours, *inputs), gradients_of(stock, *inputs))
