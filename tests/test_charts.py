"""Charts: scales, ticks, lines that keep their spikes, words that do not touch."""

import math
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from made_site import ROOT, results_of

from press.blocks.curves import charts_of
from press.charts.curve_chart import CurvePanel, Line, Mark
from press.charts.dot_plot import CORNERS, Dot, DotAxis, sign
from press.charts.svg import Scale, nice_ticks, spread_apart, thinned, widened


def test_scales_place_their_ends_and_the_root_of_a_quarter_in_the_middle() -> None:
    scale = Scale(0, 10000, 100, 300, root=True)
    assert (scale(0), scale(2500), scale(10000)) == (100, 200, 300)
    assert Scale(20, 40, 300, 100)(25) == 250


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (26, 40, [26, 28, 30, 32, 34, 36, 38, 40]),
        (8.2, 33, [10, 15, 20, 25, 30]),
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (3, 3, [3]),
        (97.19999999999999, 97.2, [97.19999999999999]),  # one level, but for its last place
        (1e-13, 5e-13, [1e-13, 2e-13, 3e-13, 4e-13, 5e-13]),
    ],
)
def test_ticks_are_round_and_inside(low: float, high: float, ticks: list[float]) -> None:
    assert nice_ticks(low, high, 7 if low == 26 else 5) == pytest.approx(ticks)


def test_a_widened_range_holds_the_range_and_ends_on_ticks() -> None:
    low, high = widened(27.9, 39.16, 8)
    assert low <= 27.9
    assert high >= 39.16
    assert low == nice_ticks(low, high, 8)[0]


def test_thinning_keeps_spikes_ends_and_only_recorded_points() -> None:
    points = [(k / 50, 10 + math.sin(k / 40)) for k in range(5000)]
    points[2500] = (points[2500][0], -40.0)
    kept = thinned(points, Scale(0, 100, 0, 100))
    assert set(kept) <= set(points)
    assert kept[0] == points[0]
    assert kept[-1] == points[-1]
    assert points[2500] in kept
    assert len(kept) < 300
    assert [p[0] for p in kept] == sorted(p[0] for p in kept)


def test_labels_are_spread_apart_in_their_order() -> None:
    places = spread_apart([50, 52, 51, 120], 12, 0, 120)
    assert sorted(range(4), key=lambda i: places[i]) == [0, 2, 1, 3]
    assert all(b - a >= 11.99 for a, b in pairwise(sorted(places)))


def panel() -> CurvePanel:
    points = [(float(k), 10 + k / 100) for k in range(1001)]
    lower = [(k, level - 0.01) for k, level in points]
    lines = [Line("all pixels", points), Line("unknown", lower, 3)]
    marks = [Mark("ES-WMV", 980), Mark("best", 990), Mark("the paper", 1000, "paper")]
    return CurvePanel("PSNR of Anna", lines, "PSNR, dB", "iteration", marks)


def texts(svg: str, kind: str) -> list[ElementTree.Element]:
    root = ElementTree.fromstring(svg)
    return [e for e in root.iter("text") if kind in (e.get("class") or "").split()]


def test_a_long_label_has_several_rows() -> None:
    lines = [
        Line("MLP, 2x800 units, dropout p = 1/2", [(0, 2), (9, 1)]),
        Line("A", [(0, 2), (9, 1)]),
    ]
    rows = texts(CurvePanel("Loss", lines, "loss", "epoch").svg(), "end")
    assert [e.text for e in rows] == ["MLP, 2x800 units,", "dropout p = 1/2", "A"]
    heights = [float(e.get("y", "")) for e in rows]
    assert [b - a for a, b in pairwise(heights)] == pytest.approx([12, 12])


def test_a_curve_is_labelled_in_words_and_follows_the_theme() -> None:
    svg = panel().svg()
    assert ElementTree.fromstring(svg).find("title").text == "PSNR of Anna"  # type: ignore[union-attr]
    assert [e.text for e in texts(svg, "end")] == ["all pixels", "unknown"]
    assert {"0", "200", "1,000"} <= {e.text for e in texts(svg, "tick")}
    assert not re.search(r'(fill|stroke)="', svg)


def words_of(svg: str, kind: str) -> list[str]:
    return [e.text or "" for e in texts(svg, kind)]


def test_an_axis_is_named_by_what_it_counts_and_a_short_one_is_straight() -> None:
    points = [(float(epoch), 90 + epoch / 4) for epoch in range(1, 31)]
    epochs = CurvePanel("Accuracy", [Line("test", points)], "accuracy, %", "epoch")
    assert words_of(epochs.svg(), "label") == ["epoch", "accuracy, %"]
    assert words_of(epochs.svg(), "tick")[-4:] == ["0", "10", "20", "30"]
    assert not epochs.x.root
    assert words_of(panel().svg(), "label") == ["iteration, square-root scale", "PSNR, dB"]


def test_one_point_is_seen_and_a_level_without_a_power_lies_at_the_bottom() -> None:
    chart = CurvePanel("Loss", [Line("loss", [(3, 0.02)])], "loss", "epoch", powers=True)
    (line,) = re.findall(r'<path d="M(\S+) \S+ (\S+) \S+" class="line', chart.svg())
    assert float(line[1]) - float(line[0]) == 4
    assert chart.height(0.0) == chart.height(1e-2), "the lowest that the axis names"


def test_levels_have_the_decimals_that_tell_them_apart() -> None:
    def levels(*ends: float, powers: bool = False) -> list[str]:
        line = Line("loss", list(enumerate(ends)))
        chart = CurvePanel("Loss", [line], "loss", "epoch", powers=powers)
        return [words for _, words in chart._levels()]

    assert levels(0.31, 0.52) == ["0.35", "0.40", "0.45", "0.50"]
    assert levels(-1.5, 12_000) == ["0", "5,000", "10,000"]
    assert levels(3, 3) == ["2.6", "2.8", "3.0", "3.2", "3.4"]
    assert levels(0.002, 0, 0.3, powers=True) == ["10⁻³", "10⁻²", "10⁻¹", "1"]


@pytest.mark.parametrize("steps", [(900, 950, 1000), (30, 50, 600), (0, 500, 995)])
def test_no_mark_goes_through_the_words_of_another(steps: tuple[float, ...]) -> None:
    words = ("the paper stops", "least variance so far", "best")
    marks = [Mark(*each) for each in zip(words, steps, strict=True)]
    svg = replace(panel(), marks=marks).svg()
    lines = [e for e in ElementTree.fromstring(svg).iter("line") if "mark" in e.attrib["class"]]
    spans = []
    for e in texts(svg, "mark-label"):
        x, y, width = float(e.attrib["x"]), float(e.attrib["y"]), 6.5 * len(e.text or "")
        spans.append((x - width, x, y) if e.get("text-anchor") == "end" else (x, x + width, y))
    for left, right, y in spans:
        assert left > 0 and right < 400 and y > 18, "within the drawing, below the unit"
        through = [e for e in lines if left < float(e.attrib["x1"]) < right]
        assert all(float(e.attrib["y1"]) > y for e in through)
    rows = sorted(spans, key=lambda span: (span[2], span[0]))
    assert all(one[1] < other[0] for one, other in pairwise(rows) if one[2] == other[2])


def test_an_axis_of_dots_places_levels_and_whiskers() -> None:
    axis = DotAxis.around([28.14, 39.2])
    dots = [Dot("other", "Papyan et al.", 28.14, "28.14 dB"),
            Dot("paper", "the paper", 39.16, "39.16 dB"),
            Dot("ours", "ours", 39.2, "39.20 dB", 0.4)]  # fmt: skip
    root = ElementTree.fromstring(axis.row(dots))
    ours = next(e for e in root.iter("circle") if "dot-ours" in (e.get("class") or ""))
    assert float(ours.get("cx") or 0) == pytest.approx(axis.x(39.2), abs=0.01)
    whisker = next(e for e in root.iter("line") if e.get("class") == "whisker")
    reach = float(whisker.get("x2") or 0) - float(whisker.get("x1") or 0)
    assert reach == pytest.approx(axis.x(30.8) - axis.x(30), abs=0.02)
    assert "Papyan et al.: 28.14 dB" in axis.row(dots)


def test_every_series_of_a_table_has_a_mark_of_its_own() -> None:
    marks = [sign("baseline", shape) for shape in CORNERS]
    marks += [sign("ours", "circle"), sign("paper", "circle")]
    assert len(set(marks)) == len(CORNERS) + 2


def test_an_axis_without_levels_names_none() -> None:
    axis = DotAxis.around([])
    assert "<text" not in axis.head() and "<line" not in axis.row([])
    assert "<text" in DotAxis.around([30.0]).head()


def test_a_metric_without_any_value_gets_no_chart(tmp_path: Path) -> None:
    snail = results_of(ROOT / "results", ROOT / "content", parts=tmp_path).run("jpeg/snail")
    assert "psnr_db" in snail.curve().columns, "there is no clean snail to compare it with"
    charts = charts_of(snail)
    assert charts and all(line.points for chart in charts for line in chart.lines)
