"""Formulas of a page: typeset once, kept in the cache, with the style sheet and fonts they need."""

import re
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any

from dip.problems import InputError
from press.cache import Cache
from press.context import PageContext
from press.katex import VERSION, Formula, release_folder, typeset
from press.places import Origin

FOLDER = f"assets/katex-{VERSION}"
FIRST_FONTS = ("KaTeX_Main-Regular", "KaTeX_Math-Italic", "KaTeX_Size1-Regular")


@dataclass
class Maths:
    """The formulas of one page."""

    context: PageContext
    cache: Cache
    classes: set[str] = field(default_factory=set)  # of all the formulas' HTML

    def html(self, tex: str, display: bool, origin: Origin, start: int) -> str:
        """Typeset TeX that stands at `start` in `origin`; its mistakes are told with their place."""
        formula = self._typeset(tex, display)
        for warning in formula.warnings:
            text = warning.replace(
                "LaTeX-incompatible input and strict mode is set to 'warn': ", ""
            )
            self.context.warn(origin.at(start), f"in this formula: {text}")
        if formula.html is None:
            sentence = f"in this formula: {_lower_first(formula.error or '')}"
            self.context.mistake(origin.at(start + formula.position), sentence)
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


@cache
def katex_files(families: frozenset[str]) -> tuple[str, dict[str, bytes]]:
    """Give KaTeX's style sheet with the faces of these font families alone, and their fonts.

    The fonts are named as the style sheet names them: "fonts/KaTeX_Main-Regular.woff2".
    """
    css = re.sub(
        r"@font-face\{[^}]*\}",
        lambda face: face[0] if _family(face[0]) in families else "",
        _stylesheet(),
    )
    css = re.sub(r',url\([^)]*\) format\("(?:woff|truetype)"\)', "", css)
    fonts = sorted(set(re.findall(r"url\((fonts/[\w-]+\.woff2)\)", css)))
    return css, {name: (release_folder() / name).read_bytes() for name in fonts}


def _family(rule: str) -> str:
    found = re.search(r"font-family:\s*(KaTeX_\w+)", rule)
    return found[1] if found else ""


@cache
def _font_rules() -> list[tuple[frozenset[str], frozenset[str]]]:
    """List which families a rule of the style sheet uses on elements of which classes."""
    rules = []
    for selectors, body in re.findall(r"([^{}]+)\{([^{}]*KaTeX_[^{}]*)\}", _stylesheet()):
        families = frozenset(re.findall(r"KaTeX_[A-Z]\w*", body))
        if "@font-face" not in selectors:
            rules += [
                (frozenset(re.findall(r"\.([\w-]+)", selector)), families)
                for selector in selectors.split(",")
            ]
    return rules


def used_families(classes: set[str]) -> frozenset[str]:
    """Name the font families of the rules that elements of these classes can meet."""
    seen = classes | {"katex"}
    used = [families for needed, families in _font_rules() if needed <= seen]
    return frozenset({"KaTeX_Main"}.union(*used))
