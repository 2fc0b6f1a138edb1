"""A picture file read as what it shows: its depth, colours, alpha, orientation and metadata.

PNG is decoded by imagecodecs and TIFF by tifffile, because Pillow would cut colours of 16 bit to 8;
every other format, and what is written beside the pixels, is read by Pillow.
"""

import io
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from PIL import Image, UnidentifiedImageError

from dip.errors import InputError
from dip.tasks.metadata import ON_ITS_SIDE, ORIENTATION, colour_profile, kept_metadata

READ = ("PNG", "TIFF", "JPEG", "MPO", "WEBP", "BMP", "GIF", "PPM", "AVIF", "JPEG2000")
RAW = re.compile(
    r"\.(dng|cr[23w]|n(ef|rw)|ar[wq]|sr[f2w]|orf|rw[2lz]|raf|pef|x3f|iiq|3fr|erf|mef|mos|mrw|kdc|dcr)"
)
IS_RAW = "is a camera's raw file; develop it into a TIFF or PNG first"
NOT_READ = "is a {} file, which is not read here; save it as PNG or TIFF"
NEITHER = "the picture is {}, neither grey nor RGB; convert it first"
UNREAD = {  # formats refused by name: how such a file begins
    "HEIC": rb".{4}ftyp(?:hei[cmsx]|hev[cx]|m[is]f1)(?!.{0,48}avif)",
    "JPEG XL": rb"\xff\x0a|\0{3}\x0cJXL ",
    "JPEG XR": rb"II\xbc",
    "deep JPEG": rb"\xff\xd8.{,1000000}?\xff[\xc0-\xc3]\0[\x0b\x11\x14][\x09-\x10]",
}
BIG_ENDIAN_BIGTIFF = b"MM\0+"
TIFF = (b"II*\0", b"MM\0*", b"II+\0", BIG_ENDIAN_BIGTIFF)
PROFILE, DNG_VERSION = 34675, 50706  # tags of EXIF and TIFF
RAW_COLOURS = (32803, 34892)  # photometric interpretations
MIN_IS_WHITE, RGB, PALETTE, YCBCR = 0, 2, 3, 6  # others
GREY = (MIN_IS_WHITE, 1)
JPEG_IN_TIFF = (6, 7)
ALPHA, PREMULTIPLIED = (1, 2), 1  # what a TIFF's further channel can mean
SENTENCES: dict[type[Exception], str] = {
    IsADirectoryError: "is a folder, not a {what}",
    FileNotFoundError: "no such file",
    PermissionError: "may not be read",
    UnidentifiedImageError: "is no picture that can be read",
    Image.DecompressionBombError: "the picture has more pixels than can be worked on",
    MemoryError: "the picture has more pixels than can be worked on",
}
DAMAGED = "the picture is damaged: {damage}"
DAMAGED_EXIF = "its EXIF data are damaged and left out"


@dataclass(frozen=True)
class Photo:
    """A photograph as one looks at it: its EXIF orientation is applied.

    `pixels` is (C, H, W) float32 in [0, 1], C = 1 or 3; `alpha` is (H, W) float32 in [0, 1], 1 =
    opaque, or None, and the pixels are not multiplied by it. `profile` is an ICC profile.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None
    bits: int  # 8 or 16 a channel, 32 for floats
    profile: bytes | None = None
    exif: bytes = b""  # without its orientation
    dpi: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()  # what of the file was left out, in words

    @property
    def size(self) -> str:
        """Width and height in pixels, as a person writes them."""
        return f"{self.pixels.shape[2]}x{self.pixels.shape[1]}"

    @property
    def kind(self) -> str:
        """Colour or grey, how many bits, with alpha or not, in words."""
        colour = "grey" if len(self.pixels) == 1 else "RGB"
        return f"{colour}, {self.bits} bit" + ("" if self.alpha is None else ", with alpha")

    def levels(self, bits: int, alpha: bool = False) -> np.ndarray:
        """The pixels, with alpha as the last channel if wanted, as (H, W) or (H, W, C).

        In uint8, uint16, or float32 for 32 bits.
        """
        planes = [*self.pixels, self.alpha] if alpha else [*self.pixels]
        values = np.clip(np.stack(planes, axis=-1).astype(np.float64), 0, 1)
        if bits < 32:
            values = np.round(values * (2**bits - 1))
        kind = {8: np.uint8, 16: np.uint16, 32: np.float32}[bits]
        return values.astype(kind)[..., 0 if len(planes) == 1 else slice(None)]


def read_photo(path: Path, what: str = "photograph") -> Photo:
    """The picture in a file; raises InputError if it is damaged, or neither grey nor RGB.

    Nothing is silently cut to 8 bit: what cannot be read at its depth is refused.
    """
    with _errors_named(path, what), warnings.catch_warnings(action="ignore"):
        if path.exists() and not path.is_file() and not path.is_dir():
            raise InputError("is not a plain file")
        data = path.read_bytes()
        if RAW.fullmatch(path.suffix.lower()):
            raise InputError(IS_RAW)
        for name, beginning in UNREAD.items():
            if re.match(beginning, data, re.DOTALL):
                raise InputError(NOT_READ.format(name))
        return _from_tiff(data) if data[:4] in TIFF else _from_pillow(data)


@contextmanager
def _errors_named(path: Path, what: str) -> Iterator[None]:
    """Whatever goes wrong while the picture at `path` is read, as an InputError."""
    try:
        yield
    except InputError as error:
        raise InputError(error.sentence, path) from None
    except Exception as error:  # noqa: BLE001 - whatever a damaged file makes the decoders raise
        known = (text for kind, text in SENTENCES.items() if isinstance(error, kind))
        damage = " ".join(str(error).split()) or type(error).__name__
        raise InputError(next(known, DAMAGED).format(what=what, damage=damage), path) from None


def _from_pillow(data: bytes) -> Photo:
    with Image.open(io.BytesIO(data)) as image:
        kind = image.format or ""
        if kind not in READ:
            raise InputError(NOT_READ.format(kind))
        values = imagecodecs.png_decode(data) if kind == "PNG" else _values(image, data)
        values = values[..., None] if values.ndim == 2 else values
        frames, damaged = getattr(image, "n_frames", 1), ""
        try:
            exif = image.getexif()
        except Exception:  # noqa: BLE001 - whatever damaged metadata make Pillow raise
            exif, damaged = Image.Exif(), DAMAGED_EXIF
        profile, note = colour_profile(data, image.info, exif, grey=values.shape[2] < 3)
        first = f"only the first of its {frames} pictures is taken" if frames > 1 else ""
        notes = [note, first, damaged]
        bits = 8 * values.dtype.itemsize
        peak, dpi = np.float32(2**bits - 1), image.info.get("dpi")
        scaled = np.divide(values, peak, dtype=np.float32)
        return _photo(scaled, values.shape[2] in (2, 4), bits, profile, exif, dpi, notes)


def _values(image: Any, data: bytes) -> np.ndarray:
    """A Pillow image as (H, W) or (H, W, C) uint8 or uint16, C = 2 to 4."""
    deep: dict[str, Any] = {"AVIF": imagecodecs.avif_decode, "JPEG2000": imagecodecs.jpeg2k_decode}
    if image.format == "PPM":
        if image.mode == "I":  # a grey one of 16 bit
            return np.asarray(image).astype(np.uint16)
        arguments = image.tile[0].args
        cut = isinstance(arguments, tuple) and arguments[1] > 255
    else:
        cut = image.format in deep and deep[image.format](data).dtype != np.uint8
    if cut:
        raise InputError(NOT_READ.format(f"deep {image.format}"))
    clear = image.mode == "PA" or "transparency" in image.info
    if image.mode in ("P", "PA", "1", "L", "RGB"):
        grey = image.mode in ("1", "L")
        image = image.convert(("LA" if grey else "RGBA") if clear else ("L" if grey else "RGB"))
    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        raise InputError(NEITHER.format(image.mode))
    return np.asarray(image)


def _from_tiff(data: bytes) -> Photo:
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    exif = Image.Exif()
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page: Any = file.pages.first
        _refuse_tiff(page, data)
        values, has_alpha, bits, note = _tiff_values(page)
        frames = sum(not getattr(other, "is_reduced", False) for other in file.pages)
        notes = [note, f"only the first of its {frames} pages is taken" if frames > 1 else ""]
        info = {"icc_profile": page.tags[PROFILE].value} if PROFILE in page.tags else {}
        exif.bigtiff, exif.endian = file.is_bigtiff, file.byteorder
        if data[:4] != BIG_ENDIAN_BIGTIFF:
            exif.load_from_fp(io.BytesIO(data), page.offset)
        else:  # which Pillow cannot read
            exif[ORIENTATION] = page.tags.valueof(ORIENTATION, 1)
            notes.append("EXIF data and resolution of a big-endian BigTIFF are left out")
    profile, note = colour_profile(b"", info, exif, grey=values.shape[2] < 3)
    return _photo(values, has_alpha, bits, profile, exif, None, [*notes, note])


def _tiff_values(page: Any) -> tuple[np.ndarray, bool, int, str]:
    """A page as (H, W, C) float32 in [0, 1]; whether C counts an alpha; its bits; what is lost."""
    bits, values = page.bitspersample, page.asarray()
    values = values.transpose(1, 2, 0) if page.axes == "SYX" else values
    values = values[..., None] if values.ndim == 2 else values
    if page.photometric == PALETTE:
        step = next((step for step in (257, 256) if not (page.colormap % step).any()), 1)
        values, bits = (page.colormap // step).T[values[..., 0]], 16 if step == 1 else 8
    is_float = values.dtype.kind == "f"
    low, high = values.min(), values.max()
    if is_float and not (low >= 0 and high <= 1):
        raise InputError(f"the TIFF has floats from {low:g} to {high:g}; they must be in 0 to 1")
    peak = np.float32(1 if is_float else 2**bits - 1)
    scaled = np.divide(values, peak, dtype=np.float32)
    colours = 1 if page.photometric in GREY else 3
    if page.photometric == MIN_IS_WHITE:
        scaled[..., 0] = 1 - scaled[..., 0]
    alphas = [at for at, kind in enumerate(page.extrasamples, colours) if kind in ALPHA][:1]
    shown = scaled[..., [*range(colours), *alphas]]
    if alphas and page.extrasamples[alphas[0] - colours] == PREMULTIPLIED:
        shown[..., :-1] /= np.where(shown[..., -1:] > 0, shown[..., -1:], 1)
    note = "channels without a meaning are left out" if scaled.shape != shown.shape else ""
    return shown, bool(alphas), 32 if is_float else 8 if bits in (1, 2, 4, 8) else 16, note


def _refuse_tiff(page: Any, data: bytes) -> None:
    """Raise InputError for what a TIFF may hold but is no picture that can be worked on."""
    if DNG_VERSION in page.tags or page.photometric in RAW_COLOURS or data[8:10] == b"CR":
        raise InputError(IS_RAW)
    if page.is_reduced:
        raise InputError(
            "its first page is a reduced-resolution copy, as in raw files; save it as a plain TIFF"
        )
    samples = page.imagewidth * page.imagelength * max(1, page.samplesperpixel / 4)
    if samples > 2 * (Image.MAX_IMAGE_PIXELS or np.inf):
        raise Image.DecompressionBombError
    is_jpeg = page.photometric == YCBCR and page.compression in JPEG_IN_TIFF
    if page.photometric not in (*GREY, RGB, PALETTE) and not is_jpeg:
        raise InputError(NEITHER.format(getattr(page.photometric, "name", page.photometric)))
    kind = page.dtype.kind if page.dtype is not None else ""
    deep = kind not in ("b", "u", "f") or (kind != "f" and page.bitspersample > 16)
    if deep or page.axes not in ("YX", "YXS", "SYX"):
        raise InputError(
            f"the TIFF holds {page.dtype} along {page.axes}; what is read is one picture of up to"
            " 16 bit a channel, or of floats in 0 to 1"
        )


def _photo(
    values: np.ndarray, has_alpha: bool, bits: int, profile: bytes | None, exif: Image.Exif,
    dpi: tuple[float, float] | None, notes: list[str],
) -> Photo:  # fmt: skip
    orientation = exif.get(ORIENTATION, 1)
    if orientation in ON_ITS_SIDE:
        values = values.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    planes = np.ascontiguousarray(values.transpose(2, 0, 1))
    colours, alpha = (planes[:-1], planes[-1]) if has_alpha else (planes, None)
    try:
        kept, dpi = kept_metadata(exif, dpi)
    except Exception:  # noqa: BLE001 - whatever damaged metadata make Pillow raise
        kept, notes = b"", [*notes, DAMAGED_EXIF]
    np.clip(colours, 0, 1, out=colours)  # less than 0 or more than 1 where alpha was divided by
    return Photo(colours, alpha, bits, profile, kept, dpi, tuple(filter(None, notes)))
