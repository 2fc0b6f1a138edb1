"""The colours of charts: told apart in grey and by who is blind to a colour, in every theme.

Colour blindness is simulated by the matrices of Machado, Oliveira and Fernandes, "A
Physiologically-based Model for Simulation of Color Vision Deficiency", IEEE TVCG 15(6), 2009,
at full severity, on linear RGB. Distances are CIEDE2000, where 1 can just be seen.
"""

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab

from press.charts.curve_chart import COLOURS
from press.options import THEME

PLOTS = sorted((Path(__file__).parent.parent / "content/figures").glob("*.py"))
STYLES = THEME / "styles"
LEAST = 7.0  # CIEDE2000 between any two
LEAST_CONTRAST = 3.0  # of a line or a dot on the page: WCAG 2.2, 1.4.11
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
SEEN = {
    "in colour": np.eye(3),
    "in grey": np.tile(LUMINANCE, (3, 1)),
    "by a protanope": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                       [-0.003882, -0.048116, 1.051998]],
    "by a deuteranope": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                         [-0.011820, 0.042940, 0.968881]],
    "by a tritanope": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                       [0.004733, 0.691367, 0.303900]],
}  # fmt: skip
THEMES = ("light", "dark", "print")
RAISED = ("raised", "accent-soft")  # what code and words of notes stand on


def variables(theme: str) -> dict[str, str]:
    """The custom properties of a theme, as the style sheets set them."""
    scale = (STYLES / "scale.css").read_text()
    light, dark = scale.split("@media (prefers-color-scheme: dark)")
    of_theme = {"light": "", "dark": dark, "print": (STYLES / "print.css").read_text()}[theme]
    return dict(re.findall(r"(--[\w-]+):\s*([^;]+);", light + of_theme))


def colour(value: str, known: dict[str, str]) -> str:
    """A colour in hexadecimal, with custom properties looked up."""
    found = re.fullmatch(r"var\((--[\w-]+)\)", value)
    return colour(known[found[1]], known) if found else value


def drawn(kind: str, theme: str) -> dict[str, str]:
    """The colours of the lines of charts, or of the dots of tables: their strokes, else fills."""
    known = variables(theme)
    sheet, pattern = {"lines": ("figures.css", r"\.chart \.(line-\d)"),
                      "dots": ("results.css", r"\.dots \.(dot-\w+)")}[kind]  # fmt: skip
    found = {}
    for name, rule in re.findall(rf"{pattern} {{([^}}]*)}}", (STYLES / sheet).read_text()):
        declared = dict(re.findall(r"(stroke|fill): ([^;]+);", rule))
        found[name] = colour(declared.get("stroke") or declared["fill"], known)
    return found


def linear(colour: str) -> NDArray[np.float64]:
    """The linear RGB of a colour, 0 to 1."""
    whole = colour if len(colour) == 7 else "#" + "".join(digit * 2 for digit in colour[1:])
    coded = np.array([int(whole[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def distance(one: str, other: str, seen: str) -> float:
    """How far apart two colours look, in CIEDE2000."""
    coded = []
    for each in (one, other):
        light = np.clip(SEEN[seen] @ linear(each), 0, 1)
        low = light <= 0.0031308
        coded.append(np.where(low, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055))
    return float(deltaE_ciede2000(*map(rgb2lab, coded)))


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, 1 to 21."""
    dark, light = sorted(float(LUMINANCE @ linear(each)) for each in (one, other))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("seen", SEEN)
def test_lines_and_dots_are_told_apart(theme: str, seen: str) -> None:
    for kind in ("lines", "dots"):
        for one, other in combinations(sorted(set(drawn(kind, theme).values())), 2):
            assert distance(one, other, seen) >= LEAST, (kind, one, other)


@pytest.mark.parametrize("theme", THEMES)
def test_lines_and_dots_stand_out_from_the_page(theme: str) -> None:
    paper = variables(theme)["--paper"]
    lines, dots = drawn("lines", theme), drawn("dots", theme)
    assert len(set(lines.values())) == COLOURS and len(set(dots.values())) == 3
    for name, each in (lines | dots).items():
        assert contrast(each, paper) >= LEAST_CONTRAST, name


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_code_and_charts_can_be_read(theme: str) -> None:
    known = variables(theme)
    words = ("ink", "soft", "accent", "published", "better", "worse")
    code = [name.removeprefix("--") for name in known if name.startswith("--code-")]
    pairs = [(name, "paper", 4.5) for name in words]
    pairs += [(n, behind, 4.5) for n in (*code, "ink", "soft") for behind in RAISED]
    marks = ("baseline", *(n.removeprefix("--") for n in known if n.startswith("--series-")))
    pairs += [(name, "paper", LEAST_CONTRAST) for name in marks]
    for name, behind, least in pairs:
        one, other = (colour(known[f"--{each}"], known) for each in (name, behind))
        assert contrast(one, other) >= least, (name, behind)


def test_verdicts_have_signs_that_differ_in_shape() -> None:
    rules = (STYLES / "results.css").read_text()
    found = re.findall(r'\.verdict-\w+::before {[^}]*content: "(.)"', rules)
    assert len(found) == len(set(found)) >= 3


def test_a_simulation_leaves_grey_as_it_is_and_joins_red_with_green() -> None:
    for matrix in SEEN.values():
        assert np.allclose(matrix @ np.full(3, 0.5), 0.5, atol=1e-5)
    apart = distance("#c8503c", "#7d7a28", "in colour")
    assert distance("#c8503c", "#7d7a28", "by a deuteranope") < apart / 3


@pytest.mark.parametrize("theme", THEMES)
def test_colours_that_a_plot_names_are_told_apart(theme: str) -> None:
    known = variables(theme)
    quiet = {known[f"--{name}"] for name in ("paper", "soft", "hair", "rule")}
    compared = set[str]()
    for script in PLOTS:  # those that name none have the colours of the lines of charts
        written = re.findall(r'"([a-z][\w-]*)"', script.read_text())
        named = {colour(known[f"--{name}"], known) for name in written if f"--{name}" in known}
        for one, other in combinations(sorted(named - quiet), 2):
            compared.add(script.stem)
            for seen in SEEN:
                assert distance(one, other, seen) >= LEAST, (script.name, one, other, seen)
    assert {"pasted", "stability"} <= compared
