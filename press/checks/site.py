"""Checks of a made site: links, anchors, ids, headings, pictures, references, outside addresses."""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from press.build.state import load_state
from press.cache import Cache
from press.checks.page_facts import Found, PageFacts
from press.diagnostics import Message, Place
from press.errors import nearest
from press.markdown.bibliography import load_bibliography
from press.options import Options
from press.page import PageContext


def check(options: Options, outside: bool) -> int:
    """Check the site that was made; prints what is wrong and gives the exit code."""
    pages = {
        path.relative_to(options.out).as_posix(): PageFacts(path)
        for path in sorted(options.out.rglob("*.html"))
    }
    messages = [message for page in pages.values() for message in _page(page)]
    messages += _links(options.out, pages)
    messages += _unused_references(options)
    if outside:
        from press.checks.outside import check_outside

        messages += check_outside(pages.values())
    for message in messages:
        print(message, file=sys.stderr)
    errors = [message for message in messages if message.is_error or options.strict]
    links = sum(len(page.links) for page in pages.values())
    print(f"checked {len(pages)} pages, {links} links: {_result(len(errors), len(messages))}")
    return 1 if errors else 0


def _result(errors: int, messages: int) -> str:
    if not messages:
        return "all is well"
    return f"{errors} to mend" + (f", {messages - errors} to look at" if messages > errors else "")


def _at(page: PageFacts, found: Found, sentence: str) -> Message:
    return Message(Place(str(page.path), found.line, found.column), sentence, is_error=True)


def _page(page: PageFacts) -> Iterator[Message]:
    """Check what can be told from one page alone."""
    start = Found("html", "", 1, 1)
    if not page.title.strip():
        yield _at(page, start, "the page has no title")
    if not page.language:
        yield _at(page, start, "the page does not say its language")
    seen = Counter(found.value for found in page.ids)
    for found in page.ids:
        if seen[found.value] > 1:
            yield _at(page, found, f"the id '{found.value}' is given {seen[found.value]} times")
    for found in page.pointers:
        if found.value not in seen:
            yield _at(page, found, f"<{found.tag}> points at the id '{found.value}', which is not")
    for found in page.without_alt:
        yield _at(page, found, f"the picture '{found.value}' has no alternative text")
    yield from _headings(page)


def _headings(page: PageFacts) -> Iterator[Message]:
    level = 0
    for found in page.headings:
        now = int(found.value)
        if now == 1 and level:
            yield _at(page, found, "a second heading of the first level")
        if now > level + 1:
            yield _at(page, found, f"a heading of level {now} follows one of level {level}")
        level = now


def _links(out: Path, pages: dict[str, PageFacts]) -> Iterator[Message]:
    ids = {url: {found.value for found in page.ids} for url, page in pages.items()}
    for url, page in pages.items():
        for found in page.links:
            sentence = _broken(out, url, found, ids)
            if sentence:
                yield _at(page, found, sentence)


def _broken(out: Path, url: str, found: Found, ids: dict[str, set[str]]) -> str:
    """Tell what is wrong with a link; an empty text if nothing is."""
    parts = urlsplit(found.value)
    if parts.scheme in ("data", "mailto"):
        return ""
    if parts.scheme or parts.netloc:
        loads = found.tag not in ("a", "link")
        return f"'{found.value}' is loaded from another site" if loads else ""
    if parts.path.startswith("/"):
        return "" if url == "404.html" else f"'{found.value}' begins at the root of the domain"
    target = url if not parts.path else _joined(url, unquote(parts.path))
    if target.startswith("../") or not (out / target).is_file():
        known = [path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()]
        return f"the link '{found.value}' leads nowhere{nearest(target, known)}"
    fragment = unquote(parts.fragment)
    if fragment and target in ids and fragment not in ids[target]:
        return f"'{target}' has no id '{fragment}'{nearest(fragment, ids[target])}"
    return ""


def _joined(url: str, path: str) -> str:
    """Give where a relative address leads from a page."""
    parts = url.split("/")[:-1]
    for part in path.split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts) + ("/index.html" if path.endswith("/") else "")


def _unused_references(options: Options) -> Iterator[Message]:
    """Warn of works in the bibliography that no post cites."""
    state = load_state(options)
    path = options.content / "references.bib"
    if state is None or not path.exists():
        return
    context = PageContext("", options.results, options.content, options.cache, _no_template)
    cited = {key for page in state.pages.values() for key in page.meta.get("cited", [])}
    for entry in load_bibliography(path, Cache(options.cache), context).values():
        if entry.key not in cited:
            place = Place(str(path), entry.line, 1)
            yield Message(place, f"nothing cites '{entry.key}'")


def _no_template(*_: object) -> str:
    raise AssertionError("checking makes no page")
