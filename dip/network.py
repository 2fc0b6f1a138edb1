"""The hourglass network f_theta, its parameters in one flat array (paper section 2, supplement)."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import conv2d

from dip import layers as ops
from dip.describe import Layer, layers_of
from dip.experiment import Experiment
from dip.noise import WEIGHTS, uniform
from dip.upsample import upsample, upsample_adjoint

ALIGNMENT = 16  # floats; each parameter begins at a multiple of 64 bytes


class UpsampleNormPad(torch.autograd.Function):
    """Upsample, concatenate with the skip, batch norm and border: one array, written once.

    A batch norm works on each channel apart, so the two parts are normalised before they meet.
    """

    @staticmethod
    def forward(
        ctx: Any, low: Tensor, skip: Tensor | None, gamma: Tensor, beta: Tensor, how: dict[str, Any]
    ) -> Tensor:
        """Join `low`, twice as large, and `skip`, if there is one, normalised and padded."""
        pad = how["pad"]
        high = upsample(low, how["kind"], how["align_corners"])
        joined = gamma.shape[0]
        padded = ops.empty_image(low, joined, high.shape[2] + 2 * pad, high.shape[3] + 2 * pad)
        inner, saved = ops.inside(padded, pad), []
        for part, channels in _parts(high, skip):
            statistics = ops.moments(part)
            ops.normalise_into(
                inner[:, channels], part, statistics, (gamma[channels], beta[channels])
            )
            kept = low if part is high else part  # upsampled again going back: less memory
            saved += [kept, gamma[channels], *statistics]
        ops.fill_border(padded, pad, how["padding"])
        ctx.save_for_backward(*saved)
        ctx.how = how
        return padded

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Go back through border, norm and upsampling; the incoming gradient is used up."""
        saved, how = ctx.saved_tensors, ctx.how
        ops.fold_border(gradient, how["pad"], how["padding"])
        inner = ops.inside(gradient, how["pad"])
        high = upsample(saved[0], how["kind"], how["align_corners"])
        skip = saved[4] if len(saved) > 4 else None
        results = [
            ops.norm_backward(inner[:, channels], part, gamma, (mean, deviation))
            for (part, channels), gamma, mean, deviation in zip(
                _parts(high, skip), saved[1::4], saved[2::4], saved[3::4], strict=True
            )
        ]
        low = upsample_adjoint(results[0][0], how["kind"], how["align_corners"])
        to_skip = None if skip is None else results[1][0]
        gammas, betas = (torch.cat([result[i] for result in results]) for i in (1, 2))
        return low, to_skip, gammas, None if how["hold_beta"] else betas, None


def _parts(high: Tensor, skip: Tensor | None) -> list[tuple[Tensor, slice]]:
    """Give the parts of a concatenation with the channels where they lie."""
    wide = high.shape[1]
    parts = [(high, slice(0, wide))]
    return parts if skip is None else [*parts, (skip, slice(wide, wide + skip.shape[1]))]


class Network:
    """f_theta for one image size-independent architecture: parameters, and the forward.

    `values` is (3, n) float32: parameters, and room for the optimiser's two means; `gradient` is
    (n,). Weights lie as (out, height, width, in); `parameters[name]` and its `.grad` are views.

    With biases_before_norm = "held", the biases that a batch norm cancels get no gradient and so
    stay as drawn: those of the 25 convolutions before a norm, which are not even added, and, as
    reflection carries a constant through, the beta of each up unit's first norm.
    """

    def __init__(
        self, experiment: Experiment, z_channels: int, image_channels: int, device: str
    ) -> None:
        self.experiment = experiment
        self.layers = {x.name: x for x in layers_of(experiment, z_channels, image_channels)}
        self.down_pad = experiment.kernel_down // 2
        self.held = experiment.biases_before_norm == "held"
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

    def _convolve(self, name: str, image: Tensor) -> Tensor:
        layer = self.layers[name]
        bias = self.parameters[f"{name}.bias"]
        held = layer.before_norm and self.held
        weight = self.parameters[f"{name}.weight"]
        return conv2d(image, weight, None if held else bias, stride=layer.stride)

    def _activated(self, unit: str, number: int, image: Tensor, pad: int) -> Tensor:
        """Convolve the padded `image`, normalise, activate, and pad for the next layer."""
        norm = f"{unit}.norm{number}"
        return ops.NormActivatePad.apply(  # type: ignore[no-any-return, no-untyped-call]
            self._convolve(f"{unit}.conv{number}", image),
            self.parameters[f"{norm}.gamma"],
            self.parameters[f"{norm}.beta"],
            self.experiment.slope,
            pad,
            self.experiment.padding,
        )

    def forward(self, z: Tensor) -> Tensor:
        """Give the (1, C, H, W) output in [0, 1] for z of (1, channels, H + 2 pad, W + 2 pad).

        The border of z, `down_pad` pixels wide, is filled; H and W are multiples of 2**scales.
        """
        top = self._scale(0, z)
        return torch.sigmoid(self._convolve("output.conv", top))

    def _scale(self, scale: int, padded: Tensor) -> Tensor:
        """Run scale `scale` and all below it, from its padded input to the output of its up."""
        scales, number = len(self.experiment.channels), scale + 1
        down = self._activated(f"down{number}", 1, padded, self.down_pad)
        deepest = number == scales
        down = self._activated(f"down{number}", 2, down, 0 if deepest else self.down_pad)
        low = down if deepest else self._scale(number, down)
        return self._up(number, low, self._skip(number, padded))

    def _skip(self, number: int, padded: Tensor) -> Tensor | None:
        if not self.experiment.skip_channels[number - 1]:
            return None
        pad, image = self.experiment.kernel_skip // 2, padded
        if pad != self.down_pad:
            image = ops.Crop.apply(padded, self.down_pad)  # type: ignore[no-untyped-call]
        if pad not in (0, self.down_pad):
            image = ops.Pad.apply(image, pad, self.experiment.padding)  # type: ignore[no-untyped-call]
        return self._activated(f"skip{number}", 1, image, 0)

    def _up(self, number: int, low: Tensor, skip: Tensor | None) -> Tensor:
        unit, settings = f"up{number}", self.experiment
        how = {
            "pad": settings.kernel_up // 2,
            "padding": settings.padding,
            "kind": settings.upsampling,
            "align_corners": settings.align_corners,
            "hold_beta": self.held and settings.padding == "reflection",
        }
        gamma, beta = (self.parameters[f"{unit}.norm0.{name}"] for name in ("gamma", "beta"))
        joined = UpsampleNormPad.apply(low, skip, gamma, beta, how)  # type: ignore[no-untyped-call]
        return self._activated(unit, 2, self._activated(unit, 1, joined, 0), 0)


def _shapes(layer: Layer) -> dict[str, tuple[int, ...]]:
    if layer.kind == "norm":
        return {"gamma": (layer.channels_out,), "beta": (layer.channels_out,)}
    weight = (layer.channels_out, layer.channels_in, layer.kernel, layer.kernel)
    return {"weight": weight, "bias": (layer.channels_out,)}
