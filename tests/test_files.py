"""What is half written is kept from readers, and what a killed process left is removed."""

import os
from pathlib import Path

import pytest

from dip.files import fresh_file, fresh_folder, is_temporary, sweep


def test_a_sweep_removes_what_is_a_day_old_and_nothing_else(tmp_path: Path) -> None:
    for name in ("new", "old"):
        for place in (tmp_path, tmp_path / "tiny", tmp_path / "tiny/waves"):
            folder = place / f".new.{name}-folder"
            (folder / "snapshots").mkdir(parents=True)
            (folder / "snapshots/2.webp").write_bytes(b"x")
            (place / f".new.{name}").write_bytes(b"x")
    (tmp_path / "tiny/waves/seed0").mkdir()
    for path in [*tmp_path.rglob(".new.old*"), tmp_path / "tiny/waves/seed0"]:
        os.utime(path, (0, 0))
    sweep(tmp_path)
    assert not list(tmp_path.rglob(".new.old*"))
    assert len(list(tmp_path.rglob(".new.*"))) == len(list(tmp_path.rglob(".new.new*"))) == 6
    assert len(list(tmp_path.rglob("2.webp"))) == 3
    assert (tmp_path / "tiny/waves/seed0").exists()


def test_who_still_writes_what_was_swept_fails_and_renames_no_part(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), fresh_folder(tmp_path) as folder:
        assert is_temporary(folder.name)
        sweep(tmp_path, older_than_s=0)
        folder.rename(tmp_path / "record")
    with pytest.raises(FileNotFoundError), fresh_file(tmp_path / "file") as file:
        file.write(b"x")
        sweep(tmp_path, older_than_s=0)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="there is no umask")
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_the_umask_is_respected(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        with fresh_file(tmp_path / "file") as file:
            file.write(b"x")
        with fresh_folder(tmp_path) as folder:
            folder.rename(tmp_path / "record")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o666 & ~mask
    assert (tmp_path / "record").stat().st_mode & 0o777 == 0o777 & ~mask


def test_what_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"before")
    with pytest.raises(KeyboardInterrupt), fresh_file(tmp_path / "file") as file:
        file.write(b"half")
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt), fresh_folder(tmp_path):
        raise KeyboardInterrupt
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"before"]
