"""Where a run was made: device, instruction set, versions, commit."""

import os
import re
from contextlib import suppress
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
# Files of a control group of Linux, of version 2 and of version 1. Of memory: the limit, what is
# used, and what of that is cached files, which give way. Of the processor: the quota in a period.
OF_MEMORY = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)
OF_TIME = (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us"))
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
    lines = _text(Path("/proc/cpuinfo")).splitlines()
    found = (line.partition(":")[2].strip() for line in lines if line.startswith(names))
    return next(found, "")


def commit() -> tuple[str | None, bool]:
    """The commit of this code, None where git does not tell, and whether the package differs."""
    here = Path(__file__).parent.parent
    held = _output(["git", "-C", str(here), "ls-files", "records/environment.py"])
    head = _output(["git", "-C", str(here), "rev-parse", "HEAD"])
    if not held or not head:  # no checkout, or installed inside somebody else's
        return None, False
    return head, bool(_output(["git", "-C", str(here), "status", "--porcelain", "--", "."]))


def _output(command: list[str]) -> str | None:
    """What a command prints, or None if it cannot be run or fails."""
    import subprocess

    try:
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", timeout=20,
            check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _text(path: Path) -> str:
    """What a file of the system says; "" where it is absent or cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _control_groups(controller: str, system: Path) -> list[Path]:
    """The folders of this process's control groups and of those above, whose limits hold too.

    Of version 2, and of version 1 for `controller`. A container may see its own as the topmost
    alone: the folders between are then absent.
    """
    folders = []
    for line in _text(system / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        top = system / "sys/fs/cgroup" / (controller if controllers else "")
        if controller in controllers.split(",") or not controllers:
            own = top / path.lstrip("/")
            folders += [own, *(above for above in own.parents if above.is_relative_to(top))]
    return folders


def free_memory(device: str, system: Path = Path("/")) -> int:
    """The bytes that are free on the device: of its own memory on CUDA, else of the machine's.

    Of the machine's no more than a control group leaves, of a container or of a job on a cluster:
    a process that takes more is killed.
    """
    if device_kind(device) == "cuda":
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    import psutil

    free = [int(psutil.virtual_memory().available)]
    for group in _control_groups("memory", system):
        for limit, used, cached in OF_MEMORY:
            with suppress(ValueError):  # these files are absent, or the limit is "max"
                kinds = dict(line.split() for line in _text(group / "memory.stat").splitlines())
                kept = int(_text(group / used)) - int(kinds.get(cached, 0))
                free.append(int(_text(group / limit)) - kept)
    return max(0, min(free))


def cores(system: Path = Path("/")) -> int:
    """The number of processor cores that this process may use, where the system can tell.

    As many as it is bound to, and as a control group's share of the processor's time keeps busy.
    """
    bound = hasattr(os, "sched_getaffinity")  # neither macOS nor Windows has it
    found = [len(os.sched_getaffinity(0)) if bound else os.cpu_count() or 1]
    for group in _control_groups("cpu", system):
        for names in OF_TIME:
            with suppress(ValueError):  # these files are absent, or the quota is "max"
                quota, period = (int(word) for n in names for word in _text(group / n).split())
                found += [quota // period] if quota > 0 else []  # -1 is none
    return max(1, min(found))
