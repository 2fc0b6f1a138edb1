"""What the fused kernels compute, by torch's operations: what they are tested against.

Also what they are replaced by where there is no Triton. Arrays of 16 bits are widened, computed
with in float32 (float64 stays), and narrowed.
"""

import torch
from torch import Tensor

from dip import device_noise, layers
from dip.optimiser import BETA_1, BETA_2, EPSILON
from dip.upsample import upsample as stock_upsample
from dip.upsample import upsample_adjoint as stock_adjoint

normals_into = device_noise.normals_into


def _wide(image: Tensor) -> Tensor:
    return image if image.dtype in (torch.float32, torch.float64) else image.float()


def moments(image: Tensor) -> Tensor:
    """Give each channel's mean and 1 / sqrt(variance + epsilon), (2, C)."""
    return torch.stack(layers.moments(_wide(image)))


def norm_into(
    out: Tensor, image: Tensor, statistics: Tensor, affine: tuple[Tensor, Tensor], offset: int,
    slope: float, border: tuple[int, str],
) -> None:  # fmt: skip
    """Write the normalised, activated and padded image into `out`'s channels from `offset` on."""
    wide, (pad, mode) = _wide(image), border
    channels = image.shape[1]
    done = torch.empty_like(wide)
    layers.normalise_into(done, wide, (statistics[0], statistics[1]), affine)
    torch.nn.functional.leaky_relu_(done, slope)
    out[:, offset : offset + channels] = layers.pad_image(done, pad, mode)
    if out.shape[1] - offset - channels < 8:
        out[:, offset + channels :] = 0


def norm_backward(
    gradient: Tensor, offset: int, padded: Tensor | None, image: Tensor, statistics: Tensor,
    gamma: Tensor, slope: float, border: tuple[int, str],
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Give the gradients of image, gamma and beta from the padded gradient's channels."""
    wide, (pad, mode) = _wide(image), border
    found = _wide(gradient[:, offset : offset + image.shape[1]]).clone()
    layers.fold_border(found, pad, mode)
    found = layers.inside(found, pad)
    if padded is not None:
        sign = layers.inside(padded, pad)[:, : image.shape[1]]
        found = torch.where(sign > 0, found, found * slope)
    mean, deviation = statistics
    before, to_gamma, to_beta = layers.norm_backward(found, wide, gamma, (mean, deviation))
    return before.to(image.dtype), to_gamma, to_beta


def upsample(low: Tensor, bilinear: bool) -> Tensor:
    """Double both sides."""
    return stock_upsample(_wide(low), _kind(bilinear), False).to(low.dtype)


def upsample_adjoint(high: Tensor, bilinear: bool) -> Tensor:
    """Give the gradient of upsample's input."""
    return stock_adjoint(_wide(high), _kind(bilinear), False).to(high.dtype)


def _kind(bilinear: bool) -> str:
    return "bilinear" if bilinear else "nearest"


def input_into(
    out: Tensor, z: Tensor, noise: Tensor, sigma: float, border: tuple[int, str]
) -> None:
    """Write z + sigma * noise, padded, into `out`."""
    pad, mode = border
    torch.add(z, noise, alpha=sigma, out=layers.inside(out, pad))
    layers.fill_border(out, pad, mode)


def adam_into(
    gradient: Tensor, values: Tensor, previous: Tensor | None, corrections: Tensor,
    updates: Tensor, bad: Tensor, unscale: float, keeps_means: bool = False,
) -> None:  # fmt: skip
    """Take an Adam step with row `updates` of the corrections, or go back if `bad`.

    With `keeps_means` the parameters alone go back, and what of the means is not finite then.
    """
    parameters, mean, square = values
    gradient = gradient * unscale if unscale != 1 else gradient
    scale, rate = corrections.index_select(0, updates.view(1))[0]
    mean = mean.lerp(gradient, 1 - BETA_1)
    square = (square * BETA_2).addcmul_(gradient, gradient, value=1 - BETA_2)
    denominator = square.sqrt().div_(scale).add_(EPSILON)
    moved = torch.stack([parameters + rate * mean / denominator, mean, square])
    if previous is None:
        values.copy_(torch.where(bad, values, moved))
        return
    back = previous
    if keeps_means:
        means = torch.where(torch.isfinite(moved[1:]), moved[1:], previous[1:])
        back = torch.cat([previous[:1], means])
    chosen = torch.where(bad, back, moved)
    previous.copy_(torch.where(bad, previous, values))
    values.copy_(chosen)
