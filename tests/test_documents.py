"""What the documents tell a reader to type, and which tests they name: all of it is there."""

import re
import shlex
from pathlib import Path

from dip.cli import parser
from dip.experiments.suites import load_suites

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("content/posts/*.md")]


def commands(text: str) -> list[list[str]]:
    """The words behind each `python -m dip` in the fenced blocks of a document."""
    blocks = re.findall(r"^```.*\n((?:.*\n)*?)```", text, re.MULTILINE)
    found = re.findall(r"python -m dip ([^'\n]*)", "".join(blocks))
    return [shlex.split(re.sub(r"\$\w+", "0", words), comments=True) for words in found]


def test_every_command_of_the_documents_is_one_of_the_program() -> None:
    suites, count = load_suites(ROOT / "content/experiments.toml"), 0
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        for words in commands(text):
            asked = parser().parse_args(words)
            for suite in getattr(asked, "suites", ()):
                assert suite in suites or f"[{suite}]" in text, (path.name, words)
            count += 1
    assert count > 30


def test_every_test_that_the_promises_name_is_there() -> None:
    text = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)?(?:::(test_\w+))?`", text)
    file, count = "", 0
    for path, function in named:
        file = path or file
        if path or function:
            source = (ROOT / file).read_text(encoding="utf-8")
            assert not function or f"\ndef {function}(" in source, (file, function)
            count += 1
    assert count > 10
