"""Plain tar files of a limited size, written whole, and what lies in them.

A file that does not fit is cut into pieces, `NAME.piece-2-of-3`, that may lie in several archives.
"""

import re
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from dip.errors import InputError
from dip.files import fresh_file

BLOCK = 512  # a tar file's unit; it ends with two empty ones
PIECE = re.compile(r"(.+)\.piece-(\d+)-of-(\d+)")
Member = tuple[str, bytes]


def archives_in(folder: Path) -> list[Path]:
    """List the archives `records-NNN.tar` of a folder, in order."""
    found = [p for p in folder.glob("records-*.tar") if p.stem.partition("-")[2].isdecimal()]
    return sorted(found, key=lambda path: int(path.stem.partition("-")[2]))


def shares(members: Iterable[Member], limit: int) -> Iterator[list[Member]]:
    """Share members out among archives of at most `limit` bytes, cutting those too large."""
    share: list[Member] = []
    room = free = limit - 2 * BLOCK
    for name, data in members:
        for member in _pieces(name, data, room - BLOCK):
            needed = BLOCK + -(-len(member[1]) // BLOCK) * BLOCK
            if needed > free:
                yield share
                share, free = [], room
            share.append(member)
            free -= needed
    if share:
        yield share


def _pieces(name: str, data: bytes, limit: int) -> list[Member]:
    """Give a file whole, or in pieces of at most `limit` bytes."""
    limit = limit // BLOCK * BLOCK
    count = -(-len(data) // limit)
    if count <= 1:
        return [(name, data)]
    return [
        (f"{name}.piece-{i + 1}-of-{count}", data[i * limit : (i + 1) * limit])
        for i in range(count)
    ]


def write_archives(folder: Path, shares: Iterable[list[Member]]) -> list[Path]:
    """Write each share as the next `records-NNN.tar` of `folder`, whole or not at all."""
    written: list[Path] = []
    number = 1 + max((int(path.stem.partition("-")[2]) for path in archives_in(folder)), default=0)
    for share in shares:
        path = folder / f"records-{number + len(written):03d}.tar"
        with fresh_file(path) as file:
            for name, data in share:
                header = tarfile.TarInfo(name)
                header.size, header.mode = len(data), 0o644
                file.write(header.tobuf(tarfile.USTAR_FORMAT))
                file.write(data + bytes(-len(data) % BLOCK))
            file.write(bytes(2 * BLOCK))
        written.append(path)
    return written


class Contents:
    """The files of archives, pieces joined; after iterating, `missing` names those not whole."""

    def __init__(self, archives: Iterable[Path]) -> None:
        """Take the archives in any order."""
        self.archives = archives
        self.pieces: dict[tuple[str, int], dict[int, bytes]] = {}  # by name and number of pieces
        self.whole: set[str] = set()

    def __iter__(self) -> Iterator[tuple[Path, str, bytes]]:
        """Give each whole file: the archive that ends it, name, content. Raises InputError."""
        for path in self.archives:
            for name, data in _members(path):
                found = PIECE.fullmatch(name)
                if not found:
                    yield path, name, data
                    continue
                which = found[1], int(found[3])
                parts = self.pieces.setdefault(which, {})
                parts[int(found[2])] = data
                if len(parts) == int(found[3]):
                    del self.pieces[which]
                    self.whole.add(found[1])
                    yield path, found[1], b"".join(parts[i] for i in sorted(parts))

    @property
    def missing(self) -> list[str]:
        """Name the files of which a piece is missing, but for a beginning that was packed again."""
        return [name for name, _ in self.pieces if name not in self.whole]


def _members(path: Path) -> Iterator[Member]:
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isfile() else None
                if file is None:
                    raise InputError(f"'{member.name}' is no plain file", path)
                yield member.name, file.read()
    except FileNotFoundError:
        raise InputError("no such archive", path) from None
    except (tarfile.TarError, OSError, EOFError) as error:
        raise InputError(f"the archive is damaged: {error}", path) from None
