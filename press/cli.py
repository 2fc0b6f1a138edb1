"""The press's command line: build, serve, check, why, blocks, new, import-csv."""

import argparse
import io
import os
import re
import sys
import time
from pathlib import Path

from press.errors import InputError, sentence_of, step
from press.options import Options

NEW, IMPORT = "new", "import-csv"
WORDS = {
    "build": "make what is stale (the default)",
    "serve": "make, show drafts, and follow changes in the browser",
    "check": "make the site, then check it",
    "why": "say which input of a page or of a run changed",
    "blocks": "print the table of blocks that posts can call",
}

IMPORT_HELP = """Make a record of each row of a CSV file, whose columns are:

  case                what was solved
  seed, method        one of the two: a run has a seed, a baseline a method
  accuracy            or any other name: a metric of the last output
  at.10:accuracy      a metric of another output: at.STEP, stop.RULE, average, input
  curve               a CSV file beside the table: its first column is the axis, such as epoch
  picture             a picture beside the table; input:picture for another output
  step                where on the axis the output was taken; stop.RULE:step for another output
  title, seconds, command"""


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line asks; the exit code: 0 well, 1 an error, 2 wrong usage."""
    given = sys.argv[1:] if arguments is None else arguments
    if isinstance(sys.stdout, io.TextIOWrapper):  # a console may lack a letter of what is told
        sys.stdout.reconfigure(errors="backslashreplace")
    started = time.perf_counter()
    has_word = given[:1] and given[0] in (*WORDS, NEW, IMPORT, "-h", "--help", "--version")
    try:
        asked = _parser(given).parse_args(given if has_word else ["build", *given])
        with step(f"`{asked.word}`"):
            return _do(asked, started)
    except KeyboardInterrupt:
        print("stopped; the site is as it was", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (InputError, OSError) as error:
        print(sentence_of(error), file=sys.stderr)
        return 1


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"press {version('deep-image-prior-press')}"
    except PackageNotFoundError:
        raise InputError("this is a copy that was not installed, so it has no version") from None


def _parser(given: list[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog={"__main__.py": "python -m press"}.get(name := Path(sys.argv[0]).name, name),
        description="Make the site from posts, templates and recorded runs.",
    )
    version = _version() if "--version" in given[:1] else ""  # no build waits for that
    parser.add_argument(
        "--version", action="version", version=version, help="print the version, and end"
    )
    words = parser.add_subparsers(dest="word")
    commands = {word: words.add_parser(word, help=text) for word, text in WORDS.items()}
    for one in commands.values():
        for flag, name in (("--content", "content"), ("--results", "results"), ("--out", "site")):
            one.add_argument(flag, type=Path, default=Path(name), metavar="DIR")
        one.add_argument("--base-url", metavar="URL", help="where the site is published")
        one.add_argument(
            "--run", choices=("auto", "never", "all"), default="auto",
            help="which runs that posts lack to make first: short ones, none, or all of them",
        )  # fmt: skip
    for word in ("build", "check"):
        commands[word].add_argument("--strict", action="store_true", help="warnings are errors")
    commands["serve"].add_argument(
        "--port", type=_port, default=8000, help="where to answer (8000)"
    )
    commands["check"].add_argument("--outside", action="store_true", help="ask the network too")
    commands["check"].add_argument(
        "--numbers", action="store_true", help="say what each number of the posts is bound to"
    )
    commands["why"].add_argument("name", help="a page or post, or a run: suite/case/seed0")
    _add_new(words.add_parser(NEW, help="make a project of your own, with an example"))
    _add_import(words.add_parser(IMPORT, help="make records of a table of results"))
    return parser


def _add_new(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="an empty folder, or one that is to be made")
    parser.add_argument(
        "--install-from", metavar="WHAT",
        help="what pip installs the press from, in the project's requirements.txt; "
        "from where it was installed here if not given",
    )  # fmt: skip


def _add_import(parser: argparse.ArgumentParser) -> None:
    parser.description = IMPORT_HELP
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("table", type=Path, help="the CSV file")
    parser.add_argument("--suite", required=True, help="the suite of the records")
    parser.add_argument(
        "--results", type=Path, default=Path("results"), metavar="DIR",
        help="where the records are written (results)",
    )  # fmt: skip
    parser.add_argument(
        "--settings", nargs="+", default=[], metavar="COLUMN",
        help="the columns that are settings of the runs, such as a learning rate; "
        "any other column that is not named above is a metric",
    )  # fmt: skip
    parser.add_argument(
        "--columns", nargs="+", default=[], metavar="NAME=HEADING",
        help="names for columns under other headings: case=Dataset accuracy='Top-1 acc'",
    )  # fmt: skip
    parser.add_argument(
        "--measure", default="",
        help="the metric meant where a page names none (the first)",
    )  # fmt: skip
    parser.add_argument(
        "--replace", action="store_true",
        help="move records that stand there already to superseded/",
    )  # fmt: skip


def _port(word: str) -> int:
    if not re.fullmatch("[0-9]{1,5}", word) or int(word) > 65535:
        raise argparse.ArgumentTypeError(f"'{word[:80]}' is not a number between 0 and 65535")
    return int(word)


def _do(asked: argparse.Namespace, started: float) -> int:
    if asked.word == IMPORT:
        from press.results.import_csv import import_csv

        where = (asked.table, asked.suite, asked.results)
        print(import_csv(*where, asked.settings, asked.columns, asked.measure, asked.replace))
        return 0
    if asked.word == NEW:
        from press.new import new

        return new(asked.folder, asked.install_from)
    folders, check = (asked.content, asked.results, asked.out), asked.word == "check"
    options = Options(*folders, asked.base_url, asked.run, getattr(asked, "strict", False), check)
    if asked.word == "serve":
        from press.serve import serve

        return serve(options, asked.port)
    if asked.word == "why":
        from press.build.why import why

        return why(options, asked.name)
    if asked.word == "blocks":
        from press.blocks.registry import documentation, load_blocks

        print(documentation(load_blocks(options.content)), end="")
        return 0
    from press.build.command import build, report

    result = build(options)
    code = report(result, options, started)
    if check and asked.numbers:
        from press.checks.numbers import report_numbers

        code |= report_numbers(options, [page.meta for page in result.state.pages.values()])
    if check and not result.errors:
        from press.checks.links import check_site

        code |= check_site(options, result.posts, result.cited, asked.outside)
    return code
