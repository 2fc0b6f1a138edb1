"""What products are made in is a fit's, whatever the process had set before."""

from collections.abc import Iterator

import pytest
import torch

from dip.engine.precision import multiply_in

OPERATIONS = [
    torch.backends.cudnn.conv, torch.backends.cuda.matmul,
    torch.backends.mkldnn.conv, torch.backends.mkldnn.matmul,
]  # fmt: skip


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    yield
    torch.backends.fp32_precision = torch.backends.cudnn.fp32_precision = "none"
    torch.set_float32_matmul_precision("highest")
    multiply_in("ieee")


def set_all() -> None:
    torch.backends.fp32_precision = "tf32"


def set_cudnn() -> None:
    torch.backends.cudnn.fp32_precision = "tf32"


def set_products() -> None:
    torch.set_float32_matmul_precision("medium")


@pytest.mark.parametrize("before", [set_all, set_cudnn, set_products, None])
def test_ieee_is_float32_whatever_was_set_before(before: object) -> None:
    multiply_in("tf32")
    if callable(before):
        before()
    multiply_in("ieee")
    assert [one.fp32_precision for one in OPERATIONS] == ["ieee"] * 4
    assert not torch.backends.cudnn.allow_tf32 and not torch.backends.cuda.matmul.allow_tf32
    assert not torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction


def test_tf32_is_of_cuda_alone() -> None:
    set_products()
    multiply_in("tf32")
    assert [one.fp32_precision for one in OPERATIONS] == ["tf32", "tf32", "ieee", "ieee"]
