"""Blocks that tell how it was done: the settings with who they come from, and the network."""

import json
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from press.blocks.arguments import check_arguments, figure, suite_of
from press.blocks.network_drawing import draw
from press.errors import InputError
from press.files import text_of
from press.results.numbers import decimal, grouped

if TYPE_CHECKING:
    from press.page import Directive, PageContext

WRITES_IT = "`python -m dip describe --json` writes it"


def settings(call: "Directive", context: "PageContext") -> Markup:
    """Print a suite's settings, each with who it comes from and why."""
    check_arguments(call, "id", "width", needed=("suite",))
    view = suite_of(call, context)
    if view.suite.settings is None:
        raise InputError(f"the manifest states no settings of suite '{view.name}'")
    content = context.render("blocks/settings.html", rows=view.suite.settings)
    return figure(call, context, content, kind="table")


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
