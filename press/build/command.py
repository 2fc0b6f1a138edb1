"""One call of the press: nothing to do, or make what is stale and write the site."""

import sys
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from press.build.manifest import refresh
from press.build.state import ChangeDetector, PageState, State, listing, load_state, save_state
from press.options import Options

if TYPE_CHECKING:
    from press.build.builder import Made
    from press.diagnostics import Message


@dataclass(frozen=True)
class Outcome:
    """What a build came to."""

    messages: list["Message"]
    pages: int
    made: list[str]
    written: bool
    state: State
    said: tuple[str, ...] = ()  # of runs that are not recorded

    def errors(self, options: Options) -> list["Message"]:
        """Give the messages that are errors in this manner of building."""
        return [message for message in self.messages if is_error(message, options)]


def is_error(message: "Message", options: Options) -> bool:
    """Tell whether a message is an error in this manner of building."""
    by_check = options.check and message.is_error_in_check
    return message.is_error or options.strict or by_check


def build(options: Options) -> Outcome:
    """Make the site if anything changed; a site with an error is not written.

    Raises InputError for a mistake that stops everything, such as bad TOML.
    """
    outcome = _made(options)
    if outcome.errors(options):
        return outcome
    said, more = _attended(options, outcome.state)
    if not more:
        return replace(outcome, said=tuple(said))
    again = _made(options)
    made = list(dict.fromkeys([*outcome.made, *again.made]))
    return replace(again, made=made, said=tuple(said))


def _made(options: Options) -> Outcome:
    state = load_state(options)
    changes = ChangeDetector(options, state)
    manifest = refresh(options, changes)
    if state is not None and changes.nothing_changed():
        return _as_it_stands(state)
    return _made_anew(options, changes, manifest, tries=3)


def _attended(options: Options, state: State) -> tuple[list[str], bool]:
    """Attend to runs that posts name and that are not recorded."""
    if not any(page.missing_runs for page in state.pages.values()):
        return [], False
    from press.build.missing_runs import handle_missing_runs

    return handle_missing_runs(options, state)


def _as_it_stands(state: State) -> Outcome:
    rows = [row for page in state.pages.values() for row in page.messages]
    messages = sorted(dict.fromkeys(_messages(rows)), key=_where) if rows else []
    return Outcome(messages, _count(state), [], False, state)


def _where(message: "Message") -> tuple[str, int, int]:
    place = message.place
    return (place.path, place.line, place.column) if place else ("", 0, 0)


def _messages(rows: list[list[Any]]) -> list["Message"]:
    from press.diagnostics import message_from

    return [message_from(row) for row in rows]


def _count(state: State) -> int:
    return sum(url.endswith(".html") for url in state.pages)


def _made_anew(
    options: Options, changes: ChangeDetector, manifest: PageState, tries: int
) -> Outcome:
    from press.build.builder import Builder
    from press.build.output import ChangedMeanwhileError, check_folder, lock

    check_folder(options.out)
    result = Builder(options, changes, manifest).make()
    messages = sorted(dict.fromkeys(result.messages), key=_where)
    outcome = Outcome(messages, _count(result.state), result.made, False, result.state)
    if outcome.errors(options):
        return outcome
    try:
        with lock(options.cache):
            _write(options, changes, result)
    except ChangedMeanwhileError:  # another build wrote its site: begin from nothing
        if tries == 1:
            raise
        return _made_anew(options, ChangeDetector(options, None), manifest, tries - 1)
    return replace(outcome, written=True)


def _write(options: Options, changes: ChangeDetector, result: "Made") -> None:
    from press.build.output import write_site

    old = changes.state.outputs if changes.state else {}
    result.state.outputs = write_site(options.out, result.files, old)
    save_state(options, result.state)
    keep_inputs(options, result.state)


def keep_inputs(options: Options, state: State) -> None:
    """Keep copies of the texts that pages were made from, so that `why` can show what changed."""
    from pathlib import Path

    from press.cache import put

    for path, (size, _, digest) in state.signatures.items():
        copy = options.cache / "inputs" / digest[:2] / digest[2:]
        is_text = -1 <= size <= 200_000 and not path.endswith((".webp", ".png", ".jpg"))
        if is_text and len(digest) == 64 and not copy.exists():
            put(copy, listing(path) if size == -1 else Path(path).read_bytes())


def tell(outcome: Outcome, options: Options, started: float) -> int:
    """Print what a build came to; gives the exit code."""
    errors = outcome.errors(options)
    for message in outcome.messages:
        shown = replace(message, is_error=is_error(message, options))
        print(shown, file=sys.stderr)
    if errors:
        kept = "; the site is as it was" if options.out.exists() else ""
        print(f"{_counted(len(errors), 'error')}{kept}", file=sys.stderr)
        return 1
    for sentence in outcome.said:
        print(sentence)
    seconds = time.perf_counter() - started
    what = f"{_counted(len(outcome.made), 'page')} made anew" if outcome.made else "nothing changed"
    warnings = f", {_counted(len(outcome.messages), 'warning')}" if outcome.messages else ""
    total = _counted(outcome.pages, "page")
    print(f"{options.out}/: {total}, {what}{warnings}, {seconds:.2f} s")
    return 0


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
