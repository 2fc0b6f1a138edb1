"""The press: it makes the site from posts, templates and recorded runs.

`press.record(...)` writes the record of a run (docs/records.md).
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from press.results.recording import record as record


def __getattr__(name: str) -> Any:
    """Load what writes records when it is first asked for."""
    if name == "record":
        from press.results.recording import record

        return record
    raise AttributeError(f"module 'press' has no attribute '{name}'")
