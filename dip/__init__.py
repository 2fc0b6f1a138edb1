"""Deep Image Prior, reproduced: experiments, an exact engine, and records of its runs.

A task (`denoising(image)`, `inpainting(image, mask)`, ...) and an `Experiment` (the settings) make
a `Fit`, which yields a `Step` for each iteration; an `InputError` says what is wrong with either.
`import dip` loads neither torch nor numpy; a name below loads what it needs when it is asked for.
"""

from importlib import import_module
from typing import Any

# The library's front door: the names that come from each module.
_MODULES = {
    "dip.engine.fit": "Fit Step",
    "dip.errors": "InputError",
    "dip.experiments.experiment": "Experiment",
    "dip.tasks.degradations":
        "Operator Task denoising flash inpainting jpeg_artefacts super_resolution",
    "dip.tasks.images": "read_picture",
}  # fmt: skip
_FRONT = {name: module for module, names in _MODULES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    """One of the front door's names, imported now; raises AttributeError for any other."""
    if name not in _FRONT:
        raise AttributeError(f"module 'dip' has no attribute '{name}'")
    return getattr(import_module(_FRONT[name]), name)


def __dir__() -> list[str]:
    return sorted(_FRONT)
