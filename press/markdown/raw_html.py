"""Raw HTML of a post: its pictures and expressions are filled in, its references get links back."""

import re
from collections.abc import Callable
from html import unescape

from press.diagnostics import SourceMap
from press.markdown.assets import Assets
from press.markdown.citations import HAND_MADE, Citations
from press.markdown.syntax import EXPRESSION
from press.page import PageContext

IMG = re.compile(r"<img\b((?:[^>\"']|\"[^\"]*\"|'[^']*')*)>", re.IGNORECASE)
ATTRIBUTE = re.compile(r"""([a-zA-Z_:][\w:.-]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
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
    """Raw HTML as the site needs it; `start` is its offset in `origin`."""

    def picture(found: re.Match[str]) -> str:
        attributes = _valid(attributes_of(found[1].rstrip("/")))
        address, alt = attributes.pop("src", ""), attributes.pop("alt", None)
        return assets.picture(address, alt, origin.at(start + found.start()), attributes)

    edits = [(found.span(), picture(found)) for found in IMG.finditer(html)]
    for found in BY_HAND.finditer(html):
        close = html.find(f"</{found[1]}>", found.end())
        at = close if close >= 0 else len(html.rstrip())
        links = citations.back_links_by_hand(found[2], origin.at(start + found.start()))
        edits.append(((at, at), links))
    if not VERBATIM.match(html):
        edits += [
            (found.span(), expression(found[1], origin, start + found.start()))
            for found in EXPRESSION.finditer(html)
        ]
    for (first, last), text in sorted(edits, reverse=True):
        html = html[:first] + text + html[last:]
    return html


def attributes_of(text: str) -> dict[str, str]:
    """The attributes of a tag; one without a value is empty."""
    return {
        found[1].lower(): unescape(next((v for v in found.groups()[1:] if v is not None), ""))
        for found in ATTRIBUTE.finditer(text)
    }


def _valid(attributes: dict[str, str]) -> dict[str, str]:
    """Turn a width or height that is no count of pixels into a style, as HTML asks."""
    for name in ("width", "height"):
        if not attributes.get(name, "0").isdigit():
            style = f"{name}: {attributes.pop(name)}; {attributes.get('style', '')}"
            attributes["style"] = style.rstrip("; ")
    return attributes


def warn_of_unsafe(html: str, origin: SourceMap, start: int, context: PageContext) -> None:
    """Warn of scripts and frames in raw HTML: the page's security policy will not run them."""
    for found in UNSAFE.finditer(html):
        if 'type="application/json"' not in found[0]:
            sentence = f"<{found[1].lower()}> will not run: the page allows its own scripts alone"
            context.warn(origin.at(start + found.start()), sentence)
