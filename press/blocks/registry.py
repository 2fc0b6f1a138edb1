"""The table of blocks that posts of a site can call: the press's own, and content/blocks.py."""

import traceback
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from markupsafe import Markup

from press.blocks import curves, images, tables, text, verdicts
from press.blocks.declaration import Argument, Block
from press.diagnostics import Place
from press.errors import InputError, nearest
from press.files import text_of
from press.page import Directive, PageContext

FILE = "blocks.py"


def declared(module: ModuleType) -> list[Block]:
    """The blocks that a module declares, in their order."""
    return [value for value in vars(module).values() if isinstance(value, Block)]


BUILT_IN = {
    block.name: block
    for module in (verdicts, tables, images, curves, text)
    for block in declared(module)
}


class Blocks(Mapping[str, Block]):
    """Every block of one site, by name."""

    def __init__(self, own: Iterable[Block] = (), file: Path | None = None) -> None:
        """Join the press's blocks with a site's `own`, which `file` declares."""
        self._site, self.file = {block.name: block for block in own}, file
        self._all = {**BUILT_IN, **self._site}

    def __getitem__(self, name: str) -> Block:
        """The block of a name."""
        return self._all[name]

    def __iter__(self) -> Iterator[str]:
        """The names of all blocks."""
        return iter(self._all)

    def __len__(self) -> int:
        """The number of blocks."""
        return len(self._all)

    def prose_arguments(self, name: str) -> set[str]:
        """The arguments of a block that stand on the page as they are written."""
        known = self._all[name].arguments if name in self._all else ()
        return {argument.name for argument in known if argument.kind.is_prose}

    def render(self, directive: Directive, context: PageContext) -> Markup:
        """Write a block; a mistake in it goes to the page's messages, with its place."""
        if self.file and directive.name not in BUILT_IN:
            context.note(self.file)
        try:
            return self._rendered(directive, context)
        except InputError as error:
            known = error.path is not None and error.line is not None
            at = Place(str(error.path), error.line or 1, error.column or 1)
            sentence = error.sentence if known else str(error)
            context.error(at if known else directive.place, sentence)
            return Markup("")

    def _rendered(self, directive: Directive, context: PageContext) -> Markup:
        if directive.name not in self._all:
            raise InputError(f"unknown block '{directive.name}'{nearest(directive.name, self)}")
        try:
            return self._all[directive.name].render(directive, context)
        except InputError:
            raise
        except Exception as error:
            if self.file is None or directive.name not in self._site:
                raise
            raise _mistake(self.file, error) from error


def load_blocks(content_dir: Path, context: PageContext | None = None) -> Blocks:
    """The blocks of a site; raises InputError with file and line for a mistake in its own ones.

    Pages that call a block of the site's, or one that is not known, have the file as an input.
    """
    file = content_dir / FILE
    if not file.is_file():
        return Blocks(file=file)
    try:
        state = file.stat()
        return _load(file, state.st_mtime_ns, state.st_size)
    except InputError:
        if context:
            context.note(file)
        raise


@lru_cache(maxsize=16)
def _load(file: Path, _changed_ns: int, _size: int) -> Blocks:
    module = ModuleType("blocks")
    module.__file__ = str(file)
    try:
        exec(compile(text_of(file), str(file), "exec"), vars(module))  # noqa: S102  the site's own code
    except InputError:
        raise
    except Exception as error:
        raise _mistake(file, error) from error
    own = declared(module)
    for block in own:
        if block.name in BUILT_IN:
            raise InputError(f"the press has a block '{block.name}' already", file)
    return Blocks(own, file)


def _mistake(file: Path, error: Exception) -> InputError:
    """What went wrong in a site's blocks, at the innermost line of its file."""
    if isinstance(error, SyntaxError) and error.filename == str(file):
        return InputError(f"not valid Python: {error.msg}", file, error.lineno, error.offset)
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(file)]
    return InputError(f"{type(error).__name__}: {error}", file, lines[-1] if lines else 1, 1)


def documentation(blocks: Blocks) -> str:
    """The table of blocks as Markdown: what each shows, and its arguments, needed ones first.

    `id` and `width`, which every numbered block has, are left out.
    """
    rows = ["| block | shows | arguments |", "|---|---|---|"]
    for block in blocks.values():
        own = [argument for argument in block.arguments if argument.name not in ("id", "width")]
        own.sort(key=lambda argument: not argument.required)
        example = f"<br>`::: {block.name} {block.example}`" if block.example else ""
        cells = "<br>".join(map(_described, own))
        rows.append(f"| `{block.name}` | {block.help}{example} | {cells} |")
    return "\n".join(rows) + "\n"


def _described(argument: Argument) -> str:
    default = f", `{argument.default}` by default" if argument.default else ""
    notes = f"{argument.kind.name}{', needed' if argument.required else default}"
    return f"`{argument.name}` ({notes}): {argument.help}"
