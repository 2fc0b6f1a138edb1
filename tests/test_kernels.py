"""The Triton kernels, in Triton's interpreter, against the same in float64."""

import json
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


@pytest.mark.slow
@pytest.mark.skipif(find_spec("triton") is None, reason="Triton is not installed")
def test_the_kernels_compile_for_hopper():
    import inspect

    from triton import compile as compiled
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from dip import kernels, kernels_step

    flags = {
        "PAD": 1,
        "REFLECT": True,
        "ACTIVE": True,
        "BILINEAR": True,
        "REMEMBER": True,
        "KEEP_MEANS": True,
    }
    sizes = {"ROWS": 4, "WIDE": 128, "COUNT": 512, "BLOCK": 128}
    floats = ("slope", "epsilon", "sigma", "unscale", "from_mean", "keep_square", "from_square")
    counts = ("pixels", "channels", "height", "width", "each", "chunks", "offset", "joined",
              "written", "count")  # fmt: skip
    types = {**dict.fromkeys(floats, "fp32"), **dict.fromkeys(counts, "i32"), "keys": "*i64",
             "updates": "*i64", "bad": "*i32"}  # fmt: skip
    for kernel in (
        kernels.partial_moments, kernels.merge_moments, kernels.apply_norm, kernels.gradient_sums,
        kernels.merge_sums, kernels.norm_gradient, kernels_step.upsample,
        kernels_step.upsample_adjoint, kernels_step.philox_normals, kernels_step.noisy_input,
        kernels_step.adam_select,
    ):  # fmt: skip
        names = list(inspect.signature(kernel.fn).parameters)
        constants = {name: value for name, value in (flags | sizes).items() if name in names}
        signature = {
            name: "constexpr" if name in constants else types.get(name, "*fp32") for name in names
        }
        places = {(names.index(name),): value for name, value in constants.items()}
        source = ASTSource(fn=kernel, signature=signature, constexprs=places)
        assert compiled(source, target=GPUTarget("cuda", 90, 32)).asm["cubin"]


@pytest.mark.slow
@pytest.mark.skipif(find_spec("triton") is None, reason="Triton is not installed")
def test_a_step_of_kernels_is_a_step_of_the_fit():
    environment = {**os.environ, "TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "dip.gpu_checks", "first", "cpu", "fused", "ieee", "32"]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["good"] and 0 < found["turned"] < 1e-6
