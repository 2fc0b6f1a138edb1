"""Every text of a post that may hold a result typed by hand, and where it stands."""

from collections.abc import Iterator, Sequence
from typing import Any

from markdown_it.token import Token

from press.diagnostics import Place, SourceMap
from press.markdown.typed_results import typed_in_formula, typed_results
from press.page import Blocks

Searched = tuple[SourceMap, Iterator[tuple[int, str]]]  # a text, and what was found in it


def typed_in_post(
    tokens: Sequence[Token], path: str, blocks: Blocks
) -> Iterator[tuple[Place, str]]:
    """Give place and number of each result that the author of a post typed."""
    for origin, found in _searched(tokens, path, blocks):
        for offset, number in found:
            yield origin.at(offset), number


def _searched(tokens: Sequence[Token], path: str, blocks: Blocks) -> Iterator[Searched]:
    for before, token in zip([None, *tokens], tokens, strict=False):
        origin: Any = token.meta.get("origin")  # a SourceMap where the parser knew it
        if token.type in ("inline", "figure"):
            in_cell = before is not None and before.type in ("td_open", "th_open")
            yield origin, typed_results(origin.text, in_cell)
        elif token.type == "table_open" and "caption" in token.meta:
            yield origin, typed_results(origin.text, False)
        elif token.type == "html_block":
            origin = SourceMap.of_lines(path, token.content, _line(token))
            yield origin, typed_results(token.content, "<td" in token.content)
        elif token.type == "directive_open":  # what a block's arguments say, not what they choose
            prose = blocks.prose_arguments(token.info)
            for name, text in token.meta["arguments"].items():
                if name in prose:
                    place = token.meta["places"][name]
                    origin = SourceMap.of_lines(path, text, place.line, place.column)
                    yield origin, typed_results(text, False)
        elif token.type == "formula_block":
            yield origin, typed_in_formula(token.content)
        elif is_formula(token):
            yield formula_origin(token, path), typed_in_formula(token.content)


def formulas_in(tokens: Sequence[Token]) -> Iterator[tuple[str, bool]]:
    """The TeX of each formula of a post, and whether it is displayed."""
    for token in tokens:
        if token.type == "formula":
            yield token.content, token.markup == "$$"
        elif token.type == "formula_block":
            yield token.content, True
        elif is_formula(token):
            yield token.content.rstrip("\n"), True
        yield from formulas_in(token.children or ())


def is_formula(token: Token) -> bool:
    """Tell whether a fence holds a formula: ```` ```katex ````."""
    return token.type == "fence" and token.info.strip().split(" ")[0] in ("katex", "math")


def formula_origin(token: Token, path: str) -> SourceMap:
    """Give where the TeX of a fence stands."""
    indent = len(token.meta.get("indent", ""))
    return SourceMap.of_lines(path, token.content.rstrip("\n"), _line(token) + 1, 1 + indent)


def _line(token: Token) -> int:
    return token.map[0] + 1 if token.map else 1
