"""Expressions of a post, `{{ run("inpainting/house").psnr_db }}`, worked out safely."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import escape

from press.diagnostics import Diagnostic, SourceMap
from press.errors import InputError, nearest
from press.markdown.typed_results import (
    METHODS,
    SENTENCE,
    call_of_another_kind,
    typed_in_expression,
)
from press.page import PageContext
from press.results.expressions import FILTERS, OLD_NAMES, namespace
from press.results.numbers import Measured, Quoted
from press.results.selectors import refuse_old

NOTHING_TO_PRINT = "this is neither a number nor words; say which score is meant, as in .accuracy"


@dataclass
class Expressions:
    """The expressions of one page."""

    context: PageContext

    @cached_property
    def _names(self) -> dict[str, Any]:
        return namespace(self.context.results)

    @cached_property
    def _environment(self) -> SandboxedEnvironment:
        environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=True)
        environment.filters = dict(FILTERS)
        environment.globals = {}
        return environment

    def html(self, source: str, origin: SourceMap, start: int) -> str:
        """What an expression comes to, as HTML; whatever is wrong with it is told with its place.

        `start` is the offset in `origin` of the braces in front of it.
        """
        try:
            return self._worked_out(source)
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

    def _worked_out(self, source: str) -> str:
        """An expression's value as HTML; raises InputError if it was typed, not recorded."""
        compiled = self._environment.compile_expression(source, undefined_to_none=False)
        tree = self._environment.parse(f"{{{{{source}}}}}")
        if (typed := typed_in_expression(tree)) is not None:
            raise InputError(SENTENCE.format(typed))
        if (called := call_of_another_kind(tree)) is not None:
            refuse_old(called, 'run("suite/image", ')
            raise InputError(f"an expression cannot call '{called}'{nearest(called, METHODS)}")
        value = compiled(**self._names)
        if isinstance(value, float) and not isinstance(value, Measured | Quoted):
            raise InputError(f"'{value}' is no number of a run, a suite or a claim")
        text = str(escape(value))  # what is undefined says so here
        is_written = isinstance(value, str | int) or hasattr(value, "__html__")
        if isinstance(value, bool) or not is_written:
            raise InputError(NOTHING_TO_PRINT)
        return text

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
