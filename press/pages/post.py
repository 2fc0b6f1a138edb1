"""A post made into its page: the article, what the rest of the site says of it, how to cite it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from unicodedata import normalize

from markdown_it.token import Token
from markupsafe import Markup

from press.blocks.images import thumbnail
from press.blocks.registry import load_blocks
from press.diagnostics import Place, SourceMap
from press.errors import InputError
from press.markdown.assets import Assets
from press.markdown.citations import Citations, Entry, Reference, load_bibliography
from press.markdown.expressions import Expressions
from press.markdown.math import Maths, defining
from press.markdown.numbers_in_post import numbers_in_line, numbers_in_post, numbers_in_script
from press.markdown.parser import parse, parse_line
from press.markdown.passes import NOT_IN_NAME, CrossReferences, resolve, take_title, words_of
from press.markdown.post import Post
from press.markdown.renderer import Heading, PostRenderer
from press.markdown.typed_numbers import Number, NumberSearch
from press.page import PageContext
from press.pages.post_numbers import tell_numbers
from press.pages.site_pages import Site, Summary
from press.pages.social_card import pictures_of, social_card
from press.pages.templates import Templates, Theme, maths_theme
from press.results.errata import errata, newest_run

TEX_LETTERS = {ord(letter): f"\\{letter}" for letter in "&%$#_"}
TEX_LETTERS |= str.maketrans({"\\": "\\textbackslash{}", "^": "\\^{}", "~": "\\~{}"})
# BibTeX counts braces, those behind a backslash too.
TEX_LETTERS |= str.maketrans({"{": "\\textbraceleft{}", "}": "\\textbraceright{}"})


@dataclass(frozen=True)
class Article:
    """What a post's page shows."""

    post: Summary
    body: Markup
    toc: list[Heading]
    references: list[Reference]
    has_formulas: bool


def post_page(post: Post, context: PageContext, templates: Templates) -> str:
    """Make a post's page; its summary and the works it cites are remembered in the context."""
    site = templates.site
    context.note(post.file)
    entries = load_bibliography(context.content_dir / "references.bib", context)
    article = write_article(post, context, entries, site)
    summary = article.post
    maths = maths_theme() if article.has_formulas else Theme()
    page = SimpleNamespace(
        **vars(article), **vars(summary),
        card=social_card(post, summary.title, context, bool(site.base_url)),
        errata=errata(context.results, post.date) if post.date else [],
        newest_run=newest_run(context.results, post.date) if post.date else None,
        persons=[name for name in summary.authors if not is_group(name)],
        bibtex=bibtex_of(summary, site) if post.date else "",
    )  # fmt: skip
    cited = [reference.key for reference in article.references]
    context.meta |= {"summary": summary.to_dict(), "cited": cited, "math": article.has_formulas}
    return context.render("post.html", page=page, maths=maths)


def write_article(
    post: Post, context: PageContext, entries: Mapping[str, Entry], site: Site
) -> Article:
    """Write a post; what is wrong with it goes to the context, with its place."""
    path = str(post.file)
    tokens, errors = parse(post.text, path, entries.keys())
    context.diagnostics += [*post.mistakes, *errors]
    context.is_checked = post.has_front_matter
    blocks = load_blocks(context.content_dir, context)
    search = NumberSearch(context.results.metrics, site.checks)
    numbers = [*numbers_in_post(tokens, path, blocks, search)]
    for script in _scripts(tokens, context):
        numbers += numbers_in_script(script, search)
    maths = Maths(context, site.macros, defining(tokens))
    maths.prepare(tokens)
    heading = take_title(tokens) if post.title is None else None
    citations, crossrefs = Citations(context, entries, maths), CrossReferences(context)
    resolve(tokens, crossrefs, citations, blocks)
    expressions = Expressions(context)
    assets = Assets(context, post.file.parent)
    renderer = PostRenderer(path, context, maths, citations, crossrefs, expressions, assets, blocks)
    if post.title is None:
        title, title_html = _heading_text(heading, post, renderer)
    else:
        title, title_html = _front_text(post.title, "title", post, renderer, search, numbers)
    summary, _ = _front_text(post.summary, "summary", post, renderer, search, numbers)
    status, _ = _front_text(post.status, "status", post, renderer, search, numbers)
    body = renderer.render(tokens)
    references = citations.references()
    crossrefs.check(body)
    tell_numbers(numbers, expressions.written, post, site.checks, summary, body, context)
    authors = post.authors or (site.authors if post.has_front_matter else ())
    line = post.places["aliases"].line if post.aliases else 1
    said = Summary(
        post.url, title, title_html, post.date, authors, summary, post.draft, status, post.order,
        _small_pictures(post, title, context), post.aliases, (path, line),
    )  # fmt: skip
    return Article(said, body, renderer.toc, references, maths.is_used)


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
    return renderer.plain(heading), renderer.name(words_of(heading, renderer.crossrefs.labels))


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
    return renderer.plain(tokens), renderer.name(shown)


def _small_pictures(post: Post, title: str, context: PageContext) -> tuple[str, ...]:
    """The pictures that stand for a post, as the front page shows them beside its answer."""
    paths, words = pictures_of(post, title, context)
    found = [thumbnail(context, path, words if path is paths[-1] else "") for path in paths]
    return tuple(str(one).replace(f'"{context.root}', '"') for one in found)


def is_group(name: str) -> bool:
    """Whether an author is a group, such as "The authors", and no person."""
    return name.startswith("The ")


def bibtex_of(post: Summary, site: Site) -> str:
    """The BibTeX entry by which a post can be cited; its key has the name of the post's file."""
    family, comma, _ = (post.authors[0] if post.authors else "anonymous").partition(",")
    names = family if comma else family.split()[-1], PurePosixPath(post.url).stem
    who, which = (re.sub("[^a-z0-9-]", "", normalize("NFKD", one).lower()) for one in names)
    year = str(post.date.year) if post.date else ""
    fields = {
        "author": " and ".join(map(_bibtex_name, post.authors)),
        "title": f"{{{_bibtex_text(post.title)}}}",
        "year": year,
        "month": f"{post.date:%b}".lower() if post.date else "",
        "howpublished": _bibtex_text(site.title),
        "url": site.full_url(post.url) if site.base_url else "",
    }
    rows = [f"  {key} = {{{value}}}," for key, value in fields.items() if value]
    key = "-".join(filter(None, (f"{who}{year}", which)))
    return "\n".join([f"@misc{{{key},", *rows, "}"])


def _bibtex_name(name: str) -> str:
    """A name for TeX; one of a single word, or of a group, stays in one piece."""
    whole = " " not in name or " and " in name or is_group(name)
    return f"{{{_bibtex_text(name)}}}" if whole else _bibtex_text(name)


def _bibtex_text(text: str) -> str:
    """A text written so that TeX prints every letter of it."""
    return text.translate(TEX_LETTERS)
