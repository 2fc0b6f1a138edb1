"""How it was done: a suite's settings, with the source of each."""

from press.blocks.declaration import SUITE, Argument, Call, Figure, block
from press.errors import InputError
from press.results.suite import SuiteView


@block(
    "settings",
    "every setting with its source, from `content/choices.toml`",
    Argument("suite", SUITE, "whose settings are shown", required=True),
    numbered="table",
    example='suite="inpainting" id="tab-settings"',
)
def settings(call: Call, suite: SuiteView) -> Figure:
    """A suite's settings, each with its source, and why."""
    if suite.suite.settings is None:
        raise InputError(f"the manifest states no settings of suite '{suite.name}'")
    return Figure(call.page.render("blocks/settings.html", rows=suite.suite.settings))
