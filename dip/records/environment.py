"""Where a run was made: device, instruction set, versions, commit."""

import os
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dip.errors import InputError
from dip.experiments.experiment import device_kind

# What must be equal for a trajectory to be the same bit for bit.
EXACT = (
    "device", "device_kind", "instruction_set", "processor_features", "threads", "torch", "cuda",
    "cudnn",
)  # fmt: skip
# The vector and matrix features for which a library has kernels of their own, by torch's names on
# x86 and ARM, and by those of /proc/cpuinfo.
FEATURE = re.compile(
    "avx.*|amx_.*|fma.*|f16c|neon|asimd.*|(sve|sme).*|bf16|i8mm|dot|fhm|fp16_arith"
)
COMMIT = re.compile("[0-9a-f]{40}")
NEEDS_TORCH = 'running experiments needs torch: pip install -e ".[experiments]"'


def has_torch() -> bool:
    """Whether torch is installed, without importing it."""
    return find_spec("torch") is not None


def choose_device(wanted: str) -> str:
    """The device `wanted`, for "auto" a CUDA GPU or else the processor; InputError if absent.

    Apple's GPU ("mps") has to be named: nothing has been run on one.
    """
    if not has_torch():
        raise InputError(NEEDS_TORCH)
    import torch

    wanted = str(wanted)  # a device of torch's, too

    able = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    here = [device for device in able if able[device]] + ["cpu"]
    if wanted == "auto":
        return "cuda" if able["cuda"] else "cpu"
    kind, colon, number = wanted.partition(":")
    count = torch.cuda.device_count() if kind == "cuda" else 1
    is_there = not colon or (number.isdecimal() and int(number) < count)
    if kind not in here or not is_there:
        raise InputError(f"this machine has no device '{wanted}'; it has {', '.join(here)}")
    return wanted


def environment(device: str) -> dict[str, Any]:
    """This process as a record describes it: device and its kind, threads, versions."""
    import platform

    import numpy
    import torch

    driver = cudnn = None
    on_cuda = device_kind(device) == "cuda"
    if on_cuda:
        driver = _output(["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"])
        cudnn = str(torch.backends.cudnn.version())  # type: ignore[no-untyped-call]
    return {
        "device": torch.cuda.get_device_name(device) if on_cuda else cpu_model(),
        "device_kind": device_kind(device),
        "instruction_set": torch.backends.cpu.get_cpu_capability(),
        "processor_features": processor_features(),
        "threads": torch.get_num_threads(),
        "driver": driver.splitlines()[0] if driver else None,
        "torch": torch.__version__.split("+")[0],
        "numpy": numpy.__version__,
        "python": platform.python_version(),
        "cuda": torch.version.cuda if on_cuda else None,
        "cudnn": cudnn,
        "platform": f"{platform.system()} {platform.machine()}",
    }


def exact_part(described: dict[str, Any]) -> dict[str, Any]:
    """The part of an environment on which the bits of a trajectory depend."""
    return {name: described.get(name) for name in EXACT}


def processor_features() -> list[str]:
    """The processor's vector and matrix features, sorted, as torch names them.

    Its libraries choose their kernels by these: AMX or AVX-512-BF16 give other bits than AVX2.
    Where torch is too old to say, the names are those of /proc/cpuinfo.
    """
    import torch

    if hasattr(torch.cpu, "get_capabilities"):
        present = torch.cpu.get_capabilities()
        return sorted(name for name in present if present[name] is True and FEATURE.fullmatch(name))
    return sorted(filter(FEATURE.fullmatch, _cpuinfo(("flags", "Features")).split()))


def bf16_supported(device: str) -> bool:
    """Whether the device itself computes in bf16, without emulating it in float32."""
    import torch

    kind = device_kind(device)
    if kind == "cuda":
        return bool(torch.cuda.get_device_capability(device) >= (8, 0))
    if kind != "cpu" or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return False  # it says yes to AVX-512 without bf16 too, and emulates it
    return not {"avx512_bf16", "amx_bf16", "bf16"}.isdisjoint(processor_features())


def cpu_model() -> str:
    """The processor's model name."""
    if model := _cpuinfo(("model name",)):
        return model
    import platform  # slow to load, and seldom needed

    said = _output(["sysctl", "-n", "machdep.cpu.brand_string"])
    return said or platform.processor() or platform.machine() or "unknown"


def _cpuinfo(names: tuple[str, ...]) -> str:
    """What /proc/cpuinfo says of the first processor under one of `names`; "" if nothing."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith(names):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return ""


def commit() -> tuple[str | None, bool]:
    """The commit of this code, and whether the package differs from it.

    Where git is absent the variable DIP_COMMIT may say it, as `git describe --always --abbrev=40
    --dirty --exclude "*"` writes it; else None.
    """
    here = Path(__file__).parent.parent
    held = _output(["git", "-C", str(here), "ls-files", "records/environment.py"])
    head = _output(["git", "-C", str(here), "rev-parse", "HEAD"])
    if not held or not head:  # no checkout, or installed inside somebody else's
        described, _, dirty = os.environ.get("DIP_COMMIT", "").partition("-")
        return (described, dirty == "dirty") if COMMIT.fullmatch(described) else (None, False)
    return head, bool(_output(["git", "-C", str(here), "status", "--porcelain", "--", "."]))


def _output(command: list[str]) -> str | None:
    """What a command prints, or None if it cannot be run or fails."""
    import subprocess

    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def free_memory(device: str) -> int:
    """The bytes that are free on the device: of its own memory on CUDA, else of the machine's."""
    if device_kind(device) == "cuda":
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    import psutil

    return int(psutil.virtual_memory().available)


def cores() -> int:
    """The number of processor cores that this process may use, where the system can tell."""
    import psutil

    process = psutil.Process()
    if hasattr(process, "cpu_affinity"):  # macOS binds no process to cores
        return len(process.cpu_affinity())
    return psutil.cpu_count() or 1
