"""KaTeX in this process: its own release files from an installed package, run by a small engine.

The engine is quickjs-ng, or mini-racer where that has no wheel; both give the same bytes.
KaTeX's version is fixed by the hash of its script: the style sheet and fonts come from the same
package, so that they cannot drift apart.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from press.errors import InputError
from press.files import sha256_of

VERSION = "0.16.40"
SCRIPT_SHA256 = "759450e87b7d6523"  # the beginning of the hash of katex.min.js

# Console warnings are collected: they are how KaTeX tells of doubtful TeX.
PRELUDE = "var said = []; var console = {warn: function (text) { said.push(String(text)); }};"

# The answer is one flat JSON string, since quickjs-ng cannot hand over long concatenated ones.
TYPESET = """
function typeset(request) {
  var asked = JSON.parse(request), html = null, error = null;
  said = [];
  try {
    html = katex.renderToString(asked.tex, {
      displayMode: asked.display, output: "htmlAndMathml", strict: "warn", trust: false, macros: {},
    });
  } catch (caught) {
    error = {message: caught.rawMessage || String(caught), position: caught.position};
  }
  return JSON.stringify({html: html, error: error, said: said});
}
"""


@dataclass(frozen=True)
class Formula:
    """A formula as HTML with MathML, or what is wrong with it and where in the TeX."""

    html: str | None
    error: str | None
    position: int
    warnings: tuple[str, ...]


def release_folder() -> Path:
    """Find KaTeX's release files without importing the package that holds them."""
    spec = find_spec("djangocms_katex")
    if spec is None or not spec.submodule_search_locations:
        raise InputError("the package djangocms-katex is not installed; run: pip install -e .")
    return Path(spec.submodule_search_locations[0]) / "static/djangocms_katex/vendor/katex"


def program() -> str:
    """Give KaTeX's script with our `typeset` behind it; raises InputError if it is another one."""
    path = release_folder() / "katex.min.js"
    if not sha256_of(path).startswith(SCRIPT_SHA256):
        raise InputError(f"this is not the script of KaTeX {VERSION}", path)
    return PRELUDE + path.read_text(encoding="utf-8") + TYPESET


@cache
def _typesetter() -> Callable[[str], str]:
    return in_quickjs(program()) if find_spec("quickjs") else in_mini_racer(program())


def in_quickjs(program: str) -> Callable[[str], str]:
    """Run a program in quickjs-ng; gives its `typeset`."""
    from quickjs import Context

    context = Context()
    context.eval(program)
    call = context.get("typeset")
    return lambda request: str(call(request))


def in_mini_racer(program: str) -> Callable[[str], str]:
    """Run a program in mini-racer; gives its `typeset`."""
    from py_mini_racer import MiniRacer

    racer = MiniRacer()
    racer.eval(program)
    return lambda request: str(racer.call("typeset", request))


def typeset(tex: str, display: bool) -> Formula:
    """Typeset one formula; nothing that it defines is seen by another one."""
    answer = json.loads(_typesetter()(json.dumps({"tex": tex, "display": display})))
    error = answer["error"]
    if error is None:
        return Formula(answer["html"], None, 0, tuple(answer["said"]))
    return Formula(None, error["message"], error.get("position") or 0, tuple(answer["said"]))
