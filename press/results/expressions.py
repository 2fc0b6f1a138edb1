"""What a post's expressions can call, and the filters that write numbers.

`{{ run("digits/small").accuracy }}` gives "97.2 %", linked to the page of the run: unit and
decimals are those of the metric.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

from markupsafe import Markup

from press.diagnostics import format_duration
from press.errors import InputError
from press.results.claims import Claim
from press.results.numbers import (
    Measured,
    NotRun,
    decimal,
    difference_with_unit,
    grouped,
    linked,
    listed,
    metric_of,
    unit_behind,
    with_unit,
    written,
)
from press.results.settings import Setting, settings_of
from press.results.store import Results
from press.results.verdicts import Judge

SPELLED = [
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen",
]  # fmt: skip
OLD_NAMES = {  # filters and attributes that are gone, and what is written now
    "db": "'| db' is not needed any more: a number has the unit of its metric, and '| value(1)' "
    "gives it other decimals",
    "signed_db": "'| signed_db' is now spelled '| signed'",
    **{
        f"{name}_db": f"'.{name}_db' is now spelled '.{name}'"
        for name in ("difference", "tolerance", "median", "lowest", "highest")
    },
}


def namespace(results: Results) -> dict[str, Any]:
    """The functions that an expression can call on a page."""
    judge = Judge(results)
    return {
        "run": partial(_run, results),
        "suite": partial(_suite, results),
        "setting": partial(settings_of, results),
        "claim": judge.claims.claim,
        "verdict": judge.verdict,
        "verdicts": judge.table,
    }


def _run(results: Results, name: str, output: str | None = None, seed: int | None = None) -> Any:
    """A run, or one of its outputs: `run("inpainting/house", "average")`."""
    return _output(results.run(name, seed), output)


def _suite(results: Results, name: str, output: str | None = None) -> Any:
    """A suite, or the scores of one output of its runs: `suite("inpainting", "average")`."""
    return _output(results.suite(name), output)


def _output(of: Any, selector: Any) -> Any:
    if not isinstance(selector, str | None):
        raise InputError(f'output: expected text such as "average", got {selector!r}')
    return of if selector is None else of.output(selector)


def _number(value: Any, write: Callable[[Any], str]) -> Any:
    """Write a number by `write`, keeping its link or its claim; what is not run says so."""
    if isinstance(value, NotRun):
        return value
    if isinstance(value, Claim | Setting):
        return value.marked(write(value))
    if isinstance(value, Measured):
        return linked(write(value), value.origin)
    if isinstance(value, int):  # a count of runs, images or iterations
        return Markup('<span class="q">{}</span>').format(write(value))
    raise InputError(f"'{value}' is no number of a run, a suite or a claim")


def value(number: Any, digits: int | None = None) -> Any:
    """Write a number with its unit, and with so many decimals: "97.2 %"."""
    return _number(number, lambda number: with_unit(number, metric_of(number), digits))


def signed(number: Any, digits: int | None = None) -> Any:
    """Write a difference with its sign and its unit: "+0.3 %"."""
    return _number(number, lambda number: difference_with_unit(number, metric_of(number), digits))


def digits(number: Any, count: int | None = None) -> Any:
    """Write a number without its unit, with so many decimals."""
    return _number(number, lambda number: written(number, metric_of(number), count))


def words(value: Any) -> Any:
    """Write seconds as a person says them: "12 minutes"."""
    return _number(value, format_duration)


def whole(value: Any) -> Any:
    """Write a whole number with commas between thousands."""
    return _number(value, grouped)


def mean_sd(mean: Any, digits: int | None = None) -> Any:
    """Write a mean with its standard deviation between seeds and n: "97.2 ± 0.1 % (n = 3)"."""

    def write(number: Any) -> str:
        metric, spread = metric_of(number), getattr(number, "spread", None)
        count = metric.digits if digits is None else digits
        over = decimal(number, count) + (
            f" ± {decimal(spread, count)}" if spread is not None else ""
        )
        return f"{unit_behind(over, metric)} (n\u00a0=\u00a0{getattr(number, 'n', 1)})"

    return _number(mean, write)


def percent(value: Any) -> Any:
    """Write a share in per cent: "99%" for 0.99."""
    return _number(value, lambda share: f"{100 * share:.6g}%")


def fraction(value: Any) -> Any:
    """Write a number as the simple fraction that it stands for: "1/30"."""
    return _number(value, lambda number: str(Fraction(float(number)).limit_denominator(1000)))


def spelled(value: int) -> str:
    """Write a small count as a word: "seven"; larger ones in figures."""
    return SPELLED[value] if 0 <= value < len(SPELLED) else grouped(value)


def n(value: Any) -> Any:
    """The number of seeds behind a number."""
    return value if isinstance(value, NotRun) else getattr(value, "n", 1)


WRITERS: tuple[Callable[..., Any], ...] = (
    value, signed, digits, words, whole, percent, fraction, mean_sd, spelled, n, listed,
)  # fmt: skip
FILTERS = {write.__name__: write for write in WRITERS}
