"""The four commands on one's own photograph: what is read, fitted, put together and written."""

import argparse
import time
from dataclasses import replace

import numpy as np

from dip.errors import InputError
from dip.experiments.experiment import Experiment, arithmetic_on, device_kind
from dip.photo.files import check_output, resized, what_is_lost, write_photo
from dip.photo.holes import (
    Window,
    holes_of,
    joined,
    read_mask,
    soft_part,
    transparent,
    width_of_widest,
    windows_round,
)
from dip.photo.progress import Progress
from dip.photo.restore import LARGE_HOLE, LEAST_SIDE, restore, settings_for, settings_for_shapes
from dip.planning.estimates import bytes_needed, side_that_fits, size
from dip.planning.jobs import duration
from dip.records.environment import choose_device, free_memory
from dip.tasks import degradations as tasks
from dip.tasks.degradations import Task
from dip.tasks.photographs import Photo, read_photo

WHOLE_SIDE = {"cpu": 256, "mps": 512, "cuda": 512}  # a larger photograph is inpainted in windows
SEEDS = 2**32
DONE = {
    "denoise": "denoised", "inpaint": "filled", "upscale": "enlarged", "clean-jpeg": "cleaned",
}  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Restore `args.input` into `args.output`; raises InputError, then nothing is written."""
    try:
        return _run(args)
    except KeyboardInterrupt:
        raise InputError("stopped: nothing was written") from None


def _run(args: argparse.Namespace) -> int:
    began = time.monotonic()
    _check_numbers(args)
    mask = getattr(args, "mask", None)
    check_output(args.output, {"photograph": args.input} | ({"mask": mask} if mask else {}))
    photo = read_photo(args.input)
    if min(photo.pixels.shape[1:]) < LEAST_SIDE:
        least = f"at least {LEAST_SIDE}x{LEAST_SIDE} are needed"
        raise InputError(f"the photograph has {photo.size} pixels; {least}", args.input)
    said = [f"{photo.size}, {photo.kind}", *photo.notes, what_is_lost(photo, args.output)]
    print(f"{args.input}: {'; '.join(filter(None, said))}")
    job = Job(args, photo)
    try:
        restored = job.inpainted() if args.command == "inpaint" else job.whole()
        write_photo(args.output, restored)
        job.progress.finish()
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", args.output) from None
    took = duration(time.monotonic() - began)
    print(f"{args.output}: {DONE[args.command]}, {restored.size}, in {took}")
    return 0


def _check_numbers(args: argparse.Namespace) -> None:
    if args.max_side is not None and args.max_side < LEAST_SIDE:
        raise InputError(f"--max-side is {args.max_side}; it must be at least {LEAST_SIDE} pixels")
    if args.minutes is not None and not args.minutes > 0:
        raise InputError(f"--minutes is {args.minutes:g}; it must be more than 0")
    if args.channels is not None and args.channels < 1:
        raise InputError(f"--channels is {args.channels}; it must be at least 1")
    if not 0 <= args.seed < SEEDS:
        raise InputError(f"--seed is {args.seed}; it must be at least 0 and below {SEEDS}")


class Job:
    """One photograph, one command."""

    def __init__(self, args: argparse.Namespace, photo: Photo) -> None:
        """Take the command's arguments and choose the settings for the device."""
        self.args, self.photo = args, photo
        self.device = choose_device(args.device)
        self.kind = device_kind(self.device)
        self.whole_side = WHOLE_SIDE[self.kind]
        self.factor = getattr(args, "factor", 1)
        settings = settings_for(args.command, self.kind, args.channels, self.factor)
        self.settings: Experiment = replace(settings, seed=args.seed)
        self.for_textures = self.settings
        self.progress: Progress

    def whole(self) -> Photo:
        """The photograph denoised, enlarged or cleaned; smaller first if --max-side says so."""
        photo = self._limited()
        channels, height, width = photo.pixels.shape
        self._print_plan([(channels, height * self.factor, width * self.factor)])
        makers = {
            "denoise": tasks.denoising,
            "clean-jpeg": tasks.jpeg_artefacts,
            "upscale": lambda x0: tasks.super_resolution(x0, self.factor),
        }
        output = self._fitted(makers[self.args.command](photo.pixels), 1.0)
        alpha = photo.alpha
        if alpha is not None and self.factor > 1:
            alpha = np.clip(resized(alpha[None], *output.shape[1:])[0], 0, 1)
        return replace(photo, pixels=output, alpha=alpha)

    def _limited(self) -> Photo:
        """The photograph, made so small that the result has no side over --max-side."""
        photo, limit = self.photo, self.args.max_side
        height, width = photo.pixels.shape[1:]
        longest = max(height, width) * self.factor
        if limit is None or longest <= limit:
            return photo
        sides = [max(1, round(side * limit / longest)) for side in (height, width)]
        if min(sides) < LEAST_SIDE:
            raise InputError(
                f"--max-side {limit} would leave {sides[1]}x{sides[0]} pixels of the photograph;"
                f" at least {LEAST_SIDE}x{LEAST_SIDE} are needed"
            )
        alpha = None if photo.alpha is None else resized(photo.alpha[None], *sides)[0]
        print(f"made smaller first, to {sides[1]}x{sides[0]}, as --max-side says")
        return replace(photo, pixels=np.clip(resized(photo.pixels, *sides), 0, 1), alpha=alpha)

    def inpainted(self) -> Photo:
        """The photograph with its holes filled; every known pixel stays as it is."""
        holes = self._holes()
        windows = windows_round(holes, self.args.max_side or self.whole_side)
        if len(windows) > 1 or windows[0].area < holes.size:
            parts = ", ".join(f"{w.right - w.left}x{w.bottom - w.top}" for w in windows[:4])
            more = f" and {len(windows) - 4} more" if len(windows) > 4 else ""
            print(f"working in {len(windows)} windows round the holes: {parts}{more}")
        self._print_plan([self._worked_shape(window) for window in windows])
        pixels = self.photo.pixels.copy()
        left = sum(window.area for window in windows)
        for window in windows:
            rows, columns = window.inside
            part = holes[rows, columns]
            filled = self._filled(window, part, window.area / left)
            left -= window.area
            pixels[:, rows, columns] = joined(filled, pixels[:, rows, columns], part)
        alpha = self.photo.alpha if self.args.mask else None
        return replace(self.photo, pixels=pixels, alpha=alpha)

    def _holes(self) -> np.ndarray:
        """The holes, (H, W) bool; prints how much of the image they are."""
        if self.args.mask:
            mask = read_mask(self.args.mask, self.photo)
            holes, colour = holes_of(mask, self.args.holes, self.args.mask)
            soft = soft_part(mask)
            grey = f", and the {_percent(soft)} that are grey" if soft else ""
            whose = f"the {colour} pixels of {self.args.mask}{grey}"
        else:
            holes, whose = transparent(self.photo, self.args.input), "its transparent pixels"
        print(f"restoring {_percent(holes.mean())} of the picture: {whose}")
        return holes

    def _worked_shape(self, window: Window) -> tuple[int, int, int]:
        """The shape (C, H, W) in which a window is fitted."""
        height, width = window.bottom - window.top, window.right - window.left
        limit = self.args.max_side or max(height, width)
        scale = min(1.0, limit / max(height, width))
        sides = [max(1, round(side * scale)) for side in (height, width)]
        return len(self.photo.pixels), sides[0], sides[1]

    def _filled(self, window: Window, holes: np.ndarray, share: float) -> np.ndarray:
        """A window filled, in its full size; fitted smaller if --max-side says so."""
        rows, columns = window.inside
        pixels, known = self.photo.pixels[:, rows, columns], ~holes
        full, worked = pixels.shape[1:], self._worked_shape(window)[1:]
        if worked != full:
            weights = resized(known[None], *worked)
            pixels = np.clip(resized(pixels * known, *worked) / np.maximum(weights, 1e-6), 0, 1)
            known = weights[0] >= 0.5
        if known.all():  # holes so thin that they vanish where the picture is made smaller
            output = pixels
        elif not known.any():
            raise InputError("made that small, no pixel of the photograph is known any more")
        else:
            self._suit_hole(width_of_widest(~known))
            output = self._fitted(tasks.inpainting(pixels, known), share)
        return output if worked == full else np.clip(resized(output, *full), 0, 1)

    def _suit_hole(self, width: int) -> None:
        """Take the settings for --fill; where a hole is large, print what else there is."""
        self.settings = self.for_textures
        if self.args.fill == "shapes":
            self.settings = settings_for_shapes(self.for_textures, self.kind)
            print(f"shapes are continued, in at most {self.settings.iterations} iterations")
        elif width >= LARGE_HOLE:
            print(
                f"the widest hole is {width} pixels across, a large one: textures are continued"
                " into it; look whether --fill shapes gives a better picture"
            )

    def _print_plan(self, shapes: list[tuple[int, int, int]]) -> None:
        """Print what the fit will need; raises InputError if there is not the memory for it."""
        largest = max(shapes, key=lambda shape: shape[1] * shape[2])
        precision = arithmetic_on(self.settings, self.kind)
        needed = bytes_needed(self.settings, largest, precision)
        free = free_memory(self.device)
        if needed > free:
            side = side_that_fits(self.settings, largest, precision, free)
            advice = f"; --max-side {side} would fit" if side >= LEAST_SIDE else ""
            raise InputError(
                f"{largest[2]}x{largest[1]} pixels need about {size(needed)} of memory, and"
                f" {size(free)} are free{advice}"
            )
        print(
            f"at most {self.settings.iterations} iterations with {max(self.settings.channels)}"
            f" channels on {self.device}, about {size(needed)} of memory",
            flush=True,
        )
        self.progress = Progress(self.args.output, self.args.minutes)

    def _fitted(self, task: Task, share: float) -> np.ndarray:
        self.progress.begin(self.settings.iterations, share)
        try:
            restored = restore(task, self.settings, self.device, self.progress.watch)
        except (MemoryError, RuntimeError) as error:
            if isinstance(error, MemoryError) or "memory" in str(error).lower():
                raise InputError("out of memory; a smaller --max-side would fit") from None
            raise
        print(restored, flush=True)
        return restored.output


def _percent(part: float) -> str:
    return "under 0.1%" if part < 0.001 else f"{100 * part:.1f}%"
