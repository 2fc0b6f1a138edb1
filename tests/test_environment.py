"""What a record says of the processor that made it."""

import platform

import pytest

torch = pytest.importorskip("torch")

from dip.experiments.experiment import device_kind
from dip.records.environment import bf16_supported, environment, exact_part, processor_features


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
