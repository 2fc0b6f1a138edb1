"""The description of the network: counts that the paper's reading gives."""

from itertools import pairwise

import pytest

from dip.experiments.experiment import Experiment
from dip.network.architecture import describe, layers_of

DEFAULT = Experiment(image="any/any", mask="bernoulli")


@pytest.mark.parametrize(("channels", "parameters"), [(3, 2_217_831), (1, 2_217_573)])
def test_the_default_network_has_as_many_parameters_as_the_reading(
    channels: int, parameters: int
) -> None:
    assert describe(DEFAULT, 512, 512, 32, channels)["parameters"] == parameters


def test_multiply_adds_a_pixel_and_the_share_of_the_last_up_unit() -> None:
    told = describe(DEFAULT, 256, 256, 32, 3)
    assert told["multiply_adds_per_pixel"] == 295_620
    last = [x for x in told["layers"] if x["name"].startswith("up1.conv")]
    share = sum(x["multiply_adds"] for x in last) / told["multiply_adds"]
    assert share == pytest.approx(0.57, abs=0.005)


def test_twenty_five_convolutions_stand_before_a_norm() -> None:
    layers = layers_of(DEFAULT, 32, 1)
    followed = [
        one.name for one, next in pairwise(layers) if (one.kind, next.kind) == ("conv", "norm")
    ]
    assert len(followed) == 25
    assert sum(layer.kind == "conv" for layer in layers) == 26


def test_no_skip_where_it_has_no_channels() -> None:
    snail = Experiment(
        image="any/any",
        task="jpeg",
        channels=(8, 16, 32, 64, 128),
        skip_channels=(0, 0, 0, 4, 4),
        z_channels=3,
    )
    told = describe(snail, 256, 256, 3, 3)
    names = {layer["name"] for layer in told["layers"]}
    assert "skip3.conv1" not in names and "skip4.conv1" in names
    by_name = {layer["name"]: layer for layer in told["layers"]}
    assert by_name["up1.conv1"]["channels_in"] == 16
    assert by_name["up5.conv1"]["channels_in"] == 128 + 4
    assert by_name["down5.conv2"]["shape"] == [128, 8, 8]


def test_sides_are_those_that_the_network_runs_on() -> None:
    odd, whole = (describe(DEFAULT, *sides, 32, 3) for sides in ((261, 400), (288, 416)))
    assert odd["layers"] == whole["layers"]
    assert (odd["height"], odd["width"]) == (261, 400), "the image's own"
