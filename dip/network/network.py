"""The hourglass network f_theta, its parameters in one flat array (paper section 2, supplement)."""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from dip.errors import InputError
from dip.experiments.experiment import Experiment
from dip.network.architecture import Layer, layers_of
from dip.network.operations import (
    NORM_EPSILON,
    Convolve,
    NormActivateConvolve,
    NormActivatePad,
    inside,
)
from dip.network.random_numbers import WEIGHTS, uniform
from dip.network.upsampling_convolution import UpsamplingConvolution

ALIGNMENT = 16  # floats; each parameter begins at a multiple of 64 bytes


def check_repeatable(experiment: Experiment, device_kind: str) -> None:
    """Raise InputError where the bits of a fit would not be the same twice.

    On CUDA torch's own bilinear enlargement and reflection sum their gradients in any order
    (`torch.use_deterministic_algorithms`): `_stock_up`, and the border of `_skip`.
    """
    one, setting = experiment, ""
    if (one.align_corners or one.kernel_up != 3) and (
        one.upsampling == "bilinear" or one.kernel_up > 1
    ):
        setting = "align_corners" if one.align_corners else f"kernel_up = {one.kernel_up}"
    elif one.kernel_skip > one.kernel_down and any(one.skip_channels):
        setting = f"kernel_skip = {one.kernel_skip} over kernel_down = {one.kernel_down}"
    if setting and device_kind == "cuda":
        raise InputError(
            f"with {setting} the bits would not be the same twice on CUDA, where torch sums these"
            " gradients in any order: run it on the CPU"
        )


class Network:
    """f_theta for images of any size: its parameters, and the forward pass.

    `values` is (3, n) float32: parameters, and room for the optimizer's two moments; `gradient` is
    (n,). Weights lie as (out, height, width, in); `parameters[name]` and its `.grad` are views.
    `dtype` is the type of what lies between the convolutions: float32, or bfloat16, in which case
    statistics, weights, the last convolution and the output are float32 all the same.

    The biases that a batch norm cancels get no gradient and so stay as drawn: those of the 25
    convolutions before a norm, which are not even added, and, as reflection carries a constant
    through, the beta of each up unit's first norm.

    The paper gives channels, kernels, norms and skips (supplement, figure); slope, initialisation,
    the sigmoid and whether corners are aligned it leaves open: they are settings, or ours.
    """

    def __init__(
        self,
        experiment: Experiment,
        z_channels: int,
        image_channels: int,
        device: str,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.experiment, self.dtype = experiment, dtype
        self.layers = {x.name: x for x in layers_of(experiment, z_channels, image_channels)}
        self.pad = experiment.kernel_down // 2
        # One flat array for all: Adam is then a few operations on it, a checkpoint one array, and
        # the gradients are views into another, written in place by the backward pass.
        starts, length = self._places()
        self.values = torch.zeros((3, length), device=device)
        self.gradient = torch.zeros(length, device=device)
        self.parameters = {
            name: _view(self.values[0], start, shape).requires_grad_()
            for name, (start, shape) in starts.items()
        }
        for name, (start, shape) in starts.items():
            self.parameters[name].grad = _view(self.gradient, start, shape)
        self._initialise()

    def _places(self) -> tuple[dict[str, tuple[int, tuple[int, ...]]], int]:
        """Lay the parameters out: name to start and shape, and the length in all."""
        places: dict[str, tuple[int, tuple[int, ...]]] = {}
        start = 0
        for layer in self.layers.values():
            for name, shape in _shapes(layer).items():
                places[f"{layer.name}.{name}"] = (start, shape)
                start += math.ceil(math.prod(shape) / ALIGNMENT) * ALIGNMENT
        return places, start

    def _initialise(self) -> None:
        """Draw the weights: on the CPU, from the seed alone, the same for every device.

        "torch" is U(-b, b) with b = 1 / sqrt(fan in), torch's own default; "kaiming" has
        b = sqrt(6 / ((1 + slope**2) fan in)) for the weights. Biases use torch's b in both.
        """
        sizes = [math.prod(p.shape) for p in self.parameters.values()]
        drawn = uniform(self.experiment.seed, WEIGHTS, sum(sizes)) * np.float32(2) - np.float32(1)
        pieces = np.split(drawn, np.cumsum(sizes)[:-1])
        with torch.no_grad():
            for (name, parameter), piece in zip(self.parameters.items(), pieces, strict=True):
                unit, _, kind = name.rpartition(".")
                values = self._initial(self.layers[unit], kind, piece)
                parameter.copy_(torch.from_numpy(values).view(parameter.shape))

    def _initial(self, layer: Layer, kind: str, drawn: np.ndarray) -> np.ndarray:
        if layer.kind == "norm":
            return np.full_like(drawn, 1 if kind == "gamma" else 0)
        fan_in = layer.channels_in * layer.kernel**2
        bound = 1 / math.sqrt(fan_in)
        if kind == "weight" and self.experiment.initialisation == "kaiming":
            bound *= math.sqrt(6 / (1 + self.experiment.slope**2))
        return drawn * np.float32(bound)

    def forward(self, z: Tensor) -> Tensor:
        """The (1, C, H, W) float32 output in [0, 1] for z of (1, channels, H + 2 pad, W + 2 pad).

        The border of z, `pad` pixels wide, is filled; H and W are multiples of 2**scales.
        """
        top = self._scale(0, z)
        weight, bias = self.parameters["output.conv.weight"], self.parameters["output.conv.bias"]
        dtype = torch.promote_types(self.dtype, torch.float32)
        return torch.sigmoid(self._activate_convolve("up1.norm2", top, weight, bias, dtype))

    def _scale(self, scale: int, padded: Tensor) -> Tensor:
        """Run scale `scale` and all below it, from its padded input to its last convolution."""
        number = scale + 1
        unit, deepest = f"down{number}", number == len(self.experiment.channels)
        down = self._convolve(f"{unit}.conv1", padded)
        down = self._convolve(f"{unit}.conv2", self._activate(f"{unit}.norm1", down, self.pad))
        down = self._activate(f"{unit}.norm2", down, 0 if deepest else self.pad)
        if not deepest:
            down = self._activate(f"up{number + 1}.norm2", self._scale(number, down), 0)
        up = self._up(number, down, self._skip(number, padded))
        weight = self.parameters[f"up{number}.conv2.weight"]
        return self._activate_convolve(f"up{number}.norm1", up, weight, None, self.dtype)

    def _convolve(self, name: str, image: Tensor) -> Tensor:
        """Convolve a padded image; a norm follows, so no bias is added."""
        weight = self.parameters[f"{name}.weight"]
        return Convolve.apply(image, weight, self.layers[name].stride)  # type: ignore[no-any-return, no-untyped-call]

    def _activate(self, norm: str, image: Tensor, pad: int) -> Tensor:
        """Normalise and activate a convolution's output, and reflect it by `pad` pixels."""
        slope = self.experiment.slope
        return NormActivatePad.apply(image, *self._affine(norm), slope, pad)  # type: ignore[no-any-return, no-untyped-call]

    def _activate_convolve(
        self, norm: str, image: Tensor, weight: Tensor, bias: Tensor | None, dtype: torch.dtype
    ) -> Tensor:
        """Normalise, activate, and convolve with a 1x1 kernel."""
        rest = (weight, bias, self.experiment.slope, dtype)
        return NormActivateConvolve.apply(image, *self._affine(norm), *rest)  # type: ignore[no-any-return, no-untyped-call]

    def _affine(self, norm: str) -> tuple[Tensor, Tensor]:
        return self.parameters[f"{norm}.gamma"], self.parameters[f"{norm}.beta"]

    def _skip(self, number: int, padded: Tensor) -> Tensor | None:
        """The skip connection from a scale's padded input, at that scale's size."""
        if not self.experiment.skip_channels[number - 1]:
            return None
        # The kernel runs over the border too, and the few channels it gives are cut afterwards.
        reach, name = self.experiment.kernel_skip // 2, f"skip{number}.conv1"
        cut = self.pad - reach
        if cut < 0:
            padded = functional.pad(inside(padded, self.pad), (reach,) * 4, mode="reflect")
        skip = self._convolve(name, padded)
        if cut > 0:
            skip = skip[:, :, cut:-cut, cut:-cut].contiguous(memory_format=torch.channels_last)
        return self._activate(f"skip{number}.norm1", skip, 0)

    def _up(self, number: int, low: Tensor, skip: Tensor | None) -> Tensor:
        """Enlarge `low`, join it with the skip, normalise, and convolve."""
        settings, name = self.experiment, f"up{number}.conv1"
        gamma, beta = self._affine(f"up{number}.norm0")
        weight = self.parameters[f"{name}.weight"]
        if settings.kernel_up == 3 and not settings.align_corners:
            kind = settings.upsampling
            return UpsamplingConvolution.apply(low, skip, gamma, weight, kind)  # type: ignore[no-any-return, no-untyped-call]
        return self._stock_up(low, skip, gamma, beta.detach(), weight)

    def _stock_up(
        self, low: Tensor, skip: Tensor | None, gamma: Tensor, beta: Tensor, weight: Tensor
    ) -> Tensor:
        """The same by torch's own operations, for settings that the identity does not cover."""
        settings = self.experiment
        corners = settings.align_corners if settings.upsampling == "bilinear" else None
        joined = functional.interpolate(
            low, scale_factor=2, mode=settings.upsampling, align_corners=corners
        )
        if skip is not None:
            joined = torch.cat([joined, skip], 1)
        joined = functional.batch_norm(joined, None, None, gamma, beta, True, 0.1, NORM_EPSILON)
        pad = settings.kernel_up // 2
        joined = functional.pad(joined, (pad,) * 4, mode="reflect") if pad else joined
        joined = joined.contiguous(memory_format=torch.channels_last)
        return Convolve.apply(joined, weight, 1)  # type: ignore[no-any-return, no-untyped-call]


def _shapes(layer: Layer) -> dict[str, tuple[int, ...]]:
    if layer.kind == "norm":
        return {"gamma": (layer.channels_out,), "beta": (layer.channels_out,)}
    weight = (layer.channels_out, layer.channels_in, layer.kernel, layer.kernel)
    return {"weight": weight, "bias": (layer.channels_out,)}


def _view(flat: Tensor, start: int, shape: tuple[int, ...]) -> Tensor:
    part = flat[start : start + math.prod(shape)].detach()
    if len(shape) == 1:
        return part
    out, into, high, wide = shape
    return part.view(out, high, wide, into).permute(0, 3, 1, 2)
