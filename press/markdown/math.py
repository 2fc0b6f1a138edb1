"""Formulas: KaTeX's own release files from an installed package, run by V8 in this process.

KaTeX's version is fixed by the hash of its script: the style sheet and fonts come from the same
package, so that they cannot drift apart. What was typeset once is kept in the cache.
"""

import atexit
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from markdown_it.token import Token

from press.diagnostics import Place, SourceMap
from press.errors import InputError
from press.files import sha256_of
from press.markdown.code import language_of
from press.page import PageContext
from press.toml_file import TomlFile

if TYPE_CHECKING:
    from py_mini_racer import MiniRacer

VERSION = "0.16.40"
SCRIPT_SHA256 = "759450e87b7d6523"  # the beginning of the hash of katex.min.js
SECONDS = 10.0  # that a formula may take; a page of ordinary ones takes less than one
FOLDER = f"assets/katex-{VERSION}"
FIRST_FONTS = ("KaTeX_Main-Regular", "KaTeX_Math-Italic")

STRICT = "LaTeX-incompatible input and strict mode is set to 'warn': "
DEFINES = re.compile(r"\\(?:(?:re|provide)?newcommand|[gex]?def|let|global)(?![A-Za-z])")
OWN_FORMS = {  # of what TeX does by names that KaTeX does not know
    r"\label": "; a formula is numbered as $$ ... $$ (eq-name)",
    r"\eqref": "; outside of formulas, [](#eq-name) is the number of one",
    r"\ref": "; outside of formulas, [](#name) is the name of what has a number",
    r"\cite": "; outside of formulas, [@key] cites a work",
    r"\DeclareMathOperator": r"; \newcommand{\name}{\operatorname{name}} defines one",
}

# Console warnings are collected: they are how KaTeX tells of doubtful TeX.
PRELUDE = "var said = []; var console = {warn: function (text) { said.push(String(text)); }};"

TYPESET = r"""
var NEW = /\\newcommand\s*\*?\s*\{?\s*(\\(?:[a-zA-Z]+|.))/g;
// KaTeX shows in red, as words, the name of what it is not to trust.
function refuse(asked) {
  said.push(asked.command + " shows in red: a formula holds no links, pictures or HTML");
  return false;
}
// What TeX defines is put into `macros`; a name that it says is new is forgotten before.
function rendered(tex, displayed, macros) {
  for (var found of tex.matchAll(NEW)) { delete macros[found[1]]; }
  var html = katex.renderToString(tex, {
    displayMode: displayed, output: "htmlAndMathml", strict: "warn", trust: refuse,
    macros: macros, globalGroup: true,
  });
  return html.includes("<semantics><mrow></mrow><") ? "" : html;  // all it did was to define
}
function typeset(tex, displayed, defined, macros) {
  for (var earlier of defined) {
    try { rendered(earlier, true, macros); } catch (caught) { /* told at its place */ }
  }
  said = [];
  try {
    return JSON.stringify({html: rendered(tex, displayed, macros), said: said});
  } catch (caught) {
    var error = caught.rawMessage || String(caught);
    return JSON.stringify({error: error, position: caught.position || 0, said: said});
  }
}
function typesetAll(requests) { return JSON.stringify(requests.map(one => typeset(...one))); }
"""

Macros = tuple[tuple[str, str], ...]  # names, such as "\\R", and what they stand for
Asked = tuple[str, bool, list[str], Macros]  # TeX, displayed or not, earlier definitions, macros


class FormulaError(Exception):
    """What is wrong with a formula, at which offset of its TeX, and what was warned of before."""

    def __init__(self, sentence: str, position: int, said: Sequence[str] = ()) -> None:
        super().__init__(sentence)
        self.sentence, self.position, self.said = sentence, position, said


def release_folder() -> Path:
    """Find KaTeX's release files without importing the package that holds them."""
    spec = find_spec("djangocms_katex")
    if spec is None or not spec.submodule_search_locations:
        raise InputError("the package djangocms-katex is not installed; run: pip install -e .")
    return Path(spec.submodule_search_locations[0]) / "static/djangocms_katex/vendor/katex"


@cache
def _engine() -> "MiniRacer":
    """KaTeX's script with our `typeset` behind it; raises InputError if it is another one."""
    import asyncio
    from threading import Thread

    from py_mini_racer import mini_racer

    path = release_folder() / "katex.min.js"
    if not sha256_of(path).startswith(SCRIPT_SHA256):
        raise InputError(f"this is not the script of KaTeX {VERSION}", path)
    # An event loop of its own: it would take the caller's, a notebook's or a browser's, and end
    # with it. One that is left open can keep the process from ending.
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, daemon=True).start()
    context = mini_racer(loop)
    engine: MiniRacer = context.__enter__()
    atexit.register(context.__exit__, None, None, None)
    engine.eval(PRELUDE + path.read_text(encoding="utf-8") + TYPESET)
    return engine


def typeset(
    tex: str,
    display: bool,
    defined: Sequence[str] = (),
    macros: Macros = (),
    seconds: float = SECONDS,
) -> tuple[str, list[str]]:
    """A formula as HTML with MathML, and KaTeX's warnings; raises FormulaError.

    It knows the macros that it is given, and what the formulas `defined` before it define.
    """
    asked = (tex, display, list(defined), dict(macros))
    try:
        answer = json.loads(str(_engine().call("typeset", *asked, timeout_sec=seconds)))
    except TimeoutError:
        raise FormulaError(f"it takes longer than {seconds:g} seconds", 0) from None
    if "error" in answer:
        raise FormulaError(answer["error"], answer["position"], answer["said"])
    return answer["html"], answer["said"]


@dataclass
class Maths:
    """The formulas of one page; what one of them defines is known to those behind it."""

    context: PageContext
    macros: Macros = ()  # of the site
    defining: Sequence[tuple[Place, str]] = ()  # the formulas of the post that define something
    is_used: bool = False

    def prepare(self, tokens: Sequence[Token]) -> None:
        """Typeset the formulas of a post in one call, in less than half of the time of many.

        Those that fail, or take too long, are left to `html`, which tells why.
        """
        asked = [self._asked(tex, display, place) for place, tex, display in formulas_in(tokens)]
        new = {key: one for key, one in asked if self.context.cache.get("formulas", key) is None}
        if len(new) > 1:
            requests = [(*one[:3], dict(one[3])) for one in new.values()]
            with suppress(TimeoutError):
                answers = _engine().call("typesetAll", requests, timeout_sec=SECONDS)
                for key, answer in zip(new, map(json.loads, json.loads(str(answers))), strict=True):
                    if "error" not in answer:
                        made = answer["html"], answer["said"]
                        self.context.cache.json("formulas", key, partial(tuple, made))

    def _asked(self, tex: str, display: bool, place: Place) -> tuple[str, Asked]:
        """The key of a formula in the cache, and what `typeset` is to be asked."""
        defined = [one for at, one in self.defining if at.path == place.path and at < place]
        asked = (tex, display, defined, self.macros)
        return f"6|{VERSION}|{json.dumps(asked)}", asked

    def html(self, tex: str, display: bool, origin: SourceMap, start: int) -> str:
        """TeX at `start` in `origin`, typeset; mistakes are reported with their place."""
        self.is_used, place = True, origin.at(start)
        key, asked = self._asked(tex, display, place)
        try:
            html, warnings = self.context.cache.json("formulas", key, lambda: typeset(*asked))
        except FormulaError as error:  # which is not kept: another time it may not take too long
            html, warnings, said = "", error.said, error.sentence
            hint = OWN_FORMS.get(said.rpartition(" ")[2], "")
            sentence = f"in this formula: {said[:1].lower()}{said[1:]}{hint}"
            self.context.error(origin.at(start + error.position), sentence)
        for warning in warnings:
            self.context.warn(place, f"in this formula: {warning.replace(STRICT, '')}")
        return str(html)


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


def formulas_in(tokens: Sequence[Token]) -> Iterator[tuple[Place, str, bool]]:
    """Where each formula of a post stands, its TeX, and whether it is displayed."""
    for token in tokens:
        if token.type in ("formula", "formula_block") or is_formula(token):
            origin: SourceMap = token.meta["origin"]
            tex = origin.text if token.type == "fence" else token.content
            yield origin.at(token.meta.get("start", 0)), tex, is_displayed(token)
        yield from formulas_in(token.children or ())
        yield from formulas_in(token.meta.get("caption", ()))


def defining(tokens: Sequence[Token]) -> list[tuple[Place, str]]:
    """The formulas of a post that define something for those behind them, with their places."""
    return [(place, tex) for place, tex, _ in formulas_in(tokens) if DEFINES.search(tex)]


def is_formula(token: Token) -> bool:
    """Whether a fence holds a formula: ```` ```katex ````."""
    return token.type == "fence" and language_of(token.info)[0] in ("katex", "math")


def is_displayed(token: Token) -> bool:
    """Whether a formula is displayed: within a paragraph, one of several lines between `$$` is."""
    if token.type != "formula":
        return True
    return token.markup == "<BlockMath>" or (token.markup == "$$" and "\n" in token.content)
