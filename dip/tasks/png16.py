"""PNG files of 16 bit a channel in colour or with alpha, which Pillow would cut to 8 bit."""

import struct
import zlib

import numpy as np

from dip.errors import InputError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # by PNG's colour type
COLOUR_TYPE = {channels: number for number, channels in CHANNELS.items()}


def is_png16(data: bytes) -> bool:
    """Tell whether `data` begins as a PNG of 16 bit that is not interlaced."""
    return data[:8] == SIGNATURE and len(data) > 28 and data[24] == 16 and data[28] == 0


def decode_png16(data: bytes) -> np.ndarray:
    """Read a PNG of 16 bit as (H, W, C) uint16, C = 1 to 4; raises InputError if it is damaged."""
    width, height = struct.unpack(">II", data[16:24])
    channels = CHANNELS.get(data[25])
    if channels is None:
        raise InputError(f"the picture is damaged: a PNG of 16 bit has no colour type {data[25]}")
    try:
        raw = zlib.decompress(b"".join(_pieces(data)))
    except zlib.error:
        raise InputError("the picture is damaged: its pixels cannot be unpacked") from None
    stride = 1 + width * channels * 2
    if len(raw) != stride * height:
        raise InputError("the picture is damaged: it has too few or too many pixels")
    rows = np.frombuffer(raw, np.uint8).reshape(height, stride)
    values = _unfiltered(rows[:, 0], rows[:, 1:].reshape(height, width, channels * 2))
    return values.view(">u2").astype(np.uint16)


def _pieces(data: bytes) -> list[bytes]:
    """Give the contents of the IDAT chunks, each one's checksum tested."""
    found, place = [], 8
    while place + 12 <= len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        content = data[place + 8 : place + 8 + length]
        checksum = data[place + 8 + length : place + 12 + length]
        if len(checksum) < 4 or zlib.crc32(kind + content) != struct.unpack(">I", checksum)[0]:
            raise InputError("the picture is damaged: it is cut off or a checksum is wrong")
        if kind == b"IDAT":
            found.append(content)
        if kind == b"IEND":
            return found
        place += 12 + length
    raise InputError("the picture is damaged: it is cut off")


def _unfiltered(filters: np.ndarray, coded: np.ndarray) -> np.ndarray:
    """Undo PNG's five row filters on (H, W, bytes of a pixel), all rows at once.

    A pixel needs those to its left, above and both, so the pixels of an anti-diagonal are free
    of one another: H + W - 1 steps of numpy in place of one of Python for every byte.
    """
    height, width, size = coded.shape
    done = np.zeros((height + 1, width + 1, size), np.int16)
    kinds = filters[:, None]
    for diagonal in range(height + width - 1):
        rows = np.arange(max(0, diagonal - width + 1), min(height, diagonal + 1))
        columns = diagonal - rows
        left, above = done[rows + 1, columns], done[rows, columns + 1]
        kind, corner = kinds[rows], done[rows, columns]
        guess = np.select(
            [kind == 0, kind == 1, kind == 2, kind == 3],
            [np.zeros_like(left), left, above, (left + above) // 2],
            _paeth(left, above, corner),
        )
        done[rows + 1, columns + 1] = (coded[rows, columns] + guess) & 255
    return np.ascontiguousarray(done[1:, 1:].astype(np.uint8))


def _paeth(left: np.ndarray, above: np.ndarray, corner: np.ndarray) -> np.ndarray:
    """Give of three neighbours the one nearest to left + above - corner."""
    to_left, to_above = abs(above - corner), abs(left - corner)
    to_corner = abs(left + above - 2 * corner)
    return np.where(
        (to_left <= to_above) & (to_left <= to_corner),
        left,
        np.where(to_above <= to_corner, above, corner),
    )


def encode_png16(values: np.ndarray, profile: bytes | None = None) -> bytes:
    """Write (H, W, C) uint16, C = 1 to 4, as a PNG with an ICC profile, if there is one."""
    height, width, channels = values.shape
    header = struct.pack(">IIBBBBB", width, height, 16, COLOUR_TYPE[channels], 0, 0, 0)
    rows = values.astype(">u2").view(np.uint8).reshape(height, -1)
    up = np.diff(rows, axis=0, prepend=np.zeros_like(rows[:1]))  # filter 2: less the row above
    coded = np.concatenate([np.full((height, 1), 2, np.uint8), up], axis=1)
    chunks = [(b"IHDR", header)]
    if profile:
        chunks.append((b"iCCP", b"profile\0\0" + zlib.compress(profile)))
    chunks += [(b"IDAT", zlib.compress(coded.tobytes(), 6)), (b"IEND", b"")]
    pack = struct.Struct(">I").pack
    pieces = (pack(len(c)) + kind + c + pack(zlib.crc32(kind + c)) for kind, c in chunks)
    return SIGNATURE + b"".join(pieces)
