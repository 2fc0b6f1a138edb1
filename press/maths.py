"""Formulas of a page: typeset once, kept in the cache, with the style sheet and fonts they need."""

import re
from dataclasses import astuple, dataclass, field

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
        for names in re.findall(r'class="([^"]*)"', formula.html):
            self.classes.update(names.split())
        return formula.html

    def _typeset(self, tex: str, display: bool) -> Formula:
        key = f"{VERSION}|{display}|{tex}"
        html, error, position, warnings = self.cache.json(
            "formulas", key, lambda: astuple(typeset(tex, display))
        )
        return Formula(html, error, position, tuple(warnings))


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def katex_files(classes: set[str]) -> tuple[str, dict[str, bytes]]:
    """Give KaTeX's style sheet with the fonts that these classes use, and those fonts.

    The fonts are named as the style sheet names them: "fonts/KaTeX_Main-Regular.woff2".
    """
    folder = release_folder()
    css = (folder / "katex.min.css").read_text(encoding="utf-8")
    if f'content:"{VERSION}"' not in css:
        raise InputError(f"this is not the style sheet of KaTeX {VERSION}", folder)
    families = used_families(css, classes)
    css = re.sub(
        r"@font-face\{[^}]*\}",
        lambda face: face[0] if _family(face[0]) in families else "",
        css,
    )
    css = re.sub(r',url\([^)]*\) format\("(?:woff|truetype)"\)', "", css)
    fonts = sorted(set(re.findall(r"url\((fonts/[\w-]+\.woff2)\)", css)))
    return css, {name: (folder / name).read_bytes() for name in fonts}


def _family(rule: str) -> str:
    found = re.search(r"font-family:\s*(KaTeX_\w+)", rule)
    return found[1] if found else ""


def used_families(css: str, classes: set[str]) -> set[str]:
    """Name the font families of the rules that elements of these classes can meet."""
    families = {"KaTeX_Main"}
    for selectors, body in re.findall(r"([^{}]+)\{([^{}]*KaTeX_[^{}]*)\}", css):
        if "@font-face" in selectors:
            continue
        for selector in selectors.split(","):
            if set(re.findall(r"\.([\w-]+)", selector)) <= classes | {"katex"}:
                families.update(re.findall(r"KaTeX_[A-Z]\w*", body))
    return families
