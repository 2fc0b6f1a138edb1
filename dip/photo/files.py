"""A reader's own photograph as a file to write: whether that can be done, and what is lost."""

import io
import os
import struct
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from dip.errors import InputError, nearest
from dip.files import write_bytes_whole
from dip.tasks.metadata import PARTS, as_stored
from dip.tasks.photographs import Photo

FORMATS = {
    ".png": "PNG", ".tif": "TIFF", ".tiff": "TIFF", ".jpg": "JPEG", ".jpeg": "JPEG",
    ".webp": "WEBP",
}  # fmt: skip
DEPTHS = {"PNG": 16, "TIFF": 32}  # bits a channel; the others hold 8
TEXT, LONG = 2, 4  # types of TIFF's tags
LONGEST = {"WEBP": 16383, "JPEG": 65500}  # pixels of a side
AFTER_HEADER = 33  # where a PNG's first chunk ends
SAVED_WITH: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"lossless": True, "exact": True},
}


def check_output(output: Path, sources: Mapping[str, Path]) -> None:
    """Raise InputError if `output` cannot be written, or is one of the `sources`, by name."""
    if output.suffix.lower() not in FORMATS:
        known = ", ".join(FORMATS)
        near = nearest(output.suffix.lower(), FORMATS)
        raise InputError(f"'{output.name}' does not end in one of {known}{near}", output)
    try:
        is_old = bool(output.stat())
    except (FileNotFoundError, NotADirectoryError):
        is_old = False
    except OSError as error:  # a name too long, links in a circle
        raise InputError(f"cannot be written: {error.strerror}", output) from None
    if output.is_dir():
        raise InputError("is a folder, not a file to write", output)
    if not output.parent.is_dir():
        raise InputError(f"there is no folder '{output.parent}' to write to", output)
    for what, path in sources.items():
        if is_old and path.exists() and output.samefile(path):
            raise InputError(f"the output would overwrite the {what}; give another name", output)
    if is_old and not (output.stat().st_mode & 0o222 and os.access(output, os.W_OK)):
        raise InputError("is write-protected; give another name", output)
    try:
        with tempfile.TemporaryFile(dir=output.resolve().parent):
            pass
    except OSError:
        raise InputError(f"the folder '{output.parent}' may not be written to", output) from None


def check_format(photo: Photo, output: Path, longest: int) -> None:
    """Raise InputError if the output's format cannot hold it with a side of `longest` pixels."""
    kind = FORMATS[output.suffix.lower()]
    if longest > LONGEST.get(kind, longest):
        raise InputError(f"{kind} holds at most {LONGEST[kind]} pixels a side", output)
    corner = None if photo.alpha is None else photo.alpha[:1, :1]
    try:
        encoded(replace(photo, pixels=photo.pixels[:, :1, :1], alpha=corner), kind)
    except Exception as error:  # noqa: BLE001 - before the fit, not after it
        raise InputError(
            f"{kind} does not take its EXIF data ({error}); use --strip", output
        ) from None


def what_is_lost(photo: Photo, output: Path, untouched: bool = False) -> str:
    """What the output's format cannot hold of a photograph, in words; empty if it holds all."""
    kind = FORMATS[output.suffix.lower()]
    depth, lost = DEPTHS.get(kind, 8), []
    if photo.bits > depth:
        lost.append(f"{depth} bit in place of {photo.bits}")
    if kind == "JPEG":
        lost += ["no alpha"] * (photo.alpha is not None)
        lost += ["other values of untouched pixels, too: PNG keeps them"] * untouched
    return f"{kind} gives {' and '.join(lost)}" if lost else ""


def write_photo(output: Path, photo: Photo) -> None:
    """Write a photograph whole, as its name's ending says; raises OSError if that fails."""
    write_bytes_whole(output.resolve(), encoded(photo, FORMATS[output.suffix.lower()]))


def encoded(photo: Photo, kind: str) -> bytes:
    """A photograph as PNG or TIFF of its depth, lossless WEBP, or JPEG at quality 95."""
    bits = min(photo.bits, DEPTHS.get(kind, 8))
    values = photo.levels(bits, alpha=photo.alpha is not None and kind != "JPEG")
    if kind == "TIFF":
        return _tiff(values, photo)
    beside: dict[str, Any] = {"icc_profile": photo.profile, "exif": photo.exif, "dpi": photo.dpi}
    beside = {name: value for name, value in beside.items() if value}
    if kind == "PNG":  # of 16 bit Pillow cannot write: it writes what stands beside the pixels
        pixels = imagecodecs.png_encode(values)
        small = _saved(Image.new("RGB" if values.shape[2:] > (2,) else "L", (1, 1)), kind, beside)
        between = small[AFTER_HEADER : small.rindex(b"IDAT") - 4]
        return bytes(pixels[:AFTER_HEADER] + between + pixels[AFTER_HEADER:])
    return _saved(Image.fromarray(values), kind, beside | SAVED_WITH[kind])


def _saved(image: Image.Image, kind: str, settings: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **settings)
    return stream.getvalue()


def _tiff(values: np.ndarray, photo: Photo) -> bytes:
    stream, exif = io.BytesIO(), Image.Exif()
    exif.load(photo.exif)
    parts = {tag: exif.get_ifd(tag) for tag in PARTS if exif.get_ifd(tag)}
    texts = [
        (tag, TEXT, None, as_stored(text), True)
        for tag, text in exif.items()
        if isinstance(text, str)
    ]
    colour = values.shape[2:] > (2,)
    tifffile.imwrite(
        stream,
        values,
        byteorder="<",
        photometric="rgb" if colour else "minisblack",
        extrasamples=["unassalpha"] if values.shape[2:] in ((2,), (4,)) else None,
        planarconfig="contig" if values.ndim > 2 else None,
        compression="zlib",
        iccprofile=photo.profile,
        resolution=photo.dpi,
        resolutionunit="INCH" if photo.dpi else None,
        software=False,
        metadata=None,
        # tifffile refuses the tags of such parts: those before them keep their places
        extratags=[*texts, *((tag - 1, LONG, 1, 0, True) for tag in parts)],
    )
    for tag, tags in parts.items():  # each a folder behind the pixels, and where it begins
        end = stream.seek(0, io.SEEK_END)
        start = stream.seek(end + end % 2)
        folder = ImageFileDirectory_v2(b"II*\0\0\0\0\0", group=tag)
        for key, value in tags.items():
            folder[key] = as_stored(value)
        stream.write(folder.tobytes(start))
        stream.seek(0)
        with tifffile.TiffFile(stream) as file:
            stream.seek(file.pages.first.tags[tag - 1].offset)
        stream.write(struct.pack("<HHII", tag, LONG, 1, start))
    return stream.getvalue()


def resized(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """`picture` (C, H, W) in another size: by box average where it gets smaller, else bicubic."""
    smaller = height < picture.shape[1]
    how = Image.Resampling.BOX if smaller else Image.Resampling.BICUBIC
    planes = [Image.fromarray(plane.astype(np.float32)) for plane in picture]
    return np.stack([np.asarray(plane.resize((width, height), how)) for plane in planes])
