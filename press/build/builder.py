"""One build: gather, make what is stale, then write the site whole or not at all."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from press.build.manifest import PAGE
from press.build.output import Content, Kept
from press.build.state import ChangeDetector, PageState, State, global_inputs, signature
from press.cache import Cache
from press.diagnostics import Message, Place, message_from, message_row
from press.errors import InputError
from press.files import sha256_of
from press.markdown.bibliography import Entry, load_bibliography
from press.markdown.post import Post, list_posts, load_post, url_of
from press.options import Options
from press.page import PageContext, PagePlan
from press.pages.feeds import bibtex_of
from press.pages.site import Site, load_site
from press.pages.site_pages import CommonPages
from press.pages.summaries import Summary
from press.pages.templates import Templates
from press.pages.theme import Theme, first_fonts, load_theme, maths_theme


@dataclass
class Made:
    """A site that is made and not yet written."""

    state: State
    files: dict[str, Content] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    made: list[str] = field(default_factory=list)  # pages that were made anew


class Builder:
    """Makes the pages of one site."""

    def __init__(self, options: Options, changes: ChangeDetector, manifest: PageState) -> None:
        """Read the settings and the theme."""
        self.options, self.changes = options, changes
        self.started_ns = time.time_ns()
        self.cache = Cache(options.cache)
        self.site: Site = load_site(options.content / "site.toml", options.base_url)
        self.theme: Theme = load_theme(options.templates)
        styles, scripts = self.theme.styles, self.theme.scripts
        assets = {"styles": styles, "scripts": scripts, "fonts": [], "has_runs": False}
        compiled = options.cache / "templates"
        self.templates = Templates(options.templates, self.site, assets, compiled)
        self.run_urls: list[str] = []
        self.result = Made(State(options.identity(), global_inputs(options)))
        self.result.state.pages[PAGE] = manifest

    def make(self) -> Made:
        """Make every page that is stale, and take over the others."""
        self._runs()
        summaries = self._posts()
        self._settings()
        common = CommonPages(self.site, self.templates, self._context)
        try:
            self.result.files |= self.theme.files
            posts = [one for one in summaries if one is not None]
            self.result.files |= common.make(posts, self.run_urls, self.result.files)
        except InputError as error:
            self._error(error)
        self._sign()
        return self.result

    def _runs(self) -> None:
        """Make the pages about runs; where all of them are fresh, nothing is read for them."""
        known = self.changes.page("(runs)")
        urls: list[str] = known.meta["urls"] if known else []
        if known and all(self.changes.page(url) for url in urls):
            self.result.state.pages["(runs)"] = known
            for url in urls:
                self._take_over(url)
        else:
            urls = self._make_runs()
        self.run_urls = urls
        self.templates.assets["has_runs"] = bool(urls)

    def _make_runs(self) -> list[str]:
        from press.pages.run_pages import plans

        context = self._context("runs/index.html")
        found: list[PagePlan] = []
        try:
            found = list(plans(context.results))
        except InputError as error:
            self._error(error)
        self.templates.assets["has_runs"] = bool(found)
        if bool(found) != self.changes.had_runs():  # every page's head links to them
            self.changes.invalidate_all()
        urls = [plan.url for plan in found]
        inputs = [str(path) for path in context.inputs]
        self.result.state.pages["(runs)"] = PageState(inputs, {}, [], {"urls": urls})
        for plan in found:
            if not self._take_over(plan.url):
                self._make_page(plan.url, plan.url, _maker(plan))
        return urls

    def _posts(self) -> list[Summary | None]:
        """Make the posts' pages; a fresh one is not even read."""
        folder = str(self.options.content / "posts")
        self.result.state.pages["(posts)"] = PageState([folder], {}, [])
        sources: dict[str, Path] = {}
        for path in list_posts(self.options.content):
            url = url_of(path)
            if url in sources:
                self._error(InputError(f"its page would be that of '{sources[url]}' too", path))
                continue
            sources[url] = path
            if not self._take_over(url, str(path)):
                self._make_post(path)
        return [self._summary(url) for url in sources]

    def _make_post(self, path: Path) -> None:
        try:
            post = load_post(path)
        except InputError as error:
            self._error(error)
            return
        if self.options.drafts or not post.draft:
            self._make_page(post.url, str(path), self._post_maker(post))
        else:
            self.result.state.pages[f"(draft) {path}"] = PageState([str(path)], {}, [])

    def _settings(self) -> None:
        """Search what the settings say in words, unless they are as they were."""
        from press.checks.typed_in_settings import settings_state

        known = self.changes.page("(settings)")
        self._remember("(settings)", known or settings_state(self.options.content))

    def _error(self, error: InputError) -> None:
        known = error.path is not None and error.line is not None
        place = Place(str(error.path), error.line or 1, error.column or 1) if known else None
        sentence = error.sentence if known else str(error)
        self.result.messages.append(Message(place, sentence, is_error=True))

    def _context(self, url: str) -> PageContext:
        options = self.options
        return PageContext(
            url, options.results, options.content, options.cache, self.templates.render
        )

    def _take_over(self, url: str, source: str | None = None) -> bool:
        """Keep a page of the last build if it is fresh."""
        page = self.changes.page(url)
        if page is None or source not in (None, page.meta.get("source")):
            return False
        self.result.files |= {name: Kept(sha256) for name, sha256 in page.outputs.items()}
        self._remember(url, page)
        return True

    def _remember(self, url: str, page: PageState) -> None:
        self.result.state.pages[url] = page
        self.result.messages += [message_from(row) for row in page.messages]

    def _make_page(
        self, url: str, source: str, make: Callable[[PageContext], tuple[str, dict[str, Any]]]
    ) -> None:
        context = self._context(url)
        self.result.made.append(url)
        try:
            html, meta = make(context)
            files: dict[str, Content] = {**context.copies, **context.written, url: html.encode()}
        except InputError as error:
            self._error(error)
            files, meta = {}, {}
        self.result.files |= files
        page = PageState(
            [str(path) for path in context.inputs],
            {name: _hash(content) for name, content in files.items()},
            [message_row(message) for message in context.messages],
            {"source": source, **meta},
            list(context.missing_runs),
            self.changes.changes(url, [str(path) for path in context.inputs]),
        )
        self._remember(url, page)

    def _post_maker(self, post: Post) -> Callable[[PageContext], tuple[str, dict[str, Any]]]:
        def make(context: PageContext) -> tuple[str, dict[str, Any]]:
            from press.markdown.assets import Assets
            from press.pages.article import write_article
            from press.pages.social_card import share_picture

            context.note(post.file)
            article = write_article(post, context, self.cache, self._entries(context))
            authors = post.authors or self.site.authors if post.has_front_matter else post.authors
            summary = Summary(
                post.url, str(post.file), article.title, article.title_html, post.date,
                authors, article.summary, article.summary_html, post.draft, post.aliases,
                post.places["aliases"].line if post.aliases else None,
            )  # fmt: skip
            maths = maths_theme(article.math_classes) if article.math_classes else Theme({}, [], [])
            context.written |= maths.files
            assets = Assets(context, self.cache, post.file.parent)
            share = share_picture(post, article.title, context, assets, bool(self.site.base_url))
            page = SimpleNamespace(
                **summary.__dict__, share=share, path=str(post.file), body=article.body,
                toc=article.toc, references=article.references, math=bool(maths.styles),
                bibtex=bibtex_of(summary, self.site) if post.date else "",
            )  # fmt: skip
            html = self._render(context, "post.html", maths, page=page)
            cited = [reference.key for reference in article.references]
            return html, {"summary": summary.to_dict(), "cited": cited}

        return make

    def _entries(self, context: PageContext) -> dict[str, Entry]:
        return load_bibliography(self.options.content / "references.bib", self.cache, context)

    def _render(self, context: PageContext, template: str, maths: Theme, **values: Any) -> str:
        """Fill a whole page's template; a page with formulas has KaTeX's sheet before ours."""
        assets = self.templates.assets_from(context.root)
        assets["styles"] = [context.root + url for url in maths.styles] + assets["styles"]
        if self.site.base_url:  # from disk a browser refuses to load fonts early
            assets["fonts"] = [context.root + url for url in first_fonts(maths)]
        return self.templates.render(context, template, {"assets": assets, **values})

    def _summary(self, url: str) -> Summary | None:
        page = self.result.state.pages.get(url)
        data = page.meta.get("summary") if page else None
        return Summary.from_dict(data) if data else None

    def _sign(self) -> None:
        """Remember how every input is now; one that changed meanwhile is to count as stale."""
        state = self.result.state
        paths = dict.fromkeys(path for page in state.pages.values() for path in page.inputs)
        old = self.changes.state.signatures if self.changes.state else {}
        for path in [*paths, *state.global_inputs]:
            known = old.get(path)
            if known and self.changes.unchanged([path]):
                state.signatures[path] = known
                continue
            size, changed_ns, digest = signature(path)
            seen = digest if changed_ns < self.started_ns else "changed while it was read"
            state.signatures[path] = (size, changed_ns, seen)


def _maker(plan: PagePlan) -> Callable[[PageContext], tuple[str, dict[str, Any]]]:
    return lambda context: (plan.make(context), {})


def _hash(content: Content) -> str:
    return content.sha256 if isinstance(content, Kept) else sha256_of(content)
