"""Expressions made by chance: each is written or is a mistake, and none makes a number of its own.

`TRIALS=5000 TRIAL_SEED=7 python -m pytest tests/trials/test_generated_expressions.py`
"""

import re
from pathlib import Path

from made_site import make_context
from trials.trying import Chance, trials

from press.diagnostics import SourceMap
from press.markdown.expressions import METHODS, RESULTS, Expressions
from press.results.expressions import FILTERS

RUN, OTHER, SETTING = 'run("paper/anna")', 'suite("paper")', 'setting("paper").iterations'
ATOMS = (
    f"{RUN}.psnr_db", f"{RUN}.ssim", f"{OTHER}.mean_psnr_db", f"{OTHER}.recorded",
    f"{OTHER}.title", SETTING, 'claim("inpainting.dip.anna")', 'verdict("inpainting.dip.bob")',
    'verdicts("inpainting")', RUN, OTHER, "run", '"anna"', "3", "2.5", "None",
)  # fmt: skip
OPERATORS = (
    "-",
    "/",
    "+",
    "*",
    "%",
    "//",
    "**",
    "<",
    "==",
    "and",
    "or",
    "if 1 else",
    "@",
    "|",
    ",",
)
NAMES = sorted({name for one in RESULTS for name in dir(one)} | set(dir(float)) | {"psnr_db"})
OTHERS = re.compile(r"[+*%<=@\[]|//|\b(?:and|or|if)\b|-.*[-/]|/.*[-/]")


def generated(chance: Chance, depth: int) -> str:
    """An expression of the language, or nearly so."""
    if depth == 0:
        return chance.choice(ATOMS)
    inner = generated(chance, depth - 1)
    match chance.randrange(7):
        case 0 | 1:
            return f"{inner}.{chance.choice(NAMES)}"
        case 2 | 3:
            return f"({inner} {chance.choice(OPERATORS)} {generated(chance, depth - 1)})"
        case 4:
            return f"({inner} | {chance.choice([*FILTERS])})"
        case 5:
            return f"({inner} | {chance.choice([*FILTERS])}({chance.choice(ATOMS)}))"
    return f"{inner}.{chance.choice(METHODS)}({chance.choice(ATOMS)})"


def test_an_expression_made_by_chance_is_written_or_a_mistake(tmp_path: Path) -> None:
    context = make_context(tmp_path, "paper")
    expressions = Expressions(context)
    for chance in trials("generated expression", 300):
        source = generated(chance, chance.randrange(1, 5))
        html = expressions.html(source, SourceMap.of_lines("a.md", f"{{{{{source}}}}}", 1), 0)
        told = [str(one) for one in context.diagnostics]
        context.diagnostics.clear()
        assert not (html and told) and len(told) <= 1, (chance.said, source)
        assert all(one.startswith("a.md:1:") for one in told), (chance.said, source)
        outside = re.sub(r'"[^"]*"', "", source)
        assert not (html and OTHERS.search(outside)), (chance.said, source, html)
