"""A post's page: the article, its summary for the rest of the site, and how to cite it."""

from types import SimpleNamespace

from press.blocks.images import thumbnail
from press.markdown.citations import load_bibliography
from press.markdown.post import Post
from press.page import PageContext
from press.pages.article import Article, write_article
from press.pages.site_pages import Site, Summary
from press.pages.social_card import pictures_of, social_card
from press.pages.templates import Templates, Theme, maths_theme
from press.results.errata import errata

TEX_LETTERS = {ord(letter): f"\\{letter}" for letter in "&%$#_{}"}
TEX_LETTERS |= str.maketrans({"\\": "\\textbackslash{}", "^": "\\^{}", "~": "\\~{}"})


def post_page(post: Post, context: PageContext, templates: Templates) -> str:
    """Make a post's page; its summary and the works it cites are remembered in the context."""
    site = templates.site
    context.note(post.file)
    entries = load_bibliography(context.content_dir / "references.bib", context)
    article = write_article(post, context, entries, site.checks, site.macros)
    summary = _summary(post, article, context, site)
    maths = maths_theme() if article.has_formulas else Theme()
    card = social_card(post, article.title, context, bool(site.base_url))
    page = SimpleNamespace(
        **{**vars(article), **vars(summary)}, card=card,
        errata=errata(context.results, post.date) if post.date else [],
        persons=[name for name in summary.authors if not is_group(name)],
        bibtex=bibtex_of(summary, site) if post.date else "",
    )  # fmt: skip
    cited = [reference.key for reference in article.references]
    context.meta |= {"summary": summary.to_dict(), "cited": cited, "math": article.has_formulas}
    return context.render("post.html", page=page, maths=maths)


def _summary(post: Post, article: Article, context: PageContext, site: Site) -> Summary:
    return Summary(
        post.url, str(post.file), article.title, article.title_html, post.date,
        post.authors or (site.authors if post.has_front_matter else ()), article.summary,
        article.summary_html, post.draft, article.status, post.order,
        _small_pictures(post, article.title, context),
    )  # fmt: skip


def _small_pictures(post: Post, title: str, context: PageContext) -> tuple[str, ...]:
    """The pictures that stand for a post, as the front page shows them beside its answer."""
    paths, words = pictures_of(post, title, context)
    found = [thumbnail(context, path, words if path is paths[-1] else "") for path in paths]
    return tuple(str(one).replace(f'"{context.root}', '"') for one in found)


def is_group(name: str) -> bool:
    """Whether an author is a group, such as "The authors", and no person."""
    return name.startswith("The ")


def bibtex_of(post: Summary, site: Site) -> str:
    """The BibTeX entry by which a post can be cited."""
    name = (post.authors[0].split()[-1] if post.authors else "anonymous").lower()
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
    key = "".join(letter for letter in f"{name}{year}" if letter.isalnum())
    return "\n".join([f"@misc{{{key},", *rows, "}"])


def _bibtex_name(name: str) -> str:
    """A name for TeX; one of a single word, or of a group, stays in one piece."""
    whole = " " not in name or is_group(name)
    return f"{{{_bibtex_text(name)}}}" if whole else _bibtex_text(name)


def _bibtex_text(text: str) -> str:
    """A text written so that TeX prints every letter of it."""
    return text.translate(TEX_LETTERS)
