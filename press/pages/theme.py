"""The site's own style sheet and script, each one file, and KaTeX's where a page has formulas."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from press.files import sha256_of, text_of
from press.markdown.math import FIRST_FONTS, FOLDER, Face, katex_files, used_faces


@dataclass(frozen=True)
class Theme:
    """The files that every page uses, by address."""

    files: dict[str, bytes]
    styles: list[str]
    scripts: list[str]


def load_theme(templates: Path) -> Theme:
    """Join the style sheets and the scripts of the templates' folder."""
    style = _joined(templates / "styles", "*.css")
    script = _joined(templates / "scripts", "*.js")
    files = {_named("style", ".css", style): style}
    scripts = [_named("script", ".js", script)] if script else []
    return Theme({**files, **dict.fromkeys(scripts, script)}, list(files), scripts)


def _joined(folder: Path, pattern: str) -> bytes:
    parts = [text_of(path) for path in sorted(folder.glob(pattern))]
    return "\n".join(parts).encode()


def _named(name: str, suffix: str, data: bytes) -> str:
    return f"assets/{name}-{sha256_of(data)[:10]}{suffix}"


def maths_theme(classes: set[str]) -> Theme:
    """Give KaTeX's style sheet and fonts as these classes of formulas need them.

    The style sheet stands in a layer of its own, so that the site's sheets have the last word.
    """
    return _maths_theme(used_faces(classes))


@cache
def _maths_theme(faces: frozenset[Face]) -> Theme:
    css, fonts = katex_files(faces)
    style = f"@layer katex {{{css}}}\n".encode()
    url = f"{FOLDER}/{_named('katex', '.css', style).removeprefix('assets/')}"
    files = {url: style, **{f"{FOLDER}/{name}": data for name, data in fonts.items()}}
    return Theme(files, [url], [])


def first_fonts(theme: Theme) -> list[str]:
    """Name the fonts that nearly every formula needs, to be asked for early."""
    wanted = [f"{FOLDER}/fonts/{name}.woff2" for name in FIRST_FONTS]
    return [url for url in wanted if url in theme.files]
