"""Posts made from a grammar of the dialect: none breaks the press, and none shows raw markup.

Formulas, code and texts that look like tags carry marks (qzv, qzc, zz9), by which they are found
again on the page. `TRIALS=2000 TRIAL_SEED=7 python -m pytest tests/trials/test_generated_posts.py`
tries more of them, and others.
"""

import re
from collections.abc import Callable
from html import unescape

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from made_site import make_context
from trials.trying import SEED, TRIALS, TRIED

from press.markdown.citations import Entry
from press.markdown.post import load_post
from press.page import PageContext
from press.pages.post import write_article
from press.pages.site_pages import Site

ENTRIES = {
    key: Entry(key, 1, [[key.title(), ""]], {"title": key, "year": "2020"})
    for key in ("one", "two")
}
Trial = Callable[[Callable[..., None]], Callable[..., None]]


def dose(kind: str, few: int) -> Trial:
    """Hypothesis with the seed and the number of trials that all trials have."""

    def prepared(test: Callable[..., None]) -> Callable[..., None]:
        rules = settings(
            max_examples=TRIALS or few,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        return seed(f"{SEED} {kind}")(rules(test))

    return prepared


NUMBER = st.integers(100, 999)
WORD = st.sampled_from(
    ["so", "it's", '"quoted"', "5$", "a_b_c", "2 * 3", "A&B", "C:\\dir", "x < y", "ä", "(c)",
     "a@b.org", "50%", "-", "1.", "#", "~", "\\*", "\\$5", "&amp;", "&lt;zz9&gt;", "{a}", "[b]"]
)  # fmt: skip
TEX = st.builds(
    "\\operatorname{{qzv}}_{{{}}}{}".format,
    NUMBER,
    st.sampled_from([" + x", "\\frac{a}{b}", "\\text{if } y", "= z^{2}", " < 3", "\\&", "", "\\$"]),
)
CODE = st.builds("`qzc{} {}`".format, NUMBER, st.sampled_from(
    ["$no$", "{{ no }}", "[@no]", "<zz9>", "**no**", "{% no %}", "[^no]", "\\begin{no}"]
))  # fmt: skip
LEAF = st.one_of(
    WORD, WORD, CODE, TEX.map("${}$".format), TEX.map("$${}$$".format),
    TEX.map("<InlineMath>{}</InlineMath>".format),
    st.sampled_from(
        ["[@one]", "[see <zz9> @two, p. 3; @one]", "[](#part)", "[^n]", "<!-- zz9 -->",
         '[a](https://example.org "a <zz9>")', "![a <zz9> b](line.svg)", "<kbd>k</kbd>",
         '{{ suite("small").planned }}']
    ),
)  # fmt: skip
WRAPPED = st.sampled_from(["*{}*", "**{}**", "~~{}~~", "[{}](#part)", "^[{}]", '"{}"', "({})"])
INLINE = st.recursive(LEAF, lambda inner: st.builds(str.format, WRAPPED, inner), max_leaves=3)
LINE = st.lists(INLINE, min_size=1, max_size=5).map(lambda parts: f"so {' '.join(parts)} so")


def indented(text: str, first: str, rest: str) -> str:
    """A text in a list or a quote."""
    lines = text.split("\n")
    return "\n".join([first + lines[0], *((rest + line).rstrip() for line in lines[1:])])


PARAGRAPH = st.lists(LINE, min_size=1, max_size=3).map("\n".join)
FENCE = st.builds(
    "```{}\nqzc{} $no$ {{{{ no }}}} <zz9>\n```".format,
    st.sampled_from(["", "python", "{.python}", "none"]),
    NUMBER,
)
DISPLAYED = st.builds(
    str.replace,
    st.sampled_from(
        ["$$\nT\n$$", "$$ T $$", "$$\nT\n$$.", "$$\nT\n$$ and on", "so\n$$\nT\n$$\nso"]
    ),
    st.just("T"),
    TEX,
)
SIMPLE = st.one_of(
    PARAGRAPH,
    PARAGRAPH,
    FENCE,
    DISPLAYED,
    LINE.map("### {}".format),
    LINE.map("| a | b |\n|---|---|\n| {} | `c` |\n\nTable: Words".format),
    LINE.map("Term\n: {}".format),
    TEX.map("<div>so ${}$ so</div>".format),
    st.just('::: figure src="line.svg" alt="a <zz9> b"\nWords.\n:::'),
)
BLOCK = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        inner.map(lambda text: indented(text, "- ", "  ")),
        inner.map(lambda text: indented(text, "1. ", "   ")),
        inner.map(lambda text: indented(text, "> ", "> ")),
        inner.map('::: note title="A <zz9> & {{{{ 1 }}}}"\n{}\n:::'.format),
    ),
    max_leaves=3,
)
POST = st.lists(BLOCK, min_size=1, max_size=5).map("\n\n".join)
MARKS = st.sampled_from(
    ["$", "$$", "`", "```", "{{", "}}", "[", "]", "[@", "^[", "[^", "](", "<", "<!--", ":::", "|",
     "\\", "\n", "\n\n", "> ", "- ", "    ", "*", "{", "\t", "\u2028", "\r", "\ufeff",
     "</InlineMath>"]
)  # fmt: skip


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> PageContext:
    """The page of a post in a small site, a drawing beside the post."""
    folder = tmp_path_factory.mktemp("site")
    made = make_context(folder)
    (folder / "content/posts/line.svg").write_text('<svg viewBox="0 0 9 9"/>')
    return made


def written(context: PageContext, text: str) -> str:
    """The body of a post, each of its messages with a place."""
    context.diagnostics.clear()
    file = context.content_dir / "posts/body.md"
    file.write_text(f"# A post\n\n{text}\n\n## Part\n\nso[^n]\n\n[^n]: A note.\n", encoding="utf-8")
    body = write_article(load_post(file), context, ENTRIES, Site()).body
    assert all(one.place and one.place.line > 0 for one in context.diagnostics)
    return str(body)


@dose("well-formed", 60)
@given(text=POST)
def test_a_post_shows_neither_raw_formulas_nor_raw_code_nor_tags(
    context: PageContext, text: str
) -> None:
    TRIED["posts from the grammar"] += 1
    html = written(context, text)
    formulas = re.findall(r"<annotation[^>]*>(.*?)</annotation>", html, re.DOTALL)
    codes = re.findall(r"<code[^>]*>(.*?)</code>", html, re.DOTALL)
    untold = re.sub("<!--.*?-->", "", html, flags=re.DOTALL)
    shown = re.sub(
        "<annotation.*?</annotation>|<code.*?</code>|<[^>]*>", "", untold, flags=re.DOTALL
    )
    assert set(re.findall(r"qzv\}_\{(\d+)", text)) <= set(
        re.findall(r"\{(\d+)\}", "".join(formulas))
    )
    for number, content in re.findall(r"`qzc(\d+) ([^`\n]*)`", text):
        assert any(f"qzc{number} {content}" in unescape(re.sub("<.*?>", "", one)) for one in codes)
    assert "operatorname" not in shown and "<zz9" not in untold


@dose("damaged", 100)
@given(text=POST, marks=st.lists(st.tuples(st.floats(0, 1), MARKS), min_size=1, max_size=12))
def test_a_damaged_post_breaks_nothing(
    context: PageContext, text: str, marks: list[tuple[float, str]]
) -> None:
    TRIED["posts with marks strewn in"] += 1
    for part, mark in marks:
        at = int(part * len(text))
        text = text[:at] + mark + text[at:]
    written(context, text)
