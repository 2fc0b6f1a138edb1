"""What a record says of the processor that made it, and what a process may use of a machine."""

import os
import platform
from collections.abc import Mapping
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from dip.experiments.experiment import device_kind
from dip.records.environment import (
    bf16_supported,
    cores,
    environment,
    exact_part,
    free_memory,
    processor_features,
)


def test_the_processor_s_features_belong_to_what_must_be_equal() -> None:
    features = exact_part(environment("cpu"))["processor_features"]
    assert features == sorted(set(features))
    if torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512"):
        assert {"avx2", "fma3"} <= set(features)
        assert not {"sse", "aes", "clflush"} & set(features), "no kernel is chosen by these"


def test_where_torch_cannot_say_the_system_tells_the_features(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = processor_features()
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    if platform.system() == "Linux" and "avx2" in said:
        assert "avx2" in processor_features()


def test_bf16_is_supported_where_the_processor_computes_in_it() -> None:
    has_it = not {"avx512_bf16", "amx_bf16", "bf16"}.isdisjoint(processor_features())
    if torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported():
        assert bf16_supported("cpu") == has_it
    else:
        assert not bf16_supported("cpu")
    assert not bf16_supported("mps")
    if torch.cuda.is_available():
        assert bf16_supported("cuda:0") == (torch.cuda.get_device_capability(0)[0] >= 8)


@pytest.mark.parametrize("device", ["cpu", "mps", "cuda", "cuda:1"])
def test_the_kind_of_a_device_is_its_name_s_beginning(device: str) -> None:
    assert device_kind(device) == torch.device(device).type


def system(folder: Path, own: str, files: Mapping[str, str]) -> Path:
    """A folder with what Linux says of a process's control groups in /proc and /sys."""
    texts = {"proc/self/cgroup": own, **{f"sys/fs/cgroup/{path}": files[path] for path in files}}
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(f"{text}\n")
    return folder


MIB = 2**20
VERSION_2 = {
    "job/memory.max": str(9 * MIB), "job/memory.current": str(5 * MIB),
    "job/memory.stat": f"anon 7\ninactive_file {MIB}", "job/cpu.max": "199999 100000",
    "job/step/memory.max": "max", "job/step/memory.current": str(MIB),
    "job/step/memory.stat": "inactive_file 0", "job/step/cpu.max": "max 100000",
}  # fmt: skip
VERSION_1 = {  # a container sees its own group as the topmost
    "memory/memory.limit_in_bytes": str(9 * MIB), "memory/memory.usage_in_bytes": str(5 * MIB),
    "memory/memory.stat": f"inactive_file 0\ntotal_inactive_file {MIB}",
    "cpu/cpu.cfs_quota_us": "199999", "cpu/cpu.cfs_period_us": "100000",
}  # fmt: skip
OF_JOB = ("0::/job/step", VERSION_2)
OF_CONTAINER = ("4:memory:/docker/1f\n3:cpuset:/\n2:cpu,cpuacct:/docker/1f\n0::/", VERSION_1)


@pytest.mark.parametrize(("own", "files"), [OF_JOB, OF_CONTAINER])
def test_a_limit_of_a_container_or_a_job_holds(
    tmp_path: Path, own: str, files: dict[str, str]
) -> None:
    pytest.importorskip("psutil")
    there = system(tmp_path, own, files)
    assert free_memory("cpu", there) == 5 * MIB, "9 less 5, of which 1 is cached files"
    assert cores(there) == 1, "two threads would wait for each other"


@pytest.mark.parametrize(
    ("own", "files"),
    [
        ("0::/", {}),
        ("4:memory:/\n1:cpu:/", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}),
        ("0::/", {"memory.stat": "one", "memory.max": "max", "cpu.max": "max 100000"}),
        ("0::/other", VERSION_2),
    ],
)
def test_without_a_limit_all_of_the_machine_is_free(
    tmp_path: Path, own: str, files: dict[str, str]
) -> None:
    psutil = pytest.importorskip("psutil")
    there = system(tmp_path, own, files)
    assert free_memory("cpu", there) > psutil.virtual_memory().total / 100
    may_use = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert cores(there) == may_use


def test_a_limit_that_is_used_up_leaves_nothing(tmp_path: Path) -> None:
    pytest.importorskip("psutil")
    there = system(tmp_path, "0::/job", {**VERSION_2, "job/memory.max": str(3 * MIB)})
    assert free_memory("cpu", there) == 0
