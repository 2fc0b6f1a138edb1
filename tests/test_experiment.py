"""The description of an experiment: what is refused, and what its key hangs on."""

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest

from dip.errors import InputError, nearest
from dip.experiments.experiment import RETIRED, Experiment, arithmetic_on, key
from dip.experiments.suites import REPORT_KEYS, load_suites

HOUSE = Experiment(image="standard11/house", mask="bernoulli")
PIXELS = {"standard11/house": "ab" * 32}


def key_of(experiment: Experiment, **changed: object) -> str:
    settings = {"pixels": PIXELS, "arithmetic": "ieee", "revision": 1, **changed}
    return key(experiment, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("seed", 1), ("sigma_p", 0.0), ("slope", 0.1), ("align_corners", True),
        ("initialisation", "kaiming"),
        ("z", "meshgrid"), ("z_max", 0.2), ("average_decay", 0.9), ("spike_factor", None),
        ("channels", (8, 8, 8, 8, 8)), ("learning_rate", 0.001), ("iterations", 3),
    ],
)  # fmt: skip
def test_key_changes_with_what_moves_the_numbers(setting: str, value: object) -> None:
    assert key_of(dataclasses.replace(HOUSE, **{setting: value})) != key_of(HOUSE)


@pytest.mark.parametrize(
    "changed",
    [{"arithmetic": "tf32"}, {"revision": 2}, {"pixels": {"standard11/house": "cd" * 32}}],
)
def test_key_changes_with_arithmetic_revision_and_pixels(changed: dict[str, object]) -> None:
    assert key_of(HOUSE, **changed) != key_of(HOUSE)


def test_key_ignores_what_is_only_reported() -> None:
    reported = dataclasses.replace(HOUSE, snapshots=(0, 10), frames=24)
    assert key_of(reported) == key_of(HOUSE)


def test_key_leaves_out_defaults_so_that_a_later_setting_orphans_no_record() -> None:
    assert HOUSE.canonical() == {"image": "standard11/house", "mask": "bernoulli"}


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"taks": "inpainting"}, "unknown setting 'taks'; did you mean 'task'?"),
        ({"upsampling": "bilinaer"}, "did you mean 'bilinear'?"),
        ({"task": "super-resolution", "factor": 3}, "factor is 3, not 4 or 8"),
        ({"iterations": "many"}, "iterations: expected int, got 'many'"),
        ({"iterations": True}, "iterations: expected int, got True"),
        ({"channels": (1, 2)}, "one number each for every scale"),
        ({"snapshots": (9999,)}, "snapshot 9999 is not between 0 and 2000 iterations"),
        ({"keep": 1.5}, "keep is 1.5, not between 0 and 1"),
        ({"mask": None}, "inpainting needs a mask"),
        ({"kernel_down": 4}, "kernel_down is 4, not odd and positive"),
        ({"kernel_skip": -1}, "kernel_skip is -1, not odd and positive"),
        ({"channels": (8, 8, 0, 8, 8)}, "channels has 0, not at least 1"),
        ({"skip_channels": (4, 4, -4, 4, 4)}, "skip_channels has -4, not at least 0"),
        ({"z_channels": 0}, "z_channels is 0, not at least 1"),
        ({"sigma_p": -1}, "sigma_p is -1.0, not at least 0"),
        ({"noise_255": -25}, "noise_255 is -25.0, not at least 0"),
        ({"seed": -1}, "seed is -1, not at least 0"),
        ({"problem_seed": 2**64}, "problem_seed is 18446744073709551616, not below 2**64"),
        ({"learning_rate": float("nan")}, "learning_rate is nan, not a finite number"),
        ({"learning_rate": 10**400}, "learning_rate is inf, not a finite number"),
        ({"learning_rate": 0}, "learning_rate is 0.0, not more than 0"),
        ({"slope": float("-inf")}, "slope is -inf, not a finite number"),
        ({"slope": -0.1}, "slope is -0.1, not at least 0"),
        ({"average_decay": 1}, "average_decay is 1.0, not from 0 to below 1"),
        ({"spike_factor": -2}, "spike_factor is -2.0, not more than 0"),
        ({"preview_side": -5}, "preview_side is -5, not at least 1"),
        ({"iterations": 0}, "iterations is 0, not at least 1"),
        ({"frames": -1}, "frames is -1, not at least 0"),
        ({"iterations": 10**400}, "iterations is too large, not below 2**31"),
        ({"kernel_up": 10**5000 + 1}, "kernel_up is too large, not below 2**31"),
        ({"channels": [8, 2**31], "skip_channels": [0, 0]}, "channels is too large, not below"),
        ({"channels": [8] * 17, "skip_channels": [0] * 17}, "channels has 17 scales, more than 16"),
        ({"task": "jpeg"}, "mask is 'bernoulli', which is read only with task = \"inpainting\""),
        ({"mask": "a/mask", "keep": 0.9}, "keep is 0.9, which is read only with mask ="),
        ({"noise_255": 25}, 'noise_255 is 25.0, which is read only with task = "denoising" or'),
        ({"factor": 4}, 'factor is 4, which is read only with task = "super-resolution"'),
        ({"target": "noise"}, "target is 'noise', which is read only with task = \"fit\""),
        ({"guide": "a/flash"}, "guide is 'a/flash', which is read only with task = \"flash\""),
    ],
)
def test_impossible_settings_are_told_in_a_sentence(
    settings: dict[str, object], sentence: str
) -> None:
    with pytest.raises(InputError) as told:
        Experiment.from_dict({"image": "standard11/house", "mask": "bernoulli", **settings})
    assert sentence in str(told.value)
    if "taks" not in settings:
        with pytest.raises(InputError, match="^" + re.escape(str(told.value))):
            dataclasses.replace(HOUSE, **settings)  # type: ignore[arg-type]


def test_a_setting_has_one_type_however_it_is_given() -> None:
    given = Experiment(image="a/b", task="denoising", noise_255=25, channels=[8], skip_channels=[0])  # type: ignore[arg-type]
    read = Experiment.from_dict(given.to_dict())
    assert given == read
    assert hash(given) == hash(read)
    assert given.canonical()["noise_255"] == 25.0
    assert type(given.noise_255) is float


def test_arithmetic_hangs_on_the_device() -> None:
    assert arithmetic_on(HOUSE, "cpu") == "ieee"
    assert arithmetic_on(HOUSE, "cuda") == "tf32"
    assert arithmetic_on(HOUSE, "mps") == "ieee"


@pytest.mark.parametrize(
    ("arithmetic", "kinds"),
    [("ieee", ("cpu", "mps", "cuda")), ("bf16", ("cpu", "cuda")), ("tf32", ("cuda",))],
)
def test_a_precision_is_refused_where_the_device_lacks_it(
    arithmetic: str, kinds: tuple[str, ...]
) -> None:
    house = dataclasses.replace(HOUSE, arithmetic=arithmetic)
    for kind in ("cpu", "mps", "cuda"):
        if kind in kinds:
            assert arithmetic_on(house, kind) == arithmetic
        else:
            with pytest.raises(
                InputError, match=f"'{arithmetic}' is not available on {kind}, only"
            ):
                arithmetic_on(house, kind)


@pytest.mark.parametrize("setting", RETIRED)
def test_a_retired_setting_is_read_at_its_only_value(setting: str) -> None:
    old = {**HOUSE.to_dict(), setting: RETIRED[setting]}
    assert Experiment.from_dict(old) == HOUSE


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("padding", "zero", "'padding' was retired: it is always 'reflection', not 'zero'"),
        (
            "noise_accumulates",
            True,
            "'noise_accumulates' was retired: it is always false, not true",
        ),
        ("biases_before_norm", "trained", "it is always 'held', not 'trained'"),
    ],
)
def test_a_retired_setting_is_refused_at_another_value(
    tmp_path: Path, setting: str, value: object, sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        Experiment.from_dict({**HOUSE.to_dict(), setting: value})
    line = f"{setting} = {json.dumps(value)}"
    with pytest.raises(InputError, match=rf"experiments.toml:8:1: .*{sentence}"):
        load_suites(write(tmp_path, SUITES.replace("frames = 24", line)))
    load_suites(write(tmp_path, SUITES.replace("frames = 24", 'padding = "reflection"')))


SUITES = """
[small]
title = "Small"
task = "denoising"
images = ["set5/bird", "set5/baby"]
seeds = [0, 3]
noise_255 = 25
frames = 24
frames_of = ["set5/baby"]

[smaller]
like = "small"
title = "Smaller"
images = ["set5/bird", "set14/zebra"]
preview_side = 64
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "experiments.toml"
    path.write_text(text)
    return path


def test_suites_list_their_runs_seed_by_seed(tmp_path: Path) -> None:
    suites = load_suites(write(tmp_path, SUITES))
    small, smaller = suites["small"], suites["smaller"]
    order = [(experiment.image, experiment.seed) for experiment in small.experiments]
    assert order == [("set5/bird", 0), ("set5/baby", 0), ("set5/bird", 3), ("set5/baby", 3)]
    assert [experiment.frames for experiment in small.experiments] == [0, 24, 0, 0]
    assert all(experiment.pictures for experiment in small.experiments)
    assert (small.preview, smaller.preview) == (False, True)
    assert smaller.experiments[0].noise_255 == 25
    assert small.image_folder("set5/bird") == "bird"
    assert smaller.image_folder("set5/bird") == "set5-bird"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "noise_255 = 25",
            "noise_25 = 25",
            ":7:1: unknown key 'noise_25'; did you mean 'noise_255'?",
        ),
        ('task = "denoising"', 'task = "denoise"', ":4:1: task is 'denoise'"),
        ('like = "small"', 'like = "smal"', ":12:1: unknown suite 'smal'; did you mean 'small'?"),
        ("seeds = [0, 3]", "seeds = [0, 3", "expected"),
        ('title = "Small"', "", ":2: suite 'small' needs the key 'title'"),
        (
            "frames = 24",
            'baselines = ["bicubik"]',
            "unknown baseline 'bicubik'; did you mean 'bicubic'?",
        ),
        ('like = "small"', 'like = "smaller"', ":12:1: suite 'smaller' is like 'smaller'"),
        ('title = "Small"', 'title = "S"\nlike = "smaller"', "which is like '"),
        ("seeds = [0, 3]", "seeds = 3", ":6:1: 'seeds' is not a list of integers"),
        ("seeds = [0, 3]", "seeds = [-1]", ":6:1: seed is -1, not at least 0"),
        ("frames = 24", "z_channels = 0", ":8:1: z_channels is 0, not at least 1"),
        ("frames = 24", "snapshots = [9999]", ":8:1: snapshot 9999 is not between"),
        ("seeds = [0, 3]", "seeds = []", ":6:1: 'seeds' is empty"),
        (
            "frames = 24",
            'variants = { a = { targte = "noise" } }',
            ":8:1: unknown setting 'targte'; did you mean 'target'?",
        ),
        (
            "frames = 24",
            'variants = { a = { target = "nose" } }',
            ":8:1: target is 'nose', not one",
        ),
        ("frames = 24", "variants = { a = 3 }", ":8:1: 'variants' is not a table of settings"),
        ("seeds = [0, 3]", "seeds = [3, 3]", ":6:1: 'seeds' names 3 twice"),
        ('"set5/bird", "set5/baby"]', '"bird"]', ":5:1: 'bird' is not '<set>/<name>'"),
        ('"set5/bird", "set5/baby"]', '"set5/.."]', ":5:1: 'set5/..' is not '<set>/<name>'"),
        ("[smaller]", "[superseded]", "'superseded' cannot name a suite: letters, digits and . _"),
        ("[smaller]", '["a/b"]', "'a/b' cannot name a suite"),
        ("[smaller]", "[Small]", ":11:2: 'small' and 'Small' would have one folder on macOS and"),
        ("[smaller]", "[Superseded]", "'Superseded' cannot name a suite"),
        (
            "frames = 24",
            'variants = { "1/30" = {} }',
            ":8:1: '1/30' cannot name a variant: letters",
        ),
        ("frames = 24", "variants = { y = { seed = 5 } }", ":8:1: 'seed' is no setting of one va"),
        (
            "frames = 24",
            'variants = { y = {} }\nimage_settings = { "set5/bird" = { iterations = -5 } }',
            ":9:1: iterations is -5, not at least 1",
        ),
        ('"set5/bird", "set5/baby"]', "5]", ":5:1: 'images' is not a list of names"),
        ('title = "Small"', "title = 5", ":3:1: 'title': expected text, got 5"),
        ("frames = 24", "image_settings = 4", ":8:1: 'image_settings' is not a table of settings"),
        (
            "frames = 24",
            'image_settings = { "set5/brid" = { iterations = 9 } }',
            ":8:1: the suite has no image 'set5/brid'; did you mean 'set5/bird'?",
        ),
        (
            "frames = 24",
            'image_settings = { "set5/bird" = { iteration = 9 } }',
            "unknown setting 'iteration'; did you mean 'iterations'?",
        ),
        (
            "frames = 24",
            'pictures_of = ["set5/brid"]',
            ":8:1: the suite has no image 'set5/brid'; did you mean 'set5/bird'?",
        ),
    ],
)
def test_a_mistake_in_the_suites_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    path = write(tmp_path, SUITES.replace(old, new))
    with pytest.raises(InputError) as told:
        load_suites(path)
    assert str(told.value).startswith(str(path))
    if sentence != "expected":
        assert sentence in str(told.value)


def test_a_name_that_only_begins_like_a_device_s_is_one(tmp_path: Path) -> None:
    for name in ("console", "com10", "nul-1", "con_"):
        assert name in load_suites(write(tmp_path, SUITES.replace("[smaller]", f"[{name}]")))


def test_the_projects_own_suites_are_sound() -> None:
    suites = load_suites(Path(__file__).parent.parent / "content" / "experiments.toml")
    assert len(suites["inpainting"].images) == 11
    for suite in suites.values():
        folders = [suite.image_folder(image) for image in suite.images]
        assert len(set(folders)) == len(folders)
        assert all(experiment.canonical() for experiment in suite.experiments)


def test_one_image_can_have_settings_of_its_own(tmp_path: Path) -> None:
    text = SUITES.replace("frames = 24", 'image_settings = { "set5/bird" = { iterations = 9 } }')
    small = load_suites(write(tmp_path, text))["small"]
    assert [e.iterations for e in small.experiments] == [9, 2000, 9, 2000]


def test_the_suite_of_the_documentation_is_one(tmp_path: Path) -> None:
    root = Path(__file__).parent.parent
    text = (root / "docs/experiments.md").read_text()
    example = text.partition("```toml\n")[2].partition("```")[0]
    own = (root / "content/experiments.toml").read_text()
    suite = load_suites(write(tmp_path, own + example))["inpainting-wide"]
    assert {e.channels for e in suite.experiments} == {(256,) * 5}
    assert [e.learning_rate for e in suite.experiments] == [0.001, 0.0005] * 2
    assert all(f"| `{key}`" in text or f"`{key}` |" in text or f"`{key}`," in text
               for key in REPORT_KEYS)  # fmt: skip


def test_pictures_are_kept_of_the_images_that_a_suite_names(tmp_path: Path) -> None:
    text = SUITES.replace("frames = 24", 'pictures_of = ["set5/baby"]')
    suites = load_suites(write(tmp_path, text))
    assert [e.pictures for e in suites["small"].experiments] == [False, True, False, True]
    assert [e.pictures for e in suites["smaller"].experiments] == [False] * 4
    with_them = load_suites(write(tmp_path, SUITES))["small"].experiments[0]
    assert suites["small"].experiments[0].canonical() == with_them.canonical(), "the key is one"


def test_nearest_is_silent_where_nothing_is_near() -> None:
    assert nearest("zzz", ["house", "boat"]) == ""


def test_numbers_of_numpy_are_numbers() -> None:
    ours = Experiment(image="a/b", mask="bernoulli", learning_rate=0.25, seed=1, channels=(8,) * 5)
    theirs = Experiment(
        image="a/b",
        mask="bernoulli",
        learning_rate=np.float32(0.25),  # type: ignore[arg-type]
        seed=np.int64(1),  # type: ignore[arg-type]
        channels=np.full(5, 8).tolist(),  # type: ignore[arg-type]
    )
    assert theirs == ours
    assert json.dumps(theirs.to_dict()) == json.dumps(ours.to_dict())


@pytest.mark.parametrize(
    ("images", "variants", "sentence"),
    [
        ('"a/b-c", "a-b/c"', "", "5:1: 'a/b-c' and 'a-b/c' would have one folder, 'a-b-c'"),
        (
            '"a/b", "a/b-c"',
            "c = {}\nd = {}",
            "7:1: 'a/b-c' is an image, and a variant of 'a/b'; re",
        ),
        ('"a/B", "a/b"', "", "5:1: 'a/B' and 'a/b' would have one folder, 'b'"),
        ('"a/b", "a/b-c"', "d = {}\nc-d = {}", "5:1: 'a/b', variant 'c-d' and 'a/b-c', variant"),
    ],
)
def test_cases_have_names_and_folders_of_their_own(
    tmp_path: Path, images: str, variants: str, sentence: str
) -> None:
    path = tmp_path / "experiments.toml"
    path.write_text(
        f'[s]\ntitle = "S"\ntask = "inpainting"\nmask = "bernoulli"\nimages = [{images}]\n'
        f"[s.variants]\n{variants}\n"
    )
    with pytest.raises(InputError, match=rf"experiments\.toml:{re.escape(sentence)}"):
        load_suites(path)
