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
from torch.nn.functional import conv2d, conv_transpose2d, interpolate, pad

from dip.network.operations import (
    NORM_EPSILON,
    fold_reflection,
    pixels,
    reflect_border,
    weight_gradient,
    wide,
    wide_type,
)

BLUR = {"bilinear": (0.25, 0.75, 0.75, 0.25), "nearest": (1.0, 1.0)}
SQUARES = {"bilinear": (0.375, 1.25, 0.375), "nearest": (0.0, 2.0, 0.0)}
KERNEL = 3


class UpsamplingConvolution(torch.autograd.Function):
    """Enlarge, concatenate with the skip, batch norm, reflect, convolve with a 3x3 kernel.

    Takes `low` (1, C, H, W), `skip` (1, S, 2H, 2W) or None, the norm's `gamma` (C + S), the
    convolution's `weight` (O, C + S, 3, 3) and the `kind` of enlargement, "bilinear" or "nearest";
    gives (1, O, 2H, 2W) of low's type, each channel up to a constant that the norm behind it
    cancels. Its gradients hold for a loss that such a norm leads to. The identity is ours; the
    unit is that of the supplement's figure (up i: norm, convolution).
    """

    @staticmethod
    def forward(
        ctx: Any, low: Tensor, skip: Tensor | None, gamma: Tensor, weight: Tensor, kind: str
    ) -> Tensor:
        """The convolution of the enlarged image; nothing of its size is normalised."""
        channels = low.shape[1]
        small = FoldedNorm(low, gamma[:channels], kind)
        folded = small.scaled(weight[:, :channels]).to(low.dtype)
        # Of the transposed convolution's border only what the blur uses up is kept: it shortens
        # each side by its length less one, and 2H x 2W pixels are to remain.
        border = (2 * KERNEL - len(BLUR[kind])) // 2
        stuffed = conv_transpose2d(small.padded, _turned(folded), stride=2, padding=border)
        out = conv2d(stuffed, _separable(BLUR[kind], stuffed), groups=stuffed.shape[1])
        out = out.contiguous(memory_format=torch.channels_last)
        del stuffed  # the largest array of the unit
        if kind == "bilinear":
            _add_ring(out, small, folded)
        kept = []
        if skip is not None:
            # A few channels make a poor convolution and a good matrix product: nine times as many
            # columns, added to `out` where it stands.
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
        """The gradients of low, skip, gamma and weight."""
        gamma, weight, *saved = ctx.saved_tensors
        small = FoldedNorm.restored(saved[:2], gamma, ctx.kind)
        channels = small.padded.shape[1]
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        found = small.gradients(*_upsampling_backward(gradient, small, weight[:, :channels]))
        if len(saved) == 2:
            return found[0], None, *found[1:], None
        fine = FoldedNorm.restored(saved[2:], gamma[channels:], None)
        finer = fine.gradients(*_skip_backward(gradient, fine, weight[:, channels:]))
        to_gamma, to_weight = torch.cat([found[1], finer[1]]), torch.cat([found[2], finer[2]], 1)
        return found[0], finer[0], to_gamma, to_weight, None


class FoldedNorm:
    """A batch norm that is folded into the weights behind it, over one part of their channels.

    `image` is (1, C, H, W), and `gamma` its (C,) part. `padded`, (1, C, H + 2, W + 2), is the image
    less its mean, with a border of one pixel: replicated where it is to be enlarged (`kind`
    bilinear or nearest), reflected where it is not (`kind` None). `deviation`, (C,), is
    1 / sqrt(variance + eps) of the image that the norm would see, enlarged or not.
    """

    def __init__(self, image: Tensor, gamma: Tensor, kind: str | None) -> None:
        self.gamma, self.kind = gamma, kind
        widened = wide(image)
        centred = widened - pixels(widened).mean(0).view(1, -1, 1, 1)
        self.padded = _bordered(centred, kind).to(image.dtype)
        squares = pixels(centred.mul_(self._squared())).sum(0)
        self.deviation = (squares / self._count + NORM_EPSILON).rsqrt_()

    @classmethod
    def restored(cls, saved: list[Tensor], gamma: Tensor, kind: str | None) -> "FoldedNorm":
        """The norm again, from what `saved` gave; nothing is computed."""
        self = cls.__new__(cls)
        (self.padded, self.deviation), self.kind = saved, kind
        self.gamma = gamma[: self.padded.shape[1]]
        return self

    def saved(self) -> list[Tensor]:
        """What the backward pass needs: `padded` and `deviation`."""
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

    def gradients(
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
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of the centred small image, (1, C, H, W), and of the folded weights.

    The weights come back as they are, as FoldedNorm.gradients takes all three.
    """
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
        to_folded = to_folded + _ring_backward(gradient, small, folded, to_low)
    return to_low, to_folded, weight


def _skip_backward(
    gradient: Tensor, fine: FoldedNorm, weight: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of the centred skip, (1, S, 2H, 2W), and of its folded weights, and these."""
    matrix = _matrix(fine.scaled(weight).to(gradient.dtype))
    columns = pixels(gradient) @ matrix  # (pixels, k * k * S)
    _, channels, high, across = fine.padded.shape
    total = torch.zeros((1, high, across, channels), dtype=wide_type(gradient),
                        device=gradient.device)  # fmt: skip
    height, width = gradient.shape[2:]
    parts = columns.view(1, height, width, KERNEL, KERNEL, channels)
    for i in range(KERNEL):
        for j in range(KERNEL):
            total[:, i : i + height, j : j + width] += parts[..., i, j, :]
    padded = total.permute(0, 3, 1, 2)
    fold_reflection(padded, 1)
    to_folded = weight_gradient(fine.padded, gradient, KERNEL, 1)
    inner = padded[:, :, 1:-1, 1:-1].contiguous(memory_format=torch.channels_last)
    return inner, to_folded, weight


def _bordered(image: Tensor, kind: str | None) -> Tensor:
    """`image` with one pixel more on each side."""
    padded = pad(image, (1, 1, 1, 1), mode="replicate" if kind else "constant")
    padded = padded.contiguous(memory_format=torch.channels_last)
    if kind is None:
        reflect_border(padded, 1)
    return padded


def _fold_replication(padded: Tensor) -> Tensor:
    """The inside of a gradient, dense, with its border of one pixel added to the neighbours."""
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


def _edge_lines(image: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Views of each side's outermost line and the next, (L, C): top, bottom, left, right."""
    lines = image[0].permute(1, 2, 0)  # (H, W, C)
    found = []
    for turned in (lines, lines.transpose(0, 1)):
        second = min(1, len(turned) - 1)
        found += [(turned[0], turned[second]), (turned[-1], turned[-1 - second])]
    return found


@cache
def _ring_matrix(length: int, corners: bool, dtype: torch.dtype, device: torch.device) -> Tensor:
    """What makes the line that _add_ring convolves, (2 L + 2, C), of a side's two lines, (2 L, C).

    It is the second line of the enlarged image, reflected at its ends, less its outermost line,
    replicated. Without `corners` the ends are zero: they belong to the sides across.
    """
    two = torch.eye(2 * length, dtype=torch.float64).view(1, 2 * length, 2, length)
    enlarged = interpolate(two, scale_factor=2, mode="bilinear", align_corners=False)[0]
    outermost, second = enlarged[:, 0], enlarged[:, 1]
    if corners:
        made = pad(second, (1, 1), mode="reflect") - pad(outermost, (1, 1), mode="replicate")
    else:
        made = pad(second - outermost, (1, 1))
    return made.t().to(dtype).contiguous().to(device)


def _ring_lines(small: FoldedNorm) -> list[Tensor]:
    """The patches of each side's line, (2 L, 3 C)."""
    found = []
    for number, lines in enumerate(_edge_lines(small.padded[:, :, 1:-1, 1:-1])):
        edge = torch.cat([wide(line) for line in lines])
        matrix = _ring_matrix(len(edge) // 2, number < 2, edge.dtype, edge.device)
        line = matrix @ edge
        channels = line.shape[1]
        shape = (len(line) - 2, KERNEL * channels)
        found.append(line.as_strided(shape, (channels, 1)).contiguous())
    return found


def _ring_weights(folded: Tensor) -> list[Tensor]:
    """The weights of each side, (3 C, O): those that reach over the edge."""
    weight = wide(folded)
    sides = (weight[:, :, 0], weight[:, :, -1], weight[:, :, :, 0], weight[:, :, :, -1])
    return [side.permute(2, 1, 0).reshape(-1, side.shape[0]) for side in sides]


def _sides(out: Tensor) -> list[Tensor]:
    """Views of the outermost lines of an image, (2 L, O): top, bottom, left, right."""
    return [outermost for outermost, _ in _edge_lines(out)]


def _add_ring(out: Tensor, small: FoldedNorm, folded: Tensor) -> None:
    """Add what the outermost output pixels lack.

    There the convolution reads the reflection of the enlarged image, its second line from the
    edge, where the blur of the replicated small image gives its outermost line. The difference of
    the two lines, convolved along the edge, is what is missing.
    """
    for place, patches, weight in zip(
        _sides(out), _ring_lines(small), _ring_weights(folded), strict=True
    ):
        place += patches @ weight


def _ring_backward(gradient: Tensor, small: FoldedNorm, folded: Tensor, to_low: Tensor) -> Tensor:
    """Add to `to_low` what comes through the ring; give the gradient of the folded weights."""
    to_weight = torch.zeros_like(folded, dtype=wide_type(folded))
    places = (to_weight[:, :, 0], to_weight[:, :, -1], to_weight[..., 0], to_weight[..., -1])
    lines = _edge_lines(to_low)
    each = zip(_sides(gradient), _ring_lines(small), _ring_weights(folded), strict=True)
    for number, (side, patches, weight) in enumerate(each):
        side = wide(side)
        channels = patches.shape[1] // KERNEL
        found = (patches.t() @ side).view(KERNEL, channels, -1)
        places[number].add_(found.permute(2, 1, 0))
        to_patches = side @ weight.t()
        to_line = to_patches.new_zeros((len(side) + 2, channels))
        for k in range(KERNEL):
            to_line[k : k + len(side)] += to_patches[:, k * channels : (k + 1) * channels]
        matrix = _ring_matrix(len(side) // 2, number < 2, to_line.dtype, to_line.device)
        for place, part in zip(lines[number], (matrix.t() @ to_line).chunk(2), strict=True):
            place += part
    return to_weight
