"""How much memory a fit takes beyond torch, in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BAR_GIB = 2.0
FIT = """
import resource, sys
from dip.bench import _experiment, made_task
from dip.fit import Fit
def peak_kib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak_kib()
steps = iter(Fit(made_task(512), _experiment(2), threads=1))
next(steps), next(steps)
print((peak_kib() - before) / 2**20)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts memory as Linux does")
def test_full_network_at_512_fits_in_two_gibibytes_beyond_torch() -> None:
    command = [sys.executable, "-c", FIT]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    assert 0.5 < float(done.stdout) < BAR_GIB
