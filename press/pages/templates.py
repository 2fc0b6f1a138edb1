"""The theme: templates (Jinja, strict about names), one style sheet, one script, KaTeX's fonts.

A file of the project's own folder goes before the theme's file of the same name; `theme/post.html`
names the theme's. A mistake in a template is reported with the template's line.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import nodes

from press.errors import InputError, innermost, nearest
from press.files import FORBIDDEN, sha256_of, text_of
from press.markdown.math import FIRST_FONTS, FOLDER, katex_files
from press.page import PageContext
from press.pages.site_pages import Site
from press.results.expressions import FILTERS

# A template that another one names.
NAMING = re.compile(r"""\{%[-+]?\s*(extend|include|import|from)s?\s+["']([^"']+)["']""")
# What a slip in a template comes to; anything else is a defect of the press.
MISTAKES = (
    jinja2.TemplateError, TypeError, AttributeError, LookupError, ValueError, ArithmeticError,
)  # fmt: skip


@dataclass(frozen=True)
class Theme:
    """Files that pages load, and the addresses by which a page's head names them."""

    files: dict[str, bytes] = field(default_factory=dict)
    styles: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    fonts: list[str] = field(default_factory=list)  # to be asked for early


def load_theme(folders: Sequence[Path]) -> Theme:
    """Join the style sheets and the scripts of the templates' folders, each name once."""
    style = _joined(folders, "styles/[!.]*.css", "\n")
    # A script's last statement may lack the semicolon without which the next file goes on with it.
    script = _joined(folders, "scripts/[!.]*.js", "\n;\n")
    files = {_named("assets/style", ".css", style): style}
    scripts = [_named("assets/script", ".js", script)] if script else []
    return Theme({**files, **dict.fromkeys(scripts, script)}, list(files), scripts)


def _joined(folders: Sequence[Path], pattern: str, between: str) -> bytes:
    found = {path.name: path for folder in reversed(folders) for path in folder.glob(pattern)}
    return between.join(text_of(found[name]) for name in sorted(found)).encode()


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


class TextLoader(jinja2.FileSystemLoader):
    """Reads templates; raises InputError, with its place, for one that is not UTF-8."""

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        """A template's text, its file, and whether that is as it was."""
        try:
            return super().get_source(environment, template)
        except UnicodeDecodeError:
            paths = [Path(folder, template) for folder in self.searchpath]
            text_of(next(path for path in paths if path.is_file()))
            raise


@dataclass
class Templates:
    """The templates of a site, and what all of them see."""

    folders: Sequence[Path]  # those whose files come first, first; the theme's is the last
    site: Site
    theme: Theme
    has_runs: bool = False  # whether the site has pages about runs
    _known_blocks: dict[str, set[str]] = field(init=False, default_factory=dict)

    @cached_property
    def _environment(self) -> jinja2.Environment:
        every, theme = TextLoader(self.folders), TextLoader(self.folders[-1])
        environment = jinja2.Environment(
            loader=jinja2.ChoiceLoader([every, jinja2.PrefixLoader({"theme": theme})]),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
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
            if any(folder.is_dir() for folder in self.folders[:-1]):
                self._blocks(name)
            return FORBIDDEN.sub("\ufffd", text) if name.endswith(".xml") else text
        except jinja2.TemplateNotFound as error:
            near = nearest(str(error.name), self._environment.list_templates())
            sentence = f"there is no template '{error.name}'{near}"
            raise self._mistake(error, sentence, self.folders[0]) from None
        except jinja2.TemplateSyntaxError as error:
            path = Path(error.filename or name)
            column = _column(path, error.lineno, str(error.message))
            raise InputError(f"{error.message}", path, error.lineno, column) from None
        except RecursionError as error:
            raise self._mistake(error, self._endless(error), Path(name)) from None
        except MISTAKES as error:
            text = re.sub(r"^'[\w.]+ object' has", "this value has", str(error))
            sentence = f"this template cannot be filled: {text}"
            raise self._mistake(error, sentence, Path(name)) from error

    def _blocks(self, name: str) -> set[str] | None:
        """The blocks of a template and of those that it extends; None where a value names these.

        Raises InputError for a block that takes the place of none, and so would be left out.
        """
        if name not in self._known_blocks:
            assert self._environment.loader
            text, file, _ = self._environment.loader.get_source(self._environment, name)
            tree = self._environment.parse(text)
            known = {block.name for block in tree.find_all(nodes.Block)}
            for parent in [extends.template for extends in tree.find_all(nodes.Extends)]:
                theirs = self._blocks(parent.value) if isinstance(parent, nodes.Const) else None
                if theirs is None:
                    return None
                _require_blocks(tree, theirs, Path(str(file)))
                known |= theirs
            self._known_blocks[name] = known
        return self._known_blocks[name]

    def _mistake(self, error: BaseException, sentence: str, file: Path) -> InputError:
        """A mistake at the template's line through which it came, or else in `file`."""
        path, line = innermost(error, *self.folders) or (file, None)
        return InputError(sentence, path, line, _column(path, line, sentence))

    def _endless(self, error: RecursionError) -> str:
        """What a template does that comes back to itself without end."""
        path, line = innermost(error, *self.folders) or (Path(), 1)
        found = NAMING.search(_line(path, line))
        if not found:
            return "this template calls itself without end"
        verb, name = found.groups()
        itself = "itself" if path.as_posix().endswith(f"/{name}") else f"'{name}' without end"
        theme = f"; did you mean 'theme/{name}'?" if (self.folders[-1] / name).is_file() else ""
        return f"this template {verb.replace('from', 'import')}s {itself}{theme}"

    def _assets(self, root: str, maths: Theme) -> dict[str, Any]:
        """The style sheets, scripts and fonts as a page at this root names them."""
        fonts = maths.fonts if self.site.base_url else []  # from disk browsers load none early
        return {
            "styles": [root + url for url in (*maths.styles, *self.theme.styles)],
            "scripts": [root + url for url in self.theme.scripts],
            "fonts": [root + url for url in fonts],
            "has_runs": self.has_runs,
        }


def _require_blocks(tree: nodes.Template, theirs: set[str], file: Path) -> None:
    """Raise InputError for a block outside of others that no template extended here has."""
    called = {
        one.attr
        for one in tree.find_all(nodes.Getattr)
        if isinstance(one.node, nodes.Name) and one.node.name == "self"  # {{ self.title() }}
    }
    blocks = [*tree.find_all(nodes.Block)]
    nested = {inner.name for block in blocks for inner in block.find_all(nodes.Block)}
    for block in blocks:
        if block.name not in theirs | called | nested:
            near = nearest(block.name, theirs)
            sentence = f"no template that this one extends has a block '{block.name}'{near}"
            raise InputError(sentence, file, block.lineno, _column(file, block.lineno, sentence))


def _column(path: Path, line: int | None, sentence: str) -> int | None:
    """The column, from 1, of what a sentence quotes in a line of a template, or of its tag."""
    if line is None or not path.is_file():
        return None
    text = _line(path, line)
    quoted = [word for word in re.findall(r"'([^']+)'", sentence) if word in text]
    tag = re.search(r"\{[{%]", text)
    return text.index(quoted[0]) + 1 if quoted else tag.start() + 1 if tag else 1


def _line(path: Path, line: int) -> str:
    """A line of a template; empty if it has none of this number."""
    rows = text_of(path).splitlines() if path.is_file() else []
    return [*rows, *[""] * line][line - 1]
