"""Rules on the whole list of tokens: places, headings, figures, captions, empty references."""

import re
import unicodedata
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from press.diagnostics import map_source
from press.markdown.syntax import PIPE, hide_pipes

HEADING_ID = re.compile(r"[ \t]*\{#([\w:.-]+)\}[ \t]*$")
CAPTION = re.compile(r"Table:[ \t]+")
CAPTION_ID = re.compile(r"[ \t]*\{#([\w:.-]+)\}[ \t]*$")


def add_tree_rules(parser: MarkdownIt) -> None:
    """Teach a parser the rules on the whole list of tokens."""
    parser.core.ruler.after("normalize", "hide-pipes", _hide_pipes)
    parser.core.ruler.at("inline", _inline)
    parser.core.ruler.push("show-pipes", _show_pipes)
    parser.core.ruler.push("references", _references)
    parser.core.ruler.push("figures", _figures)
    parser.core.ruler.push("captions", _captions)
    parser.core.ruler.push("corners", _corners)


def _hide_pipes(state: StateCore) -> None:
    state.src = hide_pipes(state.src)


def _show_pipes(state: StateCore) -> None:
    for token in state.tokens:
        for one in (token, *(token.children or [])):
            one.content = one.content.replace(PIPE, "|")
            for name, value in one.attrs.items():
                if isinstance(value, str):
                    one.attrs[name] = value.replace(PIPE, "|")


def _inline(state: StateCore) -> None:
    """Parse the text of paragraphs, headings and cells; their rules learn where it came from."""
    source = state.src.split("\n")
    row, column = -1, 0  # cells stand side by side: each is looked for behind the one before
    for index, token in enumerate(state.tokens):
        if token.type != "inline":
            continue
        line = token.map[0] if token.map else 0
        column = column if line == row else 0
        origin = state.env.get("front") or map_source(
            state.env["path"], source, token.content, line, column
        )
        row, column = line, origin.starts[0][1] - 1 + len(token.content.split("\n")[0])
        before = state.tokens[index - 1]
        _take_id(token, before, HEADING_ID if before.type == "heading_open" else None)
        token.children = []
        token.meta = {**token.meta, "origin": origin}
        state.env["origin"] = origin
        state.md.inline.parse(token.content, state.md, state.env, token.children)
        if before.type == "heading_open":
            before.meta = {"origin": origin, "children": token.children}


def _take_id(token: Token, holder: Token, pattern: re.Pattern[str] | None) -> None:
    """Take `{#id}` at the end of a text as the id of the element around it."""
    found = pattern.search(token.content) if pattern else None
    if found:
        holder.attrs["id"] = found[1]
        token.content = token.content[: found.start()]


def _references(state: StateCore) -> None:
    """Turn `[](#id)` into a reference, to be filled in with the name of what it points at."""
    for token in state.tokens:
        children = token.children or []
        for opened, closed in zip(list(children), children[1:], strict=False):
            href = str(opened.attrs.get("href", ""))
            if (opened.type, closed.type) == ("link_open", "link_close") and href.startswith("#"):
                opened.type, opened.nesting = "reference", 0
                closed.hidden, closed.type = True, "nothing"


def _figures(state: StateCore) -> None:
    """Turn a picture that is alone in its paragraph into a figure."""
    kept: list[Token] = []
    tokens = state.tokens
    for index, token in enumerate(tokens):
        if token.type == "paragraph_open" and not token.hidden and _only_picture(tokens[index + 1]):
            token.type, token.nesting, token.hidden = "figure", 0, False
            token.children = tokens[index + 1].children
            token.meta = {"origin": tokens[index + 1].meta["origin"]}
            tokens[index + 1].type = tokens[index + 2].type = "gone"
        if token.type != "gone":
            kept.append(token)
    state.tokens = kept


def _only_picture(inline: Token) -> bool:
    children = inline.children or []
    visible = [one for one in children if not (one.type == "text" and not one.content.strip())]
    return len(visible) == 1 and visible[0].type == "image"


def _captions(state: StateCore) -> None:
    """Give a table the caption of the paragraph `Table: ...` that follows it."""
    kept: list[Token] = []
    opened: Token | None = None
    for index, token in enumerate(state.tokens):
        if token.type == "table_open":
            opened = token
        follows = index > 0 and state.tokens[index - 1].type == "table_close"
        if token.type == "paragraph_open" and follows and opened is not None:
            inline = state.tokens[index + 1]
            if CAPTION.match(inline.content):
                _give_caption(opened, inline)
                token.type = inline.type = state.tokens[index + 2].type = "gone"
        if token.type != "gone":
            kept.append(token)
    state.tokens = kept


def _corners(state: StateCore) -> None:
    """Make an empty cell of a table's head an ordinary one: it heads nothing."""
    tokens = state.tokens
    for opened, inline, closed in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if opened.type == "th_open" and not inline.content.strip():
            opened.tag = closed.tag = "td"


def _give_caption(table: Token, inline: Token) -> None:
    children: Sequence[Token] = inline.children or []
    if children and children[0].type == "text":
        children[0].content = CAPTION.sub("", children[0].content)
    found = CAPTION_ID.search(inline.content)
    if found and children and children[-1].type == "text":
        table.attrs["id"] = found[1]
        children[-1].content = CAPTION_ID.sub("", children[-1].content)
    table.meta = {"caption": list(children), "origin": inline.meta["origin"]}


def slug(text: str) -> str:
    """Make an id of a heading's text."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-") or "section"


def plain_text(tokens: Sequence[Token]) -> str:
    """Give the text of inline tokens without any markup; a line break is a space."""
    parts = []
    for token in tokens:
        if token.type in ("softbreak", "hardbreak", "html_inline"):
            parts.append(" ")
        elif token.type == "image":
            parts.append(plain_text(token.children or []))
        elif token.type in ("text", "code_inline", "formula"):
            parts.append(token.content)
    return re.sub(r"\s+", " ", "".join(parts)).strip()
