"""What costs time to make, kept in one SQLite file: safe to delete, shared by builds at once.

Each entry is sealed with the hash of its key and content, so that a broken one counts as none.
"""

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

NAME = "cache-1.sqlite"  # another number when the form of the table changes
WAIT_S = 30.0  # for another build that writes
TABLE = "CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, seal BLOB, data BLOB)"
GET = "SELECT seal, data FROM entries WHERE key = ?"
PUT = "INSERT OR REPLACE INTO entries VALUES (?, ?, ?)"


LIBRARIES = {  # of whose version what they made is
    "code": ("pygments",), "bibliographies": ("pybtex", "pylatexenc"),
    "pictures": ("pillow",), "thumbnails": ("pillow",), "share": ("pillow",),
}  # fmt: skip


class Cache:
    """Things that were made before, each under the hash of all that it was made from.

    A broken file is replaced by a new one. Where none can be written, things are remembered for
    as long as this object is, and `refusal` says why.
    """

    def __init__(self, folder: Path) -> None:
        """Name the folder; nothing is opened before it is needed."""
        self.folder = folder
        self.refusal = ""
        self._opened: sqlite3.Connection | None = None

    def get(self, kind: str, key: str) -> bytes | None:
        """Look for what was kept of this `kind`, made from `key`; None if there is no whole one."""
        name = _name(kind, key)
        row = self._execute(GET, name)
        if row and isinstance(row[1], bytes) and row[0] == _hash(name + row[1]):
            return row[1]
        return None

    def put(self, kind: str, key: str, data: bytes) -> None:
        """Keep `data` for the builds to come."""
        name = _name(kind, key)
        self._execute(PUT, name, _hash(name + data), data)

    def data(self, kind: str, key: str, make: Callable[[], bytes]) -> bytes:
        """What `make` gave before for this key, or gives now."""
        kept = self.get(kind, key)
        if kept is None:
            kept = make()
            self.put(kind, key, kept)
        return kept

    def json(self, kind: str, key: str, make: Callable[[], Any]) -> Any:
        """What `make` gave before for this key, or gives now; plain JSON values only."""
        made = self.data(kind, key, lambda: json.dumps(make(), ensure_ascii=False).encode())
        return json.loads(made)

    def _execute(self, statement: str, *values: bytes) -> tuple[Any, ...] | None:
        """Carry out a statement, at the worst in a new file, and then in memory."""
        for again in (self._begin_anew, self._do_without):
            try:
                row: tuple[Any, ...] | None = self._database().execute(statement, values).fetchone()
                return row
            except (sqlite3.Error, ValueError) as error:  # even its message can be no text
                # A busy, full or failing disk says nothing about the file.
                code = getattr(error, "sqlite_errorcode", 0) & 0xFF
                busy = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
                (self._do_without if code in busy else again)(error)
        return None

    def _database(self) -> sqlite3.Connection:
        if self._opened is None:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                (self.folder / NAME).touch()  # with the permissions that the umask leaves
            except OSError as error:
                self.refusal = error.strerror or str(error)
            place = ":memory:" if self.refusal else self.folder / NAME
            self._opened = sqlite3.connect(place, WAIT_S, isolation_level=None)
            for order in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=OFF", TABLE):
                self._opened.execute(order)
        return self._opened

    def _begin_anew(self, error: Exception) -> None:
        self.close()
        try:
            for suffix in ("", "-wal", "-shm"):
                (self.folder / f"{NAME}{suffix}").unlink(missing_ok=True)
        except OSError:
            self._do_without(error)

    def _do_without(self, error: Exception) -> None:
        self.close()
        self.refusal = str(error)

    def close(self) -> None:
        """Close the file; what is asked afterwards opens it again."""
        if self._opened:
            with contextlib.suppress(Exception):  # what is broken may refuse this too
                self._opened.close()
            self._opened = None


def _hash(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _name(kind: str, key: str) -> bytes:
    return _hash(f"{kind}|{_versions(kind)}|{key}".encode(errors="surrogateescape"))


@cache
def _versions(kind: str) -> str:
    """The versions of the libraries that make things of a kind."""
    if kind not in LIBRARIES:
        return ""
    from importlib.metadata import version

    return " ".join(map(version, LIBRARIES[kind]))
