"""Records that give way to others: moved to `superseded/<key>/`, never lost."""

import os
import tempfile
from pathlib import Path

from dip.errors import InputError
from dip.files import sync_folder, sync_tree
from dip.records.record import check_files, load_record


def put_in_place(fresh: Path, folder: Path, results: Path) -> Path | None:
    """Put the finished folder `fresh` where `folder` of `results` is or will be.

    The record that stood there is moved aside first, by one rename; give its new place. The new
    one is on the disk, with all its files, when this returns.
    """
    sync_tree(fresh)
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = move_aside(folder, results)
    try:
        os.replace(fresh, folder)
    except BaseException:  # an interrupt too
        if aside:
            os.replace(aside, folder)
        raise
    _sync_parents(folder)
    return aside


def move_aside(folder: Path, results: Path) -> Path | None:
    """Move the record in `folder` of `results` aside; give its new place, None if there was none.

    A record that is damaged goes to `superseded/damaged/`.
    """
    if not folder.exists():
        return None
    place = results / "superseded" / _key_of(folder)
    place.mkdir(parents=True, exist_ok=True)
    name = "-".join(folder.relative_to(results).parts)
    aside = Path(tempfile.mkdtemp(dir=place, prefix=f"{name}-")) / folder.name
    os.replace(folder, aside)
    _sync_parents(aside)
    return aside


def _sync_parents(folder: Path) -> None:
    """Wait until the disk holds the names on the way to a record; each folder may be new."""
    for parent in folder.parents[:3]:
        sync_folder(parent)


def _key_of(folder: Path) -> str:
    try:
        record = load_record(folder)
        check_files(record)
    except InputError:
        return "damaged"
    return record.key
