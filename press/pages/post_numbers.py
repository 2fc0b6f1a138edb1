"""What there is to say of a post's numbers: typed ones, units, those of its summary."""

import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping

from markupsafe import Markup

from press.diagnostics import Place
from press.markdown.expressions import Written
from press.markdown.post import Post
from press.markdown.typed_numbers import (
    DIGIT,
    JOINED,
    NUMBER,
    OPEN,
    RESULT,
    SENTENCE,
    UNIT,
    Checks,
    Number,
)
from press.page import PageContext
from press.results.numbers import metric_of

UNBOUND = (
    "'{}' is bound to nothing; name its run, claim or setting, or make it one of the conventions"
    " of site.toml"
)
ANOTHER = "'{}' makes another number of a result; write a space between the two"
CLAIM = re.compile(r'data-claim="([^"]+)"')


def tell_numbers(
    numbers: Iterable[Number],
    written: Mapping[Place, Written],
    post: Post,
    checks: Checks,
    summary: str,
    body: Markup,
    context: PageContext,
) -> None:
    """Tell what is wrong with a post's numbers, and remember how many of each kind it has.

    What was typed is an error of `check` in a post with front matter.
    """
    is_whole = post.has_front_matter
    metrics = context.results.metrics.values()
    units = {unit for metric in metrics for unit in (metric.unit, metric.difference)}
    counts: Counter[str] = Counter()
    unbound: list[tuple[str, str]] = []
    for kind, text, place in numbers:
        if kind == UNIT:
            if place in written and (sentence := _wrong_unit(text, written[place], units)):
                context.warn(place, sentence, code="unit")
            continue
        if kind == JOINED:
            if place in written and DIGIT.search(_plain(written[place].html)):
                context.warn(place, ANOTHER.format(text), is_whole, "typed-result")
            continue
        counts[kind] += 1
        if kind == RESULT:
            context.warn(place, SENTENCE.format(text), is_whole, "typed-result")
        elif kind == OPEN:
            unbound.append((str(place), text))
            if is_whole and checks.numbers == "all":
                context.warn(place, UNBOUND.format(text), True, "typed-number")
    counts.update(one.bound_to for one in written.values() if DIGIT.search(_plain(one.html)))
    if DIGIT.search(summary):
        known = set(NUMBER.findall(_plain(body)))
        for number in NUMBER.findall(summary):
            if number not in known:
                sentence = f"'{number}' of the summary stands nowhere in the post"
                context.warn(post.places["summary"], sentence, code="summary")
    claims = {*CLAIM.findall(body), *(id for one in written.values() for id in one.claims)}
    context.meta["numbers"] = {"counts": counts, "unbound": unbound, "claims": sorted(claims)}


def _wrong_unit(unit: str, written: Written, known: Container[str]) -> str:
    """What is wrong with a unit that stands beside an expression; empty if nothing is."""
    if written.bound_to == "setting" or not isinstance(written.value, int | float):
        return ""
    metric, text = metric_of(written.value), _plain(written.html)
    if metric.unit and text.rstrip().endswith(metric.unit):
        return f"'{unit}' stands behind '{text}', which has its unit already"
    if metric.unit == unit or unit not in known:  # which may be another word for it
        return ""
    own = f"is '{metric.unit}'" if metric.unit else "is none"
    return f"'{unit}' stands behind '{text}', whose unit {own}"


def _plain(html: str) -> str:
    """The text of HTML, tags taken off."""
    return Markup(html).striptags()
