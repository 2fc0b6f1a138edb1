"""The named test images: where they are found, and that they are the ones meant.

Reading the list needs neither numpy nor Pillow.
"""

import io
import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dip.errors import InputError, nearest
from dip.files import sha256_of
from dip.toml_file import TomlFile

if TYPE_CHECKING:
    import numpy as np

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
    url: str
    licence: str
    title: str = ""
    show: bool = True  # False: its numbers are told, the picture is not shown
    why: str = ""  # why it is not shown


def load_images(path: Path) -> dict[str, ListedImage]:
    """Read the list of test images; a mistake raises InputError with its line."""
    file = TomlFile(path)
    return {name: _listed(file, name, table) for name, table in file.data.items()}


def _listed(file: TomlFile, name: str, table: Any) -> ListedImage:
    if not isinstance(table, dict):
        file.fail(f"'{name}' stands outside an image; write it under [\"set/name\"]", None, name)
    known = {field.name: field for field in fields(ListedImage) if field.name != "name"}
    for key, value in table.items():
        if key not in known:
            file.fail(f"unknown key '{key}'{nearest(key, known)}", name, key)
        if type(value) is not known[key].type:
            file.fail(f"'{key}' of image '{name}' is {value!r}", name, key)
    for key, field in known.items():
        if field.default is MISSING and key not in table:
            file.fail(f"image '{name}' needs the key '{key}'", name)
    return ListedImage(name=name, **table)


def named(name: str, images: Mapping[str, ListedImage]) -> ListedImage:
    """Give the listed image called `name`; raises InputError with the nearest name."""
    if name not in images:
        raise InputError(f"unknown image '{name}'{nearest(name, images)}")
    return images[name]


def find(image: ListedImage, folder: Path | None = None) -> Path:
    """Give the path of an image's file, its SHA-256 checked; raises InputError if there is none.

    Looked for in `folder` (by default the one that the variable DIP_IMAGES names) as
    `<set>/<file>` or `<file>`, else in the user's cache, to which it is downloaded once.
    """
    folder = folder or (Path(os.environ["DIP_IMAGES"]) if os.environ.get("DIP_IMAGES") else None)
    if folder is None:
        return _download(image)
    if not folder.is_dir():
        raise InputError("no such folder of test images", folder)
    present = [path for path in candidates(image, folder) if path.is_file()]
    for path in present:
        if sha256_of(path) == image.sha256:
            return path
    if present:
        raise InputError(_other_hash(image, sha256_of(present[0])), present[0])
    try:
        return _download(image)
    except InputError as error:
        raise InputError(f"no '{image.file}' here, and {error.sentence}", folder) from None


def candidates(image: ListedImage, folder: Path) -> list[Path]:
    """Give where in a folder of test images an image may lie: `<set>/<file>` and `<file>`."""
    return [folder / image.file, folder / Path(image.file).name]


def _other_hash(image: ListedImage, found: str) -> str:
    return f"the SHA-256 of image '{image.name}' is {found}, not {image.sha256}"


def _download(image: ListedImage) -> Path:
    """Give the image's path in the user's cache, fetching it from its address if it is absent."""
    try:
        import pooch
    except ImportError:
        raise InputError(
            f"image '{image.name}' is in no folder given by --images or DIP_IMAGES, and pooch,"
            ' which downloads it, is not installed: pip install -e ".[experiments]"'
        ) from None
    pooch.get_logger().setLevel(logging.WARNING)
    place = Path(pooch.os_cache(CACHE)) / Path(image.file).parent
    try:
        path = pooch.retrieve(image.url, f"sha256:{image.sha256}", Path(image.file).name, place)
    except ValueError as error:
        raise InputError(f"the file at {image.url} is not the one meant: {error}") from None
    except OSError as error:  # requests' errors are OSErrors too
        raise InputError(
            f"image '{image.name}' could not be downloaded from {image.url}: {_reason(error)}"
        ) from None
    return Path(path)


def _reason(error: OSError) -> str:
    """Say in few words why a download failed."""
    text = str(error)
    for sign in ("Name or service not known", "Name resolution", "resolve", "getaddrinfo"):
        if sign in text:
            return "the host's name cannot be resolved (no network?)"
    return text.splitlines()[0][:200] if text else type(error).__name__


def load(image: ListedImage, folder: Path | None = None) -> "np.ndarray":
    """Read a test image as float32 (C, H, W) in [0, 1], C = 1 or 3; raises InputError.

    The file's SHA-256, its size and its mode must be the listed ones.
    """
    path = find(image, folder)
    picture = read_picture(path)
    channels = 3 if image.mode == "RGB" else 1
    if picture.shape != (channels, image.height, image.width):
        raise InputError(
            f"image '{image.name}' has {picture.shape[2]}x{picture.shape[1]} pixels in"
            f" {picture.shape[0]} channels, not {image.width}x{image.height} in {channels}",
            path,
        )
    return picture


def load_all(
    names: Iterable[str], images: Mapping[str, ListedImage], folder: Path | None
) -> "dict[str, np.ndarray]":
    """Read the test images of these names, each as `load` does; raises InputError."""
    return {name: load(named(name, images), folder) for name in names}


def read_picture(path: Path | str) -> "np.ndarray":
    """Read a grey or colour picture of 8 or 16 bit as float32 (C, H, W) in [0, 1].

    Turned as its EXIF orientation says. Palettes become RGB; an alpha channel is left out. Raises
    InputError if it is no picture.
    """
    import numpy as np

    values = decoded(Path(path))
    peak = 65535 if values.dtype != np.uint8 else 255
    planes = values[None] if values.ndim == 2 else values.transpose(2, 0, 1)
    return np.ascontiguousarray((planes / np.float64(peak)).astype(np.float32))


def decoded(path: Path) -> "np.ndarray":
    """Read a picture as (H, W) or (H, W, 3) of uint8 or uint16; raises InputError if it is none."""
    import numpy as np
    from PIL import Image, UnidentifiedImageError

    from dip.photo.files import ORIENTATION, turned
    from dip.photo.png16 import decode_png16, is_png16

    try:
        data = path.read_bytes()
        with Image.open(io.BytesIO(data)) as picture:
            deep = decode_png16(data) if is_png16(data) else None
            values = np.asarray(_plain(picture)) if deep is None else _without_alpha(deep)
            return turned(values, picture.getexif().get(ORIENTATION, 1))
    except InputError as error:
        raise InputError(error.sentence, path) from None
    except IsADirectoryError:
        raise InputError("is a folder, not a picture", path) from None
    except FileNotFoundError:
        raise InputError("no such file", path) from None
    except UnidentifiedImageError:
        raise InputError("is no picture that can be read", path) from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"the picture is damaged: {error}", path) from None


def _plain(picture: Any) -> Any:
    """Bring a Pillow picture to L, RGB or 16-bit grey."""
    if picture.mode in ("L", "RGB") or picture.mode.startswith("I;16"):
        return picture
    if picture.mode == "I":
        return picture.convert("I;16")
    return picture.convert("L" if picture.mode in ("1", "LA", "La") else "RGB")


def _without_alpha(values: "np.ndarray") -> "np.ndarray":
    """Take (H, W, C), C = 1 to 4, to (H, W) or (H, W, 3)."""
    return values[..., 0] if values.shape[2] < 3 else values[..., :3]


def reduce_to_square(picture: "np.ndarray", side: int) -> "np.ndarray":
    """Make a preview: reduce by box average until the shorter side is `side`, cut the middle.

    `picture` is (C, H, W) in [0, 1], and so is what comes back, (C, side, side), rounded to 8 bit
    again so that it is a picture like the large one. Raises InputError if it is smaller already.
    """
    import numpy as np

    height, width = picture.shape[1:]
    shorter = min(height, width)
    if shorter < side:
        raise InputError(f"a picture of {width}x{height} pixels cannot be reduced to {side}")
    rows = _box_average(height, round(height * side / shorter))
    columns = _box_average(width, round(width * side / shorter))
    reduced = rows @ picture.astype(np.float64) @ columns.T
    top, left = (reduced.shape[1] - side) // 2, (reduced.shape[2] - side) // 2
    square = reduced[:, top : top + side, left : left + side]
    return np.ascontiguousarray((np.round(square * 255) / 255).astype(np.float32))


def _box_average(length: int, reduced: int) -> "np.ndarray":
    """Give the (reduced, length) matrix that averages `length` samples over equal boxes."""
    import numpy as np

    edges = np.arange(reduced + 1) * (length / reduced)
    starts = np.arange(length)
    low = np.maximum(edges[:-1, None], starts)
    high = np.minimum(edges[1:, None], starts + 1)
    weights: np.ndarray = np.clip(high - low, 0, None) * (reduced / length)
    return weights
