"""Blocks that tell how it was done: the settings with who they come from, and the network."""

import json
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from dip.experiments.experiment import RETIRED, Experiment
from press.blocks.arguments import check_arguments, figure, suite_of
from press.blocks.network_drawing import draw
from press.errors import InputError, nearest
from press.files import text_of
from press.results.numbers import decimal, grouped, listed
from press.toml_file import TomlFile, toml_file

if TYPE_CHECKING:
    from press.page import Directive, PageContext

ORIGINS = {
    "paper": "the paper",
    "supplement": "the supplement",
    "reproduction": "a reproduction",
    "measured": "the published images",
    "ours": "ours",
}
WRITES_IT = "`python -m dip describe --json` writes it"
CHOICE_KEYS = ("name", "origin", "why", "shown")


def settings(call: "Directive", context: "PageContext") -> Markup:
    """Print a suite's settings, each with who it comes from and why."""
    check_arguments(call, "id", "width", needed=("suite",))
    view = suite_of(call, context)
    path = context.content_dir / "choices.toml"
    context.note(path)
    rows = choices(toml_file(path), view.suite.experiments[0], view.name)
    content = context.render("blocks/settings.html", rows=rows)
    return figure(call, context, content, kind="table")


def choices(file: TomlFile, experiment: Experiment, suite: str) -> list[dict[str, str]]:
    """Join content/choices.toml with the values of an experiment, in the file's order.

    A table is named for a setting of dip/experiments/experiment.py, a retired one too; a further
    table `[<suite>.<setting>]` says what is different in one suite. Raises InputError
    for an unknown setting or origin.
    """
    known = {**RETIRED, **experiment.to_dict()}
    rows = []
    of_suite = file.data.get(suite, {})
    for setting, table in file.data.items():
        file.expect({setting: "table"}, file.data, None)
        if setting not in known:
            if all(isinstance(inner, dict) for inner in table.values()):
                continue  # what is different in one suite
            file.fail(f"unknown setting '{setting}'{nearest(setting, known)}", setting)
        file.expect({setting: "table"}, of_suite, suite)
        chosen = {**table, **of_suite.get(setting, {})}
        _check(file, setting, chosen)
        rows.append(
            {
                "setting": setting,
                "name": chosen.get("name", setting),
                "value": shown(known[setting], chosen.get("shown", "{}")),
                "origin": chosen["origin"],
                "from": ORIGINS[chosen["origin"]],
                "why": chosen.get("why", ""),
            }
        )
    return rows


def _check(file: TomlFile, setting: str, chosen: dict[str, Any]) -> None:
    for key in chosen:
        if key not in CHOICE_KEYS:
            file.fail(f"unknown key '{key}'{nearest(key, CHOICE_KEYS)}", setting, key)
    file.expect(dict.fromkeys(CHOICE_KEYS, "text"), chosen, setting)
    if chosen.get("origin") not in ORIGINS:
        words = listed(list(ORIGINS), "or")
        near = nearest(str(chosen.get("origin")), ORIGINS)
        file.fail(f"the origin is not {words}{near}", setting, "origin")


def shown(value: object, form: str = "{}") -> str:
    """Write a setting's value as the page shows it, in a form such as "{} iterations"."""
    if isinstance(value, bool):
        words = "yes" if value else "no"
    elif isinstance(value, float):
        words = fraction(value)
    elif isinstance(value, list | tuple):
        same = len(set(value)) == 1
        words = f"{value[0]} at each of {len(value)} scales" if same else ", ".join(map(str, value))
    else:
        words = (
            grouped(value) if isinstance(value, int) else str("none" if value is None else value)
        )
    return form.replace("{}", words)


def fraction(value: float) -> str:
    """Write a float as a person would: 1/30 for what is one over a whole number, else decimals."""
    if 0 < value < 0.1 and abs(1 / value - round(1 / value)) < 1e-9 and round(1 / value) % 10:
        return f"1/{round(1 / value)}"
    if 1 / 30 - 1e-12 < value < 1 / 30 + 1e-12:
        return "1/30"
    if 1 / 20 - 1e-12 < value < 1 / 20 + 1e-12:
        return "1/20"
    return f"{value:g}"


def network(call: "Directive", context: "PageContext") -> Markup:
    """Draw the network from content/network.json, the output of `python -m dip describe --json`."""
    check_arguments(call, "id", "width")
    path = context.content_dir / "network.json"
    context.note(path)
    if not path.exists():
        raise InputError(f"no such file; {WRITES_IT}", path)
    try:
        drawing, note = _drawn(json.loads(text_of(path)))
    except json.JSONDecodeError as error:
        raise InputError(f"not valid JSON: {error.msg}", path, error.lineno, error.colno) from None
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        raise InputError(f"this describes no network; {WRITES_IT}", path, 1, 1) from None
    return figure(call, context, drawing, note=note, width="text")


def _drawn(described: dict[str, Any]) -> tuple[Markup, str]:
    """Draw a network, and say how large it is."""
    billion = decimal(described["multiply_adds"] / 1e9, 1)
    note = (
        f"{grouped(described['parameters'])} parameters; {billion} billion "
        f"multiply-adds for a picture of {described['height']}×{described['width']} pixels."
    )
    return draw(described), note
