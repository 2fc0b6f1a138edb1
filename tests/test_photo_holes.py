"""Masks and what they mark, and fills that meet their surroundings without a seam."""

from pathlib import Path

import numpy as np
import pytest

from dip.errors import InputError
from dip.photo.holes import holes_of, read_mask, soft_part, transparent, width_of_widest
from dip.tasks.photographs import Photo

pytest.importorskip("PIL")
from PIL import Image

PHOTO = Photo(np.zeros((3, 20, 31), np.float32), None, 8, None)


def saved(path: Path, values: np.ndarray, mode: str = "L") -> Path:
    Image.fromarray(values.astype(np.uint8), mode).save(path)
    return path


def square(outside: int, inside: int) -> np.ndarray:
    values = np.full((20, 31), outside)
    values[5:9, 6:12] = inside
    return values


@pytest.mark.parametrize(
    ("outside", "inside", "colour"),
    [(0, 255, "white"), (255, 0, "black"), (0, 1, "white"), (0, 90, "white"), (200, 255, "white")],
)
def test_a_mask_of_two_values_is_black_and_white(
    tmp_path: Path, outside: int, inside: int, colour: str
) -> None:
    path = saved(tmp_path / "mask.png", square(outside, inside))
    mask = read_mask(path, PHOTO)
    holes, told = holes_of(mask, None, path)
    assert told == colour
    assert np.array_equal(holes, square(0, 1) > 0)
    assert soft_part(mask) == 0


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (square(0, 0), "the mask is black all over"),
        (square(255, 255), "the mask is white all over"),
        (square(120, 120), "the mask is grey all over"),
        (np.dstack([square(255, 255)] * 3 + [square(255, 0)]), "its transparency is not looked at"),
        (np.arange(620).reshape(20, 31) % 90, "the mask is dark all over"),
        (np.arange(620).reshape(20, 31) % 100 + 100, "has no pixel that is quite unlike black"),
        (np.arange(620).reshape(20, 31) % 256, "most of it is grey: a mask is black and white"),
        (np.zeros((20, 30)), "the mask has 30x20 pixels, the photograph 31x20"),
    ],
)
def test_a_mask_that_marks_nothing_is_told_in_a_sentence(
    tmp_path: Path, values: np.ndarray, sentence: str
) -> None:
    path = saved(tmp_path / "mask.png", values, "L" if values.ndim == 2 else "RGBA")
    with pytest.raises(InputError) as told:
        holes_of(read_mask(path, PHOTO), None, path)
    assert str(told.value).startswith(f"{path}: ")
    assert sentence in str(told.value)


def test_grey_pixels_of_a_mask_are_holes_and_are_counted() -> None:
    mask = np.zeros((10, 10), np.float32)
    mask[2:5, 2:5], mask[5, 2:5] = 1, 0.4
    holes, _ = holes_of(mask, None, Path("mask.png"))
    assert holes.sum() == 12
    assert soft_part(mask) == 0.03


def test_transparent_pixels_need_to_be_some_but_not_all() -> None:
    for alpha, sentence in [
        (None, "no transparent pixels"),
        (np.ones((20, 31)), "no transparent pixels"),
        (np.zeros((20, 31)), "every pixel is transparent"),
    ]:
        with pytest.raises(InputError, match=sentence):
            transparent(Photo(PHOTO.pixels, alpha, 8, None), Path("photo.png"))


def test_the_widest_hole_is_measured_across() -> None:
    pytest.importorskip("scipy")
    holes = np.zeros((60, 80), bool)
    holes[10, 5:75] = True  # a scratch, long and thin
    assert width_of_widest(holes) == 1
    holes[20:41, 30:70] = True
    assert width_of_widest(holes) == 21
    holes[:] = False
    holes[:, :50] = True
    assert width_of_widest(holes) == 60, "not 99, although it has no end on the left"


def test_a_fill_meets_its_surroundings_without_a_seam() -> None:
    pytest.importorskip("scipy")
    from dip.photo.holes import joined

    rows, columns = np.mgrid[0:24, 0:30] / 40
    truth = np.stack([rows, columns, rows + columns / 4]).astype(np.float32)
    holes = np.zeros((24, 30), bool)
    holes[8:16, 9:20] = True
    holes[0:3, 0:4] = True  # in a corner
    picture = np.where(holes, 1, truth).astype(np.float32)
    texture = 0.05 * np.sin(np.arange(30)).astype(np.float32)
    assert np.array_equal(joined(truth, picture, holes), truth)
    off = joined(truth + texture + 0.1, picture + texture * ~holes, holes)
    assert off.dtype == np.float32
    assert abs(off - truth - texture).max() < 1e-5  # a constant error is taken out, texture stays
    smooth = joined(np.zeros_like(truth), picture, holes)
    assert abs(smooth - truth)[:, 8:16, 9:20].max() < 1e-5  # a plane is its own smooth fill
    assert np.array_equal(smooth[:, ~holes], truth[:, ~holes])
