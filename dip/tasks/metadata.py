"""What a picture file says beside its pixels: what its colours mean, EXIF data, resolution."""

from collections.abc import Mapping
from typing import Any

import imagecodecs
import numpy as np
from PIL import ExifTags, Image

Resolution = tuple[float, float]  # across and down, in dots per inch

# The EXIF tags that are kept: who, when, with what, where. The others say how the file was laid
# out, which is no more true of the file that is written.
KEPT = (270, 271, 272, 305, 306, 315, 33432)
PARTS = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)  # folders of further tags
SIZE = (40962, 40963)
ORIENTATION, ON_ITS_SIDE = 274, (5, 6, 7, 8)
ACROSS, DOWN, UNIT = 282, 283, 296
UNITS = {2: 1.0, 3: 2.54}  # inch, centimetre
COLOUR_SPACE, ADOBE_RGB = 40961, (2, "R03")

# By the codes of PNG's cICP chunk: the chromaticities of red, green and blue, and the curves.
PRIMARIES = {
    1: (0.64, 0.33, 0.30, 0.60, 0.15, 0.06),
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    12: (0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
}
GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0, 13: None}  # None: the curve of sRGB
SRGB = (1, 13)
WHITE = (0.3127, 0.3290)


def kept_metadata(exif: Image.Exif, dpi: Resolution | None) -> tuple[bytes, Resolution | None]:
    """The EXIF data that are true of a restored picture too, and its resolution if it has one."""
    kept = Image.Exif()
    for tag in KEPT:
        if tag in exif:
            kept[tag] = as_stored(exif[tag])
    for part in PARTS:
        tags = {tag: as_stored(v) for tag, v in exif.get_ifd(part).items() if tag not in SIZE}
        if ExifTags.IFD.Interop in tags:
            tags[ExifTags.IFD.Interop] = exif.get_ifd(ExifTags.IFD.Interop)
        kept.get_ifd(part).update(tags)
    if dpi is None and ACROSS in exif and exif.get(UNIT, 2) in UNITS:
        scale = UNITS[exif.get(UNIT, 2)]
        dpi = float(exif[ACROSS]) * scale, float(exif.get(DOWN, exif[ACROSS])) * scale
    if dpi:
        dpi = dpi[::-1] if exif.get(ORIENTATION) in ON_ITS_SIDE else dpi
        kept[ACROSS], kept[DOWN], kept[UNIT] = *dpi, 2
    return kept.tobytes() if len(kept) or any(map(kept.get_ifd, PARTS)) else b"", dpi


def as_stored(value: Any) -> Any:
    """A tag's value; text with letters that Pillow would replace as the bytes in the file."""
    plain = not isinstance(value, str) or value.isascii()
    return value if plain else value.encode("latin-1", "replace")


def colour_profile(
    data: bytes, info: Mapping[Any, Any], exif: Image.Exif, grey: bool
) -> tuple[bytes | None, str]:
    """The ICC profile of a picture's colours, None for sRGB, and a sentence if it has none.

    Where the file describes its colours otherwise, by PNG's chunks or as Adobe RGB in EXIF, the
    profile is made, so that whatever format is written says the same. `data` is a PNG's bytes.
    """
    cicp = data.find(b"\0\0\0\4cICP", 8, max(0, data.find(b"IDAT")))
    if cicp >= 0:
        codes = data[cicp + 8], data[cicp + 9]
        if codes == SRGB:
            return None, ""
        if codes[0] in PRIMARIES and codes[1] in GAMMAS:
            return _made((*WHITE, *PRIMARIES[codes[0]]), GAMMAS[codes[1]], grey), ""
        return info.get("icc_profile"), "its colours (cICP {}/{}) are not kept".format(*codes)
    if "icc_profile" in info or "srgb" in info:
        return info.get("icc_profile"), ""
    if "gamma" in info or "chromaticity" in info:
        colours = info.get("chromaticity", (*WHITE, *PRIMARIES[1]))
        gamma = 1 / info["gamma"] if info.get("gamma") else None
        near = np.allclose(colours, (*WHITE, *PRIMARIES[1]), atol=2e-3)
        if near and (gamma is None or abs(gamma - 2.2) < 0.02):  # how older programs write sRGB
            return None, ""
        return _made(colours, gamma, grey), ""
    space = exif.get_ifd(ExifTags.IFD.Exif).get(COLOUR_SPACE)
    if space == ADOBE_RGB[0] or exif.get_ifd(ExifTags.IFD.Interop).get(1) == ADOBE_RGB[1]:
        gamma = 563 / 256
        return (_made((), gamma, True) if grey else imagecodecs.cms_profile("adobergb")), ""
    return None, ""


def _made(colours: tuple[float, ...], gamma: float | None, grey: bool) -> bytes | None:
    """An ICC profile from the chromaticities of white, red, green and blue, and a gamma."""
    if grey:
        return None if gamma is None else bytes(imagecodecs.cms_profile("gray", gamma=gamma))
    white, *primaries = ((*colours[at : at + 2], 1.0) for at in range(0, 8, 2))
    curve: dict[str, Any] = {"gamma": gamma}
    if gamma is None:
        levels = np.linspace(0, 1, 1024)
        linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
        curve = {"transferfunction": np.round(linear * 65535).astype(np.uint16)}
    made = imagecodecs.cms_profile(
        "rgb", whitepoint=white, primaries=[x for colour in primaries for x in colour], **curve
    )
    return bytes(made)
