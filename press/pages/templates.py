"""The theme: templates (Jinja, strict about names), one style sheet, one script, KaTeX's fonts.

A file of the project's own folder goes before the theme's file of the same name; `theme/post.html`
names the theme's. A mistake in a template is reported with the template's line.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import jinja2
from jinja2.bccache import Bucket, BytecodeCache

from press.cache import Cache
from press.errors import InputError, innermost
from press.files import FORBIDDEN, sha256_of, text_of
from press.markdown.math import FIRST_FONTS, FOLDER, katex_files
from press.page import PageContext
from press.pages.site_pages import Site
from press.results.expressions import FILTERS


@dataclass(frozen=True)
class Theme:
    """Files that pages load, and the addresses by which a page's head names them."""

    files: dict[str, bytes] = field(default_factory=dict)
    styles: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    fonts: list[str] = field(default_factory=list)  # to be asked for early


def load_theme(folders: Sequence[Path]) -> Theme:
    """Join the style sheets and the scripts of the templates' folders, each name once."""
    style, script = _joined(folders, "styles/*.css"), _joined(folders, "scripts/*.js")
    files = {_named("assets/style", ".css", style): style}
    scripts = [_named("assets/script", ".js", script)] if script else []
    return Theme({**files, **dict.fromkeys(scripts, script)}, list(files), scripts)


def _joined(folders: Sequence[Path], pattern: str) -> bytes:
    found = {path.name: path for folder in reversed(folders) for path in folder.glob(pattern)}
    return "\n".join(text_of(found[name]) for name in sorted(found)).encode()


def _named(name: str, suffix: str, data: bytes) -> str:
    return f"{name}-{sha256_of(data)[:10]}{suffix}"


@cache
def maths_theme() -> Theme:
    """KaTeX's style sheet and fonts, which a page with formulas needs.

    The style sheet stands in a layer of its own, so that the site's sheets have the last word.
    """
    css, fonts = katex_files()
    style = f"@layer katex {{{css}}}\n".encode()
    url = _named(f"{FOLDER}/katex", ".css", style)
    files = {url: style, **{f"{FOLDER}/{name}": data for name, data in fonts.items()}}
    return Theme(files, [url], [], [f"{FOLDER}/fonts/{name}.woff2" for name in FIRST_FONTS])


@dataclass
class CompiledTemplates(BytecodeCache):
    """Keeps compiled templates in the cache, whose seal keeps broken code from being run."""

    cache: Cache

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill a bucket with what was kept for its template and that template's text."""
        kept = self.cache.get("templates", f"{bucket.key}|{bucket.checksum}")
        if kept is not None:
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was made of a template."""
        kept = bucket.bytecode_to_string()
        self.cache.put("templates", f"{bucket.key}|{bucket.checksum}", kept)


@dataclass
class Templates:
    """The templates of a site, and what all of them see."""

    folders: Sequence[Path]  # those whose files come first, first; the theme's is the last
    site: Site
    theme: Theme
    cache: Cache
    has_runs: bool = False  # whether the site has pages about runs

    @cached_property
    def _environment(self) -> jinja2.Environment:
        every = jinja2.FileSystemLoader(self.folders)
        theme = jinja2.FileSystemLoader(self.folders[-1])
        environment = jinja2.Environment(
            loader=jinja2.ChoiceLoader([every, jinja2.PrefixLoader({"theme": theme})]),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            bytecode_cache=CompiledTemplates(self.cache),
        )
        environment.filters.update(FILTERS)
        environment.globals["site"] = self.site
        return environment

    def render(self, context: PageContext, name: str, values: dict[str, Any]) -> str:
        """Fill a template; raises InputError with the template's line for a mistake in it.

        `root` among the values goes before that of the page, and `maths` is a theme that the page
        loads before the site's own.
        """
        root = values.get("root", context.root)
        seen = {**values, "root": root, "assets": self._assets(root, values.get("maths", Theme()))}
        try:
            text = self._environment.get_template(name).render(seen)
            return FORBIDDEN.sub("\ufffd", text) if name.endswith(".xml") else text
        except jinja2.TemplateNotFound as error:
            raise InputError(f"there is no template '{error.name}'", self.folders[0]) from None
        except jinja2.TemplateSyntaxError as error:
            path = Path(error.filename or name)
            column = _column(path, error.lineno, str(error.message))
            raise InputError(f"{error.message}", path, error.lineno, column) from None
        except (jinja2.TemplateError, TypeError, AttributeError, KeyError, ValueError) as error:
            path, line = innermost(error, *self.folders) or (Path(name), None)
            text = re.sub(r"^'press\.\S+ object' has", "this value has", str(error))
            sentence = f"this template cannot be filled: {text}"
            raise InputError(sentence, path, line, _column(path, line, sentence)) from error

    def _assets(self, root: str, maths: Theme) -> dict[str, Any]:
        """The style sheets, scripts and fonts as a page at this root names them."""
        fonts = maths.fonts if self.site.base_url else []  # from disk browsers load none early
        return {
            "styles": [root + url for url in (*maths.styles, *self.theme.styles)],
            "scripts": [root + url for url in self.theme.scripts],
            "fonts": [root + url for url in fonts],
            "has_runs": self.has_runs,
        }


def _column(path: Path, line: int | None, sentence: str) -> int | None:
    """The column, from 1, of what a sentence quotes in a line of a template, or of its tag."""
    if line is None or not path.is_file():
        return None
    text = [*path.read_text(encoding="utf-8").splitlines(), *[""] * line][line - 1]
    quoted = [word for word in re.findall(r"'([^']+)'", sentence) if word in text]
    tag = re.search(r"\{[{%]", text)
    return text.index(quoted[0]) + 1 if quoted else tag.start() + 1 if tag else 1
