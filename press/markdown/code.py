"""Code with its words marked by class, lines that can be numbered and pointed at."""

import re
from collections.abc import Collection
from html import escape

from press.cache import Cache
from press.diagnostics import Place
from press.errors import InputError, nearest
from press.page import PageContext

LINES = re.compile(r"\s*\{?[\d\s,-]*\}?\s*")  # to be marked: "{3, 5-7}"
# what stands behind a fence: `python {3}`, `python{3}`, and `{python}`, `{.python}` of other tools
INFO = re.compile(r"\{\s*\.?([A-Za-z][^\s{},=]*)([^{}]*)\}|([^\s{}]*)")
NO_LANGUAGE = ("text", "plain", "txt", "plaintext", "none")


def code_block(
    code: str,
    language: str,
    cache: Cache,
    marked: Collection[int] = (),
    first_number: int | None = None,
) -> str:
    """A block of code; `marked` lines (from 1) stand out; with `first_number` all have one.

    Raises ValueError if the language is unknown.
    """
    rows = cache.json("code", f"1|{language}|{code}", lambda: _coloured(code, language))
    lines = [
        _line(row, number, number in marked, first_number) for number, row in enumerate(rows, 1)
    ]
    name = f' class="language-{escape(language)}"' if language else ""
    kind = "code numbered" if first_number is not None else "code"
    return f'<pre class="{kind}" tabindex="0"><code{name}>{"".join(lines)}</code></pre>\n'


def lines_asked(asked: str, count: int) -> range:
    """The lines, of `count` from 1 on, that "7" or "10-40" asks for; raises InputError."""
    found = re.fullmatch(r"([0-9]{1,9})(?:-([0-9]{1,9}))?", asked)
    if not found:
        raise InputError(f"'{asked}' is not of the form 10-40")
    first, last = int(found[1]), int(found[2] or found[1])
    if not 1 <= first <= last <= count:
        are_no = "are no lines" if "-" in asked else "is no line"
        raise InputError(f"there {are_no} {asked}; there are {count}")
    return range(first, last + 1)


def _line(row: str, number: int, is_marked: bool, first_number: int | None) -> str:
    count = f' data-line="{number + first_number - 1}"' if first_number is not None else ""
    return f'<span class="line{" marked" if is_marked else ""}"{count}>{row}\n</span>'


def _coloured(code: str, language: str) -> list[str]:
    """Each line of code as HTML; raises ValueError if the language is unknown."""
    if not language:
        return [escape(line, quote=False) for line in code.rstrip("\n").split("\n")]
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name

    lexer = get_lexer_by_name(language, stripnl=False)
    coloured: str = highlight(code.rstrip("\n"), lexer, HtmlFormatter(nowrap=True))
    return coloured.rstrip("\n").split("\n")


def language_of(info: str) -> tuple[str, str]:
    """The language that the words behind a fence name, empty for none, and the other words."""
    found = INFO.match(info.strip())
    assert found  # every text begins with an empty word
    language = found[1] or found[3] or ""
    rest = (found[2] or "") + info.strip()[found.end() :]
    return "" if language in NO_LANGUAGE else language, rest


def fence(code: str, info: str, context: PageContext, place: Place) -> str:
    """A fenced block of Markdown; its info: language, {lines to mark: 3, 5-7}, `numbered`."""
    from pygments.util import ClassNotFound

    language, rest = language_of(info)
    lines, numbered = re.subn(r"\.?\bnumbered\b", "", rest)
    if not LINES.fullmatch(lines):
        context.warn(place, f"'{lines.strip()}' behind this fence is not understood")
        lines = ""
    marked: set[int] = set()
    try:
        for word in re.findall(r"[\d-]+", lines):
            marked.update(lines_asked(word, code.count("\n")))
    except InputError as error:
        context.warn(place, error.sentence)
    first_number = 1 if numbered else None
    try:
        return code_block(code, language, context.cache, marked, first_number)
    except ClassNotFound:
        from pygments.lexers import get_all_lexers

        known = [alias for lexer in get_all_lexers() for alias in lexer[1]]
        context.warn(place, f"unknown language '{language}'{nearest(language, known)}")
        return code_block(code, "", context.cache, marked, first_number)
