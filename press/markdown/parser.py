"""Markdown to tokens, and tokens to HTML by the writer of the page."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from mdit_py_plugins.attrs import attrs_plugin
from mdit_py_plugins.deflist import deflist_plugin

from press.diagnostics import SourceMap
from press.markdown.footnotes import add_footnotes
from press.markdown.passes import add_tree_rules
from press.markdown.syntax import add_rules

if TYPE_CHECKING:
    from press.markdown.renderer import Writer


class PageRenderer(RendererHTML):
    """Asks the page's writer for every token that it knows, and for whole blocks."""

    def render(self, tokens: Sequence[Token], options: Any, env: Any) -> str:
        """Write block tokens; a block's body is written before the block itself."""
        parts: list[str] = []
        index = 0
        while index < len(tokens):
            if tokens[index].type == "directive_open":
                close = _closing(tokens, index)
                body = self.render(tokens[index + 1 : close], options, env)
                parts.append(env["writer"].call(tokens[index], body))
                index = close
            elif tokens[index].type == "inline":
                parts.append(self.renderInline(tokens[index].children or [], options, env))
            else:
                parts.append(self._one(tokens, index, options, env))
            index += 1
        return "".join(parts)

    def renderInline(self, tokens: Sequence[Token], options: Any, env: Any) -> str:
        """Write inline tokens."""
        return "".join(self._one(tokens, index, options, env) for index in range(len(tokens)))

    def _one(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        token = tokens[index]
        write = getattr(env["writer"], token.type, None)
        if write is not None:
            return str(write(token))
        if token.type in self.rules:
            return str(self.rules[token.type](tokens, index, options, env))
        return self.renderToken(tokens, index, options, env)


def _closing(tokens: Sequence[Token], index: int) -> int:
    depth = 0
    for number in range(index, len(tokens)):
        depth += (tokens[number].type == "directive_open") - (
            tokens[number].type == "directive_close"
        )
        if depth == 0:
            return number
    return len(tokens)


@cache
def parser() -> MarkdownIt:
    """Make the one parser of all posts."""
    options = {"html": True, "typographer": True, "xhtmlOut": False}
    made = MarkdownIt("commonmark", options, renderer_cls=PageRenderer)
    made.enable(["table", "strikethrough", "smartquotes"])
    attrs_plugin(made, after=("image", "link_close", "code_inline"))
    made.use(deflist_plugin)
    add_footnotes(made)
    add_rules(made)
    add_tree_rules(made)
    return made


def parse(text: str, writer: "Writer") -> list[Token]:
    """Parse a post's text; mistakes in its blocks go to the writer's page."""
    env: dict[str, Any] = {"writer": writer, "path": writer.path, "errors": []}
    tokens = parser().parse(text, env)
    for line, column, sentence in env["errors"]:
        writer.error(line, column, sentence)
    return tokens


def parse_line(text: str, origin: SourceMap, writer: "Writer") -> list[Token]:
    """Parse a text of the front matter as one line of Markdown; gives inline tokens."""
    env: dict[str, Any] = {"writer": writer, "path": writer.path, "front": origin, "errors": []}
    return [child for token in parser().parseInline(text, env) for child in token.children or []]


def render(tokens: Sequence[Token], writer: "Writer") -> str:
    """Write tokens as HTML."""
    made = parser()
    return str(made.renderer.render(tokens, made.options, {"writer": writer}))
