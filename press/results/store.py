"""Every suite and run that a post may name, read from the manifest and the records.

A run that is planned and not recorded prints as "not run yet"; a name that nothing plans is an
InputError with the nearest name. Every file that is read is noted.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

from press.errors import InputError, nearest
from press.results.manifest import Manifest, Suite
from press.results.metrics import Metrics, read_metrics
from press.results.names import Names, read_names
from press.results.run import Run
from press.results.suite import SuiteView


@dataclass
class Results:
    """Every suite and record that a page may name.

    `note` is told each file that is read, `lacks` each run, or baseline, that was asked for and is
    not recorded, `absent` the name of a suite of which nothing is. `root` leads from the page being
    made to the site's root: "", "../" ...
    """

    path: Path  # of the records
    content: Path
    parts: Path  # of the manifest, as the build keeps it
    note: Callable[[Path], None] = lambda path: None
    root: str = ""
    lacks: Callable[[Run], None] = lambda run: None
    absent: Callable[[str], None] = lambda name: None
    suites: Manifest = field(init=False)
    _runs: dict[tuple[str, str, int, str | None], Run] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Nothing is read yet."""
        self.suites = Manifest(self.parts, self.note)

    @cached_property
    def metrics(self) -> Metrics:
        """What the site says of metrics; raises InputError with its place for a mistake."""
        return read_metrics(self._settings())

    @cached_property
    def names(self) -> Names:
        """The site's words for cases and methods."""
        return read_names(self._settings())

    def _settings(self) -> Path:
        path = self.content / "site.toml"
        self.note(path)
        return path

    def suite(self, name: str) -> SuiteView:
        """A suite; raises InputError with the nearest name."""
        if name not in self.suites:
            raise InputError(f"unknown suite '{name}'{nearest(name, self.suites)}")
        suite = self.suites[name]
        index = f"{self.root}runs/index.html"
        return SuiteView(suite, self.metrics, self.names, partial(self._one, suite), index)

    def run(self, name: str, seed: int | None = None) -> Run:
        """A run by "suite/case", "suite/case/seed0" or "suite/case/method"; or InputError."""
        suite_name, _, rest = name.partition("/")
        suite = self.suite(suite_name).suite
        image_word, _, last = rest.rpartition("/")
        methods = [*suite.baselines, *([suite.mean] if suite.mean else [])]
        if last in methods:
            if seed is not None:
                raise InputError(f"'{name}' is no run of a seed")
            return self._one(suite, suite.find(image_word), 0, last)
        if last.startswith("mean-seeds-"):
            near = nearest(last, methods)
            raise InputError(f"suite '{suite_name}' has no average '{last}' of runs{near}")
        if given := re.fullmatch(r"seed([0-9]{1,250})", last):  # as long as a folder's name may be
            if seed not in (None, int(given[1])):
                raise InputError(f"'{name}' is not of seed {seed}")
            rest, seed = image_word, int(given[1])
        return self._one(suite, suite.find(rest), suite.seed(seed), None)

    @property
    def asked(self) -> list[Run]:
        """The runs of which a score was asked for so far, by their places."""
        return sorted((run for run in self._runs.values() if run.asked), key=lambda run: run.name)

    def superseded(self, name: str) -> list[Path]:
        """The folders of the records that stood at a run's place, and gave way to others."""
        *_, last = name.split("/")
        found = self._superseded.get((name.replace("/", "-"), last), [])
        for folder in found:
            self.note(folder / "run.json")
        return found

    @cached_property
    def _superseded(self) -> dict[tuple[str, str], list[Path]]:
        """These folders, by the run's place with dashes, and its last part."""
        found: dict[tuple[str, str], list[Path]] = {}
        top = self.path / "superseded"
        self.note(top)
        for key in sorted(top.glob("*")):
            self.note(key)
            for path in sorted(key.glob("*/*/run.json")) if key.name != "damaged" else ():
                place = path.parts[-3].rpartition("-")[0]  # without what makes the name unique
                found.setdefault((place, path.parts[-2]), []).append(path.parent)
        return found

    def _one(self, suite: Suite, case: str, seed: int, method: str | None) -> Run:
        """A run, the same object each time, so that its record is read and checked once."""
        what = (suite.name, case, seed, method)
        if what not in self._runs:
            self._runs[what] = Run(
                suite, case, seed, method, self.suites.images, self.metrics, self.path, self.note,
                self.root, self.lacks, partial(self._one, suite),
            )  # fmt: skip
        return self._runs[what]
