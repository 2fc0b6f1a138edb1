"""Results typed by hand in the scripts that draw authors' plots.

Words are searched as those of a post are. A decimal number may say how a plot looks, as an argument
with a name (`linewidth=0.8`); anywhere else, and under a name that stands for data, it is a result.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from press.diagnostics import Diagnostic, Place
from press.errors import InputError
from press.files import text_of
from press.markdown.typed_results import SENTENCE, typed_results

# Arguments of matplotlib that hold what is drawn.
DATA = ("x", "y", "height", "bottom", "left", "xmin", "xmax", "ymin", "ymax", "xerr", "yerr")


def typed_in_plots(content: Path) -> tuple[list[Path], list[Diagnostic]]:
    """The scripts that were searched, and a diagnostic for each result that was typed in them."""
    folder = content / "figures"
    paths = sorted(folder.glob("[!.]*.py"))
    found = [
        Diagnostic(place, SENTENCE.format(number), "check", "typed-result")
        for path in paths
        for place, number in _typed(path)
    ]
    return [folder, *paths], found


def _typed(path: Path) -> Iterator[tuple[Place, str]]:
    try:
        tree = ast.parse(text_of(path))
    except (SyntaxError, InputError):  # told where the script is called
        return
    comments = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    looks = {id(constant) for value in _of_looks(tree) for constant in ast.walk(value)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in comments:
            continue
        place = Place(str(path), node.lineno, node.col_offset + 1)
        if isinstance(node.value, str):
            yield from ((place, number) for _, number in typed_results(node.value, False))
        elif isinstance(node.value, float) and id(node) not in looks:
            yield place, ast.unparse(node)


def _of_looks(tree: ast.AST) -> Iterator[ast.expr]:
    """The values of named arguments that say how a plot looks."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg not in DATA:
            yield node.value
