"""Every suite and run that a post may name, read from the records.

A run that a suite defines and nobody has recorded prints as "not run yet"; a name that nothing
defines is an InputError with the nearest name. Every file that is read is noted.
"""

from collections.abc import Callable
from functools import cached_property, lru_cache
from pathlib import Path

from dip.experiments.suites import Suite, load_suites
from dip.records.record import Record, load_record
from press.errors import InputError, nearest
from press.results.images import ImageList
from press.results.numbers import listed
from press.results.run import Run
from press.results.suite import SuiteView


class Results:
    """Every suite and record that a page may name; `note` is told each file that is read.

    `root` is the way from the page being made to the site's root: "", "../" ...; `lacks` is told
    suite, image and seed of each run that was asked for and is not recorded.
    """

    def __init__(
        self,
        results: Path,
        content: Path,
        note: Callable[[Path], None],
        root: str = "",
        lacks: Callable[[str, str, int], None] = lambda suite, image, seed: None,
    ) -> None:
        """Name the folders; nothing is read yet."""
        self.path, self.content, self.note, self.root = results, content, note, root
        self.lacks = lacks
        self._runs: dict[tuple[str, str, int, str | None], Run] = {}

    @cached_property
    def suites(self) -> dict[str, Suite]:
        """Read the suites; empty if the site has none."""
        path = self.content / "experiments.toml"
        self.note(path)
        return _suites(path, _stamp(path)) if path.exists() else {}

    @cached_property
    def images(self) -> ImageList:
        """Read what is known of the test images."""
        return ImageList(self.content / "images.toml", self.note)

    def suite(self, name: str) -> SuiteView:
        """Give a suite; raises InputError with the nearest name."""
        if name not in self.suites:
            raise InputError(f"unknown suite '{name}'{nearest(name, self.suites)}")
        return SuiteView(self, self.suites[name])

    def run(self, name: str, seed: int | None = None) -> Run:
        """Give a run by "suite/image" or "suite/image/seed0" or "suite/image/method"."""
        suite_name, _, rest = name.partition("/")
        suite = self.suite(suite_name).suite
        image_word, _, last = rest.rpartition("/")
        if last in suite.baselines or last.startswith("mean-seeds-"):
            if last not in (*suite.baselines, *_means(suite)):
                near = nearest(last, _means(suite))
                raise InputError(f"suite '{suite_name}' has no average '{last}' of runs{near}")
            return self.one(suite, suite.find(image_word), 0, last)
        if last.startswith("seed") and last[4:].isdigit():
            rest, seed = image_word, int(last[4:])
        image = suite.find(rest)
        chosen = suite.seeds[0] if seed is None else seed
        if chosen not in suite.seeds:
            known = listed([str(seed) for seed in suite.seeds])
            raise InputError(f"suite '{suite_name}' has no seed {chosen}; it has {known}")
        return self.one(suite, image, chosen)

    def one(self, suite: Suite, image: str, seed: int, method: str | None = None) -> Run:
        """Give a run, the same object each time, so that its record is read and checked once."""
        what = (suite.name, image, seed, method)
        if what not in self._runs:
            self._runs[what] = Run(self, suite, image, seed, method)
        return self._runs[what]

    def read(self, folder: Path) -> Record | None:
        """Read the record in a folder; None if there is none; raises InputError if damaged."""
        path = folder / "run.json"
        self.note(path)
        return _record(folder, _stamp(path)) if path.exists() else None

    def readable(self, folder: Path) -> Record | None:
        """The record in a folder; None if there is none, or a damaged one, as is told elsewhere."""
        try:
            return self.read(folder)
        except InputError:
            return None


def _means(suite: Suite) -> tuple[str, ...]:
    return (suite.mean_method,) if suite.averages_runs else ()


Stamp = tuple[int, int] | None


def _stamp(path: Path) -> Stamp:
    """Tell one state of a file from another, so that `serve` never shows an old one."""
    if not path.exists():
        return None
    state = path.stat()
    return state.st_mtime_ns, state.st_size


@lru_cache(maxsize=4096)
def _record(folder: Path, _stamp: Stamp) -> Record:
    return load_record(folder)


@lru_cache(maxsize=16)
def _suites(path: Path, _stamp: Stamp) -> dict[str, Suite]:
    return load_suites(path)
