"""Suites of experiments, read from `content/experiments.toml`; adding one is editing that file."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from dip.experiment import Experiment
from dip.problems import InputError, nearest
from dip.toml_file import TomlFile

BASELINES = (
    "nearest-known-pixel",
    "biharmonic",
    "total-variation",
    "non-local-means",
    "bicubic",
)

REPORT_KEYS = (
    "title",
    "why",
    "images",
    "seeds",
    "baselines",
    "frames_of",
    "pictures_of",
    "image_settings",
    "variants",
    "like",
)


@dataclass(frozen=True)
class Suite:
    """Experiments that belong together, in order of worth: seed by seed, image by image."""

    name: str
    title: str
    why: str  # why these settings, in a sentence for the page
    experiments: tuple[Experiment, ...]
    baselines: tuple[str, ...]

    @property
    def preview(self) -> bool:
        """Tell whether the suite works on reduced pictures, never compared with the paper's."""
        return any(experiment.preview_side for experiment in self.experiments)

    @property
    def images(self) -> tuple[str, ...]:
        """Name the suite's images once each, in their order; each variant of one counts apart."""
        return tuple(dict.fromkeys(experiment.case for experiment in self.experiments))

    @property
    def seeds(self) -> tuple[int, ...]:
        """Give the suite's seeds once each, in their order."""
        return tuple(dict.fromkeys(experiment.seed for experiment in self.experiments))

    @property
    def averages_runs(self) -> bool:
        """Tell whether the outputs of the seeds are averaged: all see the same degraded input."""
        shared = all(experiment.problem_seed is not None for experiment in self.experiments)
        return shared and len(self.seeds) > 1

    @property
    def mean_method(self) -> str:
        """Name the average over the outputs of all seeds, as its record is called."""
        return "mean-seeds-" + "-".join(map(str, self.seeds))

    def image_folder(self, image: str) -> str:
        """Name an image's folder: bare where the suite draws on one set and names are distinct."""
        one_set = len({name.split("/")[0] for name in self.images}) == 1
        return image.split("/")[1] if one_set else image.replace("/", "-")

    def find(self, word: str) -> str:
        """Give the full name of the image called `word`, in full or bare; raises InputError."""
        for image in self.images:
            if word in (image, image.split("/")[1], self.image_folder(image)):
                return image
        known = [self.image_folder(image) for image in self.images]
        raise InputError(f"suite '{self.name}' has no image '{word}'{nearest(word, known)}")

    def run_folder(self, results: Path, experiment: Experiment) -> Path:
        """Give the folder where the record of `experiment` belongs."""
        image = self.image_folder(experiment.case)
        return results / self.name / image / f"seed{experiment.seed}"

    def baseline_folder(self, results: Path, image: str, method: str) -> Path:
        """Give the folder where the record of a baseline belongs."""
        return results / self.name / self.image_folder(image) / method


def load_suites(path: Path) -> dict[str, Suite]:
    """Read every suite of a TOML file; a mistake raises InputError with its line."""
    file = TomlFile(path)
    suites = {}
    for name, table in file.data.items():
        if not isinstance(table, dict):
            file.fail(f"'{name}' stands outside a suite; write it under a [suite]", None, name)
        suites[name] = _suite(file, name, _inherited(file, name, table))
    return suites


def _inherited(file: TomlFile, name: str, table: Mapping[str, Any]) -> dict[str, Any]:
    """Fill `table` up with the suite that its key `like` names."""
    if "like" not in table:
        return dict(table)
    parent = table["like"]
    if parent not in file.data or parent == name:
        file.fail(f"unknown suite '{parent}'{nearest(str(parent), file.data)}", name, "like")
    return {**_inherited(file, parent, file.data[parent]), **table}


def _suite(file: TomlFile, name: str, table: dict[str, Any]) -> Suite:
    settings_known = [field.name for field in fields(Experiment)]
    for key in table:
        if key not in (*settings_known, *REPORT_KEYS) or key in ("image", "seed"):
            file.fail(
                f"unknown key '{key}'{nearest(key, (*settings_known, *REPORT_KEYS))}", name, key
            )
    images = _strings(file, name, table, "images")
    for needed in ("title", "task", "images"):
        if not table.get(needed):
            file.fail(f"suite '{name}' needs the key '{needed}'", name)
    for key in ("frames_of", "pictures_of"):
        named = _strings(file, name, table, key)
        for image in named if key in file.data[name] else ():  # a parent's may name other images
            if image not in images:
                file.fail(f"the suite has no image '{image}'{nearest(image, images)}", name, key)
    baselines = _strings(file, name, table, "baselines")
    for method in baselines:
        if method not in BASELINES:
            file.fail(f"unknown baseline '{method}'{nearest(method, BASELINES)}", name, "baselines")
    experiments = tuple(
        _experiment(file, name, table, {**variant, "image": image, "seed": seed})
        for seed in table.get("seeds", [0])
        for image in images
        for variant in _variants(file, name, table)
    )
    return Suite(name, table["title"], table.get("why", ""), experiments, baselines)


def _strings(file: TomlFile, name: str, table: dict[str, Any], key: str) -> tuple[str, ...]:
    values = table.get(key, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        file.fail(f"'{key}' is not a list of names", name, key)
    return tuple(values)


def _variants(file: TomlFile, name: str, table: dict[str, Any]) -> list[dict[str, Any]]:
    """List the settings of each variant that a suite makes of an image; one of none if it has none."""
    variants = table.get("variants", {})
    if not isinstance(variants, dict) or not all(isinstance(v, dict) for v in variants.values()):
        file.fail("'variants' is not a table of settings for each variant's name", name, "variants")
    return [{**settings, "variant": word} for word, settings in variants.items()] or [{}]


def _experiment(
    file: TomlFile, name: str, table: dict[str, Any], this: dict[str, Any]
) -> Experiment:
    """Make the experiment of `this` image, seed and variant, in this order over the suite's settings."""
    image, seed = this["image"], this["seed"]
    settings = {key: value for key, value in table.items() if key not in REPORT_KEYS}
    own = table.get("image_settings", {}).get(image, {})
    if image not in table.get("frames_of", [image]) or seed != table.get("seeds", [0])[0]:
        settings["frames"] = 0
    if image not in table.get("pictures_of", [image]):
        settings["pictures"] = False
    try:
        return Experiment.from_dict({**settings, **own, **this})
    except InputError as error:
        wrong = next((key for key in table if key in error.sentence), None)
        file.fail(error.sentence, name, wrong)
