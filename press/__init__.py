"""The press: it makes the site from posts, templates and recorded runs.

`press.record(...)` writes the record of a run (docs/records.md), and raises `press.InputError`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from press.errors import InputError as InputError
    from press.results.recording import record as record

OFFERED = {"record": "press.results.recording", "InputError": "press.errors"}


def __getattr__(name: str) -> Any:
    """Load what is offered when it is first asked for."""
    if name in OFFERED:
        return getattr(import_module(OFFERED[name]), name)
    raise AttributeError(f"module 'press' has no attribute '{name}'")
