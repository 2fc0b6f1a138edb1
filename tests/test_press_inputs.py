"""What no file of a project may hold: each such input ends in one sentence with its place."""

import json
import os
import re
import shlex
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from markupsafe import Markup
from reading import Told

import dip.errors
import dip.toml_file
from press.build.manifest import program, refresh, with_folders
from press.build.state import ChangeDetector
from press.cache import Cache
from press.cli import main
from press.errors import InputError
from press.files import json_of
from press.markdown.post import load_post
from press.options import Options
from press.page import PageContext
from press.pages.site_pages import Site, Summary, feed_values
from press.pages.templates import Templates, load_theme
from press.results.record import parse_curve, read_record
from press.toml_file import TomlFile

DEEP, LONG = "[" * 5000, "9" * 5000
NOT_IN_LINE = ", no character of a line; in double quotes a backslash begins an escape, in "


def told(file: Path, text: str) -> list[str]:
    """What a post of this text is told, without its path."""
    file.write_text(text, encoding="utf-8")
    try:
        return [str(one).removeprefix(f"{file}:") for one in load_post(file).mistakes]
    except InputError as error:
        return [str(error).removeprefix(f"{file}:")]


@pytest.mark.parametrize(
    ("front", "sentences"),
    [
        (
            "author: A\ntitle: A\ndate: 2026-13-01",
            [
                "2:1: unknown key 'author'; did you mean 'authors'?",
                "4:7: 'date' is not a date such as 2026-11-23",
            ],
        ),
        ('title: ""', ["2:9: the title is empty; without this line the first heading is the"]),
        (r'title: "The $\theta$"', [f"2:9: 'title' holds U+0009{NOT_IN_LINE}"]),
        (r'summary: "The $\nabla$"', [f"2:11: 'summary' holds U+000A{NOT_IN_LINE}"]),
        (r'authors: [A, "B\0"]', ["2:10: 'authors' holds U+0000"]),
        (r'title: "\ud83d"', ["2:9: 'title' holds U+D83D"]),
        (r'title: "\Phi"', ["2:9: 'title' holds U+2029"]),
        (r'title: "\lambda"', ["2:10: the front matter is not valid YAML: found unknown escape"]),
        ("title: >\n\n  A\n  B\u2028", ["4:3: 'title' holds U+2028"]),
        ("title: A\nsummary: It\x92s", ["3:12: the front matter is not valid YAML: unacceptable"]),
        ("title: a: b", ["2:9: the front matter is not valid YAML: mapping values are not"]),
        (
            "title: Attempt #2 at it\nauthors: [A #2\n]\nstatus: 'a' # b\nimage: a.png # b",
            ["2:16: warning: '#2 at it' is left out, as a", "3:13: warning: '#2' is left out"],
        ),
        ('title: "A {{ a("b").c }}"', ["2:17: the front matter is not valid YAML: expected"]),
        (f"title: {DEEP}", ["2:1: the front matter is nested too deeply"]),
        (f"title: {LONG}\norder: {LONG}", ["2:8: 'title' is not text", "3:8: 'order' is not an"]),
        ("order: ²\ndate: ٢٠٢٦-01-01", ["2:8: 'order' is not an integer", "3:7: 'date' is not"]),
        ("draft: !!bool x\ndate: !!timestamp x", ["2:8: 'draft' is not true", "3:7: 'date' is"]),
        ("? [a]\n: b\ntitle: &a [*a]", ["2:3: unknown key '[...]'", "4:8: 'title' is not text"]),
        ("title: A\n---\n\nA\x0c", ["5:2: a page cannot hold the character U+000C"]),
    ],
)
def test_all_that_is_wrong_with_front_matter_is_told_with_its_place(
    tmp_path: Path, front: str, sentences: list[str]
) -> None:
    found = told(tmp_path / "post.md", f"---\n{front}\n---\n\nWords.\n")
    assert len(found) == len(sentences)
    assert all(one.startswith(sentence) for one, sentence in zip(found, sentences, strict=True))


@pytest.mark.parametrize(
    ("front", "values"),
    [
        (r"title: 'The $\theta$'", {"title": r"The $\theta$"}),
        ("summary: >\n  two\n  lines", {"summary": "two lines"}),
        ("authors: A\nimage: 'a b.png'", {"authors": ("A",), "image": "a b.png"}),
        ("draft: yes\norder: -3", {"draft": True, "order": -3}),
    ],
)
def test_front_matter_is_read(tmp_path: Path, front: str, values: dict[str, object]) -> None:
    assert told(tmp_path / "post.md", f"---\n{front}\n---\n") == []
    assert vars(load_post(tmp_path / "post.md")).items() >= values.items()


def test_one_build_tells_the_mistakes_of_front_matter_and_body(work: Path, capsys: Told) -> None:
    posts = work / "content/posts"
    (posts / "one.md").write_text("---\nlayout: a\ntitle: ''\ntags: b\n---\n\n[@nope] and $\\no$")
    (posts / "two.md").write_text("---\ndraft: true\ntags: b\n---\n")
    (posts / "three.md").write_text("[a](%00.md) [b](\\\\ud800.png) ![c](http://[x) <a href='//['>")
    assert main([]) == 1
    lines = capsys.readouterr().err.splitlines()
    places = [re.sub(r"^content/posts/|(?<=\d): .*", "", line) for line in lines]
    assert places == [
        "one.md:2:1", "one.md:3:9", "one.md:4:1", "one.md:7:2", "one.md:7:14",
        "three.md:1:1", "three.md:1:1", "three.md:1:13", "three.md:1:30", "three.md:1:46",
        "two.md:3:1", "8 errors, 3 warnings",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"a = 1\nb = {DEEP}", "2:1: not valid TOML: nested too deeply"),
        (f"\n[{'a.' * 5000}a]", "2:1: not valid TOML: nested too deeply"),
        (f"a = 1\nb = {LONG}", "2:1: a number with too many digits"),
        ("a = 1\nb = 0x" + "f" * 5000, "2:1: 'b' has more than 64 bits"),
        ('[a]\nb = ["c", "d\\u0008"]', "2:1: a page cannot hold the character U+0008"),
        ('a = "\\ud800"', "1:12: not valid TOML: escaped character is not a Unicode scalar value"),
        ("a = ²", "1:5: not valid TOML: invalid value"),
        ("a = 1\nb = '''c", "2:1: not valid TOML: expected \"'''\""),
    ],
)
def test_toml_that_cannot_be_used_has_a_place(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(InputError) as error:
        TomlFile(tmp_path / "a.toml")
    assert str(error.value) == f"{tmp_path / 'a.toml'}:{sentence}"
    if any(word in text for word in ("[[", LONG, "'''")):
        with pytest.raises(dip.errors.InputError, match=rf"a\.toml:{re.escape(sentence)}"):
            dip.toml_file.TomlFile(tmp_path / "a.toml")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (DEEP, "a.json: it is nested too deeply"),
        (LONG, "a.json: a number in it has too many digits"),
        ('{"a": NaN}', "a.json:1: 'a' is NaN, which is not finite"),
        ('{"a": {\n"b": -Infinity}}', "a.json:2: 'b' is -Infinity, which is not finite"),
        ('{"a": 1e999}', "a.json:1: 'a' is 1e999, which is not finite"),
        ('{\n"a": "\\ud83d\\ude00 \\uD83D"}', "a.json:2: \\ud83d is half a letter"),
        ('{"a": ²}', "a.json:1:7: Expecting value"),
        ("", "a.json:1:1: Expecting value"),
    ],
)
def test_json_that_cannot_be_used_is_an_error(text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(sentence)}$"):
        json_of(text, Path("a.json"))
    assert json_of('["\\ud83d\\ude00", 1e3]', Path("a.json")) == ["\U0001f600", 1000]


def test_a_record_or_curve_that_is_no_such_thing_is_damaged(tmp_path: Path) -> None:
    for text in (DEEP, LONG, '{"a": "\\ud800"}', '{"format": 2, "seal": "", "a": "b\\": 1-2", '):
        (tmp_path / "run.json").write_text(text)
        read_record.__globals__["_record"].cache_clear()
        with pytest.raises(InputError, match=r"run\.json.*: the record is damaged"):
            read_record(tmp_path)
    with pytest.raises(InputError, match=r"curve\.csv:2: the curve is damaged in this line"):
        parse_curve(f"iteration,a\n1,{'2' * 200_000}", Path("curve.csv"))


@pytest.mark.parametrize(
    "printed",
    [
        "'[' * 5000",
        "'9' * 5000",
        "end='', file=__import__('os').write(1, bytes([255])) and None",
        """'{"manifest": 1}'""",
        """'{"manifest": 1, "suites": {"a": {"runs": []}}, "images": {}, "networks": {}}'""",
        """'{"manifest": 1, "inputs": [[1]], "suites": {}, "images": {}, "networks": {}}'""",
    ],
)
def test_a_command_that_prints_no_manifest_has_its_place(tmp_path: Path, printed: str) -> None:
    (tmp_path / "print.py").write_text(f"print({printed})")
    (tmp_path / "site.toml").write_text(f"[experiments]\nmanifest = 'python {tmp_path}/print.py'\n")
    options = Options(tmp_path, tmp_path / "results", tmp_path / "site")
    with pytest.raises(InputError, match=r"site\.toml:2:1: 'python .*' printed no manifest"):
        refresh(options, ChangeDetector(options, None))


def test_a_manifest_of_another_version_is_told_as_one(tmp_path: Path) -> None:
    printed = {"manifest": 2, "inputs": [], "suites": {}, "images": {}, "networks": {}}
    (tmp_path / "print.py").write_text(f"print({json.dumps(printed)!r})")
    (tmp_path / "site.toml").write_text(f"[experiments]\nmanifest = 'python {tmp_path}/print.py'\n")
    options = Options(tmp_path, tmp_path / "results", tmp_path / "site")
    with pytest.raises(InputError, match=r"site\.toml:2:1: this manifest is of another version"):
        refresh(options, ChangeDetector(options, None))


@pytest.mark.skipif(os.name == "nt", reason="shells of Windows split no words as shlex does")
def test_a_command_is_run_as_it_is_shown(tmp_path: Path) -> None:
    options = Options(tmp_path / "Tom's site", Path("results"))
    shown = with_folders("python -m dip 'run'", options)
    ran = [sys.executable, "-m", "dip", "run", "--content", str(tmp_path / "Tom's site")]
    assert program("python -m dip 'run'", options) == ran
    assert shlex.split(shown)[1:] == ran[1:]


@pytest.mark.parametrize(
    ("of_site", "of_posts", "names"),
    [((), [("A",), ()], ["T"]), ((), [("A",), ("B",)], []), (("S",), [()], ["S"])],
)
def test_a_feed_has_an_author_wherever_an_entry_has_none(
    tmp_path: Path, of_site: tuple[str, ...], of_posts: list[tuple[str, ...]], names: list[str]
) -> None:
    site = Site(title="T", base_url="https://example.org/", authors=of_site)
    folders = Options().templates
    templates = Templates(folders, site, load_theme(folders))
    context = PageContext("feed.xml", tmp_path, tmp_path, Cache(tmp_path), templates.render)
    posts = [Summary("a.html", "A", Markup(""), None, by, "", False) for by in of_posts]
    feed = ET.fromstring(context.render("feed.xml", **feed_values(posts)).encode())
    atom = "{http://www.w3.org/2005/Atom}"
    assert [one.text for one in feed.findall(f"{atom}author/{atom}name")] == names


def test_what_xml_forbids_does_not_reach_the_feed(tmp_path: Path) -> None:
    site = Site(title="A\x08", base_url="https://example.org/")
    folders = Options().templates
    templates = Templates(folders, site, load_theme(folders))
    context = PageContext("feed.xml", tmp_path, tmp_path, Cache(tmp_path), templates.render)
    post = Summary(
        "posts/a.html", "B\ud800\0", Markup(""), None, (), "C\uffff", False
    )  # fmt: skip
    feed = ET.fromstring(context.render("feed.xml", **feed_values([post])).encode())
    assert [one.text for one in feed.iter() if "\ufffd" in (one.text or "")] == [
        "A\ufffd", "A\ufffd", "B\ufffd\ufffd", "C\ufffd",
    ]  # fmt: skip
