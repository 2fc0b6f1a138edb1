"""How good the photo commands are beside plain methods, on photographs nobody tuned them on.

Six photographs that come with scikit-image and matplotlib are reduced to 192 pixels a side. The
128x128 in their middle are degraded, and restored by each command as a user would call it, and by
plain methods:

    python tools/photographs.py run      # what photographs.json lacks; half an hour of an idle core
    python tools/photographs.py table    # its tables into docs/library.md

Of each plain method the best of several strengths counts, which only the truth can tell. OpenCV is
no dependency of this project: its column is there where it was installed before the run, by
`pip install opencv-python-headless`.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dip.files import write_text_whole
from dip.tasks import degradations as tasks
from dip.tasks.baselines import run_baseline
from dip.tasks.degradations import Task
from dip.tasks.images import read_picture, reduce_to_square, resized
from dip.tasks.metrics import psnr_db

ROOT = Path(__file__).parent.parent
RESULTS, PAGE = Path(__file__).with_suffix(".json"), ROOT / "docs/library.md"
BEGIN, END = (f"<!-- tools/photographs.py table: {end} -->" for end in ("begin", "end"))
PHOTOGRAPHS = {  # name: package, path in it, licence
    "Camera": ("skimage", "data/camera.png", "CC0"),
    "Coins": ("skimage", "data/coins.png", "no known restrictions (Brooklyn Museum)"),
    "Grace Hopper": (
        "matplotlib", "mpl-data/sample_data/grace_hopper.jpg", "public domain (US Navy)"),
    "Hubble": ("skimage", "data/hubble_deep_field.jpg", "public domain (NASA)"),
    "Motorcycle": ("skimage", "data/motorcycle_left.png", "Middlebury 2014 stereo benchmark"),
    "Retina": ("skimage", "data/retina.jpg", "CC0"),
}  # fmt: skip
REDUCED, SIDE, NOISE, QUALITY, FACTOR, SEED = 192, 128, 25, 12, 4, 0
STRENGTHS = (5, 10, 15, 20, 25, 30, 35)  # noise, in grey levels, that a denoiser is told
TIE = 0.2  # dB: two seeds of one fit differ by as much
TEXT = "What is missing here has to be continued from what is around it. " * 9
PLAIN = {
    "denoise": ["non-local-means", "total-variation"],
    "inpaint": ["biharmonic"],
    "upscale": ["bicubic"],
    "clean-jpeg": ["non-local-means", "total-variation"],
}
COMMANDS = {
    "denoise": f"Gaussian noise of standard deviation {NOISE} of 255",
    "inpaint": "text over it; PSNR in the holes",
    "upscale": f"reduced {FACTOR} times by Pillow's bicubic filter",
    "clean-jpeg": f"JPEG of quality {QUALITY}",
}
Plain = dict[str, Callable[[], np.ndarray]]


def photograph(name: str) -> np.ndarray:
    """The middle of one of PHOTOGRAPHS, (C, SIDE, SIDE) float32 in [0, 1], of 8-bit values."""
    package, path, _ = PHOTOGRAPHS[name]
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    square = reduce_to_square(read_picture(Path(spec.origin).parent / path), REDUCED)
    middle = slice((REDUCED - SIDE) // 2, (REDUCED + SIDE) // 2)
    return np.ascontiguousarray(square[:, middle, middle])


def text_mask() -> np.ndarray:
    """(SIDE, SIDE) bool, False under the letters."""
    page, across = Image.new("L", (SIDE, SIDE)), SIDE // 5
    lines = "\n".join(TEXT[start : start + across] for start in range(0, len(TEXT), across))
    ImageDraw.Draw(page).multiline_text((2, 2), lines, 255, ImageFont.load_default(12), spacing=2)
    return np.asarray(page) < 128


def degraded(command: str, x: np.ndarray, folder: Path) -> tuple[Task, list[str]]:
    """The task, with the truth x, and the files and options that the command is given."""
    source = folder / ("source.jpg" if command == "clean-jpeg" else "source.png")
    values = x
    if command == "denoise":
        noise = np.random.default_rng(SEED).normal(0, NOISE / 255, x.shape)
        values = np.clip(x + noise, 0, 1)
    elif command == "inpaint":
        values = np.where(text_mask(), x, 1)
        Image.fromarray(~text_mask()).save(folder / "mask.png")
    elif command == "upscale":
        values = resized(x, SIDE // FACTOR, SIDE // FACTOR, "BICUBIC")
    settings: dict[str, Any] = {"quality": QUALITY} if command == "clean-jpeg" else {}
    Image.fromarray(levels(values)).save(source, **settings)
    x0, asked = read_picture(source), [str(source)]
    if command == "inpaint":
        asked += ["--mask", str(folder / "mask.png")]
        return tasks.inpainting(x0, text_mask(), x), asked
    if command == "upscale":
        return tasks.super_resolution(x0, FACTOR, x), [*asked, "--factor", str(FACTOR)]
    return tasks.denoising(x0, x), asked


def levels(picture: np.ndarray) -> np.ndarray:
    """(C, H, W) in [0, 1] as OpenCV and Pillow take it: (H, W) or (H, W, 3), uint8."""
    values = np.round(picture * 255).astype(np.uint8)
    return values[0] if len(values) == 1 else np.ascontiguousarray(values.transpose(1, 2, 0))


def plain(command: str, task: Task) -> dict[str, Plain]:
    """The plain methods for a command: what each does at each of its strengths."""
    strengths = STRENGTHS if command in ("denoise", "clean-jpeg") else (0,)
    found: dict[str, Plain] = {
        method: {
            f"sigma {sigma}" if sigma else "": partial(run_baseline, method, task, sigma)
            for sigma in strengths
        }
        for method in PLAIN[command]
    }
    return found | ({"OpenCV": with_opencv(command, task)} if find_spec("cv2") else {})


def with_opencv(command: str, task: Task) -> Plain:
    """What OpenCV has for a command; it takes its colours as blue, green, red."""
    import cv2

    values = np.ascontiguousarray(levels(task.x0[::-1]))

    def done(function: Callable[..., np.ndarray], *settings: Any) -> np.ndarray:
        made = function(values, *settings)
        planes = made[None] if made.ndim == 2 else made.transpose(2, 0, 1)[::-1]
        return (planes / 255).astype(np.float32)

    if command == "inpaint":
        holes = levels(1 - np.asarray(task.mask))
        kinds = {"Telea": cv2.INPAINT_TELEA, "Navier-Stokes": cv2.INPAINT_NS}
        return {name: partial(done, cv2.inpaint, holes, 3, kind) for name, kind in kinds.items()}
    if command == "upscale":
        kinds = {"cubic": cv2.INTER_CUBIC, "Lanczos": cv2.INTER_LANCZOS4}
        size = task.shape[1:], None, None, None
        return {name: partial(done, cv2.resize, *size, kind) for name, kind in kinds.items()}
    if values.ndim == 2:
        return {f"h {h}": partial(done, cv2.fastNlMeansDenoising, None, h) for h in STRENGTHS}
    coloured = cv2.fastNlMeansDenoisingColored
    return {f"h {h}": partial(done, coloured, None, h, h) for h in STRENGTHS}


def measured(command: str, name: str, device: str) -> dict[str, Any]:
    """One command on one photograph, and the plain methods beside it."""
    x = photograph(name)
    with tempfile.TemporaryDirectory() as folder_name:
        folder = Path(folder_name)
        task, asked = degraded(command, x, folder)
        output = folder / "out.png"
        settings = ["--device", device, "--threads", "1", "--seed", str(SEED)]
        words = [sys.executable, "-m", "dip", command, *asked, "-o", str(output), *settings]
        began, before = time.perf_counter(), os.times()
        said = subprocess.run(
            words, cwd=ROOT, check=True, capture_output=True, text=True, encoding="utf-8"
        ).stdout
        wall, after = time.perf_counter() - began, os.times()
        restored = read_picture(output)
    where = None if task.mask is None else 1 - task.mask

    def score(picture: np.ndarray) -> float:
        return psnr_db(np.clip(picture, 0, 1), x, where) or np.inf

    used = after.children_user + after.children_system - before.children_user
    found: dict[str, Any] = {"command": command, "photograph": name}
    found["said"] = next(line for line in said.splitlines() if re.match(r"\d+ iterations", line))
    found["dip"] = {"psnr_db": score(restored), "wall_s": round(wall, 1)}
    found["dip"]["processor_s"] = round(used - before.children_system, 1)
    if task.shape == task.x0.shape and where is None:
        found["before_db"] = score(task.x0)
    found["plain"] = {}
    for method, strengths in plain(command, task).items():
        scores = {strength: score(make()) for strength, make in strengths.items()}
        best = max(scores, key=lambda strength: scores[strength])
        found["plain"][method] = {"psnr_db": scores[best], "strength": best}
    return found


def run(device: str) -> None:
    """Measure what the list of results lacks, and write the list after each."""
    packages = ["torch", "numpy", "scikit-image", "matplotlib", "pillow"]
    packages += ["opencv-python-headless"] if find_spec("cv2") else []
    results = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {"results": []}
    results["device"] = f"{device}, one thread, {platform.machine()}"
    results["seed"], results["side"] = SEED, SIDE
    results["degraded"], results["strengths"] = COMMANDS, STRENGTHS
    results["photographs"] = {name: licence for name, (*_, licence) in PHOTOGRAPHS.items()}
    results["versions"] = {package: version(package) for package in packages}
    results["versions"]["python"] = platform.python_version()
    done = {(found["command"], found["photograph"]) for found in results["results"]}
    for name in PHOTOGRAPHS:
        for command in COMMANDS:
            if (command, name) not in done:
                results["results"].append(measured(command, name, device))
                write_text_whole(RESULTS, json.dumps(results, indent=1) + "\n")
                print(f"{command} {name}: {results['results'][-1]['said']}", flush=True)


def tables(results: dict[str, Any]) -> str:
    """The results as Markdown: for each command a table, and a sentence on who is ahead."""
    parts = []
    for command, what in results["degraded"].items():
        rows = [found for found in results["results"] if found["command"] == command]
        if rows:
            parts += [f"**`{command}`**: {what}.", _table(command, rows), _in_words(rows)]
    versions = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    photographs = "; ".join(f"{name}, {what}" for name, what in results["photographs"].items())
    parts.append(
        f"Made on {results['device']}, with seed {results['seed']}; seconds are of the processor,"
        f" beside other work. Strengths tried: {', '.join(map(str, results['strengths']))} grey"
        f" levels. {versions}. Photographs: {photographs}."
    )
    return "\n\n".join(parts)


def _table(command: str, rows: list[dict[str, Any]]) -> str:
    methods = list(rows[0]["plain"])
    before = ["before"] if "before_db" in rows[0] else []
    names = [" ".join(method.rsplit("-", 1)) for method in methods]
    head = ["photograph", *before, f"`{command}`", *names, "iterations", "seconds"]
    lines = [head, ["---"] * len(head)]
    for row in rows:
        scores = [row[f"{name}_db"] for name in before] + [row["dip"]["psnr_db"]]
        scores += [row["plain"][method]["psnr_db"] for method in methods]
        ends = [f"{int(row['said'].split()[0]):,}", f"{row['dip']['processor_s']:.0f}"]
        lines.append([row["photograph"], *(f"{score:.1f}" for score in scores), *ends])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _in_words(rows: list[dict[str, Any]]) -> str:
    """How often the command is ahead of the best plain method, as good, and behind it."""
    ahead = {
        row["photograph"]: row["dip"]["psnr_db"] - max(m["psnr_db"] for m in row["plain"].values())
        for row in rows
    }
    kinds = {
        "ahead of the best of them": [(n, d) for n, d in ahead.items() if d > TIE],
        f"as good (within {TIE} dB)": [(n, d) for n, d in ahead.items() if abs(d) <= TIE],
        "behind": [(n, d) for n, d in ahead.items() if d < -TIE],
    }
    words = []
    for kind, found in kinds.items():
        each = ", ".join(f"{name} {f'{by:+.1f}'.replace('-', '−')}" for name, by in found)
        words.append(f"{kind} on {len(found)} of {len(rows)}" + (f" ({each} dB)" if found else ""))
    sentence = "; ".join(words)
    return f"{sentence[0].upper()}{sentence[1:]}."


def page_with(text: str, results: dict[str, Any]) -> str:
    """The text of docs/library.md with the tables of these results between its two marks."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{tables(results)}\n\n{END}{rest.partition(END)[2]}"


def main() -> None:
    """Measure, or write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["run", "table"])
    parser.add_argument("--device", default="cpu", help="cpu (default), cuda or mps")
    asked = parser.parse_args()
    if asked.what == "run":
        run(asked.device)
    else:
        results = json.loads(RESULTS.read_text("utf-8"))
        write_text_whole(PAGE, page_with(PAGE.read_text("utf-8"), results))


if __name__ == "__main__":
    main()
