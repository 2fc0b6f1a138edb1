"""The network as a plain list of layers: what is built, counted and drawn.

The supplement's figure gives the units; the reading of how they join is the only one that fits
every constraint: the input of down i branches into skip i, at the same resolution, and into
down i, all deeper scales and an upsampling; both are concatenated and go through up i.
Nothing here needs torch or numpy.
"""

from typing import Any, NamedTuple

from dip.experiments.experiment import RETIRED, Experiment


class Layer(NamedTuple):
    """One layer with parameters; its output has sides of size / 2**halvings pixels."""

    name: str  # "down1.conv1"
    kind: str  # "conv" or "norm"
    channels_in: int
    channels_out: int
    kernel: int  # side of the kernel; 1 for a norm
    stride: int
    halvings: int

    @property
    def parameters(self) -> int:
        """The number of weights and biases; a norm has a gamma and a beta for each channel."""
        if self.kind == "norm":
            return 2 * self.channels_out
        return self.channels_out * (self.channels_in * self.kernel**2 + 1)

    def multiply_adds(self, height: int, width: int) -> int:
        """The multiply-adds of a forward pass over `height` x `width` pixels at full size."""
        pixels = (height >> self.halvings) * (width >> self.halvings)
        if self.kind == "norm":
            return pixels * self.channels_out
        return pixels * self.channels_out * self.channels_in * self.kernel**2


def input_channels(experiment: Experiment, image_channels: int) -> int:
    """The channels of z: 2 for a meshgrid (supplement), the image's for a guide."""
    return {"meshgrid": 2, "guide": image_channels}.get(experiment.z, experiment.z_channels)


def network_side(length: int, experiment: Experiment) -> int:
    """The side in pixels that the network runs on for an image side of `length` pixels.

    The next multiple of 2**scales, and so long that the deepest layer can be reflected.
    """
    block = 2 ** len(experiment.channels)
    kernels = (experiment.kernel_down, experiment.kernel_up, experiment.kernel_skip)
    least = max(kernels) // 2 + 1
    blocks = max(-(-length // block), least)
    return int(block * blocks)


def layers_of(experiment: Experiment, z_channels: int, image_channels: int) -> tuple[Layer, ...]:
    """The layers in the order of their parameters: every scale from the finest, then the end."""
    layers: list[Layer] = []
    channels_in = z_channels
    for scale, wide in enumerate(experiment.channels):
        down, up = f"down{scale + 1}", f"up{scale + 1}"
        layers += _unit(down, 1, channels_in, wide, experiment.kernel_down, scale + 1, stride=2)
        layers += _unit(down, 2, wide, wide, experiment.kernel_down, scale + 1)
        skip = experiment.skip_channels[scale]
        if skip:
            layers += _unit(f"skip{scale + 1}", 1, channels_in, skip, experiment.kernel_skip, scale)
        # What comes up from below: of the next scale's up unit, or of the deepest's own down unit.
        joined = (*experiment.channels, wide)[scale + 1] + skip
        layers.append(Layer(f"{up}.norm0", "norm", joined, joined, 1, 1, scale))
        layers += _unit(up, 1, joined, wide, experiment.kernel_up, scale)
        layers += _unit(up, 2, wide, wide, 1, scale)
        channels_in = wide
    end = Layer("output.conv", "conv", experiment.channels[0], image_channels, 1, 1, 0)
    return (*layers, end)


def _unit(
    unit: str, number: int, into: int, out: int, kernel: int, halvings: int, stride: int = 1
) -> list[Layer]:
    """A convolution and the batch norm behind it."""
    conv = Layer(f"{unit}.conv{number}", "conv", into, out, kernel, stride, halvings)
    return [conv, Layer(f"{unit}.norm{number}", "norm", out, out, 1, 1, halvings)]


def describe(
    experiment: Experiment, height: int, width: int, z_channels: int, image_channels: int
) -> dict[str, Any]:
    """The network at an image of `height` x `width` pixels, as plain values for JSON.

    It runs on the sides that `network_side` gives, and so do its layers here.
    "layers" gives for each layer its fields, its output's shape, parameters and multiply-adds;
    "multiply_adds" counts the convolutions alone (a norm's are listed with the norm).
    """
    layers = layers_of(experiment, z_channels, image_channels)
    sides = network_side(height, experiment), network_side(width, experiment)
    total = sum(x.multiply_adds(*sides) for x in layers if x.kind == "conv")
    return {
        "height": height, "width": width, "z_channels": z_channels,
        "image_channels": image_channels, "upsampling": experiment.upsampling,
        "align_corners": experiment.align_corners, "padding": RETIRED["padding"],
        "slope": experiment.slope, "parameters": sum(layer.parameters for layer in layers),
        "multiply_adds": total, "multiply_adds_per_pixel": total / (height * width),
        "layers": [_layer_values(layer, *sides) for layer in layers],
    }  # fmt: skip


def _layer_values(layer: Layer, height: int, width: int) -> dict[str, Any]:
    shape = [layer.channels_out, height >> layer.halvings, width >> layer.halvings]
    counts = {"parameters": layer.parameters, "multiply_adds": layer.multiply_adds(height, width)}
    return {**layer._asdict(), "shape": shape, **counts}
