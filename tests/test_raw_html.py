"""Raw HTML of posts: what is inert, where addresses lead, and what falls out of the column."""

import re

import pytest
from growing import SQUARE, growth
from made_site import article_of, said

from press.markdown.parser import parse
from press.page import PageContext

INERT = """A <code>{{ name }} "q" $x$ *a* [@none]</code> in a line.

<div><pre>{{ other }}

and $y$ behind an empty line</pre>
<textarea>{{ third }}</textarea></div>

<!-- {{ fourth }} <img src="no.png"> <div id="in-a-comment"> -->

<div><!-- <a href="gone.md">

{{ fifth }} --></div>

<style>p { --a: "{{ sixth }}"; }</style>
<script type="application/json">{"a": "</pre> {{ seventh }}"}</script>

[](#in-a-comment)
"""


def test_comments_and_code_are_inert_wherever_they_stand(context: PageContext) -> None:
    html = article_of(context, INERT).body
    assert said(context) == ["body.md:21:5: unknown id 'in-a-comment'"]
    for line in INERT.splitlines()[:-2]:
        assert line in html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ('<a name="rnd"></a>', '<a name="rnd" id="rnd"></a>'),
        ('<a name="a" id="b"/>c', '<a name="a" id="b"></a>c'),
        ("<a href=two.md#part>t</a>", '<a href="two.html#part">t</a>'),
        ("<A HREF='site:runs/index.html'>t</A>", '<a href="../runs/index.html">t</A>'),
        ('<a href="mailto:a@b.org">t</a>', '<a href="mailto:a@b.org">t</a>'),
        ('<p><img alt="a" src="line.svg"></p>', 'src="MEDIA" alt="a" width="9" height="9">'),
        ("<img src='line.svg' alt='a' width='50%'>", 'height="9" style="width: 50%">'),
        ("<video poster=line.svg src=line.svg></video>", '<video poster="MEDIA" src="MEDIA">'),
        ('<source srcset="line.svg, line.svg 2x">', '<source srcset="MEDIA, MEDIA 2x">'),
        ('<svg><image href="line.svg"/></svg>', '<svg><image href="MEDIA"/></svg>'),
        ("<td title=\"{{ setting('small').iterations }} steps\">", '<td title="1,000 steps">'),
        ('<td title="{{ setting("small").iterations }} steps">', '<td title="1,000 steps">'),
        ("<i data-x='{{ setting('small').iterations }}'>a</i>", '<i data-x="1,000">a</i>'),
        ("<b>1 &lt; 2&nbsp;&amp; AT&T</b>", "<b>1 &lt; 2\xa0&amp; AT&amp;T</b>"),
        ("<br/><hr /><rt>a</rt>", "<br/><hr /><rt>a</rt>"),
        ("<i id=free></i>[](#free)", 'href="#free">free</a>'),
        ("<kbd>a *b*</kbd>", "<kbd>a <em>b</em></kbd>"),
    ],
)
def test_tags_lead_where_those_of_markdown_do(context: PageContext, text: str, html: str) -> None:
    (context.content_dir / "posts/two.md").write_text("# Two")
    body = article_of(context, f"Words {text}").body
    media = re.sub(r"\.\./media/line-\w+\.svg", "MEDIA", body)
    assert html in media and said(context) == []


def test_what_is_wrong_in_a_tag_has_a_place(context: PageContext) -> None:
    article_of(
        context,
        '<a href="gone.md">a</a> <a href="#none">b</a>\n\n<div>\n  <video src="v.mp4">\n'
        '<source srcset="line.svg, gone.webp 2x"></div>\n\n<p onclick="f()"><iframe src="x">\n\n'
        '<audio src="https://example.org/a.ogg"></audio>\n<svg><text>$x$</text></svg>\n\n'
        '<a href="#references">a</a>\n\nWords <!-- open\n\n'
        '<script src="x.js"></script>\n\n<div><pre>never closed',
    )
    told = sorted(context.diagnostics, key=lambda one: one.place or ())
    assert [re.sub(r"^.*/(?=body)|: the page will.*|", "", str(one)) for one in told] == [
        "body.md:5:1: there is no file 'gone.md'; did you mean 'post.md'?",
        "body.md:5:25: unknown id 'none'",
        "body.md:8:3: warning: <video> is opened here and never closed",
        "body.md:8:3: there is no file 'v.mp4'",
        "body.md:9:1: there is no file 'gone.webp'",
        "body.md:11:1: warning: onclick will not run: the page allows its own scripts alone",
        "body.md:11:18: warning: <iframe> is opened here and never closed",
        "body.md:11:18: warning: <iframe> will not run: the page allows its own scripts alone",
        "body.md:11:18: there is no file 'x'",
        "body.md:13:1: warning: 'https://example.org/a.ogg' is not on this site",
        "body.md:14:13: warning: a formula within <svg> stays as it is",
        "body.md:18:7: warning: <!-- is not closed in this paragraph, and shows as text",
        "body.md:20:1: warning: <script> will not run: the page allows its own scripts alone",
        "body.md:22:1: warning: <pre> is opened here and never closed",
        "body.md:22:1: warning: <div> is opened here and never closed",
    ]


def test_the_text_of_raw_html_has_formulas_citations_and_references(context: PageContext) -> None:
    article = article_of(
        context,
        "<table>\n<tr><td>$a&lt;b$ in [@one; @two]</td><td>[](#part)\n"
        "<InlineMath>c</InlineMath></td></tr>\n</table>\n\n"
        '<details id="part"><summary>{{ setting("small").iterations }} $d$</summary>\n</details>',
    )
    assert re.findall("<annotation.*?>(.*?)</", article.body) == ["a&lt;b", "c", "d"]
    assert 'href="#part">part</a>' in article.body and "1,000" in article.body
    assert [one.key for one in article.references] == ["one", "two"] and article.has_formulas
    assert said(context) == []


def test_loose_text_stands_in_a_paragraph(context: PageContext) -> None:
    html = article_of(
        context,
        '<div align="center">centred</div> and <b>words</b> behind.\n<p>Its own\n\n<br>\nSo do\n\n'
        "<!-- none --> <img src=line.svg alt=a>\n\n<details>\nheld\n\n*md*\n\n</details> out\n\n"
        "<b>b <div>c</div></b>\n\n- <i>in a list</i>\n  words\n",
    ).body
    loose = re.findall(r"<(p|div)>((?:(?!<p>).)+?)\n?</\1>\n", html, re.DOTALL)
    assert [" ".join(re.sub("<[^>]+>", "", text).split()) for _, text in loose] == [
        "and words behind.", "So do", "md", "out", "b c",
    ]  # fmt: skip
    assert said(context) == []


MARKS = (
    "<code>", "<pre>", "<!--", "<a", '<a "', "<a x=", "<!", "<?", "<svg>", "<script>", "</p>",
    '<a x="{{ ', """<a x='{{ " """, '<a x="{{ y }} ',
    "<div><pre>\n\n", "<div><!--\n\n", "<p id='citation-1'>",
)  # fmt: skip


@pytest.mark.parametrize("mark", MARKS)
def test_the_time_for_raw_html_grows_as_its_length(mark: str) -> None:
    for before in ("", "<div>\n", "Words "):
        assert growth(lambda text: parse(text, "post.md"), before, mark, 1000) < SQUARE, before
