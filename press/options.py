"""What one call of the press is asked to do."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parent
IN_WHEEL = PACKAGE / "theme"  # where a wheel has what stands beside this package in the repository
THEME = IN_WHEEL if IN_WHEEL.is_dir() else PACKAGE.parent / "templates"


def _near(path: Path) -> Path:
    """A path as seen from the working folder, if it is below that."""
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path


def parts_folder(cache: Path, results: Path, content: Path) -> Path:
    """Where the manifest of a project is kept, a file for each suite: other folders, another."""
    folders = b"\n".join(os.fsencode(path.absolute()) for path in (results, content))
    return cache / f"manifest-{hashlib.sha256(folders).hexdigest()[:12]}"


@dataclass(frozen=True)
class Options:
    """The folders and the manner of one build."""

    content: Path = Path("content")
    results: Path = Path("results")
    out: Path = Path("site")
    base_url: str | None = None
    run: str = "auto"  # auto, never or all
    strict: bool = False  # warnings are errors
    check: bool = False  # results typed by hand are errors, and the made site is checked
    drafts: bool = False  # make drafts too
    cache_folder: Path | None = None

    @property
    def templates(self) -> tuple[Path, ...]:
        """The folders of templates: the project's own, whose files come first, and the theme."""
        own = self.content.absolute().parent / "templates"
        return tuple(dict.fromkeys([_near(own), _near(THEME)]))

    @property
    def code(self) -> Path:
        """The folder of this package."""
        return _near(PACKAGE)

    @property
    def cache(self) -> Path:
        """The folder of what can be made again; it stands beside the output."""
        return self.cache_folder or self.out.parent / ".press"

    @property
    def parts(self) -> Path:
        """Where the manifest is kept, a file for each suite."""
        return parts_folder(self.cache, self.results, self.content)

    def identity(self) -> list[str | None]:
        """What makes one build's pages differ from another's, beside the inputs."""
        folders = [str(path.absolute()) for path in (self.content, self.results, self.out)]
        return [*folders, self.base_url, str(self.drafts)]
