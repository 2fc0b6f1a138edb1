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
COLOUR_SPACE, ADOBE_RGB, ADOBE_GAMMA = 40961, (2, "R03"), 563 / 256

SRGB = (1, 13)  # the codes of PNG's cICP chunk
# Of sRGB: where white, red, green and blue lie (PNG's cHRM chunk), and its curve, about.
SRGB_COLOURS, SRGB_GAMMA = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06), 2.2


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
    """The ICC profile of a picture's colours, None for sRGB, and a sentence if they are not kept.

    For Adobe RGB in EXIF the profile is made, so that whatever format is written says the same.
    What PNG's own chunks say of other colours than sRGB is not kept. `data` is a PNG's bytes.
    """
    cicp = data.find(b"\0\0\0\4cICP", 8, max(0, data.find(b"IDAT")))
    if cicp >= 0:
        codes = data[cicp + 8], data[cicp + 9]
        if codes == SRGB:
            return None, ""
        return info.get("icc_profile"), "its colours (cICP {}/{}) are not kept".format(*codes)
    if "icc_profile" in info or "srgb" in info:
        return info.get("icc_profile"), ""
    if "gamma" in info or "chromaticity" in info:  # how older programs write sRGB, too
        near = np.allclose(info.get("chromaticity", SRGB_COLOURS), SRGB_COLOURS, atol=2e-3)
        gamma = 1 / (info.get("gamma") or 1 / SRGB_GAMMA)
        is_srgb = near and abs(gamma - SRGB_GAMMA) < 0.02
        return None, "" if is_srgb else "its colours (gAMA or cHRM) are not kept"
    space = exif.get_ifd(ExifTags.IFD.Exif).get(COLOUR_SPACE)
    if space == ADOBE_RGB[0] or exif.get_ifd(ExifTags.IFD.Interop).get(1) == ADOBE_RGB[1]:
        profile = ("gray", ADOBE_GAMMA) if grey else ("adobergb", None)
        return bytes(imagecodecs.cms_profile(profile[0], gamma=profile[1])), ""
    return None, ""
