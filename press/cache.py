"""A folder of results that cost time to make, safe to delete, and shared by builds at once."""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Cache:
    """Things that were made before, each under the hash of all that it was made from."""

    folder: Path

    def path(self, kind: str, key: str, suffix: str) -> Path:
        """Give where something of this `kind`, made from `key`, is kept."""
        digest = hashlib.sha256(key.encode()).hexdigest()[:32]
        return self.folder / kind / digest[:2] / f"{digest[2:]}{suffix}"

    def json(self, kind: str, key: str, make: Callable[[], Any]) -> Any:
        """Give what `make` gave before for this key, or call it now; plain JSON values only."""
        path = self.path(kind, key, ".json")
        with contextlib.suppress(OSError, ValueError):
            return json.loads(path.read_bytes())
        value = make()
        put(path, json.dumps(value, ensure_ascii=False).encode())
        return value

    def file(self, kind: str, key: str, suffix: str, make: Callable[[], bytes]) -> Path:
        """Give the path of the file that `make` made before for this key, or make it now."""
        path = self.path(kind, key, suffix)
        if not path.is_file():
            put(path, make())
        return path


def put(path: Path, data: bytes) -> None:
    """Write a file of the cache whole, so that another build reads all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new.")
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    os.chmod(temporary, 0o644)
    os.replace(temporary, path)
