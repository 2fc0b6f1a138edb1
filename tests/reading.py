"""What tests read: what was printed, the bytes of a folder, the words of HTML."""

import re
from pathlib import Path

import pytest

Told = pytest.CaptureFixture[str]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its name; nothing where there is no folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def words_of(html: str) -> str:
    """What a page, or a part of one, says."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())
