"""Settings in words, each with its source and reason, read from `content/choices.toml`."""

from dip.errors import nearest
from dip.experiments.experiment import RETIRED, Experiment
from dip.toml_file import TomlFile

# Where a setting comes from, and how a reader is told.
ORIGINS = {
    "paper": "the paper", "supplement": "the supplement", "reproduction": "a reproduction",
    "measured": "the published images", "ours": "ours",
}  # fmt: skip
CHOICE_KEYS = dict.fromkeys(("name", "origin", "why", "shown"), "text")


def choices_of(file: TomlFile, experiment: Experiment, suite: str) -> list[dict[str, str]]:
    """Each setting of content/choices.toml as `experiment` has it, in the file's order.

    A table is named for a setting of dip/experiments/experiment.py, a retired one too; a further
    table `[<suite>.<setting>]` says what is different in one suite. Raises InputError with its
    place for an unknown setting, key or origin.
    """
    known = {**RETIRED, **experiment.to_dict()}
    rows = []
    file.expect(dict.fromkeys(file.data, "a table"), file.data, None)
    of_suite = file.data.get(suite, {})
    for setting, table in file.data.items():
        if not isinstance(of_suite.get(setting, {}), dict):
            file.expect(dict.fromkeys(of_suite, "a table"), of_suite, suite)
        if setting not in known:
            if all(isinstance(inner, dict) for inner in table.values()):
                continue  # what is different in one suite
            file.fail(f"unknown setting '{setting}'{nearest(setting, known)}", setting)
        chosen = {**table, **of_suite.get(setting, {})}
        file.expect(CHOICE_KEYS, chosen, setting)
        if chosen.get("origin") not in ORIGINS:
            near = nearest(str(chosen.get("origin")), ORIGINS)
            file.fail(f"the origin is not one of {', '.join(ORIGINS)}{near}", setting, "origin")
        value, origin = in_words(known[setting], chosen.get("shown", "{}")), chosen["origin"]
        row = {"setting": setting, "name": chosen.get("name", setting), "value": value}
        rows.append(
            {**row, "origin": origin, "source": ORIGINS[origin], "why": chosen.get("why", "")}
        )
    return rows


def in_words(value: object, form: str = "{}") -> str:
    """A setting's value as a page shows it, in a form such as "{} iterations"."""
    if value is None or isinstance(value, bool):
        words = {None: "none", True: "yes", False: "no"}[value]
    elif isinstance(value, float):
        words = _fraction(value)
    elif isinstance(value, list | tuple):
        same = len(set(value)) == 1
        words = f"{value[0]} at each of {len(value)} scales" if same else ", ".join(map(str, value))
    else:
        words = f"{value:,}" if isinstance(value, int) else str(value)
    return form.replace("{}", words)


def _fraction(value: float) -> str:
    """1/30 for what is one over an integer below 100, else decimals."""
    below = round(1 / value) if 0.01 < value < 0.1 else 0
    return f"1/{below}" if below and abs(1 / value - below) < 1e-9 else f"{value:g}"
