"""The two engines that can set formulas give the same bytes."""

import json
import re
from html import unescape
from pathlib import Path

import pytest

from press.cli import main
from press.markdown.katex import in_mini_racer, in_quickjs, program

ROOT = Path(__file__).parent.parent
HARD = [r"\frac{a}", r"\oops", r"\def\x{y}\x", "é", r"\text{ä}", r"\sqrt{" * 20 + "x" + "}" * 20]


def formulas_of_the_posts(work: Path) -> list[str]:
    """Collect the TeX of every formula on the pages that this repository's posts become."""
    folders = [f"--content={ROOT / 'content'}", f"--results={ROOT / 'results'}"]
    assert main(["build", *folders, "--run", "never", "--out", str(work / "site")]) == 0
    pages = [path.read_text() for path in (work / "site/posts").glob("*.html")]
    found = re.findall(
        r'<annotation encoding="application/x-tex">(.*?)</annotation>', "".join(pages), re.DOTALL
    )
    return sorted({unescape(tex) for tex in found})


def test_mini_racer_gives_the_bytes_of_quickjs(tmp_path: Path) -> None:
    pytest.importorskip("py_mini_racer")
    pytest.importorskip("quickjs")
    one, other = in_quickjs(program()), in_mini_racer(program())
    formulas = formulas_of_the_posts(tmp_path)
    assert len(formulas) >= 10
    for tex in [*formulas, *HARD]:
        for display in (False, True):
            request = json.dumps({"tex": tex, "display": display})
            assert one(request) == other(request), tex
