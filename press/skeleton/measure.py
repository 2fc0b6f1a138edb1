"""Simulates the secretary problem and records each run under results/: `python measure.py`."""

import random
import time

import press

SEEDS = (0, 1)
SETTINGS = {"candidates": 100, "rejected": 37, "trials": 20_000}
EVERY = 200  # trials, between two points of the curve


def finds_the_best(worths: list[float], rejected: int) -> bool:
    """Whether the rule takes the best of these candidates, who come in this order."""
    bar = max(worths[:rejected])
    taken = next((worth for worth in worths[rejected:] if worth > bar), worths[-1])
    return taken == max(worths)


def simulate(seed: int, candidates: int, rejected: int, trials: int) -> dict[str, list[float]]:
    """The share of the trials so far in which the rule found the best, in per cent."""
    rng = random.Random(seed)
    found, curve = 0, {"trial": list[float](), "success": list[float]()}
    for trial in range(1, trials + 1):
        found += finds_the_best([rng.random() for _ in range(candidates)], rejected)
        if trial % EVERY == 0:
            curve["trial"].append(trial)
            curve["success"].append(round(100 * found / trial, 3))
    return curve


for seed in SEEDS:
    started = time.perf_counter()
    curve = simulate(seed, **SETTINGS)
    press.record(
        "secretary", "hundred", seed=seed, title="A hundred candidates",
        metrics={"success": curve["success"][-1]}, settings=SETTINGS, curve=curve,
        command="python measure.py", seconds=time.perf_counter() - started,
        replace=True,  # an older record moves to results/superseded/, and nothing is lost
    )  # fmt: skip
