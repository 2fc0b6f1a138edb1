"""The hourglass network f_theta, its parameters in one flat array (paper section 2, supplement)."""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d

from dip import layers as ops
from dip.convolution import Convolve
from dip.describe import Layer, layers_of
from dip.experiment import Experiment
from dip.joining import UpsampleNormPad
from dip.machine import give_back_holes, is_large
from dip.noise import WEIGHTS, uniform

ALIGNMENT = 16  # floats; each parameter begins at a multiple of 64 bytes


class Network:
    """f_theta for one image size-independent architecture: parameters, and the forward.

    `values` is (3, n) float32: parameters, and room for the optimiser's two means; `gradient` is
    (n,). Weights lie as (out, height, width, in); `parameters[name]` and its `.grad` are views.

    The biases that a batch norm cancels get no gradient and so
    stay as drawn: those of the 25 convolutions before a norm, which are not even added, and, as
    reflection carries a constant through, the beta of each up unit's first norm.
    """

    def __init__(
        self, experiment: Experiment, z_channels: int, image_channels: int, device: str
    ) -> None:
        self.experiment = experiment
        self.layers = {x.name: x for x in layers_of(experiment, z_channels, image_channels)}
        self.down_pad = experiment.kernel_down // 2
        self.again = False  # whether outputs are made again on the way back, not kept
        starts, length = self._places()
        self.values = torch.zeros((3, length), device=device)
        self.gradient = torch.zeros(length, device=device)
        self.parameters = {
            name: self._view(self.values[0], start, shape).requires_grad_()
            for name, (start, shape) in starts.items()
        }
        for name, (start, shape) in starts.items():
            self.parameters[name].grad = self._view(self.gradient, start, shape)
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

    @staticmethod
    def _view(flat: Tensor, start: int, shape: tuple[int, ...]) -> Tensor:
        part = flat[start : start + math.prod(shape)]
        if len(shape) == 1:
            return part.detach()
        out, into, high, wide = shape
        return part.detach().view(out, high, wide, into).permute(0, 3, 1, 2)

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

    def _convolve(self, name: str, image: Tensor, crop: int = 0) -> Tensor:
        """Convolve what lies `crop` pixels inside `image`."""
        layer = self.layers[name]
        weight = self.parameters[f"{name}.weight"]
        held = layer.before_norm
        bias = None if held else self.parameters[f"{name}.bias"]
        if image.device.type == "cpu":
            return Convolve.apply(image, weight, bias, layer.stride, crop)  # type: ignore[no-any-return, no-untyped-call]
        if crop:
            image = ops.Crop.apply(image, crop)  # type: ignore[no-untyped-call]
        return conv2d(image, weight, bias, stride=layer.stride)

    def _activated(self, unit: str, number: int, image: Tensor, pad: int) -> Tensor:
        """Normalise and activate the convolution's output `image`, and pad for the next layer."""
        gamma, beta = (self.parameters[f"{unit}.norm{number}.{kind}"] for kind in ("gamma", "beta"))
        settings = (self.experiment.slope, pad, "reflection", self.again)
        return ops.NormActivatePad.apply(image, gamma, beta, *settings)  # type: ignore[no-any-return, no-untyped-call]

    def forward(self, z: Tensor) -> Tensor:
        """Give the (1, C, H, W) output in [0, 1] for z of (1, channels, H + 2 pad, W + 2 pad).

        The border of z, `down_pad` pixels wide, is filled; H and W are multiples of 2**scales.
        """
        self.again = is_large(z, max(self.experiment.channels))
        if self.again:
            give_back_holes()
        top = self._scale(0, z)
        return torch.sigmoid(self._convolve("output.conv", top))

    def _scale(self, scale: int, padded: Tensor) -> Tensor:
        """Run scale `scale` and all below it, from its padded input to the output of its up."""
        scales, number = len(self.experiment.channels), scale + 1
        unit, deepest = f"down{number}", number == scales
        down = self._convolve(f"{unit}.conv1", padded)
        down = self._convolve(f"{unit}.conv2", self._activated(unit, 1, down, self.down_pad))
        down = self._activated(unit, 2, down, 0 if deepest else self.down_pad)
        low = down if deepest else self._scale(number, down)
        return self._up(number, low, self._skip(number, padded))

    def _skip(self, number: int, padded: Tensor) -> Tensor | None:
        if not self.experiment.skip_channels[number - 1]:
            return None
        pad, image, crop = self.experiment.kernel_skip // 2, padded, self.down_pad
        if pad == self.down_pad:
            crop = 0
        elif pad:
            image, crop = ops.Crop.apply(padded, crop), 0  # type: ignore[no-untyped-call]
            image = ops.Pad.apply(image, pad, "reflection")  # type: ignore[no-untyped-call]
        unit = f"skip{number}"
        return self._activated(unit, 1, self._convolve(f"{unit}.conv1", image, crop), 0)

    def _up(self, number: int, low: Tensor, skip: Tensor | None) -> Tensor:
        unit, settings = f"up{number}", self.experiment
        how = {
            "pad": settings.kernel_up // 2,
            "padding": "reflection",
            "kind": settings.upsampling,
            "align_corners": settings.align_corners,
            "hold_beta": True,
            "again": self.again,
        }
        gamma, beta = (self.parameters[f"{unit}.norm0.{name}"] for name in ("gamma", "beta"))
        up = UpsampleNormPad.apply(low, skip, gamma, beta, how)  # type: ignore[no-untyped-call]
        up = self._convolve(f"{unit}.conv1", up)
        up = self._convolve(f"{unit}.conv2", self._activated(unit, 1, up, 0))
        return self._activated(unit, 2, up, 0)


def _shapes(layer: Layer) -> dict[str, tuple[int, ...]]:
    if layer.kind == "norm":
        return {"gamma": (layer.channels_out,), "beta": (layer.channels_out,)}
    weight = (layer.channels_out, layer.channels_in, layer.kernel, layer.kernel)
    return {"weight": weight, "bias": (layer.channels_out,)}
