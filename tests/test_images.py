"""Test images: the list, the look-up with its checksums, reading, the preview's reduction."""

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from PIL import Image
from small_runs import waves, write_project

from dip.errors import InputError
from dip.experiments.test_images import find, load_images, named
from dip.tasks.images import load, reduce_to_square

REAL = os.environ.get("DIP_IMAGES")
LIST = Path(__file__).parent.parent / "content/images.toml"


@pytest.fixture(autouse=True)
def no_images_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DIP_IMAGES", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_the_list_is_whole() -> None:
    images = load_images(LIST)
    sets = [name.split("/")[0] for name in images]
    counts = {name: sets.count(name) for name in set(sets)}
    assert counts == {"standard11": 11, "color9": 9, "set5": 5, "set14": 14, "inpainting": 13}
    hidden = {name for name, image in images.items() if not image.show}
    lenas = {"standard11/lena", "color9/Lena512", "set14/lenna"}
    assert hidden == {*lenas, "standard11/montage"}
    for name, image in images.items():
        assert image.file.startswith(f"{name}.")
        assert len(image.sha256) == len(image.pixels_sha256) == 64
        assert any(len(part) == 40 for part in image.url.split("/")), "not pinned to a commit"


@pytest.mark.skipif(REAL is None, reason="the test images are not here")
def test_every_listed_image_is_the_one_meant() -> None:
    assert REAL
    folder = Path(REAL)
    for image in load_images(LIST).values():
        pixels = np.round(load(image, folder) * 255).astype(np.uint8)
        rows = pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)
        if not image.file.endswith(".jpg"):
            assert hashlib.sha256(rows.tobytes()).hexdigest() == image.pixels_sha256, image.name


def test_an_image_is_found_in_its_set_or_bare_and_by_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, folder = write_project(tmp_path)
    image = load_images(content / "images.toml")["made/waves"]
    assert find(image, folder) == folder / "made/waves.png"
    monkeypatch.setenv("DIP_IMAGES", str(folder))
    assert find(image) == folder / "made/waves.png"
    (folder / "made/waves.png").rename(folder / "waves.png")
    assert find(image) == folder / "waves.png"
    assert np.array_equal(load(image)[0] * np.float32(255), waves().astype(np.float32))


def test_another_set_s_picture_of_the_same_name_does_not_hide_the_right_one(tmp_path: Path) -> None:
    content, folder = write_project(tmp_path)
    image = load_images(content / "images.toml")["made/waves"]
    Image.fromarray(waves(20, 20)).save(folder / "waves.png")
    assert find(image, folder) == folder / "made/waves.png"


def test_a_wrong_checksum_names_both(tmp_path: Path) -> None:
    content, folder = write_project(tmp_path)
    image = load_images(content / "images.toml")["made/waves"]
    Image.fromarray(waves(20, 20)).save(folder / "made/waves.png")
    found = hashlib.sha256((folder / "made/waves.png").read_bytes()).hexdigest()
    with pytest.raises(InputError) as told:
        find(image, folder)
    assert str(told.value) == (
        f"{folder / 'made/waves.png'}: the SHA-256 of image 'made/waves' is {found},"
        f" not {image.sha256}"
    )


def test_pixels_that_are_not_as_listed_are_not_computed_with(tmp_path: Path) -> None:
    content, folder = write_project(tmp_path)
    image = load_images(content / "images.toml")["made/waves"]
    with pytest.raises(InputError, match=f"SHA-256 is {image.pixels_sha256}, not {'0' * 64}; "):
        load(dataclasses.replace(image, pixels_sha256="0" * 64), folder)


def test_no_network_and_no_such_folder_are_told(tmp_path: Path) -> None:
    content, folder = write_project(tmp_path)
    image = load_images(content / "images.toml")["made/waves"]
    with pytest.raises(InputError, match="no such folder of test images"):
        find(image, tmp_path / "nowhere")
    (folder / "made/waves.png").unlink()
    with pytest.raises(InputError) as told:
        find(image, folder)
    assert str(told.value).startswith(f"{folder}: no 'made/waves.png' here, and image 'made/waves'")
    assert "could not be downloaded from http://127.0.0.1:9/made/waves.png" in str(told.value)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Serve the project's images at an address of this machine."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "images"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


def test_an_image_is_downloaded_once_and_checked(tmp_path: Path, server: str) -> None:
    pytest.importorskip("pooch")
    content, folder = write_project(tmp_path)
    image = load_images(content / "images.toml")["made/waves"]
    image = dataclasses.replace(image, url=f"{server}/made/waves.png")
    path = find(image)
    assert path.is_relative_to(tmp_path / "cache")
    served = folder / "made/waves.png"
    content_of_it = served.read_bytes()
    served.unlink()
    assert find(image) == path, "it is in the cache now"
    path.unlink()
    with pytest.raises(InputError, match=r"could not be downloaded from .*: 404"):
        find(image)
    with pytest.raises(InputError, match=r"could not be downloaded from htp://x/y: Unrecognized"):
        find(dataclasses.replace(image, url="htp://x/y"))
    served.write_bytes(content_of_it + b"more")
    with pytest.raises(InputError, match=r"is not the one meant: .*" + image.sha256):
        find(image)
    assert not path.exists()


def test_an_own_image_needs_no_address(tmp_path: Path) -> None:
    content, folder = write_project(tmp_path)
    path = content / "images.toml"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("url")))
    image = load_images(path)["made/waves"]
    assert find(image, folder) == folder / "made/waves.png"
    with pytest.raises(InputError, match="'made/waves' has no url; name its folder with --images"):
        find(image)


NOBODY = """
import os, sys
from pathlib import Path
import pooch
from dip.errors import InputError
from dip.experiments.test_images import find, load_images
image = load_images(Path(sys.argv[1]))["made/waves"]
os.setuid(54321)
try:
    find(image)
except InputError as error:
    print(error)
"""


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can leave")
def test_without_a_home_folder_it_is_told_what_to_set(tmp_path: Path) -> None:
    pytest.importorskip("pooch")
    content, _ = write_project(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", NOBODY, str(content / "images.toml")], capture_output=True,
        text=True, check=True, env={"PYTHONPATH": str(LIST.parents[1])},
    )  # fmt: skip
    assert "set HOME, or name a folder of images with --images or DIP_IMAGES" in done.stdout


def test_an_unknown_image_is_told_with_the_nearest(tmp_path: Path) -> None:
    images = load_images(LIST)
    with pytest.raises(InputError, match="unknown image 'standard11/barbra'; did you mean 'standa"):
        named("standard11/barbra", images)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("width = 64", "widht = 64", ":3:1: unknown key 'widht'; did you mean 'width'?"),
        ("width = 64", 'width = "64"', ":3:1: 'width' of image 'made/waves' is '64'"),
        ("width = 64", f"width = {10**400}", ":3:1: 'width' of image 'made/waves' is too large"),
        ("width = 64", f"width = 0x{'9' * 5000}", ":3:1: a number with too many digits"),
        ("width = 64\n", "", ":1:2: image 'made/waves' needs the key 'width'"),
        *(
            (
                '"made/waves.png"\nw',
                f"{json.dumps(file)}\nw",
                f":2:1: 'file' of image 'made/waves' is {file!r}, which is no path below a folder",
            )
            for file in ("", "a/..", "/tmp/.profile", "//a/b", "../b", "a\\b", "c:b", "a\0b")
        ),
    ],
)
def test_a_mistake_in_the_list_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    path = write_project(tmp_path)[0] / "images.toml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(InputError) as told:
        load_images(path)
    assert str(told.value) == f"{path}{sentence}"


def test_an_image_of_another_size_than_listed_is_told(tmp_path: Path) -> None:
    content, folder = write_project(tmp_path)
    path = content / "images.toml"
    path.write_text(path.read_text().replace("width = 64", "width = 63"))
    with pytest.raises(InputError, match="has 64x48 pixels in 1 channels, not 63x48 in 1"):
        load(load_images(path)["made/waves"], folder)


def test_a_preview_averages_boxes_and_cuts_the_middle() -> None:
    picture = np.zeros((1, 4, 8), np.float32)
    picture[0, :2, 2:4] = [[0.0, 1.0], [1.0, 1.0]]
    picture[0, 2:, 4:6] = 0.2
    reduced = reduce_to_square(picture, 2)
    levels = np.round(reduced * 255).astype(int)
    assert levels.tolist() == [[[191, 0], [0, 51]]]


def test_a_preview_of_an_odd_size_keeps_the_mean_brightness() -> None:
    picture = np.full((3, 50, 75), 100 / 255, np.float32)
    reduced = reduce_to_square(picture, 32)
    assert reduced.shape == (3, 32, 32)
    assert np.allclose(reduced, 100 / 255)
    with pytest.raises(InputError, match="75x50 pixels cannot be reduced to 64"):
        reduce_to_square(picture, 64)
