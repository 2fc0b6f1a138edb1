"""`dip denoise|inpaint|upscale|clean-jpeg`: the reader's own photograph."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
# Each option's keyword: its type or choices, its default, what it is called, what it says.
Option = tuple[Any, Any, str | None, str]
OPTIONS: dict[str, Option] = {
    "max-side": (int, None, "N", (
        "work on at most N pixels a side (default: all); the picture becomes that small, but where"
        " inpaint restores it, only what is filled in becomes coarser")),
    "minutes": (float, None, "M", "take what there is after so long (default: no limit)"),
    "channels": (int, None, "N", (
        "width of the network (default: 128 as in the paper on a GPU, 32 on a CPU, where it is"
        " some ten times faster and a little blurrier)")),
    "device": (str, "auto", "auto|cuda|mps|cpu", "default: the best there is"),
    "threads": (int, None, "N", (
        "CPU threads (default: one up to 128x128 pixels, else one for each core); another number"
        " rounds otherwise, so that the picture is a little different")),
    "seed": (int, 0, "K", "another number gives another picture (default: 0)"),
}  # fmt: skip
OWN: dict[str, dict[str, Option]] = {
    "inpaint": {
        "mask": (Path, None, "FILE", "what to restore (default: what is transparent)"),
        "holes": (("white", "black"), None, None, (
            "colour of the mask's holes (default: the one that covers less)")),
        "fill": (("texture", "shapes"), "texture", None, (
            "what to continue into the holes: texture (default), or shapes, which suits some large"
            " holes")),
    },
    "upscale": {"factor": ((4, 8), 4, None, "default: 4")},
}  # fmt: skip


def add_commands(commands: "Commands") -> None:
    """Add the four commands to the command line's subparsers."""
    for name, summary in COMMANDS.items():
        what = f"{summary[0].upper()}{summary[1:]}. {DESCRIPTION}"
        command = commands.add_parser(name, help=summary, description=what)
        command.set_defaults(function="dip.photo.command:run", command=name)
        command.add_argument("input", type=Path, metavar="INPUT", help="the photograph")
        what = "PNG, TIFF, JPEG or WebP, by its ending"
        command.add_argument("-o", "--output", type=Path, required=True, help=what)
        for option, (kind, default, called, what) in (OWN.get(name, {}) | OPTIONS).items():
            choices = kind if isinstance(kind, tuple) else None
            words: dict[str, Any] = {
                "type": type(choices[0]) if choices else kind,
                "choices": choices,
            }
            command.add_argument(f"--{option}", default=default, metavar=called, help=what, **words)
        what = "leave out EXIF data, such as time and place, and dpi"
        command.add_argument("--strip", action="store_true", help=what)
