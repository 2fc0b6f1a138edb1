"""Formulas of a page: typeset once, kept in the cache, with the style sheet and fonts they need."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from markdown_it.token import Token

from press.diagnostics import SourceMap
from press.errors import InputError
from press.markdown.katex import VERSION, Formula, release_folder, typeset
from press.page import PageContext

FOLDER = f"assets/katex-{VERSION}"
STRICT = "LaTeX-incompatible input and strict mode is set to 'warn': "
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
            text = warning.replace(STRICT, "")
            self.context.warn(origin.at(start), f"in this formula: {text}")
        if formula.html is None:
            error = formula.error or ""
            sentence = f"in this formula: {error[:1].lower()}{error[1:]}"
            self.context.error(origin.at(start + formula.position), sentence)
            return ""
        return formula.html

    def prepare(self, wanted: Iterable[tuple[str, bool]]) -> None:
        """Set all at once what will be asked for: TeX, and whether it is displayed."""
        cache = self.context.cache
        keys = {(tex, display): f"3|{VERSION}|{display}|{tex}" for tex, display in wanted}
        kept = {asked: cache.get("formulas", key) for asked, key in keys.items()}
        new = [asked for asked, data in kept.items() if data is None]
        for asked, formula in zip(new, typeset(new) if new else [], strict=True):
            self.ready[asked] = formula
            if formula.html is not None:  # what took too long may be set another time
                cache.put("formulas", keys[asked], json.dumps(vars(formula)).encode())
        self.ready |= {asked: Formula(**json.loads(data)) for asked, data in kept.items() if data}


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


def formulas_in(tokens: Sequence[Token]) -> Iterator[tuple[str, bool]]:
    """The TeX of each formula of a post, and whether it is displayed."""
    for token in tokens:
        if token.type == "formula":
            yield token.content, token.markup == "$$"
        elif token.type == "formula_block":
            yield token.content, True
        elif is_formula(token):
            yield token.content.rstrip("\n"), True
        yield from formulas_in(token.children or ())


def is_formula(token: Token) -> bool:
    """Whether a fence holds a formula: ```` ```katex ````."""
    return token.type == "fence" and token.info.strip().split(" ")[0] in ("katex", "math")
