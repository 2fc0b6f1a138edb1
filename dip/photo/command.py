"""The four commands on one's own photograph: what is read, fitted, put together and written."""

import argparse
import os
import time
from dataclasses import replace

import numpy as np

from dip.errors import InputError, is_lack_of_memory
from dip.experiments.experiment import Experiment, arithmetic_on, device_kind
from dip.photo import LEAST_SIDE, files, restore
from dip.photo import holes as masks
from dip.photo.progress import Progress, say
from dip.photo.restore import Restored
from dip.planning.estimates import bytes_needed, side_that_fits, size
from dip.planning.jobs import duration
from dip.records.environment import choose_device, free_memory
from dip.tasks import degradations as tasks
from dip.tasks.degradations import Task
from dip.tasks.photographs import Photo, read_photo

WHOLE_SIDE = {"cpu": 256, "mps": 512, "cuda": 512}  # a larger photograph is inpainted in windows
# Threads that spin while they wait take the processor from one another where other programs run:
# on two busy cores, 128x128 pixels took 1.5 to 2.4 s an iteration, 0.15 with threads that sleep,
# and as much with one; 64x64 took 0.2 s with one thread, 0.3 with two that sleep.
ONE_THREAD = 128 * 128  # pixels up to which a second thread gains nothing
DONE = {
    "denoise": "denoised", "inpaint": "filled", "upscale": "enlarged", "clean-jpeg": "cleaned",
}  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Restore `args.input` into `args.output`; raises InputError, then nothing is written.

    After Ctrl-C the picture as it stands is written, if the network has learnt anything, and then
    KeyboardInterrupt raised with a sentence.
    """
    began = time.monotonic()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch is loaded
    mask = getattr(args, "mask", None)
    files.check_output(args.output, {"photograph": args.input} | ({"mask": mask} if mask else {}))
    photo = read_photo(args.input)
    if min(photo.pixels.shape[1:]) < LEAST_SIDE:
        least = f"at least {LEAST_SIDE}x{LEAST_SIDE} are needed"
        raise InputError(f"the photograph has {photo.size} pixels; {least}", args.input)
    photo = replace(photo, exif=b"", dpi=None) if args.strip else photo
    job = Job(args, photo)
    files.check_format(photo, args.output, job.longest)
    lost = files.what_is_lost(photo, args.output, untouched=args.command == "inpaint")
    said = "; ".join(filter(None, [f"{photo.size}, {photo.kind}", *photo.notes, lost]))
    say(f"{args.input}: {said}")
    try:
        restored = job.inpainted() if args.command == "inpaint" else job.whole()
        stopped = job.progress.interrupts.asked
        if stopped and not job.learnt:
            raise KeyboardInterrupt("stopped: nothing was written")
        files.write_photo(args.output, restored)
    except OSError as error:
        preview = job.progress.preview
        rest = f"; {preview} is the picture as it last stood" if preview.exists() else ""
        sentence = f"cannot be written: {error.strerror or error}{rest}"
        raise InputError(sentence, args.output) from None
    except BaseException:
        job.progress.finish()
        raise
    job.progress.finish()
    took = duration(time.monotonic() - began)
    say(f"{args.output}: {DONE[args.command]}, {restored.size}, in {took}")
    if stopped:
        raise KeyboardInterrupt(f"stopped: {args.output} is the picture as it stood")
    return 0


class Job:
    """One photograph, one command."""

    def __init__(self, args: argparse.Namespace, photo: Photo) -> None:
        """Take the command's arguments and choose the settings for the device."""
        self.args, self.photo = args, photo
        self.device = choose_device(args.device)
        self.kind = device_kind(self.device)
        self.whole_side = WHOLE_SIDE[self.kind]
        self.factor = getattr(args, "factor", 1)
        settings = restore.settings_for(args.command, self.kind, args.channels, self.factor)
        self.settings: Experiment = replace(settings, seed=args.seed)
        self.for_textures = self.settings
        self.learnt = False  # whether any fit was long enough
        self.progress = Progress(args.output, args.minutes)

    @property
    def longest(self) -> int:
        """The longest side of the result in pixels."""
        longest: int = self.factor * max(self.photo.pixels.shape[1:])
        limit = None if self.args.command == "inpaint" else self.args.max_side
        return longest if limit is None else min(longest, limit)

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
        task, alpha = makers[self.args.command](photo.pixels), photo.alpha
        if alpha is not None:  # what colour there is under 0 says nothing
            if not alpha.any():
                raise InputError("every pixel is transparent: nothing is known", self.args.input)
            task = replace(task, mask=(alpha > 0).astype(np.float32)[None])
        output = self._fitted(task, 1.0).output
        if alpha is not None and self.factor > 1:
            alpha = np.clip(files.resized(alpha[None], *output.shape[1:])[0], 0, 1)
        return replace(photo, pixels=output, alpha=alpha)

    def _limited(self) -> Photo:
        """The photograph, made so small that the result has no side over --max-side."""
        photo, limit = self.photo, self.args.max_side
        height, width = photo.pixels.shape[1:]
        if limit is None or max(height, width) * self.factor <= limit:
            return photo
        sides = _limited_to(limit // self.factor / max(height, width), (height, width))
        if min(sides) < LEAST_SIDE:
            raise InputError(
                f"--max-side {limit} would leave {sides[1]}x{sides[0]} pixels of the photograph;"
                f" at least {LEAST_SIDE}x{LEAST_SIDE} are needed"
            )
        say(f"made smaller first, to {sides[1]}x{sides[0]}, as --max-side says")
        opaque = np.ones((height, width)) if photo.alpha is None else photo.alpha
        pixels, alpha = masks.shrunk(photo.pixels, opaque, *sides)
        return replace(photo, pixels=pixels, alpha=None if photo.alpha is None else alpha)

    def inpainted(self) -> Photo:
        """The photograph with its holes filled; every known pixel stays as it is."""
        holes, photo = self._holes(), self.photo
        windows = masks.windows_round(holes, self.args.max_side or self.whole_side)
        if len(windows) > 1 or windows[0].sides != holes.shape:
            parts = ", ".join("{1}x{0}".format(*window.sides) for window in windows[:4])
            more = f" and {len(windows) - 4} more" if len(windows) > 4 else ""
            say(f"working in {len(windows)} windows round the holes: {parts}{more}")
        pixels, unknown = photo.pixels.copy(), holes.copy()
        if photo.alpha is not None:
            unknown |= photo.alpha == 0
        if lost := [window for window in windows if unknown[window.inside].all()]:
            around = "nothing is known round the holes in the window of"
            raise InputError(f"{around} {lost[0]}: all else there is transparent", self.args.input)
        shapes = [self._worked_shape(window) for window in windows]
        self._print_plan(shapes)
        work = [height * width for _, height, width in shapes]
        for number, window in enumerate(windows):
            share = work[number] / sum(work[number:])
            wanted = np.zeros_like(holes)
            wanted[window.core] = holes[window.core]
            width = masks.width_of_widest(wanted[window.inside])
            filled = self._filled(window, pixels, unknown, share, width)
            pixels[:, wanted] = filled[:, wanted[window.inside]]
            unknown &= ~wanted
        return replace(photo, pixels=pixels, alpha=photo.alpha if self.args.mask else None)

    def _holes(self) -> np.ndarray:
        """The holes, (H, W) bool; prints how much of the image they are."""
        if self.args.mask:
            mask = masks.read_mask(self.args.mask, self.photo)
            holes, colour = masks.holes_of(mask, self.args.holes, self.args.mask)
            soft = masks.soft_part(mask)
            grey = f", and the {_percent(soft)} that are grey" if soft else ""
            whose = f"the {colour} pixels of {self.args.mask}{grey}"
        else:
            holes, whose = masks.transparent(self.photo, self.args.input), "its transparent pixels"
        say(f"restoring {_percent(holes.mean())} of the picture: {whose}")
        return holes

    def _worked_shape(self, window: masks.Window) -> tuple[int, int, int]:
        """The shape (C, H, W) in which a window is fitted."""
        scale = (self.args.max_side or np.inf) / max(window.sides)
        return len(self.photo.pixels), *_limited_to(scale, window.sides)

    def _filled(
        self,
        window: masks.Window,
        picture: np.ndarray,
        unknown: np.ndarray,
        share: float,
        width: int,
    ) -> np.ndarray:
        """A window filled, in its full size; fitted smaller if --max-side says so.

        `width` is that of its widest hole: what is transparent round the holes is unknown too, but
        none of it.
        """
        full, holes = picture[:, *window.inside], unknown[window.inside]
        pixels, known, worked = full, ~holes, self._worked_shape(window)[1:]
        if worked != window.sides:
            pixels, weights = masks.shrunk(full, known.astype(np.float32), *worked)
            known = weights >= 0.5
        if known.all():  # holes so thin that they vanish where the picture is made smaller
            output = pixels
        elif not known.any():  # known pixels so few that they vanish there
            say(f"made that small, nothing is known in the window of {window}: filled smoothly")
            output = np.zeros_like(pixels)
        else:
            self._suit_hole(round(width * worked[0] / window.sides[0]))
            restored = self._fitted(tasks.inpainting(pixels, known), share)
            output = restored.output
            if not restored.learnt:
                say(f"too few for the window of {window}: its holes are filled smoothly")
                output = np.zeros_like(pixels)
        if worked != window.sides:
            output = np.clip(files.resized(output, *window.sides), 0, 1)
        return masks.joined(output, full, holes)

    def _suit_hole(self, width: int) -> None:
        """Take the settings for --fill; where a hole is large, print what else there is."""
        self.settings = self.for_textures
        if self.args.fill == "shapes":
            self.settings = restore.settings_for_shapes(self.for_textures, self.kind)
            say(f"shapes are continued, in at most {self.settings.iterations} iterations")
        elif width >= restore.LARGE_HOLE:
            say(
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
        if self.kind == "cpu" and largest[1] * largest[2] <= ONE_THREAD:
            self.args.threads = self.args.threads or 1
        say(
            f"at most {self.settings.iterations} iterations with {max(self.settings.channels)}"
            f" channels on {self.device}, about {size(needed)} of memory"
        )

    def _fitted(self, task: Task, share: float) -> Restored:
        self.progress.begin(self.settings.iterations, share)
        watch, threads = self.progress.watch, self.args.threads
        try:
            restored = restore.restore(task, self.settings, self.device, watch, threads)
        except (MemoryError, RuntimeError) as error:
            if is_lack_of_memory(error):
                raise InputError("out of memory; a smaller --max-side would fit") from None
            raise
        say(str(restored))
        self.learnt |= restored.learnt
        return restored


def _limited_to(scale: float, sides: tuple[int, int]) -> tuple[int, int]:
    """Height and width in a smaller scale; as they are in a larger one."""
    return max(1, round(sides[0] * min(1, scale))), max(1, round(sides[1] * min(1, scale)))


def _percent(part: float) -> str:
    return "under 0.1%" if part < 0.001 else f"{100 * part:.1f}%"
