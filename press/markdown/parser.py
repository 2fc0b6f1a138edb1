"""The dialect of posts, one list of plugins and rules, and texts parsed by it into tokens.

CommonMark with tables, strikethrough, curly quotes, attributes, definition lists and footnotes.
Formulas have rules of their own: `mdit_py_plugins.dollarmath` leaves no places for messages, takes
the dollars of "$5 and `a$`" for a formula, none in "$x$ is in table 3" (it looks for a digit before
the first letter), and knows neither `$$ ... $$ {#label}` nor that a formula is never closed.
"""

from collections.abc import Collection
from functools import cache
from typing import Any

from markdown_it import MarkdownIt, rules_inline
from markdown_it.ruler import RuleOptionsType
from markdown_it.token import Token
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.footnote.index import footnote_ref

from press.diagnostics import Diagnostic, SourceMap
from press.markdown import leftovers, passes, raw_html, syntax


class Dialect(MarkdownIt):
    """CommonMark's parser, but for addresses: braces in them stay, so that they can be told."""

    def normalizeLink(self, url: str) -> str:
        """An address with its characters encoded, the braces of an expression left out."""
        return "{{".join(map(super().normalizeLink, url.split("{{")))


@cache
def parser() -> MarkdownIt:
    """The one parser of all posts."""
    made = Dialect("commonmark", {"html": True, "typographer": True, "xhtmlOut": False})
    made.enable(["table", "strikethrough", "smartquotes"])
    made.use(deflist_plugin).use(footnote_plugin)
    block, inline = made.block.ruler, made.inline.ruler
    for name in ("image", "link", "autolink"):
        inline.at(name, syntax.placed(getattr(rules_inline, name)))
    inline.at("html_inline", raw_html.inline)
    inline.at("footnote_inline", syntax.placed(syntax.note))
    inline.at("footnote_ref", syntax.placed(footnote_ref))
    ends_paragraph: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
    block.before("table", "too_deep", syntax.too_deep)
    block.before("table", "caption", syntax.caption, {"alt": ["blockquote"]})
    block.before("fence", "directive", syntax.directive, ends_paragraph)
    block.before("fence", "display", syntax.display_formula, ends_paragraph)
    block.at("footnote_def", syntax.note_definition, {"alt": ["paragraph", "reference"]})
    block.at("html_block", raw_html.block, ends_paragraph)
    block.at("table", syntax.table, {"alt": ["paragraph", "reference"]})
    inline.before("escape", "dialect", syntax.dialect)
    inline.push("attributes", syntax.attributes)
    made.core.ruler.at("block", syntax.parse_blocks)
    made.core.ruler.at("inline", syntax.parse_inline)
    made.core.ruler.at("smartquotes", passes.curl_quotes)
    made.core.ruler.after("inline", "comparisons", passes.hide_comparisons)
    made.core.ruler.after("comparisons", "html", raw_html.read_blocks)
    made.core.ruler.after("html", "leftovers", leftovers.find)
    made.core.ruler.push("notes", syntax.give_places_to_notes)
    for run in (
        passes.find_figures, leftovers.find_expressions, passes.find_captions, passes.empty_corners,
    ):  # fmt: skip
        made.core.ruler.push(run.__name__, run)
    return made


def parse(text: str, path: str, keys: Collection[str] = ()) -> tuple[list[Token], list[Diagnostic]]:
    """The block tokens of a post's text, and what is not well formed or not understood in it.

    `keys` are those of works that can be cited.
    """
    env: dict[str, Any] = {"path": path, "errors": [], "keys": keys}
    return parser().parse(text, env), env["errors"]


def parse_line(text: str, source: SourceMap, errors: list[Diagnostic] | None = None) -> list[Token]:
    """The inline tokens of one line of Markdown, such as a title of the front matter.

    What is not understood in it is added to `errors`.
    """
    return parser().parseInline(text, {"line": source, "errors": errors})[0].children or []
