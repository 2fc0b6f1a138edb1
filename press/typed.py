"""Results that were typed by hand: a decimal where only a record or a claim may speak.

A decimal counts as a result beside dB, PSNR, SSIM or seconds, and in a cell of a table; not
within code, a formula, an expression or an address.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import nodes

NUMBER = r"(?<![\w.,])[-+−]?\d+\.\d+(?!\w|\.\d)"
BESIDE_UNIT = re.compile(
    rf"({NUMBER})[*_]*(?:\s*±\s*\d+\.\d+)?[*_\s\u00a0\u202f-]*(?:dB|PSNR|SSIM|decibels?|seconds?|secs?)\b"
)
AFTER_NAME = re.compile(
    rf"\b(?:PSNR|SSIM)\b[*_]*(?:\s+(?:of|is|was|at|to|reaches|about|around|only|just|by)\b|\s*[=:≈~(])*"
    rf"[\s*_]*({NUMBER})"
)
IN_CELL = re.compile(rf"({NUMBER})")
NOT_TEXT = re.compile(
    r"(`+)(?!`).*?(?<!`)\1(?!`)|\$\$.*?\$\$|\$[^$\n]+\$|\{\{.*?\}\}|<InlineMath>.*?</InlineMath>"
    r"|<code\b.*?</code>|<pre\b.*?</pre>|<(?:style|script)\b.*?</(?:style|script)>|<!--.*?-->"
    r"|<[^>]*>|\]\([^)\s]*|https?://\S+|\[[^\]]*@[^\]]*\]",
    re.DOTALL,
)


def typed_results(text: str, in_cell: bool) -> Iterator[tuple[int, str]]:
    """Find results typed by hand in Markdown text; gives offset and number of each."""
    visible = NOT_TEXT.sub(lambda found: " " * len(found[0]), text)
    seen = set()
    for pattern in (BESIDE_UNIT, AFTER_NAME, *((IN_CELL,) if in_cell else ())):
        for found in pattern.finditer(visible):
            if found.start(1) not in seen:
                seen.add(found.start(1))
                yield found.start(1), found[1]


SENTENCE = (
    "'{}' is a result typed by hand; write it as an expression that names its run, or a claim"
)


def typed_in_expression(tree: "nodes.Template") -> str | None:
    """Give the first constant of an expression that could be printed as a result.

    A constant may name or choose, as an argument of a function or a filter; it may stand nowhere
    else, and is no decimal: `{{ 34.39 | db }}`, `{{ "34.39 dB" }}` and `... + 1` are typed.
    """
    from jinja2 import nodes

    choosing = set()
    calls: list[nodes.Call | nodes.Filter] = [*tree.find_all(nodes.Call)]
    calls += tree.find_all(nodes.Filter)
    for call in calls:
        choosing |= {id(argument) for argument in call.args}
        choosing |= {id(keyword.value) for keyword in call.kwargs}
    for constant in tree.find_all(nodes.Const):
        if isinstance(constant.value, float) or id(constant) not in choosing:
            return str(constant.value)
    return None
