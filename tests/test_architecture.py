"""The folders of dip/ and press/: imports go one way, and neither package needs the other.

Imports inside functions and for the type checker count too: whoever moves a file meets them all.
Modules that the command line names in strings are left out, since it stands above them all.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ORDERS = {  # of each package, from what knows least to what knows most
    "dip": "errors files toml_file | experiments | tasks | records | network | engine | planning"
    " | runs | photo | commands | cli __main__ __init__",
    "press": "errors files paths toml_file | diagnostics options | cache | results | charts | page"
    " | markdown | blocks | pages | checks | build | serve new | cli skeleton"
    " __main__ __init__",
}
LEVELS = {
    package: {name: level for level, names in enumerate(order.split("|")) for name in names.split()}
    for package, order in ORDERS.items()
}
LIGHT = ["dip", "dip.cli", "dip.errors", "dip.files", "dip.records.record", "dip.planning.manifest"]


def files_of(package: str) -> list[Path]:
    """The modules of a package, each as a path from the root."""
    return [path.relative_to(ROOT) for path in sorted((ROOT / package).rglob("*.py"))]


def imported_by(path: Path, package: str) -> Iterator[str]:
    """Each module of `package` that a file imports, wherever in the file the import stands."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        modules: list[str] = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: a relative import"
            modules = [node.module or ""]
            if node.module == package:  # `from press import cli` names a module
                modules = [f"{package}.{alias.name}" for alias in node.names]
        yield from (module for module in modules if module.split(".")[0] == package)


@pytest.mark.parametrize("package", ORDERS)
def test_imports_go_one_way(package: str) -> None:
    levels = LEVELS[package]
    upward = {
        f"{path.as_posix()} imports {module}"
        for path in files_of(package)
        for module in imported_by(path, package)
        if levels.get(f"{module}.__init__".split(".")[1], levels["__init__"])
        > levels[path.with_suffix("").parts[1]]
    }
    assert upward == set()


@pytest.mark.parametrize("package", ORDERS)
def test_no_modules_need_each_other(package: str) -> None:
    modules = {".".join(path.with_suffix("").parts): path for path in files_of(package)}
    needs = {name: set(imported_by(path, package)) for name, path in modules.items()}
    TopologicalSorter(needs).prepare()  # raises CycleError with the circle


def test_neither_package_imports_the_other() -> None:
    assert [path for path in files_of("dip") for _ in imported_by(path, "press")] == []
    assert [path for path in files_of("press") for _ in imported_by(path, "dip")] == []


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


PAGES = [("dip", "docs/engine.md"), ("press", "docs/press.md")]


@pytest.mark.parametrize(("package", "page"), PAGES)
def test_each_answer_of_a_page_names_a_function_that_is_there(package: str, page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    pattern = rf"^\| [^|]+\? \| `({package}/\S+\.py)` \| `([\w.]+)`"
    answers = re.findall(pattern, text, re.MULTILINE)
    assert len(answers) >= 5
    for file, name in answers:
        body: list[ast.stmt] = ast.parse((ROOT / file).read_text(encoding="utf-8")).body
        for part in name.split("."):
            found = [x for x in body if isinstance(x, ast.FunctionDef | ast.ClassDef)]
            assert part in [x.name for x in found], f"{file} has no {name}"
            body = next(x.body for x in found if x.name == part)


@pytest.mark.parametrize(("package", "page"), PAGES)
def test_the_tree_of_a_page_has_every_folder_in_the_order_of_imports(
    package: str, page: str
) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    folders = re.findall(r"^  (\w+)/", text, re.MULTILINE)
    assert folders == [name for name in LEVELS[package] if (ROOT / package / name).is_dir()]


@pytest.mark.parametrize(("package", "page"), PAGES)
def test_the_tree_of_a_page_names_every_file(package: str, page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    tree = text[text.index(f"```\n{package}/") :].split("```")[1]
    named = set(re.findall(r"(\w+)(?:\.py|, |$)", tree, re.MULTILINE))
    files = {path.stem for path in files_of(package) if not path.stem.startswith("__")}
    assert sorted(files - named) == []


def test_readme_tells_of_every_folder_of_the_project() -> None:
    listed = ["git", "ls-files"]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    folders = {name.split("/")[0] for name in done.stdout.splitlines() if "/" in name}
    table = re.findall(
        r"^\| `(\w+)/`", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    shown = {name for name in folders if not name.startswith(".")}
    assert sorted(shown - {*table}) == [], "left there by a test?"
