"""Which mode of arithmetic a day's records are made in, tried on two images, and the gate."""

from functools import partial
from typing import TYPE_CHECKING, Any

from dip.gpu_rules import good, ms_of

if TYPE_CHECKING:
    from dip.gpu_day import Day

HOUSE, MONTAGE = "inpainting/house/seed0", "inpainting/montage/seed0"
GATE_DB, GATE_KNOWN_DB = 38.0, 46.0  # of House in tf32
# What a mode may lose against the one before it, on either image: in all, and on known pixels.
PARITY_DB = {"fp16": (0.2, 0.5), "tf32": (0.5, 1.0)}
TRIAL_ITERATIONS = 11000
TRIAL_SHARE = 3.0  # a trial may take so many times what its steps were timed at


def modes(day: "Day") -> tuple[str, ...]:
    """List the modes to try, the usual one first; fp16 only where its checks were good."""
    if day.args.tiny:
        return ("ieee",)
    path = day.known["decided"]["path"]
    right = good(day, "first fused fp16") and good(day, "exact fused fp16") and path == "fused"
    return ("tf32", "fp16", "ieee") if right else ("tf32", "ieee")


def trials(day: "Day") -> list[tuple[str, str]]:
    """List the trials that the mode is decided by: image and mode.

    Where House could not be had in ieee, Montage alone would decide nothing.
    """
    pairs = [(image, mode) for mode in modes(day) for image in (HOUSE, MONTAGE)]
    if "failed" in day.known["steps"].get(f"trial {HOUSE} ieee", {}) and not day.args.tiny:
        pairs.remove((MONTAGE, "ieee"))
    return pairs


def try_modes(day: "Day") -> None:
    """Run House and Montage in each mode."""
    for image, mode in trials(day):
        if (image, mode) not in trials(day):  # a trial before has made it idle
            continue
        seconds = 25 + 1.3 * TRIAL_ITERATIONS * day.known["decided"]["ms"]["256"] / 1e3
        name = f"trial {image} {mode}"
        day.step(name, seconds, partial(_trial, day, image, mode))


def _trial(day: "Day", image: str, mode: str) -> dict[str, Any]:
    """Run one image; "stopped" if the part ended before it, so that the next part does it."""
    limit = 60 + TRIAL_SHARE * TRIAL_ITERATIONS * day.known["decided"]["ms"]["256"] / 1e3
    is_limited = day.left - 5 > limit
    told = list(day.runs(mode, only=(image,), limit=limit))
    found = told[-1] if told else {"stopped": True}
    if found.get("broken") and day.left < 0:  # killed at the part's end
        return {"stopped": True}
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
    return {size: ms_of(day, decided["path"], mode, size) or ms[size] for size in ms}


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
