"""The block `plot`: an author's own figure, drawn by a script that gets records and claims."""

import json
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from press.blocks.declaration import TEXT, WORD, Argument, Call, Figure, block, not_run
from press.errors import InputError
from press.files import sha256_of
from press.page import PageContext


@block(
    "plot",
    "a figure that a script beside the posts draws with matplotlib",
    Argument("script", WORD, "the script, from the folder of the content", required=True),
    Argument("alt", TEXT, "what there is to see, for those who do not see it", required=True),
    numbered="figure",
    width="text",
    example='script="figures/loss.py" alt="Two curves, of which one falls" id="fig-loss"',
)
def plot(call: Call, script: str, alt: str) -> Figure:
    """What `draw(records, claims)` of a script returns, with the runs that it asked for."""
    page = call.page
    number = call.directive.number  # behind a point, since "plot-2" may be another's id
    name = call.directive.arguments.get("id") or f"plot.{number}"
    with call.at("script"):
        path = page.file(script, page.content_dir)
        drawn = _drawn(page, path, name)
    inputs = map(Path, drawn["inputs"])
    names = [
        path.parent.relative_to(page.results_dir) for path in inputs if path.name == "run.json"
    ]
    runs = [page.results.run(name.as_posix()) for name in names]
    for run_name, output, metric in drawn["asked"]:  # for the page's errata
        page.results.run(run_name).asked[output, metric] = None
    missing = [run for run in runs if not run.recorded]
    if runs and runs == missing:
        return not_run(call, runs)
    if "error" in drawn:
        error = InputError(*drawn["error"])
        if missing:  # it may well be that what is missing cannot be added or drawn
            sentence = f"{error}, and {missing[0].name} is not recorded: the plot is left out"
            page.warn(call.directive.place, sentence)
            return not_run(call, missing)
        if error.path == str(path):
            raise call.error("script", str(error))
        raise error  # of a file that others read too: told once, at its own place
    if "svg" not in drawn:
        raise call.error("script", f"{path}: draw returned no figure")
    previews = [run.name for run in runs if run.recorded and run.suite.preview]
    if previews and drawn["sources"] and drawn["panels"] == 1:
        sentence = f"{path}: a preview is not drawn on the axes of a source's numbers"
        raise call.error("script", sentence)
    labelled = f'<svg role="img" aria-label="{escape(alt)}"'
    content, sources = Markup(drawn["svg"].replace("<svg", labelled, 1)), drawn["sources"]
    quoted = "; ".join(filter(None, sources))  # not every claim states its source
    note = f"Quoted: {quoted}." if quoted else ""
    return Figure(content, runs, note, data=drawn["rows"])


def _drawn(page: PageContext, script: Path, name: str) -> dict[str, Any]:
    """What a script draws, from the cache if nothing that it read has changed since.

    Raises InputError if the script ends without an answer. A failure is not kept.
    """
    folders = {"results": page.results_dir, "content": page.content_dir}
    folders |= {"parts": page.results.parts, "script": script}
    request = {key: str(path) for key, path in folders.items()} | {"name": name}
    key = json.dumps([request, sha256_of(script), page.plotter.identity])
    kept = json.loads(page.cache.get("plots", key) or b"{}")
    if kept and all(_hash(path) == digest for path, digest in kept["inputs"].items()):
        drawn: dict[str, Any] = kept
    else:
        drawn = page.plotter.draw({**request, "colours": page.plotter.colours})
        drawn["inputs"] = {path: _hash(path) for path in drawn["inputs"]}
        if "error" not in drawn:
            page.cache.put("plots", key, json.dumps(drawn).encode())
    for path in drawn["inputs"]:
        page.note(Path(path))
    return drawn


def _hash(path: str) -> str:
    """The hash of a file; empty if there is none."""
    try:
        return sha256_of(Path(path))
    except OSError:
        return ""
