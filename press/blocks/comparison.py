"""Two pictures of a run over each other, to be dragged or blinked."""

from typing import TYPE_CHECKING

from markupsafe import Markup

from press.blocks.arguments import at, check_arguments, figure
from press.blocks.images import not_run
from press.blocks.pictures import absent, picture
from press.errors import InputError
from press.results.outputs import output_name, psnr_of
from press.results.run import Run

if TYPE_CHECKING:
    from press.page import Directive, PageContext


def compare(call: "Directive", context: "PageContext") -> Markup:
    """Put the degraded input and the result of a run side by side, to be dragged or blinked."""
    check_arguments(call, "left", "right", "id", "width", needed=("run",))
    with at(call, "run"):
        run = context.results.run(call.arguments["run"])
    if not run.recorded:
        return not_run(call, context, [run])
    if not run.shown:
        return figure(call, context, absent(context, run))
    names = {"left": "input", "right": str(run.iterations), **call.arguments}
    for side in ("left", "right"):
        if run.picture(names[side]) is None:
            with at(call, side):
                raise InputError(f"{run.name} has no picture '{names[side]}'")
    content = compared(context, run, names["left"], names["right"])
    return figure(call, context, content, runs=[run])


def compared(context: "PageContext", run: Run, *names: str) -> Markup:
    """Show outputs of a run beside each other; a script lays the two over each other."""
    sides = []
    for name in names:
        label = output_name(run, name)
        if name.isdigit():
            label = f"after {int(name):,} iterations"
        shown = picture(context, run, name, alternative=f"{run.title}: {label}")
        title = label[0].upper() + label[1:]
        sides.append({"label": title, "picture": shown, "level": psnr_of(run, name) or ""})
    return context.render("blocks/compare.html", run=run, sides=sides)
