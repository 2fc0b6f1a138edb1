"""Pictures read, checked against the list of test images, cut and resized.

Importing this needs neither numpy nor Pillow: a list of images can be checked by its hashes alone.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dip.errors import InputError
from dip.experiments.test_images import ListedImage, file_in, find, named
from dip.files import sha256_of

if TYPE_CHECKING:
    import numpy as np

BOX = 32  # super-resolution is scored on the centre box whose sides are multiples of this


def load(image: ListedImage, folder: Path | None = None) -> "np.ndarray":
    """A test image, (C, H, W) float32 in [0, 1]; raises InputError if it is not as listed."""
    from dip.tasks.photographs import read_photo

    path = find(image, folder)
    photo = read_photo(path, "picture")
    picture, channels = photo.pixels, 3 if image.mode == "RGB" else 1
    if picture.shape != (channels, image.height, image.width):
        raise InputError(
            f"image '{image.name}' has {picture.shape[2]}x{picture.shape[1]} pixels in"
            f" {picture.shape[0]} channels, not {image.width}x{image.height} in {channels}",
            path,
        )
    found = sha256_of(photo.levels(photo.bits).tobytes())
    if not _is_jpeg(path) and found != image.pixels_sha256:
        raise InputError(
            f"image '{image.name}' has pixels whose SHA-256 is {found}, not"
            f" {image.pixels_sha256}; `python -m dip images list` says what to write",
            path,
        )
    return picture


def _is_jpeg(path: Path) -> bool:
    """Whether a file's pixels depend on the decoder, so that its own SHA-256 must do."""
    return path.suffix.lower() in (".jpg", ".jpeg")


def load_all(
    names: Iterable[str], images: Mapping[str, ListedImage], folder: Path | None
) -> "dict[str, np.ndarray]":
    """The test images of these names, each as `load` reads it; raises InputError."""
    return {name: load(named(name, images), folder) for name in names}


def read_picture(path: Path | str) -> "np.ndarray":
    """A grey or colour picture, at its depth, as float32 (C, H, W) in [0, 1], C = 1 or 3.

    Its EXIF orientation is applied. Palettes become RGB; alpha and colour profile are left out.
    Raises InputError if it is no such picture.
    """
    from dip.tasks.photographs import read_photo

    return read_photo(Path(path), "picture").pixels


def check_image(image: ListedImage, folder: Path) -> tuple[bool, list[str]]:
    """Whether a file is absent or as listed, and lines that say so, with what it should be.

    These have the keys of images.toml with the values of the file. The pixels of a JPEG file
    depend on the decoder: they are compared only where its SHA-256 differs too. Without numpy and
    Pillow the SHA-256 alone is compared.
    """
    path, sha256 = file_in(folder, image)
    if path is None:
        return True, ["not in the folder"]
    found: dict[str, Any] = {"sha256": sha256}
    try:
        with suppress(ModuleNotFoundError):
            from dip.tasks.photographs import read_photo

            picture = read_photo(path, "picture")
            values = picture.levels(picture.bits)
            found |= {"width": values.shape[1], "height": values.shape[0]}
            found["mode"] = "L" if values.ndim == 2 else "RGB"
            found["pixels_sha256"] = sha256_of(values.tobytes())
    except InputError as error:
        return False, ["damaged", f"  {error}"]
    if _is_jpeg(path) and sha256 == image.sha256:
        found.pop("pixels_sha256", None)
    other = {key: value for key, value in found.items() if value != getattr(image, key)}
    if not other:
        return True, ["here"]
    lines = [
        f"  {key} = {value}" if isinstance(value, int) else f'  {key} = "{value}"'
        for key, value in other.items()
    ]
    return False, [f"another than listed; {path} has", *lines]


def centre_box(picture: "np.ndarray") -> "np.ndarray":
    """The centre of (C, H, W), its sides multiples of 32; raises InputError if one is under 32."""
    import numpy as np

    height, width = (side // BOX * BOX for side in picture.shape[1:])
    if not height or not width:
        raise InputError(f"super-resolution needs pictures of at least {BOX}x{BOX} pixels")
    top, left = (picture.shape[1] - height) // 2, (picture.shape[2] - width) // 2
    return np.ascontiguousarray(picture[:, top : top + height, left : left + width])


def resized(picture: "np.ndarray", height: int, width: int, how: str) -> "np.ndarray":
    """(C, H, W) in [0, 1] resized in 8 bit, as float32, by Pillow's filter called `how`."""
    import numpy as np
    from PIL import Image

    filter_ = Image.Resampling[how]
    planes = [
        np.asarray(Image.fromarray(plane).resize((width, height), filter_))
        for plane in np.round(picture * 255).astype(np.uint8)
    ]
    return (np.stack(planes) / 255).astype(np.float32)


def reduce_to_square(picture: "np.ndarray", side: int) -> "np.ndarray":
    """A preview of (C, H, W) in [0, 1]: (C, side, side) float32 in [0, 1].

    Reduced by box average until the shorter side is `side`, cut in the middle, and rounded to
    8 bit again so that it is a picture like the large one. Raises InputError if it is smaller.
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
    """The (reduced, length) matrix that averages `length` samples over equal boxes."""
    import numpy as np

    edges = np.arange(reduced + 1) * (length / reduced)
    starts = np.arange(length)
    low = np.maximum(edges[:-1, None], starts)
    high = np.minimum(edges[1:, None], starts + 1)
    weights: np.ndarray = np.clip(high - low, 0, None) * (reduced / length)
    return weights
