"""Expressions of a post, `{{ run("inpainting/house").psnr_db }}`, worked out safely.

An expression is read as Python reads one, and its tree is walked here: no code is ever made of it.
It calls functions, asks for attributes of what they give, takes one result from another, divides
one setting by another, and writes what comes out by filters. One that compares writes nothing: it
says what the words beside it rest on, `{{ verdicts("inpainting").reproduced == 4 }}`, and what does
not hold is told.
"""

import ast
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from inspect import signature
from keyword import iskeyword, kwlist
from typing import Any, NamedTuple, get_args
from warnings import catch_warnings

from markupsafe import Markup, escape

from press.diagnostics import Diagnostic, Place, SourceMap
from press.errors import InputError, nearest
from press.markdown.typed_numbers import SENTENCE
from press.page import PageContext
from press.results.comparison import why_not
from press.results.each import Each, one_by_one
from press.results.expressions import FILTERS, namespace
from press.results.numbers import difference
from press.results.run import Run, Score, Stability, refuse_clash
from press.results.settings import Settings
from press.results.suite import ScoreTable, SuiteView
from press.results.verdicts import WORDS, Verdict, Verdicts

LONGEST = 500  # characters of an expression
NOTHING_TO_PRINT = "this is neither a number nor words; say which score is meant, as in .accuracy"
NO_PART = (
    "'{}' is no part of an expression, which calls a function such as run(\"suite/case\"), asks for"
    " attributes, takes one result from another, filters and compares"
)
ALONE = (
    "a comparison stands alone within its braces: write each into braces of its own, or a chain as"
    " 31 < x < 33"
)
NO_COMMAS = "a number that is compared has no commas between thousands: 3000"
SIGNS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
BOUND_TO = {
    "run": "run", "runs": "run", "suite": "run", "verdict": "run", "verdicts": "run",
    "claim": "claim", "claims": "claim", "setting": "setting",
}  # fmt: skip
# What has attributes that an expression may ask for, and what it may call of them: Python's
# `replace` of a text, or `denominator` of a count, could write what no record says.
RESULTS = (Run, Score, Stability, SuiteView, ScoreTable, Verdict, Verdicts, Settings)
METHODS = ("iterates_within", "mean", "of", "run", "stopped")
# A word of Python's own as an attribute, which Python would not read: `.lambda`; not within quotes.
RESERVED = re.compile(rf"""("[^"]*"|'[^']*')|(?<=\.)(?:{"|".join(kwlist)})\b""")
KINDS = {int: "an integer", str: "text"}  # of constants


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
    _source: str = ""  # of the expression that is worked out
    _filtered: Any = None  # the number that was last given to a filter

    @cached_property
    def _functions(self) -> dict[str, Callable[..., Any]]:
        return namespace(self.context.results)

    def html(self, source: str, origin: SourceMap, start: int) -> str:
        """What an expression comes to, as HTML; whatever is wrong with it is told with its place.

        `start` is the offset in `origin` of the braces in front of it.
        """
        place = self.context.place = origin.at(start)
        try:
            written = self.written[place] = self._worked_out(source)
            return written.html
        except InputError as error:
            told = Diagnostic.from_error(error)
            quoted = re.search(r"'([^']+)'", told.sentence)
            at = source.find(quoted[1]) if quoted else -1
            at = at if at >= 0 else len(source) - len(source.lstrip())
            self.context.error(told.place or origin.at(start + len("{{") + at), told.sentence)
            return ""

    def _worked_out(self, source: str) -> Written:
        """What an expression comes to; raises InputError if it was typed, not recorded."""
        self._filtered = None
        plain = source.replace(r"\|", "|")  # as a cell of a table may have it
        self._source = RESERVED.sub(lambda found: found[1] or f"{found[0]}_", plain)
        tree = parsed(self._source)
        if isinstance(tree, ast.Compare):
            self._look_whether_it_holds(tree, source.strip())
            return Written(*bound_to(tree), "", None)
        if any(isinstance(node, ast.Compare) for node in ast.walk(tree)):
            has_commas = isinstance(tree, ast.Tuple) and isinstance(tree.elts[-1], ast.Constant)
            raise InputError(NO_COMMAS if has_commas else ALONE)
        if (typed := typed_in_expression(tree)) is not None:
            raise InputError(SENTENCE.format(typed.value))
        value = printed(self._value(tree))
        number = value if self._filtered is None else self._filtered
        return Written(*bound_to(tree), str(escape(value)), number)

    def _look_whether_it_holds(self, tree: ast.Compare, source: str) -> None:
        """Tell of a comparison that does not hold, or cannot be told yet; nothing if it holds."""
        nodes = (tree.left, *tree.comparators)
        if not any(isinstance(node, ast.Call) for side in nodes for node in ast.walk(side)):
            raise InputError("a comparison names a result, a claim or a setting")
        if any(isinstance(node, ast.Attribute) and node.attr == "word" for node in nodes):
            texts = [str(node.value) for node in nodes if isinstance(node, ast.Constant)]
            for text in (text for text in texts if text not in WORDS):
                raise InputError(f"no verdict is called '{text}'{nearest(text, WORDS)}")
        signs = [SIGNS.get(type(kind), "") for kind in tree.ops]
        if why := why_not(signs, [self._side(node) for node in nodes]):
            sentence = f"'{' '.join(source.split())}', on which these words rest, {why}"
            self.context.warn(self.context.place, sentence, is_for_check=True, code="untrue")

    def _side(self, node: ast.expr) -> Any:
        """One side of a comparison: a result, or a number or a text that is typed."""
        match node:
            case ast.Constant(value) if type(value) in (int, float, str):
                return value
            case ast.UnaryOp(ast.USub(), ast.Constant(int() | float() as value)):
                return -value
        value = self._value(node)
        return value.map(printed) if isinstance(value, Each) else printed(value)

    def _value(self, node: ast.expr) -> Any:
        """What a part of an expression comes to; what has no case here cannot be written."""
        match node:
            case ast.Name(name) if name not in self._functions:
                raise InputError(f"unknown name '{name}'{nearest(name, self._functions)}")
            case ast.Call(ast.Name(name)) if name in self._functions:
                return called(name, self._functions[name], node)
            case ast.Call(ast.Name() as name):
                return self._value(name)
            case ast.Call(ast.Attribute(of, name)) if name in METHODS:
                return called(name, attribute(self._value(of), name), node)
            case ast.Call(function):
                name = function.attr if isinstance(function, ast.Attribute) else ""
                raise InputError(f"an expression cannot call '{name}'{nearest(name, METHODS)}")
            case ast.Attribute(of, name):
                return attribute(self._value(of), name)
            case ast.BinOp(number, ast.BitOr(), ast.Name(name) | ast.Call(ast.Name(name)) as given):
                return self._written(number, name, given)
            case ast.BinOp(one, ast.Sub(), other):
                return one_by_one(difference, self._value(one), self._value(other))
        raise InputError(NO_PART.format(ast.get_source_segment(f"({self._source})", node)))

    def _written(self, number: ast.expr, name: str, given: ast.expr) -> Any:
        """What a filter makes of a number."""
        if name not in FILTERS:
            raise InputError(f"unknown filter '{name}'{nearest(name, FILTERS)}")
        value = printed(self._value(number))
        if isinstance(value, Markup):
            raise InputError(f"'{name}' follows a filter that has written the number already")
        self._filtered = value if isinstance(value, float) else self._filtered
        return called(name, FILTERS[name], given, value)


def parsed(source: str) -> ast.expr:
    """The syntax tree of an expression; raises InputError if it is none, or is too long.

    It is that of Python, of which `_value` knows a small part. Nothing is worked out here.
    """
    if len(source) > LONGEST:
        raise InputError(f"an expression has {LONGEST} characters at most")
    if not source.strip():
        raise InputError("there is nothing within these braces")
    try:
        with catch_warnings(action="ignore"):
            return ast.parse(f"({source})", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        why = getattr(error, "msg", "it is nested too deeply, or no text")
        raise InputError(f"this is no expression: {why.partition(' (')[0]}") from None


def printed(value: Any) -> Any:
    """What an expression came to, if a page can show it; else raises InputError."""
    if isinstance(value, Each):
        raise InputError(f"{value.name} are many numbers, which are compared, not written")
    if type(value) not in (int, str) and not hasattr(value, "__html__"):
        raise InputError(NOTHING_TO_PRINT)
    return value


def called(name: str, function: Any, call: ast.expr, *given: Any) -> Any:
    """What a function gives for the constants of a call, behind what is `given`.

    Raises InputError for an argument that is none of the function's, or not of its kind.
    """
    args, words = (call.args, call.keywords) if isinstance(call, ast.Call) else ([], [])
    if not callable(function):
        raise InputError(f"'{name}' is not called: write it without brackets")
    try:
        named = {str(word.arg): _constant(word.value) for word in words}
        bound = signature(function).bind(*given, *map(_constant, args), **named)
    except TypeError as error:
        raise InputError(f"'{name}': {error}") from None
    for key, value in [*bound.arguments.items()][len(given) :]:
        annotation = bound.signature.parameters[key].annotation
        kinds = get_args(annotation) or (annotation,)
        if type(value) not in kinds:
            wanted = next((KINDS[kind] for kind in KINDS if kind in kinds), "nothing")
            raise InputError(f"'{name}': expected {wanted} as its {key}")
    return function(*bound.args, **bound.kwargs)


def _constant(node: ast.expr) -> Any:
    """The value of a constant; of another node itself, which is no value of any kind."""
    match node:
        case ast.UnaryOp(ast.USub(), ast.Constant(int() as value)):
            return -value
        case ast.Constant(value):
            return value
    return node


def attribute(of: Any, name: str) -> Any:
    """What a result has under a name; raises InputError for what an expression may not ask."""
    if isinstance(of, Each):
        return of.map(lambda one: attribute(one, name))
    name = name[:-1] if iskeyword(name[:-1]) else name
    is_result = isinstance(of, RESULTS)
    if is_result and not name.startswith("_"):
        refuse_clash(of, name)
        with suppress(AttributeError):
            return getattr(of, name)
    known = [one for one in dir(of) if is_result and not one.startswith("_")]
    raise InputError(f"this has no '{name}'{nearest(name, known)}")


def bound_to(tree: ast.expr) -> tuple[str, tuple[str, ...]]:
    """What an expression is bound to, and the claims that it names."""
    kinds, claims = {""}, []
    for node in ast.walk(tree):
        match node:
            case ast.Call(ast.Name(name), given):
                kinds.add(BOUND_TO.get(name, ""))
                if name in ("claim", "claims", "verdict"):
                    claims += [str(one.value) for one in given[:1] if isinstance(one, ast.Constant)]
    return next((kind for kind in BOUND_TO.values() if kind in kinds), "run"), tuple(claims)


def typed_in_expression(tree: ast.expr) -> ast.Constant | None:
    """The first constant of an expression that could be printed as a result; None without.

    A constant may name or choose, as an argument of a function or a filter; it may stand nowhere
    else, and is no decimal: `{{ 34.39 | value }}`, `{{ "34.39 dB" }}`, `... + 1` are typed.
    """
    nodes = [*ast.walk(tree)]
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    given = [arg for c in calls for arg in (*c.args, *(word.value for word in c.keywords))]
    choosing = {id(arg.operand if isinstance(arg, ast.UnaryOp) else arg) for arg in given}
    constants = [node for node in nodes if isinstance(node, ast.Constant)]
    typed = [one for one in constants if type(one.value) is float or id(one) not in choosing]
    return min(typed, key=lambda one: (one.lineno, one.col_offset), default=None)
