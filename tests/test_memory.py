"""How much memory a fit takes beyond torch, in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BAR_GIB = 1.7
FIT = """
import sys
sys.path[:0] = ["tests", "."]
from made_tasks import inpainting_task
from dip.engine.fit import Fit
from dip.experiments.experiment import Experiment
experiment = Experiment(image="made/waves", mask="bernoulli", iterations=2)
def peak_kib():  # ru_maxrss would begin with the peak of the process that started this one
    return int(next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1])
before = peak_kib()
steps = list(Fit(inpainting_task(512, 512), experiment, threads=1))
print((peak_kib() - before) / 2**20)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts memory as Linux does")
def test_full_network_at_512_fits_in_its_memory_beyond_torch() -> None:
    command = [sys.executable, "-c", FIT]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    assert 0.5 < float(done.stdout) < BAR_GIB
