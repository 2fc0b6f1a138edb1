"""Runs that posts name and that are not recorded: how long they would take, and making them.

Only a child process ever loads torch or looks for a graphics card, and only if runs are missing.
"""

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from press.build.state import State, signature
from press.cache import Cache, put
from press.diagnostics import counted
from press.errors import InputError
from press.options import Options

AUTO_SECONDS = 120  # what may be run without being asked

Run = tuple[str, str, int]  # suite, image, seed


@dataclass(frozen=True)
class Group:
    """The missing runs of one suite, and what they would take on this machine."""

    suite: str
    runs: list[Run]
    seconds: float | None  # unknown without torch
    is_guess: bool

    def command(self, options: Options) -> list[str]:
        """Give the arguments of `python -m dip` that make these runs."""
        from dip.experiments.suites import load_suites

        suite = load_suites(options.content / "experiments.toml")[self.suite]
        images = dict.fromkeys(image for _, image, _ in self.runs)
        seeds = sorted({seed for _, _, seed in self.runs})
        chosen: list[str] = []
        if set(images) != set(suite.images):
            chosen += [part for image in images for part in ("--image", suite.image_folder(image))]
        if set(seeds) != set(suite.seeds):
            chosen += [part for seed in seeds for part in ("--seed", str(seed))]
        return [*_content(options), "run", self.suite, *chosen, *_results(options)]


def _content(options: Options) -> list[str]:
    return [] if str(options.content) == "content" else ["--content", str(options.content)]


def _results(options: Options) -> list[str]:
    return [] if str(options.results) == "results" else ["--results", str(options.results)]


def missing_runs(state: State) -> list[Run]:
    """List the runs that published posts name and that are not recorded."""
    posts = [page for page in state.pages.values() if page.meta.get("summary")]
    published = [page for page in posts if not page.meta["summary"]["draft"]]
    found = dict.fromkeys(
        (suite, image, seed) for page in published for suite, image, seed in page.missing_runs
    )
    return list(found)


def handle_missing_runs(options: Options, state: State) -> tuple[list[str], bool]:
    """Make missing runs where that is allowed; gives what is to be said, and whether any was made.

    Raises InputError where runs that were asked for (`--run all`) cannot be made.
    """
    runs = missing_runs(state)
    if not runs:
        return [], False
    if options.run == "never":
        return [f"{counted(len(runs), 'run')} that posts name are not run yet"], False
    if options.run == "all":
        groups = _groups(options, runs)
        print("\n".join(_sentence(group, options) for group in groups), flush=True)
        return [], _run(options, groups, None)
    kept = Cache(options.cache).json("missing", _key(options, runs), lambda: _auto(options, runs))
    if kept["short"]:
        return _make_short(options, runs, kept)
    return kept["said"], False


def _key(options: Options, runs: list[Run]) -> str:
    """Give what the decision on missing runs hangs on: the folders, the runs, what they are."""
    described = [options.content / name for name in ("experiments.toml", "images.toml")]
    hashes = [signature(str(path))[2] for path in described]
    return json.dumps([options.identity(), runs, hashes, _has_torch()])


def _make_short(options: Options, runs: list[Run], kept: dict[str, Any]) -> tuple[list[str], bool]:
    """Make the runs that take little time; a failure is told, and tried no more."""
    said, left = list[str](), runs
    for group in _groups(options, runs):
        if group.suite not in kept["short"]:
            continue
        try:
            _run(options, [group], AUTO_SECONDS)
            left = [run for run in left if run[0] != group.suite]
        except InputError as error:
            said += [_sentence(group, options), f"{error} (a build does not try it again)"]
    if said:
        decided = {"short": [], "said": [*said, *kept["said"]]}
        path = Cache(options.cache).path("missing", _key(options, left), ".json")
        put(path, json.dumps(decided).encode())
    return [*said, *kept["said"]], len(left) < len(runs)


def _auto(options: Options, runs: list[Run]) -> dict[str, Any]:
    """Decide which suites' runs are short enough, and what to say of the others."""
    short, said, total = [], [], 0.0
    for group in sorted(_groups(options, runs), key=lambda group: group.seconds or 0):
        if group.seconds is not None and total + group.seconds < AUTO_SECONDS:
            total += group.seconds
            short.append(group.suite)
        else:
            said.append(_sentence(group, options))
    return {"short": short, "said": said}


def _has_torch() -> bool:
    return find_spec("torch") is not None


def _groups(options: Options, runs: Iterable[Run]) -> list[Group]:
    """Put the runs of each suite together, with an estimate where torch is installed."""
    suites: dict[str, list[Run]] = {}
    for run in runs:
        suites.setdefault(run[0], []).append(run)
    told = _listed(options, list(suites)) if _has_torch() else {}
    return [_group(suite, named, told.get(suite)) for suite, named in suites.items()]


def _group(suite: str, runs: list[Run], told: dict[str, Any] | None) -> Group:
    if told is None:
        return Group(suite, runs, None, False)
    wanted = {(image, seed) for _, image, seed in runs}
    seconds = [
        float(run["seconds_missing"])
        for run in told["runs"]
        if run["method"] is None and (run["image"], run["seed"]) in wanted
    ]
    return Group(suite, runs, sum(seconds), told["estimate"] == "a guess")


def _listed(options: Options, suites: list[str]) -> dict[str, dict[str, Any]]:
    """Ask `dip list` for these suites; empty if it cannot say."""
    call = ["list", *suites, "--json", "--results", str(options.results)]
    command = [sys.executable, "-m", "dip", *_content(options), *call]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return {suite["name"]: suite for suite in json.loads(done.stdout)["suites"]}
    except (ValueError, KeyError, TypeError):
        return {}


def _sentence(group: Group, options: Options) -> str:
    """Say what is missing, how long it would take, and the command for it."""
    command = " ".join(["python -m dip", *group.command(options)])
    runs = f"{group.suite}: {counted(len(group.runs), 'run')} not run yet"
    if not _has_torch():
        return f'{runs}; torch is not installed: pip install -e ".[experiments]" && {command}'
    if group.seconds is None:
        return f"{runs}: {command}"
    from press.results.numbers import in_words

    guess = ", a guess" if group.is_guess else ""
    return f"{runs}, {in_words(group.seconds)} on this machine{guess}: {command}"


def _run(options: Options, groups: list[Group], limit: int | None) -> bool:
    """Make runs in child processes; raises InputError with the last line that a child said."""
    if groups and not _has_torch():
        raise InputError('torch is not installed; run: pip install -e ".[experiments]"')
    for group in groups:
        timed = ["--time-limit", str(limit)] if limit else []
        command = [sys.executable, "-m", "dip", *group.command(options), *timed]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            said = done.stderr.strip().splitlines() or [f"dip ended with {done.returncode}"]
            raise InputError(f"the runs of '{group.suite}' were not made: {said[-1]}")
    return bool(groups)
