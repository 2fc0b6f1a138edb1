"""Where two ways meet in the hourglass: what comes up from below, and the skip connection."""

from itertools import accumulate
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from dip import layers as ops
from dip.upsample import upsample, upsample_adjoint

Pair = tuple[Tensor, Tensor]


class UpsampleNormPad(torch.autograd.Function):
    """Upsample, concatenate with the skip, batch norm and border: one array, written once.

    A batch norm works on each channel apart, so the two parts are normalised before they meet.
    Both inputs are made again on the way back if their nodes can do so, and the output if
    `how` says "again".
    """

    @staticmethod
    def forward(
        ctx: Any, low: Tensor, skip: Tensor | None, gamma: Tensor, beta: Tensor, how: dict[str, Any]
    ) -> Tensor:
        """Join `low`, twice as large, and `skip`, if there is one, normalised and padded."""
        ctx.how, inputs = how, [low] if skip is None else [low, skip]
        parts = [_doubled(low, how), *inputs[1:]]
        statistics = [ops.moments(part) for part in parts]
        ctx.nodes = [ops.made_again_by(image) for image in inputs]
        ctx.channels = [image.shape[1] for image in inputs]
        kept = [image for image, node in zip(inputs, ctx.nodes, strict=True) if node is None]
        flat = [value for pair in statistics for value in pair]
        ctx.save_for_backward(gamma, beta, *flat, *kept)
        if how.get("again"):
            ctx.remake = UpsampleNormPad.remake
        return _joined(parts, statistics, (gamma, beta), how)

    @staticmethod
    def remake(ctx: Any) -> Tensor:
        """Make the output again, bit by bit."""
        gamma, beta, statistics, inputs = _unpacked(ctx)
        parts = [_doubled(inputs[0], ctx.how), *inputs[1:]]
        return _joined(parts, statistics, (gamma, beta), ctx.how)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Go back through border, norm and upsampling; the incoming gradient is used up."""
        how = ctx.how
        gamma, _, statistics, inputs = _unpacked(ctx)
        ops.fold_border(gradient, how["pad"], how["padding"])
        inner = ops.inside(gradient, how["pad"])
        parts = [_doubled(inputs[0], how), *inputs[1:]]
        del inputs
        results = [
            ops.norm_backward(inner[:, channels], part, gamma[channels], own)
            for part, own, channels in zip(parts, statistics, _slices(ctx.channels), strict=True)
        ]
        low = upsample_adjoint(results[0][0], how["kind"], how["align_corners"])
        to_skip = None if len(results) == 1 else results[1][0]
        gammas, betas = (torch.cat([result[i] for result in results]) for i in (1, 2))
        return low, to_skip, gammas, None if how["hold_beta"] else betas, None


def _unpacked(ctx: Any) -> tuple[Tensor, Tensor, list[Pair], list[Tensor]]:
    """Give gamma, beta, each part's statistics, and the inputs, kept or made again."""
    gamma, beta, *rest = ctx.saved_tensors
    count = len(ctx.nodes)
    statistics = list(zip(rest[: 2 * count : 2], rest[1 : 2 * count : 2], strict=True))
    kept = iter(rest[2 * count :])
    inputs = [next(kept) if node is None else node.remake(node) for node in ctx.nodes]
    return gamma, beta, statistics, inputs


def _doubled(low: Tensor, how: dict[str, Any]) -> Tensor:
    return upsample(low, how["kind"], how["align_corners"])


def _joined(
    parts: list[Tensor],
    statistics: list[Pair],
    affine: Pair,
    how: dict[str, Any],
) -> Tensor:
    """Normalise each part into its channels of one padded image."""
    high, pad, (gamma, beta) = parts[0], how["pad"], affine
    height, width = (side + 2 * pad for side in high.shape[2:])
    padded = ops.empty_image(high, gamma.shape[0], height, width)
    inner = ops.inside(padded, pad)
    slices = _slices([part.shape[1] for part in parts])
    for part, own, channels in zip(parts, statistics, slices, strict=True):
        ops.normalise_into(inner[:, channels], part, own, (gamma[channels], beta[channels]))
    ops.fill_border(padded, pad, how["padding"])
    return padded


def _slices(channels: list[int]) -> list[slice]:
    """Give where each part of a concatenation lies."""
    ends = list(accumulate(channels))
    return [slice(end - count, end) for count, end in zip(channels, ends, strict=True)]
