"""Writes the tokens of one post as HTML; each method is named after the token that it writes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from urllib.parse import quote

from markdown_it.token import Token
from markupsafe import Markup

from press.cache import Cache
from press.diagnostics import Place, SourceMap
from press.errors import nearest
from press.markdown.assets import Assets
from press.markdown.citations import HAND_MADE, Citations
from press.markdown.code import fence
from press.markdown.cross_references import CrossReferences
from press.markdown.expressions import Expressions
from press.markdown.links import address_of
from press.markdown.math import Maths
from press.markdown.parser import parse_line, render
from press.markdown.passes import plain_text, slug
from press.markdown.post import Post
from press.markdown.raw_html import rewrite, warn_of_unsafe
from press.markdown.typed_in_post import formula_origin, is_formula
from press.page import Directive, PageContext


@dataclass(frozen=True)
class Heading:
    """An entry of the table of contents."""

    id: str
    html: Markup
    level: int


@dataclass
class Writer:
    """One post while it is written."""

    post: Post
    context: PageContext
    cache: Cache
    maths: Maths
    citations: Citations
    crossrefs: CrossReferences
    expressions: Expressions
    assets: Assets
    toc: list[Heading] = field(default_factory=list)
    _heading: str = ""

    @property
    def path(self) -> str:
        """Give the post's path as messages name it."""
        return str(self.post.file)

    def error(self, line: int, column: int, sentence: str) -> None:
        """Tell a mistake at a line and a column that are counted from 0."""
        self.context.error(Place(self.path, line + 1, column + 1), sentence)

    def place(self, token: Token) -> Place:
        """Give where an inline token stands."""
        origin: SourceMap | None = token.meta.get("origin")
        line = token.map[0] + 1 if token.map else 1
        return origin.at(token.meta.get("start", 0)) if origin else Place(self.path, line, 1)

    def inline(self, tokens: Sequence[Token], without: tuple[str, ...] = ()) -> Markup:
        """Write inline tokens, those of some types left out."""
        return Markup(render([token for token in tokens if token.type not in without], self))

    def plain(self, tokens: Sequence[Token]) -> str:
        """Give the text of inline tokens without markup, expressions worked out."""
        worked_out = [
            Token("text", "", 0, content=Markup(self.expression(token)).striptags())
            if token.type == "expression"
            else token
            for token in tokens
        ]
        return plain_text(worked_out)

    def heading_open(self, token: Token) -> str:
        """Write the start of a heading, with an id of its own."""
        children = token.meta.get("children", [])
        given = str(token.attrs.get("id", ""))
        self._heading = self.crossrefs.new_id(given or slug(plain_text(children)), bool(given))
        left_out = ("link_open", "link_close", "footnote_ref", "citation", "html_inline", "image")
        html = self.inline(children, left_out)
        self.crossrefs.name(self._heading, html)
        level = int(token.tag[1])
        if level == 1:
            self.context.warn(self.place(token), "a second heading of the first level")
        if 2 <= level <= 3:
            self.toc.append(Heading(self._heading, html, level))
        return f'<{token.tag} id="{escape(self._heading)}">'

    def heading_close(self, token: Token) -> str:
        """Write the end of a heading, with a link to itself."""
        label = "Link to this section"
        link = f'<a class="anchor" href="#{quote(self._heading)}" aria-label="{label}">#</a>'
        return f" {link}</{token.tag}>\n"

    def formula(self, token: Token) -> str:
        """Write a formula within a line."""
        meta = token.meta
        return self.maths.html(token.content, meta["display"], meta["origin"], meta["start"])

    def formula_block(self, token: Token) -> str:
        """Write a formula on lines of its own; one with a label has a number."""
        html = self.maths.html(token.content, True, token.meta["origin"], token.meta["start"])
        if not token.info:
            return f'<div class="equation">{html}</div>\n'
        number = self.crossrefs.number("equation", token.info, self.place(token))
        mark = f'<span class="equation-number">({number})</span>'
        return f'<div class="equation numbered" id="{escape(token.info)}">{html}{mark}</div>\n'

    def expression(self, token: Token) -> str:
        """Write what an expression comes to."""
        return self.expressions.html(token.content, token.meta["origin"], token.meta["start"])

    def citation(self, token: Token) -> str:
        """Write a citation."""
        return self.citations.html(token.content, token.meta["origin"], token.meta["start"])

    def reference(self, token: Token) -> str:
        """Write a reference to a numbered thing or a section."""
        return self.crossrefs.html(str(token.attrs["href"])[1:], self.place(token))

    def nothing(self, _token: Token) -> str:
        """Write nothing."""
        return ""

    def fence(self, token: Token) -> str:
        """Write a block of code, or a formula written as one."""
        line = token.map[0] if token.map else 0
        if is_formula(token):
            origin = formula_origin(token, self.path)
            html = self.maths.html(origin.text, True, origin, 0)
            return f'<div class="equation">{html}</div>\n'
        column = len(token.markup) + 1
        place = Place(self.path, line + 1, column)
        return fence(token.content, token.info, self.cache, self.context, place)

    def html_inline(self, token: Token) -> str:
        """Write raw HTML within a line."""
        return self._raw(token, token.meta["origin"], token.meta["start"])

    def html_block(self, token: Token) -> str:
        """Write raw HTML on lines of its own."""
        first = token.map[0] if token.map else 0
        count = token.content.count("\n") + 1
        starts = tuple((first + 1 + number, 1) for number in range(count))
        return self._raw(token, SourceMap(self.path, token.content, starts), 0)

    def _raw(self, token: Token, origin: SourceMap, start: int) -> str:
        warn_of_unsafe(token.content, origin, start, self.context)
        return rewrite(
            token.content, origin, start, self.assets, self.citations, self.expressions.html
        )

    def image(self, token: Token) -> str:
        """Write a picture."""
        attributes = {name: str(value) for name, value in token.attrs.items()}
        address = attributes.pop("src")
        attributes.pop("alt", None)
        attributes.pop("title", None)
        alt = plain_text(token.children or [])
        return self.assets.picture(address, alt, self.place(token), attributes)

    def figure(self, token: Token) -> str:
        """Write a picture that is alone in its paragraph, with number and caption if it has one."""
        image = next(child for child in token.children or [] if child.type == "image")
        caption = str(image.attrs.pop("title", ""))
        id = str(image.attrs.pop("id", ""))
        kind = str(image.attrs.pop("class", ""))
        start = f'<figure class="{escape(f"picture {kind}".strip())}"'
        if not caption and not id:
            return f"{start}>{self.image(image)}</figure>\n"
        number = self.crossrefs.number("figure", id or None, self.place(image))
        text = self._caption(image, caption)
        words = f'<figcaption><span class="number">Figure {number}.</span> {text}'
        named = f' id="{escape(id)}"' if id else ""
        return f"{start}{named}>{self.image(image)}{words}</figcaption></figure>\n"

    def _caption(self, image: Token, text: str) -> Markup:
        """Write a picture's caption, which is Markdown too."""
        origin: SourceMap = image.meta["origin"]
        place = origin.at(max(origin.text.find(text), 0))
        found = SourceMap(self.path, text, ((place.line, place.column),))
        return self.inline(parse_line(text, found, self))

    def table_open(self, token: Token) -> str:
        """Write the start of a table, with its caption if it has one."""
        scroll = '<div class="table-scroll" role="region" aria-label="Table" tabindex="0">'
        if "caption" not in token.meta:
            return f"{scroll}<table>\n"
        id = str(token.attrs.get("id", ""))
        number = self.crossrefs.number("table", id or None, self.place(token))
        words = f'<span class="number">Table {number}.</span> {self.inline(token.meta["caption"])}'
        named = f' id="{escape(id)}"' if id else ""
        return f"{scroll}<table{named}>\n<caption>{words}</caption>\n"

    def table_close(self, _token: Token) -> str:
        """Write the end of a table."""
        return "</table></div>\n"

    def link_open(self, token: Token) -> str:
        """Write the start of a link, led to where the site has what it names."""
        href = str(token.attrs["href"])
        attributes = {name: str(value) for name, value in token.attrs.items()}
        if href.startswith(f"#{HAND_MADE}"):
            attributes |= {"id": self.citations.link_by_hand(href[1:]), "class": "citation"}
        if href.startswith("#"):
            self.crossrefs.link(href[1:], self.place(token))
        else:
            attributes["href"] = address_of(href, self.place(token), self.assets, self.context)
        written = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
        return f"<a {written}>"

    def call(self, token: Token, body: str) -> str:
        """Write a block, made by the function of its name."""
        from press.blocks.text import all_blocks, made

        blocks = all_blocks()
        line, column = token.meta["at"]
        place = Place(self.path, line + 1, column + 1)
        if token.info not in blocks:
            self.context.error(place, f"unknown block '{token.info}'{nearest(token.info, blocks)}")
            return ""
        places = {
            name: Place(self.path, row + 1, at + 1)
            for name, (row, at) in token.meta["places"].items()
        }
        block = Directive(token.info, token.meta["arguments"], Markup(body), place, places)
        return made(block, self.context)

    def typed(self, place: Place, sentence: str) -> None:
        """Tell of a result typed by hand: an error of `check` in a post with front matter."""
        self.context.warn(place, sentence, self.post.has_front_matter, "typed-result")
