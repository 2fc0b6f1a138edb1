"""How it was done: a suite's settings, with the source of each."""

from typing import Any

from dip.experiments.experiment import RETIRED, Experiment
from press.blocks.declaration import SUITE, Argument, Call, Figure, block
from press.errors import nearest
from press.results.numbers import grouped, listed
from press.results.suite import SuiteView
from press.toml_file import TomlFile, toml_file

ORIGINS = {
    "paper": "the paper",
    "supplement": "the supplement",
    "reproduction": "a reproduction",
    "measured": "the published images",
    "ours": "ours",
}
CHOICE_KEYS = ("name", "origin", "why", "shown")


@block(
    "settings",
    "every setting with its source, from `content/choices.toml`",
    Argument("suite", SUITE, "whose settings are shown", required=True),
    numbered="table",
    example='suite="inpainting" id="tab-settings"',
)
def settings(call: Call, suite: SuiteView) -> Figure:
    """A suite's settings, each with its source, and why."""
    path = call.page.content_dir / "choices.toml"
    call.page.note(path)
    rows = choices(toml_file(path), suite.suite.experiments[0], suite.name)
    return Figure(call.page.render("blocks/settings.html", rows=rows))


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
    """A setting's value as the page shows it, in a form such as "{} iterations"."""
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
    """A float as a person would write it: 1/30 where decimals do not end, else 0.05."""
    decimals, whole = f"{value:g}", round(1 / value) if value else 0
    if whole and float(decimals) != value and abs(value * whole - 1) < 1e-9:
        return f"1/{whole}"
    return decimals
