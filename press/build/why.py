"""Says which input of a page or of a run changed, with the old value and the new one."""

import difflib
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from press.build.manifest import parts_folder, refresh
from press.build.state import ChangeDetector, PageState, State, is_unchanged, load_state, signature
from press.cache import Cache
from press.errors import InputError, nearest
from press.options import Options

LINES = 24  # of a difference, at most
ABSENT = ""


def why(options: Options, name: str) -> int:
    """Print why a page was made, or would be made, anew, or why a run counts as not recorded."""
    state = load_state(options)
    if state is None:
        raise InputError("nothing is known of a build with these folders; run: python build.py")
    url = _find(state, name)
    lines: list[str] = []
    if url is None or url == f"runs/{name}.html":
        lines += _run(options, state, name)
    if url is not None:
        lines += _page(options, state, url)
    print("\n".join(lines))
    return 0


def _find(state: State, name: str) -> str | None:
    """Give the address of the page called `name`: by address, source, or bare name."""
    for url, page in state.pages.items():
        source = str(page.meta.get("source", ""))
        if name in (url, source, url.removesuffix(".html"), Path(url).stem, Path(source).name):
            return url
        if url == f"runs/{name}.html":
            return url
    return None


def _page(options: Options, state: State, url: str) -> Iterator[str]:
    page = state.pages[url]
    stale = [
        [path, state.signatures[path][2], signature(path)[2]]
        for path in dict.fromkeys([*state.global_inputs, *page.inputs])
        if not is_unchanged(path, state.signatures[path], state.saved_ns)
    ]
    if stale:
        yield f"{url} will be made anew, since these changed:"
        for row in stale:
            yield from _change(options, *row)
        return
    yield f"{url} is up to date: none of its {len(page.inputs)} inputs changed since it was made."
    yield from _last_time(options, page)


def _last_time(options: Options, page: PageState) -> Iterator[str]:
    if not page.changed:
        yield "It was first made by the build that is remembered."
        return
    yield "It was last made anew since these had changed:"
    for path, old, new in page.changed:
        yield from _change(options, path, old, new)


def _change(options: Options, path: str, old: str, new: str) -> Iterator[str]:
    """Tell one change: values where the form is known, else lines."""
    before, after = _text(options, path, old), _text(options, path, new)
    if old == ABSENT or new == ABSENT:
        yield f"  {path}: {'was not there before' if old == ABSENT else 'is no longer there'}"
        return
    if before is None or after is None:
        yield f"  {path}: {old[:12]} -> {new[:12]}"
        return
    if Path(path).is_relative_to(options.code):
        yield f"  {path}: the press itself, {len(_lines(before, after))} lines"
        return
    yield f"  {path}:"
    rows = list(_values(path, before, after) or _lines(before, after))
    yield from (f"    {row}" for row in rows[:LINES])
    if len(rows) > LINES:
        yield f"    ... and {len(rows) - LINES} lines more"


def _text(options: Options, path: str, digest: str) -> str | None:
    """Give the text that had this hash, if it was kept or is still there."""
    data = Cache(options.cache).get("inputs", digest)
    if data is None and digest and signature(path)[2] == digest and Path(path).is_file():
        data = Path(path).read_bytes()
    try:
        return data.decode() if data is not None else None
    except UnicodeDecodeError:
        return None


def _values(path: str, before: str, after: str) -> list[str]:
    """Compare two files value by value; empty if they have no such form."""
    read = {".toml": tomllib.loads, ".json": json.loads}.get(Path(path).suffix)
    if read is None:
        return []
    try:
        old, new = dict(leaves(read(before))), dict(leaves(read(after)))
    except ValueError:
        return []
    return [
        f"{name}: {_shown(old, name)} -> {_shown(new, name)}"
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    ]


def _shown(values: dict[str, Any], name: str) -> str:
    return _json(values[name]) if name in values else "(none)"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Give every single value of nested tables with its dotted name."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, f"{name}.{key}" if name else key)
    else:
        yield name, value


def _lines(before: str, after: str) -> list[str]:
    rows = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return [row for row in rows if not row.startswith(("---", "+++"))]


def _run(options: Options, state: State, name: str) -> Iterator[str]:
    """Compare a run's record with what its suite asks for now."""
    from press.results.store import Results

    known = [*state.pages, *(str(page.meta.get("source", "")) for page in state.pages.values())]
    if "/" not in name:
        raise InputError(f"there is no page '{name}'{nearest(name, known)}")
    refresh(options, ChangeDetector(options, state))
    results = Results(options.results, options.content, parts_folder(options), lambda path: None)
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
