"""What a post's expressions can call, and the filters that write numbers.

`{{ run("digits/small").accuracy }}` gives "97.2 %", linked to the page of the run: unit and
decimals are those of the metric.
"""

from collections.abc import Callable, Collection
from fractions import Fraction
from functools import partial
from math import isclose
from typing import Any

from markupsafe import Markup

from press.diagnostics import format_duration
from press.errors import InputError
from press.results.claims import Claim
from press.results.each import Each
from press.results.metrics import MOST_DIGITS
from press.results.numbers import (
    MINUS,
    Measured,
    NotRun,
    Quantity,
    grouped,
    is_difference,
    linked,
    metric_of,
    unit_behind,
    with_sign,
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


def namespace(results: Results) -> dict[str, Any]:
    """The functions that an expression can call on a page."""
    judge = Judge(results)
    return {
        "run": partial(_run, results),
        "runs": partial(_runs, results),
        "suite": partial(_suite, results),
        "setting": partial(settings_of, results),
        "claim": judge.claims.claim,
        "claims": judge.claims.row,
        "verdict": judge.verdict,
        "verdicts": judge.table,
    }


def _run(results: Results, name: str, output: str | None = None, seed: int | None = None) -> Any:
    """A run, or one of its outputs: `run("inpainting/house", "average")`."""
    run = results.run(name, seed)
    return run if output is None else run.output(output)


def _runs(results: Results, name: str, output: str = "final") -> Each:
    """Each run of a suite, or an output of each: `runs("denoising", "average")`.

    Those of one case, as `runs("inpainting/house")`, are compared with another's seed by seed.
    """
    suite_name, _, word = name.partition("/")
    view = results.suite(suite_name)
    every = view.each(output)
    if not word:
        return every
    case = view.suite.find(word)
    of_case = {("", seed): run for (of, seed), run in every.by_run.items() if of == case}
    return Each(every.name.replace(f'"{suite_name}"', f'"{name}"', 1), of_case)


def _suite(results: Results, name: str, output: str | None = None) -> Any:
    """A suite, or the scores of one output of its runs: `suite("inpainting", "average")`."""
    suite = results.suite(name)
    return suite if output is None else suite.output(output)


def _number(value: Any, write: Callable[[Any], str], count: int | None = None) -> Any:
    """Write a number by `write`, keeping its link or its claim; what is not run says so.

    Raises InputError for what is no number, or if more decimals (`count`) are asked for than any
    metric has.
    """
    if count is not None and not 0 <= count <= MOST_DIGITS:
        raise InputError(f"expected 0 to {MOST_DIGITS} decimals, got {count}")
    if isinstance(value, NotRun):
        return value
    if isinstance(value, Claim | Setting):
        return value.marked(write(value))
    if isinstance(value, Measured):
        return linked(write(value), value.origin)
    if isinstance(value, int):  # a count of runs, images or iterations
        return Markup('<span class="q">{}</span>').format(write(value))
    raise InputError(f"'{value}' is no number of a run, a suite or a claim")


def _of_unit(number: Any, units: Collection[str], what: str) -> Any:
    """A number in one of `units`, a setting, or what is not run; InputError for another one."""
    is_of_unit = isinstance(number, float) and metric_of(number).unit in units
    if not is_of_unit and not isinstance(number, Setting | NotRun):
        raise InputError(f"'{number}' is not {what}")
    return number


def _of_seeds(number: Any) -> Any:
    """A result of one or more seeds, or one not run; raises InputError for another number."""
    if not isinstance(number, Quantity) or is_difference(number):
        raise InputError(f"'{number}' is neither a result nor a mean of results: it has no n")
    return number


def value(number: Any, digits: int | None = None) -> Any:
    """Write a number with its unit, and with so many decimals: "97.2 %"."""
    return _number(number, lambda number: _with_unit(number, digits), digits)


def _with_unit(number: Any, digits: int | None) -> str:
    """A number with its unit; a setting, of which nothing says how many decimals, as it is."""
    if digits is None and isinstance(number, Setting):
        return str(number)
    return with_unit(number, metric_of(number), digits)


def signed(number: Any, digits: int | None = None) -> Any:
    """Write a difference with its sign and its unit: "+0.3 %"."""
    return _number(number, lambda one: with_sign(_with_unit(one, digits)), digits)


def digits(number: Any, count: int | None = None) -> Any:
    """Write a number without its unit, with so many decimals; a difference with its sign."""

    def write(number: Any) -> str:
        if count is None and isinstance(number, Setting):
            return str(number)
        text = written(number, metric_of(number), count)
        return with_sign(text) if is_difference(number) else text

    return _number(number, write, count)


def words(value: Any) -> Any:
    """Write seconds as a person says them: "12 minutes"."""

    def write(seconds: float) -> str:
        return f"{MINUS if seconds < 0 else ''}{format_duration(abs(seconds))}"

    return _number(_of_unit(value, ("s", "seconds"), "a time in seconds"), write)


def whole(value: Any) -> Any:
    """Write a whole number with commas between thousands."""
    return _number(value, grouped)


def mean_sd(mean: Any, digits: int | None = None) -> Any:
    """Write a mean with its standard deviation between seeds and n: "97.2 ± 0.1 % (n = 3)"."""

    def write(number: Measured) -> str:
        both = (number, number.spread)
        texts = [written(one, number.metric, digits) for one in both if one is not None]
        return f"{unit_behind(' ± '.join(texts), number.metric)} (n\u00a0=\u00a0{number.n})"

    return _number(_of_seeds(mean), write, digits)


def percent(value: Any) -> Any:
    """Write a share in per cent: "99%" for 0.99."""
    share = _of_unit(value, ("",), "a share: it has a unit, or counts something")
    return _number(share, lambda share: f"{100 * share:.6g}%".replace("-", MINUS))


def fraction(value: Any) -> Any:
    """Write a number as the simple fraction that it stands for: "1/30"."""

    def write(number: float) -> str:
        simple = Fraction(float(number)).limit_denominator(1000)
        if not isclose(simple, number):
            raise InputError(f"'{number}' is no simple fraction")
        return str(simple).replace("-", MINUS)

    return _number(value, write)


def spelled(value: Any) -> Any:
    """Write a small count as a word: "seven"; larger ones in figures."""
    if isinstance(value, NotRun):
        return value
    if type(value) is not int:
        raise InputError(f"'{value}' is no count")
    return SPELLED[value] if 0 <= value < len(SPELLED) else grouped(value)


def n(value: Any) -> Any:
    """The number of seeds behind a number."""
    return value if isinstance(value, NotRun) else _of_seeds(value).n


FILTERS: dict[str, Callable[..., Any]] = {
    write.__name__: write
    for write in (value, signed, digits, words, whole, percent, fraction, mean_sd, spelled, n)
}
