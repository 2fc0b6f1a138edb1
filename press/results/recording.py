"""Writing a record of format 2 from plain Python: checked, sealed, whole or not at all."""

import csv
import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, NamedTuple

from press.errors import InputError, sentence_of
from press.files import fresh_folder, sha256_of, sync_names, sync_tree
from press.results.environment import collect_environment, running_command
from press.results.record import CURVE, read_record, seal_of
from press.results.schema import INEXACT, is_exact, is_finite, mistakes

# These even if they say nothing.
KEPT = ("suite", "case", "seed", "method", "settings", "metrics", "environment")


def record(
    suite: str,
    case: str,
    *,
    metrics: Mapping[str, Any],
    seed: int = 0,
    method: str | None = None,
    settings: Mapping[str, Any] | None = None,
    curve: Mapping[str, Sequence[Any]] | None = None,
    steps: Mapping[str, int] | None = None,
    pictures: Mapping[str, Any] | None = None,
    measure: str = "",
    title: str = "",
    preview: bool = False,
    facts: Mapping[str, str] | None = None,
    environment: Mapping[str, Any] | None = None,
    command: str | None = None,
    seconds: float | None = None,
    results: str | Path = "results",
    replace: bool = False,
) -> Path:
    """Write the record of a run, or of the baseline `method`; the folder where it stands.

    `metrics` are numbers by name, or those of several outputs by selector: `{"accuracy": 97.2}`,
    `{"final": {"accuracy": 97.2}, "at.10": {"accuracy": 95.0}}`. `curve` has columns of one
    length, the first of which is the axis: `{"epoch": [1, 2], "accuracy": [91.0, 95.5]}`; None
    leaves a cell empty. `steps` tells on that axis where an output was taken; of the last output
    it is the curve's end if it is not given. `pictures` are files or PIL images by selector.
    `measure` is the metric that is meant where none is named, else the first. Of a `preview` no
    page compares a number with a source's. `environment` adds to what is collected, or corrects
    it; `command` is this program's command line if it is not given.

    Raises InputError, and writes nothing, for what docs/records.md does not allow, for what the
    system refuses, and where another record stands, unless `replace` moves that one to
    `superseded/`.
    """
    try:
        _require_tables(
            metrics=metrics, settings=settings, curve=curve, steps=steps, pictures=pictures,
            facts=facts, environment=environment,
        )  # fmt: skip
        if method and seed:
            raise InputError("a baseline is recorded once for all seeds: give 'seed' or 'method'")
        if not any(isinstance(value, Mapping) for value in metrics.values()):
            metrics = {"final": metrics}
        data = {
            "kind": "baseline" if method else "run", "suite": suite, "case": case, "title": title,
            "seed": seed, "method": method, "preview": preview, "settings": settings or {},
            "metrics": metrics, "measure": measure, "steps": steps, "facts": facts,
            "environment": {**collect_environment(), **(environment or {})},
            "command": running_command() if command is None else command,
            "started": _started(plain(seconds, "seconds")), "seconds": seconds,
        }  # fmt: skip
        return write(draft(Path(results), data, curve, pictures), replace)
    except InputError as error:  # told at the caller's line, not within the press
        raise error.with_traceback(None) from None
    except OSError as error:
        raise InputError(sentence_of(error)) from None
    except RecursionError:
        raise InputError("a value is nested too deeply, or holds itself") from None


def _require_tables(**arguments: Any) -> None:
    for name, value in arguments.items():
        if not isinstance(value, Mapping) and (value is not None or name == "metrics"):
            raise InputError(f"'{name}': expected a table, got a {type(value).__name__}")


def _started(seconds: Any) -> str:
    """When a run began that took so long, if that is known, and ends now."""
    seconds = 0 if seconds is None else seconds
    if not isinstance(seconds, int | float):
        raise InputError(f"'seconds': expected a number, got a {type(seconds).__name__}")
    try:
        return f"{datetime.now(UTC) - timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"
    except OverflowError:
        raise InputError(f"'seconds' is {seconds:g}, longer than any run can take") from None


class Draft(NamedTuple):
    """A record that was checked and is not written yet."""

    data: dict[str, Any]  # what its run.json says
    files: dict[str, bytes]  # the others, by name
    folder: Path  # where it belongs


def draft(
    results: Path,
    data: Mapping[str, Any],
    curve: Mapping[str, Sequence[Any]] | None,
    pictures: Mapping[str, Any] | None,
) -> Draft:
    """Check what a record is to say; raises InputError. Names without a value are left out."""
    given = {name: plain(value, name) for name, value in data.items()}
    given = {
        name: value
        for name, value in given.items()
        if value or name in KEPT or (name, value) == ("seconds", 0)
    }
    given |= {name: _whole(given[name]) for name in ("seed", "steps") if name in given}
    files = dict[str, bytes]()
    if curve:
        steps = given.get("steps", {})
        given["axis"], given["steps"], files[CURVE] = _curve(curve, data["kind"], steps)
    for selector, picture in (pictures or {}).items():
        name, content = _picture(selector, picture)
        given.setdefault("pictures", {})[str(selector)], files[name] = name, content
    hashes = {name: sha256_of(content) for name, content in sorted(files.items())}
    identity = [given.get(name) for name in ("suite", "case", "seed", "method", "settings")]
    key = sha256_of(json.dumps(identity, sort_keys=True).encode())[:16]
    whole = {"format": 2, **given, "files": hashes, "key": key}
    whole["seal"] = seal_of(whole)
    for sentence, _ in mistakes(whole):
        raise InputError(sentence)
    last = whole["method"] or f"seed{whole['seed']}"
    return Draft(whole, files, results.joinpath(whole["suite"], whole["case"], last))


def stands(draft: Draft) -> bool | None:
    """Whether this record stands at its place, whenever and at whatever commit it was made.

    None if nothing stands there.
    """
    if not draft.folder.exists():
        return None
    try:
        record = read_record(draft.folder)
        for name in record.files:
            record.file(name)
    except InputError:
        return False
    one, other = map(_without_commit, (record.data, draft.data))
    names = {*one, *other} - {"started", "seconds", "seal"}
    return all(one.get(name) == other.get(name) for name in names)


def _without_commit(data: Mapping[str, Any]) -> dict[str, Any]:
    environment = data.get("environment", {}).items()
    return {**data, "environment": {name: text for name, text in environment if name != "commit"}}


def write(draft: Draft, replace: bool) -> Path:
    """Write a record to its place, whole or not at all; see `record`."""
    folder, is_same = draft.folder, stands(draft)
    if is_same:
        return folder
    if is_same is False and not replace:
        raise InputError("another record stands here; replace=True moves it aside", folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with fresh_folder(folder.parent) as fresh:
        text = json.dumps(draft.data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        for name, content in {**draft.files, "run.json": text.encode()}.items():
            path = fresh / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        sync_tree(fresh)
        _put_in_place(fresh, folder)
    return folder


def plain(value: Any, name: str) -> Any:
    """A value as JSON has it, arrays and their numbers too; InputError names what it cannot be."""
    if hasattr(value, "tolist"):  # of numpy, torch and their like
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain(part, f"{name}.{key}") for key, part in value.items()}
    if isinstance(value, list | tuple | range):
        return [plain(part, f"{name}[{place}]") for place, part in enumerate(value)]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, int | float) and not is_finite(value):
        said = value if isinstance(value, float) else "too large a number"
        raise InputError(f"'{name}' is {said}; write None for what was not measured")
    if value is None or isinstance(value, str | int | float):
        return value
    kind = type(value).__name__
    raise InputError(f"'{name}': expected a number, a text, a list or a table, got a {kind}")


def _whole(value: Any) -> Any:
    """A whole number that is written as a float, as pandas has them, as an integer; or a table."""
    if isinstance(value, dict):
        return {name: _whole(part) for name, part in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _curve(
    curve: Mapping[str, Sequence[Any]], kind: str, steps: Mapping[str, int]
) -> tuple[str, dict[str, int], bytes]:
    """The curve's axis, the steps of the outputs with that of the last one, and the CSV."""
    columns = plain(curve, "curve")
    axis, first = next(iter(columns.items()))
    for name, values in columns.items():
        if not isinstance(values, list) or len(values) != len(first) or not values:
            raise InputError(f"'curve.{name}': expected a list of numbers as long as '{axis}'")
        if not name.isidentifier():
            raise InputError(f"'curve' has the column '{name}': expected letters, digits and _")
        if any(isinstance(v, bool) or not isinstance(v, int | float | None) for v in values):
            raise InputError(f"'curve.{name}' holds what is neither a number nor None")
        if inexact := [v for v in values if v is not None and not is_exact(v)]:
            raise InputError(f"'curve.{name}' holds {inexact[0]}, {INEXACT}")
    if None in first or sorted(set(first)) != first:
        raise InputError(f"'curve.{axis}' does not rise from one point to the next")
    stream = StringIO()
    csv.writer(stream, lineterminator="\n").writerows(
        [columns, *zip(*columns.values(), strict=True)]
    )
    last = {"final": int(first[-1])} if kind == "run" and first[-1] % 1 == 0 else {}
    return axis, {**last, **steps}, stream.getvalue().encode()


def _picture(selector: str, picture: Any) -> tuple[str, bytes]:
    """The name and content of a picture's file: as it is, or a PIL image as PNG."""
    from PIL import Image

    if hasattr(picture, "save"):
        stream = BytesIO()
        picture.save(stream, "PNG")
        return f"pictures/{selector}.png", stream.getvalue()
    try:
        path = Path(picture)
        with Image.open(path) as image:
            image.verify()
        return f"pictures/{selector}{path.suffix.lower()}", path.read_bytes()
    except (TypeError, ValueError, OSError, SyntaxError) as error:
        sentence = f"the picture of '{selector}' is neither a picture's file nor a PIL image"
        raise InputError(f"{sentence}: {error}") from None


def _put_in_place(fresh: Path, folder: Path) -> None:
    """Rename a finished folder to `folder`; what stood there moves to `superseded/KEY/` first."""
    aside = None
    if folder.exists():
        try:
            key = read_record(folder).key
        except InputError:
            key = "damaged"
        place = folder.parents[2] / "superseded" / key
        place.mkdir(parents=True, exist_ok=True)
        name = "-".join(folder.parts[-3:])
        aside = place / f"{name}-{os.urandom(4).hex()}" / folder.name
        aside.parent.mkdir()
        os.replace(folder, aside)
    try:
        os.replace(fresh, folder)
    except BaseException:  # an interrupt too
        if aside:
            os.replace(aside, folder)
        raise
    for parent in folder.parents[:3]:  # each may be new
        sync_names(parent)
