"""The network's operations, each with its adjoint: borders, convolutions, norm and activation.

Images are (1, C, H, W), channels last in memory, of float32, bfloat16 or (in the tests) float64.
Statistics, sums and parameters' gradients are float32 whatever the image is (float64 for float64).
Every gradient is written out, so that its bits do not depend on which kernel a library picks, and
so that no large array is written twice. The tests hold each against torch's stock operations.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional
from torch.nn.functional import conv2d, leaky_relu_

NORM_EPSILON = 1e-5
STRIP_VALUES = 1 << 18  # values that stay in a core's cache from one operation to the next
PATCH_VALUES = 1 << 20  # values of unfolded patches for one matrix product

Pair = tuple[Tensor, Tensor]


def wide_type(image: Tensor) -> torch.dtype:
    """The type in which sums over an image are made: float32, or float64 for float64."""
    return torch.float64 if image.dtype == torch.float64 else torch.float32


def wide(image: Tensor) -> Tensor:
    """The image as float32, or float64 as it is; no copy where it is so already."""
    return image.to(wide_type(image))


def empty_image(
    like: Tensor, channels: int, height: int, width: int, dtype: torch.dtype | None = None
) -> Tensor:
    """A (1, channels, height, width) image, not filled, channels last, on `like`'s device."""
    return torch.empty(
        (1, channels, height, width),
        dtype=dtype or like.dtype,
        device=like.device,
        memory_format=torch.channels_last,
    )


def inside(padded: Tensor, pad: int) -> Tensor:
    """A view of a padded image without its border of `pad` pixels."""
    return padded[:, :, pad:-pad, pad:-pad] if pad else padded


def reflect_border(padded: Tensor, pad: int) -> None:
    """Fill the border of `pad` pixels, in place, with the reflection of what is inside.

    As torch's "reflect": the edge itself is not repeated (supplement: reflection padding in all
    convolutions). Columns go first, so that the rows, which follow, carry the corners along.
    """
    rows = padded[:, :, pad:-pad] if pad else padded
    for j in range(1, pad + 1):
        rows[..., pad - j] = rows[..., pad + j]
        rows[..., -pad - 1 + j] = rows[..., -pad - 1 - j]
    for j in range(1, pad + 1):
        padded[:, :, pad - j] = padded[:, :, pad + j]
        padded[:, :, -pad - 1 + j] = padded[:, :, -pad - 1 - j]


def fold_reflection(gradient: Tensor, pad: int) -> None:
    """Add a gradient's border to the pixels it was reflected from, in place.

    The adjoint of reflect_border, in the opposite order; the border itself is left as it is.
    """
    for j in range(1, pad + 1):
        gradient[:, :, pad + j] += gradient[:, :, pad - j]
        gradient[:, :, -pad - 1 - j] += gradient[:, :, -pad - 1 + j]
    rows = gradient[:, :, pad:-pad] if pad else gradient
    for j in range(1, pad + 1):
        rows[..., pad + j] += rows[..., pad - j]
        rows[..., -pad - 1 - j] += rows[..., -pad - 1 + j]


def strips(matrix: Tensor, multiple: int = 1) -> Iterator[slice]:
    """Slices of rows, so few that operations on them stay in cache; off the CPU one of all."""
    count, channels = matrix.shape
    rows = count
    if matrix.device.type == "cpu":
        rows = max(1, STRIP_VALUES // (channels * multiple)) * multiple
    for first in range(0, count, rows):
        yield slice(first, min(first + rows, count))


def pixels(image: Tensor) -> Tensor:
    """A channels-last image as a (H * W, C) matrix: a view, or a copy if its rows are not dense."""
    return image.permute(0, 2, 3, 1).reshape(-1, image.shape[1])


def weight_gradient(image: Tensor, gradient: Tensor, kernel: int, stride: int) -> Tensor:
    """The gradient of a convolution's (O, C, k, k) weights, from its padded input and dL/doutput.

    On a CPU patches are unfolded a few rows at a time and multiplied in one matrix product: below
    AVX-512 the library's own kernel for channels last is five to eight times slower, and in
    AVX-512 it has no fast one for strided convolutions.
    """
    (_, channels, _, _), (_, out, height, width) = image.shape, gradient.shape
    dtype = wide_type(gradient)
    if image.device.type != "cpu":
        like = torch.empty((out, channels, kernel, kernel), device=image.device, dtype=image.dtype)
        found = torch.ops.aten.convolution_backward(
            gradient, image, like, None, [stride] * 2, [0, 0], [1, 1], False, [0, 0], 1,
            [False, True, False],
        )  # fmt: skip
        return found[1].to(dtype)  # type: ignore[no-any-return]
    image = image.contiguous(memory_format=torch.channels_last)
    # In channels last a patch's row of pixels is one run of memory, so all patches are one view of
    # the image with overlapping strides, and unfolding is a single copy.
    columns = kernel * kernel * channels
    rows = min(height, max(1, PATCH_VALUES // (columns * width)))
    total = torch.zeros((out, columns), dtype=dtype)
    room = torch.empty((rows, width, kernel, kernel * channels), dtype=image.dtype)
    _, _, down, right = image.stride()
    for first in range(0, height, rows):
        part = gradient[:, :, first : first + rows]
        patches = image.as_strided(
            (part.shape[2], *room.shape[1:]),
            (stride * down, stride * right, down, 1),
            image.storage_offset() + first * stride * down,
        )
        patches = room[: len(patches)].copy_(patches).view(-1, columns)
        if image.dtype == dtype:
            total.addmm_(pixels(part).t(), patches)
        else:  # a product of 16-bit numbers is rounded to 16 bits, so the sum is made apart
            total += pixels(part).t() @ patches
    return total.view(out, kernel, kernel, channels).permute(0, 3, 1, 2)


class Convolve(torch.autograd.Function):
    """A convolution of a bordered (1, C, H, W) by (O, C, k, k), to sides (H - k) // stride + 1."""

    @staticmethod
    def forward(ctx: Any, image: Tensor, weight: Tensor, stride: int) -> Tensor:
        """Convolve; a 32-bit weight is rounded to a 16-bit image's type first."""
        weight = weight.to(image.dtype)
        ctx.save_for_backward(image, weight)
        ctx.stride = stride
        return conv2d(image, weight, stride=stride)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of image, unless it is the network's input, and of weight."""
        image, weight = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        before = (
            _image_gradient(image, weight, gradient, ctx.stride)
            if ctx.needs_input_grad[0]
            else None
        )
        return before, weight_gradient(image, gradient, weight.shape[-1], ctx.stride), None


def _image_gradient(image: Tensor, weight: Tensor, gradient: Tensor, stride: int) -> Tensor:
    """The gradient of a convolution's input, channels last."""
    if stride == 1 and weight.shape[-1] > 1 and image.device.type == "cpu":
        # As a convolution with the turned weights, for which the library is a third faster.
        turned = weight.transpose(0, 1).flip(2, 3).contiguous(memory_format=torch.channels_last)
        return conv2d(functional.pad(gradient, (weight.shape[-1] - 1,) * 4), turned)
    return torch.ops.aten.convolution_backward(  # type: ignore[no-any-return]
        gradient, image, weight, None, [stride] * 2, [0, 0], [1, 1], False, [0, 0], 1,
        [True, False, False],
    )[0]  # fmt: skip


def room_for_a_strip(matrix: Tensor, multiple: int = 1) -> Tensor:
    """An array for the values of one strip, in 32 bits: written again and again, it stays in cache.

    A fresh array for every strip would take four times as long, as its memory comes from outside.
    """
    count = next(strips(matrix, multiple)).stop
    return torch.empty((count, matrix.shape[1]), dtype=wide_type(matrix), device=matrix.device)


def moments(matrix: Tensor) -> Pair:
    """Each channel's mean and 1 / sqrt(variance + epsilon) over the rows of a (pixels, C) matrix.

    The sums are of differences from the first pixel, so that a nearly constant channel loses no
    digits.
    """
    pivot, room = wide(matrix[0]), room_for_a_strip(matrix)
    total, squares = torch.zeros_like(pivot), torch.zeros_like(pivot)
    for rows in strips(matrix):
        part = matrix[rows]
        difference = torch.sub(part, pivot, out=room[: len(part)])
        total += difference.sum(0)
        squares += difference.square_().sum(0)
    mean = total / len(matrix)
    variance = (squares / len(matrix) - mean * mean).clamp_(min=0)
    return mean + pivot, (variance + NORM_EPSILON).rsqrt_()


class Norm:
    """A batch norm with LeakyReLU behind it, on rows of a (pixels, C) matrix.

    The backward pass goes over the rows twice: `take` leaves the gradient before the activation
    in `gradient` and adds to the two sums that a batch norm's gradient needs; `finish` turns that
    array into the gradient of the norm's input, in place.
    """

    def __init__(
        self, matrix: Tensor, statistics: Pair, affine: Pair, slope: float, multiple: int = 1
    ) -> None:
        self.matrix, self.slope = matrix, slope
        (self.mean, self.deviation), (gamma, beta) = statistics, affine
        self.scale = gamma * self.deviation
        self.shift = beta - self.mean * self.scale
        self.to_gamma, self.to_beta = torch.zeros_like(self.mean), torch.zeros_like(self.mean)
        self._activation = room_for_a_strip(matrix, multiple)
        self._before, self._centred = (torch.empty_like(self._activation) for _ in range(2))

    def activated(self, rows: slice) -> Tensor:
        """Rows normalised and activated, in 32 bits; they stand until the next call."""
        part = self.matrix[rows]
        out = self._activation[: len(part)]
        return leaky_relu_(torch.addcmul(self.shift, part, self.scale, out=out), self.slope)

    def take(self, rows: slice, incoming: Tensor, activation: Tensor, gradient: Tensor) -> None:
        """Write the gradient before the activation of some rows into those of `gradient`.

        The signs of `activation` are those of its input; `incoming` is the gradient behind it, of
        the same shape: (rows, C), or (lines, width, C).
        """
        part, before = self.matrix[rows], gradient[rows]
        if before.dtype != self.mean.dtype:
            before = self._before[: len(part)]
        torch.ops.aten.leaky_relu_backward.grad_input(
            wide(incoming), wide(activation), self.slope, True,
            grad_input=before.view(incoming.shape),
        )  # fmt: skip
        self.to_beta += before.sum(0)
        centred = torch.sub(part, self.mean, out=self._centred[: len(part)])
        self.to_gamma += centred.mul_(before).sum(0)
        if gradient.dtype != before.dtype:
            gradient[rows] = before

    def finish(self, gradient: Tensor) -> Pair:
        """Turn what `take` left into the norm's input's gradient; give those of gamma and beta."""
        # dL/dx = scale (g - mean(g) - x^ mean(g x^)) with g the gradient before the activation and
        # x^ the normalised input, written as scale g + slope x + shift: one pass over the array.
        to_gamma, count = self.to_gamma * self.deviation, len(gradient)
        slope = self.scale * self.deviation * to_gamma / -count
        shift = self.scale * self.to_beta / -count - slope * self.mean
        for rows in strips(gradient):
            part = gradient[rows]
            out = part if part.dtype == shift.dtype else self._before[: len(part)]
            torch.addcmul(shift, part, self.scale, out=out).addcmul_(self.matrix[rows], slope)
            if out is not part:
                part.copy_(out)
        return to_gamma, self.to_beta


class NormActivatePad(torch.autograd.Function):
    """Batch norm, LeakyReLU and the next convolution's reflected border, in one padded array.

    (1, C, H, W) to (1, C, H + 2 pad, W + 2 pad) of the same type; statistics are those of the
    image, as a batch of one needs. Only this array and the norm's input are kept for the backward
    pass: LeakyReLU keeps the sign, so its output tells which side of zero its input was on.
    """

    @staticmethod
    def forward(
        ctx: Any, image: Tensor, gamma: Tensor, beta: Tensor, slope: float, pad: int
    ) -> Tensor:
        """The padded array; it is filled strip by strip, while the values are in cache."""
        matrix = pixels(image)
        statistics = moments(matrix)
        _, channels, height, width = image.shape
        norm = Norm(matrix, statistics, (gamma, beta), slope, width)
        padded = empty_image(image, channels, height + 2 * pad, width + 2 * pad)
        lines = inside(padded, pad).permute(0, 2, 3, 1)[0]
        for rows in strips(matrix, width):
            lines[_lines(rows, width)] = norm.activated(rows).view(-1, width, channels)
        reflect_border(padded, pad)
        ctx.save_for_backward(image, gamma, beta, *statistics, padded)
        ctx.slope, ctx.pad = slope, pad
        return padded

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of image, gamma and beta; the incoming one is used up."""
        image, gamma, beta, mean, deviation, padded = ctx.saved_tensors
        fold_reflection(gradient, ctx.pad)
        incoming, signs = (inside(x, ctx.pad).permute(0, 2, 3, 1)[0] for x in (gradient, padded))
        before, width = torch.empty_like(image), image.shape[3]
        norm = Norm(pixels(image), (mean, deviation), (gamma, beta), ctx.slope, width)
        matrix = pixels(before)
        for rows in strips(matrix, width):
            lines = _lines(rows, width)
            norm.take(rows, incoming[lines], signs[lines], matrix)
        return before, *norm.finish(matrix), None, None


def _lines(rows: slice, width: int) -> slice:
    """The lines of an image that rows of its matrix belong to."""
    return slice(rows.start // width, rows.stop // width)


class NormActivateConvolve(torch.autograd.Function):
    """Batch norm, LeakyReLU and a 1x1 convolution; the activated image is never stored.

    It is made again on the backward pass, strip by strip: a multiplication and an addition for
    each value cost less than reading and writing the array. The output is of type `dtype`; where
    that is 32 bits, the product is made in 32 bits too.
    """

    @staticmethod
    def forward(
        ctx: Any, image: Tensor, gamma: Tensor, beta: Tensor, weight: Tensor, bias: Tensor | None,
        slope: float, dtype: torch.dtype,
    ) -> Tensor:  # fmt: skip
        """The (1, O, H, W) product of the activated image and the (O, C, 1, 1) weight."""
        matrix = pixels(image)
        statistics = moments(matrix)
        norm = Norm(matrix, statistics, (gamma, beta), slope)
        out = empty_image(image, weight.shape[0], image.shape[2], image.shape[3], dtype)
        product, turned = pixels(out), weight[:, :, 0, 0].to(dtype).t()
        for rows in strips(matrix):
            torch.mm(norm.activated(rows).to(dtype), turned, out=product[rows])
        if bias is not None:
            product += bias
        ctx.save_for_backward(image, gamma, beta, *statistics, weight)
        ctx.slope, ctx.dtype, ctx.has_bias = slope, dtype, bias is not None
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of image, gamma, beta, weight and bias."""
        image, gamma, beta, mean, deviation, weight = ctx.saved_tensors
        norm = Norm(pixels(image), (mean, deviation), (gamma, beta), ctx.slope)
        incoming, straight = pixels(gradient), weight[:, :, 0, 0].to(ctx.dtype)
        to_weight = torch.zeros_like(weight[:, :, 0, 0])
        before = torch.empty_like(image)
        matrix = pixels(before)
        room = room_for_a_strip(matrix).to(ctx.dtype)
        for rows in strips(matrix):
            activation, part = norm.activated(rows), incoming[rows]
            to_weight += part.t() @ activation.to(ctx.dtype)
            back = torch.mm(part, straight, out=room[: len(part)])
            norm.take(rows, back, activation, matrix)
        to_bias = wide(incoming).sum(0) if ctx.has_bias else None
        return before, *norm.finish(matrix), to_weight[:, :, None, None], to_bias, None, None
