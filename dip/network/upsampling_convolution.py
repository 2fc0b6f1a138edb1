"""A 3x3 convolution of an enlarged image, with a quarter of the products.

Enlarging by two is: put zeros between the samples, then blur with b along each axis, b = (1, 3, 3,
1) / 4 for bilinear (corners not aligned), b = (1, 1) for nearest. Convolutions commute, so

    conv3x3(enlarge(x), W) = blur_b(conv_transpose(x, W, stride 2))

away from the border: 9 products for each small pixel and pair of channels instead of 36. The batch
norm in front of the convolution folds into its weights. Its scale s = gamma / sqrt(variance + eps)
multiplies W[:, c]; its shift is a constant image, which reflection carries through and the next
norm cancels. So no normalised, padded or enlarged array is ever made.

Statistics come from the small image: the mean is its mean, and the sum of squares of the enlarged
image is <x, T x> with T the depthwise filter (3/8, 5/4, 3/8) along each axis, borders replicated
(4 for nearest). docs/engine.md derives it.
"""

from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import conv1d, conv2d, conv_transpose2d, interpolate, pad

from dip.network.operations import (
    NORM_EPSILON,
    fold_reflection,
    pixels,
    reflect_border,
    weight_gradient,
    wide,
)

BLUR = {"bilinear": (0.25, 0.75, 0.75, 0.25), "nearest": (1.0, 1.0)}
SQUARES = {"bilinear": (0.375, 1.25, 0.375), "nearest": (0.0, 2.0, 0.0)}
KERNEL = 3


class UpsamplingConvolution(torch.autograd.Function):
    """Enlarge, concatenate with the skip, batch norm, reflect, convolve with a 3x3 kernel.

    Takes `low` (1, C, H, W), `skip` (1, S, 2H, 2W) or None, the norm's `gamma` (C + S) and the
    convolution's `weight` (O, C + S, 3, 3); gives (1, O, 2H, 2W), each channel up to a constant
    that the norm behind it cancels. Its gradients hold for a loss that such a norm leads to.
    """

    @staticmethod
    def forward(
        ctx: Any, low: Tensor, skip: Tensor | None, gamma: Tensor, weight: Tensor, kind: str
    ) -> Tensor:
        """Give the convolution of the enlarged image; nothing of its size is normalised."""
        channels = low.shape[1]
        small = FoldedNorm(low, gamma[:channels], kind)
        folded = small.scaled(weight[:, :channels]).to(low.dtype)
        border = (2 * KERNEL - len(BLUR[kind])) // 2
        stuffed = conv_transpose2d(small.padded, _turned(folded), stride=2, padding=border)
        out = conv2d(stuffed, _separable(BLUR[kind], stuffed), groups=stuffed.shape[1])
        out = out.contiguous(memory_format=torch.channels_last)
        del stuffed
        if kind == "bilinear":
            for place, part in zip(_sides(out), _ring(small.edges(), folded), strict=True):
                place += part
        kept = []
        if skip is not None:
            fine = FoldedNorm(skip, gamma[channels:], None)
            patches = _patches(fine.padded)
            matrix = _matrix(fine.scaled(weight[:, channels:]).to(low.dtype))
            pixels(out).addmm_(patches, matrix.t())
            kept = fine.saved()
        ctx.save_for_backward(gamma, weight, *small.saved(), *kept)
        ctx.kind = kind
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Give the gradients of low, skip, gamma and weight."""
        gamma, weight, *saved = ctx.saved_tensors
        small = FoldedNorm.restored(saved[:2], gamma, ctx.kind)
        channels = small.padded.shape[1]
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        to_low, to_folded = _upsampling_backward(gradient, small, weight[:, :channels])
        found = [(*small.backward(to_low, to_folded, weight[:, :channels]), to_folded)]
        if len(saved) > 2:
            fine = FoldedNorm.restored(saved[2:], gamma[channels:], None)
            to_skip, to_folded = _skip_backward(gradient, fine, weight[:, channels:])
            found.append((*fine.backward(to_skip, to_folded, weight[:, channels:]), to_folded))
        to_inputs, gammas, weights, _ = zip(*found, strict=True)
        to_skip = to_inputs[1] if len(found) > 1 else None
        return to_inputs[0], to_skip, torch.cat(gammas), torch.cat(weights, 1), None


class FoldedNorm:
    """A batch norm that is folded into the weights behind it, over one part of their channels.

    `padded` is the part less its mean, with a border of one pixel: replicated where it is to be
    enlarged (`kind` bilinear or nearest), reflected where it is not (`kind` None).
    """

    def __init__(self, image: Tensor, gamma: Tensor, kind: str | None) -> None:
        self.gamma, self.kind = gamma, kind
        mean = pixels(wide(image)).mean(0).view(1, -1, 1, 1)
        centred = wide(image) - mean
        self.padded = _bordered(centred, kind).to(image.dtype)
        squares = pixels(centred.mul_(self._squared())).sum(0)
        self.deviation = (squares / self._count + NORM_EPSILON).rsqrt_()

    @classmethod
    def restored(cls, saved: list[Tensor], gamma: Tensor, kind: str | None) -> "FoldedNorm":
        """Take up what `saved` gave."""
        self = cls.__new__(cls)
        (self.padded, self.deviation), self.kind = saved, kind
        self.gamma = gamma[: self.padded.shape[1]]
        return self

    def saved(self) -> list[Tensor]:
        """What the backward pass needs."""
        return [self.padded, self.deviation]

    @property
    def _count(self) -> int:
        """How many pixels the norm's statistics are over."""
        low = (self.padded.shape[2] - 2) * (self.padded.shape[3] - 2)
        return low * (4 if self.kind else 1)

    def _squared(self) -> Tensor:
        """T x for the centred image x: <x, T x> is the sum of squares that the norm sees."""
        if self.kind is None:
            return wide(self.padded[:, :, 1:-1, 1:-1])
        padded = wide(self.padded)
        filters = _separable(SQUARES[self.kind], padded)
        return conv2d(padded, filters, groups=padded.shape[1])

    def scaled(self, weight: Tensor) -> Tensor:
        """The (O, C, 3, 3) weights with the norm's scale in them."""
        return weight * (self.gamma * self.deviation).view(1, -1, 1, 1)

    def edges(self) -> list[Tensor]:
        """The two outermost rows and columns, in 32 bits, as _ring wants them."""
        inner = self.padded[:, :, 1:-1, 1:-1]
        turned = inner.transpose(2, 3)
        slabs = (inner[:, :, :2], inner[:, :, -2:].flip(2), turned[:, :, :2])
        return [wide(slab).contiguous() for slab in (*slabs, turned[:, :, -2:].flip(2))]

    def backward(
        self, to_image: Tensor, to_folded: Tensor, weight: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The gradients of the norm's input, gamma and the weights.

        `to_image` (used up) is that of the centred image through the convolution alone, and
        `to_folded` that of the scaled weights. The mean's own share is left out: it is the sum of
        `to_image` over the pixels, which is zero where a norm follows.
        """
        to_scale = (to_folded * weight).sum((0, 2, 3))
        to_variance = to_scale * self.gamma * self.deviation**3 / -2
        factor = (2 * to_variance / self._count).view(1, -1, 1, 1)
        before = to_image.add_(self._squared().mul_(factor))
        scale = (self.gamma * self.deviation).view(1, -1, 1, 1)
        return before.to(self.padded.dtype), to_scale * self.deviation, to_folded * scale


def _upsampling_backward(
    gradient: Tensor, small: FoldedNorm, weight: Tensor
) -> tuple[Tensor, Tensor]:
    """The gradients of the centred small image, (1, C, H, W), and of the folded weights."""
    assert small.kind
    folded = small.scaled(weight).to(gradient.dtype)
    # With this border the adjoint is zero wherever the transposed convolution was cut off.
    border = len(BLUR[small.kind]) - 1 + (2 * KERNEL - len(BLUR[small.kind])) // 2
    filters = _separable(BLUR[small.kind], gradient)
    stuffed = conv2d(gradient, filters, padding=border, groups=gradient.shape[1])
    padded = wide(conv2d(stuffed, _turned(folded), stride=2))
    to_folded = weight_gradient(stuffed, small.padded, KERNEL, 2).transpose(0, 1).flip(2, 3)
    del stuffed
    to_low = _fold_replication(padded)
    if small.kind == "bilinear":
        to_edges, to_ring_weight = _ring_backward(gradient, small, folded)
        for place, part in zip(_slabs(to_low), to_edges, strict=True):
            place += part
        to_folded = to_folded + to_ring_weight
    return to_low, to_folded


def _skip_backward(gradient: Tensor, fine: FoldedNorm, weight: Tensor) -> tuple[Tensor, Tensor]:
    """The gradients of the centred skip, (1, S, 2H, 2W), and of its folded weights."""
    matrix = _matrix(fine.scaled(weight).to(gradient.dtype))
    columns = pixels(gradient) @ matrix  # (pixels, k * k * S)
    _, channels, high, across = fine.padded.shape
    total = torch.zeros((1, high, across, channels), dtype=wide(gradient[:, :, :0]).dtype,
                        device=gradient.device)  # fmt: skip
    height, width = gradient.shape[2:]
    parts = columns.view(1, height, width, KERNEL, KERNEL, channels)
    for i in range(KERNEL):
        for j in range(KERNEL):
            total[:, i : i + height, j : j + width] += parts[..., i, j, :]
    padded = total.permute(0, 3, 1, 2)
    fold_reflection(padded, 1)
    to_folded = weight_gradient(fine.padded, gradient, KERNEL, 1)
    return padded[:, :, 1:-1, 1:-1].contiguous(memory_format=torch.channels_last), to_folded


def _bordered(image: Tensor, kind: str | None) -> Tensor:
    """`image` with one pixel more on each side."""
    padded = pad(image, (1, 1, 1, 1), mode="replicate" if kind else "constant")
    padded = padded.contiguous(memory_format=torch.channels_last)
    if kind is None:
        reflect_border(padded, 1)
    return padded


def _fold_replication(padded: Tensor) -> Tensor:
    """Add a gradient's border of one pixel to its neighbours inside; give the inside, dense."""
    padded[:, :, 1] += padded[:, :, 0]
    padded[:, :, -2] += padded[:, :, -1]
    rows = padded[:, :, 1:-1]
    rows[..., 1] += rows[..., 0]
    rows[..., -2] += rows[..., -1]
    return rows[..., 1:-1].contiguous(memory_format=torch.channels_last)


def _separable(values: tuple[float, ...], like: Tensor) -> Tensor:
    """The depthwise (C, 1, k, k) filter with `values` along each axis, for an image like `like`."""
    return _filter(values, like.shape[1], like.dtype, like.device)


@cache  # made once: nothing may come from the host while a CUDA graph is captured
def _filter(
    values: tuple[float, ...], channels: int, dtype: torch.dtype, device: torch.device
) -> Tensor:
    one = torch.tensor(values, dtype=dtype, device=device)
    return (one[:, None] * one).expand(channels, 1, -1, -1).contiguous()


def _turned(weight: Tensor) -> Tensor:
    """(O, C, 3, 3) weights as a transposed convolution takes them: (C, O, 3, 3), turned round."""
    return weight.transpose(0, 1).flip(2, 3).contiguous(memory_format=torch.channels_last)


def _matrix(weight: Tensor) -> Tensor:
    """(O, S, 3, 3) weights as a matrix (O, 9 S), in the order of _patches."""
    return weight.permute(0, 2, 3, 1).reshape(weight.shape[0], -1)


def _patches(padded: Tensor) -> Tensor:
    """The 3x3 patches of a padded channels-last image, (pixels, 9 S)."""
    _, channels, height, width = padded.shape
    _, _, down, right = padded.stride()
    shape = (height - 2, width - 2, KERNEL, KERNEL * channels)
    return padded.as_strided(shape, (down, right, down, 1)).reshape(-1, KERNEL**2 * channels)


def _sides(out: Tensor) -> tuple[Tensor, ...]:
    """The outermost row, row, column, column of an image, as views: top, bottom, left, right."""
    return out[:, :, 0], out[:, :, -1], out[:, :, :, 0], out[:, :, :, -1]


def _slabs(image: Tensor) -> tuple[Tensor, ...]:
    """Views of the slabs that FoldedNorm.edges gives, the outermost line first, unflipped."""
    turned = image.transpose(2, 3)
    return image[:, :, :2], image[:, :, -2:], turned[:, :, :2], turned[:, :, -2:]


def _ring(edges: list[Tensor], weight: Tensor) -> list[Tensor]:
    """What the outermost output pixels lack: top, bottom, left, right, (1, O, length) each.

    There the convolution reads the reflection of the enlarged image, its second line from the
    edge, where the blur of the replicated small image gives its outermost line. The difference of
    the two lines, convolved along the edge, is what is missing; corners belong to top and bottom.
    """
    w = wide(weight)
    lines = (w[:, :, 0], w[:, :, -1], w[:, :, :, 0], w[:, :, :, -1])
    found = []
    for number, (slab, line) in enumerate(zip(edges, lines, strict=True)):
        enlarged = interpolate(slab, scale_factor=2, mode="bilinear", align_corners=False)
        outermost, second = enlarged[:, :, 0], enlarged[:, :, 1]
        if number < 2:
            difference = pad(second, (1, 1), mode="reflect") - pad(outermost, (1, 1), "replicate")
        else:
            difference = pad(second - outermost, (1, 1))
        found.append(conv1d(difference, line))
    return found


def _ring_backward(
    gradient: Tensor, small: FoldedNorm, folded: Tensor
) -> tuple[list[Tensor], Tensor]:
    """The gradients of _ring's slabs, turned as _slabs has them, and of the folded weights."""
    edges = [edge.requires_grad_() for edge in small.edges()]
    weight = wide(folded).detach().requires_grad_()
    with torch.enable_grad():
        ring = _ring(edges, weight)
    sides = [wide(side) for side in _sides(gradient)]
    *found, to_weight = torch.autograd.grad(ring, [*edges, weight], sides)
    return [found[0], found[1].flip(2), found[2], found[3].flip(2)], to_weight
