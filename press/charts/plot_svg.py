"""A figure of matplotlib as SVG that stands within a page: small, in its colours and its fonts."""

import io
import re
from collections.abc import Mapping
from functools import partial
from html import escape
from itertools import pairwise
from xml.etree import ElementTree

from matplotlib import rcParams
from matplotlib.figure import Figure

SVG = "{http://www.w3.org/2000/svg}"
HREF = "{http://www.w3.org/1999/xlink}href"
NUMBER = re.compile(r"-?\d+\.\d+")
REFERENCE = re.compile(r"url\(#([^)]+)\)")
STEP = re.compile(r"(\w+)\(([^)]*)\)")
FACTORS = {"scale": 2, "matrix": 4}  # how many numbers of a transformation are no places
EQUAL = {"text-anchor": "start", "stroke-linejoin": "round", "stroke-linecap": "butt"}  # to none


def svg_of(figure: Figure, variables: Mapping[str, str], name: str) -> str:
    """The figure as SVG to stand within a page: small, in the page's colours and fonts."""
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    text = stream.getvalue()
    root = ElementTree.fromstring(text)
    ids = dict.fromkeys(re.findall(r'(?:href="#|url\(#)([^")]+)', text))
    kept = {id: f"{name}.{number}" for number, id in enumerate(ids, 1)}
    inside = "".join(_element(child, variables, kept) for child in root)
    box = root.attrib["viewBox"]
    return f'<svg class="plot" viewBox="{box}" style="--width:{box.split()[2]}">{inside}</svg>'


def _element(
    element: ElementTree.Element, variables: Mapping[str, str], ids: dict[str, str]
) -> str:
    """An element without what nobody sees: metadata, backgrounds, empty groups, unused ids."""
    name = element.tag.removeprefix(SVG)
    style = element.get("style", "")
    is_unseen = name == "path" and "fill: none" in style and "stroke: " not in style
    if is_unseen or name in ("metadata", "style"):
        return ""
    attributes = _attributes(element, variables, ids)
    words = "".join(f' {key}="{value}"' for key, value in attributes.items())
    inside = escape(element.text or "", quote=False) if name in ("text", "tspan") else ""
    inside += "".join(_element(child, variables, ids) for child in element)
    if name in ("g", "defs") and (not inside or (name == "g" and not words)):
        return inside
    return f"<{name}{words}>{inside}</{name}>" if inside else f"<{name}{words}/>"


def _attributes(
    element: ElementTree.Element, variables: Mapping[str, str], ids: Mapping[str, str]
) -> dict[str, str]:
    """The attributes that a browser needs, with the page's colours, and ids that it has once."""
    found = {}
    for key, value in element.attrib.items():
        if key == "id":
            if value in ids:
                found["id"] = ids[value]
        elif key == HREF:
            found["href"] = f"#{ids[value[1:]]}" if value.startswith("#") else value.strip()
        elif key == "style":
            found[key] = _style(value, variables)
        elif key == "d":
            found[key] = _path(value)
        elif key == "transform":
            is_needed = not value.startswith(("rotate(-0 ", "rotate(0 "))
            found[key] = STEP.sub(_step, value) if is_needed else ""
        else:  # such as the colour behind a hatch
            found[key] = variables.get(value) or _short(value)
    refer = partial(REFERENCE.sub, lambda id: f"url(#{ids[id[1]]})")
    return {key: escape(refer(value)) for key, value in found.items() if value}


def _step(found: re.Match[str]) -> str:
    """One step of a transformation; factors, which multiply a whole picture, keep five digits."""
    numbers, count = found[2].split(), FACTORS.get(found[1], 0)
    words = [f"{float(factor):.5g}" for factor in numbers[:count]]
    return f"{found[1]}({' '.join([*words, *map(_short, numbers[count:])])})"


def _style(style: str, variables: Mapping[str, str]) -> str:
    """A style in the page's colours and its font; the size of text is left to the style sheet."""
    kept = []
    for part in style.split("; "):
        key, _, value = part.partition(": ")
        value = variables.get(value, value)
        if key == "font-size":
            size = value.removesuffix("px")
            kept += [f"--size:{_short(size)}"] if float(size) != rcParams["font.size"] else []
        elif key != "font-family" and EQUAL.get(key) != value:
            kept.append(f"{key}:{_short(value) if key == 'stroke-dasharray' else value}")
    return ";".join(kept)


def _path(steps: str) -> str:
    """The steps of a path in few letters; where all of them are straight, each from the last."""
    short = re.sub(r"\s*([A-Za-z])\s*", r"\1", _short(steps))
    if not re.fullmatch(r"M[^A-Z]+(L[^A-Zz]+)+z?", short):
        return short
    places = [[*map(float, pair.split())] for pair in re.split("[ML]", short.rstrip("z"))[1:]]
    pairs = (zip(one, other, strict=True) for one, other in pairwise(places))
    moves = " ".join(f"{to - here:.1f}" for pair in pairs for here, to in pair)
    moves = re.sub(r"(?<!\d)0\.", ".", moves.replace(".0", "")).replace(" -", "-")
    return f"M{places[0][0]:g} {places[0][1]:g}l{moves}{'z' * short.endswith('z')}"


def _short(text: str) -> str:
    """Numbers to a tenth of a point, which is less than a pixel."""
    return NUMBER.sub(lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), text.strip())
