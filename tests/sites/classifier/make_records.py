"""The records of the second paper, by arithmetic: five seeds of a classifier on two data sets.

Nothing here is measured; the numbers only have the form of a classifier's.
"""

import hashlib
import json
import random
from math import exp
from pathlib import Path
from typing import Any

EPOCHS = 20
ENDS = {"digits": (97.4, 1.9), "letters": (91.0, 6.3)}  # accuracy and calibration error, in %
BASELINE = {"digits": 92.5, "letters": 80.25}


def scores(accuracy: float, error: float) -> dict[str, float]:
    """What is measured of one output."""
    loss = (100 - accuracy) / 1000
    return {"accuracy": round(accuracy, 2), "calibration": round(error, 2), "loss": round(loss, 6)}


def course(name: str, seed: int) -> list[tuple[float, float]]:
    """Accuracy and calibration error after each epoch, the untrained state first."""
    luck = random.Random(f"{name}, {seed}")
    end, error = (value + luck.gauss(0, 0.15) for value in ENDS[name])
    rest = [exp(-epoch / 3) + luck.gauss(0, 0.002) * (0 < epoch < EPOCHS) for epoch in range(21)]
    return [(end - (end - 10) * each, error + 8 * each) for each in rest]


def write_run(folder: Path, name: str, seed: int) -> None:
    """The record of one training: a curve over its epochs, no pictures."""
    states = [scores(*state) for state in course(name, seed)]
    rows = ["epoch,loss,accuracy,calibration"]
    rows += [f"{k},{s['loss']},{s['accuracy']},{s['calibration']}" for k, s in enumerate(states)]
    write(folder / "mlp" / name / f"seed{seed}", "\n".join(rows) + "\n", {
        "kind": "run", "seed": seed, "method": None, "axis": "epoch",
        "settings": {"hidden_units": 128, "epochs": EPOCHS, "learning_rate": 0.1},
        "metrics": {"at.0": states[0], "at.10": states[10], "final": states[-1]},
        "steps": {"at.0": 0, "at.10": 10, "final": EPOCHS}, "seconds": 41.0 + seed,
        "command": f"python train.py {name} --seed {seed}",
    })  # fmt: skip


def write_baseline(folder: Path, name: str) -> None:
    """The record of a method without luck: no seed, no curve, nothing but its numbers."""
    write(folder / "mlp" / name / "logistic-regression", "", {
        "kind": "baseline", "seed": 0, "method": "logistic-regression", "settings": {},
        "metrics": {"final": scores(BASELINE[name], 3.5)}, "seconds": 2.5,
    })  # fmt: skip


def write(folder: Path, curve: str, data: dict[str, Any]) -> None:
    """A record of format 2, sealed."""
    folder.mkdir(parents=True)
    files = {}
    if curve:
        (folder / "curve.csv").write_text(curve)
        files["curve.csv"] = hashlib.sha256(curve.encode()).hexdigest()
    data |= {
        "format": 2, "suite": "mlp", "case": folder.parent.name, "key": folder.name,
        "title": f"The {folder.parent.name}", "measure": "accuracy", "files": files,
        "environment": {"device": "Example CPU 3000", "python": "3.11.7"},
        "started": "2026-11-23T20:00:00Z",
    }  # fmt: skip
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    data["seal"] = hashlib.sha256(text.encode()).hexdigest()
    (folder / "run.json").write_text(json.dumps(data, indent=1))


if __name__ == "__main__":
    for data_set in ENDS:
        write_baseline(Path("results"), data_set)
        for number in range(5):
            write_run(Path("results"), data_set, number)
