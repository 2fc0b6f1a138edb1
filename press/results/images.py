"""What a page may say and show of the test images, from content/images.toml."""

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from press.toml_file import toml_file


class ImageList:
    """The test images' titles, whether they may be shown, and the hashes of their pixels."""

    def __init__(self, path: Path, note: Callable[[Path], None]) -> None:
        """Name the file; it is read when something of it is first asked for."""
        self._path, self._note = path, note

    @cached_property
    def _tables(self) -> dict[str, Any]:
        self._note(self._path)
        return toml_file(self._path).data if self._path.exists() else {}

    def _entry(self, image: str) -> Mapping[str, Any]:
        group, _, name = image.partition("/")
        nested = self._tables.get(group, {})
        entry = self._tables.get(image, nested.get(name, {}) if isinstance(nested, dict) else {})
        return entry if isinstance(entry, dict) else {}

    def title(self, image: str) -> str:
        """Give the name that a page writes: the entry's title, or the bare name capitalised."""
        name = image.rpartition("/")[2]
        return str(self._entry(image).get("title", name[:1].upper() + name[1:]))

    def shown(self, image: str) -> bool:
        """Tell whether pictures of the image may be shown."""
        return bool(self._entry(image).get("show", True))

    def why_not_shown(self, image: str) -> str:
        """Give the reason why an image is not shown, as images.toml tells it."""
        return str(self._entry(image).get("why", ""))

    def pixels(self, recorded: Mapping[str, str]) -> dict[str, str]:
        """Give the hashes that images.toml states for the images that a record names."""
        return {
            image: str(self._entry(image).get("pixels_sha256", sha256))
            for image, sha256 in recorded.items()
        }
