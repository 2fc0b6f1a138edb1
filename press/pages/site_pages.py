"""The pages and files that belong to the site as a whole: front page, feed, sitemap and so on."""

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from press.page import PageContext
from press.pages.feeds import feed_values, moved_pages, robots
from press.pages.site import Site
from press.pages.summaries import Summary
from press.pages.templates import Templates


@dataclass
class CommonPages:
    """Makes what belongs to the site as a whole."""

    site: Site
    templates: Templates
    context: Callable[[str], PageContext]

    def make(
        self, posts: list[Summary], run_urls: list[str], taken: Iterable[str]
    ) -> dict[str, bytes]:
        """Make every such file; raises InputError for an alias whose address is taken."""
        by_name = sorted(posts, key=lambda post: post.url)  # those of one day
        newest_first = sorted(
            by_name, key=lambda post: post.date or datetime.date.min, reverse=True
        )
        files = {**self._front_pages(newest_first), "robots.txt": robots(self.site)}
        if self.site.base_url:
            published = [post for post in newest_first if not post.draft]
            urls = ["index.html", *(post.url for post in published), *run_urls]
            files["feed.xml"] = self._text("feed.xml", **feed_values(published))
            files["sitemap.xml"] = self._text("sitemap.xml", urls=urls)
        return files | moved_pages(newest_first, self.site, [*taken, *files])

    def _front_pages(self, posts: list[Summary]) -> dict[str, bytes]:
        site = self.site
        page = SimpleNamespace(
            title=site.title, summary=site.description, url="index.html", authors=(), date=None
        )
        lost = SimpleNamespace(title="There is no such page", summary="", url="")
        return {
            "index.html": self._text("index.html", page=page, posts=posts),
            "404.html": self._text("404.html", page=lost),
        }

    def _text(self, template: str, **values: Any) -> bytes:
        """Fill a template whose page stands at the root, under the template's name."""
        context = self.context(template)
        if template == "404.html" and self.site.base_url:
            root = "/" + self.site.base_url.split("/", 3)[3]
            values |= {"root": root, "assets": self.templates.assets_from(root)}
        return self.templates.render(context, template, values).encode()
