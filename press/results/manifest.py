"""What is planned, as the project that makes the records states it: its manifest, kept as files.

The manifest is one JSON (docs/experiments.md describes it). A build keeps it in parts, a file for
each suite, so that a page depends on the suites that it names and on no others. Without a
manifest, what stands under results/ is all there is, and `of_records` describes that.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain, groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote

from press.errors import InputError, nearest
from press.files import Stamp, state_of
from press.results.record import CURVE, Record, read_record
from press.results.selectors import Selector

VERSION = 1
NAMES, IMAGES, NETWORKS, EXPECTED = "suites.json", "images.json", "networks.json", "expected.json"
FILES = ("run.json", CURVE, "pictures", "snapshots")  # any of them shows that a record stands there
OF_EXPECTED = ("seconds", "estimate")  # kept apart, as `Manifest.expected`


@dataclass(frozen=True)
class Case:
    """One problem of a suite: an image, or a variant of one."""

    folder: str
    image: str
    variant: str
    preview_side: int | None
    pictures: bool  # whether the suite keeps pictures of it
    iterations: int
    paper_iterations: int | None  # after how many the paper stops on such a problem
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Planned:
    """One run, baseline or mean of a suite, recorded or not."""

    name: str  # its place under results/
    case: str
    seed: int
    method: str | None
    kind: str  # run, baseline, mean
    state: str  # recorded, outdated, missing, damaged
    why: Mapping[str, Any] | None  # what makes it outdated: settings that changed, or a sentence
    command: str  # that makes it
    again: Sequence[str] = ()  # the commands that make it again, and compare it


class Suite:
    """A suite of runs as the manifest describes it."""

    def __init__(self, name: str, data: Mapping[str, Any]) -> None:
        """Take the suite's part of the manifest."""
        self.name, self._data = name, data
        self.title: str = data["title"]
        self.why: str = data["why"]
        self.preview: bool = data["preview"]
        self.measure: str = data["measure"]
        self.images: tuple[str, ...] = tuple(data["images"])  # its cases, in their order
        self.seeds: tuple[int, ...] = tuple(data["seeds"])
        self.baselines: tuple[str, ...] = tuple(data["baselines"])
        self.mean: str | None = data["mean"]  # the method's name, where outputs are averaged
        self.settings: list[dict[str, str]] | None = data["settings"]
        self.network: str | None = data["network"]
        self.command: str = data["command"]  # makes all that is not recorded
        self.again: str = data.get("again") or self.command  # makes all of it, elsewhere

    @cached_property
    def cases(self) -> dict[str, Case]:
        """Its cases by name."""
        return {name: Case(**case) for name, case in self._data["cases"].items()}

    @cached_property
    def planned(self) -> dict[tuple[str, int, str | None], Planned]:
        """Its runs, baselines and means in order of worth, by case, seed and method."""
        found = [Planned(**row) for row in self._data["runs"]]
        return {(one.case, 0 if one.method else one.seed, one.method): one for one in found}

    def method_of(self, chosen: Selector) -> str | None:
        """The method of a baseline or a mean; of other outputs None. InputError if it has none."""
        if chosen.kind == "baseline" and chosen.name not in self.baselines:
            near = nearest(chosen.name, self.baselines)
            raise InputError(f"suite '{self.name}' has no baseline '{chosen.name}'{near}")
        if chosen.kind == "mean" and not self.mean:
            raise InputError(f"suite '{self.name}' averages no runs")
        return {"baseline": chosen.name, "mean": self.mean}.get(chosen.kind)

    def seed(self, wanted: int | None) -> int:
        """A seed of the suite, the first for None; raises InputError if it is none."""
        chosen = self.seeds[0] if wanted is None else wanted
        if chosen not in self.seeds:
            from press.results.numbers import listed

            known = listed([str(seed) for seed in self.seeds])
            raise InputError(f"suite '{self.name}' has no seed {chosen}; it has {known}")
        return chosen

    def find(self, word: str) -> str:
        """The case called `word`, in full or bare; raises InputError with the nearest name."""
        for name, case in self.cases.items():
            if word in (name, name.rpartition("/")[2], case.folder):
                return name
        known = [case.folder for case in self.cases.values()]
        if not word:
            raise InputError(
                f"name a case of suite '{self.name}': '{self.name}/{next(iter(known), 'case')}'"
            )
        raise InputError(f"suite '{self.name}' has no case '{word}'{nearest(word, known)}")


class Manifest(Mapping[str, Suite]):
    """The suites by name, and what is known of the test images; `note` is told each file read."""

    def __init__(self, folder: Path, note: Callable[[Path], None]) -> None:
        """Name the folder of the manifest's parts; nothing is read yet."""
        self._folder, self._note = folder, note

    @cached_property
    def _names(self) -> list[str]:
        return list(self._part(NAMES, []))

    def __getitem__(self, name: str) -> Suite:
        """A suite; raises KeyError if there is none of this name."""
        if name not in self._names:
            raise KeyError(name)
        path = self._folder / part_of(name)
        self._note(path)
        return _suite(name, path, state_of(path))

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        """Whether there is such a suite; does not read it."""
        return name in self._names

    def network(self, name: str) -> dict[str, Any]:
        """The network of this name."""
        return dict(self._part(NETWORKS, {})[name])

    @cached_property
    def expected(self) -> dict[str, tuple[float | None, str | None]]:
        """For each planned run the seconds that it would take here, and whether they are a guess.

        They depend on the machine, so no page may.
        """
        return dict(self._part(EXPECTED, {}))

    @cached_property
    def images(self) -> "Images":
        """What may be said and shown of the test images."""
        return Images(self._part(IMAGES, {}))

    def _part(self, name: str, absent: Any) -> Any:
        path = self._folder / name
        self._note(path)
        return json.loads(path.read_bytes()) if path.exists() else absent


@dataclass(frozen=True)
class Images:
    """The test images' titles, and whether pictures of them may be shown."""

    entries: Mapping[str, Mapping[str, Any]]

    def title(self, image: str) -> str:
        """The name that a page writes: the stated title, or the bare name capitalised."""
        name = image.rpartition("/")[2]
        return str(self.entries.get(image, {}).get("title") or name[:1].upper() + name[1:])

    def shown(self, image: str) -> bool:
        """Whether pictures of the image may be shown."""
        return self.entries.get(image, {}).get("show") is not False

    def why_not_shown(self, image: str) -> str:
        """The reason why an image is not shown."""
        return str(self.entries[image].get("why") or "")


def part_of(suite: str) -> str:
    """The file that holds a suite's part of the manifest."""
    return f"suite-{quote(suite, safe='')}.json"


@lru_cache(maxsize=256)
def _suite(name: str, path: Path, _state: Stamp) -> Suite:
    return Suite(name, json.loads(path.read_bytes()))


def parts_of(manifest: Mapping[str, Any]) -> dict[str, bytes]:
    """The manifest as files; raises InputError if it is of another version.

    A part that is missing, or is of another form, raises KeyError, TypeError or AttributeError.
    """
    if manifest.get("manifest") != VERSION:
        raise InputError(f"this manifest is of another version than {VERSION}")
    suites: Mapping[str, Mapping[str, Any]] = manifest["suites"]
    expected: dict[str, list[Any]] = {}
    parts = {}
    for name, suite in suites.items():
        runs = [
            {key: value for key, value in run.items() if key not in OF_EXPECTED}
            for run in suite["runs"]
        ]
        parts[part_of(name)] = part = {**suite, "runs": runs}
        read = Suite(name, part)
        _ = read.cases, read.planned  # which say here, not on a page, what of it is missing
        expected |= {run["name"]: [run[key] for key in OF_EXPECTED] for run in suite["runs"]}
    whole = {
        NAMES: list(suites), IMAGES: manifest["images"], NETWORKS: manifest["networks"],
        EXPECTED: expected, **parts,
    }  # fmt: skip
    return {name: json.dumps(part, ensure_ascii=False).encode() for name, part in whole.items()}


def of_records(results: Path) -> dict[str, Any]:
    """A manifest of what is recorded under `results`, where a project states none.

    Raises InputError for a damaged record.
    """
    levels = [[results]]  # of folders: those of suites, of cases, of runs; an empty one counts too
    for _ in range(3):
        inner = sorted(one for folder in levels[-1] for one in folder.glob("[!.]*"))
        levels.append([one for one in inner if one.is_dir() and one != results / "superseded"])
    paths = [one / "run.json" for one in levels[3] if any((one / name).exists() for name in FILES)]
    suites: dict[str, list[Record]] = {}
    for path in paths:
        record, place = read_record(path.parent), "/".join(path.parts[-4:-1])
        if (name := f"{record.suite}/{record.case}/{record.run}") != place:
            raise InputError(f"this is the record of {name}, and stands at {place}", path)
        suites.setdefault(record.suite, []).append(record)
    return {
        "manifest": VERSION,
        "inputs": [str(path) for path in (*chain(*levels), *paths)],
        "images": {
            f"{record.suite}/{record.case}": {"title": record.title}
            for record in chain(*suites.values())
            if record.title
        },
        "networks": {},
        "suites": {name: _recorded(name, records) for name, records in suites.items()},
    }


def _recorded(name: str, records: list[Record]) -> dict[str, Any]:
    """Describe a suite by its records."""
    records = sorted(records, key=lambda one: (one.case, one.kind, one.method or "", one.seed))
    first = next((record for record in records if record.kind == "run"), records[0])
    cases = {}
    for case, same in groupby(records, key=lambda record: record.case):
        of_case = [*same]
        cases[case] = _case([one for one in of_case if one.kind == "run"] or of_case)
    return {
        "title": name, "why": "", "settings": None, "network": None,
        "command": "",
        "preview": any(record.preview for record in records), "measure": first.measure,
        "images": sorted(cases),
        "seeds": sorted({record.seed for record in records if record.kind == "run"}) or [0],
        "baselines": sorted({r.method for r in records if r.method and r.kind == "baseline"}),
        "mean": next((record.method for record in records if record.kind == "mean"), None),
        "cases": cases,
        "runs": [
            {
                "name": "/".join(record.folder.parts[-3:]), "case": record.case,
                "seed": record.seed, "method": record.method, "kind": record.kind,
                "state": "recorded", "why": None, "command": record.command, "seconds": None,
                "estimate": None,
            }
            for record in records
        ],
    }  # fmt: skip


def _case(records: Sequence[Record]) -> dict[str, Any]:
    """Describe a case by its runs; a setting in which these differ has the values of all."""
    record, of_first = records[0], records[0].settings
    settings = dict[str, Any]()
    for name in chain(*(one.settings for one in records)):
        values = [one.settings.get(name) for one in records]
        settings[name] = values if any(value != values[0] for value in values) else values[0]
    variant, stated = of_first.get("variant"), of_first.get("iterations")
    return {
        "folder": record.case, "image": f"{record.suite}/{record.case}",
        "variant": "" if variant is None else str(variant),
        "preview_side": of_first.get("preview_side"),
        "pictures": True, "paper_iterations": None, "settings": settings,
        "iterations": stated if type(stated) is int else record.last_step or 0,
    }  # fmt: skip
