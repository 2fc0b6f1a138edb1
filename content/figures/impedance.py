"""The losses of fits to an image, to noise and to mixtures, in colour above and in grey below.

Drawn is the lowest loss so far, since loss spikes would hide all else, divided by the variance of
the target: a fit that knows no more than the mean is at 1.
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
PANELS = {
    "noise-impedance": "In colour, full size",
    "noise-impedance-grey-preview": "In grey, preview",
}


def draw(records, claims):
    figure, panels = plt.subplots(2, sharex=True, sharey=True, figsize=(4.6, 5.6))
    suites = [records.suite(name) for name in PANELS]
    for suite, title, axes in zip(suites, PANELS.values(), panels, strict=True):
        draw_panel(axes, {run.case.variant: run for run in suite.runs if run.recorded})
        axes.set_title(title)
    panels[0].set(xscale="log", yscale="log")
    panels[0].set_xlim(1, max(run.iterations for suite in suites for run in suite.runs))
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper left", ncols=2)
    panels[1].set_xlabel("iteration")
    figure.supylabel("loss / variance of the target", fontsize="medium", color="soft")
    return figure


def draw_panel(axes, runs):
    axes.axhline(1, color="soft", linewidth=0.8, linestyle="-")
    for (variant, name), style in zip(NAMES.items(), plt.rcParams["axes.prop_cycle"], strict=False):
        steps, lowest = [], []  # what is in one panel alone is named in the legend too
        if variant in runs:
            variance = runs[variant].record.metrics["final"]["target_variance"]
            steps, losses = zip(*runs[variant].curve().points("loss", after=0), strict=True)
            lowest = [loss / variance for loss in accumulate(losses, min)]
        axes.plot(steps, lowest, label=name, **style)
