"""The Triton kernels, in Triton's interpreter, against the same in float64."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

pytest.importorskip("torch")


@pytest.mark.slow
@pytest.mark.skipif(find_spec("triton") is None, reason="Triton is not installed")
def test_every_kernel_agrees_with_float64():
    environment = {**os.environ, "TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"}
    shapes = ["4x6x10", "132x5x4", "8x30x12"]
    command = [sys.executable, "-m", "dip.kernel_check", "cpu", *shapes]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert len(lines) > 80
    assert all(line.startswith("good") for line in lines)
