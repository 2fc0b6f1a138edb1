"""The table of blocks, and blocks that a site declares for itself in content/blocks.py."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from made_site import ROOT, SITE, made, make_context, read_anew, run_press
from reading import Told

from press.blocks.declaration import Block
from press.blocks.registry import documentation, load_blocks
from press.cli import main

TOOK = re.findall(
    r"```python\n(from markupsafe.*?)```", (ROOT / "docs/writing.md").read_text(), re.DOTALL
)[0]


def write_site(folder: Path, blocks: str) -> None:
    (folder / "content/posts").mkdir(parents=True)
    (folder / "content/blocks.py").write_text(blocks)
    (folder / "content/site.toml").write_text(SITE)
    post = '# One\n\n::: took suite="small"\nThe caption.\n:::\n'
    (folder / "content/posts/one.md").write_text(post)
    (folder / "content/posts/two.md").write_text("# Two\n\n::: note\nA note.\n:::\n")
    (folder / "content/experiments.toml").write_text(
        '[small]\ntitle = "Small"\ntask = "fit"\nimages = ["set/a"]\niterations = 10\n'
    )


def build(folder: Path) -> int:
    return run_press(folder, "build", "--run", "never")


def test_a_site_adds_a_block_by_one_file(tmp_path: Path, capsys: Told) -> None:
    write_site(tmp_path, TOOK)
    assert build(tmp_path) == 0
    page = tmp_path / "site/posts/one.html"
    assert "<p>Computed in <span" in page.read_text()
    capsys.readouterr()
    (tmp_path / "content/blocks.py").write_text(TOOK.replace("Computed in", "Done within"))
    assert build(tmp_path) == 0
    assert "1 page made anew" in capsys.readouterr().out, "the other post does not call it"
    assert "<p>Done within <span" in page.read_text()
    assert main(["blocks", "--content", str(tmp_path / "content")]) == 0
    assert "| `took` | how long the runs of a suite took |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("def took(", "def took", "blocks.py:13:49: not valid Python: unmatched ')'"),
        (
            "import SUITE,",
            "import SUITES, SIUTE,",
            "blocks.py:3:1: ImportError: cannot import name",
        ),
        (
            "suite.duration",
            "1 / 0",
            "one.md:3:1: {folder}/content/blocks.py:14:1: ZeroDivisionError: division by zero",
        ),
        (
            'default="Computed in"),',
            'default="Computed in"), numbered="chart",',
            "7:1: 'took': numbered is figure, table or listing, not 'chart'",
        ),
        ('"took"', '"curve"', "blocks.py:7:1: the press has a block 'curve' already"),
        ('"took"', '"my took"', "blocks.py:7:1: 'my took' cannot be the name of a block: "),
        (
            "def took(",
            "def other(call, suite, title): return Markup()\n\n@block('took', 'again')\ndef took(",
            "blocks.py:7:1: there are two blocks 'took'",
        ),
        (
            "def took(",
            "def took(call, suite, title): return Markup()\n\n@block('again', 'again')\ndef took(",
            "blocks.py:15:1: there are two functions 'took'",
        ),
        (
            ", title: str)",
            ")",
            "and its arguments differ: got an unexpected keyword argument 'title'",
        ),
        (
            "title: str)",
            "title: str, more: str)",
            "blocks.py:7:1: the function of block 'took' and its arguments differ: missing a",
        ),
        (
            "return Markup(",
            "return str(",
            "one.md:3:1: block 'took' returned a value of type 'str'; ",
        ),
        (
            "return Markup(",
            "return None and Markup(",
            "one.md:3:1: block 'took' returned None; it returns",
        ),
        (
            'return Markup("<p>{} {}.</p>").format(title, escape(suite.duration))',
            'from press.blocks.declaration import Figure; return Figure(Markup("A"), runs=["x"])',
            "one.md:3:1: block 'took' returned a Figure with 'x' for a run",
        ),
        ('"took"', '"tok"', "one.md:3:1: unknown block 'took'; did you mean 'tok'?"),
    ],
)
def test_a_mistake_in_them_is_told_with_its_line(
    tmp_path: Path, capsys: Told, old: str, new: str, said: str
) -> None:
    write_site(tmp_path, TOOK.replace(old, new, 1))
    assert build(tmp_path) == 1
    assert said.replace("{folder}", str(tmp_path)) in capsys.readouterr().err


def test_a_mistake_in_them_counts_though_no_post_calls_them(tmp_path: Path, capsys: Told) -> None:
    write_site(tmp_path, "from press.blocks.curves import curve\n")
    (tmp_path / "content/posts/one.md").unlink()
    assert build(tmp_path) == 0, "what they take from the press is none of theirs"
    (tmp_path / "content/blocks.py").write_text("1 / 0\n")
    assert build(tmp_path) == 1
    assert "blocks.py:1:1: ZeroDivisionError: division by zero" in capsys.readouterr().err


def test_the_plain_text_of_a_figure_is_escaped(tmp_path: Path) -> None:
    returned = 'return Markup("<p>{} {}.</p>").format(title, escape(suite.duration))'
    numbered = TOOK.replace('"Computed in"),', '"Computed in"), numbered="figure",')
    own = numbered.replace(returned, 'return Figure(f"{title} <fast>")')
    write_site(tmp_path, own.replace("Call, block", "Call, Figure, block"))
    assert build(tmp_path) == 0
    assert "Computed in &lt;fast&gt;" in (tmp_path / "site/posts/one.html").read_text()


def test_a_block_may_be_any_callable(tmp_path: Path) -> None:
    write_site(
        tmp_path,
        "from functools import wraps\nfrom markupsafe import Markup\n"
        "from press.blocks.declaration import TEXT, Argument, block\n"
        "def twice(make):\n    @wraps(make)\n    def made(call, title):\n"
        "        return make(call, title, title)\n    return made\n"
        "one = block('one', 'x')(lambda call: Markup('1'))\n"
        "two = block('two', 'x')(lambda call: Markup('2'))\n"
        "@block('took', 'x', Argument('suite', TEXT, 'x'), Argument('title', TEXT, 'x'))\n"
        "def took(call, suite, title): return Markup(title)\n"
        "@block('three', 'x', Argument('title', TEXT, 'x'))\n@twice\n"
        "def three(call, one, two): return Markup(one + two)\n"
        "@block('video', 'x', Argument('id', TEXT, 'x'), Argument('width', TEXT, 'x'))\n"
        "def video(call, id, width): return Markup(id + ' in ' + width)\n",
    )
    call = '# Two\n\n::: video id="abc" width="full"\n:::\n'
    (tmp_path / "content/posts/two.md").write_text(call)
    assert build(tmp_path) == 0
    assert "abc in full" in (tmp_path / "site/posts/two.html").read_text()


def test_the_documentation_has_the_table_of_blocks() -> None:
    blocks = load_blocks(ROOT / "content")
    assert documentation(blocks) in (ROOT / "docs/writing.md").read_text()


@pytest.mark.parametrize("block", load_blocks(ROOT / "content").values(), ids=lambda b: b.name)
def test_the_example_of_a_block_has_arguments_that_it_knows(block: Block) -> None:
    given = re.findall(r'(\w+)="', block.example)
    known = {argument.name: argument for argument in block.arguments}
    assert set(given) <= set(known)
    assert set(given) >= {argument.name for argument in block.arguments if argument.required}
    assert all(argument.help for argument in block.arguments)


def test_prose_is_what_stands_on_the_page_as_it_is_written() -> None:
    blocks = load_blocks(ROOT / "content")
    found = {name: blocks.prose_arguments(name) for name in blocks}
    assert {name: prose for name, prose in found.items() if prose} == {
        "suites-table": {"names"}, "curve": {"names"}, "compare": {"names"}, "plot": {"alt"},
        "figure": {"alt"},
        "note": {"title"}, "warning": {"title"}, "details": {"title"},
    }  # fmt: skip
    assert blocks.prose_arguments("no-such-block") == set()


@pytest.mark.parametrize("skip_channels", [(4, 4, 4, 4, 4), (0, 0, 0, 4, 4)])
def test_the_network_is_drawn_from_its_description(
    tmp_path: Path, skip_channels: tuple[int, ...]
) -> None:
    context = make_context(tmp_path)
    suites = tmp_path / "content/experiments.toml"
    changed = f"[paper]\nskip_channels = {list(skip_channels)}"
    suites.write_text(suites.read_text().replace("[paper]", changed, 1))
    html = made(read_anew(context), "network", suite="paper")
    described = context.results.suites.network(context.results.suites["paper"].network or "")
    svg = html[html.index("<svg") : html.index("</svg>") + len("</svg>")]
    words = [e.text or "" for e in ElementTree.fromstring(svg).iter("text")]
    for layer in described["layers"]:
        if layer["name"].endswith("conv2"):
            assert "×".join(map(str, layer["shape"])) in words, layer["name"]
    assert sum(word.startswith("skip, ") for word in words) == sum(n > 0 for n in skip_channels)
    assert f"{described['parameters']:,} parameters" in svg
