"""The network's operations as fixed stencils: padding, upsampling, norm and activation.

Each is written out, forward and backward, so that its bits do not hang on which kernel a library
picks, and so that no large array is written twice. Images are (1, C, H, W), channels last in
memory. The tests compare each with torch's stock operation, values and gradients.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

NORM_EPSILON = 1e-5
BLOCK_VALUES = 1 << 18  # values that stay in a core's cache between two passes over them


def empty_image(like: Tensor, channels: int, height: int, width: int) -> Tensor:
    """Allocate a (1, channels, height, width) image, channels last, of `like`'s type and device."""
    return torch.empty(
        (1, channels, height, width),
        dtype=like.dtype,
        device=like.device,
        memory_format=torch.channels_last,
    )


def inside(padded: Tensor, pad: int) -> Tensor:
    """View what lies `pad` pixels inside the border."""
    return padded[:, :, pad:-pad, pad:-pad] if pad else padded


def fill_border(padded: Tensor, pad: int, mode: str) -> None:
    """Fill the border of `pad` pixels from the inside: mode "reflection" or "zero"."""
    if mode == "zero":
        _zero_border(padded, pad)
        return
    rows = padded[:, :, pad:-pad] if pad else padded
    for j in range(1, pad + 1):
        rows[..., pad - j] = rows[..., pad + j]
        rows[..., -pad - 1 + j] = rows[..., -pad - 1 - j]
    for j in range(1, pad + 1):
        padded[:, :, pad - j] = padded[:, :, pad + j]
        padded[:, :, -pad - 1 + j] = padded[:, :, -pad - 1 - j]


def _zero_border(padded: Tensor, pad: int) -> None:
    if pad:
        padded[:, :, :pad] = 0
        padded[:, :, -pad:] = 0
        padded[..., :pad] = 0
        padded[..., -pad:] = 0


def fold_border(gradient: Tensor, pad: int, mode: str) -> None:
    """Add a gradient's border to the pixels it was reflected from: fill_border's adjoint."""
    if mode == "zero":
        return
    for j in range(1, pad + 1):
        gradient[:, :, pad + j] += gradient[:, :, pad - j]
        gradient[:, :, -pad - 1 - j] += gradient[:, :, -pad - 1 + j]
    rows = gradient[:, :, pad:-pad] if pad else gradient
    for j in range(1, pad + 1):
        rows[..., pad + j] += rows[..., pad - j]
        rows[..., -pad - 1 - j] += rows[..., -pad - 1 + j]


def pad_image(image: Tensor, pad: int, mode: str) -> Tensor:
    """Give `image` with a border of `pad` pixels."""
    _, channels, height, width = image.shape
    padded = empty_image(image, channels, height + 2 * pad, width + 2 * pad)
    inside(padded, pad).copy_(image)
    fill_border(padded, pad, mode)
    return padded


class Pad(torch.autograd.Function):
    """pad_image with a gradient."""

    @staticmethod
    def forward(ctx: Any, image: Tensor, pad: int, mode: str) -> Tensor:
        """Give `image` with a border."""
        ctx.pad, ctx.mode = pad, mode
        return pad_image(image, pad, mode)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Fold the border's gradient back."""
        folded = gradient.clone(memory_format=torch.preserve_format)
        fold_border(folded, ctx.pad, ctx.mode)
        return inside(folded, ctx.pad), None, None


class Crop(torch.autograd.Function):
    """What lies inside the border, as an array of its own."""

    @staticmethod
    def forward(ctx: Any, padded: Tensor, pad: int) -> Tensor:
        """Copy what lies `pad` pixels inside."""
        ctx.pad = pad
        return inside(padded, pad).contiguous(memory_format=torch.channels_last)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Surround the gradient with zeros."""
        return pad_image(gradient, ctx.pad, "zero"), None


def moments(image: Tensor) -> tuple[Tensor, Tensor]:
    """Give each channel's mean and 1 / sqrt(variance + epsilon), over the pixels of the image."""
    pixels = image.permute(0, 2, 3, 1).reshape(-1, image.shape[1])
    mean = pixels.mean(0)
    variance = (pixels - mean).square_().mean(0)
    return mean, (variance + NORM_EPSILON).rsqrt_()


def normalise_into(
    out: Tensor, image: Tensor, statistics: tuple[Tensor, Tensor], affine: tuple[Tensor, Tensor]
) -> None:
    """Write (image - mean) * inverse deviation * gamma + beta into `out`, in one pass."""
    factor, shift = _factor_and_shift(statistics, affine)
    torch.addcmul(shift, image, factor, out=out)


def _factor_and_shift(
    statistics: tuple[Tensor, Tensor], affine: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    mean, inverse_deviation = statistics
    gamma, beta = affine
    factor = gamma * inverse_deviation
    shift = beta - mean * factor
    return factor.view(1, -1, 1, 1), shift.view(1, -1, 1, 1)


def norm_backward(
    gradient: Tensor, image: Tensor, gamma: Tensor, statistics: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """Give the gradients of image, gamma and beta of a batch norm with its own statistics."""
    dense = gradient.contiguous(memory_format=torch.channels_last)  # a view is many times slower
    return torch.ops.aten.native_batch_norm_backward(  # type: ignore[no-any-return]
        dense, image, gamma, None, None, *statistics, True, NORM_EPSILON, [True, True, True]
    )


def made_again_by(image: Tensor) -> Any:
    """Give the autograd node that can make `image` again on the way back, or None.

    Such a node has `remake`, which gives the image for the node, until its own way back is done.
    """
    node = image.grad_fn
    return node if hasattr(node, "remake") else None


def activated(
    image: Tensor,
    statistics: tuple[Tensor, Tensor],
    affine: tuple[Tensor, Tensor],
    settings: tuple[float, int, str],
) -> Tensor:
    """Normalise and activate `image`, and surround it with a border."""
    (_, channels, height, width), (slope, pad, mode) = image.shape, settings
    padded = empty_image(image, channels, height + 2 * pad, width + 2 * pad)
    inner = inside(padded, pad)
    normalise_into(inner, image, statistics, affine)
    torch.nn.functional.leaky_relu_(inner, slope)
    fill_border(padded, pad, mode)
    return padded


class NormActivatePad(torch.autograd.Function):
    """Batch norm, LeakyReLU and the next convolution's border, written once.

    With `again` the output is not kept for the way back but made again: less memory, more time.
    """

    @staticmethod
    def forward(
        ctx: Any, image: Tensor, gamma: Tensor, beta: Tensor, slope: float, pad: int, mode: str,
        again: bool = False,
    ) -> Tensor:  # fmt: skip
        """Normalise `image`, activate it, and surround it with a border."""
        statistics, ctx.settings = moments(image), (slope, pad, mode)
        padded = activated(image, statistics, (gamma, beta), ctx.settings)
        if again:
            ctx.remake = NormActivatePad.remake
        ctx.save_for_backward(image, gamma, beta, *statistics, *(() if again else (padded,)))
        return padded

    @staticmethod
    def remake(ctx: Any) -> Tensor:
        """Make the output again, bit by bit."""
        image, gamma, beta, *statistics = ctx.saved_tensors
        return activated(image, tuple(statistics), (gamma, beta), ctx.settings)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Go back through border, activation and norm; the incoming gradient is used up."""
        image, gamma, beta, mean, inverse_deviation, *kept = ctx.saved_tensors
        slope, pad, mode = ctx.settings
        fold_border(gradient, pad, mode)
        # Without a border the gradient has the image's shape, and is overwritten: less memory.
        before, inner = torch.empty_like(image) if pad else gradient, inside(gradient, pad)
        if kept:
            _activation_backward(before, inner, inside(kept[0], pad), slope)
        else:
            scales = _factor_and_shift((mean, inverse_deviation), (gamma, beta))
            _remade_activation_backward(before, inner, image, scales, slope)
        gradients = norm_backward(before, image, gamma, (mean, inverse_deviation))
        return *gradients, None, None, None, None


def _activation_backward(out: Tensor, gradient: Tensor, signs: Tensor, slope: float) -> None:
    """Write the gradient before a LeakyReLU into `out`; `signs` are those of its output."""
    torch.ops.aten.leaky_relu_backward.grad_input(gradient, signs, slope, True, grad_input=out)


def _remade_activation_backward(
    out: Tensor, gradient: Tensor, image: Tensor, scales: tuple[Tensor, Tensor], slope: float
) -> None:
    """Do the same with the signs of the image, normalised again, a few rows at a time."""
    _, channels, height, width = image.shape
    rows = min(height, max(1, BLOCK_VALUES // (channels * width)))
    signs = empty_image(image, channels, rows, width)
    for first in range(0, height, rows):
        block = slice(first, min(first + rows, height))
        part = signs[:, :, : block.stop - first]
        torch.addcmul(scales[1], image[:, :, block], scales[0], out=part)
        _activation_backward(out[:, :, block], gradient[:, :, block], part, slope)
