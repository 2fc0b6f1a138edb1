"""The fused kernels against the same computed in float64, one by one, with what is allowed."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

import torch
from torch import Tensor

from dip import fused_reference as reference
from dip.layers import empty_image

SEED = 7


@dataclass(frozen=True)
class Check:
    """How far a kernel is from float64: the largest difference over the largest value."""

    name: str
    error: float
    allowed: float

    @property
    def good(self) -> bool:
        """Tell whether the error is allowed; NaN is not."""
        return self.error <= self.allowed

    def __str__(self) -> str:
        """Say so in a line."""
        word = "good" if self.good else "WRONG"
        return f"{word:5} {self.name}: {self.error:.1e} (allowed {self.allowed:.0e})"


def distance(found: Tensor, wanted: Tensor) -> float:
    """Give the largest difference, relative to the largest value wanted."""
    wanted = wanted.double()
    return float((found.double() - wanted).abs().max() / wanted.abs().max().clamp(min=1e-30))


def check_kernels(
    fused: ModuleType, device: str, shapes: tuple[tuple[int, int, int], ...], dtype: torch.dtype
) -> Iterator[Check]:
    """Check every kernel of `fused` on images of (C, H, W), stored as `dtype`."""
    allowed = {torch.float32: 2e-5, torch.float16: 4e-3, torch.bfloat16: 3e-2}[dtype]
    for shape in shapes:
        generator = torch.Generator().manual_seed(SEED)
        for name, error in _norms(fused, device, shape, dtype, generator):
            yield Check(f"{name} {'x'.join(map(str, shape))} {dtype}", error, allowed)
        for name, error in _upsampling(fused, device, shape, dtype, generator):
            yield Check(f"{name} {'x'.join(map(str, shape))} {dtype}", error, allowed)
    yield Check("noise", _noise(fused, device), 1e-5)
    yield Check("input", _input(fused, device), 1e-6)
    for bad in (False, True):
        yield Check(f"adam, bad={bad}", _adam(fused, device, bad), 1e-5)
        apart = _adam(fused, device, bad, keeps_means=True)
        yield Check(f"adam, bad={bad}, weights alone go back", apart, 1e-5)


def _image(
    shape: tuple[int, int, int], device: str, dtype: torch.dtype, generator: torch.Generator
) -> Tensor:
    drawn = torch.randn((1, *shape), generator=generator) + 0.3
    return drawn.to(device, dtype).contiguous(memory_format=torch.channels_last)


def _norms(
    fused: ModuleType, device: str, shape: tuple[int, int, int], dtype: torch.dtype,
    generator: torch.Generator,
) -> Iterator[tuple[str, float]]:  # fmt: skip
    """Compare moments, norm and backward; the channels lie among others where a skip would."""
    channels, height, width = shape
    image = _image(shape, device, dtype, generator)
    gamma, beta = (torch.randn(channels, generator=generator).to(device) for _ in range(2))
    affine = (gamma, beta)
    statistics, exact = fused.moments(image), reference.moments(image.double())
    yield "moments", distance(statistics, exact)
    for mode, pad, offset in (("reflection", 1, 4), ("zero", 1, 0), ("reflection", 0, 0)):
        joined = -(-(channels + offset) // 8) * 8
        out = empty_image(image, joined, height + 2 * pad, width + 2 * pad).zero_()
        wanted = out.double()
        slope, border = 0.2, (pad, mode)
        double = (gamma.double(), beta.double())
        fused.norm_into(out, image, statistics, affine, offset, slope, border)
        reference.norm_into(wanted, image.double(), exact, double, offset, slope, border)
        yield f"norm {mode} {pad}", distance(out, wanted)
        gradient = _image((joined, *out.shape[2:]), device, dtype, generator)
        found = fused.norm_backward(
            gradient, offset, None, image, statistics, affine[0], slope, border
        )
        best = reference.norm_backward(
            gradient.double(), offset, None, image.double(), exact, double[0], slope, border
        )
        yield f"norm backward {mode} {pad}", max(map(distance, found, best))
        if offset == 0:
            found = fused.norm_backward(
                gradient, 0, out, image, statistics, affine[0], slope, border
            )
            best = reference.norm_backward(
                gradient.double(), 0, out.double(), image.double(), exact, double[0], slope, border
            )
            yield f"activated backward {mode} {pad}", max(map(distance, found, best))


def _upsampling(
    fused: ModuleType, device: str, shape: tuple[int, int, int], dtype: torch.dtype,
    generator: torch.Generator,
) -> Iterator[tuple[str, float]]:  # fmt: skip
    low = _image(shape, device, dtype, generator)
    high = _image((shape[0], 2 * shape[1], 2 * shape[2]), device, dtype, generator)
    for bilinear in (True, False):
        kind = "bilinear" if bilinear else "nearest"
        wanted = reference.upsample(low.double(), bilinear)
        yield f"upsample {kind}", distance(fused.upsample(low, bilinear), wanted)
        wanted = reference.upsample_adjoint(high.double(), bilinear)
        yield f"its adjoint {kind}", distance(fused.upsample_adjoint(high, bilinear), wanted)


def _noise(fused: ModuleType, device: str) -> float:
    """Compare with numpy's generator, at the last iteration of a run."""
    from dip.noise import draw_normal

    wanted, found = torch.empty(4 * 32 * 33), torch.empty(4 * 32 * 33, device=device)
    draw_normal(SEED, 10999, wanted)
    fused.normals_into(found, SEED, torch.tensor(10999, device=device))
    return distance(found.cpu(), wanted)


def _input(fused: ModuleType, device: str) -> float:
    generator = torch.Generator().manual_seed(SEED)
    z, noise = (_image((32, 20, 24), device, torch.float32, generator) for _ in range(2))
    out = empty_image(z, 32, 22, 26)
    wanted = out.double()
    fused.input_into(out, z, noise, 1 / 30, (1, "reflection"))
    reference.input_into(wanted, z.double(), noise.double(), 1 / 30, (1, "reflection"))
    return distance(out, wanted)


def _adam(fused: ModuleType, device: str, bad: bool, keeps_means: bool = False) -> float:
    generator = torch.Generator().manual_seed(SEED)
    values, previous = (torch.rand((3, 5000), generator=generator).to(device) for _ in range(2))
    gradient = torch.randn(5000, generator=generator).to(device)
    corrections = torch.tensor([[1.0, 0.0], [0.03, -0.1], [0.04, -0.05]], device=device)
    exact, earlier = values.double(), previous.double()
    numbers = torch.tensor(2, device=device), torch.tensor(bad, device=device)
    more = (*numbers, 0.25, keeps_means)
    fused.adam_into(gradient, values, previous, corrections, *more)
    reference.adam_into(gradient.double(), exact, earlier, corrections.double(), *more)
    return max(distance(values, exact), distance(previous, earlier))


def main() -> int:
    """Check the kernels on the device and the CxHxW shapes that the command line names."""
    from dip import fused

    device, *words = sys.argv[1:]
    if device == "cpu":  # interpreted: small tiles, so that small images take several
        fused.TILE, fused.STENCIL_TILE, fused.CHUNKS = 512, 256, 3
    shapes = tuple((int(c), int(h), int(w)) for c, h, w in (word.split("x") for word in words))
    checks = [
        check
        for dtype in (torch.float32, torch.float16)
        for check in check_kernels(fused, device, shapes, dtype)
    ]
    for check in checks:
        print(check)
    return 0 if all(check.good for check in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
