"""The dialect of posts, one list of plugins and rules, and texts parsed by it into tokens.

CommonMark with tables, strikethrough, curly quotes, attributes, definition lists and footnotes.
Formulas have rules of their own: `mdit_py_plugins.dollarmath` leaves no places for messages, takes
the dollars of "$5 and `a$`" for a formula, none in "$x$ is in table 3" (it looks for a digit before
the first letter), and knows neither `$$ ... $$ {#label}` nor that a formula is never closed.
"""

from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.token import Token
from mdit_py_plugins.attrs import attrs_plugin
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin

from press.diagnostics import Diagnostic, SourceMap
from press.markdown import passes, syntax

PLUGINS: tuple[tuple[Any, dict[str, Any]], ...] = (
    (attrs_plugin, {"after": ("image", "link_close", "code_inline")}),
    (deflist_plugin, {}),
    (footnote_plugin, {}),
)
BLOCK_RULES = (  # in front of CommonMark's `fence`; each can end a paragraph
    ("directive", syntax.directive),
    ("display", syntax.display_formula),
)
INLINE_RULES = (  # the second: in front of which rule
    ("expression", "escape", syntax.expression),
    ("formula", "escape", syntax.formula),
    ("citation", "link", syntax.citation),
)
PLACED = (("html_inline", "html_inline"), ("image", "image"), ("link", "link_open"))
PASSES = (  # on the tokens of a whole text, in this order
    ("show-pipes", syntax.show_pipes),
    ("notes", syntax.give_places_to_notes),
    ("references", passes.join_references),
    ("figures", passes.find_figures),
    ("captions", passes.find_captions),
    ("corners", passes.empty_corners),
)


@cache
def parser() -> MarkdownIt:
    """The one parser of all posts."""
    made = MarkdownIt("commonmark", {"html": True, "typographer": True, "xhtmlOut": False})
    made.enable(["table", "strikethrough", "smartquotes"])
    for plugin, options in PLUGINS:
        made.use(plugin, **options)
    ends_paragraph: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
    for name, block_rule in BLOCK_RULES:
        made.block.ruler.before("fence", name, block_rule, ends_paragraph)
    for name, before, inline_rule in INLINE_RULES:
        made.inline.ruler.before(before, name, inline_rule)
    for name, kind in PLACED:
        syntax.keep_place(made, name, kind)
    syntax.keep_place_of_notes(made)
    made.core.ruler.after("normalize", "hide-pipes", syntax.hide_pipes)
    made.core.ruler.at("inline", syntax.parse_inline)
    for name, run in PASSES:
        made.core.ruler.push(name, run)
    return made


def parse(text: str, path: str) -> tuple[list[Token], list[Diagnostic]]:
    """The block tokens of a post's text, and an error for each block that is not well formed."""
    env: dict[str, Any] = {"path": path, "errors": []}
    return parser().parse(text, env), env["errors"]


def parse_line(text: str, source: SourceMap) -> list[Token]:
    """The inline tokens of one line of Markdown, such as a title of the front matter."""
    return syntax.parse_line(parser(), text, source)
