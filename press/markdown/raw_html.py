"""Raw HTML of a post: its pictures and expressions are filled in, its references get links back."""

import re
from collections.abc import Callable
from html import unescape

from press.diagnostics import SourceMap
from press.markdown.assets import Assets
from press.markdown.citations import HAND_MADE, Citations
from press.markdown.syntax import EXPRESSION

IMG = re.compile(r"<img\b((?:[^>\"']|\"[^\"]*\"|'[^']*')*)>", re.IGNORECASE)
ATTRIBUTE = re.compile(
    r"""([a-zA-Z_:][\w:.-]*)(?:\s*=\s*(?:(["'])(.*?)\2|([^\s"'>]+)))?""", re.DOTALL
)
BY_HAND = re.compile(
    rf"""<(div|p|li|span|td|dd)\b[^>]*?\bid\s*=\s*["']({HAND_MADE}[^"']+)["'][^>]*>""",
    re.IGNORECASE,
)
VERBATIM = re.compile(r"\s*<(?:pre|script|style|code|textarea)\b", re.IGNORECASE)
UNSAFE = re.compile(r"<(script|iframe|object|embed)\b[^>]*>", re.IGNORECASE)


def rewrite(
    html: str,
    origin: SourceMap,
    start: int,
    assets: Assets,
    citations: Citations,
    expression: Callable[[str, SourceMap, int], str],
) -> str:
    """Raw HTML as the site needs it; `start` is its offset in `origin`.

    Scripts and frames get a warning: the page's security policy will not run them.
    """
    edits = []
    for found in UNSAFE.finditer(html):
        if 'type="application/json"' not in found[0]:
            sentence = f"<{found[1].lower()}> will not run: the page allows its own scripts alone"
            assets.context.warn(origin.at(start + found.start()), sentence)
    for found in IMG.finditer(html):
        attributes = _attributes(found[1].rstrip("/"))
        address, alt = attributes.pop("src", ""), attributes.pop("alt", None)
        place = origin.at(start + found.start())
        edits.append((found.span(), assets.picture(address, alt, place, attributes)))
    for found in BY_HAND.finditer(html):
        close = html.find(f"</{found[1]}>", found.end())
        at = close if close >= 0 else len(html.rstrip())
        links = citations.back_links_by_hand(found[2], origin.at(start + found.start()))
        edits.append(((at, at), links))
    edits += [
        (found.span(), expression(found[1], origin, start + found.start()))
        for found in EXPRESSION.finditer("" if VERBATIM.match(html) else html)
    ]
    for (first, last), text in sorted(edits, reverse=True):
        html = html[:first] + text + html[last:]
    return html


def _attributes(tag: str) -> dict[str, str]:
    """The attributes of an <img>; a width or height not in pixels becomes a style, as HTML asks."""
    found = {name.lower(): unescape(a or b) for name, _, a, b in ATTRIBUTE.findall(tag)}
    for name in ("width", "height"):
        if not found.get(name, "0").isdigit():
            style = f"{name}: {found.pop(name)}; {found.get('style', '')}"
            found["style"] = style.rstrip("; ")
    return found
