"""A golden trajectory: the real network's first losses, pinned.

If the bits differ on the kind of machine named here, recorded bits have changed: raise the
trajectory revision in dip/experiment.py, and pin the new ones.
"""

import hashlib
from collections.abc import Iterator

import pytest
import torch
from made_tasks import inpainting_task

from dip.environment import EXACT, environment
from dip.experiment import TRAJECTORY_REVISION, Experiment
from dip.fit import Fit

LOSSES = [
    0.036417923867702484,
    0.042854804545640945,
    0.05046109855175018,
    0.038513101637363434,
    0.04633084312081337,
    0.04964302480220795,
]
# Between 1 and 2 threads and between AVX2 and AVX-512, these losses differ by up to 0.2%.
TOLERANCE = 0.01
PINNED_ON = {
    "device": "Intel(R) Xeon(R) Processor",
    "device_kind": "cpu",
    "instruction_set": "AVX512",
    "threads": 2,
    "torch": "2.13.0",
}
REVISION = 1
PARAMETERS_AND_MEANS = "f8fa0d5d641ed3b0be351ea0ff9dacd9fc6e062c780f0d6d2a0e320577f0e429"


@pytest.fixture
def golden_run() -> Iterator[Fit]:
    """Give the real network at 32x32 on two threads, not begun."""
    usual = torch.get_num_threads()
    experiment = Experiment(image="made/waves", mask="bernoulli", iterations=5, learning_rate=1e-5)
    yield Fit(inpainting_task(), experiment, threads=2)
    torch.set_num_threads(usual)


def test_first_losses_of_the_real_network_are_the_pinned_ones(golden_run: Fit) -> None:
    losses = [step.loss for step in golden_run]
    assert losses[0] == pytest.approx(LOSSES[0], rel=1e-5)
    assert losses == pytest.approx(LOSSES, rel=TOLERANCE)
    here = environment("cpu")
    if {name: here[name] for name in EXACT} == PINNED_ON:
        assert TRAJECTORY_REVISION["cpu", "ieee"] == REVISION
        assert losses == LOSSES
        digest = hashlib.sha256(golden_run.state()["adam"].tobytes()).hexdigest()
        assert digest == PARAMETERS_AND_MEANS
