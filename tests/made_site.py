"""A small site with records, for tests: two images, a suite of three seeds and its preview."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from made_records import write_baseline, write_run
from markupsafe import Markup

from dip.experiments.suites import Suite, load_suites
from dip.planning.manifest import Manifest
from press.blocks.registry import load_blocks
from press.cache import Cache
from press.cli import main
from press.diagnostics import Place
from press.files import write_whole
from press.markdown.citations import Entry
from press.markdown.post import load_post
from press.options import THEME, parts_folder
from press.page import Directive, PageContext
from press.pages.post import Article, write_article
from press.pages.site_pages import Site
from press.results.manifest import of_records, parts_of
from press.results.run import Run
from press.results.store import Results

ROOT = Path(__file__).parent.parent

SUITES = """
[paper]
title = "Half of the pixels missing"
task = "inpainting"
images = ["set/anna", "set/bob"]
seeds = [0, 1, 2]
mask = "bernoulli"
iterations = 1000
learning_rate = 0.001
snapshots = [0, 250, 1000]
frames = 4
baselines = ["nearest-known-pixel", "biharmonic"]

[small]
title = "The same, small"
why = "so that it is quick"
like = "paper"
seeds = [0]
preview_side = 32
"""

CLAIMS = """
[rule]
deviations = 2
from_seeds = 3

[inpainting]
title = "The paper's table"
suite = "paper"
set = "set"
ours = "dip"
beside = ["papyan"]
cases = ["anna", "bob"]
source = "The paper, table 1"

[inpainting.papyan]
name = "Papyan et al."
anna = 28.0
bob = 27.0
mean = 27.5

[inpainting.dip]
name = "Deep Image Prior"
compare = "final"
anna = 32.0
bob = 30.0
mean = 31.0
"""

CHOICES = """
[learning_rate]
name = "Learning rate"
origin = "paper"

[slope]
name = "Slope"
origin = "ours"
why = "not stated"
"""

IMAGES = """
["set/anna"]
width = 32
height = 32
mode = "L"

["set/bob"]
width = 32
height = 32
mode = "L"
"""

LEVELS = {("set/anna", 0): 31.9, ("set/anna", 1): 32.1, ("set/anna", 2): 32.3,
          ("set/bob", 0): 28.0, ("set/bob", 1): 28.2, ("set/bob", 2): 28.4}  # fmt: skip

POST = """---
title: A post
date: 2026-01-02
authors: ["Ann Author"]
summary: A summary.
---

::: verdict-strip suite="paper" preview="small"
:::

The mean is {{ suite("paper").mean_psnr_db | mean_sd }}. See [](#fig-strip), [](#fig-scrubber),
[](#fig-curves), [](#tab-results), [](#eq-data) and [](#end).

$$ E(x; x_0) = \\lVert x - x_0 \\rVert^2 $$ (eq-data)

::: results-table suite="paper" id="tab-results"
What came out.
:::

::: preview-table suite="small" id="tab-preview"
A preview.
:::

::: film-strip suite="small" images="anna bob" iterations="0 250 1000" \
id="fig-strip"
From noise to picture.
:::

::: scrubber run="small/anna" id="fig-scrubber"
Drag along the curve.
:::

::: compare run="small/anna" id="fig-compare"
Input and result.
:::

::: curve suite="small" images="anna bob" id="fig-curves"
Curves.
:::

::: network suite="paper" id="fig-network"
The network.
:::

::: settings suite="paper" id="tab-settings"
The settings.
:::

::: note title="Before you begin"
A note, with `code` and a footnote.[^1]
:::

[^1]: The footnote.

```python {2}
def double(x: int) -> str:
    "Say twice."
    return f"{2 * x} and {x!r}"  # a comment
```

```bash numbered
python build.py check  # a comment
```

## The end {#end}
"""


PSNR = """
[metrics.psnr_db]
label = "PSNR"
unit = "dB"
digits = 2
better = "higher"
tolerance = 0.5
at_most = 1.0
agrees = 0.1
"""
METRICS = f"""{PSNR}{PSNR.replace("psnr_db", "psnr_luma_db").replace("PSNR", "PSNR of luma")}
[metrics.psnr_unknown_db]
label = "PSNR, unknown pixels"
unit = "dB"
digits = 2

[metrics.psnr_known_db]
label = "PSNR, known pixels"
unit = "dB"
digits = 2

[metrics.ssim]
label = "SSIM"
digits = 4
better = "higher"

[metrics.loss]
label = "loss"
digits = 4
better = "lower"
scale = "log"
"""
SITE = f"""
[experiments]
manifest = "python -m dip manifest"

[names]
case = "image"

[names.methods]
biharmonic = "Biharmonic fill"
{METRICS}"""


ENTRIES = {
    key: Entry(
        key, Place("references.bib", 1, 1), [[key.title(), ""]], {"title": key, "year": "2020"}
    )
    for key in ("one", "two")
}


def results_of(
    results: Path,
    content: Path,
    note: Callable[[Path], None] = lambda path: None,
    root: str = "",
    lacks: Callable[[Run], None] = lambda run: None,
    parts: Path | None = None,
) -> Results:
    """What a page can ask of these folders, by a manifest of how they are now."""
    assert parts or content.parent != ROOT, "the parts of a manifest are no files of the project"
    parts = parts or content.parent / "parts"
    planned = (content / "experiments.toml").exists()
    manifest = Manifest(content, results).to_dict() if planned else of_records(results)
    for name, data in parts_of(json.loads(json.dumps(manifest))).items():
        write_whole(parts / name, data)
    return Results(results, content, parts, note, root, lacks)


def write_content(folder: Path, post: str = POST) -> dict[str, Suite]:
    """Write the content of the small site; gives its suites."""
    (folder / "posts").mkdir(parents=True, exist_ok=True)
    (folder / "site.toml").write_text(SITE)
    (folder / "experiments.toml").write_text(SUITES)
    (folder / "claims.toml").write_text(CLAIMS)
    (folder / "choices.toml").write_text(CHOICES)
    (folder / "images.toml").write_text(IMAGES)
    (folder / "posts" / "post.md").write_text(post)
    suites = load_suites(folder / "experiments.toml")
    shutil.copy(ROOT / "content/blocks.py", folder)
    return suites


def write_suite(
    results: Path, suite: Suite, levels: Mapping[tuple[str, int], float], baselines: bool = True
) -> None:
    """Record those runs of a suite that `levels` names in dB, and its baselines."""
    for experiment in suite.experiments:
        if (experiment.image, experiment.seed) in levels:
            write_run(results, suite, experiment, levels[experiment.image, experiment.seed])
    for image in suite.images if baselines else ():
        write_baseline(results, suite, image, "nearest-known-pixel", 22.0)
        write_baseline(results, suite, image, "biharmonic", 29.0)


def make_results(folder: Path, *recorded: str) -> Results:
    """Write the small site, with every run of the suites named; gives its results."""
    suites = write_content(folder / "content")
    for name in recorded:
        write_suite(folder / "results", suites[name], LEVELS)
    return results_of(folder / "results", folder / "content")


def make_context(folder: Path, *recorded: str) -> PageContext:
    """Write the small site and give the context of a page that is made for it."""
    from press.pages.templates import Templates, Theme

    make_results(folder, *recorded)
    cache = Cache(folder / "cache")
    folders = folder / "results", folder / "content"
    results_of(*folders, parts=parts_folder(cache.folder, *folders))
    templates = Templates([THEME], Site(), Theme(), has_runs=True)
    return PageContext("posts/post.html", *folders, cache, templates.render)


def read_anew(context: PageContext) -> PageContext:
    """Let a page see what was written since into its folders."""
    folders = context.results_dir, context.content_dir
    results_of(*folders, parts=parts_folder(context.cache.folder, *folders))
    context.__dict__.pop("results", None)
    return context


def build_site(folder: Path, *recorded: str) -> Path:
    """Write and build the small site; gives the folder of its pages."""
    make_results(folder, *recorded)
    assert run_press(folder, "build", "--run", "never") == 0
    return folder / "site"


def run_press(folder: Path, *words: str) -> int:
    """The exit code of a command of the press for the project in a folder."""
    places = {"--content": "content", "--results": "results", "--out": "site"}
    named = [word for flag, name in places.items() for word in (flag, str(folder / name))]
    return main([*words, *named])


def python(folder: Path, *words: str, path: str = str(ROOT)) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, with our packages."""
    call, around = [sys.executable, *words], {**os.environ, "PYTHONPATH": path}
    return subprocess.run(call, cwd=folder, env=around, capture_output=True, text=True, check=False)


@contextmanager
def serving(work: Path) -> Iterator[str]:
    """Serve a site; gives the server's address."""
    child = subprocess.Popen(
        [sys.executable, "-m", "press", "serve", "--port", "0"], cwd=work, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert child.stdout
        address = next(
            found[0] for line in child.stdout if (found := re.search(r"http://[\d.]+:\d+/", line))
        )
        yield address
    finally:
        child.terminate()
        child.wait()


def made(context: PageContext, name: str, **arguments: str) -> str:
    """Call a block, its arguments from column 10 of line 9 on; gives its HTML."""
    places = {key: Place("post.md", 9, 10 + i) for i, key in enumerate(arguments)}
    body, place = Markup("<p>What to see.</p>"), Place("post.md", 9, 1)
    context.written.clear()  # each is the first table or figure of a page
    block = load_blocks(context.content_dir, context)[name]
    return str(block.render(Directive(name, arguments, body, place, places, number=1), context))


def article_of(context: PageContext, text: str, entries: Mapping[str, Entry] = ENTRIES) -> Article:
    """The article of a post with this body."""
    file = context.content_dir / "posts/body.md"
    file.write_text(f"---\ntitle: A post\n---\n\n{text}\n", encoding="utf-8")
    return write_article(load_post(file), context, entries, Site())


def said(context: PageContext) -> list[str]:
    """What is told of a page, without folders."""
    return [re.sub(r"^.*/", "", str(message)) for message in context.diagnostics]
