"""Suites of experiments, read from `content/experiments.toml`; adding one is editing that file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from dip.errors import InputError, nearest
from dip.experiments.experiment import RETIRED, Experiment
from dip.toml_file import TomlFile

BASELINES = ("nearest-known-pixel", "biharmonic", "total-variation", "non-local-means", "bicubic")
# Records lie in folders of these names, and are found and carried by them.
NAME, OF_NAMES = re.compile(r"\w[\w.+-]*"), "letters, digits and . _ + -"
RESERVED = ("all", "superseded")
OF_CASES = ("image", "seed", "variant")  # settings that tell a suite's experiments from each other
REPORT_KEYS = (
    "title", "why", "images", "seeds", "baselines", "frames_of", "pictures_of", "image_settings",
    "variants", "like",
)  # fmt: skip


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
        """Whether the suite works on reduced pictures, never compared with the paper's."""
        return any(experiment.preview_side for experiment in self.experiments)

    @cached_property
    def images(self) -> tuple[str, ...]:
        """The suite's images once each, in their order; each variant of one counts apart."""
        return tuple(dict.fromkeys(experiment.case for experiment in self.experiments))

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        """The suite's seeds once each, in their order."""
        return tuple(dict.fromkeys(experiment.seed for experiment in self.experiments))

    @property
    def averages_runs(self) -> bool:
        """Whether the outputs of the seeds are averaged: all see the same degraded input."""
        shared = all(experiment.problem_seed is not None for experiment in self.experiments)
        return shared and len(self.seeds) > 1

    @property
    def mean_method(self) -> str:
        """The name of the record of the average over the outputs of all seeds."""
        return "mean-seeds-" + "-".join(map(str, self.seeds))

    def image_folder(self, image: str) -> str:
        """An image's folder: bare where the suite draws on one set and names are distinct."""
        return image.split("/")[1] if self._one_set else image.replace("/", "-")

    @cached_property
    def _one_set(self) -> bool:
        return len({name.split("/")[0] for name in self.images}) == 1

    def find(self, word: str) -> set[str]:
        """The cases called `word`, in full or bare: all of an image, or one; raises InputError."""
        folders = {case: self.image_folder(case) for case in self.images}
        found = {e.case for e in self.experiments if word in (e.image, e.image.split("/")[1])}
        names = {case: (case, case.split("/")[1], folders[case]) for case in folders}
        found = found or {case for case in names if word in names[case]}
        if not found:
            near = nearest(word, folders.values())
            raise InputError(f"suite '{self.name}' has no image '{word}'{near}")
        return found


def load_suites(path: Path) -> dict[str, Suite]:
    """Every suite of a TOML file, by name; a mistake raises InputError with its line."""
    file = TomlFile(path)
    suites, folders = {}, dict[str, str]()
    for name, table in file.data.items():
        if not isinstance(table, dict):
            file.fail(f"'{name}' stands outside a suite; write it under a [suite]", None, name)
        if not NAME.fullmatch(name) or name.casefold() in RESERVED:
            file.fail(
                f"'{name}' cannot name a suite: {OF_NAMES}, and not {', '.join(RESERVED)}", name
            )
        if (other := folders.setdefault(name.casefold(), name)) != name:
            file.fail(f"'{other}' and '{name}' would have one folder on macOS and Windows", name)
        suites[name] = _suite(file, name, _inherited(file, name, table))
    return suites


def _inherited(
    file: TomlFile, name: str, table: Mapping[str, Any], heirs: tuple[str, ...] = ()
) -> dict[str, Any]:
    """`table` filled up with the suite that its key `like` names."""
    if "like" not in table:
        return dict(table)
    parent = str(table["like"])
    if parent not in file.data or not isinstance(file.data[parent], dict):
        file.fail(f"unknown suite '{parent}'{nearest(parent, file.data)}", name, "like")
    if parent in (name, *heirs):
        file.fail(f"suite '{name}' is like '{parent}', which is like '{name}'", name, "like")
    return {**_inherited(file, parent, file.data[parent], (*heirs, name)), **table}


def _suite(file: TomlFile, name: str, table: dict[str, Any]) -> Suite:
    _check_keys(file, name, table)
    _check_lists(file, name, table)
    tables = _tables(file, name, table, "variants", "variant")
    for word in tables:
        if not NAME.fullmatch(word):
            file.fail(f"'{word}' cannot name a variant: {OF_NAMES}", name, "variants")
    variants = [{**settings, "variant": word} for word, settings in tables.items()]
    experiments = tuple(
        _experiment(file, name, table, {**variant, "image": image, "seed": seed})
        for seed in table.get("seeds", [0])
        for image in table["images"]
        for variant in variants or [{}]
    )
    baselines = tuple(table.get("baselines", []))
    suite = Suite(name, table["title"], table.get("why", ""), experiments, baselines)
    _check_cases(file, suite)
    return suite


def _check_cases(file: TomlFile, suite: Suite) -> None:
    """Raise InputError where two cases have one folder, or one has the name of another's image.

    Folders whose names differ in case alone are one on macOS and Windows.
    """
    cases = {(one.image, one.variant): one.case for one in suite.experiments}
    images, folders = {image for image, _ in cases}, dict[str, str]()
    for (image, variant), case in cases.items():
        words = f"'{image}', variant '{variant}'" if variant else f"'{image}'"
        folder = suite.image_folder(case)
        if (other := folders.setdefault(folder.casefold(), words)) != words:
            sentence = f"{other} and {words} would have one folder, '{folder}'"
            file.fail(sentence, suite.name, "images")
        if variant and case in images:
            sentence = f"'{case}' is an image, and a variant of '{image}'; rename the variant"
            file.fail(sentence, f"{suite.name}.variants", variant)


def _check_keys(file: TomlFile, name: str, table: dict[str, Any]) -> None:
    """Raise InputError for an unknown key, a missing one, or a title that is not text."""
    settings = [field.name for field in fields(Experiment) if field.name not in OF_CASES]
    kinds = dict.fromkeys((*settings, *RETIRED, *REPORT_KEYS), "anything")
    file.expect(kinds | {"title": "text", "why": "text"}, table, name)
    for needed in ("title", "task", "images"):
        if not table.get(needed):
            file.fail(f"suite '{name}' needs the key '{needed}'", name)


def _check_lists(file: TomlFile, name: str, table: dict[str, Any]) -> None:
    """Raise InputError for values that are not lists, impossible ones, and unknown names."""
    images = _distinct(file, name, table, "images", str)
    for image in images:
        if not re.fullmatch(f"{NAME.pattern}/{NAME.pattern}", image):
            sentence = f"'{image}' is not '<set>/<name>', as content/images.toml has it"
            file.fail(f"{sentence}, each of {OF_NAMES}", name, "images")
    if not _distinct(file, name, {"seeds": [0], **table}, "seeds", int):
        file.fail("'seeds' is empty", name, "seeds")
    for method in _distinct(file, name, table, "baselines", str):
        if method not in BASELINES:
            file.fail(f"unknown baseline '{method}'{nearest(method, BASELINES)}", name, "baselines")
    settings = _tables(file, name, table, "image_settings", "image")
    of_some = {key: _distinct(file, name, table, key, str) for key in ("frames_of", "pictures_of")}
    for key, named in {**of_some, "image_settings": list(settings)}.items():
        own = key in file.data[name]  # a parent's may name images of its own
        unknown = next((image for image in named if own and image not in images), None)
        if unknown is not None:
            file.fail(f"the suite has no image '{unknown}'{nearest(unknown, images)}", name, key)


def _distinct(file: TomlFile, name: str, table: dict[str, Any], key: str, kind: type) -> list[Any]:
    """The list that stands at a key, empty if there is none: of one kind, nothing twice."""
    values = table.get(key, [])
    if not isinstance(values, list) or not all(type(value) is kind for value in values):
        what = "names" if kind is str else "integers"
        file.fail(f"'{key}' is not a list of {what}", name, key)
    twice = next((value for i, value in enumerate(values) if value in values[:i]), None)
    if twice is not None:
        file.fail(f"'{key}' names {twice} twice", name, key)
    return list(values)


def _tables(
    file: TomlFile, name: str, table: dict[str, Any], key: str, of: str
) -> dict[str, dict[str, Any]]:
    """The tables of settings that stand at a key, by name; none if it is absent."""
    tables = table.get(key, {})
    if not isinstance(tables, dict) or not all(isinstance(v, dict) for v in tables.values()):
        file.fail(f"'{key}' is not a table of settings for each {of}'s name", name, key)
    for word, settings in tables.items():
        if wrong := next((one for one in OF_CASES if one in settings), None):
            sentence = f"'{wrong}' is no setting of one {of}; the suite names them all"
            file.fail(sentence, f"{name}.{key}.{word}", wrong)
    return tables


def _experiment(
    file: TomlFile, name: str, table: dict[str, Any], this: dict[str, Any]
) -> Experiment:
    """The experiment of `this` image, seed and variant, in this order over the suite's settings."""
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
        words = re.findall(r"\w+", error.sentence)
        words += [f"{word}s" for word in words if word in ("seed", "snapshot")]
        tables = {
            f"{name}.variants.{this.get('variant')}": this,
            f"{name}.image_settings.{image}": own,
            name: table,
        }
        for where, settings in tables.items():
            known = (key for key in settings if key in words and key not in OF_CASES)
            if wrong := next(known, None):
                file.fail(error.sentence, where, wrong)
        file.fail(error.sentence, name)
