"""A small project to run in: two pictures made by arithmetic, a list of images, suites."""

import subprocess
from pathlib import Path

import numpy as np
from PIL import Image

from dip.files import sha256_of

SUITES = """
[tiny]
title = "Tiny"
task = "inpainting"
images = ["made/waves", "made/rings"]
mask = "bernoulli"
preview_side = 32
iterations = 60
channels = [8, 8]
skip_channels = [4, 4]
snapshots = [0, 20, 60]
frames = 5
frames_of = ["made/waves"]
baselines = ["nearest-known-pixel", "biharmonic"]

[seeded]
like = "tiny"
images = ["made/waves"]
title = "Two seeds"
seeds = [0, 1]
iterations = 3
snapshots = [0, 2]
baselines = []
"""


def waves(height: int = 48, width: int = 64) -> np.ndarray:
    """Draw crossing waves as 8-bit grey levels (H, W)."""
    row, column = np.mgrid[:height, :width]
    return np.round(127 + 70 * np.sin(row / 3) + 50 * np.cos(column / 5)).astype(np.uint8)


def rings(side: int = 40) -> np.ndarray:
    """Draw coloured rings as 8-bit RGB (H, W, 3)."""
    row, column = np.mgrid[:side, :side]
    radius = np.hypot(row - side / 2, column - side / 2)
    planes = [128 + 100 * np.sin(radius / (2 + channel)) for channel in range(3)]
    return np.round(np.stack(planes, axis=-1)).astype(np.uint8)


def git(folder: Path, *words: str) -> None:
    """Call git in a folder, as somebody."""
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)


def entry(folder: Path, file: str, more: str = "") -> str:
    """Give the lines of images.toml for a picture of `folder`."""
    path = folder / file
    with Image.open(path) as picture:
        width, height, mode = *picture.size, picture.mode
        pixels = sha256_of(np.asarray(picture).tobytes())
    name = file.removesuffix(path.suffix)
    return (
        f'["{name}"]\nfile = "{file}"\nwidth = {width}\nheight = {height}\nmode = "{mode}"\n'
        f'sha256 = "{sha256_of(path)}"\npixels_sha256 = "{pixels}"\n'
        f'url = "http://127.0.0.1:9/{file}"\nlicence = "ours"\n{more}\n'
    )


def write_project(folder: Path, suites: str = SUITES) -> tuple[Path, Path]:
    """Write content/ and images/ under `folder`; give both. The picture of rings is not shown."""
    content, images = folder / "content", folder / "images"
    (images / "made").mkdir(parents=True)
    content.mkdir()
    Image.fromarray(waves()).save(images / "made/waves.png")
    Image.fromarray(rings()).save(images / "made/rings.png")
    (content / "images.toml").write_text(
        entry(images, "made/waves.png") + entry(images, "made/rings.png", "show = false\n")
    )
    (content / "experiments.toml").write_text(suites)
    return content, images
