"""Whatever an author writes where something else is wanted: a sentence with its place."""

import datetime
import json
import re
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from made_site import POST, PSNR, make_results, run_press
from reading import Told

from dip.cli import main as dip_main

SITE = f"""
title = "A site"
authors = ["Ann Author"]
base_url = "https://example.org/x/"
[experiments]
manifest = "python -m dip manifest"
{PSNR}"""
IMAGES = f"""
["set/anna"]
file = "set/anna.png"
title = "Anna"
show = true
why = "a reason"
width = 32
height = 32
mode = "L"
sha256 = "a"
pixels_sha256 = "{"0" * 64}"
url = "http://127.0.0.1:9/anna.png"
licence = "ours"
"""
FRONT = {
    "title": "A post", "date": datetime.date(2026, 1, 2), "authors": ["Ann Author"],
    "summary": "A summary.", "draft": False, "aliases": ["old/a.html"],
}  # fmt: skip
REMOVED = object()
WRONG = (5, "", "x y", [], [7], {"a": 1}, REMOVED)
FILES = ("claims.toml", "choices.toml", "experiments.toml", "images.toml", "site.toml")


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    make_results(folder, "paper", "small")
    (folder / "content/site.toml").write_text(SITE)
    (folder / "content/images.toml").write_text(IMAGES)
    return folder


def build(work: Path) -> int:
    return run_press(work, "build", "--run", "never")


def places(table: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """List every key of a table and of those in it."""
    for key, value in table.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from places(value, (*above, key))


def changed(data: dict[str, Any], place: tuple[str, ...], value: object) -> dict[str, Any]:
    """Give a copy with another value at a place."""
    copy = deepcopy(data)
    table = copy
    for key in place[:-1]:
        table = table[key]
    if value is REMOVED:
        del table[place[-1]]
    else:
        table[place[-1]] = value
    return copy


def toml(value: Any) -> str:
    """Write a value of TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


def file_of(data: dict[str, Any]) -> str:
    """Write a file of TOML: tables one deep as such, all else in a line."""
    plain = {key: value for key, value in data.items() if not isinstance(value, dict)}
    lines = [f"{json.dumps(key)} = {toml(value)}" for key, value in plain.items()]
    for name in data.keys() - plain.keys():
        lines.append(f"[{json.dumps(name)}]")
        lines += [f"{json.dumps(key)} = {toml(value)}" for key, value in data[name].items()]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", FILES)
def test_a_wrong_value_in_a_file_is_told_with_its_place(
    work: Path, name: str, capsys: Told
) -> None:
    path = work / "content" / name
    right = path.read_text()
    data = tomllib.loads(right)
    told = 0
    try:
        for place in places(data):
            for wrong in WRONG:
                path.write_text(file_of(changed(data, place, wrong)))
                capsys.readouterr()
                if build(work) != 0:
                    told += 1
                    err = capsys.readouterr().err
                    # a key of site.toml is not found in a table that is written in a line
                    line = " |\\d" if name == "site.toml" and len(place) > 1 else r"\d"
                    told_at = rf"content/[\w/]+\.(toml|md):{line}"
                    assert re.search(told_at, err), f"{place}: {wrong}"
                    assert "internal error" not in err, f"{place}: {wrong}"
                if name in ("experiments.toml", "images.toml"):
                    folders = ["--content", str(path.parent), "list", "--results", str(work)]
                    assert dip_main([*folders, "--device", "cpu"]) in (0, 1)
    finally:
        path.write_text(right)
    assert told > 5 or name == "images.toml", "of which a build reads little"
    assert build(work) == 0


@pytest.mark.parametrize("key", FRONT)
def test_a_wrong_value_in_the_front_matter_is_told_with_its_place(
    work: Path, key: str, capsys: Told
) -> None:
    path = work / "content/posts/post.md"
    body = POST.split("---\n", 2)[2]
    for wrong in (*WRONG, None):
        front = {word: value for word, value in FRONT.items() if (word, wrong) != (key, REMOVED)}
        front |= {} if wrong is REMOVED else {key: wrong}
        path.write_text(f"---\n{yaml.safe_dump(front)}---\n{body}")
        capsys.readouterr()
        if build(work) != 0:
            err = capsys.readouterr().err
            assert re.search(r"posts/post\.md:\d+", err), f"{key}: {wrong}"
            assert "internal error" not in err, f"{key}: {wrong}"
    path.write_text(POST)
