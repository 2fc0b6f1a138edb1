"""One post made into an article: title, body, table of contents and references."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from markdown_it.token import Token
from markupsafe import Markup

from press.cache import Cache
from press.diagnostics import Place, SourceMap
from press.markdown.assets import Assets
from press.markdown.bibliography import Entry
from press.markdown.citations import Citations, Reference
from press.markdown.cross_references import CrossReferences
from press.markdown.expressions import Expressions
from press.markdown.math import Maths
from press.markdown.parser import parse, parse_line, render
from press.markdown.post import Post
from press.markdown.renderer import Heading, Writer
from press.markdown.typed_in_post import typed_in_post
from press.markdown.typed_results import SENTENCE, typed_results
from press.page import PageContext

NO_MARKUP = ("link_open", "link_close", "citation", "footnote_ref", "image")


@dataclass(frozen=True)
class Article:
    """What a post's page shows."""

    title: str
    title_html: Markup
    summary: str
    summary_html: Markup
    body: Markup
    toc: list[Heading]
    references: list[Reference]
    math_classes: set[str] = field(default_factory=set)


def write_article(
    post: Post, context: PageContext, cache: Cache, entries: Mapping[str, Entry]
) -> Article:
    """Write a post; what is wrong with it goes to the context, with its place."""
    maths = Maths(context, cache)
    writer = Writer(
        post,
        context,
        cache,
        maths,
        Citations(context, entries, maths),
        CrossReferences(context, str(post.file)),
        Expressions(context),
        Assets(context, cache, post.file.parent, post.has_front_matter),
    )
    tokens = parse(post.text, writer)
    for place, number in typed_in_post(tokens, writer.path):
        writer.typed(place, SENTENCE.format(number))
    title, title_html = _title(tokens, writer)
    summary, summary_html = _front_text(post.summary, "summary", writer)
    html = render(tokens, writer)
    references = writer.citations.references()
    html = writer.crossrefs.resolved(writer.citations.with_back_links(html))
    return Article(
        title,
        title_html,
        summary,
        summary_html,
        Markup(html),
        writer.toc,
        references,
        maths.classes,
    )


def _title(tokens: list[Token], writer: Writer) -> tuple[str, Markup]:
    """Give the title: of the front matter, else of the first heading, which leaves the body."""
    post = writer.post
    if post.title is not None:
        return _front_text(post.title, "title", writer)
    for index, token in enumerate(tokens):
        if token.type == "heading_open" and token.level == 0:
            children = token.meta["children"]
            del tokens[index : index + 3]
            return writer.plain(children), _spaced(children, writer)
    writer.context.warn(Place(writer.path, 1, 1), "the post has no title and no heading")
    return post.file.stem, Markup.escape(post.file.stem)


def _spaced(children: list[Token], writer: Writer) -> Markup:
    """Write a heading as a title: raw HTML in it, such as a line break, becomes a space."""
    kept = []
    for token in children:
        if token.type in ("html_inline", "softbreak", "hardbreak"):
            kept.append(Token("text", "", 0, content=" "))
        elif token.type not in NO_MARKUP:
            kept.append(token)
    return Markup(" ".join(render(kept, writer).split()))


def _front_text(text: str, key: str, writer: Writer) -> tuple[str, Markup]:
    """Give a text of the front matter as plain text and as HTML."""
    if not text:
        return "", Markup("")
    place = writer.post.places[key]
    rows = text.count("\n") + 1
    origin = SourceMap(
        writer.path, text, tuple((place.line + n, place.column) for n in range(rows))
    )
    tokens = parse_line(text, origin, writer)
    for offset, number in typed_results(text, False):
        writer.typed(origin.at(offset), SENTENCE.format(number))
    html = writer.inline(tokens, NO_MARKUP)
    return writer.plain(tokens), html
