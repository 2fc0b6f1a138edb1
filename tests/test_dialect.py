"""The dialect of posts: what counts as a formula, and texts of marks that are never closed."""

import re

import pytest
from growing import SQUARE, growth
from made_site import article_of, said
from markdown_it import MarkdownIt
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin

from press.diagnostics import Diagnostic, SourceMap
from press.markdown.math import formulas_in
from press.markdown.parser import parse, parse_line
from press.page import PageContext

OPENING = (
    "[", "[@", "[@a", "[@a;", "[@a ", "@", "[^", "^[", "![", "![](", "[](", "[](#", "[a](b", "[]: ",
    "`", "``a` ", "$", "$a ", "$$", "$$a ", "$\\", "{", "{{", "{{ '", '{{ "', "{{ {", "{#a", "{%",
    "<", "<a ", "<!--", "<?", "<![CDATA[", "<code>", "<InlineMath>", "<BlockMath>", "</", "*", "_",
    "~~", "**a *b ", "\\", "&#", "'", '"', "|", ": ", "::: ", "> ", "![a](b){", "`a`{", "# {#a ",
    "$$ a\n", "a $$\n", "a\n$$\n", "<BlockMath>\n", "<InlineMath>\n", "::: a\n", ":::: a\n::: b\n",
    "|a\n|-\n|", "a\n=\n", "```\n", "\n: a", "{{ a\n", "\n[^a]: ", "Table: ", " " * 9 + "{#a",
    "{{ 1 < 2 }}\n", "$$ {{ 1 < 2 }} ", "| a |\n|---|\n{{ 1 < 2 }}\n",
)  # fmt: skip
TIMES = 2000  # as many marks


@pytest.mark.slow
def test_the_time_for_opening_marks_grows_as_their_number_unless_the_librarys_own_does_not() -> (
    None
):
    plain = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    plain.use(deflist_plugin).use(footnote_plugin)
    slow = {}
    for mark in OPENING:
        ours = growth(lambda text: parse(text, "post.md"), "", mark, TIMES)
        if ours > SQUARE and growth(plain.parse, "", mark, TIMES) < SQUARE:
            slow[mark] = ours
    assert slow == {}


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ("$$\nx = 1\n$$.\n\nWords $ and\n\n$$\ny\n$$.", [("\nx = 1.", True), ("\ny.", True)]),
        ("$$\nx\n$$ where *y* is\nit.\n\n$$y$$", [("\nx\n", True), ("y", True)]),
        ("$$ x $$ (eq-a),\n$$y$$. {#eq-b}", [(" x,", True), ("y.", True)]),
        ("$$ x $$ (maximum)", [(" x ", False)]),
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
    assert [one[1:] for one in formulas_in(tokens)] == formulas and errors == []


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
    assert [str(error) for error in errors] == [
        "post.md:2:1: this formula is never closed by $$; no line of it may be empty",
        "post.md:7:1: this formula is never closed by </BlockMath>; no line of it may be empty",
    ]


LEFT = {  # a text, and the columns of what in it shows as text
    "![](a.png){width=50% .wide} `a`{: #b} [c](d){k='e f'}": (),
    "A set {1, 2}, `a` {b} and ![](a.png){a b} or {: .c}, {#d}": (37, 46, 54),
    "[^no], ^[no, me@one.org and @one but @two": (1, 8, 29),
    "{% include a %}, {{ no, `{% raw %}` and \\{% no": (1, 14, 18),
    "{ref}`a` with [no][nope], a[0][b], [no](b c.png), [[No]] and [[1]]": (1, 15, 36, 51),
    "\\(x\\), \\[ x_1 \\], \\[1\\], \\begin{a}, \\alpha but C:\\Users\\me": (1, 8, 26, 37),
    "Over $ x_1 $ or $y^2 $ but not $5 or $6, it costs $5 and more than 6$": (6, 17, 52),
    "$$ x $$ (eq-x": (9,),
    "$$\nx\n$$ (eq-y) no, but (eq-z)": (4,),
    "\\{{ a }}, {\\{ a }}, \\{\\{ a }}, \\{% a %}, \\{#a} but \\*{ a }} and \\{ a }}{#b}": (54, 72),
    "a $$, `no and **no **, 2 ** 3, \\*\\*no, x~~no": (3, 7, 15, 20, 41),
    "H~2~O, x^2^, ==no==, :tada: at 10:30:20, a == b": (2, 9, 14, 22),
    "> [!NOTE]\n> a": (3,),
    "- [ ] no": (3,),
    "!!! note\n    no": (1,),
    "::: {.note}\nno\n:::": (1, 1),
    ':: curve suite="small"\nno\n::': (1, 1),
    "##no\n\n#1 is none, and a #tag": (1,),
    "| a | b |\n|---|\n| c | d |": (1,),
    "![a](b.png){widht=50% data-x=1}": (12,),
    "<details><summary>a</summary>\n\nb <sup>c</sup>\n\n</details>\n\n<ul><li>a</ul>": (),
    "<div>\n\nan <em>b\n\nc</em> <b>d <sup>e</b>": (4, 2, 13, 1),
    "title: no\ntags: no\n---": (1,),
    "+++\ntitle = 'no'\n+++": (1,),
    "| a | b |\n|---|---|\n| | | c |\n| | |": (1,),
    "Table: no {#a}": (1,),
    "a[^b]\n\n[^b]: c\n\n[^b]: c\n\n[^d]: no": (1, 1),
    "<div>**no**, `no` and <code>**a**</code></div>": (6, 10, 14, 17),
    "Words^[with {% in them and $$]": (13, 28),
    "[a](<b{{ c }}>) and [a](b 't {{ c }}') and ![a](b 't {{ c }}')": (1, 21, 44),
    "[a](b{{ c }}) and [a][b]\n\n[b]: c '{{ d }}'": (1, 19),
    "[see @one, p. {{ a }}] but `[@one, {{ a }}]`": (15,),
    "[*see* @one and $x$], [so $x_1$ @one] but [@one, 5 * 3 and 2 $]": (2, 27),
    '$x^{{2}}$, ${{a}\\over{b}}$, $-{{ run("a").b }}$, <b>$${{ claim("a") < 1 }}$$</b>': (31, 55),
    '```math\n{{ claim("a") }}\n```\n\n$$ {{a}_b} $$': (1,),
    "<td title={{ a }}>b</td> <i title='{{ a'>c</i> <i title='{{ a }}'>d</i>": (1, 26),
    "[](a.md), [a](), [ ](b), [{{ a < 1 }}](b) but [](#a) and [![a](b)](c)": (1, 11, 18, 26),
    "# {{ a < 1 }}\n\n- {{ a < 1 }}\n- b {{ a < 1 }}\n\nTerm\n: {{ a < 1 }}": (3, 3, 3),
    "A^[{{ a < 1 }} b] or[^n]\n\n[^n]: {{ a < 1 }}": (7,),
    "![a](b){onclick=c width=d} ![a](b){width=50% height=2.5em} `a`{title='a on=b'}": (8, 8),
}


@pytest.mark.parametrize("text", LEFT)
def test_what_was_typed_as_markup_and_shows_as_text_is_warned_of(text: str) -> None:
    _, found = parse(text, "post.md", keys=("one",))
    assert tuple(one.place.column for one in found if one.place) == LEFT[text]
    assert {one.severity for one in found} <= {"warning"}


UNTRUE = '{{ setting("small").iterations < 1 }}'
ROWS = "| x | y |\n|---|---|\n| 1 | 2 |\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{ROWS}C\n| 3 | 4 |\n|C|C|\n\nC\n\nTable: T {{#t}}", "Table 1. T Data: CSV x y 1 2 3 4"),
        (f"{ROWS}C\nTable: T\nC", "Table 1. T Data: CSV x y 1 2"),
        (f"{ROWS}\nC\nTable: T `{{#t}}`", "Table 1. T {#t} Data: CSV x y 1 2"),
        ("> | x |\n> |---|\n> | 1 |\n> C\n\nC\n\nwords", "x 1 words"),
        ("$$ z $$ (eq-z) C C\n\n[](#eq-z)", "(1) Equation (1)"),
        ("Words\n$$ z $$. C {#eq-z}C\nand [](#eq-z)", "(1) and Equation (1)"),
        ("> $$\n> z\n> $$. {#eq-z} C\n> words [](#eq-z)", "(1) words Equation (1)"),
        ("faster C, and C C.\n\nBefore\nC!\n\nC\nBehind", "faster, and. Before! Behind"),
        ("*faster C*. Behind", "faster . Behind"),
        ('<div title="C">a</div>\n\nb <i title="C">c</i>', "a b c"),
    ],
)  # fmt: skip
def test_comparisons_are_worked_out_and_leave_no_trace(
    context: PageContext, text: str, words: str
) -> None:
    html = article_of(context, text.replace("C", UNTRUE).replace(f"{UNTRUE}SV", "CSV")).body
    shown = " ".join(re.sub("<[^>]+>", " ", html).split())
    assert shown.endswith(words)
    assert not any(trace in html for trace in ("<td></td>", "<p></p>", " </em>"))
    assert [one.rpartition(" ")[2] for one in said(context)] == ["[untrue]"] * text.count("C")


@pytest.mark.parametrize("mark", ["> ", "- ", "1. ", "::: a\n"])
def test_what_is_nested_too_deeply_is_told(mark: str) -> None:
    for times, is_shown in ((20, True), (99, False)):
        tokens, errors = parse(mark * times + "deep [^a]", "post.md")
        assert any(one.content == "deep [^a]" for one in tokens) == is_shown
        told = [one for one in errors if one.severity == "error" and "too deeply" in str(one)]
        assert [one.place is not None for one in told] == [] if is_shown else [True]


def test_code_that_is_never_closed_is_an_error() -> None:
    closed = "```\na\n```\n\n> ~~~\n> ```\n> ~~~\n\n- a\n\n  ````\n  ```\n  ````\n"
    _, errors = parse(f"{closed}\n- a\n  ```\n  b\n\nc\n\n~~~ python\nd\n~~\n", "post.md")
    assert [str(error) for error in errors] == [
        "post.md:16:3: this code is opened here and never closed by ```",
        "post.md:21:1: this code is opened here and never closed by ~~~",
    ]


def test_an_argument_is_given_once_and_an_id_has_no_space() -> None:
    _, errors = parse('::: note title="a" title="b" id="c d"\n:::', "post.md")
    assert [str(error) for error in errors] == [
        "post.md:1:20: 'title' is given twice",
        "post.md:1:34: 'c d' is no id: an id has no spaces",
    ]


def test_what_a_formula_may_not_do_is_told(context: PageContext) -> None:
    article_of(context, r"$\href{https://a.org}{x}$, $\includegraphics{a.png}$")
    assert [re.sub(r"^body.md:|a formula holds.*", "", one) for one in said(context)] == [
        r"5:2: warning: in this formula: \href shows in red: ",
        r"5:29: warning: in this formula: \includegraphics shows in red: ",
    ]


def test_a_title_and_a_caption_are_looked_through_too() -> None:
    found: list[Diagnostic] = []
    parse_line("A [^no] title", SourceMap.of_lines("post.md", "A [^no] title", 2, 9), found)
    found += parse('![a](b.png "All of {% it")', "post.md")[1]
    assert [str(one) for one in found] == [
        "post.md:2:11: warning: '[^no]' shows as text: the note 'no' is not defined",
        "post.md:1:20: warning: '{%' shows as text: templates of other tools mean nothing here",
    ]
