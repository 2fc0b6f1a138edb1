"""Every text of a post that may hold a result typed by hand, and where it stands."""

from collections.abc import Collection, Iterator, Sequence

from markdown_it.token import Token

from press.diagnostics import Place, SourceMap
from press.markdown.typed_results import typed_in_formula, typed_results
from press.page import Blocks


def typed_in_post(
    tokens: Sequence[Token], path: str, blocks: Blocks
) -> Iterator[tuple[Place, str]]:
    """Give place and number of each result that the author of a post typed."""
    for index, token in enumerate(tokens):
        if token.type in ("inline", "figure"):
            before = tokens[index - 1].type if index else ""
            yield from _in_text(token.meta["origin"], before in ("td_open", "th_open"))
        elif token.type == "table_open" and "caption" in token.meta:
            yield from _in_text(token.meta["origin"])
        elif token.type == "html_block":
            origin = _lines(token, token.content, path, 1, 1)
            yield from _in_text(origin, "<td" in token.content)
        elif token.type == "directive_open":
            prose = blocks.prose_arguments(token.info)
            yield from _in_arguments(token, path, prose)
        elif token.type == "formula_block":
            yield from _in_formula(token.meta["origin"], token.content)
        elif is_formula(token):
            yield from _in_formula(formula_origin(token, path), token.content)


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
    return _lines(token, token.content.rstrip("\n"), path, 2, 1 + indent)


def _lines(token: Token, text: str, path: str, below: int, column: int) -> SourceMap:
    """Give the origin of lines that stand as they are, from a token's line on."""
    first = (token.map[0] if token.map else 0) + below
    starts = tuple((first + n, column) for n in range(text.count("\n") + 1))
    return SourceMap(path, text, starts)


def _in_text(origin: SourceMap, in_cell: bool = False) -> Iterator[tuple[Place, str]]:
    for offset, number in typed_results(origin.text, in_cell):
        yield origin.at(offset), number


def _in_formula(origin: SourceMap, tex: str) -> Iterator[tuple[Place, str]]:
    for offset, number in typed_in_formula(tex):
        yield origin.at(offset), number


def _in_arguments(token: Token, path: str, prose: Collection[str]) -> Iterator[tuple[Place, str]]:
    """Search what a block's arguments say: a title, a text, names; not what they choose."""
    for name, value in token.meta["arguments"].items():
        if name in prose:
            line, column = token.meta["places"][name]
            yield from _in_text(SourceMap(path, value, ((line + 1, column + 1),)))
