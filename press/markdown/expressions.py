"""Expressions of a post, `{{ run("inpainting/house").psnr_db }}`, worked out safely."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property, wraps
from typing import Any, NamedTuple

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import escape

from press.diagnostics import Diagnostic, Place, SourceMap
from press.errors import InputError, nearest
from press.markdown.typed_numbers import SENTENCE
from press.page import PageContext
from press.results.expressions import FILTERS, OLD_NAMES, namespace
from press.results.numbers import Measured, Quoted
from press.results.selectors import refuse_old
from press.results.settings import Setting

NOTHING_TO_PRINT = "this is neither a number nor words; say which score is meant, as in .accuracy"
BOUND_TO = {
    "run": "run", "suite": "run", "verdict": "run", "verdicts": "run", "claim": "claim",
    "setting": "setting",
}  # fmt: skip


class Written(NamedTuple):
    """What an expression came to: what it is bound to, and the number behind its HTML."""

    bound_to: str  # run, claim or setting; a difference of a run and a claim to the run
    claims: tuple[str, ...]  # the ids that it names
    html: str
    value: Any  # before a filter wrote it


@dataclass
class Expressions:
    """The expressions of one page, and what they came to: by the places of their braces."""

    context: PageContext
    written: dict[Place, Written] = field(default_factory=dict)
    _value: Any = None  # the number that was last given to a filter

    @cached_property
    def _names(self) -> dict[str, Any]:
        return namespace(self.context.results)

    @cached_property
    def _environment(self) -> SandboxedEnvironment:
        environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=True)
        environment.filters = {name: self._noting(write) for name, write in FILTERS.items()}
        environment.globals = {}
        return environment

    def html(self, source: str, origin: SourceMap, start: int) -> str:
        """What an expression comes to, as HTML; whatever is wrong with it is told with its place.

        `start` is the offset in `origin` of the braces in front of it.
        """
        place = self.context.place = origin.at(start)
        try:
            written = self.written[place] = self._worked_out(source)
            return written.html
        except Exception as error:  # noqa: BLE001  an expression can call anything, so anything can go wrong
            if isinstance(error, InputError) and error.line is not None:
                elsewhere = Diagnostic.from_error(error)
                self.context.error(elsewhere.place, elsewhere.sentence)
                return ""
            sentence = self._explained(error)
            quoted = re.search(r"'([^']+)'", sentence)
            at = source.find(quoted[1]) if quoted else -1
            at = at if at >= 0 else len(source) - len(source.lstrip())
            self.context.error(origin.at(start + len("{{") + at), sentence)
            return ""

    def _noting(self, write: Callable[..., Any]) -> Callable[..., Any]:
        """A filter that remembers the number it is given."""

        @wraps(write)
        def noting(value: Any, *given: Any, **named: Any) -> Any:
            self._value = value if isinstance(value, float) else self._value
            return write(value, *given, **named)

        return noting

    def _worked_out(self, source: str) -> Written:
        """What an expression comes to; raises InputError if it was typed, not recorded."""
        self._value = None
        compiled = self._environment.compile_expression(source, undefined_to_none=False)
        tree = self._environment.parse(f"{{{{{source}}}}}")
        if (typed := typed_in_expression(tree)) is not None:
            raise InputError(SENTENCE.format(typed))
        if (called := call_of_another_kind(tree)) is not None:
            refuse_old(called, 'run("suite/case", ')
            raise InputError(f"an expression cannot call '{called}'{nearest(called, METHODS)}")
        value = compiled(**self._names)
        if isinstance(value, float) and not isinstance(value, Measured | Quoted | Setting):
            raise InputError(f"'{value}' is no number of a run, a suite or a claim")
        text = str(escape(value))  # what is undefined says so here
        is_written = isinstance(value, str | int) or hasattr(value, "__html__")
        if isinstance(value, bool) or not is_written:
            raise InputError(NOTHING_TO_PRINT)
        called, claims = bound_to(tree)
        return Written(called, claims, text, value if self._value is None else self._value)

    def _explained(self, error: Exception) -> str:
        """What is wrong, in a sentence that quotes the wrong word first, if one is known."""
        text = str(error)
        if isinstance(error, InputError):
            return text
        named = re.search(r"(?:No filter named|has no attribute) '(\w+)'", text)
        if named and named[1] in OLD_NAMES:
            return OLD_NAMES[named[1]]
        if unknown := re.search(r"^No filter named '(\w+)'", text):
            near = nearest(unknown[1], self._environment.filters)
            return f"unknown filter '{unknown[1]}'{near}"
        if unknown := re.search(r"^'(\w+)' is undefined$", text):
            return f"unknown name '{unknown[1]}'{nearest(unknown[1], self._names)}"
        if isinstance(error, TemplateSyntaxError):
            return f"this is no expression: {text.replace('end of template', 'end')}"
        return f"this expression cannot be worked out: {text}"


# What an expression may call of what it names: all else, such as text's own `replace`, could write
# what no record says.
METHODS = ("mean", "of", "run", "stopped")


def call_of_another_kind(tree: nodes.Template) -> str | None:
    """Give the name of what an expression calls, if that is neither a function nor of METHODS."""
    for call in tree.find_all(nodes.Call):
        called = call.node
        if isinstance(called, nodes.Getattr) and called.attr not in METHODS:
            return called.attr
        if not isinstance(called, nodes.Name | nodes.Getattr):
            return ""
    return None


def bound_to(tree: nodes.Template) -> tuple[str, tuple[str, ...]]:
    """What an expression is bound to, and the claims that it names."""
    kinds, claims = {""}, []
    for call in tree.find_all(nodes.Call):
        name = call.node.name if isinstance(call.node, nodes.Name) else ""
        kinds.add(BOUND_TO.get(name, ""))
        first = call.args[0] if call.args else None
        if name in ("claim", "verdict") and isinstance(first, nodes.Const):
            claims.append(str(first.value))
    return next((kind for kind in BOUND_TO.values() if kind in kinds), "run"), tuple(claims)


def typed_in_expression(tree: nodes.Template) -> str | None:
    """Give the first constant of an expression that could be printed as a result.

    A constant may name or choose, as an argument of a function or a filter; it may stand nowhere
    else, and is no decimal: `{{ 34.39 | value }}`, `{{ "34.39 dB" }}`, `... + 1` are typed. Words
    that a filter is given have no digit: it may print them.
    """

    def given(calls: Iterable[nodes.Call | nodes.Filter]) -> set[int]:
        return {id(arg) for c in calls for arg in (*c.args, *(word.value for word in c.kwargs))}

    printed = given(tree.find_all(nodes.Filter))
    choosing = printed | given(tree.find_all(nodes.Call))
    for constant in tree.find_all(nodes.Const):
        value = constant.value
        words = isinstance(value, str) and id(constant) in printed
        if words and any(letter.isdigit() for letter in value):
            return str(value)
        if isinstance(value, float) or id(constant) not in choosing:
            return str(value)
    return None
