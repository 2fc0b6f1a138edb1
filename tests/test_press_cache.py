"""The cache: kills, builds at once, broken bytes and a folder that cannot be written."""

import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from trials.trying import trials

from press.build.state import read_sealed, write_sealed
from press.cache import NAME, Cache
from press.cli import main

PUTTING = """
import sys
from pathlib import Path
from press.cache import Cache
cache = Cache(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    cache.put("numbers", str(number), str(number).encode() * 500)
    if number == 20:
        print("begun", flush=True)
"""


def putting(folder: Path, count: int) -> subprocess.Popen[bytes]:
    """Start a process that keeps `count` things in the cache of a folder."""
    command = [sys.executable, "-c", PUTTING, str(folder), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def is_right(cache: Cache, number: int) -> bool:
    """Whether what is kept of a number is whole, or nothing."""
    return cache.get("numbers", str(number)) in (None, str(number).encode() * 500)


def test_what_was_kept_is_found_by_its_kind_and_key(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "new")
    assert cache.json("a", "key", lambda: {"å": [1, None]}) == {"å": [1, None]}
    cache.close()
    again = Cache(tmp_path / "new")
    assert again.json("a", "key", lambda: 2) == {"å": [1, None]}
    assert again.json("b", "key", lambda: 2) == 2
    assert again.get("a", "other") is None
    again.close()
    assert [path.name for path in (tmp_path / "new").iterdir()] == [NAME]


def test_a_kill_leaves_whole_entries(tmp_path: Path) -> None:
    for chance in trials("kills while the cache is written", 5):
        process = putting(tmp_path, 10**9)
        assert process.stdout and process.stdout.readline() == b"begun\n"
        time.sleep(chance.random() / 10)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        cache = Cache(tmp_path)
        assert cache.get("numbers", "20") == b"20" * 500, chance.said
        assert all(is_right(cache, number) for number in range(3000)), chance.said
        cache.close()


def test_processes_at_once_share_it(tmp_path: Path) -> None:
    processes = [putting(tmp_path, 300) for _ in range(3)]
    assert [process.wait() for process in processes if process.communicate()] == [0, 0, 0]
    cache = Cache(tmp_path)
    assert all(cache.get("numbers", str(n)) == str(n).encode() * 500 for n in range(300))
    assert not cache.refusal


def test_a_flipped_byte_anywhere_is_no_wrong_entry(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    for number in range(40):
        cache.put("numbers", str(number), str(number).encode() * 500)
    cache.close()
    whole = (tmp_path / NAME).read_bytes()
    chance = random.Random(0)
    for place in [*range(100), *chance.sample(range(100, len(whole)), 100)]:
        broken = bytearray(whole)
        broken[place] ^= 1 << chance.randrange(8)
        (tmp_path / NAME).write_bytes(broken)
        cache = Cache(tmp_path)
        assert all(is_right(cache, number) for number in range(40)), place
        cache.put("numbers", "new", b"1")
        cache.close()
        assert not cache.refusal, place
        assert Cache(tmp_path).get("numbers", "new") == b"1", place


@pytest.mark.parametrize("data", [b"", b"no database\n" * 500, b"SQLite format 3\0" + b"\1" * 5000])
def test_a_file_that_is_none_is_replaced(tmp_path: Path, data: bytes) -> None:
    (tmp_path / NAME).write_bytes(data)
    Cache(tmp_path).put("a", "key", b"1")
    assert Cache(tmp_path).get("a", "key") == b"1"


def test_a_table_of_another_form_is_replaced(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / NAME)
    other.execute("CREATE TABLE entries (name TEXT)")
    other.close()
    Cache(tmp_path).put("a", "key", b"1")
    assert Cache(tmp_path).get("a", "key") == b"1"


def test_a_broken_part_of_the_manifest_is_written_anew(work: Path) -> None:
    assert main([]) == 0
    parts = {path: path.read_bytes() for path in work.glob(".press/manifest-*/*")}
    assert parts
    for path, whole in parts.items():
        path.write_bytes(whole[:-1])
        assert main([]) == 0
        assert path.read_bytes() == whole


def test_a_state_with_a_flipped_byte_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    write_sealed(path, {"a": "b"})
    assert read_sealed(path) == {"a": "b"}
    path.write_bytes(path.read_bytes().replace(b'"b"', b'"c"'))
    with pytest.raises(ValueError, match="broken"):
        read_sealed(path)
