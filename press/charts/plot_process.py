"""The child process that draws authors' plots: reads requests, a JSON in each line, and answers.

Only it, and `plot_svg.py` for it, load matplotlib. What a script prints goes to stderr.
"""

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from hashlib import sha256
from itertools import cycle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cycler import cycler
from matplotlib import collections, colors, pyplot, rcdefaults, rcParams
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator

from press.charts.plot_svg import svg_of
from press.errors import InputError, innermost, mistakes_of
from press.files import text_of
from press.results.claims import Claim, Claims
from press.results.expressions import namespace
from press.results.store import Results

THEME: dict[Any, Any] = {
    "svg.fonttype": "none", "font.size": 10.5, "figure.figsize": (4.6, 2.9), "figure.dpi": 72,
    "figure.constrained_layout.use": True, "figure.facecolor": "none", "axes.facecolor": "none",
    "savefig.facecolor": "none", "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "axes.grid.axis": "y", "axes.axisbelow": True, "axes.linewidth": 0.8,
    "axes.titlesize": "medium", "axes.titlelocation": "left", "axes.labelsize": "medium",
    "grid.linewidth": 0.8, "lines.linewidth": 1.4, "lines.markersize": 4,
    "legend.framealpha": 1, "legend.fancybox": False, "legend.fontsize": "medium",
    "path.simplify_threshold": 0.6,
}  # fmt: skip
INKS: dict[str, tuple[Any, ...]] = {  # what is drawn in which of the page's colours
    "ink": ("text.color", "axes.titlecolor"),
    "soft": ("axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"),
    "hair": ("grid.color",),
    "paper": ("legend.facecolor", "legend.edgecolor"),  # lines do not run through its words
}
# Of the theme's series, as in its charts; after the last they begin again with dashes and dots.
STYLES: tuple[Any, ...] = ("-", "-", (0, (3, 2)), (0, (6, 2)), (0, (1, 2)))
AGAIN = (0, (8, 2, 1, 2))


class ClaimNumbers(Mapping[str, Claim]):
    """The numbers of `claims.toml` by their ids; an unknown id raises InputError."""

    def __init__(self, claims: Claims) -> None:
        """Nothing is read yet but the file."""
        self._claims = claims
        self.sources: dict[str, None] = {}  # of the numbers that were asked for

    def __getitem__(self, id: str) -> Claim:
        claim = self._claims.claim(id)
        self.sources[claim.row.source] = None
        return claim

    def __iter__(self) -> Iterator[str]:
        rows = (row for table in self._claims.tables.values() for row in table.rows.values())
        return (claim.id for row in rows for claim in row.numbers.values())

    def __len__(self) -> int:
        return sum(1 for _ in self)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """What a script draws, as SVG and as rows of data, or the error; and every file it read."""
    inputs: dict[str, None] = {}

    def note(path: Path) -> None:
        inputs[str(path)] = None

    script = Path(request["script"])
    results, content, parts = (Path(request[name]) for name in ("results", "content", "parts"))
    found = Results(results, content, parts, note)
    drawn: dict[str, Any] = {}
    try:
        rcdefaults()  # whatever a matplotlibrc or the script before says
        variables = _use_theme(request["colours"], request["name"])
        claims = ClaimNumbers(Claims(found))
        figure = _figure(script, found, claims)
        if figure is not None:
            with mistakes_of(script):
                svg = svg_of(figure, variables, request["name"])
                drawn = {"svg": svg, "rows": [*rows(figure)], "sources": [*claims.sources]}
                drawn["panels"] = len(figure.axes)
    except InputError as error:
        if error.path is None:
            error = InputError(error.sentence, *(innermost(error, script) or (script, 1)), 1)
        drawn["error"] = [error.sentence, str(error.path), error.line, error.column]
    pyplot.close("all")
    asked = [[run.name, *what] for run in found.asked for what in run.asked]
    return {**drawn, "inputs": list(inputs), "asked": asked}


def _figure(script: Path, found: Results, claims: ClaimNumbers) -> Figure | None:
    """The figure that a script draws; None where it draws none."""
    names = namespace(found)
    records = SimpleNamespace(run=names["run"], suite=names["suite"])
    module: dict[str, Any] = {"__name__": script.stem, "__file__": str(script)}
    with mistakes_of(script):
        exec(compile(text_of(script), str(script), "exec"), module)  # noqa: S102  the site's own
        if not callable(module.get("draw")):
            raise InputError("this script defines no function draw(records, claims)", script, 1, 1)
        figure = module["draw"](records, claims)
    if not isinstance(figure, Figure | None):
        kind = type(figure).__name__
        raise InputError(f"draw returned a {kind} instead of a matplotlib figure", script, 1, 1)
    return figure


def _use_theme(names: list[str], salt: str) -> dict[str, str]:
    """Set the page's theme; what stands in the SVG for each of the page's colours.

    A colour of the page is drawn as one that nobody would choose, by which it is found again.
    """
    stands_for = {name: f"#{sha256(name.encode()).hexdigest()[:6]}" for name in names}
    colors.get_named_colors_mapping().update(stands_for)
    rcParams.update({**THEME, "svg.hashsalt": salt})
    for name, settings in INKS.items():
        colour = stands_for.get(name, "#808080")
        rcParams.update(dict.fromkeys(settings, colour))
    series = sorted(name for name in names if name.startswith("series-"))
    if series:
        styles = [style for _, style in zip(series, cycle(STYLES), strict=False)]
        styles += [AGAIN] * len(series)
        rcParams["axes.prop_cycle"] = cycler(color=series * 2, linestyle=styles)
    return {colour: f"var(--{name})" for name, colour in stands_for.items()}


def rows(figure: Figure) -> Iterator[list[str | float]]:
    """The numbers that a figure shows: panel, series, x and y of each point, as they were drawn."""
    axes = [*figure.axes]
    labels = ({one.get_xlabel() for one in axes}, {one.get_ylabel() for one in axes})
    heads = [found - {""} for found in labels]
    x_head, y_head = (f.pop() if len(f) == 1 else word for f, word in zip(heads, "xy", strict=True))
    yield ["panel", "series", x_head, y_head]
    for number, one in enumerate(axes, 1):
        panel = one.get_title(loc="left") or one.get_title() or str(number)
        names_x, names_y = _named(one.xaxis), _named(one.yaxis)
        for order, (artist, points) in enumerate(_drawn(one), 1):
            label = str(artist.get_label())
            series = str(order) if label.startswith("_") else label
            for x, y in ((float(x), float(y)) for x, y in points):
                yield [panel, series, names_x.get(x, _short(x)), names_y.get(y, _short(y))]


def _short(value: float) -> float:
    """A number as data have it: a whole one without a point, others with six digits."""
    value = value if value.is_integer() else float(f"{value:.6g}")
    return int(value) if value.is_integer() else value


def _named(axis: Axis) -> dict[float, str]:
    """The ticks of an axis that have words of the script's own: "House" at 3."""
    labels = [label.get_text() for label in axis.get_ticklabels()]
    if not isinstance(axis.get_major_locator(), FixedLocator):
        return {}
    ticks = zip(map(float, axis.get_ticklocs()), labels, strict=True)
    return {place: label for place, label in ticks if re.search(r"[^\W\d_]{2}", label)}


def _drawn(axes: Any) -> Iterator[tuple[Any, Any]]:
    """Every line, bar and set of dots that is drawn at values of the axes, and its points."""
    for line in axes.lines:
        if line.get_transform() == axes.transData:  # not one from edge to edge
            yield line, line.get_xydata()
    for drawn in axes.collections:
        if isinstance(drawn, collections.PathCollection):
            yield drawn, drawn.get_offsets()
        elif isinstance(drawn, collections.LineCollection):
            yield from ((drawn, points) for points in drawn.get_segments())
    for bar in axes.patches:
        if isinstance(bar, Rectangle):  # its lower left and its upper right corner
            yield bar, bar.get_bbox().get_points()


def main() -> None:
    """Answer requests until there are no more."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a script, or a library in C, prints is no answer
    sys.stdout = sys.stderr
    print("ready", file=answers, flush=True)
    try:
        for line in sys.stdin:
            print(json.dumps(answer(json.loads(line))), file=answers, flush=True)
    except KeyboardInterrupt:  # meant for the build, which ends
        sys.exit(130)


if __name__ == "__main__":
    main()
