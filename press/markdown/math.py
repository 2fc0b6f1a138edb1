"""Formulas of a page: typeset once, kept in the cache, with the style sheet and fonts they need."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from press.diagnostics import SourceMap
from press.errors import InputError
from press.markdown.katex import VERSION, Formula, release_folder, typeset
from press.page import PageContext

FOLDER = f"assets/katex-{VERSION}"
FIRST_FONTS = ("KaTeX_Main-Regular", "KaTeX_Math-Italic")


@dataclass
class Maths:
    """The formulas of one page."""

    context: PageContext
    ready: dict[tuple[str, bool], Formula] = field(default_factory=dict)

    def html(self, tex: str, display: bool, origin: SourceMap, start: int) -> str:
        """TeX at `start` in `origin`, typeset; mistakes are reported with their place."""
        if (tex, display) not in self.ready:
            self.prepare([(tex, display)])
        formula = self.ready[tex, display]
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

    def prepare(self, wanted: Iterable[tuple[str, bool]]) -> None:
        """Set all at once what will be asked for: TeX, and whether it is displayed."""
        new = []
        for tex, display in dict.fromkeys(wanted):
            kept = self.context.cache.get("formulas", _key(tex, display))
            if kept is None:
                new.append((tex, display))
            else:
                self.ready[tex, display] = Formula(**json.loads(kept))
        for (tex, display), formula in zip(new, typeset(new) if new else [], strict=True):
            self.context.cache.put(
                "formulas", _key(tex, display), json.dumps(vars(formula)).encode()
            )
            self.ready[tex, display] = formula


def _key(tex: str, display: bool) -> str:
    return f"3|{VERSION}|{display}|{tex}"


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def katex_files() -> tuple[str, dict[str, bytes]]:
    """KaTeX's style sheet, and its fonts as that names them: "fonts/KaTeX_Main-Regular.woff2".

    Of the forms of a font only woff2 is kept, which every browser reads.
    """
    folder = release_folder()
    css = (folder / "katex.min.css").read_text(encoding="utf-8")
    if f'content:"{VERSION}"' not in css:
        raise InputError(f"this is not the style sheet of KaTeX {VERSION}", folder)
    css = re.sub(r',url\([^)]*\) format\("(?:woff|truetype)"\)', "", css)
    fonts = sorted(set(re.findall(r"url\((fonts/[\w-]+\.woff2)\)", css)))
    return css, {name: (folder / name).read_bytes() for name in fonts}
