"""What is wrong with a `run.json`, as a sentence with its place: its JSON schema, and its sense.

The library that reads the schema is loaded when the first record is read.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from press.errors import nearest
from press.files import FORBIDDEN

if TYPE_CHECKING:
    from fastjsonschema import JsonSchemaValueException

SCHEMA = Path(__file__).with_name("record.schema.json")


def mistakes(general: dict[str, Any], text: str = "") -> Iterator[tuple[str, int | None]]:
    """What is wrong with a record in format 2, each a sentence and a line of the file's `text`.

    Of what does not fit the schema, only the first.
    """
    from fastjsonschema import JsonSchemaValueException

    try:
        _checker()(general)
    except JsonSchemaValueException as error:
        sentence, names = _sentence(error)
        yield sentence, _line_of(names, text)
        return
    for sentence, *names in _contradictions(general):
        yield sentence, _line_of(names, text)


def is_finite(number: float) -> bool:
    """Whether a float can hold a number, as everything that reads it does."""
    return abs(number) <= sys.float_info.max


INEXACT = "an integer above 2^53 that no float holds exactly"


def is_exact(number: float) -> bool:
    """Whether a float holds a finite number to its last digit: not every integer above 2^53."""
    return float(number) == number


@cache
def _checker() -> Callable[[dict[str, Any]], object]:
    import fastjsonschema

    def with_definition(node: dict[str, Any]) -> dict[str, Any]:
        reference = node.get("$ref", "").removeprefix("#/definitions/")
        return definitions[reference] if reference else node

    # A definition in its place is checked four times as fast as one that is referred to.
    definitions = json.loads(SCHEMA.read_bytes())["definitions"]
    schema = json.loads(SCHEMA.read_bytes(), object_hook=with_definition)
    return fastjsonschema.compile(schema, use_default=False)


def _sentence(error: "JsonSchemaValueException") -> tuple[str, list[str]]:
    """What is wrong, in the words of the schema's own descriptions where it has them, and where."""
    names = [str(part) for part in error.path[1:]]
    what, rule = f"'{'.'.join(names)}'", error.definition
    if error.rule == "required":
        lacked = next(name for name in rule["required"] if name not in error.value)
        return f"{what if names else 'it'} lacks '{lacked}'", names
    if error.rule == "additionalProperties":
        known = rule["properties"]
        unknown = next(name for name in error.value if name not in known)
        return f"unknown '{unknown}'{nearest(unknown, known)}", [*names, unknown]
    if error.rule == "propertyNames":
        allowed = rule["propertyNames"]
        wrong = next(name for name in error.value if not re.search(allowed["pattern"], name))
        sentence = f"{what} has the name '{wrong}', which is not {allowed['description']}"
        return sentence, [*names, wrong]
    if "description" in rule:
        return f"{what} is {error.value!r}, which is not {rule['description']}", names
    return f"{what} {error.message.removeprefix(str(error.name)).strip()}", names


def _line_of(names: list[str], text: str) -> int | None:
    """The line of the value under these names, one within the other, as far as it is found."""
    place = 0
    for name in names:
        if (found := text.find(f'"{name}"', place)) < 0:
            break
        place = found
    return text.count("\n", 0, place) + 1 if place else None


def _contradictions(general: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """What the schema cannot tell, each a sentence and the names under which it stands."""
    files, metrics = general["files"], general["metrics"]
    for name, value in general.items() if _unfit(general) else ():
        if unfit := _unfit(value):
            yield f"'{name}' holds {unfit}, which no page can show", name
    if general["suite"] == "superseded":
        yield "'superseded' is where records go that gave way: name the suite otherwise", "suite"
    if started := general.get("started"):
        try:
            datetime.strptime(started, "%Y-%m-%dT%H:%M:%SZ")
        except ValueError:
            yield f"'started' is {started}, which no calendar and clock shows", "started"
    if (general["kind"] == "run") != (general["method"] is None):
        yield "a baseline or a mean has a 'method', and a run has none", "method"
    for output, scores in metrics.items():  # else a page would write other last digits
        for name, number in scores.items():
            if isinstance(number, int) and not is_exact(number):
                yield f"'metrics.{output}.{name}' is {number}, {INEXACT}", "metrics", output, name
    if not metrics["final"]:
        yield "'metrics.final' has no number", "metrics", "final"
    if (measure := general.get("measure")) and measure not in metrics["final"]:
        yield f"its measure '{measure}' is not under 'metrics.final'", "measure"
    if "curve.csv" in files and not general.get("axis"):
        yield "it has a curve.csv, and 'axis' does not name its first column", "files", "curve.csv"
    for selector in general.get("steps", {}).keys() - metrics.keys():
        yield f"'steps' names the output '{selector}', which has no metrics", "steps", selector
    for selector, file in general.get("pictures", {}).items():
        if file not in files:
            yield f"the picture '{file}' of '{selector}' is not under 'files'", "pictures", selector


def _unfit(value: Any) -> str:
    """What of a value, at any depth, no page can show; "" if there is no such thing."""
    parts, texts = [value], list[str]()
    for part in parts:  # it grows by what is within
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict):
            parts += [*part, *part.values()]
        elif isinstance(part, list):
            parts += part
        elif isinstance(part, int) and not is_finite(part):
            return "a number that is too large"
    found = FORBIDDEN.search("\n".join(texts))
    return f"the character U+{ord(found[0]):04X}" if found else ""
