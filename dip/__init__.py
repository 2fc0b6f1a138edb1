"""Deep Image Prior, reproduced: experiments, an exact engine, and records of its runs.

A task (`denoising(image)`, `inpainting(image, mask)`, ...) and an `Experiment` (the settings) make
a `Fit`, which yields a `Step` for each iteration; an `InputError` says what is wrong with either.
`import dip` loads neither torch nor numpy; a name below loads what it needs when it is asked for.
"""

from importlib import import_module
from typing import Any

# The library's front door: each name, and the module that it comes from.
_FRONT = {
    "Experiment": "dip.experiments.experiment",
    "Fit": "dip.engine.fit",
    "InputError": "dip.errors",
    "Operator": "dip.tasks.degradations",
    "Step": "dip.engine.fit",
    "Task": "dip.tasks.degradations",
    "denoising": "dip.tasks.degradations",
    "flash": "dip.tasks.degradations",
    "inpainting": "dip.tasks.degradations",
    "jpeg_artefacts": "dip.tasks.degradations",
    "read_picture": "dip.tasks.images",
    "super_resolution": "dip.tasks.degradations",
}


def __getattr__(name: str) -> Any:
    """One of the front door's names, imported now; raises AttributeError for any other."""
    if name not in _FRONT:
        raise AttributeError(f"module 'dip' has no attribute '{name}'")
    return getattr(import_module(_FRONT[name]), name)


def __dir__() -> list[str]:
    return sorted(_FRONT)
