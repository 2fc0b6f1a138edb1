"""The command line, `python -m dip COMMAND`: what each command takes, and where it is.

A command's module is imported once the command is asked for, so that `list` needs no torch.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from dip.commands.photo import add_commands
from dip.errors import InputError, sentence_of
from dip.experiments.experiment import CHOICES

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 if all is well, 1 for a mistake in an input. Exits 2 for wrong usage."""
    args = parser().parse_args(arguments)
    module, function = args.function.split(":")
    # A photograph is saved once its fit has begun, and says so; until then there is nothing to.
    if signal.getsignal(signal.SIGINT) == signal.SIG_DFL and not module.startswith("dip.photo"):
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return int(getattr(import_module(module), function)(args))
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt as stopped:
        if stopped.args:
            print(*stopped.args, file=sys.stderr)
        return _end_by_sigint()
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in ("dip", "press"):
            raise
        print(f'this needs {error.name}: pip install -e ".[experiments]"', file=sys.stderr)
        return 1
    except BrokenPipeError:  # what read our output closed it
        return 1
    except OSError as error:  # a full disk, a folder without permission
        print(sentence_of(error), file=sys.stderr)
        return 1


def _end_by_sigint() -> int:
    """End this process as Ctrl-C does, so that a shell ends its loop too."""
    with suppress(OSError):
        sys.stdout.flush()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.raise_signal(signal.SIGINT)
    return 130


class PrintVersion(argparse.Action):
    """Looks the version up when it is asked for: no other command waits for that."""

    def __call__(self, parser: argparse.ArgumentParser, *rest: Any) -> NoReturn:
        """Print the installed distribution's version, and end."""
        from importlib.metadata import PackageNotFoundError, version

        try:
            print(f"{parser.prog} {version('deep-image-prior-press')}")
        except PackageNotFoundError:
            parser.exit(1, "this is a copy that was not installed, so it has no version\n")
        parser.exit()


def parser() -> argparse.ArgumentParser:
    """The parser of all commands; `function` of what it gives is `module:function`."""
    top = argparse.ArgumentParser(prog="dip", description="Deep Image Prior: experiments.")
    top.add_argument("--version", action=PrintVersion, nargs=0, help="print the version, and end")
    top.add_argument(
        "--content", type=Path, default=Path("content"), help="folder of experiments.toml"
    )
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in (_add_list, _add_run, _add_records, _add_network, _add_images, add_commands):
        add(commands)
    return top


def _add_list(commands: "Commands") -> None:
    command = _add(
        commands, "list", "list:list_suites", "suites, what is recorded or missing",
        "threads", "device", "results",
    )  # fmt: skip
    command.add_argument("suites", nargs="*", metavar="SUITE", help="with every run of it")
    what = "all of that as JSON, for a generator of pages"
    _add(commands, "manifest", "list:print_manifest", what, "results")


def _add_run(commands: "Commands") -> None:
    what = "run what is not recorded"
    shared = ("threads", "device", "results", "images", "time-limit")
    command = _add(commands, "run", "run:run", what, *shared)
    command.add_argument("suites", nargs="+", metavar="SUITE", help="a suite, or all")
    command.add_argument("--image", action="append", metavar="NAME")
    command.add_argument("--seed", action="append", type=int, metavar="K")
    command.add_argument("--jobs", type=_count, default=1, metavar="N", help="runs at once")
    command.add_argument(
        "--checkpoint-every", type=float, default=30.0, metavar="SECONDS", help="at least; 30"
    )
    command.add_argument("--rerun", action="store_true", help="move old records aside, run again")
    command.add_argument("--plain", action="store_true", help="new lines on a terminal, too")


def _add_records(commands: "Commands") -> None:
    what, shared = "run the start of records again", ("device", "results", "images")
    command = _add(commands, "verify", "records:verify_records", what, *shared)
    command.add_argument("suite", nargs="?", default="all", metavar="SUITE")
    command.add_argument("--image", metavar="NAME")
    command.add_argument("--iterations", type=_count, default=50, metavar="N")
    what = "a plain loop's PSNR beside the runs'"
    command = _add(commands, "parity", "plain:parity", what, "threads", "time-limit", *shared)
    command.add_argument("suite", metavar="SUITE")
    command.add_argument("--image", action="append", metavar="NAME")
    command = _add(commands, "compare", "records:compare_results", "two folders of results")
    command.add_argument("a", type=Path, metavar="RESULTS_A")
    command.add_argument("b", type=Path, metavar="RESULTS_B")
    command = _add(commands, "pack", "records:pack_records", "new records as an archive", "results")
    command.add_argument("archive", type=Path, metavar="FILE", help="a tar file to write")
    what = "put archived records in place"
    command = _add(commands, "unpack", "records:unpack_records", what, "results")
    command.add_argument("archives", nargs="+", metavar="FILE")
    command.add_argument(
        "--replace", action="store_true", help="move other records that stand there aside"
    )


def _add_network(commands: "Commands") -> None:
    what = "a suite's network, by layers"
    command = _add(commands, "describe", "list:describe_network", what, "json")
    command.add_argument("suite", nargs="?", default="inpainting", metavar="SUITE")
    what = "our engine against a plain loop"
    command = _add(commands, "bench", "plain:bench", what, "threads", "device", "json")
    command.add_argument("--size", type=_count, default=256, metavar="N", help="pixels a side")
    command.add_argument("--steps", type=_count, default=10, metavar="N")
    command.add_argument(
        "--precision", default="default", choices=CHOICES["arithmetic"], help="the engine's"
    )


def _add_images(commands: "Commands") -> None:
    command = _add(commands, "images", "list:list_images", "the test images: list or fetch them")
    command.set_defaults(images=None)
    actions = command.add_subparsers(metavar="fetch|list")
    what = "name them, and check those that are here"
    _add(actions, "list", "list:list_images", what, "images")
    what = "download what is nowhere, check all"
    fetching = _add(actions, "fetch", "list:fetch_images", what, "images")
    fetching.add_argument("names", nargs="*", metavar="NAME")


def _add(
    commands: "Commands", name: str, function: str, summary: str, *shared: str
) -> argparse.ArgumentParser:
    """A new command, which calls `module:function` of dip/commands and has `shared` arguments."""
    command = commands.add_parser(name, help=summary)
    command.set_defaults(function=f"dip.commands.{function}")
    command.add_argument("--content", type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    for argument in shared:
        command.add_argument(f"--{argument}", **SHARED[argument])
    return command


def _count(text: str) -> int:
    """A positive integer; raises what argparse reports as wrong usage."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a positive integer, got '{text}'")
    return int(text)


SHARED: dict[str, dict[str, Any]] = {
    "device": {"default": "auto", "metavar": "auto|cuda|mps|cpu"},
    "images": {"type": Path, "metavar": "DIR", "help": "folder of test images"},
    "json": {"action": "store_true"},
    "results": {"type": Path, "default": Path("results"), "metavar": "DIR"},
    "threads": {"type": _count, "metavar": "N", "help": "CPU threads of a run"},
    "time-limit": {"type": float, "metavar": "SECONDS"},
}
