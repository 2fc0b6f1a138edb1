"""From a post's text to HTML: parsed, numbered by passes on tokens, rendered."""

import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest
from made_site import ENTRIES, article_of, make_context, said

from press.diagnostics import Place, SourceMap
from press.errors import InputError
from press.markdown.citations import Entry
from press.markdown.parser import parse, parse_line, parser
from press.markdown.passes import in_reading_order
from press.markdown.post import load_post
from press.markdown.renderer import PostRenderer
from press.markdown.syntax import keys_in
from press.page import PageContext
from press.pages.post import write_article
from press.pages.site_pages import Site, load_site

FOLDER = Path(__file__).parent.parent / "press/markdown"


def test_a_text_is_parsed_without_a_page() -> None:
    tokens, errors = parse("See $x$.\n\n::: note title=a\nNever closed", "post.md")
    assert [token.type for token in tokens if token.nesting > 0] == [
        "paragraph_open", "directive_open", "paragraph_open",
    ]  # fmt: skip
    assert [str(error) for error in errors] == [
        "post.md:3:1: this block is opened here and never closed by :::",
        "post.md:3:10: 'title=a' is not of the form key=\"value\"",
    ]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("$x$ is in table 3", ["formula", "text"]),
        ("It costs $5 and `a$` more", ["text", "code_inline", "text"]),
        ("$5 or $6", ["text"]),
        ("where $$x$$ is it", ["text", "formula", "text"]),
        ("<InlineMath>a|b</InlineMath>", ["formula"]),
        ("[see @one, p. 3; @two]", ["citation"]),
        ("[me@one.org] [see \\@one] [https://a.org/@one]", ["text"]),
        ("[`@one` a] [a ` @one] ` b]", ["text", "code_inline"] * 2 + ["text"]),
        ("[@one](#a) is a link", ["link_open", "text", "link_close", "text"]),
        ("[](#a) but [](b.md)", ["reference", "text", "link_open", "link_close"]),
        ('{{ run("a|b").x }}', ["expression"]),
        ("{{ {'a': 1} }} and { {", ["expression", "text"]),
    ],
)
def test_the_rules_of_a_line(text: str, kinds: list[str]) -> None:
    tokens = parse_line(text, SourceMap.of_lines("post.md", text, 1))
    assert [token.type for token in tokens] == kinds


def test_the_tokens_of_a_caption_know_their_place() -> None:
    tokens, _ = parse('Text.\n\n![Alt](x.png "A *fine* $x$"){#fig-a .wide}\n', "post.md")
    figure = next(token for token in tokens if token.type == "figure")
    assert figure.attrs == {"title": "A *fine* $x$", "id": "fig-a", "class": "wide"}
    formula = next(token for token in in_reading_order([figure]) if token.type == "formula")
    assert formula.meta["origin"].at(formula.meta["start"]) == Place("post.md", 3, 25)


def test_a_note_knows_where_it_stands(context: PageContext) -> None:
    html = article_of(
        context, "Two\n> lines[^n] go on.\n\n[^n]: a *note*,\n$\\bad$ and 39.16 dB, [@none]"
    ).body
    assert '<li id="fn1" class="footnote-item"><p>a <em>note</em>,' in html
    assert [message[: len("body.md:7:12: warning: '39.16'")] for message in said(context)] == [
        "body.md:9:23: unknown citation",
        "body.md:9:2: in this formula: ",
        "body.md:9:12: warning: '39.16'",
    ]


def test_references_have_the_names_of_what_comes_later(context: PageContext) -> None:
    html = article_of(
        context,
        "[](#fig-b), [](#eq-a), [](#tab-a), [](#part-2), [](#lst).\n\n"
        ":::: details\n::: note\n![a](line.svg){#fig-a}\n:::\n\n$$ x $$ (eq-a)\n::::\n\n"
        '![b](line.svg "In it [](#fig-a)"){#fig-b}\n\n## Part\n\n## Part\n\n'
        "| a |\n|---|\n| b |\n\nTable: Words {#tab-a}\n\n"
        '::: include path="content/claims.toml" lines="1" id="lst"\nWords.\n:::',
    ).body
    names = re.findall(r'class="reference" href="[^"]*">(.*?)</a>', html)
    assert names == ["Figure 2", "Equation (1)", "Table 1", "Part", "Listing 1", "Figure 1"]
    assert '<span class="label">Figure 2.</span> In it' in html
    assert said(context) == []


def test_a_caption_of_a_picture_holds_no_note_and_a_text_for_the_blind_no_id(
    context: PageContext,
) -> None:
    line = '![set id=3](line.svg "One ^[a note] here"){#fig-a}\n\n![again id=3](line.svg)'
    article_of(context, line)
    assert [message for message in said(context) if "as a picture" not in message] == [
        "body.md:5:23: a picture's caption holds no note; that of ::: figure may"
    ]


def test_a_plain_text_names_what_it_refers_to_and_tells_what_it_cannot_hold(
    context: PageContext,
) -> None:
    file = context.content_dir / "posts/body.md"
    file.write_text(
        '---\ntitle: A [@one]\nsummary: "As in [](#fig-z), so ^[n]. [](#no)"\n---\n\n'
        '![<m> of [](#z)[^n]](line.svg) is[^n]\n\n![z](line.svg "Z"){#fig-z}\n\n## Z\n\n[^n]: a'
    )
    article = write_article(load_post(file), context, ENTRIES, Site())
    assert article.post.summary == "As in Figure 1, so . no"
    assert 'alt="of Z"' in article.body
    assert said(context) == [
        "body.md:2:11: warning: a title, a summary and the text of a picture hold no citation",
        "body.md:3:32: a title, a summary and the text of a picture hold no note",
        "body.md:6:16: a title, a summary and the text of a picture hold no note",
        "body.md:6:3: warning: '<m>' is left out of a picture's text; a mere < is written \\<",
        "body.md:3:42: unknown id 'no'",
        "body.md:3:42: unknown id 'no'",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It is {{ suite(\"small\").planned }}'s and others'.", "It is 2’s and others’."),
        ('"about {{ suite("small").planned }}" and "then"', "“about 2” and “then”"),
        ("the `fit()`'s value", "the fit()’s value"),
        ("the $f(x)$'s value", "’s value"),
        ('He said{{ suite("small").planned == 2 }} "so".', "He said “so”."),
    ],
)
def test_quotes_are_curled_beside_what_is_not_words(
    context: PageContext, text: str, words: str
) -> None:
    html = article_of(context, text).body
    assert words in unescape(re.sub(r"<[^>]+>", "", html))


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ('- ![a](line.svg "One"){#fig-a}\n\n[](#fig-a)', ">Figure 1</a>"),
        ('Words ![a](line.svg "One") more', 'title="One"'),
        ("## Dup\n\n![a](line.svg){#dup}", '<h2 id="dup-2"'),
        ("## Errata", '<h2 id="errata-2"'),
        ("[p](line.svg#part=3)", '.svg#part=3"'),
        ("[see&nbsp;@one, p.&nbsp;3]", ", p.\u00a03]"),
    ],
)
def test_nothing_that_was_written_is_lost(context: PageContext, text: str, html: str) -> None:
    assert html in article_of(context, text).body


def test_ids_that_are_unknown_or_given_twice_have_a_place(context: PageContext) -> None:
    article_of(
        context,
        '[](#fig-z) and [words](#nothing).\n\n![a](line.svg){#fig-a}\n\n'
        '::: figure src="line.svg" alt="a" id="fig-a"\nWords.\n:::\n\n$$ x $$ {#fig-a}'
        "\n\n## Same\n\n## One {#same}\n\n## Two {#same}\n\n##"
        "\n\n## References {#references}\n\n$$ y $$ {#errata}",
    )  # fmt: skip
    assert [message for message in said(context) if "as a picture" not in message] == [
        "body.md:9:39: the id 'fig-a' is given twice",
        "body.md:13:3: the id 'fig-a' is given twice",
        "body.md:25:3: the id 'errata' is reserved for the list of changes",
        "body.md:19:4: the id 'same' is given twice",
        "body.md:23:4: the id 'references' is reserved for the list of references",
        "body.md:21:1: warning: this heading has no words",
        "body.md:5:5: unknown id 'fig-z'; did you mean 'fig-a'?",
        "body.md:5:16: unknown id 'nothing'",
    ]


def test_a_heading_may_refer_and_cite(context: PageContext) -> None:
    article = article_of(
        context, "## As [](#fig-a) shows [@one]\n\n## See [](#last)\n\n## Last {#last}\n\n"
        "![a](line.svg){#fig-a}\n\n[](#as-shows)",
    )  # fmt: skip
    assert [str(heading.html) for heading in article.toc] == [
        "As Figure 1 shows", "See last", "Last",
    ]  # fmt: skip
    assert '<a class="reference" href="#as-shows">As Figure 1 shows</a>' in article.body
    assert article.body.count('id="cite-one-1"') == 1


def test_what_stands_in_a_link_is_no_link(tmp_path: Path) -> None:
    context = make_context(tmp_path, "paper")
    (tmp_path / "content/posts/line.svg").write_text('<svg viewBox="0 0 9 9"/>')
    words = 'best {{ run("paper/anna").psnr_db }} [](#fig-a)'
    raw = words.replace("[](#fig-a)", "")
    article = article_of(
        context, f"## Head {words}\n\n[](#head-best) <a href='#fig-a'>{raw}</a> [{raw}](#fig-a)\n\n"
        f"{raw}\n\n![a](line.svg){{#fig-a}}",
    )  # fmt: skip
    within = re.findall(r"<a [^>]*>(.*?)</a>", article.body + article.toc[0].html)
    assert len(within) == 7 and not any("<a" in one for one in within)
    assert article.toc[0].html.startswith('Head best <span class="q from-run">')
    assert article.body.count('href="../runs/paper/anna/seed0.html"') == 2  # of heading and text


@pytest.mark.parametrize(
    "text",
    [
        "| a |\n|---|\n| b |\n\nTable: <a href='#fig-a'>Open\n\n[](#fig-a)",
        "- <a id='q'>\n- [](#fig-a)",
        "A note^[<a href='#fig-a'>Open] [](#fig-a)",
    ],
)
def test_a_link_that_is_left_open_ends_with_its_words(context: PageContext, text: str) -> None:
    body = article_of(context, f"{text}\n\n![a](line.svg){{#fig-a}}").body
    assert '<a class="reference" href="#fig-a">' in body


def test_a_heading_with_an_escape_says_it_once(context: PageContext) -> None:
    article = article_of(context, "## It costs \\$5\n\n[](#it-costs-5)")
    assert [str(heading.html) for heading in article.toc] == ["It costs $5"]
    assert said(context) == []


def test_a_cell_may_hold_a_bar_in_an_expression_or_a_formula(context: PageContext) -> None:
    html = article_of(
        context,
        "> | a | b |\n> |---|---|\n"
        '> | {{ suite("small").planned | spelled }} | <InlineMath>x|y</InlineMath> |',
    ).body
    assert html.count("<td>") == 2 and "|" not in re.sub(r"<annotation.*?</annotation>", "", html)


@pytest.mark.parametrize("rows", ["", "| ![a](line.svg) |\n", '| {{ run("paper/bob").ps }} |\n'])
def test_a_table_without_words_has_no_data(context: PageContext, rows: str) -> None:
    article = article_of(context, f"| a |\n|---|\n{rows}\nTable: Pictures. {{#tab-a}}")
    assert ">Table 1.</span> Pictures.</caption>" in article.body
    assert len(said(context)) == ("run(" in rows)


def test_data_of_two_tables_have_two_addresses(context: PageContext) -> None:
    table = "| a |\n|---|\n| b |\n\nTable: "
    article_of(context, f"{table}One. {{#table-2}}\n\n{table}Two.")
    (sentence,) = said(context)
    assert sentence == "table-2.csv'; give one of them another id"


def test_citations_are_numbered_as_they_are_read(context: PageContext) -> None:
    article = article_of(
        context,
        "| a |\n|---|\n| [@one] |\n\nTable: By [@two]\n\nAnd [see @one, p. 3; @two].[^n]\n\n"
        "[^n]: Once more [@one; @none].",
    )
    assert [one.key for one in article.references] == ["two", "one"]
    assert [href for href, _ in article.references[1].back_links] == [
        "#cite-one-1", "#cite-one-2", "#cite-one-3",
    ]  # fmt: skip
    text = re.sub(r"<[^>]+>", "", article.body)
    assert "And [see 2, p. 3; 1]." in text and "Once more [2, none]" in text
    assert said(context) == ["body.md:13:24: unknown citation '@none'; did you mean 'one'?"]


def test_works_are_cited_with_either_separator_and_by_any_key(context: PageContext) -> None:
    keys = ("one", "two", "d'oro:2022/x", "a;b(c)#%")
    entries = {
        key: Entry(key, Place("references.bib", 1, 1), [[key, ""]], {"title": key}) for key in keys
    }
    article = article_of(
        context,
        "[@one, @two] [-@one, p. 3, see @two] [@one and @two] [@one p. 3] [@d'oro:2022/x.]\n"
        "[@{a;b(c)#%}; @two]",
        entries,
    )
    text = re.sub(r"<[^>]+>", "", article.body)
    assert text == "[1, 2] [1, p. 3, see 2] [1 and 2] [1 p. 3] [3.]\n[4, 2]\n"
    links = re.findall(r'id="([^"]+)" href="#([^"]+)"', article.body)
    assert [(unescape(id), unquote(href)) for id, href in links[-3:-1]] == [
        ("cite-d'oro:2022/x-1", "ref-d'oro:2022/x"), ("cite-a;b(c)#%-1", "ref-a;b(c)#%"),
    ]  # fmt: skip
    assert [one.key for one in article.references] == [*keys]
    assert said(context) == []


def test_a_long_citation_is_read_in_one_go() -> None:
    for mark in ("@", "@a;", "@a-", "@a, ", "`@", "@{", "-", "<"):
        works = keys_in(mark * 20_000)  # with any going back this would take minutes
        assert len(works) in (0, 20_000)


def test_references_made_by_hand_lead_back_to_every_link(context: PageContext) -> None:
    html = article_of(
        context,
        "It[[1]](#citation-1) and[^n] it[[1]](#citation-1).\n\n[^n]: Or [[2]](#citation-2).\n\n"
        '<div id="citation-1">First</div>\n\n<p id="citation-2">Second</p>\n\n'
        '<p id="citation-3">Third</p>\n\n[[x]](#citation-%22x) <i id=\'citation-"x\'></i>',
    ).body
    links = re.findall(r'<a href="#(cite-\S+)" aria-label="(.*?)">', html)
    assert links == [
        ("cite-1-1", "Back to citation 1, mention 1"),
        ("cite-1-2", "Back to citation 1, mention 2"),
        ("cite-2-1", "Back to citation 2"),
        ("cite-%22x-1", "Back to citation &#34;x"),
    ]
    ids = [unquote(id).replace('"', "&quot;") for id, _ in links]
    assert all(html.count(f'id="{id}"') == 1 for id in ids)
    assert said(context) == ["body.md:13:1: warning: nothing cites the reference 'citation-3'"]


def test_every_method_of_the_renderer_renders_a_token_that_there_is() -> None:
    source = "".join(file.read_text() for file in FOLDER.glob("*.py"))
    known = {*parser().renderer.rules, "inline", "heading_open", "heading_close", "link_open"}
    known |= {"table_open", "table_close", "directive"}
    methods = [name for name in vars(PostRenderer) if name.startswith("render_")]
    unknown = [
        name for name in methods
        if (kind := name.removeprefix("render_")) not in known and f'"{kind}"' not in source
    ]  # fmt: skip
    assert len(methods) >= 17 and unknown == []


def test_a_note_written_in_place_knows_where_it_stands(context: PageContext) -> None:
    html = article_of(
        context,
        "Two\n> lines^[a *note*,\n$\\bad$ and 39.16 dB, [@none]] go on.[^n]\n\n[^n]: And $x$.",
    ).body
    assert '<li id="fn1" class="footnote-item"><p>a <em>note</em>,' in html
    assert [message[: len("body.md:7:12: warning: '39.16'")] for message in said(context)] == [
        "body.md:7:23: unknown citation",
        "body.md:7:2: in this formula: ",
        "body.md:7:12: warning: '39.16'",
    ]


def test_a_note_within_a_note_and_a_fence_within_a_list_know_where_they_stand(
    context: PageContext,
) -> None:
    article_of(
        context, "a ^[b ^[c [@inner]] [@outer]]\n\n- d\n\n  ```katex\n  x +\n  \\bad\n  ```\n"
    )
    assert [message.partition(" ")[0] for message in said(context)] == [
        "body.md:5:22:",
        "body.md:5:12:",
        "body.md:11:3:",
    ]


UNKNOWN = "in this formula: undefined control sequence: "


def test_a_definition_within_a_note_is_told_and_costs_neither_note_a_word(
    context: PageContext,
) -> None:
    inner = "    [^b]: Second.\n\n    ::: note\n    [^b]: Third.\n    :::\n"
    html = article_of(context, f"So.[^a]\n\n[^a]: First.\n\n{inner}").body
    assert re.search(r"First\..*Second\..*Third\.", html, re.DOTALL)
    sentence = "this note is defined within another one; begin it with the line"
    assert said(context)[:2] == [f"body.md:9:5: {sentence}", f"body.md:12:5: {sentence}"]


def test_an_argument_keeps_a_number_and_its_unit_in_a_line(tmp_path: Path) -> None:
    context = make_context(tmp_path, "paper")
    body = "::: details title=\"As {{ run('paper/anna').psnr_db }}\"\nWords.\n:::"
    assert "As 31.90\u202fdB" in article_of(context, body).body


def test_what_a_formula_defines_is_known_to_those_behind_it(context: PageContext) -> None:
    html = article_of(
        context,
        "$\\early$\n\n$$\n\\newcommand{\\mine}[1]{\\mathbb{M}_{#1}}\n$$\n\n"
        "Hence $\\mine{b}$[^n] and $\\newcommand{\\mine}{N}\\mine$.\n\n"
        "$$ \\label{eq-a} $$\n\n$\\eqref{eq-a}$\n\n[^n]: As $\\mine$.",
    ).body
    assert html.count('class="katex"') == 3 and '<div class="equation">' not in html
    assert '<mi mathvariant="double-struck">M</mi>' in html and html.count("<mi>N</mi>") == 2
    assert said(context) == [
        f"body.md:5:2: {UNKNOWN}\\early",
        f"body.md:13:4: {UNKNOWN}\\label; a formula is numbered as $$ ... $$ (eq-name)",
        f"body.md:15:2: {UNKNOWN}\\eqref; outside of formulas, [](#eq-name) is the number of one",
    ]


def test_macros_of_the_site_are_known_to_every_formula(
    context: PageContext, tmp_path: Path
) -> None:
    file = tmp_path / "site.toml"
    file.write_text("[math.macros]\nmine = '\\mathbb{M}_{#1}'\n\"\\\\other\" = '\\mine{o}'\n")
    macros = load_site(file, None).macros
    post = tmp_path / "content/posts/body.md"
    post.write_text("# A\n\n$\\mine{a} \\other$")
    assert (
        write_article(load_post(post), context, ENTRIES, Site(macros=macros)).body.count(">M<") >= 2
    )
    file.write_text("[math.macros]\ntwo1 = 'x'\n")
    with pytest.raises(InputError, match=r"site.toml:2:1: 'two1': expected a name of letters"):
        load_site(file, None)


def test_words_behind_a_fence_are_those_of_other_tools_too(context: PageContext) -> None:
    fences = ("txt", "none", "python{1}", "{python}", "{.python .numbered}", "{1}", "c++ numbered")
    html = article_of(context, "\n\n".join(f"```{info}\na\n```" for info in fences)).body
    assert re.findall(r'class="code(.*?)" tabindex="0"><code(.*?)><span', html) == [
        ("", ""), ("", ""), ("", ' class="language-python"'), ("", ' class="language-python"'),
        (" numbered", ' class="language-python"'), ("", ""),
        (" numbered", ' class="language-c++"'),
    ]  # fmt: skip
    assert html.count("line marked") == 2 and said(context) == []
    article_of(context, '```python title="a"\na\n```')
    assert said(context) == [
        "body.md:5:4: warning: 'title=\"a\"' behind this fence is not understood"
    ]


def test_lines_that_a_fence_has_not_are_a_warning(context: PageContext) -> None:
    asked = ("1-9999999999", "9" * 5000, "3-2", "0", "2-3", "-")
    text = "".join(f"```python {{1, {lines}}}\nx\ny\nz\n```\n\n" for lines in asked)
    html = article_of(context, text).body
    first, *others, last = [message.partition("body.md:")[2] for message in said(context)]
    assert first == "5:4: warning: '1-9999999999' is not of the form 10-40"
    assert last == "35:4: warning: '-' is not of the form 10-40"
    assert [re.sub(".* there (is|are) no ", "", one) for one in others[1:]] == [
        "lines 3-2; there are 3", "line 0; there are 3",
    ]  # fmt: skip
    assert html.count("line marked") == len(asked) + 2
    context.diagnostics.clear()
    article_of(context, "> - x\n>\n>   ```python {-}\n>   x\n>   ```")
    assert said(context)[0].startswith("body.md:7:8: warning: '-' is not of the form")


@pytest.mark.parametrize(
    "text",
    [  # what the plug-ins and the rules of tables allow, also where few would write it
        "a^[one ^[two ^[three] so] so] so, ^[] so, ^[*a* [b](#part) `c` $d$]",
        "| a^[in a cell] | b[^n] |\n|---|:-:|\n| ~~c~~ | `d` |",
        "## A heading^[with a note] and ~~more~~",
        "*a^[b **c^[d]**]* [e^[f]](#part) ![g](line.svg)",
        "> - a[^n]\n>   > b[^n]\n>\n> 1. c^[d]",
        "Term *a* $b$\n: So^[c]\n\n    ```\n    d\n    ```\n\n: More\n: | a |\n  |---|\n  | b |",
        "[^a]: First[^b]\n\n    > second[^n]\n\n        code\n\n[^b]: third\n\nUsed[^a] and[^a].",
        "a\n: b\n  : c\n\n      : d\n\ne\n~ f^[g]",
        ':::: note title="a"\nTerm\n: so^[b $c$]\n\n::: details title="d"\n[^n] ^[e]\n:::\n::::',
        "$a$^[$b$] $$c$$[^n]\n\n$$\nd\n$$ e^[f]",
        "<p>a^[b] c[^n]</p>\n\nd ~~e^[f]~~ <b>g</b>\\\nh  \ni",
    ],
)
def test_what_plug_ins_make_is_written_with_nothing_said(context: PageContext, text: str) -> None:
    post = f"{text}\n\nSo[^n].\n\n## Part\n\nThere.\n\n[^n]: The note.\n"
    html = article_of(context, post).body
    wrong = [one for one in said(context) if "warning" not in one]
    assert not wrong and "The note." in html and "<h2" in html, wrong
