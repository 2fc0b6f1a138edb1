"""Archives, pictures and paths of someone who means harm: a sentence, in little time and memory."""

import bz2
import gzip
import json
import lzma
import os
import random
import re
import shutil
import tarfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from made_records import write_run
from PIL import Image
from small_runs import write_project
from trials.trying import TRIALS, Chance, odd, trials

from dip.errors import InputError
from dip.experiments.suites import load_suites
from dip.records.archive import pack, unpack
from dip.records.record import check_files, load_record, seal_of
from dip.records.store import find_records
from dip.tasks.photographs import read_photo
from press.errors import InputError as PressInputError
from press.markdown.assets import opened
from press.paths import find_file

pytestmark = pytest.mark.timeout(7200 if TRIALS else 300)
FEW = 40  # trials in an ordinary run
MIB = 300  # that all trials may add to the memory
RESET = Path("/proc/self/clear_refs")  # a 5 written there lets Linux forget the most memory so far
BLOCK = tarfile.BLOCKSIZE
TYPES = b"0\0" + b"1234567gxLKSDMNV\xff"
NAMES = (
    "../a/b/c", "/etc/a/b/c", "a/b/c/../../../../d", "a/b/c/.new.x", "tiny/waves/seed0",
    "a/b/c/d/e/f", "a/b/c/\n", "a/b/c/\udcff", "a/b/c:d/e", "a\\b/c/d/e", "", "x" * 100,
    "tiny/waves/seed0/run.json/x", "tiny/waves/seed0/curve.csv/x", "superseded/a/b/run.json",
    ".git/a/b/config",
)  # fmt: skip
BOMBS: tuple[Callable[[bytes], bytes], ...] = (gzip.compress, bz2.compress, lzma.compress)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An archive of two records."""
    folder = tmp_path_factory.mktemp("project")
    write_project(folder)
    suite = load_suites(folder / "content/experiments.toml")["tiny"]
    for experiment in suite.experiments:
        write_run(folder / "results", suite, experiment, 30.0)
    pack(folder / "results", folder / "packed.tar")
    return (folder / "packed.tar").read_bytes()


def headers(data: bytes) -> list[int]:
    """Where the header of each member of an archive begins."""
    with tarfile.open(fileobj=BytesIO(data)) as archive:
        return [member.offset for member in archive]


def reheaded(data: bytes, at: int, field: slice, value: bytes) -> bytes:
    """An archive with another value in one header, whose checksum fits."""
    head = bytearray(data[at : at + BLOCK])
    width = field.stop - field.start
    head[field] = value[:width].ljust(width, b"\0")
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return data[:at] + bytes(head) + data[at + BLOCK :]


def rewritten(chance: random.Random, data: bytes) -> bytes:
    """An archive with a run.json that says something odd, its seal as it should be."""
    stream = BytesIO()
    with tarfile.open(fileobj=BytesIO(data)) as old, tarfile.open(fileobj=stream, mode="w") as new:
        for member in old:
            file = old.extractfile(member)
            assert file
            content = file.read()
            if member.name.endswith("run.json"):
                content = odd_record(chance, json.loads(content))
            member.size = len(content)
            new.addfile(member, BytesIO(content))
    return stream.getvalue()


def odd_record(chance: random.Random, record: dict[str, Any]) -> bytes:
    """A run.json with an odd value somewhere, or what is hardly JSON."""
    if chance.random() < 0.2:
        nested = chance.choice(["[" * 200_000, '{"a":' * 200_000, "9" * 5000, "\ud800", "NaN", "1"])
        return nested.encode(errors="surrogatepass")
    odd(record, chance)
    return json.dumps({**record, "seal": seal_of(record)}).encode()


def hostile(chance: random.Random, data: bytes) -> tuple[str, bytes]:
    """One of the ways to spoil an archive: what was done, and what came of it."""
    places = headers(data)
    at = chance.choice(places)
    kind = chance.choice(["flip", "cut", "move", "type", "name", "size", "record", "pack", "noise"])
    match kind:
        case "flip":
            spoiled = bytearray(data)
            for _ in range(chance.randint(1, 20)):
                spoiled[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            return kind, bytes(spoiled)
        case "cut":
            return kind, data[: chance.randrange(len(data))]
        case "move":
            one, two = sorted(chance.choices(range(0, len(data), BLOCK), k=2))
            return kind, data[:one] + chance.choice([b"", data[one:two] * 2]) + data[two:]
        case "type":
            code = bytes([chance.choice(TYPES)])
            return f"{kind} {code!r}", reheaded(data, at, slice(156, 157), code)
        case "name":
            name = chance.choice(NAMES)
            encoded = name.encode(errors="surrogateescape")
            return f"{kind} {name!r}", reheaded(data, at, slice(0, 100), encoded)
        case "size":
            sizes = [b"\x80" + b"\xff" * 11, b"\xff" * 12, b"77777777777\0", b"-1\0", b"1", b"9x"]
            size = chance.choice(sizes)
            return f"{kind} {size!r}", reheaded(data, at, slice(124, 136), size)
        case "record":
            return kind, rewritten(chance, data)
        case "pack":
            compress = chance.choice(BOMBS)
            return compress.__module__, compress(chance.choice([data, bytes(2**24)]))
    return kind, chance.randbytes(chance.choice([0, 1, BLOCK - 1, BLOCK, 5000]))


def watched(kind: str) -> Iterator[Chance]:
    """The trials of a kind, whose memory is watched."""
    before = memory_peak_mib(anew=True)
    yield from trials(kind, FEW)
    grown = memory_peak_mib() - before
    assert grown < MIB, f"{kind} took {grown:.0f} MiB"


def memory_peak_mib(anew: bool = False) -> float:
    """The most memory that this process had, `anew` from now on, in MiB; 0 where none can tell."""
    if not RESET.exists():
        return 0
    if anew:
        RESET.write_text("5")
    [most] = re.findall(r"VmHWM:\s*(\d+) kB", RESET.with_name("status").read_text())
    return int(most) / 2**10


def test_a_hostile_archive_is_told_in_a_sentence_or_holds_whole_records(
    whole: bytes, tmp_path: Path
) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "other").write_text("of others")
    refused = 0
    for chance in watched("hostile archives"):
        what, data = hostile(chance, whole)
        archive, home = tmp_path / "a.tar", inside / "home"
        archive.write_bytes(data)
        try:
            unpack([archive], home, replace=True)
            if chance.random() < 0.5:
                unpack([archive], home, replace=True)
        except InputError as error:
            assert len(str(error).splitlines()) == 1, f"{chance.said}, {what}"
            refused += 1
        except Exception as error:
            raise AssertionError(f"{chance.said}, {what}") from error
        for place in find_records(home):
            check_files(load_record(place))
        assert not list(home.glob(".new.*")), f"{chance.said}, {what}"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar", "inside", "other"]
        shutil.rmtree(home)
    assert refused


@pytest.mark.parametrize(("name", "limit"), [("run.json", 2**24), ("curve.csv", 2**30)])
def test_what_is_larger_than_any_file_of_a_record_is_refused(
    tmp_path: Path, name: str, limit: int
) -> None:
    header = tarfile.TarInfo(f"tiny/waves/seed0/{name}")
    header.size = limit + 1
    with (tmp_path / "a.tar").open("wb") as file:
        file.write(header.tobuf(tarfile.USTAR_FORMAT))
        file.truncate(BLOCK + header.size)  # zeros that take no room
    with pytest.raises(InputError, match=f"{name}' is larger than any file of a record"):
        unpack([tmp_path / "a.tar"], tmp_path / "home")
    assert not list((tmp_path / "home").iterdir())


def test_a_record_s_text_as_large_as_it_may_be_is_read(tmp_path: Path) -> None:
    header = tarfile.TarInfo("tiny/waves/seed0/run.json")
    header.size = 2**24
    with (tmp_path / "a.tar").open("wb") as file:
        file.write(header.tobuf(tarfile.USTAR_FORMAT))
        file.truncate(BLOCK + header.size)
    with pytest.raises(InputError, match=r"run\.json:.* the record "):
        unpack([tmp_path / "a.tar"], tmp_path / "home")


def test_what_is_no_plain_file_is_no_archive(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "zero").symlink_to("/dev/zero")
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(2**40)
    for path in (tmp_path / "fifo", tmp_path / "zero", tmp_path, tmp_path / "sparse"):
        with pytest.raises(InputError):
            unpack([path], tmp_path / "home")


def test_a_hostile_path_leads_to_what_may_be_shown_or_nowhere(tmp_path: Path) -> None:
    content, posts = tmp_path / "content", tmp_path / "content/posts"
    posts.mkdir(parents=True)
    for name in ("secret", "content/.env", "content/posts/.git"):
        (tmp_path / name).write_text("secret")
    for name in ("content/a", "content/posts/a"):
        (tmp_path / name).write_text("shown")
    for name, target in (("up", ".."), ("out", "../.."), ("root", "/"), ("file", "../../secret")):
        (posts / name).symlink_to(target)
    pieces = [
        "..", ".", "", "a", "posts", "up", "out", "root", "file", "content", ".env", ".git",
        "secret", str(tmp_path), "\\", "~", "%2e%2e", "a\0", "\udcff", "etc", "hostname",
    ]  # fmt: skip
    for chance in watched("hostile paths"):
        name = "/".join(chance.choices(pieces, k=chance.randint(1, 8)))
        try:
            found = find_file(name, chance.choice([posts, content]), content)
        except PressInputError:
            continue
        assert found.read_text() == "shown", f"{chance.said}, {name!r}"


def pictures() -> dict[str, bytes]:
    """A small picture in each format."""
    found = {}
    image = Image.linear_gradient("L").resize((40, 30)).convert("RGB")
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "PPM"):
        stream = BytesIO()
        image.save(stream, kind)
        found[kind] = stream.getvalue()
    return found


def test_a_hostile_picture_is_told_in_a_sentence_or_read(tmp_path: Path) -> None:
    whole = pictures()
    path = tmp_path / "picture.png"
    for chance in watched("hostile pictures"):
        kind = chance.choice(list(whole))
        data = bytearray(whole[kind])
        for _ in range(chance.randint(1, 6)):  # most harm is in the first bytes
            at = chance.randrange(min(len(data), chance.choice([40, 200, len(data)])))
            data[at : at + 1] = chance.choice(
                [b"\0", b"\xff", b"\x7f\xff\xff\xff", b"", chance.randbytes(4)]
            )
        path.write_bytes(data[: chance.choice([len(data), chance.randrange(len(data) + 1)])])
        for read in (read_photo, decoded):
            try:
                read(path)
            except (InputError, PressInputError):
                continue
            except Exception as error:
                raise AssertionError(f"{chance.said}, {kind}") from error


def decoded(path: Path) -> None:
    """Read a picture as the press does."""
    with opened(path) as image:
        image.load()
