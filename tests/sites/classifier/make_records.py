"""The records of the second paper, by arithmetic: five seeds of a classifier on two data sets.

Nothing here is measured; the numbers only have the form of a classifier's.
"""

import random
from math import exp

from press import record

EPOCHS = range(21)
ENDS = {"digits": (97.4, 1.9), "letters": (91.0, 6.3)}  # accuracy and calibration error, in %
BASELINE = {"digits": 92.5, "letters": 80.2}
MACHINE = {"device": "Example CPU 3000", "python": "3.11.7"}


def scores(accuracy: float, error: float) -> dict[str, float]:
    """What is measured of one output."""
    loss = (100 - accuracy) / 1000
    return {"accuracy": round(accuracy, 2), "calibration": round(error, 2), "loss": round(loss, 6)}


def course(name: str, seed: int) -> list[dict[str, float]]:
    """What is measured after each epoch, the untrained state first."""
    luck = random.Random(f"{name}, {seed}")
    end, error = (value + luck.gauss(0, 0.15) for value in ENDS[name])
    rest = [exp(-k / 3) + luck.gauss(0, 0.002) * (0 < k < EPOCHS[-1]) for k in EPOCHS]
    return [scores(end - (end - 10) * each, error + 8 * each) for each in rest]


for name in ENDS:
    common = {"measure": "accuracy", "title": f"The {name}", "environment": MACHINE}
    record(
        "mlp", name, method="logistic-regression", metrics=scores(BASELINE[name], 3.5),
        command="python baseline.py", seconds=2.5, **common,
    )  # fmt: skip
    for seed in range(5):
        states = course(name, seed)
        record(
            "mlp", name, seed=seed,
            settings={"hidden_units": 128, "epochs": EPOCHS[-1], "learning_rate": 0.1},
            metrics={"at.0": states[0], "at.10": states[10], "final": states[-1]},
            curve={"epoch": list(EPOCHS), **{key: [s[key] for s in states] for key in states[0]}},
            steps={"at.0": 0, "at.10": 10},
            command=f"python train.py {name} --seed {seed}", seconds=41 + seed, **common,
        )  # fmt: skip
