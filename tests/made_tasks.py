"""Small tasks and experiments made of formulas, for the engine's tests."""

from typing import Any

import numpy as np

from dip.experiments.experiment import Experiment
from dip.tasks.degradations import Task, lanczos_matrix


def waves(height: int, width: int, channels: int) -> np.ndarray:
    """Give a (C, H, W) picture of waves with values in [0.1, 0.9]."""
    rows, columns = np.mgrid[0:height, 0:width] / 32
    shades = [0.5 + 0.4 * np.sin(4 * columns + 3 * k + 2 * rows**2) for k in range(channels)]
    return np.stack(shades).astype(np.float32)


def inpainting_task(height: int = 32, width: int = 32, channels: int = 1) -> Task:
    """Hide about half of the pixels of the waves, always the same ones."""
    x = waves(height, width, channels)
    mask = (np.random.Philox(key=7).random_raw(height * width) % 2).reshape(1, height, width)
    mask = mask.astype(np.float32)
    return Task("inpainting", x * mask, x, mask)


def small(**settings: Any) -> Experiment:
    """Describe a small network of two scales, quick on any machine."""
    defaults: dict[str, Any] = {
        "image": "made/waves",
        "mask": "bernoulli",
        "channels": (8, 12),
        "skip_channels": (3, 2),
        "z_channels": 6,
        "iterations": 4,
    }
    return Experiment(**(defaults | settings))


def downsample(image: np.ndarray, factor: int) -> np.ndarray:
    """Give d of a (C, H, W) image: (C, H / factor, W / factor) float32, not clipped."""
    rows = lanczos_matrix(image.shape[1], factor)
    columns = lanczos_matrix(image.shape[2], factor)
    return (rows @ image.astype(np.float64) @ columns.T).astype(np.float32)
