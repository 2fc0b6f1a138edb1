"""The rules of a day on a GPU: what is checked, and what is decided from what was found."""

from functools import partial
from typing import TYPE_CHECKING, Any

from dip.problems import InputError

if TYPE_CHECKING:
    from dip.gpu_day import Day

FASTER = 1.03  # what the fused kernels must bring to be used
WAYS = (("stock", "tf32"), ("fused", "tf32"), ("fused", "fp16"))  # A, B, C
SHAPES = ("128x256x256", "4x256x256", "132x40x24")
TOLD = (
    "good",
    "apart",
    "turned",
    "ms",
    "ratio",
    "copy_gb_s",
    "psnr_db",
    "known_db",
    "kernels",
    "wrong",
)


def ways(day: "Day") -> tuple[tuple[str, str], ...]:
    """List the ways and modes to check; a tiny day has the CPU's."""
    return (("stock", "ieee"),) if day.args.tiny else (*WAYS, ("stock", "ieee"))


def check_all(day: "Day") -> None:
    """Check and measure everything that a decision needs."""
    tiny = day.args.tiny
    size, steps = ("32", "10") if tiny else ("256", "300")
    day.step("versions", 20, lambda: day.check("versions"))
    if not tiny:
        day.step("kernels", 60, lambda: _kernels(day))
    for _ in range(2):
        for path, mode in ways(day):
            _ask(day, 30, "first", path, mode, size)
        if not gives_up_graphs(day):
            break
    for path, mode in ways(day)[:3]:
        exact = partial(_exact, day, path, mode, size, steps)
        day.step(f"exact {path} {mode}", 40, exact)
    for name, count in (("64", "2"),) if tiny else (("256", "300"), ("512", "150")):
        for path, mode in (("plain", ways(day)[0][1]), *ways(day)[:3]):
            ask = partial(day.check, "speed", path, mode, name, count)
            day.step(f"speed {path} {mode} {name}", 30, ask)
    for path, mode in ways(day)[:3]:
        _ask(day, 30, "profile", path, mode, size, str(day.out / "profile.txt"))


def gives_up_graphs(day: "Day") -> bool:
    """Launch every operation by itself from here on, if no first step could be made in a graph.

    Tell whether that was decided just now; the first steps are then to be made again.
    """
    steps, decided = day.known["steps"], day.known["decided"]
    names = [f"first {path} {mode}" for path, mode in ways(day)]
    if (
        day.args.tiny
        or decided.get("eager")
        or any("failed" not in steps[n] for n in names if n in steps)
    ):
        return False
    if not all(name in steps for name in names):
        return False
    decided["eager"] = True
    for name in names:
        steps[f"{name}, captured"] = steps.pop(name)
    day.say("no first step could be captured: every operation is launched by itself from here on")
    return True


def _ask(day: "Day", seconds: float, question: str, path: str, mode: str, *words: str) -> None:
    ask = partial(day.check, question, path, mode, *words)
    day.step(f"{question} {path} {mode}", seconds, ask)


def _kernels(day: "Day") -> dict[str, Any]:
    """Compare every fused kernel with float64."""
    try:
        lines = day.child("dip.kernel_check", day.device, *SHAPES, limit=400)
    except InputError as error:
        return {"good": False, "wrong": [line for line in str(error).splitlines() if "WRONG" in line],
                "failed": str(error)[-1200:]}  # fmt: skip
    return {"good": True, "lines": lines}


def _exact(day: "Day", path: str, mode: str, size: str, steps: str) -> dict[str, Any]:
    """Run twice, in two processes, the second from the first one's middle; compare the bits."""
    place = day.work / f"middle-{path}-{mode}.npz"
    place.unlink(missing_ok=True)
    one, two = (day.check("trajectory", path, mode, size, steps, str(place)) for _ in range(2))
    place.unlink(missing_ok=True)
    same = [one[name] == two[name] for name in ("middle", "end")]
    return {"good": all(same) and bool(two.get("resumed")), "first": one, "second": two}


def good(day: "Day", name: str) -> bool:
    """Tell whether a step was done and found all well."""
    return bool(day.known["steps"].get(name, {}).get("good"))


def decide_path(day: "Day") -> None:
    """Choose the fused kernels if they are right, exact, and faster; else the stock operations.

    Where the stock ones are not right, kernels that are need not be faster.
    """
    decided, tiny = day.known["decided"], day.args.tiny
    if any(name.startswith("trial ") for name in day.known["steps"]):
        return  # what was tried in one way is not to be mixed with another
    stock, fused = (
        all(good(day, f"{what} {path} tf32") for what in ("first", "exact"))
        for path in ("stock", "fused")
    )
    right = good(day, "kernels") and fused
    times = {
        path: [ms_of(day, path, "tf32", size) for size in ("256", "512")]
        for path in ("stock", "fused")
    }
    pairs = list(zip(times["stock"], times["fused"], strict=True))
    faster = all(a and b and a > FASTER * b for a, b in pairs)
    decided["path"] = "fused" if right and (faster or not stock) else "stock"
    decided["ms"] = {
        size: ms_of(day, decided["path"], "tf32", size) or (4.0 if size == "256" else 14.0)
        for size in ("256", "512")
    }
    if not tiny:
        for size in ("256", "512"):
            plain = ms_of(day, "plain", "tf32", size)
            ratios = {
                f"{p} {m}": plain / ms for p, m in WAYS if plain and (ms := ms_of(day, p, m, size))
            }
            day.say(f"ratio to the plain loop at {size}: {ratios}")
    day.say(f"path: {decided['path']} (right: {right}, faster: {faster}, stock right: {stock})")


def ms_of(day: "Day", path: str, mode: str, size: str) -> float | None:
    found: float | None = day.known["steps"].get(f"speed {path} {mode} {size}", {}).get("ms")
    return found


def verify_some(day: "Day") -> None:
    """Verify the first two records of the day in a fresh process."""
    mode = day.known["decided"].get("mode")
    if mode is None or not day.results(mode).exists():
        return
    for image in ("house", "peppers"):
        if (day.results(mode) / "inpainting" / image / "seed0" / "run.json").exists():
            day.step(f"verify {image}", 30, partial(_verified, day, mode, image))


def _verified(day: "Day", mode: str, image: str) -> dict[str, Any]:
    words = ["--content", str(day.args.content), "verify", "inpainting", "--image", image]
    words += ["--results", str(day.results(mode)), "--device", day.device]
    words += ["--iterations", "5" if day.args.tiny else "300"]
    if day.args.images:
        words += ["--images", str(day.args.images.resolve())]
    lines = day.child("dip", *words)
    return {"good": True, "lines": lines[-3:]}
