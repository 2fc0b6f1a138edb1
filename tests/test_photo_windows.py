"""Windows round holes: they hold every hole with its surroundings, and do not overlap."""

import numpy as np
import pytest

pytest.importorskip("scipy")

from dip.photo.holes import MARGIN, Window, windows_round


def holes_at(shape: tuple[int, int], *places: tuple[int, int, int]) -> np.ndarray:
    holes = np.zeros(shape, bool)
    for row, column, side in places:
        holes[row : row + side, column : column + side] = True
    return holes


def test_a_small_picture_is_one_window() -> None:
    (window,) = windows_round(holes_at((100, 200), (5, 5, 3)), 200)
    assert window.inside == window.core == (slice(0, 100), slice(0, 200))


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
    hold_their_margins(holes, windows)


def hold_their_margins(holes: np.ndarray, windows: list[Window]) -> None:
    """Assert that each hole is in one core, with its surroundings in that core's window."""
    times = np.zeros(holes.shape, int)
    for window in windows:
        times[window.core] += 1
        rows, columns = np.nonzero(holes[window.core])
        for axis, places in enumerate((rows, columns)):
            places = places + window.core[axis].start
            inside, length = window.inside[axis], holes.shape[axis]
            assert inside.start <= max(0, places.min() - MARGIN)
            assert inside.stop >= min(length, places.max() + 1 + MARGIN)
    assert (times[holes] == 1).all()


@pytest.mark.parametrize("side", [128, 256])
def test_a_long_thin_scratch_is_covered_along_it(side: int) -> None:
    holes = np.eye(1000, 1200, 20, dtype=bool) | np.eye(1000, 1200, 21, dtype=bool)
    windows = windows_round(holes, side)
    hold_their_margins(holes, windows)
    assert max(max(window.sides) for window in windows) <= side
    beside = np.zeros((2000, 2000), bool)
    for i in range(400, 1000):
        beside[i, i : i + 3] = True
    beside[1352:1412, 500:560] = True  # a hole below, which the scratch's last windows reach
    hold_their_margins(beside, windows_round(beside, 256))
    assert sum(np.prod(window.sides) for window in windows) < 0.5 * holes.size
    holes[300:380, 300:380] = True  # no more thin: what is wide is not cut in parts
    assert len(windows_round(holes, side)) == 1


def test_a_window_grows_with_its_hole() -> None:
    (window,) = windows_round(holes_at((3000, 3000), (1000, 1000, 400)), 512)
    assert window.sides == (800, 800)
    assert window.inside[0].start == 800


def test_holes_all_over_make_one_window_of_the_whole() -> None:
    holes = np.zeros((700, 900), bool)
    holes[::50, ::50] = True
    (window,) = windows_round(holes, 512)
    assert window.sides == holes.shape


def test_far_holes_make_windows_of_their_own() -> None:
    holes = holes_at((2000, 2000), (10, 10, 4), (1900, 1900, 4), (1000, 40, 4))
    windows = windows_round(holes, 512)
    assert len(windows) == 3
    assert all(window.sides == (128, 128) for window in windows)
