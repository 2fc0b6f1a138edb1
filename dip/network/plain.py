"""The same network and loop as a textbook user would write them: the bench's other side.

Eager modules, torch's own defaults, contiguous layout, torch's generator for the noise, the loss
read in each step. The tests hold the engine against it.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from dip.experiments.experiment import Experiment
from dip.network.architecture import input_channels

if TYPE_CHECKING:
    from dip.tasks.degradations import Task


class Unit(nn.Sequential):
    """Convolution, batch norm, LeakyReLU."""

    def __init__(
        self, wide: tuple[int, int], kernel: int, stride: int, experiment: Experiment
    ) -> None:
        conv = nn.Conv2d(*wide, kernel, stride, padding=kernel // 2, padding_mode="reflect")
        super().__init__(conv, nn.BatchNorm2d(wide[1]), nn.LeakyReLU(experiment.slope))


class Scale(nn.Module):
    """One scale with all that lies below it: down, skip, upsampling, up."""

    def __init__(self, experiment: Experiment, scale: int, channels_in: int) -> None:
        super().__init__()
        wide, skip = experiment.channels[scale], experiment.skip_channels[scale]
        deepest = scale + 1 == len(experiment.channels)
        below = wide if deepest else experiment.channels[scale + 1]
        kernel = experiment.kernel_down
        self.down = nn.Sequential(
            Unit((channels_in, wide), kernel, 2, experiment),
            Unit((wide, wide), kernel, 1, experiment),
        )
        self.skip = (
            Unit((channels_in, skip), experiment.kernel_skip, 1, experiment) if skip else None
        )
        self.up = nn.Sequential(
            nn.BatchNorm2d(below + skip),
            Unit((below + skip, wide), experiment.kernel_up, 1, experiment),
            Unit((wide, wide), 1, 1, experiment),
        )
        self.deeper = None if deepest else Scale(experiment, scale + 1, wide)
        corners = experiment.align_corners if experiment.upsampling == "bilinear" else None
        self.upsample = nn.Upsample(
            scale_factor=2, mode=experiment.upsampling, align_corners=corners
        )

    def forward(self, image: Tensor) -> Tensor:
        """The up unit's (1, channels, H, W) output for the scale's (1, C, H, W) input."""
        low = self.down(image)
        high = self.upsample(low if self.deeper is None else self.deeper(low))
        joined = high if self.skip is None else torch.cat([high, self.skip(image)], 1)
        out: Tensor = self.up(joined)
        return out


class PlainNetwork(nn.Module):
    """The same network as `Network`, in torch's modules, without parts of the engine."""

    def __init__(self, experiment: Experiment, z_channels: int, image_channels: int) -> None:
        super().__init__()
        self.scales = Scale(experiment, 0, z_channels)
        self.end = nn.Conv2d(experiment.channels[0], image_channels, 1)

    def forward(self, z: Tensor) -> Tensor:
        """The (1, C, H, W) output in [0, 1] for z; its sides are multiples of 2**scales."""
        return torch.sigmoid(self.end(self.scales(z)))


def plain_steps(
    task: "Task", experiment: Experiment, device: str, channels_last: bool = False
) -> Iterator[tuple[float, Tensor]]:
    """Fit the known pixels of an inpainting; the last step comes after `iterations` updates.

    Yields each step's loss, before its update, and its output, (1, C, H, W) in [0, 1]. With
    `channels_last` weights and images lie so in memory, and all else is the same.
    """
    assert task.mask is not None
    torch.manual_seed(experiment.seed)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    x0, mask = (torch.from_numpy(pixels)[None].to(device) for pixels in (task.x0, task.mask))
    network = plain_network(experiment, x0.shape[1]).to(device)
    network = network.to(memory_format=layout)  # type: ignore[call-overload]
    z, x0 = (image.to(memory_format=layout) for image in (plain_z(experiment, x0), x0))
    adam = torch.optim.Adam(network.parameters(), lr=experiment.learning_rate)
    for _ in range(experiment.iterations + 1):
        adam.zero_grad()
        noisy = z + torch.randn_like(z) * experiment.sigma_p
        output = network(noisy)
        loss = functional.mse_loss(output * mask, x0 * mask)
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()
        yield loss.item(), output.detach()


def plain_network(experiment: Experiment, image_channels: int) -> PlainNetwork:
    """The network with weights from torch's generator, as the experiment initialises them."""
    z_channels = input_channels(experiment, image_channels)
    network = PlainNetwork(experiment, z_channels, image_channels)
    if experiment.initialisation == "kaiming":
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_uniform_(module.weight, a=experiment.slope)
    return network


def plain_z(experiment: Experiment, x0: Tensor) -> Tensor:
    """z of the (1, C, H, W) image x0: uniform in [0, z_max), or its pixels' places in [0, 1]."""
    if experiment.z == "meshgrid":
        rows, columns = (torch.linspace(0, 1, side, device=x0.device) for side in x0.shape[2:])
        return torch.stack(torch.meshgrid(columns, rows, indexing="xy"))[None]
    size = (1, experiment.z_channels, *x0.shape[2:])
    return torch.rand(size, device=x0.device) * experiment.z_max
