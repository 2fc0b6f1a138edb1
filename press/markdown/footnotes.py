"""Footnotes: the plug-in's, with a name for the list and words for each way back."""

from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin


def add_footnotes(parser: MarkdownIt) -> None:
    """Teach a parser footnotes."""
    parser.use(footnote_plugin)
    parser.add_render_rule("footnote_block_open", _open)
    parser.add_render_rule("footnote_block_close", _close)
    parser.add_render_rule("footnote_anchor", _way_back)


def _open(_self: Any, _tokens: Sequence[Token], _index: int, _options: Any, _env: Any) -> str:
    start = '<div class="footnotes" role="doc-endnotes" aria-label="Footnotes">'
    return f'<hr class="footnotes-sep">\n{start}\n<ol class="footnotes-list">\n'


def _close(_self: Any, _tokens: Sequence[Token], _index: int, _options: Any, _env: Any) -> str:
    return "</ol>\n</div>\n"


def _way_back(_self: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    number, again = tokens[index].meta["id"] + 1, tokens[index].meta["subId"]
    target = f"fnref{number}:{again}" if again > 0 else f"fnref{number}"
    label = f"Back to footnote {number}"
    return f' <a href="#{target}" class="footnote-backref" aria-label="{label}">↩\ufe0e</a>'
