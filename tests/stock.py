"""What the tests hold the network's operations against: torch's own, in float64."""

import torch
from torch import Tensor
from torch.nn import functional


def image(channels: int, height: int, width: int, seed: int = 0) -> Tensor:
    """Draw a (1, C, H, W) float64 image, channels last, away from zero mean and unit variance."""
    generator = torch.Generator().manual_seed(seed)
    made = torch.randn(1, channels, height, width, dtype=torch.float64, generator=generator)
    return (2 * made + 3).contiguous(memory_format=torch.channels_last)


def vector(length: int, seed: int = 0) -> Tensor:
    """Draw a float64 vector."""
    generator = torch.Generator().manual_seed(1000 + seed)
    return torch.randn(length, dtype=torch.float64, generator=generator)


def kernels(out: int, channels: int, side: int, seed: int = 0) -> Tensor:
    """Draw the (O, C, k, k) weights of a convolution."""
    return vector(out * channels * side * side, seed).view(out, channels, side, side)


def norm(picture: Tensor, gamma: Tensor | None = None, beta: Tensor | None = None) -> Tensor:
    """Apply torch's batch norm by the statistics of the picture itself."""
    return functional.batch_norm(picture, None, None, gamma, beta, training=True)


def reflected(picture: Tensor, pad: int) -> Tensor:
    """Surround a picture with its reflection."""
    return functional.pad(picture, (pad,) * 4, mode="reflect") if pad else picture


def enlarged(low: Tensor, kind: str, align_corners: bool = False) -> Tensor:
    """Enlarge by two."""
    corners = align_corners if kind == "bilinear" else None
    return functional.interpolate(low, scale_factor=2, mode=kind, align_corners=corners)


def gradients(output: Tensor, *inputs: Tensor) -> tuple[Tensor, ...]:
    """Differentiate a sum of the output's values, each with a weight of its own."""
    weights = torch.sin(torch.arange(output.numel(), dtype=output.dtype)).view(output.shape)
    return torch.autograd.grad((output * weights).sum(), inputs)


def assert_same(ours: object, stock: object, rtol: float = 1e-9, atol: float = 1e-11) -> None:
    """Hold tensors, or tuples of them, against each other whatever their layout."""
    torch.testing.assert_close(ours, stock, rtol=rtol, atol=atol, check_stride=False)


def leaves(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Ask for the gradients of all of them."""
    return tuple(tensor.requires_grad_() for tensor in tensors)
