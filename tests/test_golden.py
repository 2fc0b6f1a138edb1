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
    0.03641777113080025,
    0.042866289615631104,
    0.050509534776210785,
    0.038464710116386414,
    0.04628102108836174,
    0.04975467920303345,
]
# Between 1 and 2 threads and between AVX2 and AVX-512, these losses differ by up to 0.2%.
TOLERANCE = 0.01
PINNED_ON = {
    "device": "AMD EPYC",
    "device_kind": "cpu",
    "instruction_set": "AVX2",
    "processor_features": ["avx", "avx2", "f16c", "fma3"],
    "threads": 2,
    "torch": "2.13.0",
}
REVISION = 1
PARAMETERS_AND_MEANS = "2946f80e7bfefa51b853c1c0c96e0f81f539828c812c74c55b6a7710f719dcc8"


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
