"""Blocks that show images of runs: film strip, comparison, scrubber, and an author's own file.

Images of records are copied as they are; small ones are made for rows and strips.
"""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from press.blocks.curves import RunChart, stop_marks
from press.blocks.declaration import (
    IMAGES,
    NAMES,
    RUN,
    SUITE,
    TEXT,
    WHOLE_NUMBERS,
    WORD,
    WORDS,
    Argument,
    Call,
    Figure,
    block,
    chosen_runs,
    named,
    not_run,
)
from press.charts.curve_chart import CurvePanel
from press.charts.svg import element
from press.diagnostics import counted
from press.errors import InputError
from press.files import PICTURES, sha256_of
from press.markdown.assets import Assets, opened, upright, upright_size
from press.page import PageContext
from press.paths import AbsentError
from press.results.names import sentence
from press.results.numbers import Measured, grouped, listed, with_unit
from press.results.run import Run, Score
from press.results.selectors import parse_selector
from press.results.suite import SuiteView

EXACT_SIDES = (128, 256, 512)  # widths that the style sheet enlarges by whole numbers
SMALL = 128  # pixels at most on a side of a thumbnail


def picture(page: PageContext, run: Run, path: Path | None, alternative: str) -> Markup:
    """An image of a run's record with its true pixels, or the words why there is none."""
    if path is None:
        return absent(page, run)
    page.shown["/".join(path.relative_to(page.results_dir).parts[:3]), path.stem] = None
    return image(page.copy(path), size_of(path), alternative)


def size_of(path: Path) -> tuple[int, int]:
    """The width and height of a picture, in pixels; raises InputError if it is none."""
    with opened(path) as file:
        return upright_size(file)


def image(url: str, size: tuple[int, int], alternative: str, kind: str = "") -> Markup:
    """An image element with its size, so that nothing shifts while it loads.

    One of less than 86 pixels a side is enlarged by a whole number.
    """
    width, height = size
    name = str(width) if width == height and width in EXACT_SIDES else "other"
    if not kind and (factor := 2 * SMALL // max(size)) > 2:  # as of MNIST or CIFAR
        width, height, name = factor * width, factor * height, "small"
    return element(
        "img",
        src=url,
        width=width,
        height=height,
        alt=alternative,
        class_=kind or f"pixels native-{name}",
        loading="lazy",
        decoding="async",
    )


def absent(page: PageContext, run: Run) -> Markup:
    """What stands for an image that is not to be shown, or not run yet."""
    if not run.recorded or run.shown:
        words = "no picture of it" if run.recorded else "not run yet"
        return Markup('<span class="absent absent-not-run">{}</span>').format(words)
    why = why_not_shown(page, run)
    return Markup('<span class="absent" title="{}">{}: not shown</span>').format(why, run.title)


def why_not_shown(page: PageContext, run: Run) -> str:
    """The reason why a run has no images; empty if they may be shown."""
    if run.shown:
        return ""
    images, cases = page.results.suites.images, run.suite.cases.values()
    if not images.shown(run.case.image):
        return images.why_not_shown(run.case.image)
    kept = {case.image for case in cases if case.pictures and images.shown(case.image)}
    whose = f"only of {listed(sorted(map(images.title, kept)))}" if kept else "of no image"
    return f"so that the results stay small, this suite keeps pictures {whose}"


def thumbnail(page: PageContext, path: Path, alternative: str) -> Markup:
    """A picture reduced by a whole number, to at most 128 pixels a side."""
    page.note(path)
    width, height = size_of(path)
    factor = -(-max(width, height) // SMALL)
    if factor == 1:
        url = page.copy(path)
    else:
        key = f"{sha256_of(path)}|{factor}"
        data = page.cache.data("thumbnails", key, lambda: reduced(path, factor))
        url = page.media(f"{path.stem}-small", ".webp", data)
    size = -(-width // factor), -(-height // factor)
    return image(url, size, alternative, "thumbnail")


def reduced(path: Path, factor: int) -> bytes:
    """An image with squares of `factor` pixels a side averaged, as lossless WebP."""
    stream = io.BytesIO()
    with opened(path) as file:
        upright(file).reduce(factor).save(stream, "WEBP", lossless=True, quality=80, method=4)
    return stream.getvalue()


def small_picture(page: PageContext, runs: Sequence[Run]) -> Markup:
    """Our last output of the first of the runs that is recorded; empty if none is kept."""
    kept = [run for run in runs if run.record and run.record.pictures and run.case.pictures]
    for run in kept:
        if path := run.final.picture:
            return thumbnail(page, path, f"{run.title}, our result")
    return absent(page, kept[0]) if kept else Markup("")


def named_step(run: Run, output: Score) -> int | None:
    """The step that an output is called by; None if it has a name of its own."""
    step = output.iteration
    return step if isinstance(step, int) and output.label.startswith(f"{run.axis} ") else None


def describe_iterate(run: Run, step: int, level: Measured | None) -> str:
    """An output, and its level if it has one, described for those who do not see it."""
    after = f"{run.title} after {counted(step, run.axis or 'step')}"
    return after if level is None else f"{after}, {with_unit(level, level.metric)}"


@block(
    "film-strip",
    "snapshots of runs, step by step, with their levels",
    Argument("suite", SUITE, "whose runs are shown", required=True),
    Argument("iterations", WHOLE_NUMBERS, "the snapshots", required=True),
    IMAGES,
    numbered="figure",
    example='suite="inpainting" images="peppers man" iterations="0 250 1000" id="fig-strip"',
)
def film_strip(call: Call, suite: SuiteView, iterations: list[int], images: list[str]) -> Figure:
    """Outputs of one or more runs, step by step."""
    runs = chosen_runs(call, suite, images)
    if not any(run.recorded for run in runs):
        return not_run(call, runs)
    with call.at("iterations"):
        steps = [
            {"step": k, "pictures": [_step(call.page, run, k) for run in runs]} for k in iterations
        ]
    axis = sentence(runs[0].axis)
    return Figure(call.page.render("blocks/film-strip.html", steps=steps, axis=axis), runs)


def _step(page: PageContext, run: Run, step: int) -> dict[str, Any]:
    output = run.output(f"at.{step}")
    level = output.get(run.measure)
    shown = picture(page, run, output.picture, describe_iterate(run, step, level))
    return {"picture": shown, "title": run.title, "level": "" if level is None else level}


@block(
    "compare",
    "outputs of a run: two to be dragged or blinked, more beside each other under one lens",
    Argument("run", RUN, "whose outputs are shown", required=True),
    Argument(
        "outputs", WORDS, "which, or names of pictures beside the post", default="input final"
    ),
    Argument("names", NAMES, "what stands over them; what the outputs are if they are not given"),
    Argument("spot", WHOLE_NUMBERS, "where the lens is at first, in per cent", default="50 50"),
    numbered="figure",
    example='run="inpainting/house" outputs="input baseline.biharmonic final" id="fig-house"',
)
def compare(call: Call, run: Run, outputs: list[str], names: list[str], spot: list[int]) -> Figure:
    """Outputs of a run, by default the input and the result."""
    if not run.recorded:
        return not_run(call, [run])
    if not run.shown:
        return Figure(absent(call.page, run))
    folder = Path(call.directive.place.path).parent
    with call.at("outputs"):
        labels = [_label(call.page, run, folder, word) for word in outputs]
        if len(outputs) < 2:
            raise InputError("expected two outputs or more")
    if len(spot) != 2 or max(spot) > 100:
        raise call.error("spot", "expected two numbers up to 100, such as '50 50'")
    labels = named(call, names, labels, "outputs")
    return Figure(compared(call.page, run, outputs, labels, spot, folder), [run])


def _beside(page: PageContext, folder: Path, word: str) -> Path | None:
    """The picture beside the post that a word names; None where it names an output."""
    is_picture = Path(word).suffix.lower() in PICTURES
    return page.file(word, folder, "picture") if is_picture else None


def _label(page: PageContext, run: Run, folder: Path, word: str) -> str:
    """What an output is called over its picture; raises InputError if it has none."""
    if path := _beside(page, folder, word):
        return path.stem
    selector = parse_selector(word)
    output = run.output(selector)
    if output.picture is None:
        raise InputError(f"{run.name} has no picture of '{selector}'")
    if selector.kind == "baseline":
        return page.results.names.method(selector.name)
    step = named_step(run, output)
    return output.label if step is None else f"after {counted(step, run.axis)}"


def compared(
    page: PageContext,
    run: Run,
    outputs: Sequence[str],
    labels: Sequence[str] = (),
    spot: Sequence[int] = (50, 50),
    folder: Path = Path(),
) -> Markup:
    """Outputs of a run, or files of a folder, beside each other; a script lays two over each other.

    `spot` is where its lens is at first, in per cent of width and height.
    """
    labels = labels or [_label(page, run, folder, word) for word in outputs]
    sides = list[dict[str, Any]]()
    for word, label in zip(outputs, labels, strict=True):
        words = f"{run.title}: {label}"
        if file := _beside(page, folder, word):
            shown, level = image(page.copy(file), size_of(file), words), None
        else:
            output = run.output(word)
            shown, level = picture(page, run, output.picture, words), output.get(run.measure)
        level_shown = "" if level is None else level  # a level of zero too
        sides.append({"label": sentence(label), "picture": shown, "level": level_shown})
    return page.render("blocks/compare.html", sides=sides, spot=spot)


@block(
    "scrubber",
    "all frames of a run, tied to its curve",
    Argument("run", RUN, "the run", required=True),
    numbered="figure",
    example='run="inpainting/peppers" id="fig-scrubber"',
)
def scrubber(call: Call, run: Run) -> Figure:
    """A run's frames tied to its curve; without scripts there is the strip of the frames."""
    if not run.recorded:
        return not_run(call, [run])
    if not run.shown:
        return Figure(absent(call.page, run))
    frames = _frames(run)
    if not frames:
        raise InputError(f"{run.name} has no frames to show")
    last, level = [*frames.values()][-1]
    metric = level.metric
    panel = RunChart(run, [metric.name]).panel(stop_marks(run, call.page.results.names.paper))
    content = call.page.render(
        "blocks/scrubber.html",
        run=run,
        last=picture(call.page, run, last, ""),
        chart=panel.svg(),
        strip=[
            {"step": k, "picture": thumbnail(call.page, path, describe_iterate(run, k, level))}
            for k, (path, level) in frames.items()
        ],
        data=_scrubber_data(call.page, run, panel, frames),
    )
    late = [point for point in run.stop_points.values() if not point.reached]
    rules = " ".join(f"{point.name}: {point.words}." for point in late)
    return Figure(content, [run], rules)


def _frames(run: Run) -> dict[int, tuple[Path, Measured]]:
    """The picture, and the level of what the run's chart follows, at each step that has both."""
    assert run.record
    metrics = RunChart(run).metrics
    found = dict[int, tuple[Path, Measured]]()
    iterates = [name for name in run.record.pictures if name.startswith(("at.", "final"))]
    for selector in sorted(iterates):  # "final" behind an "at." of the same step
        output, step = run.output(selector), run.record.steps.get(selector)
        level = output.get(metrics[0].name) if metrics else None
        if step is not None and level is not None:
            assert output.picture
            found[step] = output.picture, level
    return dict(sorted(found.items()))


def _scrubber_data(
    page: PageContext, run: Run, panel: CurvePanel, frames: dict[int, tuple[Path, Measured]]
) -> Markup:
    """What the script needs, as JSON: each frame's address, words, and place on the curve."""
    described = [
        {
            "step": k,
            "words": f"{sentence(run.axis)} {grouped(k)}: {with_unit(level, level.metric)}",
            "src": page.copy(path),
            "at": [round(panel.x(k), 1), round(panel.height(level), 1)],
        }
        for k, (path, level) in frames.items()
    ]
    value = {"title": run.title, "axis": run.axis, "frames": described}
    return htmlsafe_json_dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


@block(
    "figure",
    "an image file beside the post",
    Argument("src", WORD, "the file", required=True),
    Argument("alt", TEXT, "what there is to see, for those who do not see it", required=True),
    numbered="figure",
    width="text",
    example='src="setup.png" alt="The optical table" id="fig-setup"',
)
def plain_figure(call: Call, src: str, alt: str) -> Markup:
    """An image file that stands beside the post, or in the folder of the content."""
    beside = Path(call.directive.place.path).parent
    with call.at("src"):
        try:
            path = call.page.file(src, beside, "picture")
        except AbsentError as absent:
            try:
                path = call.page.file(src, call.page.content_dir, "picture")
            except AbsentError:
                raise absent from None
    place = call.directive.argument_places.get("src", call.directive.place)
    return Markup(Assets(call.page, path.parent).shown(path, alt, place, {}))
