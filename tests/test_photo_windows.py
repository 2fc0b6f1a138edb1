"""Windows round holes: they hold every hole with its surroundings, and do not overlap."""

import numpy as np
import pytest

pytest.importorskip("scipy")

from dip.photo.holes import MARGIN, windows_round


def holes_at(shape: tuple[int, int], *places: tuple[int, int, int]) -> np.ndarray:
    holes = np.zeros(shape, bool)
    for row, column, side in places:
        holes[row : row + side, column : column + side] = True
    return holes


def test_a_small_picture_is_one_window() -> None:
    (window,) = windows_round(holes_at((100, 200), (5, 5, 3)), 200)
    assert (window.top, window.bottom, window.left, window.right) == (0, 100, 0, 200)


@pytest.mark.parametrize("seed", range(4))
def test_windows_hold_every_hole_with_its_margin_and_never_meet(seed: int) -> None:
    random = np.random.default_rng(seed)
    places = [(*random.integers(0, 1400, 2), int(random.integers(1, 60))) for _ in range(7)]
    holes = holes_at((1500, 1500), *places)
    windows = windows_round(holes, 512)
    covered = np.zeros(holes.shape, int)
    for window in windows:
        covered[window.inside] += 1
    assert covered.max() == 1
    assert covered[holes].min() == 1
    for row, column in np.argwhere(holes)[::97]:
        window = next(w for w in windows if w.top <= row < w.bottom and w.left <= column < w.right)
        assert window.top == 0 or row - window.top >= MARGIN
        assert window.right == 1500 or window.right - column > MARGIN


def test_a_window_grows_with_its_hole() -> None:
    (window,) = windows_round(holes_at((3000, 3000), (1000, 1000, 400)), 512)
    assert window.bottom - window.top == window.right - window.left == 800
    assert window.top == 800


def test_holes_all_over_make_one_window_of_the_whole() -> None:
    holes = np.zeros((700, 900), bool)
    holes[::50, ::50] = True
    (window,) = windows_round(holes, 512)
    assert window.area == holes.size


def test_far_holes_make_windows_of_their_own() -> None:
    holes = holes_at((2000, 2000), (10, 10, 4), (1900, 1900, 4), (1000, 40, 4))
    windows = windows_round(holes, 512)
    assert len(windows) == 3
    assert all(window.area == 128 * 128 for window in windows)
