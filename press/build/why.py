"""Says which input of a page or of a run changed, with the old value and the new one."""

import difflib
import json
import tomllib
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from press.build.manifest import refresh
from press.build.state import ChangeDetector, State, load_state
from press.cache import Cache
from press.errors import InputError, nearest
from press.files import sha256_of
from press.options import Options

LINES = 24  # of a difference, at most


def why(options: Options, name: str) -> int:
    """Print why a page was made, or would be made, anew, or why a run counts as not recorded."""
    state = load_state(options)
    if state is None:
        raise InputError("nothing is known of a build with these folders; run: python build.py")
    url = _find(state, name)
    if url is None and (written := _exact(name, state.outputs)):
        print(f"{written} is written by every build, whatever changed.")
        return 0
    if url in (None, f"runs/{name}.html"):
        print(*_run(options, state, name), sep="\n")
    if url is not None:
        print(*_page(options, state, url), sep="\n")
    return 0


def _exact(name: str, outputs: Collection[str]) -> str | None:
    """The address among these that is `name`, or is but for its `.html`."""
    return next((url for url in (name, f"{name}.html") if url in outputs), None)


def _find(state: State, name: str) -> str | None:
    """The address of the page called `name`: by address, source, bare name, or run.

    A file of a page, such as its data, has that page's.
    """
    if url := _exact(name, state.outputs):
        return next((one for one, page in state.pages.items() if url in page.outputs), None)
    for url, page in state.pages.items():
        source = str(page.meta.get("source", ""))
        bare = url.removesuffix(".html")
        names = url, source, bare, bare.removeprefix("runs/"), Path(url).stem, Path(source).name
        if name in names:
            return url
    return None


def _page(options: Options, state: State, url: str) -> Iterator[str]:
    page = state.pages[url]
    changes = ChangeDetector(options, state)
    changed = changes.changed_of(page)
    if not changed and not changes.intact(page.outputs):
        yield f"{url} will be made anew, since it is not in '{options.out}' as it was written."
        return
    if changed:
        yield f"{url} will be made anew, since these changed:"
    else:
        inputs = f"none of its {len(page.inputs)} inputs changed since it was made"
        yield f"{url} is up to date: {inputs}."
        first = "It was first made by the build that is remembered."
        yield "It was last made anew since these had changed:" if page.changed else first
    for path, old, new in changed or page.changed:
        yield from _change(options, path, old, new)


def _change(options: Options, path: str, old: str, new: str) -> Iterator[str]:
    """One change: values where the form is known, else lines; an empty hash is of no file."""
    before, after = _text(options, path, old), _text(options, path, new)
    if not old or not new:
        yield f"  {path}: {'is no longer there' if old else 'was not there before'}"
    elif before is None or after is None:
        yield f"  {path}: {old[:12]} -> {new[:12]}"
    elif Path(path).is_relative_to(options.code):
        yield f"  {path}: the press itself, {len(_lines(before, after))} lines"
    else:
        yield f"  {path}:"
        rows = _values(path, before, after) or _lines(before, after)
        yield from (f"    {row}" for row in rows[:LINES])
        if len(rows) > LINES:
            yield f"    ... and {len(rows) - LINES} lines more"


def _text(options: Options, path: str, digest: str) -> str | None:
    """The text that had this hash, if it was kept or is still there."""
    with suppress(OSError, UnicodeDecodeError):
        data = Cache(options.cache).get("inputs", digest)
        if data is None and sha256_of(found := Path(path).read_bytes()) == digest:
            data = found
        return data.decode() if data is not None else None
    return None


def _values(path: str, before: str, after: str) -> list[str]:
    """Two files compared value by value; empty if they have no such form."""
    read = {".toml": tomllib.loads, ".json": json.loads}.get(Path(path).suffix)
    if read is None:
        return []
    try:
        old, new = dict(_leaves(read(before))), dict(_leaves(read(after)))
    except (ValueError, RecursionError):
        return []
    names = dict.fromkeys([*old, *new])
    both = {name: (old.get(name, "(none)"), new.get(name, "(none)")) for name in names}
    return [f"{name}: {was} -> {now}" for name, (was, now) in both.items() if was != now]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every single value of nested tables, as JSON, with its dotted name."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}" if name else key)
    else:
        yield name, _json(value)


def _lines(before: str, after: str) -> list[str]:
    rows = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return [row for row in rows if not row.startswith(("---", "+++"))]


def _run(options: Options, state: State, name: str) -> Iterator[str]:
    """Compare a run's record with what its suite asks for now."""
    from press.results.store import Results

    if "/" not in name or name.startswith("runs/") or name.endswith((".html", ".md")):
        sources = (str(page.meta.get("source", "")) for page in state.pages.values())
        known = [*state.pages, *sources]
        raise InputError(f"there is no page '{name}'{nearest(name, known)}")
    refresh(options, ChangeDetector(options, state))
    results = Results(options.results, options.content, options.parts)
    run = results.run(name)
    planned = run.planned
    if run.record:
        key = run.record.key
        yield f"{run.name} is recorded under the key {key}, and its settings are the same now."
    elif planned is None or planned.state == "missing":
        yield f"{run.name} is not recorded. To make it: {run.command}"
    else:
        yield f"{run.name}: the record in {run.folder} is not of the run that is asked for now:"
        why = planned.why or {}
        if "sentence" in why:
            yield f"    {why['sentence']}"
        for setting, (old, new) in why.get("changed", {}).items():
            yield f"    {setting}: {_json(old)} -> {_json(new)}"
