"""Raw HTML of a post: its pictures are found, its hand-made references get ways back."""

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


def attributes_of(text: str) -> dict[str, str]:
    """Read the attributes of a tag; one without a value is empty."""
    return {
        found[1].lower(): unescape(next((v for v in found.groups()[1:] if v is not None), ""))
        for found in ATTRIBUTE.finditer(text)
    }


def rewrite(
    html: str,
    origin: SourceMap,
    start: int,
    assets: Assets,
    citations: Citations,
    expression: Callable[[str, SourceMap, int], str],
) -> str:
    """Give raw HTML as the site needs it; `start` is its offset in `origin`."""
    edits = [*_pictures(html, origin, start, assets), *_anchors(html, origin, start, citations)]
    if not VERBATIM.match(html):
        edits += [
            (found.start(), found.end(), expression(found[1], origin, start + found.start()))
            for found in EXPRESSION.finditer(html)
        ]
    for first, last, text in sorted(edits, reverse=True):
        html = html[:first] + text + html[last:]
    return html


Edit = tuple[int, int, str]  # from, to, new text


def _pictures(html: str, origin: SourceMap, start: int, assets: Assets) -> list[Edit]:
    edits = []
    for found in IMG.finditer(html):
        attributes = attributes_of(found[1].rstrip("/"))
        address, alt = attributes.pop("src", ""), attributes.pop("alt", None)
        place = origin.at(start + found.start())
        tag = assets.picture(address, alt, place, _valid(attributes))
        edits.append((found.start(), found.end(), tag))
    return edits


def _valid(attributes: dict[str, str]) -> dict[str, str]:
    """Turn a width or height that is no count of pixels into a style, as HTML asks."""
    kept = dict(attributes)
    for name in ("width", "height"):
        value = kept.get(name, "0")
        if not value.isdigit():
            style = kept.get("style", "")
            kept["style"] = f"{name}: {kept.pop(name)}; {style}".rstrip("; ")
    return kept


def _anchors(html: str, origin: SourceMap, start: int, citations: Citations) -> list[Edit]:
    edits = []
    for found in BY_HAND.finditer(html):
        mark = citations.anchor_by_hand(found[2], origin.at(start + found.start()))
        close = html.find(f"</{found[1]}>", found.end())
        at = close if close >= 0 else len(html.rstrip())
        edits.append((at, at, mark))
    return edits


def warn_of_unsafe(html: str, origin: SourceMap, start: int, context: PageContext) -> None:
    """Warn of scripts and frames in raw HTML: the page's security policy will not run them."""
    for found in re.finditer(r"<(script|iframe|object|embed)\b[^>]*>", html, re.IGNORECASE):
        if 'type="application/json"' not in found[0]:
            sentence = f"<{found[1].lower()}> will not run: the page allows its own scripts alone"
            context.warn(origin.at(start + found.start()), sentence)
