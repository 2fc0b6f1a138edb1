"""The table of blocks that posts of a site can call: the press's own, and content/blocks.py."""

import ast
import re
from collections.abc import Iterable
from contextlib import nullcontext
from functools import lru_cache
from inspect import signature, unwrap
from pathlib import Path
from types import ModuleType

from markupsafe import Markup

from press.blocks import curves, images, plot, tables, text, verdicts
from press.blocks.declaration import Argument, Block, Kind
from press.diagnostics import Diagnostic
from press.errors import InputError, mistakes_of, nearest
from press.files import text_of
from press.markdown.syntax import NAME
from press.page import Directive, PageContext

FILE = "blocks.py"


def declared(module: ModuleType) -> list[Block]:
    """The blocks that a module declares, in their order."""
    return [value for value in vars(module).values() if isinstance(value, Block)]


BUILT_IN = {
    block.name: block
    for module in (verdicts, tables, images, curves, plot, text)
    for block in declared(module)
}


class Blocks(dict[str, Block]):
    """Every block of one site, by name: the press's, and those that `file` declares."""

    def __init__(self, file: Path, own: Iterable[Block] = ()) -> None:
        """Join the press's blocks with a site's own."""
        super().__init__(BUILT_IN, **{block.name: block for block in own})
        self.file = file

    def numbered(self, name: str) -> str:
        """What a block makes that has a number: "figure", "table" or "listing"; else empty."""
        return self[name].numbered if name in self else ""

    def prose_arguments(self, name: str) -> set[str]:
        """The arguments of a block that stand on the page as they are written."""
        known = self[name].arguments if name in self else ()
        return {argument.name for argument in known if argument.kind.is_prose}

    def render(self, directive: Directive, context: PageContext) -> Markup:
        """Write a block; a mistake in it goes to the page's messages, with its place."""
        name, context.place = directive.name, directive.place
        if name not in BUILT_IN:
            context.note(self.file)
        try:
            if name not in self:
                raise InputError(f"unknown block '{name}'{nearest(name, self)}")
            with nullcontext() if name in BUILT_IN else mistakes_of(self.file):
                return self[name].render(directive, context)
        except InputError as error:
            told = Diagnostic.from_error(error)
            if told.place and error.path == self.file:  # which call of it failed
                told = Diagnostic(directive.place, str(error))
            context.error(told.place or directive.place, told.sentence)
            id = directive.arguments.get("id")  # so that what refers to it is no second mistake
            return Markup('<div id="{}"></div>').format(id) if id else Markup("")


def load_blocks(content_dir: Path, context: PageContext | None = None) -> Blocks:
    """The blocks of a site; raises InputError with file and line for a mistake in its own ones.

    Pages that call a block of the site's, or one that is not known, have the file as an input.
    """
    file = content_dir / FILE
    try:
        return _load(file, text_of(file)) if file.exists() else Blocks(file)
    except InputError:
        if context:
            context.note(file)
        raise


@lru_cache(maxsize=16)
def _load(file: Path, code: str) -> Blocks:
    module = ModuleType("blocks")
    module.__file__ = str(file)
    with mistakes_of(file):
        exec(compile(code, str(file), "exec"), vars(module))  # noqa: S102  the site's own code
    imported = BUILT_IN.values()  # by way of a name that the module took from the press
    own = [block for block in declared(module) if block not in imported]
    # Of two functions of one name there is only the last.
    named = [one.name for one in ast.parse(code).body if isinstance(one, ast.FunctionDef)]
    for block in own:
        made = getattr(unwrap(block.make), "__code__", None)  # a class has none
        sentence = _mistake(block, own)
        if made and named.count(made.co_name) > 1:
            sentence = f"there are two functions '{made.co_name}'"
        if sentence:
            raise InputError(sentence, file, made.co_firstlineno if made else None)
    return Blocks(file, own)


def _mistake(block: Block, own: Iterable[Block]) -> str:
    """Why posts cannot call a site's own block; empty if they can."""
    given = block.arguments
    if not all(isinstance(one, Argument) and isinstance(one.kind, Kind) for one in given):
        return f"'{block.name}': each argument is an Argument(name, kind, help)"
    if block.numbered not in ("", "figure", "table", "listing"):
        return f"'{block.name}': numbered is figure, table or listing, not '{block.numbered}'"
    if not re.fullmatch(NAME, block.name):
        return (
            f"'{block.name}' cannot be the name of a block: a letter, then letters, digits, - or _"
        )
    if block.name in BUILT_IN:
        return f"the press has a block '{block.name}' already"
    if any(other.name == block.name and other is not block for other in own):
        return f"there are two blocks '{block.name}'"
    names = dict.fromkeys(one.name for one in block.own_arguments)
    try:
        signature(block.make, follow_wrapped=False).bind(None, **names)
    except TypeError as error:
        return f"the function of block '{block.name}' and its arguments differ: {error}"
    return ""


def documentation(blocks: Blocks) -> str:
    """The table of blocks as Markdown: what each shows, and its arguments, needed ones first.

    `id` and `width`, which every numbered block has, are left out.
    """
    rows = ["| block | shows | arguments |", "|---|---|---|"]
    for block in blocks.values():
        own = sorted(block.own_arguments, key=lambda argument: not argument.required)
        example = f"<br>`::: {block.name} {block.example}`" if block.example else ""
        cells = []
        for one in own:
            default = f", `{one.default}` by default" if one.default else ""
            notes = f"{one.kind.name}{', needed' if one.required else default}"
            cells.append(f"`{one.name}` ({notes}): {one.help}")
        rows.append(f"| `{block.name}` | {block.help}{example} | {'<br>'.join(cells)} |")
    return "\n".join(rows) + "\n"
