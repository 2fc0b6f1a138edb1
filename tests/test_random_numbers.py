"""The random numbers: a pure function of (seed, iteration, index), with the right distribution."""

import math

import numpy as np
import pytest
import torch

from dip.network.random_numbers import (
    STEP_NOISE,
    WEIGHTS,
    Z,
    draw_normal,
    philox,
    uniform,
    words_on_device,
)

MASK_32, MASK_64 = 2**32 - 1, 2**64 - 1


def normals(seed: int, iteration: int, count: int) -> torch.Tensor:
    out = torch.empty(count)
    draw_normal(out, seed, torch.tensor(iteration))
    return out


def philox_block(counter: int, key: tuple[int, int]) -> list[int]:
    """Compute one block of Philox 4x64-10 by whole numbers, from the published definition."""
    words, (first, second) = [counter, 0, 0, 0], key
    for _ in range(10):
        left = 0xD2E7470EE14C6C93 * words[0]
        right = 0xCA5A826395121157 * words[2]
        words = [
            (right >> 64) ^ words[1] ^ first,
            right & MASK_64,
            (left >> 64) ^ words[3] ^ second,
            left & MASK_64,
        ]
        first = (first + 0x9E3779B97F4A7C15) & MASK_64
        second = (second + 0xBB67AE8584CAA73B) & MASK_64
    return words


def test_normals_follow_from_the_published_counter_function() -> None:
    drawn = normals(5, 17, 16)
    blocks = [philox_block(counter, (5, STEP_NOISE + 17)) for counter in (1, 2)]
    halves = [half for block in blocks for word in block for half in (word & MASK_32, word >> 32)]
    a, b = (np.array(halves[k::2]) & (2**24 - 1) for k in (0, 1))
    radius = np.sqrt(-2 * np.log((a + 1) / 2**24))
    expected = np.stack(
        [radius * np.cos(math.tau * b / 2**24), radius * np.sin(math.tau * b / 2**24)]
    )
    np.testing.assert_allclose(drawn.numpy(), expected.T.ravel(), rtol=2e-5, atol=2e-6)


def test_same_seed_and_iteration_same_numbers_whatever_came_between() -> None:
    first = normals(3, 10, 64)
    normals(3, 11, 64)
    np.random.seed(1)
    torch.manual_seed(1)
    assert torch.equal(first, normals(3, 10, 64))


def test_other_seeds_and_iterations_give_other_numbers() -> None:
    assert not torch.equal(normals(3, 10, 64), normals(3, 11, 64))
    assert not torch.equal(normals(3, 10, 64), normals(4, 10, 64))


def test_a_shorter_draw_is_the_beginning_of_a_longer_one() -> None:
    assert torch.equal(normals(0, 0, 1000), normals(0, 0, 5000)[:1000])


def test_normals_have_the_moments_and_tails_of_a_normal_law() -> None:
    drawn = normals(0, 1, 2**18).double()
    assert abs(drawn.mean()) < 0.01
    assert abs(drawn.std() - 1) < 0.01
    assert abs((drawn**4).mean() - 3) < 0.1
    assert abs((drawn.abs() > 2).double().mean() - 0.0455) < 0.003
    assert abs((drawn[0::2] * drawn[1::2]).mean()) < 0.01
    assert drawn.isfinite().all()


def test_uniform_values_are_multiples_of_two_to_the_minus_24_below_one() -> None:
    drawn = uniform(0, Z, 10_001)
    assert drawn.dtype == np.float32 and drawn.shape == (10_001,)
    assert drawn.min() >= 0 and drawn.max() < 1 and abs(drawn.mean() - 0.5) < 0.02
    scaled = drawn.astype(np.float64) * 2**24
    assert (scaled == np.round(scaled)).all()


def test_purposes_draw_from_streams_of_their_own() -> None:
    assert not np.array_equal(uniform(0, Z, 100), uniform(0, WEIGHTS, 100))


@pytest.mark.parametrize("iteration", [0, 17, 10_999])
@pytest.mark.parametrize("seed", [0, 5, 2**63 + 12345, 2**64 - 1])
def test_the_devices_generator_gives_the_words_of_numpys(seed: int, iteration: int) -> None:
    blocks = 300
    words = philox(seed, torch.tensor(STEP_NOISE + iteration), torch.arange(1, blocks + 1))
    key = np.array([seed, STEP_NOISE + iteration], dtype=np.uint64)
    wanted = np.random.Philox(key=key).random_raw(4 * blocks)
    assert words.dtype == torch.int64 and words.shape == (blocks, 4)
    np.testing.assert_array_equal(words.numpy().view(np.uint64).ravel(), wanted)


def test_the_devices_generator_follows_the_published_function_at_large_counters() -> None:
    counters = [1, 2**32 - 1, 2**32, 2**62 + 3]
    words = philox(5, torch.tensor(STEP_NOISE + 17), torch.tensor(counters))
    wanted = [philox_block(counter, (5, STEP_NOISE + 17)) for counter in counters]
    assert [[int(word) % 2**64 for word in row] for row in words] == wanted


@pytest.mark.parametrize("count", [2, 8, 10, 64, 1002])
def test_a_device_draws_the_words_of_the_cpu(count: int) -> None:
    words = words_on_device(3, torch.tensor(STEP_NOISE + 10), count) & (2**24 - 1)
    raw = np.random.Philox(key=np.array([3, STEP_NOISE + 10], dtype=np.uint64))
    halves = raw.random_raw(count // 2).astype("<u8").view("<u4") & (2**24 - 1)
    np.testing.assert_array_equal(words.numpy(), halves)


@pytest.mark.parametrize("count", [1, 7, 64])
def test_a_device_draws_without_asking_the_host(count: int) -> None:
    """What lies on the device "meta" has no values: whoever asked for one would be refused."""
    out = torch.empty(count, device="meta")
    draw_normal(out, 3, torch.zeros((), dtype=torch.int64, device="meta"))
    assert out.shape == (count,)
