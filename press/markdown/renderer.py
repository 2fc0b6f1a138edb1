"""The tokens of one post as HTML: `render_heading_open` renders the token `heading_open`.

What has no method here is rendered by markdown-it's own rules.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import quote, unquote

from markdown_it.token import Token
from markupsafe import Markup

from press.diagnostics import Place, SourceMap
from press.errors import InputError
from press.markdown.assets import OUTSIDE, Assets, tag
from press.markdown.citations import Citations
from press.markdown.code import fence
from press.markdown.expressions import Expressions
from press.markdown.math import Maths, is_displayed, is_formula
from press.markdown.parser import parser
from press.markdown.passes import CrossReferences, place_of, plain_text, text_token
from press.markdown.raw_html import INLINE, VOID
from press.markdown.syntax import EXPRESSION
from press.markdown.table_data import data_links
from press.page import Blocks, Directive, PageContext

TAGS = {  # of tokens that are always the same
    "footnote_block_open": '<hr class="footnotes-sep">\n'
    '<div class="footnotes" role="doc-endnotes" aria-label="Footnotes">\n'
    '<ol class="footnotes-list">\n',
    "footnote_block_close": "</ol>\n</div>\n",
}
ADDRESSES = ("href", "poster", "src", "srcset", "xlink:href")
CANDIDATE = re.compile(r"([^\s,]\S*[^\s,])((?:\s+[^\s,]+)?\s*(?:,|$))")  # of a srcset
LINKS = ("a", "area")  # all else shows or loads what it names
WILL_NOT_RUN = ("embed", "iframe", "object", "script")
LINK = re.compile(r'<(/?)a\b( class="[^"]*")?[^>]*>')
PLAIN = "a title, a summary and the text of a picture hold no {}"
SCROLL = '<div class="table-scroll" role="region" aria-label="{}" tabindex="0">'


@dataclass(frozen=True)
class Heading:
    """An entry of the table of contents."""

    id: str
    html: Markup
    level: int


@dataclass
class PostRenderer:
    """Renders the tokens of a post, once its passes have numbered them."""

    path: str  # of the post, as messages name it
    context: PageContext
    maths: Maths
    citations: Citations
    crossrefs: CrossReferences
    expressions: Expressions
    assets: Assets
    blocks: Blocks
    toc: list[Heading] = field(default_factory=list)
    _heading: str = ""
    _is_in_link: bool = False  # which holds no link of its own

    def render(self, tokens: Sequence[Token]) -> Markup:
        """Render block or inline tokens; a directive, or a table, after what stands in it."""
        opened: list[Token] = []
        parts: list[list[str]] = [[]]  # of the text, then of each directive or table that is open
        was_in_link = self._is_in_link
        for index, token in enumerate(tokens):
            if token.type in ("directive_open", "table_open"):
                opened.append(token)
                parts.append([])
            elif token.type in ("directive_close", "table_close"):
                body, start = Markup("".join(parts.pop())), opened.pop()
                whole = self.render_table if token.tag == "table" else self.render_directive
                parts[-1].append(whole(start, body))
            else:
                parts[-1].append(self._rendered(tokens, index))
        self._is_in_link = was_in_link  # whatever raw HTML left open
        return Markup("".join(parts[0]))

    def _rendered(self, tokens: Sequence[Token], index: int) -> str:
        token = tokens[index]
        if token.type in TAGS:
            return TAGS[token.type]
        if method := getattr(self, f"render_{token.type}", None):
            return str(method(token))
        html: Any = parser().renderer
        render = html.rules.get(token.type, html.renderToken)
        return str(render(tokens, index, parser().options, {}))

    def plain(self, tokens: Sequence[Token]) -> str:
        """The text of inline tokens without markup, expressions worked out; tells what it lacks."""
        words = list(tokens)
        for index, token in enumerate(tokens):
            if token.type in ("expression", "comparison"):
                words[index] = text_token(_without_tags(self.render_expression(token)))
            elif token.type == "reference":
                id = self._wanted(token)
                section = plain_text(self.crossrefs.sections.get(id, [text_token(id)]))
                words[index] = text_token(self.crossrefs.labels.get(id, section))
            elif token.type == "image":
                words[index] = text_token(self.plain(token.children or []))
            elif token.type == "citation":
                self.context.warn(place_of(token), PLAIN.format("citation"))
            elif token.type == "footnote_ref":  # whose note would lead back to nothing
                self.context.error(place_of(token), PLAIN.format("note"))
        return plain_text(words)

    def render_inline(self, token: Token) -> str:
        """The text of a paragraph, a heading or a cell."""
        return self.render(token.children or [])

    def name(self, words: Sequence[Token]) -> Markup:
        """The words of a title or a section as a link shows them: on one line, without links."""
        self._is_in_link, outer = True, self._is_in_link
        html = self.render(words)
        self._is_in_link = outer
        return Markup(" ".join(html.split()))

    def render_heading_open(self, token: Token) -> str:
        """The start of a heading, which becomes an entry of the table of contents."""
        self._heading = str(token.attrs["id"])
        level = int(token.tag[1])
        if level == 1:
            self.context.warn(place_of(token), "a second heading of the first level")
        if 2 <= level <= 3:
            self.toc.append(Heading(self._heading, self._section_name(self._heading), level))
        return f'<{token.tag} id="{escape(self._heading)}">'

    def render_heading_close(self, token: Token) -> str:
        """The end of a heading, with a link to itself."""
        label = "Link to this section"
        link = f'<a class="anchor" href="#{quote(self._heading)}" aria-label="{label}">#</a>'
        return f" {link}</{token.tag}>\n"

    def render_formula(self, token: Token) -> str:
        """A formula within a paragraph."""
        meta = token.meta
        return self.maths.html(token.content, is_displayed(token), meta["origin"], meta["start"])

    def render_formula_block(self, token: Token) -> str:
        """A formula on lines of its own; one with a label has a number."""
        html = self.maths.html(token.content, True, token.meta["origin"], token.meta["start"])
        if not token.info:
            return f'<div class="equation">{html}</div>\n' if html else ""
        mark = f'<span class="equation-number">({token.meta["number"]})</span>'
        return f'<div class="equation numbered" id="{escape(token.info)}">{html}{mark}</div>\n'

    def render_expression(self, token: Token) -> str:
        """What an expression comes to."""
        start = token.meta["start"] - len(token.markup)  # of the braces
        html = self.expressions.html(token.content, token.meta["origin"], start)
        return LINK.sub(r"<\1span\2>", html) if self._is_in_link else html

    render_comparison = render_expression

    def render_citation(self, token: Token) -> str:
        """A citation, linked to the list of references."""
        return token.content

    def render_reference(self, token: Token) -> str:
        """A reference to a numbered thing or a section, with its name."""
        id = self._wanted(token)
        name = self.crossrefs.labels.get(id) or self._section_name(id)
        if self._is_in_link:
            return name
        return f'<a class="reference" href="#{escape(id)}">{name}</a>'

    def _wanted(self, token: Token) -> str:
        """The id that a reference names, noted with its place as one that the page is to have."""
        id = unquote(token.content)
        self.crossrefs.wanted.append((id, place_of(token)))
        return id

    def _section_name(self, id: str) -> Markup:
        """The words of the heading that has an id, as HTML; the id itself if there is none."""
        words = self.crossrefs.sections.get(id) or [text_token(id)]
        return self.name(words)

    def render_fence(self, token: Token) -> str:
        """A block of code, or a formula written as one."""
        if is_formula(token):
            origin = token.meta["origin"]
            html = self.maths.html(origin.text, True, origin, 0)
            return f'<div class="equation">{html}</div>\n' if html else ""
        place = Place(self.path, token.map[0] + 1 if token.map else 1, token.meta["behind"] + 1)
        return fence(token.content, token.info, self.context, place)

    def render_html_block(self, token: Token) -> str:
        """Raw HTML on lines of its own."""
        return self.render(token.children or [])

    def render_html_inline(self, token: Token) -> str:
        """A tag or comment of raw HTML; one that needs no change stays as it was written.

        Scripts and frames get a warning: the page's security policy will not run them.
        """
        given: dict[str, str] = token.meta.get("attributes", {})
        if token.tag == "a":
            self._is_in_link = token.nesting > 0 and "href" in given
        if token.nesting < 0 or not token.tag:
            return token.content
        self._warn(token, given)
        attributes = {name: self._attribute(token, name, text) for name, text in given.items()}
        if token.tag == "script":  # a file of the site that it names would run
            attributes = {name: attributes[name] for name in given if name not in ADDRESSES}
        if token.tag == "img":
            address, alt = attributes.pop("src", ""), attributes.pop("alt", None)
            return self.assets.picture(address, alt, place_of(token), sized(attributes))
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
            self.context.warn(place_of(token), sentence)

    def _attribute(self, token: Token, name: str, text: str) -> str:
        """An attribute, its expressions worked out, its addresses led."""
        place = place_of(token)
        if "{{" in text:
            start = token.meta["start"] + max(token.content.find(text), 0)
            text = self._filled_in(text, token.meta["origin"].at(start))
        if name == "srcset":
            return CANDIDATE.sub(lambda one: self._led_in(token, one[1], place) + one[2], text)
        # A picture's address is led where it is measured; a script's would let it run.
        is_led = name in ADDRESSES and (token.tag, name) not in (("img", "src"), ("script", "src"))
        return self._led_in(token, text, place) if is_led else text

    def _led_in(self, token: Token, address: str, place: Place) -> str:
        is_shown = token.tag not in (*LINKS, *WILL_NOT_RUN)
        if is_shown and OUTSIDE.match(address) and not address.startswith("data:"):
            sentence = f"'{address}' is not on this site: the page will not load it"
            self.context.warn(place, sentence)
        return self._led(address, place)

    def render_html_text(self, token: Token) -> str:
        """Text of raw HTML in which nothing counts as markup."""
        if token.info:
            sentence = f"a formula within <{token.info}> stays as it is"
            self.context.warn(place_of(token), sentence)
        return token.markup

    def render_back_links(self, token: Token) -> str:
        """The links from a reference made by hand back to where it is cited."""
        return self.citations.back_links_by_hand(token.content, place_of(token))

    def render_image(self, token: Token) -> str:
        """A picture."""
        attributes = {name: str(value) for name, value in token.attrs.items() if name != "alt"}
        alt = self.plain(token.children or [])
        for one in token.children or []:
            if one.type == "html_inline":
                sentence = f"'{one.content}' is left out of a picture's text"
                self.context.warn(place_of(one), f"{sentence}; a mere < is written \\<")
        address = attributes.pop("src")
        return self.assets.picture(address, alt, place_of(token), sized(attributes))

    def render_figure(self, token: Token) -> str:
        """A picture that is alone in its paragraph, with number and caption if it has one."""
        number = token.meta.get("number", 0)
        caption = self.render(token.meta.get("caption", ()))
        html = self.context.render(
            "blocks/figure.html",
            content=self.render(token.children or []),
            kind="figure" if number else "picture",
            number=number,
            caption=Markup("<p>{}</p>").format(caption),
            id=str(token.attrs["id"]),
            width=str(token.attrs["class"]) or ("text" if number else ""),
            note="",
            runs=(),
            data=(),
        )
        return f"{html}\n"

    def render_table(self, token: Token, rows: Markup) -> str:
        """A table; one with a caption has a number, and its data beside the page."""
        table, label = f"<table>\n{rows}</table>", "Table"
        if "caption" in token.meta:
            label, id = f"Table {token.meta['number']}", str(token.attrs.get("id", ""))
            named = f' id="{escape(id)}"' if id else ""
            caption = Markup(self.render(token.meta["caption"]))
            data = self._data(token, id, f"{label}. {caption}", table)
            head = f'<caption><span class="number">{label}.</span> {caption}{data}</caption>'
            table = f"<table{named}>\n{head}\n{rows}</table>"
        return f"{SCROLL.format(label)}{table}</div>\n"

    def _data(self, token: Token, id: str, title: str, table: str) -> str:
        """The link to a table's data; none of a table that is a head alone."""
        try:
            kind = f"table-{token.meta['number']}"
            links = data_links(self.context, id, kind, (title,), table)
        except InputError as error:
            self.context.error(place_of(token), error.sentence)
            links = []
        named = (f'<a href="{escape(url)}">{words}</a>' for words, url in links)
        return "".join(f' <span class="data">Data: {one}</span>' for one in named)

    def render_link_open(self, token: Token) -> str:
        """The start of a link, led to where the site has what it names."""
        attributes = {name: str(value) for name, value in token.attrs.items()}
        attributes["href"] = self._led(attributes["href"], place_of(token))
        self._is_in_link = True
        return tag("a", attributes)

    def render_link_close(self, token: Token) -> str:
        """The end of a link."""
        self._is_in_link = False
        return f"</{token.tag}>"

    def _led(self, href: str, place: Place) -> str:
        """Where an address leads: within the page, on the site, or elsewhere."""
        if not href.startswith("#"):
            return self.assets.address(href, place)
        self.crossrefs.wanted.append((unquote(href[1:]), place))
        return href

    def render_footnote_ref(self, token: Token) -> str:
        """The number of a footnote, raised; those of citations stand in brackets."""
        number, again = token.meta["id"] + 1, token.meta.get("subId", -1)
        id = f"fnref{number}:{again}" if again > 0 else f"fnref{number}"
        return f'<sup class="footnote-ref"><a href="#fn{number}" id="{id}">{number}</a></sup>'

    def render_footnote_anchor(self, token: Token) -> str:
        """The link from a footnote back to where it is referred to."""
        number, again = token.meta["id"] + 1, token.meta["subId"]
        target = f"fnref{number}:{again}" if again > 0 else f"fnref{number}"
        label = f"Back to footnote {number}"
        return f' <a href="#{target}" class="footnote-backref" aria-label="{label}">↩\ufe0e</a>'

    def render_directive(self, token: Token, body: Markup) -> str:
        """A block of the site, which gets the body as HTML."""
        arguments, places = token.meta["arguments"], token.meta["places"]
        prose, number = self.blocks.prose_arguments(token.info), token.meta.get("number", 0)
        arguments = {
            name: self._filled_in(text, places[name]) if name in prose else text
            for name, text in arguments.items()
        }
        directive = Directive(token.info, arguments, body, place_of(token), places, number)
        return self.blocks.render(directive, self.context)

    def _filled_in(self, text: str, place: Place) -> str:
        """A text that is no Markdown, its expressions worked out."""
        origin = SourceMap.of_lines(place.path, text, place.line, place.column)

        def worked_out(braces: re.Match[str]) -> str:
            return _without_tags(self.expressions.html(braces[1], origin, braces.start()))

        return EXPRESSION.sub(worked_out, text)


def _without_tags(html: str) -> str:
    """The text of HTML with its spaces as they are: a narrow one keeps "n = 3" in one line."""
    return Markup(re.sub(r"<[^>]*>", "", html)).unescape()


def sized(attributes: dict[str, str]) -> dict[str, str]:
    """The attributes of an <img>; a width or height not in pixels becomes a style, as HTML asks."""
    for name in ("width", "height"):
        if not attributes.get(name, "0").isdecimal():
            style = f"{name}: {attributes.pop(name)}; {attributes.get('style', '')}"
            attributes["style"] = style.rstrip("; ")
    return attributes
