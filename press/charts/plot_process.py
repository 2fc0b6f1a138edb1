"""The child process that draws authors' plots: reads requests, a JSON in each line, and answers.

Only it, and `plot_svg.py` for it, load matplotlib. What a script prints goes to stderr.
"""

import json
import math
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir
from hashlib import sha256
from itertools import cycle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy
from cycler import cycler
from matplotlib import collections, colors, dates, pyplot, rcdefaults, rcParams
from matplotlib.axis import Axis
from matplotlib.category import StrCategoryLocator
from matplotlib.container import BarContainer
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
    "ink": ("text.color", "axes.titlecolor", "hatch.color"),
    "soft": ("axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"),
    "hair": ("grid.color",),
    "paper": ("legend.facecolor", "legend.edgecolor"),  # lines do not run through its words
}
# Of the theme's series, as in its charts; after the last they begin again with dashes and dots.
STYLES: tuple[Any, ...] = ("-", "-", (0, (3, 2)), (0, (6, 2)), (0, (1, 2)))
AGAIN = (0, (8, 2, 1, 2))
WORDS = re.compile(r"(?!.*\\mathdefault)(.*[^\W\d_]{2}|[^\W\d_])")  # no number of matplotlib's
FORMULA = re.compile(r"ValueError: \n(.+)\n *\^\n.*\(line:1, col:(\d+)\)", re.DOTALL)


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
                svg = _saved(figure, variables, request["name"], script)
                drawn = {"svg": svg, "rows": rows(figure), "sources": [*claims.sources]}
                drawn["panels"] = len(figure.axes)
    except InputError as error:
        drawn["error"] = _told(error, script)
    pyplot.close("all")
    asked = [[run.name, *what] for run in found.asked for what in run.asked]
    return {**drawn, "inputs": list(inputs), "asked": asked}


def _figure(script: Path, found: Results, claims: ClaimNumbers) -> Figure | None:
    """The figure that a script draws; None where it draws none."""
    names = namespace(found)
    records = SimpleNamespace(run=names["run"], suite=names["suite"])
    module: dict[str, Any] = {"__name__": script.stem, "__file__": str(script)}
    with mistakes_of(script), chdir("."):  # back from wherever the script goes
        exec(compile(text_of(script), str(script), "exec"), module)  # noqa: S102  the site's own
        if not callable(module.get("draw")):
            raise InputError("this script defines no function draw(records, claims)", script, 1, 1)
        figure = module["draw"](records, claims)
    if not isinstance(figure, Figure | None):
        kind = type(figure).__name__
        raise InputError(f"draw returned a {kind} instead of a matplotlib figure", script, 1, 1)
    return figure


def _saved(figure: Figure, variables: Mapping[str, str], name: str, script: Path) -> str:
    """The figure as SVG; what matplotlib warns of meanwhile is said once, of the script."""
    with warnings.catch_warnings(record=True) as warned:
        svg = svg_of(figure, variables, name)
    for words in dict.fromkeys(str(one.message) for one in warned):
        if rcParams["svg.fonttype"] != "none" or not words.startswith("Glyph "):
            print(f"{script}: {words}", file=sys.stderr)  # the browser has other fonts
    return svg


def _told(error: InputError, script: Path) -> tuple[str, str, int | None, int | None]:
    """A mistake as one line, with a place; that of a formula is where the script has it."""
    path, line, column = error.path, error.line, error.column
    if path is None:
        path, line, column = *(innermost(error, script) or (script, 1)), 1
    sentence = " ".join(error.sentence.split("\n"))
    if found := FORMULA.fullmatch(error.sentence):
        sentence = f"matplotlib cannot read the formula '{found[1]}' from character {found[2]} on"
        lines = enumerate(text_of(script).splitlines(), 1)
        line = next((number for number, text in lines if found[1] in text), line)
    return sentence, str(path), line, column


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


def rows(figure: Figure) -> list[list[str | float]]:
    """The numbers that a figure shows: panel, series, x and y of each point, as they were drawn.

    A line without a label that only joins points of labelled series has none of its own. The first
    row are the heads; there are no rows if it shows no numbers.
    """
    drawn = [
        (number, one, [(label, _places(points)) for label, points in _drawn(one)])
        for number, one in enumerate(figure.axes, 1)
    ]
    panels = [(number, one, series) for number, one, series in drawn if series]
    shown = [one for _, one, _ in panels]
    titles = [one.get_title(loc="left") or one.get_title() for one in shown]
    labels = ({one.get_xlabel() for one in shown}, {one.get_ylabel() for one in shown})
    heads = [found - {""} for found in labels]
    x_head, y_head = (f.pop() if len(f) == 1 else word for f, word in zip(heads, "xy", strict=True))
    found: list[list[str | float]] = [["panel", "series", x_head, y_head]]
    for (number, one, series), title in zip(panels, titles, strict=True):
        panel = title or str(number)
        own = {one.get_xlabel(), one.get_ylabel()} - {x_head, y_head, ""}
        if own and not all(titles):  # such as of twins
            panel += f" ({', '.join(sorted(own))})"
        cells_x, cells_y = _cells(one.xaxis), _cells(one.yaxis)
        of_labels = [places for label, places in series if not label.startswith("_")]
        said = {(x, y) for places in of_labels for x, y in places.tolist()}
        for order, (label, places) in enumerate(series, 1):
            has_label = not label.startswith("_")
            if not has_label and said.issuperset(map(tuple, places.tolist())):
                continue
            name = label if has_label else str(order)
            found += [[panel, name, cells_x(float(x)), cells_y(float(y))] for x, y in places]
    return found if len(found) > 1 else []


def _places(points: Any) -> Any:
    """Points as floats; what is masked is NaN."""
    return numpy.ma.filled(numpy.ma.asarray(points, float), numpy.nan)


def _cells(axis: Axis) -> Callable[[float], str | float]:
    """How data write the values of an axis: by the script's words, as dates, or as numbers."""
    names = _named(axis)
    to_date: Any = dates.num2date
    has_dates = type(axis.get_converter()).__module__ == dates.__name__

    def cell(value: float) -> str | float:
        if not math.isfinite(value):
            return ""
        if has_dates:
            date = str(to_date(value).isoformat()).removesuffix("+00:00")
            return date.removesuffix("T00:00:00")
        value = value if value.is_integer() else float(f"{value:.6g}")  # others with six digits
        return names.get(value, int(value) if value.is_integer() else value)

    return cell


def _named(axis: Axis) -> dict[float, str]:
    """The ticks of an axis that have words of the script's own: "House" at 3."""
    labels = [label.get_text() for label in axis.get_ticklabels()]
    is_category = isinstance(axis.get_major_locator(), StrCategoryLocator)
    if not is_category and not isinstance(axis.get_major_locator(), FixedLocator):
        return {}
    ticks = zip(map(float, axis.get_ticklocs()), labels, strict=True)
    return {place: label for place, label in ticks if is_category or WORDS.match(label)}


def _drawn(axes: Any) -> Iterator[tuple[str, Any]]:
    """Every line, set of dots and set of bars at values of the axes: its label and its points."""
    if axes.name == "3d":  # of which matplotlib keeps the places on the page
        return
    whole = {one[0]: one for one in axes.containers if one}  # such as a line with its errors
    for line in axes.lines:
        if line.get_transform() == axes.transData:  # not one from edge to edge
            yield str(whole.get(line, line).get_label()), line.get_xydata()
    for drawn in axes.collections:
        if isinstance(drawn, collections.PathCollection):
            yield str(drawn.get_label()), drawn.get_offsets()
        elif isinstance(drawn, collections.LineCollection):
            yield from ((str(drawn.get_label()), points) for points in drawn.get_segments())
    for container in axes.containers:
        if isinstance(container, BarContainer):
            yield from _bars(container)


def _bars(container: BarContainer) -> Iterator[tuple[str, list[tuple[float, float]]]]:
    """Bars that were drawn together, each where it stands and as long as it is."""
    is_upright = container.orientation == "vertical"
    points = [_ends(bar, is_upright) for bar in container.patches]
    own = [str(bar.get_label()) for bar in container.patches]  # one for all, or one for each
    labels = {label for label in (str(container.get_label()), *own) if not label.startswith("_")}
    if len(labels) > 1:
        yield from zip(own, points, strict=True)
    else:
        yield "".join(labels) or "_", [point for ends in points for point in ends]


def _ends(bar: Rectangle, is_upright: bool) -> list[tuple[float, float]]:
    """Where a bar ends, and where it begins if that is not at 0."""
    (x, y), width, height = bar.get_xy(), bar.get_width(), bar.get_height()
    if is_upright:
        ends = [(x + width / 2, y), (x + width / 2, y + height)]
    else:
        ends = [(x, y + height / 2), (x + width, y + height / 2)]
    return ends[1:] if ends[0][is_upright] == 0 else ends


def main() -> None:
    """Answer requests until there are no more."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    os.dup2(2, 1)  # what a script, or a library in C, prints is no answer
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # and what it reads no request
    sys.stdout = sys.stderr
    print("ready", file=answers, flush=True)
    try:
        for line in requests:
            print(json.dumps(answer(json.loads(line))), file=answers, flush=True)
    except KeyboardInterrupt:  # meant for the build, which ends
        sys.exit(130)


if __name__ == "__main__":
    main()
