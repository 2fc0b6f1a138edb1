"""The network on fused operations, with images of 32 or 16 bits: paths B and C on CUDA.

In 16 bits: the convolutions and what is stored between them. In float32: the weights that Adam
moves, sums and statistics of the norms, the last convolution, the output and the loss. A
concatenation of 132 channels is stored as 136, the last four zero, so that tensor cores take it.
"""

import math
from types import ModuleType

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from dip import layers
from dip.device_step import StockOperations
from dip.fit import Fit
from dip.fused_layers import FusedJoin, FusedNorm, How

LOSS_SCALE_BELOW_PIXELS = 4  # fp16: the loss is scaled by the number of pixels / 2**4, or less


class FusedOperations:
    """Noise, network and update on the operations of a module: dip.fused, or its reference."""

    def __init__(self, fit: Fit, operations: ModuleType, dtype: torch.dtype) -> None:
        """Take the fit's arrays; 16-bit copies of the weights have places of their own."""
        self.fit, self.operations, self.dtype = fit, operations, dtype
        self.stock, self.settings = StockOperations(fit), fit.experiment
        self.narrow = dtype != torch.float32
        self.input = torch.zeros_like(fit.input, dtype=dtype)
        parameters = fit.network.parameters
        self.flat = torch.zeros_like(fit.network.gradient, dtype=dtype) if self.narrow else None
        self.leaves = {name: self._leaf(name, value) for name, value in parameters.items()}
        pixels = fit.objective.x0.numel()
        exponent = math.floor(math.log2(pixels)) - LOSS_SCALE_BELOW_PIXELS
        self.loss_scale = 2.0 ** max(exponent, 0) if dtype == torch.float16 else 1.0

    def _leaf(self, name: str, parameter: Tensor) -> Tensor:
        """Give what the network computes with: a parameter, or its place in the 16-bit array."""
        if self.flat is None or ".conv" not in name or name.startswith("output."):
            return parameter
        strides = parameter.shape, parameter.stride(), parameter.storage_offset()
        return self.flat.as_strided(*strides).requires_grad_()

    def draw_input(self, iteration: Tensor) -> None:
        """Write z + sigma_p * noise of this iteration into the input, with its border."""
        fit, sigma, noise = self.fit, self.settings.sigma_p, self.stock.noise
        if sigma:
            rows = noise.permute(0, 2, 3, 1)
            self.operations.normals_into(rows, self.settings.seed, iteration)
        self._input_into(fit.z, sigma)

    def draw_clean(self) -> None:
        """Write z without noise into the input."""
        self._input_into(self.fit.clean_z, 0.0)

    def _input_into(self, z: Tensor, sigma: float) -> None:
        border = (self.settings.kernel_down // 2, "reflection")
        self.operations.input_into(self.input, z, self.stock.noise, sigma, border)

    def forward(self) -> Tensor:
        """Give the network's output for the input as it stands, in float32."""
        if self.flat is not None:
            with torch.no_grad():
                self.flat.copy_(self.fit.adam.values[0])
        return torch.sigmoid(self._convolve("output.conv", self._scale(0, self.input)))

    def _convolve(self, name: str, image: Tensor) -> Tensor:
        layer = self.fit.network.layers[name]
        weight, bias = self.leaves[f"{name}.weight"], self.leaves[f"{name}.bias"]
        extra = image.shape[1] - weight.shape[1]
        if extra:
            weight = pad(weight, (0, 0, 0, 0, 0, extra))
            weight = weight.contiguous(memory_format=torch.channels_last)
        held = layer.before_norm
        return conv2d(image, weight, None if held else bias, stride=layer.stride)

    def _how(self, edge: int, dtype: torch.dtype | None = None) -> How:
        settings = self.settings
        return How(
            self.operations, settings.slope, (edge, "reflection"), settings.upsampling,
            settings.align_corners, dtype or self.dtype, True,
        )  # fmt: skip

    def _activated(self, unit: str, number: int, image: Tensor, how: How) -> Tensor:
        norm = [self.leaves[f"{unit}.norm{number}.{name}"] for name in ("gamma", "beta")]
        found: Tensor = FusedNorm.apply(  # type: ignore[no-untyped-call]
            self._convolve(f"{unit}.conv{number}", image), *norm, how
        )
        return found

    def _scale(self, scale: int, padded: Tensor) -> Tensor:
        """Run scale `scale` and all below it, as Network does."""
        number, edge = scale + 1, self.settings.kernel_down // 2
        deepest = number == len(self.settings.channels)
        down = self._activated(f"down{number}", 1, padded, self._how(edge))
        down = self._activated(f"down{number}", 2, down, self._how(0 if deepest else edge))
        low = down if deepest else self._scale(number, down)
        unit, how = f"up{number}", self._how(self.settings.kernel_up // 2)
        norm = [self.leaves[f"{unit}.norm0.{name}"] for name in ("gamma", "beta")]
        joined = FusedJoin.apply(low, self._skip(number, padded), *norm, how)  # type: ignore[no-untyped-call]
        joined = self._activated(unit, 1, joined, self._how(0))
        return self._activated(unit, 2, joined, self._how(0, None if scale else torch.float32))

    def _skip(self, number: int, image: Tensor) -> Tensor | None:
        if not self.settings.skip_channels[number - 1]:
            return None
        edge, down = self.settings.kernel_skip // 2, self.settings.kernel_down // 2
        if edge != down:
            image = layers.Crop.apply(image, down)  # type: ignore[no-untyped-call]
        if edge not in (0, down):
            image = layers.Pad.apply(image, edge, "reflection")  # type: ignore[no-untyped-call]
        return self._activated(f"skip{number}", 1, image, self._how(0))

    def gradient_of(self, loss: Tensor) -> Tensor | None:
        """Write the scaled loss's gradient into the flat array; in 16 bits, tell of an overflow."""
        names = list(self.leaves)
        found = torch.autograd.grad(
            loss * self.loss_scale, [self.leaves[name] for name in names], allow_unused=True
        )
        places = [self.fit.network.parameters[name].grad for name in names]
        pairs = [(p, g) for p, g in zip(places, found, strict=True) if p is not None]
        known = [(place, g) for place, g in pairs if g is not None]
        for dtype in dict.fromkeys(g.dtype for _, g in known):  # one kernel for each type
            of_type = [pair for pair in known if pair[1].dtype == dtype]
            torch._foreach_copy_([place for place, _ in of_type], [g for _, g in of_type])
        return ~torch.isfinite(self.fit.network.gradient.sum()) if self.narrow else None

    def update(self, bad: Tensor, updates: Tensor) -> None:
        """Take an Adam step to update number `updates`, or go back if `bad`."""
        adam, gradient = self.fit.adam, self.fit.network.gradient
        corrections, unscale = self.stock.corrections, 1 / self.loss_scale
        self.operations.adam_into(
            gradient, adam.values, adam.previous, corrections, updates, bad, unscale,
            self.settings.spike_return == "weights",
        )  # fmt: skip
