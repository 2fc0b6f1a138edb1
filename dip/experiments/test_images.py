"""The named test images: where they are found, and that they are the ones meant."""

import os
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any

from dip.errors import InputError, nearest
from dip.experiments.experiment import LARGE
from dip.files import sha256_of
from dip.toml_file import TomlFile

CACHE = "deep-image-prior"


@dataclass(frozen=True, kw_only=True)
class ListedImage:
    """One test image as `content/images.toml` lists it."""

    name: str  # "<set>/<name>"
    file: str  # relative to a folder of images
    width: int  # pixels
    height: int
    mode: str  # "L" or "RGB"
    sha256: str  # of the file
    pixels_sha256: str  # of the decoded array
    licence: str
    url: str = ""  # where others fetch it; without, it is looked for in a folder only
    title: str = ""
    show: bool = True  # False: numbers and curves, but no picture on a page
    why: str = ""  # why it is not shown


def load_images(path: Path, *, whole: bool = True) -> dict[str, ListedImage]:
    """The listed images by name; raises InputError. Unless `whole`, what is absent is "" or 0."""
    file = TomlFile(path)
    return {name: _listed(file, name, table, whole) for name, table in file.data.items()}


def _listed(file: TomlFile, name: str, table: Any, whole: bool) -> ListedImage:
    if not isinstance(table, dict):
        file.fail(f"'{name}' stands outside an image; write it under [\"set/name\"]", None, name)
    known = {field.name: field for field in fields(ListedImage) if field.name != "name"}
    file.expect(dict.fromkeys(known, "anything"), table, name)
    for key, value in table.items():
        is_large = isinstance(value, int) and value >= LARGE
        if is_large or type(value) is not known[key].type:
            found = "too large" if is_large else repr(value)
            file.fail(f"'{key}' of image '{name}' is {found}", name, key)
    if "file" in table and not _is_below(table["file"]):
        sentence = f"'file' of image '{name}' is {table['file']!r}, which is no path below a folder"
        file.fail(sentence, name, "file")
    lacking = [key for key in known if known[key].default is MISSING and key not in table]
    if whole and lacking:
        file.fail(f"image '{name}' needs the key '{lacking[0]}'", name)
    blank: dict[str, Any] = {key: "" if known[key].type is str else 0 for key in lacking}
    return ListedImage(name=name, **blank, **table)


def _is_below(file: str) -> bool:
    """Whether a file's name leads to a place below any folder: what is downloaded goes there."""
    path = PurePosixPath(file)
    is_relative = bool(path.name) and not path.is_absolute() and ".." not in path.parts
    return is_relative and not set(file) & set("\\:\0")


def named(name: str, images: Mapping[str, ListedImage]) -> ListedImage:
    """The listed image called `name`; raises InputError with the nearest name."""
    if name not in images:
        raise InputError(f"unknown image '{name}'{nearest(name, images)}")
    return images[name]


def find(image: ListedImage, folder: Path | None = None) -> Path:
    """The path of an image's file, its SHA-256 checked; raises InputError if there is none.

    Looked for in `folder` (by default the one that the variable DIP_IMAGES names) as
    `<set>/<file>` or `<file>`, else in the user's cache, to which it is downloaded once.
    """
    folder = folder or (Path(os.environ["DIP_IMAGES"]) if os.environ.get("DIP_IMAGES") else None)
    if folder is None:
        return _download(image)
    if not folder.is_dir():
        raise InputError("no such folder of test images", folder)
    path, found = file_in(folder, image)
    if path and found != image.sha256:
        sentence = f"the SHA-256 of image '{image.name}' is {found}, not {image.sha256}"
        raise InputError(sentence, path)
    if path:
        return path
    try:
        return _download(image)
    except InputError as error:
        raise InputError(f"no '{image.file}' here, and {error.sentence}", folder) from None


def file_in(folder: Path, image: ListedImage) -> tuple[Path | None, str]:
    """An image's file, `<set>/<file>` or `<file>`, the right one first, and its SHA-256."""
    places = folder / image.file, folder / Path(image.file).name
    found = [(path, sha256_of(path)) for path in places if path.is_file()]
    return min(found, key=lambda pair: pair[1] != image.sha256, default=(None, ""))


def _download(image: ListedImage) -> Path:
    """The image's path in the user's cache, downloaded from its address if it is absent."""
    import logging

    if not image.url:
        raise InputError(
            f"image '{image.name}' has no url; name its folder with --images or DIP_IMAGES"
        )
    try:
        import pooch
    except ImportError:
        raise InputError(
            f"image '{image.name}' is in no folder given by --images or DIP_IMAGES, and pooch,"
            ' which downloads it, is not installed: pip install -e ".[experiments]"'
        ) from None
    pooch.get_logger().setLevel(logging.WARNING)
    try:
        place = Path(pooch.os_cache(CACHE)) / Path(image.file).parent
    except RuntimeError:  # no HOME, and no entry for the user in the system's list
        raise InputError(
            f"image '{image.name}' has no place to be downloaded to, as your home folder is not"
            " known: set HOME, or name a folder of images with --images or DIP_IMAGES"
        ) from None
    try:
        path = pooch.retrieve(image.url, f"sha256:{image.sha256}", Path(image.file).name, place)
    except (OSError, ValueError) as error:  # requests' errors are OSErrors too
        if "known hash" in str(error):
            raise InputError(f"the file at {image.url} is not the one meant: {error}") from None
        reason = (str(error) or type(error).__name__).splitlines()[0][:200]
        if re.search("Name or service not known|Name resolution|resolve|getaddrinfo", str(error)):
            reason = "the host's name cannot be resolved (no network?)"
        raise InputError(
            f"image '{image.name}' could not be downloaded from {image.url}: {reason}"
        ) from None
    return Path(path)
