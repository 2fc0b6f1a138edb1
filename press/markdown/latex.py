"""LaTeX, as the fields of a bibliography have it, decoded into plain text.

pylatexenc reads it. A command that nobody knows keeps its arguments, and its name is told.
"""

import re
from functools import cache
from typing import Any

from pylatexenc.latex2text import (
    LatexNodes2Text,
    MacroTextSpec,
    SpecialsTextSpec,
    get_default_latex_context_db,
)
from pylatexenc.latexwalker import LatexWalker, LatexWalkerParseError
from pylatexenc.latexwalker import get_default_latex_context_db as get_default_grammar
from pylatexenc.macrospec import LatexContextDb, std_macro

FORMULA = "\ue000"  # stands around the TeX of a formula in a decoded text
ADDRESS = re.compile(r"\\(?:url|href|path|nolinkurl)\s*\{([^{}]*)\}")
ARGUMENTS = {"href": "{{", "nolinkurl": "{", "noopsort": "{", "path": "{"}
CHARACTERS = {
    "\\": " ", "newline": " ", "nobreakspace": " ", "-": "", "/": "", "noopsort": "",
    "slash": "/", "textasciitilde": "~", "textunderscore": "_", "textbar": "|",
    "textless": "<", "textgreater": ">",
    "textquotedbl": '"', "copyright": "©", "pounds": "£", "S": "§", "P": "¶",
    "TeX": "TeX", "LaTeX": "LaTeX", "BibTeX": "BibTeX", "href": "%(2)s",
}  # fmt: skip
FORMATTING = re.compile(  # what changes no character
    "bf|em|it|md|rm|sc|sf|sl|tt|up|[bm]fseries|(it|sc|sl|up)shape|(rm|sf|tt)family|normalfont|t"
    "|text(md|normal|(sub|super)script|up)|small|large|(Make[UL]|[ul])(pper|ower)case|hbox"
    "|protect|relax|unskip"
)
NO_TEXT = frozenset(("author", "date", "include", "input", "maketitle", "title", "today"))


@cache
def _grammar() -> LatexContextDb:
    """What pylatexenc knows of commands, and the arguments of some more."""
    known = get_default_grammar()
    macros = [std_macro(name, arguments) for name, arguments in ARGUMENTS.items()]
    known.add_context_category("bibliography", macros=macros, prepend=True)
    return known


@cache
def _words() -> LatexContextDb:
    """What pylatexenc writes for commands, without placeholders such as "<cit.>", and ours."""
    known = get_default_latex_context_db().filter_context(exclude_categories=["latex-placeholders"])
    macros = [MacroTextSpec(name, simplify_repl=text) for name, text in CHARACTERS.items()]
    macros += [MacroTextSpec(name, simplify_repl=_address) for name in ("url", "path", "nolinkurl")]
    specials = [SpecialsTextSpec("&", "&")]
    known.add_context_category("bibliography", macros=macros, specials=specials, prepend=True)
    return known


def _address(node: Any) -> str:
    return verbatim(node.latex_verbatim())


class Decoder(LatexNodes2Text):  # type: ignore[misc]
    """Decodes texts, and remembers the commands that it did not know."""

    def __init__(self, mark: str = "") -> None:
        """Begin; a formula is left as it is between two marks, or without them is plain text."""
        super().__init__(latex_context=_words(), strict_latex_spaces=True)
        self.mark = mark
        self.unknown: dict[str, None] = {}

    def text(self, latex: str) -> str:
        """LaTeX as plain text on one line; raises ValueError, in words, if it cannot be read."""
        if not re.search(r"[\\{}$%&~`']|--", latex):
            return " ".join(latex.split())
        alone = "%$" if len(re.findall(r"(?<!\\)\$", latex)) % 2 else "%"  # "it costs $5"
        latex = re.sub(rf"(?<!\\)[{alone}]", r"\\\g<0>", latex)
        walker = LatexWalker(latex, latex_context=_grammar(), tolerant_parsing=False)
        try:
            return " ".join(self.nodelist_to_text(walker.get_latex_nodes()[0]).split())
        except LatexWalkerParseError as error:
            raise ValueError(f"{error.msg[:1].lower()}{error.msg[1:]}") from None
        except RecursionError:
            raise ValueError("nested too deeply") from None
        except LookupError:  # pylatexenc's own, too, behind an accent
            raise ValueError("a command lacks its argument") from None

    def math_node_to_text(self, node: Any) -> str:
        """A formula: its TeX between marks, or plain text."""
        if not self.mark:
            return str(super().math_node_to_text(node))
        opening, closing = getattr(node, "delimiters", ("", ""))
        tex = node.latex_verbatim()
        return f"{self.mark}{tex[len(opening) : len(tex) - len(closing)]}{self.mark}"

    def macro_node_to_text(self, node: Any) -> str:
        """What a command comes to; its arguments, if it is unknown or matters to the eye alone."""
        name, known = node.macroname, _grammar().get_macro_spec(node.macroname)
        arguments = node.nodeargd.argnlist if node.nodeargd else []
        if known and len(arguments) < len(known.args_parser.argspec or ""):
            raise LookupError(name)
        if name == "ensuremath" and self.mark:
            return f"{self.mark}{arguments[0].latex_verbatim()}{self.mark}"
        if name not in NO_TEXT and self.latex_context.get_macro_spec(name):
            return str(super().macro_node_to_text(node))
        if name in NO_TEXT or not (known or FORMATTING.fullmatch(name)):
            self.unknown[name] = None
        return "".join(self.node_arg_to_text(node, number) for number in range(len(arguments)))


def verbatim(latex: str) -> str:
    r"""A field that LaTeX does not typeset, such as an address: `\_` and `\url` are read."""
    wrapped = ADDRESS.search(latex)
    bare = re.sub(
        r"\\(?:([A-Za-z]+) ?|(.))",
        lambda found: found[2] or CHARACTERS.get(found[1], ""),
        wrapped[1] if wrapped else latex,
    )
    return re.sub(r"[{}]", "", bare).strip()
