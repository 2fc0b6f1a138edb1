"""Norms, activations, borders and upsampling joined as autograd functions on fused operations."""

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from dip import layers
from dip.upsample import upsample as stock_upsample
from dip.upsample import upsample_adjoint as stock_adjoint

CHANNEL_BLOCK = 8  # channels that 16-bit tensor cores take together


@dataclass(frozen=True)
class How:
    """How a norm is made: the module of operations, and the settings."""

    operations: ModuleType
    slope: float
    border: tuple[int, str]
    kind: str  # of upsampling
    align_corners: bool
    dtype: torch.dtype  # of what is written
    hold_beta: bool = False


class FusedNorm(torch.autograd.Function):
    """Batch norm, LeakyReLU and border."""

    @staticmethod
    def forward(ctx: Any, image: Tensor, gamma: Tensor, beta: Tensor, how: How) -> Tensor:
        """Normalise, activate, pad."""
        image = image.contiguous(memory_format=torch.channels_last)
        _, channels, height, width = image.shape
        edge = how.border[0]
        statistics = how.operations.moments(image)
        wanted = image.new_empty((), dtype=how.dtype)
        out = layers.empty_image(wanted, channels, height + 2 * edge, width + 2 * edge)
        how.operations.norm_into(out, image, statistics, (gamma, beta), 0, how.slope, how.border)
        ctx.save_for_backward(image, gamma, statistics, out)
        ctx.how = how
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Go back through border, activation and norm."""
        image, gamma, statistics, out = ctx.saved_tensors
        how = ctx.how
        dense = gradient.contiguous(memory_format=torch.channels_last)
        found = how.operations.norm_backward(
            dense, 0, out, image, statistics, gamma, how.slope, how.border
        )
        return *found, None


class FusedJoin(torch.autograd.Function):
    """Upsampling, concatenation with the skip, batch norm and border."""

    @staticmethod
    def forward(
        ctx: Any, low: Tensor, skip: Tensor | None, gamma: Tensor, beta: Tensor, how: How
    ) -> Tensor:
        """Join what lies below, twice as large, and the skip, if there is one."""
        high, edge = _doubled(low.contiguous(memory_format=torch.channels_last), how), how.border[0]
        parts = [high] if skip is None else [high, skip]
        joined = rounded(gamma.shape[0], how.dtype)
        out = layers.empty_image(low, joined, high.shape[2] + 2 * edge, high.shape[3] + 2 * edge)
        saved, start = [gamma], 0
        for part in parts:
            end = start + part.shape[1]
            statistics, affine = how.operations.moments(part), (gamma[start:end], beta[start:end])
            how.operations.norm_into(out, part, statistics, affine, start, 1.0, how.border)
            saved += [part, statistics]
            start = end
        ctx.save_for_backward(*saved)
        ctx.how = how
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Go back through border, norm and upsampling."""
        gamma, *saved = ctx.saved_tensors
        how, start, results = ctx.how, 0, []
        dense = gradient.contiguous(memory_format=torch.channels_last)
        for part, statistics in zip(saved[::2], saved[1::2], strict=True):
            own = gamma[start : start + part.shape[1]]
            results.append(
                how.operations.norm_backward(
                    dense, start, None, part, statistics, own, 1.0, how.border
                )
            )
            start += part.shape[1]
        low = _halved(results[0][0], how)
        gammas, betas = (torch.cat([result[i] for result in results]) for i in (1, 2))
        to_skip = results[1][0] if len(results) > 1 else None
        return low, to_skip, gammas, None if how.hold_beta else betas, None


def _doubled(low: Tensor, how: How) -> Tensor:
    if how.align_corners:
        return stock_upsample(low, how.kind, True).contiguous(memory_format=torch.channels_last)
    doubled: Tensor = how.operations.upsample(low, how.kind == "bilinear")
    return doubled


def _halved(gradient: Tensor, how: How) -> Tensor:
    if how.align_corners:
        return stock_adjoint(gradient, how.kind, True)
    halved: Tensor = how.operations.upsample_adjoint(gradient, how.kind == "bilinear")
    return halved


def rounded(channels: int, dtype: torch.dtype) -> int:
    """Give the channels that a concatenation is stored with."""
    if dtype == torch.float32 or channels < 2 * CHANNEL_BLOCK:
        return channels
    return -(-channels // CHANNEL_BLOCK) * CHANNEL_BLOCK
