"""Where a link of a post leads on the site."""

from pathlib import Path
from urllib.parse import urlsplit

from press.diagnostics import Place
from press.errors import nearest
from press.markdown.assets import OUTSIDE, Assets
from press.markdown.post import slug_of
from press.page import PageContext

ON_SITE = "site:"  # how the address of a page begins that no post stands behind


def address_of(href: str, place: Place, assets: Assets, context: PageContext) -> str:
    """Give the address on the site of what a post links to; a link to nothing is a mistake.

    Another post's file becomes its page, `site:runs/index.html` is named from the site's root,
    any other file is copied.
    """
    if href.startswith(ON_SITE):
        return context.root + href.removeprefix(ON_SITE)
    if OUTSIDE.match(href) or not href:
        return href
    if href.startswith("/"):
        context.error(place, f"'{href}' would leave the site's folder; write site:...")
        return href
    path = assets.find(href)
    if path is None:
        context.error(place, f"there is no file '{href}'{_nearest(href, assets.folder)}")
        return href
    if path.suffix == ".md" and path.parent.resolve() == assets.folder.resolve():
        fragment = urlsplit(href).fragment
        return f"{slug_of(path)}.html" + (f"#{fragment}" if fragment else "")
    return context.copy(path)


def _nearest(href: str, base: Path) -> str:
    path = base / urlsplit(href).path
    names = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
    return nearest(path.name, names)
