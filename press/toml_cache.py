"""TOML files of the site, read once for as long as they do not change."""

from functools import lru_cache
from pathlib import Path

from dip.toml_file import TomlFile


def toml_file(path: Path) -> TomlFile:
    """Give a TOML file; raises InputError with its place if it is absent or not TOML."""
    if not path.exists():
        return TomlFile(path)
    state = path.stat()
    return _read(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=16)
def _read(path: Path, _changed_ns: int, _size: int) -> TomlFile:
    return TomlFile(path)
