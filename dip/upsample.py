"""Upsampling by two, along one axis after the other, and its adjoint."""

import torch
from torch import Tensor

from dip.layers import empty_image

HEIGHT, WIDTH = 2, 3


def upsample(image: Tensor, kind: str, align_corners: bool) -> Tensor:
    """Double both sides of a (1, C, H, W) image: kind "bilinear" or "nearest".

    As torch.nn.functional.interpolate with scale_factor=2.
    """
    return _stretch(_stretch(image, HEIGHT, kind, align_corners), WIDTH, kind, align_corners)


def upsample_adjoint(gradient: Tensor, kind: str, align_corners: bool) -> Tensor:
    """Give the gradient of upsample's input from the gradient of its output."""
    rows = _gather(gradient, WIDTH, kind, align_corners)
    return _gather(rows, HEIGHT, kind, align_corners)


def _doubled(image: Tensor, axis: int) -> Tensor:
    _, channels, height, width = image.shape
    sides = (2 * height, width) if axis == HEIGHT else (height, 2 * width)
    return empty_image(image, channels, *sides)


def _part(image: Tensor, axis: int, start: int | None, stop: int | None, step: int = 1) -> Tensor:
    chosen = slice(start, stop, step)
    return image[:, :, chosen] if axis == HEIGHT else image[..., chosen]


def _stretch(image: Tensor, axis: int, kind: str, align_corners: bool) -> Tensor:
    if kind == "bilinear" and align_corners:
        return _apply_matrix(image, axis, _aligned_weights(image.shape[axis], image))
    out = _doubled(image, axis)
    even, odd = _part(out, axis, 0, None, 2), _part(out, axis, 1, None, 2)
    if kind == "nearest":
        even.copy_(image)
        odd.copy_(image)
        return out
    before, after = _part(image, axis, None, -1), _part(image, axis, 1, None)
    torch.lerp(after, before, 0.25, out=_part(even, axis, 1, None))
    torch.lerp(before, after, 0.25, out=_part(odd, axis, None, -1))
    _part(even, axis, 0, 1).copy_(_part(image, axis, 0, 1))
    _part(odd, axis, -1, None).copy_(_part(image, axis, -1, None))
    return out


def _gather(gradient: Tensor, axis: int, kind: str, align_corners: bool) -> Tensor:
    if kind == "bilinear" and align_corners:
        weights = _aligned_weights(gradient.shape[axis] // 2, gradient)
        return _apply_matrix(gradient, axis, weights.T)
    even, odd = _part(gradient, axis, 0, None, 2), _part(gradient, axis, 1, None, 2)
    if kind == "nearest":
        return even + odd
    total = (even + odd).mul_(0.75)
    _part(total, axis, None, -1).add_(_part(even, axis, 1, None), alpha=0.25)
    _part(total, axis, 1, None).add_(_part(odd, axis, None, -1), alpha=0.25)
    _part(total, axis, 0, 1).add_(_part(even, axis, 0, 1), alpha=0.25)
    _part(total, axis, -1, None).add_(_part(odd, axis, -1, None), alpha=0.25)
    return total


def _aligned_weights(length: int, like: Tensor) -> Tensor:
    """Give the (2 length, length) matrix whose ends stand on the ends: align_corners.

    Made where it is used, as nothing can come from the host while a graph is captured; but not on
    mps, which has no float64.
    """
    where = "cpu" if like.device.type == "mps" else like.device
    steps = torch.arange(2 * length, dtype=torch.float64, device=where)
    place = steps * (length - 1) / (2 * length - 1)
    distance = (place[:, None] - steps[:length]).abs()
    return (1 - distance).clamp(min=0).to(like)


def _apply_matrix(image: Tensor, axis: int, weights: Tensor) -> Tensor:
    letters = "oh,nhwc->nowc" if axis == HEIGHT else "ow,nhwc->nhoc"
    return torch.einsum(letters, weights, image.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
