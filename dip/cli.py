"""The command line, `python -m dip COMMAND`: what each command takes, and where it is.

All commands are one table. A command's module is imported once the command is asked for, so that
`list` needs no torch.
"""

import argparse
import math
import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

from dip.errors import InputError, sentence_of
from dip.experiments.experiment import CHOICES
from dip.photo import LEAST_SIDE

SEEDS = 2**32  # of photographs
DIGITS = 9  # of a count: torch, for one, counts no further than 2**31


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 if all is well, 1 for a mistake in an input. Exits 2 for wrong usage."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed before we began
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 (to the end)
        if isinstance(stream := getattr(sys, name), TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # for what a terminal cannot show
    try:
        try:
            args = parser().parse_args(arguments)
            module, function = args.function.split(":")
            # A photograph is saved once its fit has begun, and says so; until then nothing is.
            is_usual = signal.getsignal(signal.SIGINT) == signal.SIG_DFL
            if is_usual and not module.startswith("dip.photo"):
                signal.signal(signal.SIGINT, signal.default_int_handler)
            return int(getattr(import_module(module), function)(args))
        finally:
            sys.stdout.flush()  # what cannot be written is told here, and not as Python ends
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt as stopped:
        if stopped.args:
            print(*stopped.args, file=sys.stderr)
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # ends as by Ctrl-C: a shell ends its loop too
        signal.raise_signal(signal.SIGINT)
        return 130
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in ("dip", "press"):
            raise
        print(f'this needs {error.name}: pip install -e ".[experiments]"', file=sys.stderr)
        return 1
    except OSError as error:  # a full disk, a folder without permission
        if not isinstance(error, BrokenPipeError):  # what read our output closed it
            print(sentence_of(error), file=sys.stderr)
        try:
            sys.stdout.flush()
        except OSError:  # what is left goes nowhere, or Python fails with it as it ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


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
    what = "folder of experiments.toml"
    top.add_argument("--content", type=Path, default=Path("content"), help=what)
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, (function, summary, shared, own) in COMMANDS.items():
        more = OF_PHOTOGRAPHS if function.startswith("dip.photo") else ""
        what = f"{summary[0].upper()}{summary[1:]}. {more}"
        command = commands.add_parser(name, help=summary, description=what)
        command.set_defaults(function=function, command=name)
        arguments = {name: SHARED[name] for name in ("--content", *shared.split())} | own
        for argument, words in arguments.items():
            command.add_argument(*argument.split("|"), **words)
    return top


def _integer(what: str, least: int, below: float = math.inf, step: int = 1) -> Callable[[str], int]:
    """A function that reads an integer; it raises what argparse reports as wrong usage."""

    def read(text: str) -> int:
        shown = f"{text:.20}{'...' * (len(text) > 20)}"
        if text.isdecimal() and below == math.inf and len(text) > DIGITS:
            raise argparse.ArgumentTypeError(f"expected at most {DIGITS} digits, got '{shown}'")
        is_integer = text.isdecimal() and len(text) <= 20
        if not is_integer or not least <= int(text) < below or int(text) % step:
            raise argparse.ArgumentTypeError(f"expected {what}, got '{shown}'")
        return int(text)

    return read


def _size(text: str) -> int:
    """A size that the plain loop of `bench` can do."""
    from dip.commands.plain import BLOCK, LEAST_PLAIN

    return _integer(f"{LEAST_PLAIN} or more in steps of {BLOCK}", LEAST_PLAIN, step=BLOCK)(text)


def _number(what: str, fits: Callable[[float], bool]) -> Callable[[str], float]:
    """A function that reads a number; it raises what argparse reports as wrong usage."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not fits(number):
            raise argparse.ArgumentTypeError(f"expected {what}, got '{text}'")
        return number

    return read


_seconds = _number("a number of seconds", lambda seconds: 0 <= seconds < math.inf)
_minutes = _number("minutes, more than 0", lambda minutes: minutes > 0)
_count = _integer("a positive integer", 1)
_side = _integer(f"at least {LEAST_SIDE} pixels", LEAST_SIDE)
_seed = _integer(f"an integer from 0 to {SEEDS - 1}", 0, SEEDS)

Arguments = dict[str, dict[str, Any]]
SHARED: Arguments = {
    "--content": {"type": Path, "default": argparse.SUPPRESS, "help": argparse.SUPPRESS},
    "--device": {"default": "auto", "metavar": "auto|cuda|mps|cpu"},
    "--factor": {"type": int, "choices": (4, 8), "default": 4, "help": "default: 4"},
    "--image": {"action": "append", "metavar": "NAME"},
    "--images": {"type": Path, "metavar": "DIR", "help": "folder of test images"},
    "--json": {"action": "store_true"},
    "--results": {"type": Path, "default": Path("results"), "metavar": "DIR"},
    "--threads": {"type": _count, "metavar": "N", "help": "CPU threads of a run"},
    "--time-limit": {"type": _seconds, "metavar": "SECONDS"},
}
OF_PHOTOGRAPHS = (
    "A network is fitted to this one photograph, from random weights, and stopped without knowing"
    " the truth. The photograph is turned as its EXIF orientation says; its depth, colour profile,"
    " alpha and EXIF data are kept. A preview lies beside the output while it is worked on; the"
    " output is written once it is finished, or as it stands after Ctrl-C."
)
PHOTOGRAPH: Arguments = {
    "input": {"type": Path, "metavar": "INPUT", "help": "the photograph"},
    "-o|--output": {"type": Path, "required": True, "help": (
        "PNG, TIFF, JPEG or WebP, by its ending")},
    "--max-side": {"type": _side, "metavar": "N", "help": (
        "work on at most N pixels a side (default: all); the picture becomes that small, but where"
        " inpaint restores it, only what is filled in becomes coarser")},
    "--minutes": {"type": _minutes, "metavar": "M", "help": (
        "take what there is after so long (default: no limit)")},
    "--channels": {"type": _count, "metavar": "N", "help": (
        "width of the network (default: 128 as in the paper on a GPU, 32 on a CPU, where it is"
        " some ten times faster and a little blurrier)")},
    "--device": {**SHARED["--device"], "help": "default: a CUDA GPU if there is one, else cpu"},
    "--threads": {"type": _count, "metavar": "N", "help": (
        "CPU threads (default: one up to 128x128 pixels, else one for each core); another number"
        " rounds otherwise, so that the picture is a little different")},
    "--seed": {"type": _seed, "default": 0, "metavar": "K", "help": (
        "another number gives another picture (default: 0)")},
    "--strip": {"action": "store_true", "help": (
        "leave out EXIF data, such as time and place, and dpi")},
}  # fmt: skip
HOLES: Arguments = {
    "--mask": {"type": Path, "metavar": "FILE", "help": (
        "what to restore (default: what is transparent)")},
    "--holes": {"choices": ("white", "black"), "help": (
        "colour of the mask's holes (default: the one that covers less)")},
    "--fill": {"choices": ("texture", "shapes"), "default": "texture", "help": (
        "what to continue into the holes: texture (default), or shapes, which suits some large"
        " holes")},
}  # fmt: skip
# Of each command: its function, what it does, the arguments that it shares with others, its own.
COMMANDS: dict[str, tuple[str, str, str, Arguments]] = {
    "list": (
        "dip.commands.list:list_suites", "suites, what is recorded or missing",
        "--threads --device --results",
        {"suites": {"nargs": "*", "metavar": "SUITE", "help": "with every run of it"},
         "--measure": {"action": "store_true", "help": "time some steps of what was never timed"}}),
    "manifest": (
        "dip.commands.list:print_manifest", "all of that as JSON, for a generator of pages",
        "--results", {}),
    "run": (
        "dip.commands.run:run", "run what is not recorded",
        "--threads --device --results --images --time-limit --image", {
            "suites": {"nargs": "+", "metavar": "SUITE", "help": "a suite, or all"},
            "--seed": {"action": "append", "type": int, "metavar": "K"},
            "--method": {"action": "append", "metavar": "NAME", "help": "a baseline, or a mean"},
            "--jobs": {"type": _count, "default": 1, "metavar": "N", "help": "runs at once"},
            "--checkpoint-every": {
                "type": _seconds, "default": 30.0, "metavar": "SECONDS", "help": "at least; 30"},
            "--rerun": {"action": "store_true", "help": "move old records aside, run again"},
            "--plain": {"action": "store_true", "help": "new lines on a terminal, too"}}),
    "verify": (
        "dip.commands.records:verify_records", "run the start of records again",
        "--device --results --images --image", {
            "suite": {"nargs": "?", "default": "all", "metavar": "SUITE"},
            "--iterations": {"type": _count, "default": 50, "metavar": "N"}}),
    "parity": (
        "dip.commands.plain:parity", "a plain loop's PSNR beside the runs'",
        "--threads --time-limit --device --results --images --image",
        {"suite": {"metavar": "SUITE"}}),
    "compare": (
        "dip.commands.records:compare_results", "two folders of results", "",
        {word: {"type": Path, "metavar": f"RESULTS_{word.upper()}"} for word in "ab"}),
    "pack": (
        "dip.commands.records:pack_records", "new records as an archive", "--results",
        {"archive": {"type": Path, "metavar": "FILE", "help": "a tar file to write"}}),
    "unpack": (
        "dip.commands.records:unpack_records", "put archived records in place", "--results", {
            "archives": {"nargs": "+", "type": Path, "metavar": "FILE"},
            "--replace": {
                "action": "store_true", "help": "move other records that stand there aside"}}),
    "describe": (
        "dip.commands.list:describe_network", "a suite's network, by layers", "--json",
        {"suite": {"nargs": "?", "default": "inpainting", "metavar": "SUITE"}}),
    "bench": (
        "dip.commands.plain:bench", "our engine against a plain loop",
        "--threads --device --json", {
            "--size": {"type": _size, "default": 256, "metavar": "N", "help": "pixels a side"},
            "--steps": {"type": _count, "default": 10, "metavar": "N"},
            "--precision": {
                "default": "default", "choices": CHOICES["arithmetic"], "help": "the engine's"}}),
    "images": (
        "dip.commands.list:images", "the test images: list and check, or fetch them", "--images", {
            "action": {"nargs": "?", "choices": ("list", "fetch"), "default": "list", "help": (
                "name them, and check those that are here; or download what is nowhere")},
            "names": {"nargs": "*", "metavar": "NAME", "help": "of which images; all"}}),
    "denoise": (
        "dip.photo.command:run", "take the noise out of a photograph", "", PHOTOGRAPH),
    "inpaint": (
        "dip.photo.command:run",
        "fill holes of a photograph: those of a mask, or its transparent pixels", "",
        HOLES | PHOTOGRAPH),
    "upscale": (
        "dip.photo.command:run", "enlarge a photograph 4 or 8 times", "--factor", PHOTOGRAPH),
    "clean-jpeg": (
        "dip.photo.command:run", "take blocks and ringing out of a strongly compressed photograph",
        "", PHOTOGRAPH),
}  # fmt: skip
