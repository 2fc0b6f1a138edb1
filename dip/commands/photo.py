"""`dip denoise|inpaint|upscale|clean-jpeg`: the reader's own photograph."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

COMMANDS = {
    "denoise": "take the noise out of a photograph",
    "inpaint": "fill holes of a photograph: those of a mask, or its transparent pixels",
    "upscale": "enlarge a photograph 4 or 8 times",
    "clean-jpeg": "take blocks and ringing out of a strongly compressed photograph",
}
DESCRIPTION = (
    "A network is fitted to this one photograph, from random weights, and stopped without knowing"
    " the truth. The photograph is turned as its EXIF orientation says; its depth, colour profile,"
    " alpha and EXIF data are kept. A preview lies beside the output while it is worked on; the"
    " output is written once it is finished, or as it stands after Ctrl-C."
)
WIDTH = (
    "width of the network (default: 128 as in the paper on a GPU, 32 on a CPU, where it is some"
    " ten times faster and a little blurrier)"
)
THREADS = (
    "CPU threads (default: one up to 128x128 pixels, else one for each core); another number of"
    " them rounds otherwise, so that the picture is a little different"
)


def add_commands(commands: "Commands") -> None:
    """Add the four commands to the command line's subparsers."""
    for name, summary in COMMANDS.items():
        command = commands.add_parser(
            name, help=summary, description=f"{summary[0].upper()}{summary[1:]}. {DESCRIPTION}"
        )
        command.set_defaults(function="dip.photo.command:run", command=name)
        command.add_argument("input", type=Path, metavar="INPUT", help="the photograph")
        _add_own(command, name)
        _add_common(command)


def _add_own(command: argparse.ArgumentParser, name: str) -> None:
    if name == "inpaint":
        command.add_argument(
            "--mask",
            type=Path,
            metavar="FILE",
            help="what to restore (default: what is transparent)",
        )
        command.add_argument(
            "--holes",
            choices=("white", "black"),
            help="colour of the mask's holes (default: the one that covers less)",
        )
        command.add_argument(
            "--fill",
            choices=("texture", "shapes"),
            default="texture",
            help="what to continue into the holes: texture (default), or shapes, which suits some"
            " large holes",
        )
    if name == "upscale":
        command.add_argument("--factor", type=_factor, default=4, metavar="4|8", help="default: 4")


def _factor(word: str) -> int:
    if word not in ("4", "8"):
        raise argparse.ArgumentTypeError(f"a factor of {word} is not possible: it is 4 or 8")
    return int(word)


def _add_common(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="OUTPUT",
        help="PNG, TIFF, JPEG or WebP, by its ending",
    )
    command.add_argument(
        "--max-side",
        type=int,
        metavar="N",
        help="work on at most N pixels a side (default: all); the picture becomes that small, but"
        " where inpaint restores it, only what is filled in becomes coarser",
    )
    command.add_argument(
        "--minutes",
        type=float,
        metavar="M",
        help="take what there is after so long (default: no limit)",
    )
    command.add_argument("--channels", type=int, metavar="N", help=WIDTH)
    command.add_argument(
        "--device", default="auto", metavar="auto|cuda|mps|cpu", help="default: the best there is"
    )
    command.add_argument("--threads", type=int, metavar="N", help=THREADS)
    command.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="K",
        help="another number gives another picture (default: 0)",
    )
    command.add_argument(
        "--strip", action="store_true", help="leave out EXIF data, such as time and place, and dpi"
    )
