"""The command line: `python -m dip COMMAND`."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from dip.commands.photo import add_commands
from dip.errors import InputError, sentence_of
from dip.experiments.experiment import CHOICES

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; give 0 if all is well, 1 for a mistake in an input, 2 for wrong usage."""
    args = parser().parse_args(arguments)
    module, function = args.function.split(":")
    try:
        return int(getattr(import_module(module), function)(args))
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
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


def parser() -> argparse.ArgumentParser:
    """Make the parser of every command."""
    top = argparse.ArgumentParser(prog="dip", description="Deep Image Prior: experiments.")
    top.add_argument(
        "--content", type=Path, default=Path("content"), help="folder of experiments.toml"
    )
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in (_add_list, _add_run, _add_images_command, _add_records, _add_network, add_commands):
        add(commands)
    return top


def _add_list(commands: "Commands") -> None:
    command = commands.add_parser("list", help="suites, what is recorded, what is missing")
    command.set_defaults(function="dip.commands.list:list_suites")
    command.add_argument("suites", nargs="*", metavar="SUITE", help="with every run of it")
    command.add_argument(
        "--measure", action="store_true", help="time a few steps where no record tells the speed"
    )
    command.add_argument("--threads", type=_count, metavar="N", help="CPU threads of a run")
    command.add_argument("--json", action="store_true")
    _add_device(command)
    _add_results(command)


def _add_run(commands: "Commands") -> None:
    command = commands.add_parser("run", help="run what is not recorded")
    command.set_defaults(function="dip.commands.run:run")
    command.add_argument("suites", nargs="+", metavar="SUITE", help="a suite, or all")
    command.add_argument("--image", action="append", metavar="NAME")
    command.add_argument("--seed", action="append", type=int, metavar="K")
    _add_device(command)
    _add_results(command)
    _add_images(command)
    command.add_argument("--time-limit", type=float, metavar="SECONDS")
    command.add_argument(
        "--jobs", type=_count, default=1, metavar="N", help="runs at the same time"
    )
    command.add_argument(
        "--checkpoint-every", type=float, default=30.0, metavar="SECONDS", help="at least; 30"
    )
    command.add_argument("--threads", type=_count, metavar="N", help="CPU threads of a run")
    command.add_argument("--executor", choices=("local", "slurm"), default="local")
    command.add_argument("--slurm", action="append", metavar="KEY=VALUE", default=[])
    command.add_argument("--rerun", action="store_true", help="move old records aside, run again")
    command.add_argument("--plain", action="store_true", help="lines instead of a bar")


def _add_device(command: argparse.ArgumentParser) -> None:
    command.add_argument("--device", default="auto", metavar="auto|cuda|mps|cpu")


def _add_results(command: argparse.ArgumentParser) -> None:
    command.add_argument("--results", type=Path, default=Path("results"), metavar="DIR")


def _add_images(command: argparse.ArgumentParser) -> None:
    command.add_argument("--images", type=Path, metavar="DIR", help="folder of test images")


def _add_images_command(commands: "Commands") -> None:
    command = commands.add_parser("images", help="the test images: list or fetch them")
    command.set_defaults(function="dip.commands.list:list_images", images=None)
    actions = command.add_subparsers(metavar="fetch|list")
    listing = actions.add_parser("list", help="name them, and check those that are here")
    listing.set_defaults(function="dip.commands.list:list_images")
    fetching = actions.add_parser("fetch", help="download those that are nowhere, check all")
    fetching.set_defaults(function="dip.commands.list:fetch_images")
    fetching.add_argument("names", nargs="*", metavar="NAME")
    for action in (listing, fetching):
        _add_images(action)


def _add_records(commands: "Commands") -> None:
    command = commands.add_parser("verify", help="run the beginning of recorded runs again")
    command.set_defaults(function="dip.commands.records:verify_records")
    command.add_argument("suite", nargs="?", default="all", metavar="SUITE")
    command.add_argument("--image", metavar="NAME")
    command.add_argument("--iterations", type=_count, default=50, metavar="N")
    _add_device(command)
    _add_results(command)
    _add_images(command)
    command = commands.add_parser("parity", help="a plain loop's PSNR beside the recorded runs'")
    command.set_defaults(function="dip.commands.parity:run_command")
    command.add_argument("suite", metavar="SUITE")
    command.add_argument("--image", action="append", metavar="NAME")
    command.add_argument("--threads", type=_count, metavar="N", help="CPU threads of a run")
    command.add_argument("--time-limit", type=float, metavar="SECONDS")
    _add_device(command)
    _add_results(command)
    _add_images(command)
    command = commands.add_parser("compare", help="two folders of results, run by run")
    command.set_defaults(function="dip.commands.records:compare_results")
    command.add_argument("a", type=Path, metavar="RESULTS_A")
    command.add_argument("b", type=Path, metavar="RESULTS_B")
    command = commands.add_parser("pack", help="new records as archives")
    command.set_defaults(function="dip.commands.records:pack_records")
    command.add_argument("folder", type=Path, metavar="DIR", help="where the archives go")
    command.add_argument("--size", type=float, default=45.0, metavar="MIB", help="at most; 45")
    _add_results(command)
    command = commands.add_parser("unpack", help="put the records of archives in their places")
    command.set_defaults(function="dip.commands.records:unpack_records")
    command.add_argument("archives", nargs="+", metavar="FILE")
    command.add_argument(
        "--replace", action="store_true", help="move other records that stand there aside"
    )
    _add_results(command)


def _add_network(commands: "Commands") -> None:
    command = commands.add_parser("describe", help="the network of a suite, layer by layer")
    command.set_defaults(function="dip.commands.list:describe_network")
    command.add_argument("suite", nargs="?", default="inpainting", metavar="SUITE")
    command.add_argument("--json", action="store_true")
    command = commands.add_parser("bench", help="our engine against a plain loop")
    command.set_defaults(function="dip.commands.bench:run_command")
    command.add_argument("--size", type=_count, default=256, metavar="N", help="pixels a side")
    command.add_argument("--steps", type=_count, default=10, metavar="N")
    command.add_argument(
        "--precision", default="default", choices=CHOICES["arithmetic"], help="the engine's"
    )
    command.add_argument("--threads", type=_count, metavar="N", help="CPU threads of each loop")
    command.add_argument("--json", action="store_true")
    _add_device(command)


def _count(text: str) -> int:
    """Read a positive whole number; argparse tells of a wrong one."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return number
