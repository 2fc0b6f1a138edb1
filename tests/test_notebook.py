"""The notebook is well formed, its code compiles, and what it calls is there."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from dip.cli import parser

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "deep_image_prior.ipynb"


def cells() -> list[dict[str, Any]]:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    return list(notebook["cells"])


def sources() -> list[str]:
    return ["".join(cell["source"]) for cell in cells() if cell["cell_type"] == "code"]


def test_it_holds_no_outputs() -> None:
    for cell in cells():
        assert cell["cell_type"] in ("markdown", "code")
        assert all(isinstance(line, str) for line in cell["source"])
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None


@pytest.mark.parametrize("place", range(len(sources())))
def test_its_code_compiles(place: int) -> None:
    compile(sources()[place], f"cell {place}", "exec")


def test_the_commands_that_it_calls_exist() -> None:
    calls = [
        node
        for source in sources()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dip"
    ]
    words = [[ast.unparse(argument).strip("'") for argument in call.args] for call in calls]
    assert [command[0] for command in words] == ["run", "pack"]
    for command in words:
        parser().parse_args([word.replace("str(SEED)", "0") for word in command])


def test_the_address_is_left_to_the_reader() -> None:
    assert 'REPOSITORY = ""' in sources()[0]
    assert "://" not in NOTEBOOK.read_text(encoding="utf-8")
