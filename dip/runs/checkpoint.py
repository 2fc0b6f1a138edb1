"""A run's work folder: its checkpoint, written whole, and a lock against a second process."""

import json
import os
import shutil
import zipfile
import zlib
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from filelock import FileLock, Timeout

from dip.errors import InputError
from dip.files import fresh_file, sha256_of, sweep
from dip.records.record import CurveRow

FORMAT = 1
# RuntimeError: of a zip file that says it is encrypted, or packed in a way that nobody knows.
DAMAGED = (
    OSError, ValueError, LookupError, TypeError, EOFError, RuntimeError, zipfile.BadZipFile,
    zlib.error,
)  # fmt: skip


class Busy(InputError):
    """Another process is at this run."""


@dataclass
class RunProgress:
    """What a run has produced so far, from its first step on."""

    started: str  # UTC, ISO 8601
    seconds: float = 0.0  # of wall time, over all processes that worked on it
    rows: list[CurveRow] = field(default_factory=list)
    scores: dict[str, dict[str, Any]] = field(default_factory=dict)  # by iteration
    pictures: dict[str, bytes] = field(default_factory=dict)  # WebP, by name
    spikes: int = 0


class Work:
    """The work folder of a run; entering takes its lock, and raises Busy if that is taken."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; entering makes it."""
        self.folder, self.path = folder, folder / "checkpoint.npz"
        self._lock = FileLock(folder / "lock", timeout=0)
        self._removed = False

    def __enter__(self) -> Self:
        """Take the lock; it falls with the process, however that ends."""
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire()
        except Timeout:
            raise Busy("another process is at this run") from None
        sweep(self.folder, older_than_s=0)  # nobody else writes here as long as the lock is held
        return self

    def __exit__(self, *error: object) -> None:
        """Release the lock, and remove what Windows kept of a removed folder."""
        self._lock.release()
        if self._removed:
            with suppress(OSError):  # it is gone, or holds the lock of another process
                self.folder.rmdir()

    def save(
        self, described: dict[str, Any], progress: RunProgress, state: dict[str, np.ndarray]
    ) -> None:
        """Write a checkpoint whole: `described` says of what, `state` is the fit's.

        Raises InputError if the disk refuses it, as when it is full; the one before then stands.
        """
        plain = {**asdict(progress), "pictures": list(progress.pictures)}
        text = json.dumps({"format": FORMAT, "described": described, "told": plain})
        arrays = {"told": np.frombuffer(text.encode(), np.uint8)}
        arrays |= {f"state.{name}": array for name, array in state.items()}
        pictures = progress.pictures.items()
        arrays |= {f"picture.{name}": np.frombuffer(data, np.uint8) for name, data in pictures}
        try:
            with fresh_file(self.path) as file:
                np.savez(file, allow_pickle=False, **arrays)
        except OSError as error:
            sentence = f"cannot be written: {error.strerror or error}"
            raise InputError(sentence, self.path) from None

    def load(
        self, described: dict[str, Any]
    ) -> tuple[RunProgress, dict[str, np.ndarray], int | None] | None:
        """Read the checkpoint, or where there is none the one of `described` that was set aside.

        Its progress, state, and the CPU threads with which the run began, if it says; None if
        there is neither checkpoint. Raises InputError if it is damaged or of something else than
        `described`; it is then set aside under the name that the sentence gives, and the next call
        looks again. Machines of two kinds, which take turns, so keep a checkpoint each.
        """
        own = self._aside(described)
        if not self.path.exists() and own.exists():
            os.replace(own, self.path)
        if not self.path.exists():
            return None
        try:
            with zipfile.ZipFile(self.path) as archive:
                broken = archive.testzip()
            if broken:
                raise ValueError(f"'{broken}' has another checksum")
            found, progress, state = self._read()
        except DAMAGED as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            aside = self.path.with_name("checkpoint.set-aside.npz")
            raise self._set_aside(f"the checkpoint is damaged ({reason})", aside) from None
        for name, value in described.items():
            if found.get(name) != value:
                sentence = f"the checkpoint was made with another {name.replace('_', ' ')}"
                aside = self._aside({name: found.get(name) for name in described})
                raise self._set_aside(f"{sentence} ({found.get(name)}, not {value})"[:300], aside)
        return progress, state, found.get("threads")

    def _read(self) -> tuple[dict[str, Any], RunProgress, dict[str, np.ndarray]]:
        with np.load(self.path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        content = json.loads(arrays["told"].tobytes())
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']}")
        plain = content["told"]
        plain["rows"] = [tuple(row) for row in plain["rows"]]
        pictures = {name: arrays[f"picture.{name}"].tobytes() for name in plain["pictures"]}
        state = {name[6:]: arrays[name] for name in arrays if name.startswith("state.")}
        return content["described"], RunProgress(**{**plain, "pictures": pictures}), state

    def _aside(self, described: dict[str, Any]) -> Path:
        """Where a checkpoint of `described` lies while another has its place."""
        text = json.dumps(described, sort_keys=True)
        return self.path.with_name(f"checkpoint.{sha256_of(text.encode())[:8]}.npz")

    def _set_aside(self, sentence: str, aside: Path) -> InputError:
        os.replace(self.path, aside)
        return InputError(f"{sentence}; it is now {aside.name}", self.path)

    def remove(self) -> None:
        """Remove the folder, once the record stands.

        Windows keeps an open file, here the lock, and so the folder until the lock is released.
        """
        shutil.rmtree(self.folder, ignore_errors=True)
        self._removed = True
