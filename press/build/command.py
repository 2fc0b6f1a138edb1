"""One call of the press: nothing to do, or make what is stale and write the site.

What is made, and in what order, stands in `builder.py`. That file and all that it needs are loaded
only if something changed, so that a build with nothing to do takes a fraction of a second.
"""

import os
import sys
import time
from contextlib import closing
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path

from press.build.manifest import refresh
from press.build.state import (
    BuildResult,
    ChangeDetector,
    State,
    listing,
    load_state,
    save_state,
)  # fmt: skip
from press.diagnostics import Diagnostic, Place, counted, settled, summary
from press.errors import InputError
from press.files import PICTURES, content_of, sweep
from press.options import Options

BUILDER = "press.build.builder"  # loads what makes pages, which takes half a second


def build(options: Options) -> BuildResult:
    """Make the site if anything changed; a site with an error is not written.

    Missing runs that posts name are made where `options.run` allows it, and the site then again.
    A cache that cannot be written is replaced by a folder that lasts as long as the build. Raises
    InputError for a mistake that stops everything, such as bad TOML.
    """
    try:
        return _build(options, [])
    except OSError as error:
        refused = Path(os.fsdecode(error.filename or "")).absolute()
        if not refused.is_relative_to(options.cache.absolute()):
            raise
        refusal = error.strerror or str(error)
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        spare = replace(options, cache_folder=Path(folder))
        return _build(spare, [_nothing_is_kept(options, refusal)])


def _nothing_is_kept(options: Options, refusal: str) -> Diagnostic:
    """The warning of a build whose cache the system, or SQLite, refuses."""
    sentence = f"nothing is kept for the next build: {refusal}"
    return Diagnostic(Place(str(options.cache), 1, 1), sentence)


def _build(options: Options, warnings: list[Diagnostic]) -> BuildResult:
    result = _build_once(options, warnings)
    if result.errors or not any(page.missing_runs for page in result.state.pages.values()):
        return result
    from press.build.missing_runs import handle_missing_runs

    notes, are_made = handle_missing_runs(options, result.state)
    if are_made:
        first, result = result, _build_once(options, warnings)
        result.made = list(dict.fromkeys([*first.made, *result.made]))
    return replace(result, notes=notes)


def _build_once(options: Options, warnings: list[Diagnostic]) -> BuildResult:
    changes, asked_ns = ChangeDetector(options, load_state(options)), time.time_ns()
    manifest = refresh(options, changes, meanwhile=partial(import_module, BUILDER))
    if changes.nothing_changed():
        rows = [row for page in changes.state.pages.values() for row in page.messages]
        found = [*map(Diagnostic.from_row, rows)]
        return _settled(BuildResult(changes.state, diagnostics=found), options)
    from press.build.builder import Builder
    from press.build.output import ChangedMeanwhileError, check_folder, lock, write_site

    check_folder(options.out, changes.state.outputs)
    for _ in range(3):
        with closing(Builder(options, changes, manifest, asked_ns)) as builder:
            result = builder.make()
        if builder.cache.refusal:
            warnings = [_nothing_is_kept(options, builder.cache.refusal)]
        result.diagnostics += warnings
        result = _settled(result, options)
        if result.errors:
            return result
        try:
            with lock(options.cache):
                for folder in (options.cache, options.parts):
                    sweep(folder)
                old = changes.state.outputs
                result.state.outputs = write_site(options.out, result.files, old)
                try:
                    save_state(options, result.state)
                    refusal = keep_inputs(options, result.state)
                    if refusal and not warnings:
                        result.diagnostics.append(_nothing_is_kept(options, refusal))
                except OSError as error:  # the site stands, and the next build makes all of it
                    result.diagnostics.append(_nothing_is_kept(options, str(error.strerror)))
            return replace(result, written=True)
        except ChangedMeanwhileError:  # another build wrote its site: begin from nothing
            changes = ChangeDetector(options, None)
    raise InputError("other builds keep writing this folder", options.out)


def _settled(result: BuildResult, options: Options) -> BuildResult:
    found = settled(result.diagnostics, options.strict, options.check)
    return replace(result, diagnostics=found)


def keep_inputs(options: Options, state: State) -> str:
    """Keep copies of the texts that pages were made from, so that `why` can show what changed.

    Returns why nothing can be kept; empty if it is.
    """
    from press.cache import Cache

    cache = Cache(options.cache)
    for path, (size, _, digest) in state.signatures.items():
        is_text = -1 <= size <= 200_000 and not path.endswith(PICTURES)
        if is_text and len(digest) == 64 and cache.get("inputs", digest) is None:
            cache.put("inputs", digest, listing(path) if size == -1 else content_of(Path(path)))
    cache.close()
    return cache.refusal


def report(result: BuildResult, options: Options, started: float) -> int:
    """Print what a build came to; returns the exit code."""
    for diagnostic in result.diagnostics:
        print(diagnostic, file=sys.stderr)
    counts = summary(result.diagnostics)
    if result.errors:
        kept = "; the site is as it was" if options.out.exists() else ""
        print(f"{counts}{kept}", file=sys.stderr)
        return 1
    for sentence in result.notes:
        print(sentence)
    seconds = time.perf_counter() - started
    made = f"{counted(len(result.made), 'page')} made anew" if result.made else "nothing changed"
    what = ", ".join(filter(None, (counted(result.pages, "page"), made, counts)))
    print(f"{options.out}/: {what}, {seconds:.2f} s")
    return 0
