"""Pages of papers of other kinds: pictures over epochs, one case alone, a preview, no seconds."""

import re
from html import unescape
from pathlib import Path
from shutil import rmtree

import pytest
from made_site import run_press
from PIL import Image
from reading import Told, words_of

from press import record

SITE = """
[metrics.fid]
label = "FID"
digits = 1
better = "lower"
tolerance = 1.0
at_most = 2.0
agrees = 0.5
"""
CLAIMS = """
[table]
suite = "gan"
cases = ["faces"]
ours = "generator"
source = "The paper, table 2"

[table.generator]
name = "The generator"
compare = "final"
faces = 12.5
"""
POST = """---
title: Faces from noise
date: 2026-01-02
image: face.png
---

::: verdict-strip suite="gan"
:::

::: results-table suite="gan" id="tab-results"
FID.
:::
"""
PICTURES = """
::: film-strip suite="gan" iterations="1 10" id="fig-strip"
From noise to faces.
:::

::: scrubber run="gan/faces" id="fig-scrubber"
All of them.
:::

::: compare run="gan/faces" outputs="at.1 final" id="fig-compare"
At first, and at the end.
:::
"""


def write_run(results: Path, seed: int = 0, preview: bool = False) -> None:
    """Write a run of ten epochs with a picture of three of them, and no seconds."""
    epochs = list(range(11))
    levels = [200 * 0.7**epoch + 7 + seed for epoch in epochs]
    shown = {"at.1": 1, "at.5": 5, "final": 10}
    record(
        "gan", "faces", seed=seed, results=results, command="", preview=preview,
        metrics={**{s: {"fid": levels[k]} for s, k in shown.items()}, "at.10": {"fid": levels[10]}},
        curve={"epoch": epochs, "fid": levels}, steps={**shown, "at.10": 10},
        pictures={s: Image.new("RGB", (48, 32), (20 * k, 90, 90)) for s, k in shown.items()}
        | {"at.10": Image.new("RGB", (48, 32), (200, 90, 90))},
    )  # fmt: skip


def build(folder: Path, post: str, **run: bool) -> str:
    """Write the site of a generator's paper and build it; gives its post's page."""
    content, results = folder / "content", folder / "results"
    (content / "posts").mkdir(parents=True)
    (content / "site.toml").write_text(SITE)
    (content / "claims.toml").write_text(CLAIMS)
    (content / "posts/post.md").write_text(post)
    Image.new("RGB", (8, 8)).save(content / "posts/face.png")
    for seed in range(2):
        write_run(results, seed, **run)
    record("gan", "faces", method="copies", metrics={"fid": 12.6}, results=results, command="")
    assert run_press(folder, "check", "--base-url", "https://example.org", "--strict") == 0
    return (folder / "site/posts/post.html").read_text()


@pytest.mark.parametrize("image", ["image: face.png\n", ""])
def test_pictures_over_epochs_are_shown_by_their_epochs(tmp_path: Path, image: str) -> None:
    html = build(tmp_path, POST.replace("image: face.png\n", image) + PICTURES)
    assert "Epoch 1 " in words_of(html) and "iteration" not in words_of(html).lower()
    assert 'alt="Faces after 10 epochs, 12.6"' in html
    assert '"words":"Epoch 5: 40.6"' in html and '"axis":"epoch"' in html
    assert re.search(r'width="48" height="32" alt="Faces after 1 epoch, 147\.0"', html)
    assert "After 10 epochs" in words_of(html) and "After 1 epoch " in words_of(html)
    gallery = (tmp_path / "site/runs/gan/faces/seed1.html").read_text()
    assert gallery.count("<img") >= 4 and "after 10 epochs" in gallery


def test_one_case_alone_has_no_mean_beside_it(tmp_path: Path) -> None:
    html = build(tmp_path, POST)
    assert "<dt>FID</dt>" in html and "<dt>Computing</dt>" not in html
    assert len(re.findall(r'class="verdict ', html.split("<tbody>")[1].split("</tbody>")[0])) == 1
    assert '<tr class="mean">' not in html
    assert "FID; lower is better." in html


def test_a_preview_without_a_size_is_told_as_one(tmp_path: Path) -> None:
    post = '# Small\n\n::: preview-table suite="gan" id="tab-small"\nA preview.\n:::\n'
    html = build(tmp_path, post, preview=True)
    assert "Preview, not comparable with the paper’s numbers." in unescape(words_of(html))
    settings = tmp_path / "content/site.toml"
    settings.write_text(f'[names]\npaper = "Doe"\n{settings.read_text()}')
    assert run_press(tmp_path, "build") == 0
    for page in (tmp_path / "site/posts/post.html", tmp_path / "site/runs/gan/faces/seed0.html"):
        assert "Preview, not comparable with Doe’s numbers" in unescape(words_of(page.read_text()))


def test_a_run_may_be_of_no_known_length_on_no_known_device(tmp_path: Path) -> None:
    build(tmp_path, "# One\n\nAll are there.")
    epochs = [0.25, 0.5, 0.75, 1.0]
    for case, seed in (("sheep", 0), ("goats", 1)):
        record(
            "farm", case, seed=seed, metrics={"fid": 9.0}, results=tmp_path / "results",
            settings={"iterations": "until it settles"}, environment={"device": None},
            curve={"epoch": epochs, "fid": [12.0, 11.0, 10.0, 9.0]},
        )  # fmt: skip
    post = '# One\n\nIt ends at {{ run("farm/sheep", "curve.1").fid }}.\n'
    (tmp_path / "content/posts/post.md").write_text(post)
    assert run_press(tmp_path, "build") == 0
    assert "It ends at 9.0 " in words_of((tmp_path / "site/posts/post.html").read_text())
    assert "None" not in words_of((tmp_path / "site/runs/farm/sheep/seed0.html").read_text())


def test_what_a_post_names_and_nobody_recorded_is_told_with_its_place(
    tmp_path: Path, capsys: Told
) -> None:
    build(tmp_path, "# One\n\nAll are there.")
    for case, seed in (("flowers", 0), ("flowers", 2)):
        record("gan", case, seed=seed, metrics={"fid": 9.0}, results=tmp_path / "results")
    text = '# One\n\n{{ run("gan/flowers", seed=1).fid }} {{ run("gan/flowers/copies").fid }}\n\n'
    path = tmp_path / "content/posts/post.md"
    path.write_text(f'{text}::: results-table suite="gan"\nAll.\n:::\n')
    capsys.readouterr()
    assert run_press(tmp_path, "build") == 0
    told = (
        f"{path}:3:1: warning: 'gan/flowers/seed1' is not recorded\n"
        f"{path}:3:38: warning: 'gan/flowers/copies' is not recorded\n"
        f"{path}:5:1: warning: 'gan/faces/seed2' is not recorded\n"
    )
    assert capsys.readouterr().err == told
    assert run_press(tmp_path, "build", "--strict") == 1
    assert capsys.readouterr().err.startswith(told.replace("warning: ", ""))
    rmtree(tmp_path / "results")
    assert run_press(tmp_path, "build") == 1
    said = f"{tmp_path / 'results'}: there is no such folder of records\n"
    assert capsys.readouterr().err == said, "which was named on the command line"
    (tmp_path / "results").mkdir()
    path.write_text('# One\n\nIt is {{ verdict("table.generator.faces") }}.\n')
    assert run_press(tmp_path, "build") == 0
    assert capsys.readouterr().err == f"{path}:3:7: warning: 'gan' is not recorded\n"


def test_cases_that_lack_seeds_or_runs_keep_their_columns_and_names(tmp_path: Path) -> None:
    results = tmp_path / "results"
    for case, seed, loss in (("net", 0, 97.0), ("net", 1, 97.5), ("other", 1, 55.0)):
        record("digits", case, seed=seed, metrics={"loss": loss}, results=results)
    record("digits", "chance", method="majority", metrics={"loss": 10.0}, results=results)
    (tmp_path / "content/posts").mkdir(parents=True)
    post = '# One\n\n{{ suite("digits").n }} {{ run("digits/other").loss }}\n\n'
    post += '::: preview-table suite="digits"\nA table.\n:::\n'
    (tmp_path / "content/posts/post.md").write_text(post)
    assert run_press(tmp_path, "build") == 0
    said = [words_of(row).strip() for row in rows_of(tmp_path / "site/runs/index.html")]
    assert "case seed 0 seed 1 Majority" in said
    assert "Other not run yet 55.000 not run yet" in said
    assert "Chance not run yet 10.000" in said
    titles = [words_of(row).split()[0] for row in rows_of(tmp_path / "site/posts/post.html")]
    assert titles[1:5] == ["Chance", "Net", "Other", "Mean"]


def rows_of(page: Path) -> list[str]:
    """The rows of the tables of a page."""
    return re.findall(r"<tr.*?</tr>", page.read_text(), re.DOTALL)


def test_a_mean_that_a_source_prints_alone_is_the_one_case(tmp_path: Path) -> None:
    build(tmp_path, POST)
    claims = tmp_path / "content/claims.toml"
    claims.write_text(CLAIMS.replace("faces = 12.5", "mean = 12.5"))
    assert run_press(tmp_path, "build") == 0
    strip = words_of((tmp_path / "site/posts/post.html").read_text())
    assert "Reproduced 1 of 1 case" in strip and "none recorded" not in strip


@pytest.mark.parametrize(
    ("compared", "sentence"),
    [
        ("baseline.copie", "suite 'gan' has no baseline 'copie'; did you mean 'copies'?"),
        ("at.7", "gan/faces/seed0 has no snapshot at 7; it has 1, 5 or 10"),
    ],
)
def test_a_name_mistyped_in_a_claim_is_told_there(
    tmp_path: Path, compared: str, sentence: str, capsys: Told
) -> None:
    build(tmp_path, POST)
    claims = tmp_path / "content/claims.toml"
    claims.write_text(CLAIMS.replace('"final"', f'"{compared}"'))
    capsys.readouterr()
    assert run_press(tmp_path, "build") == 1
    assert f"{claims}:10:1: {sentence}\n" in capsys.readouterr().err


def test_pictures_of_a_few_pixels_are_enlarged_by_a_whole_number(tmp_path: Path) -> None:
    shown = {"at.1": Image.new("RGB", (28, 28)), "final": Image.new("RGB", (28, 28), "red")}
    record("gan", "digits", metrics={"final": {"fid": 9.0}, "at.1": {"fid": 11.0}}, pictures=shown,
           curve={"epoch": [1, 2], "fid": [11.0, 9.0]}, results=tmp_path / "results")  # fmt: skip
    html = build(tmp_path, "# One\n" + PICTURES.replace("faces", "digits").replace('"1 10"', '"1"'))
    assert 'width="252" height="252" alt="Digits: after 2 epochs' in html
    assert '"words":"Epoch 2: 9.0"' in html, "the last output is a frame as well"
