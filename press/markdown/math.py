"""Formulas of a page: typeset once, kept in the cache, with the style sheet and fonts they need."""

import re
from dataclasses import asdict, dataclass, field
from functools import cache
from itertools import product
from typing import Any

from press.cache import Cache
from press.diagnostics import SourceMap
from press.errors import InputError
from press.markdown.katex import VERSION, Formula, release_folder, typeset
from press.page import PageContext

FOLDER = f"assets/katex-{VERSION}"
FIRST_FONTS = ("KaTeX_Main-Regular", "KaTeX_Math-Italic", "KaTeX_Size1-Regular")


@dataclass
class Maths:
    """The formulas of one page."""

    context: PageContext
    cache: Cache
    classes: set[str] = field(default_factory=set)  # of all the formulas' HTML

    def html(self, tex: str, display: bool, origin: SourceMap, start: int) -> str:
        """TeX at `start` in `origin`, typeset; mistakes are reported with their place."""
        formula = self._typeset(tex, display)
        for warning in formula.warnings:
            text = warning.replace(
                "LaTeX-incompatible input and strict mode is set to 'warn': ", ""
            )
            self.context.warn(origin.at(start), f"in this formula: {text}")
        if formula.html is None:
            sentence = f"in this formula: {_lower_first(formula.error or '')}"
            self.context.error(origin.at(start + formula.position), sentence)
            return ""
        return formula.html

    def _typeset(self, tex: str, display: bool) -> Formula:
        key = f"2|{VERSION}|{display}|{tex}"
        kept = self.cache.json("formulas", key, lambda: _with_classes(typeset(tex, display)))
        self.classes.update(kept["classes"])
        return Formula(kept["html"], kept["error"], kept["position"], tuple(kept["warnings"]))


def _with_classes(formula: Formula) -> dict[str, Any]:
    lists = re.findall(r'class="([^"]*)"', formula.html or "")
    return {
        **asdict(formula),
        "classes": sorted({name for names in lists for name in names.split()}),
    }


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


@cache
def _stylesheet() -> str:
    folder = release_folder()
    css = (folder / "katex.min.css").read_text(encoding="utf-8")
    if f'content:"{VERSION}"' not in css:
        raise InputError(f"this is not the style sheet of KaTeX {VERSION}", folder)
    return css


Face = tuple[str, str, str]  # family, weight, style: "KaTeX_Main", "400", "normal"


@cache
def katex_files(faces: frozenset[Face]) -> tuple[str, dict[str, bytes]]:
    """Give KaTeX's style sheet with these faces of its fonts alone, and their files.

    The fonts are named as the style sheet names them: "fonts/KaTeX_Main-Regular.woff2".
    """
    css = re.sub(
        r"@font-face\{[^}]*\}",
        lambda found: found[0] if _face(found[0]) in faces else "",
        _stylesheet(),
    )
    css = re.sub(r',url\([^)]*\) format\("(?:woff|truetype)"\)', "", css)
    fonts = sorted(set(re.findall(r"url\((fonts/[\w-]+\.woff2)\)", css)))
    return css, {name: (release_folder() / name).read_bytes() for name in fonts}


def _face(rule: str) -> Face:
    family, weight, style = (
        re.search(rf"font-{name}:\s*(\w+)", rule) for name in ("family", "weight", "style")
    )
    return (family[1] if family else "", weight[1] if weight else "", style[1] if style else "")


@cache
def _font_rules() -> list[tuple[frozenset[str], str]]:
    """List the rules about fonts: the classes that an element must meet, and what is declared."""
    rules = []
    for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", _stylesheet()):
        if "font" in body and "@font-face" not in selectors:
            rules += [
                (frozenset(re.findall(r"\.([\w-]+)", selector)), body)
                for selector in selectors.split(",")
            ]
    return rules


def used_faces(classes: set[str]) -> frozenset[Face]:
    """Name the faces that elements of these classes can meet, at the most.

    A formula begins upright and of normal weight wherever it stands, so bold and italic can only
    come from KaTeX's own rules.
    """
    seen = classes | {"katex"}
    bodies = [body for needed, body in _font_rules() if needed <= seen]
    families = {name for body in bodies for name in re.findall(r"KaTeX_[A-Z]\w*", body)}
    weights = ["400"] + ["700"] * any("font-weight:700" in body for body in bodies)
    styles = ["normal"] + ["italic"] * any("font-style:italic" in body for body in bodies)
    return frozenset(product(families | {"KaTeX_Main"}, weights, styles))
