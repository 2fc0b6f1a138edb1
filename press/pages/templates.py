"""The templates: Jinja, strict about names, mistakes told with the template's line."""

import re
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from press.errors import InputError
from press.page import PageContext
from press.pages.site import Site

if TYPE_CHECKING:
    from jinja2 import Environment


@dataclass
class Templates:
    """The templates of a site, and what all of them see."""

    folder: Path
    site: Site
    assets: dict[str, Any]
    compiled: Path  # folder for what Jinja makes of the templates

    @cached_property
    def _environment(self) -> "Environment":
        from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined

        from press.results.expressions import FILTERS

        self.compiled.mkdir(parents=True, exist_ok=True)
        environment = Environment(
            loader=FileSystemLoader(self.folder),
            autoescape=True,
            undefined=StrictUndefined,
            bytecode_cache=FileSystemBytecodeCache(str(self.compiled)),
        )
        environment.filters.update(FILTERS)
        environment.globals["site"] = self.site
        return environment

    def render(self, context: PageContext, name: str, values: dict[str, Any]) -> str:
        """Fill a template; raises InputError with the template's line for a mistake in it."""
        from jinja2 import TemplateError, TemplateNotFound, TemplateSyntaxError

        assets = self.assets_from(context.root)
        try:
            template = self._environment.get_template(name)
            return template.render({"root": context.root, "assets": assets, **values})
        except TemplateNotFound as error:
            raise InputError(f"there is no template '{error.name}'", self.folder) from None
        except TemplateSyntaxError as error:
            path = self.folder / (error.name or name)
            column = _column(path, error.lineno, str(error.message))
            raise InputError(f"{error.message}", path, error.lineno, column) from None
        except (TemplateError, TypeError, AttributeError, KeyError, ValueError) as error:
            path, line = self._place(name)
            sentence = _sentence(error)
            raise InputError(sentence, path, line, _column(path, line, sentence)) from error

    def _place(self, name: str) -> tuple[Path, int | None]:
        """Find the innermost line of a template in the error that is being handled."""
        found: tuple[Path, int | None] = (self.folder / name, None)
        trace = sys.exc_info()[2]
        while trace:
            path = Path(trace.tb_frame.f_code.co_filename)
            if path.is_relative_to(self.folder):
                found = path, trace.tb_lineno
            trace = trace.tb_next
        return found

    def assets_from(self, root: str) -> dict[str, Any]:
        """Give the style sheets and scripts as a page at this root names them."""
        return {
            name: [root + url for url in value] if isinstance(value, list) else value
            for name, value in self.assets.items()
        }


def _column(path: Path, line: int | None, sentence: str) -> int | None:
    """Give the column, from 1, of what a sentence quotes in a line of a template, or of its tag."""
    if line is None or not path.is_file():
        return None
    text = [*path.read_text(encoding="utf-8").splitlines(), *[""] * line][line - 1]
    quoted = [word for word in re.findall(r"'([^']+)'", sentence) if word in text]
    tag = re.search(r"\{[{%]", text)
    return text.index(quoted[0]) + 1 if quoted else tag.start() + 1 if tag else 1


def _sentence(error: Exception) -> str:
    text = re.sub(r"^'press\.\S+ object' has", "this value has", str(error))
    return f"this template cannot be filled: {text}"
