"""The one reader over formats, depths, colours and orientations: what a file shows is what is read.

Each file is written by other means than the reader's, from values chosen here.
"""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("imagecodecs")
tifffile = pytest.importorskip("tifffile")
from PIL import Image, ImageCms

from dip.errors import InputError
from dip.tasks.images import read_picture
from dip.tasks.photographs import Photo, read_photo

HEIGHT, WIDTH = 5, 7
RANDOM = np.random.default_rng(0)
TURNED: list[Callable[[np.ndarray], np.ndarray]] = [
    lambda a: a,
    np.fliplr,
    lambda a: np.rot90(a, 2),
    np.flipud,
    lambda a: a.swapaxes(0, 1),
    lambda a: np.rot90(a, -1),
    lambda a: np.rot90(a.swapaxes(0, 1), 2),
    np.rot90,
]
ADAM7 = [
    (0, 0, 8, 8),
    (0, 4, 8, 8),
    (4, 0, 8, 4),
    (0, 2, 4, 4),
    (2, 0, 4, 2),
    (0, 1, 2, 2),
    (1, 0, 2, 1),
]


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[274] = orientation
    return tags


def random(bits: int, channels: int) -> np.ndarray:
    return RANDOM.integers(0, 2**bits, (HEIGHT, WIDTH, channels)).astype(np.uint16)


def png(
    values: np.ndarray, bits: int, colour_type: int, chunks: dict[bytes, bytes], interlaced: bool
) -> bytes:
    """A PNG of (H, W, C) levels, no row filtered."""
    raw = b""
    for top, left, down, across in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        part = values[top::down, left::across]
        if part.size:
            words = part.astype(">u2" if bits == 16 else "u1").reshape(len(part), -1)
            levels = np.unpackbits(words.view(np.uint8), axis=1).reshape(*words.shape, -1)
            rows = np.packbits(levels[..., -bits:].reshape(len(part), -1), axis=1)
            raw += b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, bits, colour_type, 0, 0, interlaced)
    data = b"\x89PNG\r\n\x1a\n"
    for kind, content in (
        (b"IHDR", header),
        *chunks.items(),
        (b"IDAT", zlib.compress(raw)),
        (b"IEND", b""),
    ):
        data += struct.pack(">I", len(content)) + kind + content
        data += struct.pack(">I", zlib.crc32(kind + content))
    return data


def read(path: Path, data: bytes) -> Photo:
    path.write_bytes(data)
    seen = read_photo(path)
    assert np.array_equal(read_picture(path), seen.pixels)
    return seen


def shows(seen: Photo, values: np.ndarray, alpha: np.ndarray | None, peak: float) -> None:
    """Assert that a photo shows (H, W, C) levels of at most `peak`, and (H, W) alpha."""
    assert seen.pixels.dtype == np.float32
    assert np.array_equal(seen.pixels, (values.transpose(2, 0, 1) / peak).astype(np.float32))
    assert (seen.alpha is None) == (alpha is None)
    if alpha is not None:
        assert np.array_equal(seen.alpha, (alpha / peak).astype(np.float32))


PNGS = [
    *((bits, 0, clear) for bits in (1, 2, 4, 8, 16) for clear in (False, True)),
    *((bits, 2, clear) for bits in (8, 16) for clear in (False, True)),
    *((bits, 3, clear) for bits in (1, 2, 4, 8) for clear in (False, True)),
    *((bits, kind, False) for bits in (8, 16) for kind in (4, 6)),
]


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(("bits", "colour_type", "clear"), PNGS)
def test_every_png(
    tmp_path: Path, bits: int, colour_type: int, clear: bool, interlaced: bool
) -> None:
    values = random(bits, {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour_type])
    shown, alpha, peak, chunks = values, None, 2**bits - 1, {}
    if colour_type == 3:
        table, opacity = RANDOM.integers(0, 256, (2**bits, 3)), RANDOM.integers(0, 256, 2**bits)
        shown, peak, chunks = table[values[..., 0]], 255, {b"PLTE": bytes(table.ravel().tolist())}
        if clear:
            chunks[b"tRNS"], alpha = bytes(opacity.tolist()), opacity[values[..., 0]]
    elif clear:
        values[1:3, 2:5] = values[0, 0]
        chunks = {b"tRNS": values[0, 0].astype(">u2").tobytes()}
        alpha = peak * (values != values[0, 0]).any(axis=2)
    elif colour_type > 3:
        shown, alpha = values[..., :-1], values[..., -1]
    for number, turn in enumerate(TURNED, 1):
        extra = {b"eXIf": exif(number).tobytes()[6:]}
        seen = read(tmp_path / "a.png", png(values, bits, colour_type, chunks | extra, interlaced))
        shows(seen, turn(shown), alpha if alpha is None else turn(alpha), peak)
        assert seen.bits == (16 if bits == 16 else 8)


LAYOUTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "lzw": {"compression": "lzw", "predictor": True},
    "zstd": {"compression": "zstd"},
    "deflate": {"compression": "zlib", "byteorder": ">"},
    "tiles": {"tile": (16, 16)},
    "big": {"bigtiff": True},
    "planes": {"planarconfig": "separate"},
}
TIFFS = {  # channels, and how they are written
    "grey": (1, {"photometric": "minisblack"}),
    "white is zero": (1, {"photometric": "miniswhite"}),
    "colour": (3, {"photometric": "rgb"}),
    "grey and alpha": (2, {"photometric": "minisblack", "extrasamples": ["unassalpha"]}),
    "alpha": (4, {"photometric": "rgb", "extrasamples": ["unassalpha"]}),
    "premultiplied": (4, {"photometric": "rgb", "extrasamples": ["assocalpha"]}),
    "a further channel": (4, {"photometric": "rgb", "extrasamples": ["unspecified"]}),
    "two, one alpha": (5, {"photometric": "rgb", "extrasamples": ["unspecified", "unassalpha"]}),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("colours", TIFFS)
@pytest.mark.parametrize("kind", ["uint8", "uint16", "float16", "float32"])
def test_every_tiff(tmp_path: Path, kind: str, colours: str, layout: str) -> None:
    channels, settings = TIFFS[colours]
    bits = 8 * np.dtype(kind).itemsize
    levels = random(min(bits, 16), channels)
    peak = 1.0 if kind.startswith("float") else 2.0**bits - 1
    levels = (levels / (2 ** min(bits, 16) - 1) if peak == 1 else levels).astype(kind)
    if colours == "premultiplied":
        product = levels[..., :3] * (levels[..., 3:].astype(float) / peak)
        levels[..., :3] = product if peak == 1 else np.round(product)
    written = levels[..., 0] if channels == 1 else levels
    settings = settings | LAYOUTS[layout]
    if "planarconfig" in settings:
        written = levels.transpose(2, 0, 1) if channels > 1 else written
        settings = settings if channels > 1 else settings | {"planarconfig": None}
    elif channels > 1:
        settings = settings | {"planarconfig": "contig"}
    if kind == "float16" and "predictor" in settings:
        settings = settings | {"predictor": None}
    levels = levels.astype(np.float64)
    colour, alpha = levels[..., : 3 if channels > 2 else 1], None
    if colours == "white is zero":
        colour = peak - colour
    if "alpha" in str(settings.get("extrasamples")):
        alpha = levels[..., -1]
    for number, turn in enumerate(TURNED, 1):
        if layout != "plain" and number not in (1, 6):
            continue
        stream = io.BytesIO()
        tag = (274, "H", 1, number, True)
        tifffile.imwrite(stream, written, **settings, extratags=[tag], metadata=None)
        seen = read(tmp_path / "a.tif", stream.getvalue())
        assert seen.bits == (32 if peak == 1 else bits)
        if colours == "premultiplied":
            assert seen.alpha is not None
            assert np.allclose(seen.alpha, turn(alpha) / peak, atol=1e-6)
            under = np.divide(colour, alpha[..., None], where=alpha[..., None] > 0, out=0 * colour)
            expected = np.minimum(turn(under), 1).transpose(2, 0, 1)
            assert np.allclose(seen.pixels, expected, atol=1e-3)
        elif colours == "white is zero":
            assert np.allclose(seen.pixels, turn(colour).transpose(2, 0, 1) / peak, atol=1e-7)
        else:
            shows(seen, turn(colour), alpha if alpha is None else turn(alpha), peak)
    assert bool(seen.notes) == (channels == 5 or colours == "a further channel")


WITH_EXIF = ("JPEG", "WEBP", "TIFF")
OTHERS = [
    *((kind, mode, place) for kind in WITH_EXIF for mode in ("L", "RGB") for place in range(1, 9)),
    *((kind, "RGBA", place) for kind in ("WEBP", "TIFF") for place in range(1, 9)),
    *((kind, mode, 1) for kind in ("BMP", "GIF", "PPM", "AVIF") for mode in ("L", "RGB")),
    ("AVIF", "RGBA", 1),
]


@pytest.mark.parametrize(("kind", "mode", "orientation"), OTHERS)
def test_every_format_of_pillow(tmp_path: Path, kind: str, mode: str, orientation: int) -> None:
    image = Image.fromarray(random(8, 4).astype(np.uint8)).convert(mode)
    image = image.quantize(64) if kind == "GIF" else image
    settings: dict[str, Any] = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    turned = kind in WITH_EXIF
    if turned:
        settings["exif"] = exif(orientation).tobytes()
    stream = io.BytesIO()
    image.save(stream, kind, **settings)
    stream.seek(0)
    plain = io.BytesIO()
    image.save(plain, kind, **{key: value for key, value in settings.items() if key != "exif"})
    with Image.open(plain) as saved:
        expected = np.asarray(saved.convert("RGB") if saved.mode == "P" else saved)
    expected = expected.reshape(HEIGHT, WIDTH, -1)
    expected = TURNED[orientation - 1](expected) if turned else expected
    seen = read(tmp_path / f"a.{kind.lower()}", stream.getvalue())
    clear = expected.shape[2] in (2, 4)
    shows(
        seen, expected[..., :-1] if clear else expected, expected[..., -1] if clear else None, 255
    )


def test_tiffs_of_other_depths_and_palettes(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    for bits in (10, 12, 14):
        levels = random(bits, 1)[..., 0]
        tifffile.imwrite(path, levels, bitspersample=bits)
        shows(read_photo(path), levels[..., None], None, 2**bits - 1)
    table = RANDOM.integers(0, 256, (3, 256)).astype(np.uint16)
    index = random(8, 1)[..., 0].astype(np.uint8)
    for step, bits in ((257, 8), (256, 8), (251, 16)):
        tifffile.imwrite(path, index, photometric="palette", colormap=table * step)
        seen, colours = read_photo(path), table.T[index]
        shows(seen, colours if bits == 8 else colours * step, None, 2**bits - 1)
        assert seen.bits == bits
    Image.fromarray(random(1, 1)[..., 0] > 0).save(path, compression="group4")
    assert set(np.unique(read_photo(path).pixels)) == {0, 1}
    smooth = Image.linear_gradient("L").convert("RGB")
    smooth.save(path, compression="jpeg", quality=95)
    assert abs(read_photo(path).pixels - np.asarray(smooth).transpose(2, 0, 1) / 255).max() < 0.05


def other_tiff(**settings: Any) -> bytes:
    stream, values = io.BytesIO(), settings.pop("values", random(16, 4))
    tifffile.imwrite(stream, values, **settings)
    return stream.getvalue()


def deep(kind: str) -> bytes:
    import imagecodecs

    values = random(10 if kind == "avif" else 16, 3)
    if kind == "ppm":
        return b"P6 7 5 65535\n" + values.astype(">u2").tobytes()
    if kind == "avif":
        return bytes(imagecodecs.avif_encode(values, bitspersample=10))
    if kind == "jpeg":
        return bytes(imagecodecs.jpeg8_encode(values >> 4, bitspersample=12))
    return bytes(imagecodecs.jpeg2k_encode(values))


def jpeg_xl(boxed: bool) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.jpegxl_encode(random(8, 3).astype(np.uint8), usecontainer=boxed))


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.tif", lambda: other_tiff(photometric="separated"), "is SEPARATED, neither grey nor"),
        ("a.tif", lambda: other_tiff(photometric="cielab", values=random(16, 3)), "is CIELAB, "),
        ("a.tif", lambda: other_tiff(photometric="icclab", values=random(8, 3)), "is ICCLAB, "),
        ("a.tif", lambda: other_tiff(photometric="cfa", values=random(16, 1)[..., 0]), "raw file"),
        ("a.tif", lambda: other_tiff(extratags=[(50706, "B", 4, b"\1\4\0\0", True)]), "raw file"),
        ("a.dng", lambda: b"anything", "is a camera's raw file; develop it into a TIFF or PNG"),
        ("a.CR3", lambda: b"anything", "is a camera's raw file"),
        ("a.tif", lambda: other_tiff(subfiletype=1), "its first page is a reduced-resolution copy"),
        (
            "a.tif",
            lambda: other_tiff(values=random(8, 3).astype(np.uint32), photometric="rgb"),
            "holds uint32",
        ),
        (
            "a.tif",
            lambda: other_tiff(values=random(8, 3).astype(np.int16), photometric="rgb"),
            "holds int16",
        ),
        ("a.tif", lambda: other_tiff(values=random(8, 1)[..., 0] * 1.0), "floats from [0-9]+ to 2"),
        ("a.tif", lambda: other_tiff(values=np.full((5, 7), np.nan, "f4")), "floats from nan"),
        ("a.tif", lambda: other_tiff(values=random(8, 3))[:-9], "the picture is damaged: "),
        ("a.heic", lambda: b"\0\0\0\x18ftypheic" + bytes(40), "is a HEIC file, which is not read"),
        ("a.ppm", lambda: deep("ppm"), "is a deep PPM file, which is not read here; save it as"),
        ("a.avif", lambda: deep("avif"), "is a deep AVIF file, which is not read"),
        ("a.jp2", lambda: deep("jp2"), "is a deep JPEG2000 file, which is not read"),
        ("a.jpg", lambda: deep("jpeg"), "is a deep JPEG file, which is not read"),
        ("a.jxl", lambda: jpeg_xl(False), "is a JPEG XL file, which is not read here; save it as"),
        ("a.jxl", lambda: jpeg_xl(True), "is a JPEG XL file, which is not read"),
        ("a.ico", lambda: saved("ICO", (32, 32)), "is a ICO file, which is not read"),
        ("a.jpg", lambda: saved("JPEG", mode="CMYK"), "is CMYK, neither grey nor RGB"),
    ],
)
def test_what_cannot_be_read_as_it_is_is_refused_by_name(
    tmp_path: Path, name: str, data: Callable[[], bytes], sentence: str
) -> None:
    path = tmp_path / name
    path.write_bytes(data())
    for reader in (read_photo, read_picture):
        with pytest.raises(InputError, match=sentence) as told:
            reader(path)
        assert str(told.value).startswith(f"{path}: ")
        assert "\n" not in str(told.value)


def saved(
    kind: str, size: tuple[int, int] = (WIDTH, HEIGHT), mode: str = "RGB", **settings: Any
) -> bytes:
    stream = io.BytesIO()
    Image.effect_noise(size, 60).convert(mode).save(stream, kind, **settings)
    return stream.getvalue()


def test_an_avif_that_calls_itself_an_image_file_is_no_heic(tmp_path: Path) -> None:
    data = saved("AVIF", (16, 16))
    (tmp_path / "a.avif").write_bytes(data[:8] + b"mif1" + data[12:])
    assert read_photo(tmp_path / "a.avif").size == "16x16"


@pytest.mark.parametrize("byteorder", "<>")
def test_metadata_of_a_large_tiff_are_kept_or_their_loss_is_told(
    tmp_path: Path, byteorder: str
) -> None:
    stream, image, tags = io.BytesIO(), Image.new("RGB", (WIDTH, HEIGHT)), Image.Exif()
    tags[315], tags[274] = "Ann", 6
    tags.get_ifd(34665)[36867] = "2026:01:02 03:04:05"
    if byteorder == "<":
        image.save(stream, "TIFF", exif=tags.tobytes(), big_tiff=True, dpi=(100, 200))
    else:
        values, turned, artist = np.asarray(image), (274, "H", 1, 6, True), (315, 2, 0, "Ann", True)
        settings: Any = {"bigtiff": True, "byteorder": ">", "extratags": [turned, artist]}
        tifffile.imwrite(stream, values, photometric="rgb", **settings)
    seen = read(tmp_path / "a.tif", stream.getvalue())
    assert seen.size == f"{HEIGHT}x{WIDTH}"
    kept = Image.Exif()
    kept.load(seen.exif)
    if byteorder == ">":
        assert seen.notes == ("EXIF data and resolution of a big-endian BigTIFF are left out",)
        assert not kept
    else:
        assert not seen.notes
        assert (kept[315], seen.dpi) == ("Ann", (200, 100))
        assert kept.get_ifd(34665)[36867] == "2026:01:02 03:04:05"


def test_several_pictures_in_a_file_are_said(tmp_path: Path) -> None:
    path, second = tmp_path / "a.tif", [Image.new("RGB", (WIDTH, HEIGHT))]
    for kind in ("TIFF", "WEBP", "GIF", "PNG", "MPO"):
        path.write_bytes(saved(kind, save_all=True, append_images=second))
        (note,) = read_photo(path).notes
        assert "only the first of its 2 " in note
        path.write_bytes(saved("JPEG" if kind == "MPO" else kind))
        assert not read_photo(path).notes


def gamma_and_colours(gamma: float, colours: tuple[float, ...] = ()) -> dict[bytes, bytes]:
    words = [round(value * 100_000) for value in colours]
    chunks = {b"gAMA": struct.pack(">I", round(gamma * 100_000))}
    return chunks | ({b"cHRM": struct.pack(">8I", *words)} if words else {})


P3 = (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
SRGB = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("chunks", "note"),
    [
        ({}, None),
        ({b"sRGB": b"\0", **gamma_and_colours(1.0)}, None),
        (gamma_and_colours(1 / 2.2), None),
        (gamma_and_colours(1 / 2.2, SRGB), None),
        (gamma_and_colours(1.0), "its colours (gAMA or cHRM) are not kept"),
        (gamma_and_colours(1 / 2.2, P3), "its colours (gAMA or cHRM) are not kept"),
        ({b"cICP": bytes([1, 13, 0, 1])}, None),
        ({b"cICP": bytes([12, 13, 0, 1])}, "its colours (cICP 12/13) are not kept"),
        ({b"cICP": bytes([9, 16, 0, 1])}, "its colours (cICP 9/16) are not kept"),
    ],
)
def test_colours_that_a_png_describes_without_a_profile_are_srgb_or_told(
    tmp_path: Path, chunks: dict[bytes, bytes], note: str | None, channels: int
) -> None:
    values = random(8, channels)
    seen = read(tmp_path / "a.png", png(values, 8, 0 if channels == 1 else 2, chunks, False))
    assert seen.notes == ((note,) if note else ())
    assert seen.profile is None


@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "WEBP"])
def test_adobe_rgb_in_exif_becomes_a_profile(tmp_path: Path, kind: str) -> None:
    tags = Image.Exif()
    # Pillow writes a wrong place of the innermost tags into a TIFF.
    plain = kind == "TIFF"
    tags.get_ifd(34665).update({40961: 2} if plain else {40961: 0xFFFF, 40965: {1: "R03"}})
    path = tmp_path / "a.jpg"
    path.write_bytes(saved(kind, exif=tags.tobytes()))
    profile = read_photo(path).profile
    assert profile
    read = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile
    assert "Adobe RGB" in read.profile_description
    path.write_bytes(saved(kind))
    assert read_photo(path).profile is None
