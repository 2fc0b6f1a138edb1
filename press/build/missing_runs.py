"""Runs that posts name and that are not recorded: how long they would take, and making them.

Only a child process ever loads what runs them, and only if runs are missing.
"""

import contextlib
from dataclasses import dataclass

from press.build.manifest import program, with_folders
from press.build.state import State, read_sealed, write_sealed
from press.diagnostics import counted, format_duration
from press.errors import InputError, sentence_of
from press.files import sha256_of
from press.options import Options
from press.results.manifest import Manifest, Planned, Suite, part_of

AUTO_SECONDS = 120  # what may be run without being asked


@dataclass(frozen=True)
class Group:
    """The missing runs of one suite, and what they would take on this machine."""

    suite: Suite
    runs: list[Planned]
    seconds: float | None  # not known if that of one is not known
    is_guess: bool

    def sentence(self, options: Options) -> str:
        """What is missing, how long it would take, and the command for it."""
        took = ""
        if self.seconds is not None:
            guess = ", a guess" if self.is_guess else ""
            took = f", {format_duration(self.seconds)} on this machine{guess}"
        command = self.suite.command if len(self.runs) > 1 else self.runs[0].command
        runs = f"{self.suite.name}: {counted(len(self.runs), 'run')} not run yet"
        return f"{runs}{took}: {with_folders(command, options)}"


def handle_missing_runs(options: Options, state: State) -> tuple[list[str], bool]:
    """Make missing runs where that is allowed; what is to be said, and whether any was made.

    Raises InputError where runs that were asked for (`--run all`) cannot be made.
    """
    groups = _groups(options, state)
    number = sum(len(group.runs) for group in groups)
    if not number:
        return [], False
    if options.run == "never":
        return [f"{counted(number, 'run')} that posts name are not run yet"], False
    if options.run == "all":
        print("\n".join(group.sentence(options) for group in groups), flush=True)
        for group in groups:
            _make(options, group, None)
        return [], True
    return _make_short(options, groups)


def _groups(options: Options, state: State) -> list[Group]:
    """The runs that published posts name and that are not recorded, suite by suite."""
    posts = [page for page in state.pages.values() if page.meta.get("summary")]
    published = [page for page in posts if not page.meta["summary"]["draft"]]
    missing = dict.fromkeys(
        (suite, case, seed) for page in published for suite, case, seed in page.missing_runs
    )
    suites = Manifest(options.parts, lambda path: None)
    runs: dict[str, list[Planned]] = {}
    for suite, case, seed in missing:
        planned = suites[suite].planned.get((case, seed, None)) if suite in suites else None
        if planned and planned.command:
            runs.setdefault(suite, []).append(planned)
    return [_group(suites, suite, found) for suite, found in runs.items()]


def _group(suites: Manifest, suite: str, runs: list[Planned]) -> Group:
    times = [suites.expected.get(run.name, (None, None)) for run in runs]
    seconds = [each for each, _ in times if each is not None]
    total = sum(seconds) if len(seconds) == len(runs) else None
    return Group(suites[suite], runs, total, any(word != "measured" for _, word in times))


def _make_short(options: Options, groups: list[Group]) -> tuple[list[str], bool]:
    """Make the runs that take little time; a failure is told, and not tried again."""
    failures = options.cache / "failed-runs.json"
    failed_before: dict[str, str] = {}
    with contextlib.suppress(OSError, ValueError):
        failed_before = read_sealed(failures)
    said, made, total = list[str](), False, 0.0
    for group in sorted(groups, key=lambda group: group.seconds or 0):
        key = sha256_of(options.parts / part_of(group.suite.name))  # all that it plans
        seconds, failure = group.seconds, failed_before.get(key)
        if seconds is None or total + seconds >= AUTO_SECONDS:
            said.append(group.sentence(options))
            continue
        if not failure:
            total, made = total + seconds, True  # of a group that fails a part may be made
            try:
                _make(options, group, AUTO_SECONDS)
                continue
            except InputError as error:
                failure = failed_before[key] = str(error)
                write_sealed(failures, failed_before)
        said += [group.sentence(options), f"{failure} (to try it again: --run all)"]
    return said, made


def _make(options: Options, group: Group, limit: int | None) -> None:
    """Make runs in child processes; raises InputError with the last line that a child said."""
    import subprocess

    for run in group.runs:
        timed = ["--time-limit", str(limit)] if limit else []
        try:
            command = [*program(run.command, options), *timed]
            done = subprocess.run(
                command, stderr=subprocess.PIPE, text=True, errors="replace", check=False
            )
        except (OSError, ValueError) as error:  # no such program, a quote that is not closed
            why = sentence_of(error) if isinstance(error, OSError) else error
            sentence = f"the runs of '{group.suite.name}' were not made: `{run.command}`: {why}"
            raise InputError(sentence) from None
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
            raise InputError(f"the runs of '{group.suite.name}' were not made: {lines[-1]}")
