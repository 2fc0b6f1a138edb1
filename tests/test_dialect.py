"""The dialect of posts: what counts as a formula, and texts of marks that are never closed."""

import time

import pytest
from markdown_it import MarkdownIt
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin

from press.markdown.math import formulas_in
from press.markdown.parser import parse

OPENING = (
    "[", "[@", "[@a", "[@a;", "[@a ", "@", "[^", "^[", "![", "![](", "[](", "[](#", "[a](b", "[]: ",
    "`", "``a` ", "$", "$a ", "$$", "$$a ", "$\\", "{", "{{", "{{ '", '{{ "', "{{ {", "{#a", "{%",
    "<", "<a ", "<!--", "<?", "<![CDATA[", "<code>", "<InlineMath>", "<BlockMath>", "</", "*", "_",
    "~~", "**a *b ", "\\", "&#", "'", '"', "|", ": ", "::: ", "> ", "![a](b){", "`a`{", "# {#a ",
    "$$ a\n", "a $$\n", "a\n$$\n", "<BlockMath>\n", "<InlineMath>\n", "::: a\n", ":::: a\n::: b\n",
    "|a\n|-\n|", "a\n=\n", "```\n", "\n: a", "{{ a\n", "\n[^a]: ", "Table: ", " " * 9 + "{#a",
)  # fmt: skip
TIMES = 20_000


def spent(work: object, text: str) -> float:
    """The process time that `work` takes to read a text, in seconds."""
    start = time.process_time()
    work(text)  # type: ignore[operator]
    return time.process_time() - start


@pytest.mark.slow
def test_twenty_thousand_opening_marks_take_a_second_beyond_the_librarys_own_time() -> None:
    plain = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    plain.use(deflist_plugin).use(footnote_plugin)
    slow = {}
    for mark in OPENING:
        ours = spent(lambda text: parse(text, "post.md"), mark * TIMES)
        if ours > 1 and (more := ours - spent(plain.parse, mark * TIMES)) > 1:
            slow[mark] = more
    assert slow == {}


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ("$$\nx = 1\n$$.\n\nWords $ and\n\n$$\ny\n$$.", [("\nx = 1.", True), ("\ny.", True)]),
        ("$$\nx\n$$ where *y* is\nit.\n\n$$y$$", [("\nx\n", True), ("y", True)]),
        ("$$ x $$ (eq-a),\n$$y$$. {#eq-b}", [(" x,", True), ("y.", True)]),
        ("where $$x$$ is\n$$y$$ and $$z$$", [("x", False), ("y", False), ("z", False)]),
        ("We get $$\nx\n$$\nor more.\n\nThen $y$.", [("\nx\n", True), ("y", False)]),
        ("<BlockMath>\nx</BlockMath> or <BlockMath>y</BlockMath>", [("\nx", True), ("y", True)]),
        ("It is **35$** and **40$**; 5$/h or 10$/h and 5$/10$.", []),
        (r"10$\times$ at 90$^c$, 2$x_1$", [(r"\times", False), ("^c", False), ("x_1", False)]),
        ("> $$x$$\n\n- $$\n  y\n  $$,\n  z", [("x", True), ("\ny,", True)]),
    ],
)  # fmt: skip
def test_what_counts_as_a_formula(text: str, formulas: list[tuple[str, bool]]) -> None:
    tokens, errors = parse(text, "post.md")
    assert [one[:2] for one in formulas_in(tokens)] == formulas and errors == []


def test_words_behind_a_displayed_formula_go_on_as_words() -> None:
    tokens, _ = parse("> $$\n> x\n> $$ where [@key]\n> more", "post.md")
    inline = next(token for token in tokens if token.type == "inline")
    assert inline.content == "where [@key]\nmore"
    assert [str(inline.meta["origin"].at(at)) for at in (0, 13)] == ["post.md:3:6", "post.md:4:3"]


def test_a_formula_that_is_never_closed_takes_no_prose() -> None:
    tokens, errors = parse("Words\n$$\nx\n\nProse.\n\n<BlockMath>y\n\nProse.", "post.md")
    assert [token.content for token in tokens if token.type == "inline"] == [
        "Words", "Prose.", "Prose.",
    ]  # fmt: skip
    assert [str(error).partition(";")[0] for error in errors] == [
        "post.md:2:1: this formula is never closed by $$",
        "post.md:7:1: this formula is never closed by </BlockMath>",
    ]
