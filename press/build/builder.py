"""What a build makes, and in what order: `Builder.make`, read from top to bottom.

Beside it: `command.py` (one call), `state.py` (what is stale), `output.py` (writing), `why.py`.
"""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from press.blocks.registry import load_blocks
from press.build.manifest import PAGE
from press.build.output import PRESERVED
from press.build.state import (
    LOADED_NS,
    BuildResult,
    ChangeDetector,
    PageState,
    State,
    Unchanged,
    global_inputs,
    signature,
    size_and_time,
)  # fmt: skip
from press.cache import Cache
from press.charts.plotting import Plotter, colours_of
from press.checks.typed_in_settings import typed_in_settings
from press.diagnostics import Diagnostic, Place
from press.errors import InputError, step
from press.files import sha256_of
from press.markdown.post import deeper_posts, list_posts, load_post, url_of
from press.markdown.typed_numbers import NumberSearch
from press.options import Options
from press.page import PageContext
from press.pages import site_pages
from press.pages.export import URL as EXPORT
from press.pages.export import results_page
from press.pages.post import post_page
from press.pages.run_page import run_pages
from press.pages.site_pages import (
    LOST,
    Summary,
    in_reading_order,
    load_site,
    newest_first,
)
from press.pages.templates import Templates, Theme, load_theme, maths_theme

MakePage = Callable[[PageContext], str]
DEEPER = "this is no post of the site, since posts stand in 'posts' itself and end in '.md'"


class Builder:
    """Makes the outputs of one site."""

    def __init__(
        self, options: Options, changes: ChangeDetector, manifest: PageState, asked_ns: int
    ) -> None:
        """Read the settings and the theme; `asked_ns` is when the manifest was asked for."""
        self.options, self.changes = options, changes
        self.asked_ns, self.started_ns = asked_ns, time.time_ns()
        self.cache = Cache(options.cache)
        self.site = load_site(options.content / "site.toml", options.base_url)
        self.theme = load_theme(options.templates)
        self.templates = Templates(options.templates, self.site, self.theme)
        self.plotter = Plotter(colours_of(self.theme.files[self.theme.styles[0]]))
        self.result = BuildResult(State(options.identity(), global_inputs(options)))
        self.result.state.pages[PAGE] = manifest

    def make(self) -> BuildResult:
        """Every output of the site, in this order; a page whose inputs did not change is kept."""
        gc.set_threshold(50_000, 20, 50)  # most of what a build makes stays: looking costs a fifth
        files = self.result.files
        files |= self.theme.files  # assets/: one style sheet, one script
        run_urls = self._runs()  # runs/: the list, and a page for each recorded run; media/
        if run_urls and not self._keep_page(EXPORT):  # results.json, results.csv, an RO-Crate
            self._make_page(EXPORT, EXPORT, partial(results_page, site=self.site))
        posts = self._posts()  # posts/; media/
        if any(page.meta.get("math") for page in self.result.state.pages.values()):
            files |= maths_theme().files  # assets/: KaTeX's style sheet and fonts
        with self._telling("searching the settings"):
            self._settings()  # no output: results typed in them
        with self._telling("making the site's own pages"):
            front = SimpleNamespace(
                title=self.site.title, summary=self.site.description, url="index.html"
            )
            has_formulas = any('class="katex' in post.title_html for post in posts)
            maths = maths_theme() if has_formulas else Theme()
            files["index.html"] = self._at_root(
                "index.html", page=front, posts=in_reading_order(posts), maths=maths
            )
            files["404.html"] = self._at_root("404.html", page=LOST)
            if self.site.base_url:
                published = [post for post in posts if not post.draft]
                urls = ["index.html", *(post.url for post in published), *run_urls]
                files["feed.xml"] = self._at_root("feed.xml", **site_pages.feed_values(published))
                files["sitemap.xml"] = self._at_root("sitemap.xml", urls=urls)
            taken = [*files, *PRESERVED]
            files |= site_pages.moved_pages(posts, self.site, taken)  # at posts' old addresses
        self._take_fingerprints()
        return self.result

    def close(self) -> None:
        """End the process that draws plots, and close the cache."""
        self.plotter.close()
        self.cache.close()

    def _runs(self) -> list[str]:
        """Make the pages about runs; where all of them are fresh, nothing is read for them."""
        known = self.changes.page("(runs)")
        if known is None or not all(map(self.changes.page, known.meta["urls"])):
            return self._make_runs()
        urls: list[str] = known.meta["urls"]
        self.templates.has_runs = bool(urls)
        self.result.state.pages["(runs)"] = known
        for url in urls:
            self._keep_page(url)
        return urls

    def _make_runs(self) -> list[str]:
        context = self._context("runs/index.html")
        found: dict[str, MakePage] = {}
        with self._telling("listing the runs"):
            found = run_pages(context.results)
        self.templates.has_runs = bool(found)
        old = self.changes.state.pages.get("(runs)")
        if bool(found) != bool(old and old.meta["urls"]):  # every page's head links to them
            self.changes.all_are_stale = True
        inputs = [str(path) for path in context.inputs]
        self.result.state.pages["(runs)"] = PageState(inputs, {}, [], {"urls": [*found]})
        for url, make in found.items():
            if not self._keep_page(url):
                self._make_page(url, url, make)
        return list(found)

    def _posts(self) -> list[Summary]:
        """Make the posts' pages; a fresh one is not even read. The newest comes first."""
        pages = self.result.state.pages
        looked_at, found_deeper = deeper_posts(self.options.content)
        told = [Diagnostic(Place(str(path), 1, 1), DEEPER).row() for path in found_deeper]
        self._remember("(posts)", PageState([*map(str, looked_at)], {}, told))
        sources: dict[str, Path] = {}
        for path in list_posts(self.options.content):
            url = url_of(path)
            with self._telling(f"reading '{path}'"):
                if url in sources:
                    raise InputError(f"its page would be that of '{sources[url]}' too", path)
                sources[url] = path
                if not self._keep_page(url, str(path)):
                    self._make_post(path)
        found = [pages[url].meta.get("summary") for url in sources if url in pages]
        return newest_first(Summary.from_dict(summary) for summary in found if summary)

    def _make_post(self, path: Path) -> None:
        post = load_post(path)
        if post.draft and not self.options.drafts:
            mistakes = [mistake.row() for mistake in post.mistakes]
            self._remember(f"(draft) {path}", PageState([str(path)], {}, mistakes))
        else:
            make = partial(post_page, post, templates=self.templates)
            self._make_page(post.url, str(path), make)

    def _settings(self) -> None:
        """Search what the settings say in words, unless they are as they were."""
        known = self.changes.page("(settings)")
        if known is None:
            load_blocks(self.options.content)  # a mistake in them counts, called or not
            search = NumberSearch(self._context("").results.metrics, self.site.checks)
            paths, found = typed_in_settings(self.options.content, search)
            known = PageState([*map(str, paths)], {}, [one.row() for one in found])
        self._remember("(settings)", known)

    def _at_root(self, template: str, **values: Any) -> bytes:
        """Fill a template whose page stands at the root, under the template's name."""
        root = "/" if self.options.drafts else self.site.root  # a preview is at its host's root
        if template == "404.html" and root:  # which is shown at any address
            values["root"] = root
        return self._context(template).render(template, **values).encode()

    def _make_page(self, url: str, source: str, make: MakePage) -> None:
        context = self._context(url)
        self.result.made += [url] if url.endswith(".html") else []
        files: dict[str, bytes | Path] = {}
        with self._telling(f"making {url} of '{source}'" if source != url else f"making {url}"):
            html = make(context)
            files = {**context.copies, **context.written, url: html.encode()}
        self.result.files |= files
        inputs = [str(path) for path in context.inputs]
        page = PageState(
            inputs,
            {name: sha256_of(content) for name, content in files.items()},
            [diagnostic.row() for diagnostic in context.diagnostics],
            {"source": source, **context.meta},
            list(context.missing_runs),
            self.changes.changes(url, inputs),
        )
        self._remember(url, page)

    def _keep_page(self, url: str, source: str | None = None) -> bool:
        """Keep a page of the last build if it is fresh."""
        page = self.changes.page(url)
        if page is None or source not in (None, page.meta.get("source")):
            return False
        self.result.files |= {name: Unchanged(sha256) for name, sha256 in page.outputs.items()}
        self._remember(url, page)
        return True

    def _remember(self, url: str, page: PageState) -> None:
        self.result.state.pages[url] = page
        self.result.diagnostics += map(Diagnostic.from_row, page.messages)

    @contextmanager
    def _telling(self, words: str) -> Iterator[None]:
        """Tell a mistake that keeps something from being made, and go on behind it."""
        try:
            with step(words):
                yield
        except InputError as error:
            self.result.diagnostics.append(Diagnostic.from_error(error))

    def _context(self, url: str) -> PageContext:
        folders = self.options.results, self.options.content
        render, drafts = self.templates.render, self.options.drafts
        return PageContext(url, *folders, self.cache, render, self.plotter, drafts)

    def _take_fingerprints(self) -> None:
        """Remember how every input is now; one that changed meanwhile is to count as stale."""
        state, old = self.result.state, self.changes.state.signatures
        paths = dict.fromkeys(path for page in state.pages.values() for path in page.inputs)
        read_ns = dict.fromkeys(state.pages[PAGE].inputs, self.asked_ns)
        # What a process has loaded, our code and the libraries, it reads once.
        loaded = [path for path in state.global_inputs if self._is_loaded(Path(path))]
        read_ns |= dict.fromkeys(loaded, LOADED_NS)
        for path in [*paths, *state.global_inputs]:
            known = old.get(path)
            if known and self.changes.unchanged([path]):
                state.signatures[path] = known
                continue
            size, changed_ns, digest = signature(path)
            if max(changed_ns, size_and_time(path)[1]) >= read_ns.get(path, self.started_ns):
                changed_ns, digest = 0, "(changed)"  # with no time that could stand for it
            state.signatures[path] = (size, changed_ns, digest)

    def _is_loaded(self, path: Path) -> bool:
        return path.is_relative_to(self.options.code) or path.is_dir()
