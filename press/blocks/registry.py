"""The blocks of a post about runs, `::: name key="value"`, by name.

A block is a function of its call and the page; it raises InputError for a bad argument, with the
argument's place where it has one.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from markupsafe import Markup

from press.blocks.comparison import compare
from press.blocks.images import curve, film_strip, plain_figure, scrubber
from press.blocks.method import network, settings
from press.blocks.suites import loss_curves, stops_table, suites_table
from press.blocks.tables import (
    baselines_table,
    claims_table,
    preview_table,
    results_table,
    verdict_strip,
)

if TYPE_CHECKING:
    from press.page import Directive, PageContext

Block = Callable[["Directive", "PageContext"], Markup]

BLOCKS: dict[str, Block] = {
    "verdict-strip": verdict_strip,
    "results-table": results_table,
    "preview-table": preview_table,
    "baselines-table": baselines_table,
    "claims-table": claims_table,
    "stops-table": stops_table,
    "suites-table": suites_table,
    "loss-curves": loss_curves,
    "film-strip": film_strip,
    "scrubber": scrubber,
    "compare": compare,
    "curve": curve,
    "figure": plain_figure,
    "network": network,
    "settings": settings,
}
