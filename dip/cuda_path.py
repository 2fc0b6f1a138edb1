"""Which way a step goes on CUDA; a fixed rule, as each way has bits of its own.

"stock" is torch's operations in a captured graph (path A), "fused" our Triton kernels in one
(path B); either can compute in 32 or in 16 bits. The way shows in the trajectory revision.
Nothing here needs torch.
"""

import os
from importlib.util import find_spec

from dip.experiment import TRAJECTORY_REVISION
from dip.problems import InputError, nearest

REVISIONS = {"stock": 1, "fused": 2}  # of a trajectory on CUDA
CHOICE = "DIP_CUDA_PATH"  # the variable that says another way than the usual one
EAGER = "DIP_CUDA_EAGER"  # the variable that has every operation launched by itself: slow, the same


def usual_path() -> str:
    """Give the way of new records: that of the revision which dip.experiment states."""
    current = TRAJECTORY_REVISION["cuda", "tf32"]
    return next((name for name, number in REVISIONS.items() if number == current), "stock")


def cuda_path() -> str:
    """Give the way to go: what DIP_CUDA_PATH says, else the usual one; stock without Triton.

    Raises InputError for an unknown way, or if the variable asks for Triton where there is none.
    """
    asked = os.environ.get(CHOICE)
    if asked and asked not in REVISIONS:
        raise InputError(f"{CHOICE} is '{asked}'{nearest(asked, REVISIONS)}")
    path = asked or usual_path()
    if path == "fused" and find_spec("triton") is None:
        if asked:
            raise InputError(f"{CHOICE} is 'fused', which needs Triton, and it is not installed")
        return "stock"
    return path


def captures_graphs() -> bool:
    """Tell whether a step on CUDA is a captured graph, as it is unless DIP_CUDA_EAGER is 1."""
    return os.environ.get(EAGER) != "1"


def trajectory_revision(device_kind: str, mode: str) -> int:
    """Give the revision of a trajectory that would be made now, on cpu, mps or cuda."""
    if device_kind == "cuda":
        return REVISIONS[cuda_path()]
    return TRAJECTORY_REVISION[device_kind, mode]


def path_of(revision: int) -> str | None:
    """Give the way that made a CUDA record of this revision; None if it is no longer known."""
    return next((name for name, number in REVISIONS.items() if number == revision), None)
