"""One's own photographs as files: depth, alpha, profile, orientation, and what is no photograph."""

import dataclasses
import io
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from dip.errors import InputError
from dip.photo.files import FORMATS, check_format, check_output, encoded, what_is_lost, write_photo
from dip.tasks.photographs import Photo, read_photo

pytest.importorskip("PIL")
from PIL import Image, ImageCms

PROC = Path("/proc").is_dir()  # a folder that not even root may write to


@cache
def profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def photo(channels: int, bits: int, alpha: bool, height: int = 20, width: int = 31) -> Photo:
    random, peak = np.random.default_rng(0), 2**bits - 1

    def plane(*shape: int) -> np.ndarray:
        return (random.integers(0, peak + 1, shape) / peak).astype(np.float32)

    opacity = plane(height, width) if alpha else None
    return Photo(plane(channels, height, width), opacity, bits, profile())


@pytest.mark.parametrize("ending", [".png", ".tif", ".webp"])
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_photograph_comes_back_as_it_was(
    tmp_path: Path, bits: int, channels: int, alpha: bool, ending: str
) -> None:
    if ending == ".tif" and bits == 16:
        pytest.importorskip("tifffile")
    before, path = photo(channels, bits, alpha), tmp_path / f"photo{ending}"
    write_photo(path, before)
    after = read_photo(path)
    assert after.profile == before.profile
    assert (after.alpha is None) == (before.alpha is None)
    if ending == ".webp":  # holds 8 bit, and colour only
        assert after.bits == 8
        assert abs(after.pixels - before.pixels).max() <= 0.5 / 255 + 1e-6
        return
    assert after.bits == bits
    assert np.array_equal(after.pixels, before.pixels)
    if before.alpha is not None and after.alpha is not None:
        assert np.array_equal(after.alpha, before.alpha)


def test_a_jpeg_has_the_profile_and_no_alpha(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    write_photo(path, photo(3, 16, True))
    after = read_photo(path)
    assert after.profile == profile()
    assert (after.alpha, after.bits) == (None, 8)


@pytest.mark.parametrize("bits", [8, 16, 32])
@pytest.mark.parametrize("ending", [".png", ".tif", ".webp", ".jpg"])
def test_who_when_where_and_the_resolution_are_kept(tmp_path: Path, ending: str, bits: int) -> None:
    tags = Image.Exif()
    tags[271], tags[315], tags[274], tags[256] = "a maker", "Zoë Müller".encode(), 6, 999
    tags.get_ifd(34665).update({36867: "2024:05:06 07:08:09", 33434: 0.01, 40961: 1, 40962: 999})
    tags.get_ifd(34853).update({1: "N", 2: (48.0, 12.0, 30.5)})
    source, path = tmp_path / "source.jpg", tmp_path / f"photo{ending}"
    Image.new("RGB", (36, 24)).save(source, exif=tags, dpi=(300, 200))
    write_photo(path, dataclasses.replace(read_photo(source), bits=bits))
    after = read_photo(path)
    assert after.size == "24x36"
    assert after.notes == ()
    read = Image.Exif()
    read.load(after.exif)
    assert (read[271], read[315].encode("latin-1").decode()) == ("a maker", "Zoë Müller")
    assert not {256, 274} & set(read)
    assert read.get_ifd(34665)[36867] == "2024:05:06 07:08:09"
    assert float(read.get_ifd(34665)[33434]) == pytest.approx(0.01)
    assert 40962 not in read.get_ifd(34665)
    assert [float(part) for part in read.get_ifd(34853)[2]] == pytest.approx([48, 12, 30.5])
    assert after.dpi == pytest.approx((200, 300), abs=0.1)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_exif_data_that_cannot_be_read_cost_no_photograph(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"photo.{kind.lower()}"
    image = Image.new("RGB", (36, 24), (9, 99, 199))
    image.save(path, kind, exif=b"Exif\0\0no header at all", dpi=(300, 300))
    found = read_photo(path)
    assert found.size == "36x24"
    assert found.notes == ("its EXIF data are damaged and left out",)


def test_pillow_reads_the_deep_pngs_that_we_write() -> None:
    values = np.random.default_rng(3).integers(0, 2**16, (3, 9, 7))
    deep = encoded(Photo((values / 65535).astype(np.float32), None, 16, profile()), "PNG")
    with Image.open(io.BytesIO(deep)) as image:
        assert image.info["icc_profile"] == profile()
        assert abs(np.asarray(image).transpose(2, 0, 1).astype(int) - (values >> 8)).max() <= 1


def png(side: int = 40, noise: bool = True) -> bytes:
    stream = io.BytesIO()
    image = Image.effect_noise((side, side), 60) if noise else Image.new("L", (side, side))
    image.convert("RGB").save(stream, "PNG")
    return stream.getvalue()


def deep_png() -> bytes:
    pixels = np.random.default_rng(4).random((3, 40, 40)).astype(np.float32)
    return encoded(Photo(pixels, None, 16), "PNG")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (png()[:-400], "the picture is damaged"),
        (deep_png()[:-400], "the picture is damaged"),
        (deep_png()[:-16] + bytes(4) + deep_png()[-12:], "the picture is damaged: "),
        (deep_png()[:60], "the picture is damaged"),
        (b"no picture at all", "is no picture that can be read"),
        (b"", "is no picture that can be read"),
        (b"II*\0garbage", "the picture is damaged: "),
    ],
)
def test_what_is_no_photograph_is_told_in_a_sentence(
    tmp_path: Path, data: bytes, sentence: str
) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(data)
    with pytest.raises(InputError) as told:
        read_photo(path)
    assert str(told.value).startswith(f"{path}: {sentence}")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(("most", "told"), [(1000, ""), (700, "more pixels than can be worked on")])
def test_a_very_large_picture_is_read_without_a_warning_or_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    recwarn: pytest.WarningsRecorder,
    most: int,
    told: str,
) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(png())  # 1600 pixels: Pillow warns from `most` on, and refuses twice as many
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", most)
    if told:
        with pytest.raises(InputError, match=told):
            read_photo(path)
    else:
        assert read_photo(path).size == "40x40"
    assert not recwarn.list


def test_an_output_that_cannot_be_written_is_known_before(tmp_path: Path) -> None:
    source, mask = tmp_path / "photo.png", tmp_path / "mask.png"
    source.write_bytes(png())
    mask.write_bytes(png())
    sources = {"photograph": source, "mask": mask}
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "kept.png").write_bytes(b"old")
    (tmp_path / "kept.png").chmod(0o444)
    for output, sentence in [
        (tmp_path / "out.pgn", "did you mean '.png'?"),
        (tmp_path / "out", "does not end in one of"),
        (tmp_path / "folder.png", "is a folder"),
        (tmp_path / "none" / "out.png", "there is no folder"),
        (tmp_path / f"{'x' * 252}.png", "cannot be written: File name too long"),
        (tmp_path / "kept.png", "is write-protected; give another name"),
        (source, "would overwrite the photograph"),
        (tmp_path / "folder.png" / ".." / "mask.png", "would overwrite the mask"),
        (Path("/proc/out.png"), "may not be written to" if PROC else "there is no folder"),
    ]:
        with pytest.raises(InputError) as told:
            check_output(output, sources)
        assert sentence in str(told.value)
    for ending in FORMATS:
        check_output(tmp_path / f"out{ending}", sources)
    assert {path.name for path in tmp_path.iterdir()} == {
        "photo.png", "mask.png", "folder.png", "kept.png",
    }  # fmt: skip


def test_what_a_format_cannot_hold_is_known_before(tmp_path: Path) -> None:
    wide = Photo(np.zeros((1, 32, 4096), np.float32), None, 8)
    check_format(wide, tmp_path / "out.webp", 8192)
    check_format(wide, tmp_path / "out.png", 32768)
    with pytest.raises(InputError, match="WEBP holds at most 16383 pixels a side"):
        check_format(wide, tmp_path / "out.webp", 16384)
    with pytest.raises(InputError, match=r"JPEG does not take its EXIF data \(.*\); use --strip"):
        check_format(dataclasses.replace(wide, exif=b"x" * 70000), tmp_path / "out.jpg", 4096)
    assert "PNG keeps them" in what_is_lost(wide, tmp_path / "out.jpg", untouched=True)
    assert what_is_lost(wide, tmp_path / "out.jpg") == ""


def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.png").symlink_to(tmp_path / "folder/out.png")
    check_output(tmp_path / "link.png", {})
    write_photo(tmp_path / "link.png", Photo(np.zeros((1, 32, 32), np.float32), None, 8))
    assert (tmp_path / "link.png").is_symlink()
    assert read_photo(tmp_path / "folder/out.png").size == "32x32"
