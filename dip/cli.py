"""The command line: `python -m dip COMMAND`."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from dip.problems import InputError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; give 0 if all is well, 1 for a mistake in an input, 2 for wrong usage."""
    args = parser().parse_args(arguments)
    module, function = args.function.split(":")
    try:
        return int(getattr(import_module(module), function)(args))
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:  # what read our output closed it
        return 1


def parser() -> argparse.ArgumentParser:
    """Make the parser of every command."""
    top = argparse.ArgumentParser(prog="dip", description="Deep Image Prior: experiments.")
    top.add_argument(
        "--content", type=Path, default=Path("content"), help="folder of experiments.toml"
    )
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_run(commands)
    return top


Commands = argparse._SubParsersAction  # type: ignore[type-arg]


def _add_run(commands: "Commands") -> None:
    command = commands.add_parser("run", help="run what is not recorded")
    command.set_defaults(function="dip.commands_run:run")
    command.add_argument("suites", nargs="+", metavar="SUITE", help="a suite, or all")
    command.add_argument("--image", action="append", metavar="NAME")
    command.add_argument("--seed", action="append", type=int, metavar="K")
    _add_device(command)
    _add_results(command)
    _add_images(command)
    command.add_argument("--time-limit", type=float, metavar="SECONDS")
    command.add_argument("--jobs", type=int, default=1, metavar="N", help="runs at the same time")
    command.add_argument("--threads", type=int, metavar="N", help="CPU threads of a run")
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
