"""The network's input: z, drawn once, and the sides that the network runs on."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from dip.errors import InputError
from dip.experiments.experiment import Experiment
from dip.network.architecture import network_side
from dip.network.random_numbers import Z, uniform

if TYPE_CHECKING:
    from dip.tasks.degradations import Task


def margins(length: int, experiment: Experiment) -> tuple[int, int]:
    """The pixels to add before and after a side of `length` pixels; the output is cut by them."""
    extra = network_side(length, experiment) - length
    return extra // 2, extra - extra // 2


def draw_z(task: "Task", experiment: Experiment) -> Tensor:
    """z as a (1, channels, H, W) float32 CPU image at the network's sides, channels last.

    "uniform": z_channels of U(0, z_max) (section 3); "meshgrid": the column's and the row's
    coordinate, each from 0 to 1 (supplement); "guide": the guide image, reflected at its border
    (section 3, flash and no flash). Raises InputError where only one of z and task has a guide.
    """
    if task.guide is not None and experiment.z != "guide":
        raise InputError(f"the task's guide is not read with z = '{experiment.z}'; set z = 'guide'")
    sides = [network_side(length, experiment) for length in task.shape[1:]]
    if experiment.z == "meshgrid":
        rows, columns = (np.linspace(0, 1, side, dtype=np.float32) for side in sides)
        pixels = np.stack(np.meshgrid(columns, rows), axis=-1)
    elif experiment.z == "guide":
        pixels = _padded_guide(task, experiment)
    else:
        shape = (*sides, experiment.z_channels)
        drawn = uniform(experiment.seed, Z, int(np.prod(shape)))
        pixels = (drawn * np.float32(experiment.z_max)).reshape(shape)
    return torch.from_numpy(pixels).permute(2, 0, 1)[None]


def _padded_guide(task: "Task", experiment: Experiment) -> np.ndarray:
    if task.guide is None:
        raise InputError("z = 'guide' needs a guide image, and the task has none")
    around = [margins(length, experiment) for length in task.shape[1:]]
    padded = np.pad(task.guide.astype(np.float32), [(0, 0), *around], mode="reflect")
    return np.ascontiguousarray(padded.transpose(1, 2, 0))
