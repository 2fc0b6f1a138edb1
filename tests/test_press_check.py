"""What `check` finds in a made site."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from reading import Told

from press import record
from press.checks.links import PageFacts
from press.cli import main

SETTINGS = """title = "A"
description = "PSNR: 40.1"
metrics.psnr_db = { label = "PSNR", unit = "dB" }
"""


def checked(work: Path, text: str, capsys: Told, *more: str) -> str:
    """Check a site of one post; gives what was told, without the lines' places."""
    (work / "content/posts/one.md").write_text(f"---\ntitle: One\n---\n\n{text}\n")
    capsys.readouterr()
    code = main(["check", *more])
    told = capsys.readouterr().err
    assert code == (1 if [line for line in told.splitlines() if "warning: " not in line] else 0)
    return told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("See [there](two.md#gone).", "'posts/two.html' has no id 'gone'; did you mean 'gone-by'?"),
        ('<p id="a"></p>\n\n<p id="a"></p>', "one.md:7:8: the id 'a' is given 2 times"),
        ('<label for="b">B</label>', "unknown id 'b' in <label>"),
        ("## A\n\n#### B", "a heading of level 4 follows one of level 2"),
        ("<h1>B</h1>", "one.md:5:1: a second heading of the first level"),
    ],
)
def test_what_is_broken_is_an_error(work: Path, text: str, told: str, capsys: Told) -> None:
    (work / "content/posts/two.md").write_text("---\ntitle: Two\n---\n\n## Gone by\n")
    assert told in checked(work, text, capsys)


def test_a_page_of_the_author_s_that_a_post_links_to_is_none_of_ours(
    work: Path, capsys: Told
) -> None:
    (work / "content/posts").joinpath("demo.html").write_bytes("<p>f\xfcr</p>".encode("latin-1"))
    assert checked(work, "The [demo](demo.html#part).", capsys) == ""


@pytest.mark.parametrize(
    ("html", "told"),
    [
        ('<a href="tow.html">There</a>', "the link 'tow.html' leads nowhere"),
        ('<a href="/two.html">There</a>', "'/two.html' begins at the root of the domain"),
        ('<a href="http://[x">There</a>', "'http://[x' is not a valid address"),
        ('<video srcset=", v.webp 2x,"></video>', "the link 'v.webp' leads nowhere"),
        ('<img srcset="data:a;base64,AA 2x, b.png" alt="">', "the link 'b.png' leads nowhere"),
        (f'<a href="{"a" * 300}.html">Long</a>', "aaa.html' leads nowhere"),
        ('<video src="https://example.org/v.mp4"></video>', "is loaded from another site"),
    ],
)
def test_what_a_template_breaks_is_an_error_at_its_place_in_the_page(
    work: Path, html: str, told: str, capsys: Told
) -> None:
    (work / "templates").mkdir()
    (work / "templates/index.html").write_text(
        f'{{% extends "theme/index.html" %}}{{% block main %}}<h1>A</h1>\n{html}{{% endblock %}}'
    )
    lines = checked(work, "Text.", capsys).splitlines()
    (line,) = [line for line in lines if told in line]
    assert sum("leads nowhere" in line for line in lines) <= 1
    path, row, column, _ = line.split(":", 3)
    assert (work / path).read_text().splitlines()[int(row) - 1][int(column) - 1 :].startswith(html)


@pytest.mark.parametrize("base", [[], ["--base-url", "https://example.org/a/"]])
def test_the_page_of_lost_addresses_is_checked_as_others_are(
    work: Path, capsys: Told, base: list[str]
) -> None:
    (work / "templates").mkdir()
    (work / "templates/404.html").write_text(
        '{% extends "theme/404.html" %}{% block main %}<h3>A</h3><h1 id="content">B</h1>'
        '<a href="/b/x.html">B</a> <a href="{{ root }}posts/one.html">C</a> '
        '<a href="{{ root }}">D</a> <a href="{{ root }}gone.html">E</a>{% endblock %}'
    )
    told = [line.split(": ", 1)[1] for line in checked(work, "Text.", capsys, *base).splitlines()]
    root = "/a/" if base else ""
    assert told == [
        "a heading of level 3 is the first of the page [html]",
        f"the link '{root}gone.html' leads nowhere; did you mean 'index.html'? [link]",
    ]


def test_a_picture_that_lacks_something_is_an_error_with_front_matter_alone(
    work: Path, capsys: Told
) -> None:
    (work / "content/posts/line.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    text = "Here ![](line.svg) and ![A line](lime.svg)"
    told = checked(work, text, capsys)
    assert "one.md:5:6: the picture 'line.svg' has no alternative text [image]\n" in told
    assert "one.md:5:24: there is no picture 'lime.svg'; did you mean 'line.svg'? [image]\n" in told
    assert main(["build"]) == 0, "a draft is shown as it is"
    (work / "content/posts/one.md").write_text(text)
    assert main(["check"]) == 0
    assert capsys.readouterr().err.count("warning: the") >= 2


def test_a_picture_of_a_template_needs_a_text(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text('<img src="a.png">\n<img src="b.png" alt="">')
    (found,) = PageFacts(tmp_path / "page.html").without_alt
    assert (found.value, found.place.line) == ("a.png", 1)


def test_what_came_from_a_post_is_told_with_its_place_there(work: Path, capsys: Told) -> None:
    rows = [
        "A label of one, a track of two.", '<label for="one">A</label>', '<p id="x"></p>',
        "#### A *heading* too deep {#deep}", '<label for="one">B</label>', "[There](site:tow.html)",
        "<h6>And</h6>", "[Gone](site:posts/one.html#gone)", "[Gone](site:posts/one.html#gone)",
    ]  # fmt: skip
    places = ("7:13", "11:1", "13:13", "15:14", "17:1", "19:13", "21:13")
    told = checked(work, "\n\n".join(rows), capsys)
    assert [":".join(line.split(":")[:3]) for line in told.splitlines()] == [
        f"content/posts/one.md:{place}" for place in places
    ]


def test_a_work_that_nothing_cites_is_a_warning(work: Path, capsys: Told) -> None:
    bibliography = "@book{one, title={A}, crossref={all}}\n\n@book{two, title={B}}\n"
    bibliography += "@book{all, title={C}}\n"
    (work / "content/references.bib").write_text(bibliography)
    told = checked(work, "As in [@one].", capsys)
    assert told == "content/references.bib:3:1: warning: nothing cites 'two' [unused-reference]\n"


def test_a_metric_that_nothing_has_is_a_warning(work: Path, capsys: Told) -> None:
    curve = {"epoch": [1, 2], "error": [0.2, 0.1]}
    record("digits", "mlp", metrics={"accuracy": 97.0, "loss": 0.1}, curve=curve, command="")
    names = ("accuracy", "los", "error", "seconds", "recall")
    settings = "".join(f'[metrics.{name}]\nunit = "%"\n' for name in names)
    (work / "content/site.toml").write_text(settings)
    (work / "content/claims.toml").write_text('[t]\nmetric = "recall"\n[t.row]\nmean = 1.0\n')
    assert checked(work, "Text.", capsys) == (
        "content/site.toml:3:2: warning: no record, curve or claim has the metric 'los'; "
        "did you mean 'loss'? [unused-metric]\n"
    )


def test_a_result_typed_into_the_settings_is_an_error_each_time(work: Path, capsys: Told) -> None:
    suite = '[one]\ntitle = "One"\ntask = "inpainting"\nimages = ["a/b"]\nmask = "bernoulli"\n'
    long = 'why = """\nOurs is well\nat 39.16 dB.\n"""\n'
    (work / "content/experiments.toml").write_text(suite + long)
    (work / "content/site.toml").write_text(SETTINGS)
    choices = '[one.slope]\norigin = "ours"\nwhy = "brings 2 dB"\n'
    (work / "content/choices.toml").write_text(choices)
    names = '[names]\npaper = "Doe, 41.2 dB"\nmethods.fill = "Fill (42.3 dB)"\n'
    names += "[math.macros]\nbest = '44.5\\,\\mathrm{dB}'\nof = '#1\\,\\mathrm{dB}'\n"
    with (work / "content/site.toml").open("a") as site:
        site.write(names)
    (work / "content/blocks.py").write_text('NOTE = "<p>Ours has 43.4 dB.</p>"\nSHARE = 0.5\n')
    typed = "is a result typed by hand"
    for again in ("", " still"):
        told = checked(work, f"Text{again}.", capsys, "--run", "never")
        assert f"content/experiments.toml:8:4: '39.16' {typed}" in told
        assert f"content/site.toml:2:22: '40.1' {typed}" in told
        assert f"content/choices.toml:3:15: '2' {typed}" in told
        assert f"content/site.toml:5:15: '41.2' {typed}" in told
        assert f"content/site.toml:6:23: '42.3' {typed}" in told
        assert f"content/blocks.py:1:20: '43.4' {typed}" in told
        assert f"content/site.toml:8:9: '44.5' {typed}" in told
        assert told.count(typed) == 7
    assert main(["build", "--run", "never"]) == 0
    assert "warning: '39.16'" in capsys.readouterr().err


class Gone(BaseHTTPRequestHandler):
    """Answers that one page is gone, and all others are there."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(404 if self.path == "/gone" else 200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_outside_addresses_are_asked_only_when_wanted(work: Path, capsys: Told) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gone)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_address[1]}"
    text = f"[Here]({base}/here#part) and [gone]({base}/gone)."
    assert checked(work, text, capsys) == ""
    told = checked(work, text, capsys, "--outside")
    server.shutdown()
    assert f"'{base}/gone' answers with 404 Not Found" in told
    assert "/here" not in told
