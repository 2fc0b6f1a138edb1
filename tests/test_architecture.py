"""The folders of dip/: imports go one way, what the press needs is light, docs/engine.md is right.

Imports inside functions and for the type checker count too: whoever moves a file meets them all.
Modules that the command line names in strings are left out, since it stands above them all.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
ORDER = (
    "errors files toml_file | experiments | tasks | records | network | engine | planning | runs"
    " | photo | commands | cli __main__ __init__"
)
LEVELS = {name: level for level, names in enumerate(ORDER.split("|")) for name in names.split()}
LIGHT = ["dip", "dip.cli", "dip.errors", "dip.files", "dip.records.record", "dip.planning.manifest"]


def place_of(path: Path) -> str:
    """The folder of dip/ that a file is in, or its own name if it lies at the top."""
    return path.relative_to(ROOT / "dip").with_suffix("").parts[0]


def imported_by(path: Path) -> Iterator[tuple[int, str]]:
    """Line and place of each import of dip/ in a file, wherever in the file it stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        modules: list[str] = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: a relative import"
            modules = [f"{node.module}.{alias.name}" for alias in node.names]
        for package, place, *_ in (f"{module}.__init__".split(".") for module in modules):
            if package == "dip":
                yield node.lineno, place if place in LEVELS else "__init__"


def test_imports_go_one_way() -> None:
    upward = [
        f"{path.relative_to(ROOT)}:{line} imports {place}"
        for path in sorted((ROOT / "dip").rglob("*.py"))
        for line, place in imported_by(path)
        if LEVELS[place] > LEVELS[place_of(path)]
    ]
    assert upward == []


def test_what_the_press_needs_loads_neither_torch_nor_numpy() -> None:
    experiments = sorted((ROOT / "dip/experiments").glob("[!_]*.py"))
    modules = [*LIGHT, *(f"dip.experiments.{path.stem}" for path in experiments)]
    program = (
        "import sys, importlib\n"
        "for name in sys.argv[1:]:\n"
        "    importlib.import_module(name)\n"
        "    heavy = {'torch', 'numpy', 'PIL', 'skimage'} & set(sys.modules)\n"
        "    assert not heavy, f'{name} loads {heavy}'\n"
    )
    command = [sys.executable, "-c", program, *modules]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_each_answer_of_the_engine_page_names_a_function_that_is_there() -> None:
    text = (ROOT / "docs/engine.md").read_text(encoding="utf-8")
    answers = re.findall(r"^\| [^|]+\? \| `(dip/\S+\.py)` \| `([\w.]+)`", text, re.MULTILINE)
    assert len(answers) >= 5
    for file, name in answers:
        body: list[ast.stmt] = ast.parse((ROOT / file).read_text(encoding="utf-8")).body
        for part in name.split("."):
            found = [x for x in body if isinstance(x, ast.FunctionDef | ast.ClassDef)]
            assert part in [x.name for x in found], f"{file} has no {name}"
            body = next(x.body for x in found if x.name == part)


def test_the_tree_of_the_engine_page_has_every_folder_in_the_order_of_imports() -> None:
    text = (ROOT / "docs/engine.md").read_text(encoding="utf-8")
    folders = re.findall(r"^  (\w+)/", text, re.MULTILINE)
    assert folders == [name for name in LEVELS if (ROOT / "dip" / name).is_dir()]
