"""A reader's own photograph as a file: orientation, colour profile, 8 or 16 bit, alpha."""

import io
import logging
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dip.errors import InputError, nearest
from dip.files import write_bytes_whole
from dip.tasks.images import ORIENTATION, errors_named, oriented
from dip.tasks.png16 import decode_png16, encode_png16, is_png16

FORMATS = {
    ".png": "PNG", ".tif": "TIFF", ".tiff": "TIFF", ".jpg": "JPEG", ".jpeg": "JPEG",
    ".webp": "WEBP",
}  # fmt: skip
DEEP_FORMATS = ("PNG", "TIFF")  # that hold 16 bit a channel
PROFILE = 34675  # the tag of TIFF
TIFF_SIGNATURES = (b"II*\0", b"MM\0*")
SAVED_WITH: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"lossless": True, "exact": True},
    "TIFF": {"compression": "tiff_lzw"},
}
PLAIN_MODES = ("L", "LA", "RGB", "RGBA")


@dataclass(frozen=True)
class Photo:
    """A photograph as one looks at it: its EXIF orientation is applied.

    `pixels` is (C, H, W) float32 in [0, 1], C = 1 or 3; `alpha` is (H, W) float32 in [0, 1], 1 =
    opaque, or None; `profile` is the ICC profile's bytes.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None
    bits: int  # 8 or 16 a channel
    profile: bytes | None

    @property
    def size(self) -> str:
        """Width and height in pixels, as a person writes them."""
        return f"{self.pixels.shape[2]}x{self.pixels.shape[1]}"

    @property
    def kind(self) -> str:
        """Colour or grey, how many bits, with alpha or not, in words."""
        colour = "grey" if len(self.pixels) == 1 else "RGB"
        return f"{colour}, {self.bits} bit" + ("" if self.alpha is None else ", with alpha")


def read_photo(path: Path) -> Photo:
    """The photograph in a file; raises InputError if it is damaged, or neither grey nor RGB."""
    from PIL import Image

    with errors_named(path, "photograph"):
        data = path.read_bytes()
        photo = _tiff16(data) if data[:4] in TIFF_SIGNATURES else None
        if photo:
            return photo
        # What a warning would say does not matter, or is said by one of the errors.
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(data)) as image:
            orientation = int(image.getexif().get(ORIENTATION, 1))
            profile = image.info.get("icc_profile")
            photo = _photo(oriented(_values(image, data), orientation), profile)
    return photo


def _values(image: Any, data: bytes) -> np.ndarray:
    """A Pillow image, or `data` that it cannot hold, as (H, W, C) uint8 or uint16, C = 1 to 4."""
    if is_png16(data):
        return decode_png16(data)
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PNG"):
        return np.asarray(image).astype(np.uint16)[..., None]
    if image.mode in ("P", "PA", "1"):
        colour = "RGBA" if image.mode == "PA" or "transparency" in image.info else "RGB"
        image = image.convert("L" if image.mode == "1" else colour)
    if image.mode not in PLAIN_MODES:
        raise InputError(f"the picture is {image.mode}, neither grey nor RGB; convert it first")
    values = np.asarray(image)
    return values[..., None] if values.ndim == 2 else values


def _tiff16(data: bytes) -> Photo | None:
    """The first page of a TIFF of 16 bit a channel, which Pillow cuts to 8; None if it has less."""
    import tifffile

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            page = file.pages.first
            if page.dtype != np.uint16:
                return None
            values, axes, tags = page.asarray(), page.axes, page.tags
    except Exception as error:  # noqa: BLE001 - whatever a damaged file makes the reader raise
        raise InputError(f"the TIFF cannot be read: {error}") from None
    profile = tags[PROFILE].value if PROFILE in tags else None
    orientation = int(tags[ORIENTATION].value) if ORIENTATION in tags else 1
    values = values.transpose(1, 2, 0) if axes == "SYX" else values
    values = values[..., None] if axes == "YX" else values
    if axes not in ("YX", "YXS", "SYX") or values.shape[2] > 4:
        raise InputError("the picture is a TIFF that is neither grey nor RGB; convert it first")
    return _photo(oriented(values, orientation), profile)


def _photo(values: np.ndarray, profile: bytes | None) -> Photo:
    bits = 8 if values.dtype == np.uint8 else 16
    planes = np.divide(values, np.float32(2**bits - 1), dtype=np.float32).transpose(2, 0, 1)
    has_alpha = len(planes) in (2, 4)
    colours = np.ascontiguousarray(planes[:-1] if has_alpha else planes)
    return Photo(colours, planes[-1].copy() if has_alpha else None, bits, profile)


def check_output(output: Path, sources: Mapping[str, Path]) -> None:
    """Raise InputError if `output` cannot be written, or is one of the `sources`, by name."""
    if output.suffix.lower() not in FORMATS:
        known = ", ".join(FORMATS)
        near = nearest(output.suffix.lower(), FORMATS)
        raise InputError(f"'{output.name}' does not end in one of {known}{near}", output)
    if output.is_dir():
        raise InputError("is a folder, not a file to write", output)
    if not output.parent.is_dir():
        raise InputError(f"there is no folder '{output.parent}' to write to", output)
    for what, path in sources.items():
        if output.exists() and path.exists() and output.samefile(path):
            raise InputError(f"the output would overwrite the {what}; give another name", output)
    try:
        with tempfile.TemporaryFile(dir=output.parent):
            pass
    except OSError:
        raise InputError(f"the folder '{output.parent}' may not be written to", output) from None


def what_is_lost(photo: Photo, output: Path) -> str:
    """What the output's format cannot hold of a photograph, in words; empty if it holds all."""
    kind = FORMATS[output.suffix.lower()]
    lost = []
    if photo.bits == 16 and kind not in DEEP_FORMATS:
        lost.append("8 bit in place of 16")
    if photo.alpha is not None and kind == "JPEG":
        lost.append("no alpha")
    return f"{kind} gives {' and '.join(lost)}" if lost else ""


def write_photo(output: Path, photo: Photo) -> None:
    """Write a photograph whole, as its name's ending says; raises OSError if that fails."""
    write_bytes_whole(output, encoded(photo, FORMATS[output.suffix.lower()]))


def encoded(photo: Photo, kind: str) -> bytes:
    """A photograph as PNG or TIFF of its depth, lossless WEBP, or JPEG at quality 95."""
    from PIL import Image

    bits = photo.bits if kind in DEEP_FORMATS else 8
    has_alpha = photo.alpha is not None and kind != "JPEG"
    planes = [*photo.pixels, photo.alpha] if has_alpha else [*photo.pixels]
    peak = 2**bits - 1
    levels = np.round(np.clip(np.stack(planes, axis=-1).astype(np.float64), 0, 1) * peak)
    if bits == 16:
        deep = levels.astype(np.uint16)
        return encode_png16(deep, photo.profile) if kind == "PNG" else _tiff(deep, photo.profile)
    values = levels.astype(np.uint8)
    stream = io.BytesIO()
    extra: dict[str, Any] = {"icc_profile": photo.profile} if photo.profile else {}
    extra |= SAVED_WITH.get(kind, {})
    image = Image.fromarray(values[..., 0] if values.shape[2] == 1 else values)
    image.save(stream, kind, **extra)
    return stream.getvalue()


def _tiff(values: np.ndarray, profile: bytes | None) -> bytes:
    import tifffile

    stream = io.BytesIO()
    has_alpha = values.shape[2] in (2, 4)
    tifffile.imwrite(
        stream,
        values if values.shape[2] > 1 else values[..., 0],
        photometric="rgb" if values.shape[2] > 2 else "minisblack",
        extrasamples=["unassalpha"] if has_alpha else None,
        planarconfig="contig" if values.shape[2] > 1 else None,
        compression="zlib",
        iccprofile=profile,
    )
    return stream.getvalue()


def resized(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """`picture` (C, H, W) in another size: by box average where it gets smaller, else bicubic."""
    from PIL import Image

    smaller = height < picture.shape[1]
    how = Image.Resampling.BOX if smaller else Image.Resampling.BICUBIC
    planes = [Image.fromarray(plane.astype(np.float32)) for plane in picture]
    return np.stack([np.asarray(plane.resize((width, height), how)) for plane in planes])
