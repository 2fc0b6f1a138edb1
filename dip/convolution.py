"""A convolution whose input need not be kept for the way back."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import conv2d

from dip.layers import inside, made_again_by, pad_image
from dip.machine import give_back_holes, is_large


class Convolve(torch.autograd.Function):
    """conv2d of what lies `crop` pixels inside an image, on a CPU.

    The input is made again on the way back if its autograd node can do so.
    """

    @staticmethod
    def forward(
        ctx: Any, image: Tensor, weight: Tensor, bias: Tensor | None, stride: int, crop: int
    ) -> Tensor:
        """Convolve without a border of its own."""
        ctx.node = made_again_by(image)
        ctx.save_for_backward(weight, *([] if ctx.node else [image]))
        ctx.frees, ctx.crop, ctx.stride = is_large(image, image.shape[1]), crop, [stride, stride]
        ctx.bias_shape = None if bias is None else list(bias.shape)
        return conv2d(_cropped(image, crop), weight, bias, stride=stride)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Give the gradients of image, weight and bias."""
        weight, *kept = ctx.saved_tensors
        if ctx.frees:
            give_back_holes()
        image = _cropped(kept[0] if kept else ctx.node.remake(ctx.node), ctx.crop)
        found = torch.ops.aten.convolution_backward(
            gradient, image, weight, ctx.bias_shape, ctx.stride,
            [0, 0], [1, 1], False, [0, 0], 1, list(ctx.needs_input_grad[:3]),
        )  # fmt: skip
        before = found[0]
        if ctx.crop and before is not None:
            before = pad_image(before, ctx.crop, "zero")
        return before, found[1], found[2], None, None


def _cropped(image: Tensor, crop: int) -> Tensor:
    return inside(image, crop).contiguous(memory_format=torch.channels_last) if crop else image
