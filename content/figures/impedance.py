"""The losses of fits to an image, to noise and to mixtures, in colour above and in grey below.

Drawn is the lowest loss so far, since loss spikes would hide all else, divided by the variance of
the target: a fit that knows no more than the mean is at 1.
Records that do not state the variance leave it to be worked out: shuffling does not change it,
noise that is uniform between 0 and 1 has 1/12, and noise on an image adds its mean square.
"""

from itertools import accumulate

from matplotlib import pyplot as plt

NAMES = {
    "image": "the image",
    "noisy": "with noise",
    "shuffled": "its pixels shuffled",
    "shuffled-channels": "its channels shuffled",
    "noise": "noise alone",
}
PANELS = {"noise-impedance": "In colour", "noise-impedance-grey": "In grey"}


def draw(records, claims):
    figure, panels = plt.subplots(2, sharex=True, sharey=True, figsize=(4.6, 5.2))
    for (name, title), axes in zip(PANELS.items(), panels, strict=True):
        full, preview = records.suite(name), records.suite(f"{name}-preview")
        draw_panel(axes, full if full.recorded == full.planned else preview)
        axes.set_title(title)
    panels[0].legend(loc="lower left")
    panels[1].set_xlabel("iteration")
    figure.supylabel("loss / variance of the target", fontsize="medium", color="soft")
    return figure


def draw_panel(axes, suite):
    runs = {run.case.variant: run for run in suite.runs if run.recorded}
    of_image = variance_of(runs["shuffled-channels"]) if "shuffled-channels" in runs else None
    axes.axhline(1, color="soft", linewidth=0.8, linestyle="-")
    for (variant, name), style in zip(NAMES.items(), plt.rcParams["axes.prop_cycle"], strict=False):
        if variant in runs:
            run = runs[variant]
            variance = variance_of(run) or worked_out(runs, variant, of_image)
            steps, losses = zip(*run.curve().points("loss", after=0), strict=True)
            lowest = [loss / variance for loss in accumulate(losses, min)]
            axes.loglog(steps, lowest, label=name, **style)
            axes.set_xlim(1, run.iterations)


def worked_out(runs, variant, of_image):
    noise = 10 ** (-runs["noisy"].output("input").psnr_db / 10)
    return {"noisy": of_image + noise, "noise": 1 / 12}.get(variant, of_image)


def variance_of(run):
    """The variance of a run's target as its record states it; None where it does not."""
    return run.record.metrics["final"].get("target_variance")
