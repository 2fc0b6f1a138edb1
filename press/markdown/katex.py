"""KaTeX in this process: its own release files from an installed package, run by V8.

Formulas are set many at a time: a call costs more than a formula. KaTeX's version is fixed by the
hash of its script: the style sheet and fonts come from the same package, so that they cannot drift
apart.
"""

import atexit
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from press.errors import InputError
from press.files import sha256_of

if TYPE_CHECKING:
    from py_mini_racer import MiniRacer

VERSION = "0.16.40"
SECONDS = 10.0  # that a formula may take; a page of ordinary ones takes less than one
SCRIPT_SHA256 = "759450e87b7d6523"  # the beginning of the hash of katex.min.js

# Console warnings are collected: they are how KaTeX tells of doubtful TeX.
PRELUDE = "var said = []; var console = {warn: function (text) { said.push(String(text)); }};"

TYPESET = r"""
var NEW = /\\newcommand\s*\*?\s*\{?\s*(\\(?:[a-zA-Z]+|.))/g;
var known = {};
// What TeX defines is put into `macros`; a name that it says is new is forgotten before.
function rendered(tex, displayed, macros) {
  for (var found of tex.matchAll(NEW)) { delete macros[found[1]]; }
  var html = katex.renderToString(tex, {
    displayMode: displayed, output: "htmlAndMathml", strict: "warn", trust: false,
    macros: macros, globalGroup: true,
  });
  return html.includes("<semantics><mrow></mrow><") ? "" : html;  // all it did was to define
}
// The macros behind earlier formulas.
function after(defined, macros) {
  var key = JSON.stringify([defined, macros]);
  if (!(key in known)) {
    known[key] = defined.length ? after(defined.slice(0, -1), macros) : Object.assign({}, macros);
    if (defined.length) {
      known[key] = Object.assign({}, known[key]);
      try { rendered(defined.at(-1), true, known[key]); } catch (caught) { /* told at its place */ }
    }
  }
  return known[key];
}
function typeset(tex, displayed, defined, macros) {
  var html = null, error = null, position = 0, own = Object.assign({}, after(defined, macros));
  said = [];
  try {
    html = rendered(tex, displayed, own);
  } catch (caught) {
    error = caught.rawMessage || String(caught);
    position = caught.position || 0;
  }
  return [html, error, position, said];
}
function typesetAll(request) {
  known = {};
  return JSON.stringify(JSON.parse(request).map(asked => typeset(...asked)));
}
"""


@dataclass(frozen=True)
class Formula:
    """A formula as HTML with MathML, or what is wrong with it and where in the TeX."""

    html: str | None
    error: str | None
    position: int
    warnings: list[str]


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


class Asked(NamedTuple):
    """A formula to be set."""

    tex: str
    display: bool
    defined: tuple[str, ...] = ()  # earlier formulas, whose macros it knows
    macros: tuple[tuple[str, str], ...] = ()  # names, such as "\\R", and what they stand for


@cache
def _engine() -> "MiniRacer":
    import asyncio
    from threading import Thread

    from py_mini_racer import mini_racer

    # An event loop of its own: it would take the caller's, a notebook's or a browser's, and end
    # with it. One that is left open can keep the process from ending.
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, daemon=True).start()
    context = mini_racer(loop)
    engine: MiniRacer = context.__enter__()
    atexit.register(context.__exit__, None, None, None)
    engine.eval(program())
    return engine


def typeset(formulas: Sequence[Asked], seconds: float = SECONDS) -> list[Formula]:
    """Set formulas; each knows only the macros that it is given.

    One that takes longer than `seconds` has that as its error.
    """
    try:
        return _set(formulas, seconds)
    except TimeoutError:
        return [_set_alone(formula, seconds) for formula in formulas]


def _set(formulas: Sequence[Asked], seconds: float) -> list[Formula]:
    request = json.dumps([(*one[:3], dict(one.macros)) for one in formulas])
    answers = _engine().call("typesetAll", request, timeout_sec=seconds)
    return [Formula(*answer) for answer in json.loads(str(answers))]


def _set_alone(formula: Asked, seconds: float) -> Formula:
    try:
        return _set([formula], seconds)[0]
    except TimeoutError:
        return Formula(None, f"it takes longer than {seconds:g} seconds", 0, [])
