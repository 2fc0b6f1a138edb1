"""The tags of raw HTML as the site needs them: every address led to where the site has its file."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from markdown_it.token import Token

from press.diagnostics import Place
from press.markdown.assets import OUTSIDE, Assets, tag
from press.markdown.passes import place_of
from press.markdown.raw_html import INLINE, VOID

ADDRESSES = ("href", "poster", "src", "srcset", "xlink:href")
CANDIDATE = re.compile(r"([^\s,]\S*[^\s,])((?:\s+[^\s,]+)?\s*(?:,|$))")  # of a srcset
LINKS = ("a", "area")  # all else shows or loads what it names
WILL_NOT_RUN = ("embed", "iframe", "object", "script")


@dataclass
class HtmlTags:
    """Writes the tags of a post's raw HTML."""

    assets: Assets
    lead: Callable[[str, Place], str]  # where an address leads on the site
    fill: Callable[[str, Place], str]  # a text, its expressions worked out

    def html(self, token: Token) -> str:
        """A tag or comment; one that needs no change stays as it was written.

        Scripts and frames get a warning: the page's security policy will not run them.
        """
        given: dict[str, str] = token.meta.get("attributes", {})
        if token.nesting < 0 or not token.tag:
            return token.content
        self._warn(token, given)
        attributes = {name: self._value(token, name, text) for name, text in given.items()}
        if token.tag == "script":  # a file of the site that it names would run
            attributes = {name: attributes[name] for name in given if name not in ADDRESSES}
        if token.tag == "img":
            address, alt = attributes.pop("src", ""), attributes.pop("alt", None)
            return self.assets.picture(address, alt, place_of(token), _sized(attributes))
        if token.tag == "a" and "name" in attributes:
            attributes.setdefault("id", attributes["name"])
        attributes |= {name: str(value) for name, value in token.attrs.items()}  # what a pass gave
        is_closed = token.content.endswith("/>")  # which a browser ignores but in a drawing
        is_open = is_closed and token.tag in INLINE and token.tag not in VOID
        if attributes == given and not is_open:
            return token.content
        html = tag(token.tag, attributes)
        return f"{html}</{token.tag}>" if is_open else f"{html[:-1]}/>" if is_closed else html

    def _warn(self, token: Token, given: dict[str, str]) -> None:
        """Tell of what the page's policy keeps from running."""
        is_run = token.tag in WILL_NOT_RUN and given.get("type") != "application/json"
        code = [f"<{token.tag}>"] if is_run else [name for name in given if name[:2] == "on"]
        for name in code:
            sentence = f"{name} will not run: the page allows its own scripts alone"
            self.assets.context.warn(place_of(token), sentence)

    def _value(self, token: Token, name: str, text: str) -> str:
        """An attribute, its expressions worked out, its addresses led."""
        place = place_of(token)
        if "{{" in text:
            start = token.meta["start"] + max(token.content.find(text), 0)
            text = self.fill(text, token.meta["origin"].at(start))
        if name == "srcset":
            return CANDIDATE.sub(lambda one: self._led(token, one[1], place) + one[2], text)
        # A picture's address is led where it is measured; a script's would let it run.
        is_led = name in ADDRESSES and (token.tag, name) not in (("img", "src"), ("script", "src"))
        return self._led(token, text, place) if is_led else text

    def _led(self, token: Token, address: str, place: Place) -> str:
        is_shown = token.tag not in (*LINKS, *WILL_NOT_RUN)
        if is_shown and OUTSIDE.match(address) and not address.startswith("data:"):
            sentence = f"'{address}' is not on this site: the page will not load it"
            self.assets.context.warn(place, sentence)
        return self.lead(address, place)


def _sized(attributes: dict[str, str]) -> dict[str, str]:
    """The attributes of an <img>; a width or height not in pixels becomes a style, as HTML asks."""
    for name in ("width", "height"):
        if not attributes.get(name, "0").isdecimal():
            style = f"{name}: {attributes.pop(name)}; {attributes.get('style', '')}"
            attributes["style"] = style.rstrip("; ")
    return attributes
