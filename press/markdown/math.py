"""Formulas of a page: typeset once, kept in the cache, with the style sheet and fonts they need."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from markdown_it.token import Token

from press.diagnostics import Place, SourceMap
from press.errors import InputError
from press.markdown.code import language_of
from press.markdown.katex import VERSION, Asked, Formula, release_folder, typeset
from press.page import PageContext
from press.toml_file import TomlFile

FOLDER = f"assets/katex-{VERSION}"
STRICT = "LaTeX-incompatible input and strict mode is set to 'warn': "
FIRST_FONTS = ("KaTeX_Main-Regular", "KaTeX_Math-Italic")


DEFINES = re.compile(r"\\(?:(?:re|provide)?newcommand|[gex]?def|let|global)(?![A-Za-z])")
OWN_FORMS = {  # of what TeX does by names that KaTeX does not know
    r"\label": "; a formula is numbered as $$ ... $$ (eq-name)",
    r"\eqref": "; outside of formulas, [](#eq-name) is the number of one",
    r"\ref": "; outside of formulas, [](#name) is the name of what has a number",
    r"\cite": "; outside of formulas, [@key] cites a work",
    r"\DeclareMathOperator": r"; \newcommand{\name}{\operatorname{name}} defines one",
}

Macros = tuple[tuple[str, str], ...]  # names, with the backslash, and what they stand for


@dataclass
class Maths:
    """The formulas of one page; what one of them defines is known to those behind it."""

    context: PageContext
    macros: Macros = ()  # of the site
    ready: dict[Asked, Formula] = field(default_factory=dict)
    _defining: list[tuple[Place, str]] = field(default_factory=list)  # formulas that define

    def html(self, tex: str, display: bool, origin: SourceMap, start: int) -> str:
        """TeX at `start` in `origin`, typeset; mistakes are reported with their place."""
        asked = self._asked(tex, display, origin.at(start))
        if asked not in self.ready:
            self._typeset([asked])
        formula = self.ready[asked]
        for warning in formula.warnings:
            text = warning.replace(STRICT, "")
            self.context.warn(origin.at(start), f"in this formula: {text}")
        if formula.html is None:
            error = formula.error or ""
            hint = OWN_FORMS.get(error.rpartition(" ")[2], "")
            sentence = f"in this formula: {error[:1].lower()}{error[1:]}{hint}"
            self.context.error(origin.at(start + formula.position), sentence)
            return ""
        return formula.html

    def prepare(self, formulas: Iterable[tuple[str, bool, Place]]) -> None:
        """Set all at once what a post will ask for, as `formulas_in` finds it."""
        found = list(formulas)
        self._defining = [(place, tex) for tex, _, place in found if DEFINES.search(tex)]
        self._typeset(self._asked(*one) for one in found)

    def _asked(self, tex: str, display: bool, place: Place) -> Asked:
        earlier = (one for at, one in self._defining if at.path == place.path and at < place)
        return Asked(tex, display, tuple(earlier), self.macros)

    def _typeset(self, wanted: Iterable[Asked]) -> None:
        cache = self.context.cache
        keys = {asked: f"4|{VERSION}|{json.dumps(asked)}" for asked in wanted}
        kept = {asked: cache.get("formulas", key) for asked, key in keys.items()}
        new = [asked for asked, data in kept.items() if data is None]
        for asked, formula in zip(new, typeset(new) if new else [], strict=True):
            self.ready[asked] = formula
            if formula.html is not None:  # what took too long may be set another time
                cache.put("formulas", keys[asked], json.dumps(vars(formula)).encode())
        self.ready |= {asked: Formula(**json.loads(data)) for asked, data in kept.items() if data}


def read_macros(file: TomlFile) -> Macros:
    """The table `[math.macros]` of a site; raises InputError with its place for a mistake."""
    file.expect({"macros": "a table"}, file.table("math"), "math")
    macros = file.table("math").get("macros", {})
    for name, tex in macros.items():
        if not re.fullmatch(r"\\?(?:[A-Za-z]+|[^\w\s])", name) or not isinstance(tex, str):
            sentence = f"'{name}': expected a name of letters alone, and TeX as text"
            file.fail(sentence, "math.macros", name)
    return tuple((f"\\{name.removeprefix(chr(92))}", tex) for name, tex in macros.items())


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


def formulas_in(tokens: Sequence[Token]) -> Iterator[tuple[str, bool, Place]]:
    """The TeX of each formula of a post, whether it is displayed, and where it stands."""
    for token in tokens:
        if token.type in ("formula", "formula_block") or is_formula(token):
            origin: SourceMap = token.meta["origin"]
            tex = origin.text if token.type == "fence" else token.content
            yield tex, is_displayed(token), origin.at(token.meta.get("start", 0))
        yield from formulas_in(token.children or ())
        yield from formulas_in(token.meta.get("caption", ()))


def is_formula(token: Token) -> bool:
    """Whether a fence holds a formula: ```` ```katex ````."""
    return token.type == "fence" and language_of(token.info)[0] in ("katex", "math")


def is_displayed(token: Token) -> bool:
    """Whether a formula is displayed: within a paragraph, one of several lines between `$$` is."""
    if token.type != "formula":
        return True
    return token.markup == "<BlockMath>" or (token.markup == "$$" and "\n" in token.content)
