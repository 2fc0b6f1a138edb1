"""One post made into an article: title, body, table of contents and references."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from markdown_it.token import Token
from markupsafe import Markup

from press.blocks.registry import load_blocks
from press.diagnostics import Place, SourceMap
from press.errors import InputError
from press.markdown.assets import Assets
from press.markdown.citations import Citations, Entry, Reference
from press.markdown.expressions import Expressions
from press.markdown.math import Macros, Maths, defining
from press.markdown.numbers_in_post import numbers_in_line, numbers_in_post
from press.markdown.numbers_in_script import numbers_in_script
from press.markdown.parser import parse, parse_line
from press.markdown.passes import NOT_IN_NAME, CrossReferences, resolve, take_title, words_of
from press.markdown.post import Post
from press.markdown.renderer import Heading, PostRenderer
from press.markdown.typed_numbers import NO_CHECKS, Checks, Number, NumberSearch
from press.page import PageContext
from press.pages.post_numbers import tell_numbers


@dataclass(frozen=True)
class Article:
    """What a post's page shows."""

    title: str
    title_html: Markup
    summary: str
    summary_html: Markup
    status: str
    body: Markup
    toc: list[Heading]
    references: list[Reference]
    has_formulas: bool


def write_article(
    post: Post,
    context: PageContext,
    entries: Mapping[str, Entry],
    checks: Checks = NO_CHECKS,
    macros: Macros = (),
) -> Article:
    """Write a post; what is wrong with it goes to the context, with its place."""
    path = str(post.file)
    tokens, errors = parse(post.text, path, entries.keys())
    context.diagnostics += [*post.mistakes, *errors]
    blocks = load_blocks(context.content_dir, context)
    search = NumberSearch(context.results.metrics, checks)
    numbers = [*numbers_in_post(tokens, path, blocks, search)]
    for script in _scripts(tokens, context):
        numbers += numbers_in_script(script, search)
    maths = Maths(context, macros, defining(tokens))
    heading = take_title(tokens) if post.title is None else None
    citations, crossrefs = Citations(context, entries, maths), CrossReferences(context, path)
    resolve(tokens, crossrefs, citations, blocks)
    expressions = Expressions(context)
    assets = Assets(context, post.file.parent, is_checked=post.has_front_matter)
    renderer = PostRenderer(path, context, maths, citations, crossrefs, expressions, assets, blocks)
    if post.title is None:
        title = _heading_text(heading, post, renderer)
    else:
        title = _front_text(post.title, "title", post, renderer, search, numbers)
    summary = _front_text(post.summary, "summary", post, renderer, search, numbers)
    status, _ = _front_text(post.status, "status", post, renderer, search, numbers)
    body = renderer.render(tokens)
    references = citations.references()
    crossrefs.check(body)
    tell_numbers(numbers, expressions.written, post, checks, summary[0], body, context)
    return Article(*title, *summary, status, body, renderer.toc, references, maths.is_used)


def _scripts(tokens: Sequence[Token], context: PageContext) -> Iterator[Path]:
    """The scripts of a post's plots that are there."""
    for token in tokens:
        if token.type == "directive_open" and (name := token.meta["arguments"].get("script")):
            with suppress(InputError):  # which the block itself tells
                yield context.file(name, context.content_dir)


def _heading_text(
    heading: list[Token] | None, post: Post, renderer: PostRenderer
) -> tuple[str, Markup]:
    """The title that the first heading is, as plain text and as HTML."""
    if heading is None:
        place = Place(renderer.path, 1, 1)
        renderer.context.warn(place, "the post has no title and no heading")
        return post.file.stem, Markup.escape(post.file.stem)
    words = renderer.render(words_of(heading, renderer.crossrefs.labels))
    return renderer.plain(heading), Markup(" ".join(words.split()))


def _front_text(
    text: str,
    key: str,
    post: Post,
    renderer: PostRenderer,
    search: NumberSearch,
    numbers: list[Number],
) -> tuple[str, Markup]:
    """A text of the front matter as plain text and as HTML; its numbers join `numbers`."""
    if not text:
        return "", Markup("")
    place = post.places[key]
    source = SourceMap.of_lines(renderer.path, text, place.line, place.column)
    tokens = parse_line(text, source, renderer.context.diagnostics)
    numbers += numbers_in_line(tokens, source, search)
    shown = [token for token in tokens if token.type not in NOT_IN_NAME]
    return renderer.plain(tokens), renderer.render(shown)
