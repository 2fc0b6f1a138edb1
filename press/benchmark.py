"""How fast the press is: `python -m press.benchmark`, 100 posts of 1,000 words with formulas.

Each build is a process of its own, as on the command line. Wall seconds, medians where a build
can be repeated, and the processor's seconds beside them, which a busy machine moves less.
"""

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

POSTS, PARTS, WORDS_A_PART = 100, 10, 100
SHARED = (r"x^* = \arg\min_x E(x; x_0) + R(x)", r"f_\theta(z)", r"\lVert x - x_0 \rVert^2")
WORDS = [
    "picture",
    "network",
    "weight",
    "noise",
    "prior",
    "pixel",
    "known",
    "fit",
    "step",
    "mean",
    "a",
    "the",
    "of",
    "and",
    "in",
    "is",
]


def write_posts(folder: Path) -> None:
    """Write the posts: in each part a formula that posts share, and one of its own."""
    chance = random.Random(0)
    folder.mkdir(parents=True)
    for number in range(POSTS):
        parts = [_part(chance, number, part) for part in range(PARTS)]
        front = f"---\ntitle: Post {number}\ndate: 2026-01-{number % 28 + 1:02}\n---\n"
        (folder / f"post-{number:03}.md").write_text("\n\n".join([front, *parts]))


def _part(chance: random.Random, number: int, part: int) -> str:
    words = " ".join(chance.choice(WORDS) for _ in range(WORDS_A_PART))
    own = rf"\sum_{{i={part}}}^{{{number}}} x_i^{{{part}}} = {number * part}"
    return f"## Part {part}\n\n{words} ${SHARED[part % 3]}$ holds.\n\n$$ {own} $$"


def build(work: Path) -> tuple[float, float]:
    """Build once; gives wall seconds and processor seconds."""
    before, started = os.times(), time.perf_counter()
    command = [sys.executable, "-m", "press", "build", "--run", "never"]
    root = str(Path(__file__).parent.parent)
    environment = {**os.environ, "PYTHONPATH": root}
    subprocess.run(command, cwd=work, env=environment, check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - started, os.times()
    used = after.children_user + after.children_system
    return wall, used - before.children_user - before.children_system


def main() -> None:
    """Print the seconds of each kind of build."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        posts = work / "content/posts"
        write_posts(posts)
        _print("cold", [build(work)])
        (work / "content/site.toml").write_text('title = "Anew"\n')
        _print("all pages anew, formulas kept", [build(work)])
        _print("nothing changed", [build(work) for _ in range(5)])
        edited = []
        for number in range(5):
            path = posts / f"post-{number:03}.md"
            path.write_text(path.read_text().replace("Part 3", "Part three"))
            edited.append(build(work))
        _print("one post edited", edited)


def _print(name: str, times: list[tuple[float, float]]) -> None:
    wall, used = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"{name:32} {wall:6.2f} s, {used:6.2f} s of the processor")


if __name__ == "__main__":
    main()
