"""The rules of a day on a GPU: what is checked, and what is decided from what was found."""

from functools import partial
from typing import TYPE_CHECKING, Any

from dip.problems import InputError

if TYPE_CHECKING:
    from dip.gpu_day import Day

HOUSE, MONTAGE = "inpainting/house/seed0", "inpainting/montage/seed0"
GATE_DB, GATE_KNOWN_DB = 38.0, 46.0  # of House in tf32
# What a mode may lose against the one before it, on either image: in all, and on known pixels.
PARITY_DB = {"fp16": (0.2, 0.5), "tf32": (0.5, 1.0)}
TRIAL_ITERATIONS = 11000
TRIAL_SHARE = 3.0  # a trial may take so many times what its steps were timed at
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
        path: [_ms(day, path, "tf32", size) for size in ("256", "512")]
        for path in ("stock", "fused")
    }
    pairs = list(zip(times["stock"], times["fused"], strict=True))
    faster = all(a and b and a > FASTER * b for a, b in pairs)
    decided["path"] = "fused" if right and (faster or not stock) else "stock"
    decided["ms"] = {
        size: _ms(day, decided["path"], "tf32", size) or (4.0 if size == "256" else 14.0)
        for size in ("256", "512")
    }
    if not tiny:
        for size in ("256", "512"):
            plain = _ms(day, "plain", "tf32", size)
            ratios = {
                f"{p} {m}": plain / ms for p, m in WAYS if plain and (ms := _ms(day, p, m, size))
            }
            day.say(f"ratio to the plain loop at {size}: {ratios}")
    day.say(f"path: {decided['path']} (right: {right}, faster: {faster}, stock right: {stock})")


def _ms(day: "Day", path: str, mode: str, size: str) -> float | None:
    found: float | None = day.known["steps"].get(f"speed {path} {mode} {size}", {}).get("ms")
    return found


def modes(day: "Day") -> tuple[str, ...]:
    """List the modes to try, the usual one first; fp16 only where its checks were good."""
    if day.args.tiny:
        return ("ieee",)
    path = day.known["decided"]["path"]
    right = good(day, "first fused fp16") and good(day, "exact fused fp16") and path == "fused"
    return ("tf32", "fp16", "ieee") if right else ("tf32", "ieee")


def trials(day: "Day") -> list[tuple[str, str]]:
    """List the trials that the mode is decided by: image and mode."""
    return [(image, mode) for mode in modes(day) for image in (HOUSE, MONTAGE)]


def try_modes(day: "Day") -> None:
    """Run House and Montage in each mode."""
    for image, mode in trials(day):
        seconds = 25 + 1.3 * TRIAL_ITERATIONS * day.known["decided"]["ms"]["256"] / 1e3
        name = f"trial {image} {mode}"
        day.step(name, seconds, partial(_trial, day, image, mode))


def _trial(day: "Day", image: str, mode: str) -> dict[str, Any]:
    """Run one image; "stopped" if the part ended before it, so that the next part does it."""
    limit = 60 + TRIAL_SHARE * TRIAL_ITERATIONS * day.known["decided"]["ms"]["256"] / 1e3
    is_limited = day.left - 5 > limit
    told = list(day.runs(mode, only=(image,), limit=limit))
    found = told[-1] if told else {"stopped": True}
    if found.get("stopped") and is_limited:
        return {"failed": f"it was not done in {limit:.0f} s"}
    return found


def _trialled(day: "Day", image: str, mode: str, what: str) -> float | None:
    found: float | None = day.known["steps"].get(f"trial {image} {mode}", {}).get(what)
    return found


def decide_mode(day: "Day") -> None:
    """Open the gate or not, and choose the mode of the records, the fastest that keeps up.

    tf32 has to keep up with ieee (where that could be had), and fp16 with tf32. Nothing is decided before every trial was made; the next part then begins with them.
    """
    left = [pair for pair in trials(day) if "trial {} {}".format(*pair) not in day.known["steps"]]
    if left:
        day.say(f"mode: not decided, {len(left)} trials are left")
        return
    usual = modes(day)[0]
    slower = usual != "ieee" and _all_done(day, "ieee") and not _keeps_up(day, usual, "ieee")
    reference = "ieee" if slower else usual
    house = [_trialled(day, HOUSE, reference, what) or 0.0 for what in ("psnr_db", "known_db")]
    decided = day.known["decided"]
    decided["gate"] = day.args.tiny or (house[0] > GATE_DB and house[1] > GATE_KNOWN_DB)
    narrow = decided["gate"] and reference == "tf32" and _keeps_up(day, "fp16", "tf32")
    decided["mode"] = "fp16" if narrow else reference
    decided["ms"] = _ms_of_mode(day, decided["mode"])
    day.say(f"gate: {decided['gate']} (House {house}); mode: {decided['mode']}")


def _ms_of_mode(day: "Day", mode: str) -> dict[str, float]:
    """Give an iteration's milliseconds in a mode, by side; of ieee as its trial on House took."""
    decided = day.known["decided"]
    ms: dict[str, float] = decided["ms"]
    if mode == "ieee" and (seconds := _trialled(day, HOUSE, mode, "seconds")):
        return {size: 1e3 * seconds / TRIAL_ITERATIONS * ms[size] / ms["256"] for size in ms}
    return {size: _ms(day, decided["path"], mode, size) or ms[size] for size in ms}


def _all_done(day: "Day", mode: str) -> bool:
    return all(_trialled(day, image, mode, "psnr_db") is not None for image in (HOUSE, MONTAGE))


def _keeps_up(day: "Day", mode: str, reference: str) -> bool:
    """Tell whether a mode loses no more than allowed, on House and on Montage."""
    if not (_all_done(day, mode) and _all_done(day, reference)):
        return False
    losses = [
        (_trialled(day, image, reference, what) or 0.0) - (_trialled(day, image, mode, what) or 0.0)
        - allowed
        for image in (HOUSE, MONTAGE)
        for what, allowed in zip(("psnr_db", "known_db"), PARITY_DB[mode], strict=True)
    ]  # fmt: skip
    return max(losses) <= 0


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
