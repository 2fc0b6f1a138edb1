"""The suites of every task of the paper are there, with the settings that the paper prints."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from dip.experiments.experiment import Experiment, key
from dip.experiments.suites import Suite, load_suites
from dip.experiments.test_images import load_images
from dip.planning.jobs import choose_jobs, jobs_of
from dip.records.record import pixels_of

CONTENT = Path(__file__).parent.parent / "content"
F16_PUBLISHED = {150, 300, 600, 900, 1200, 1500, 1650, 1800}  # measured on published images
OPEN = {
    "open-initialisation": {"initialisation": "kaiming"},
    "open-slope": {"slope": 0.01},
    "open-corners": {"align_corners": True},
}


@cache
def suites() -> dict[str, Suite]:
    return load_suites(CONTENT / "experiments.toml")


def first(name: str) -> Experiment:
    return suites()[name].experiments[0]


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("inpainting", {"iterations": 11000, "learning_rate": 0.001, "keep": 0.5}),
        ("super-resolution-x4", {"iterations": 2000, "factor": 4}),
        ("super-resolution-x8", {"iterations": 4000, "factor": 8, "sigma_p": 0.05}),
        ("denoising", {"iterations": 1800, "noise_255": 25.0}),
        ("text-inpainting", {"iterations": 6000}),
        (
            "large-hole-vase",
            {"iterations": 5000, "z": "meshgrid", "z_channels": 2, "skip_channels": (0,) * 5},
        ),
        (
            "large-hole-library",
            {
                "channels": (16, 32, 64, 128, 128, 128),
                "skip_channels": (0,) * 6,
                "kernel_down": 5,
                "upsampling": "nearest",
                "sigma_p": 0.0,
                "iterations": 5000,
                "learning_rate": 0.1,
            },
        ),
        (
            "jpeg",
            {
                "iterations": 2400,
                "z_channels": 3,
                "channels": (8, 16, 32, 64, 128),
                "skip_channels": (0, 0, 0, 4, 4),
            },
        ),
        ("flash", {"z": "guide"}),
        ("noise-impedance", {"task": "fit"}),
    ],
)
def test_the_papers_settings(name: str, settings: dict[str, object]) -> None:
    expected = {
        "learning_rate": 0.01, "sigma_p": 1 / 30 if name != "noise-impedance" else 0.0,
        "channels": (128,) * 5, "skip_channels": (4,) * 5, "kernel_down": 3, "kernel_up": 3,
        "kernel_skip": 1, "upsampling": "bilinear", "z_max": 0.1, **settings,
    }  # fmt: skip
    for experiment in suites()[name].experiments:
        assert {word: getattr(experiment, word) for word in expected} == expected


def test_every_image_is_listed_and_every_suite_says_why() -> None:
    images = load_images(CONTENT / "images.toml")
    for name, suite in suites().items():
        assert name == "inpainting" or len(suite.why) > 40, name
        for job in jobs_of(suite):
            assert pixels_of(job.experiment, images)


def test_a_preview_differs_from_its_suite_in_size_and_effort_only() -> None:
    effort = {
        "preview_side", "channels", "iterations", "learning_rate", "snapshots", "frames",
        "pictures",
    }  # fmt: skip
    pairs = [
        (name.removesuffix("-preview"), name) for name in suites() if name.endswith("-preview")
    ]
    pairs = [(full, preview) for full, preview in pairs if full in suites()]
    assert len(pairs) >= 12
    for name, preview_name in pairs:
        full, preview = first(name), first(preview_name)
        assert preview.preview_side == 128
        same = {word: getattr(full, word) for word in effort}
        assert replace(preview, **same, image=full.image, seed=full.seed) == full


def test_denoising_can_be_held_against_the_published_run() -> None:
    assert set(first("denoising-f16").snapshots) >= F16_PUBLISHED | {2100, 2400, 2950}
    assert set(first("denoising-f16-preview").snapshots) >= F16_PUBLISHED | {2100, 2400, 2950}


def test_both_seeds_of_denoising_see_the_same_noise() -> None:
    seeds = {(e.seed, e.degradation_seed) for e in suites()["denoising"].experiments}
    assert seeds == {(0, 0), (1, 0)}
    assert first("inpainting").degradation_seed == first("inpainting").seed


def test_noise_impedance_has_five_targets_in_folders_of_their_own() -> None:
    for name, picture in (("noise-impedance", "House256"), ("noise-impedance-preview", "F16_512")):
        suite = suites()[name]
        folders = [job.folder(Path()) for job in jobs_of(suite) if job.kind == "run"]
        words = ("image", "noisy", "shuffled", "shuffled-channels", "noise")
        assert folders == [Path(name, f"{picture}-{word}", "seed0") for word in words]
        assert [experiment.target for experiment in suite.experiments] == list(words)
        (job,) = choose_jobs([suite], [f"{picture}-shuffled"])
        assert job.experiment.target == "shuffled"
        assert job.name == f"{name}/{picture}-shuffled/seed0"


@pytest.mark.parametrize("ending", ["", "-preview"])
def test_each_open_setting_is_changed_alone(ending: str) -> None:
    base = suites()[f"open-settings{ending}"]
    for name, change in OPEN.items():
        other = suites()[name + ending]
        pairs = zip(base.experiments, other.experiments, strict=True)
        assert all(replace(ours, **change) == theirs for ours, theirs in pairs)
        assert all(
            ours != theirs for ours, theirs in zip(base.experiments, other.experiments, strict=True)
        )


VARIANTS = """
[both]
title = "Both"
task = "fit"
images = ["set5/bird", "set5/baby"]
seeds = [0, 1]

[both.variants]
as-it-is = { target = "image" }
noise = { target = "noise" }
"""


def test_a_variant_is_a_run_of_its_own_and_no_part_of_the_key(tmp_path: Path) -> None:
    (tmp_path / "experiments.toml").write_text(VARIANTS)
    suite = load_suites(tmp_path / "experiments.toml")["both"]
    assert suite.images == tuple(
        f"set5/{name}" for name in ("bird-as-it-is", "bird-noise", "baby-as-it-is", "baby-noise")
    )
    assert len(suite.experiments) == 8
    assert suite.find("baby-noise") == {"set5/baby-noise"}
    named = suite.experiments[0]
    plain = replace(named, variant="")
    pixels = {"set5/bird": "0" * 64}
    assert key(named, pixels, "ieee", 1) == key(plain, pixels, "ieee", 1)
    assert key(replace(plain, problem_seed=5), pixels, "ieee", 1) != key(plain, pixels, "ieee", 1)
