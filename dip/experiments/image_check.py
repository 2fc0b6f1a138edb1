"""Whether a test image's file is the one that content/images.toml lists; if not, what it is."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from dip.errors import InputError
from dip.experiments.images import ListedImage, candidates, decoded
from dip.files import sha256_of


def differences(image: ListedImage, folder: Path) -> tuple[Path | None, dict[str, Any]]:
    """Give an image's file in `folder`, None if it is not there, and what its entry has wrong.

    These are the keys of images.toml with the values that the file has. The pixels of a JPEG file
    hang on the decoder: they are compared only where its SHA-256 differs too. Without numpy and
    Pillow nothing but that is. Raises InputError if the file is no picture.
    """
    present = [path for path in candidates(image, folder) if path.is_file()]
    if not present:
        return None, {}
    hashes = {path: sha256_of(path) for path in present}
    path = next((path for path in present if hashes[path] == image.sha256), present[0])
    found: dict[str, Any] = {"sha256": hashes[path]}
    with suppress(ModuleNotFoundError):
        found |= _pixels(path)
    if path.suffix.lower() in (".jpg", ".jpeg") and hashes[path] == image.sha256:
        found.pop("pixels_sha256", None)
    return path, {key: value for key, value in found.items() if value != getattr(image, key)}


def _pixels(path: Path) -> dict[str, Any]:
    values = decoded(path)
    height, width = values.shape[:2]
    mode = "L" if values.ndim == 2 else "RGB"
    return {
        "width": width, "height": height, "mode": mode,
        "pixels_sha256": sha256_of(values.tobytes()),
    }  # fmt: skip


def told(image: ListedImage, folder: Path) -> tuple[bool, list[str]]:
    """Say whether an image is in `folder` as listed, and in further lines what its entry should be.

    The first value is False where anything is wrong with a file that is there.
    """
    try:
        path, other = differences(image, folder)
    except InputError as error:
        return False, ["damaged", f"  {error}"]
    if path is None:
        return True, ["not in the folder"]
    if not other:
        return True, ["here"]
    lines = [f"  {key} = {_toml(value)}" for key, value in other.items()]
    return False, [f"another than listed; {path} has", *lines]


def _toml(value: Any) -> str:
    return str(value) if isinstance(value, int) else f'"{value}"'
