"""The losses of fits to five targets, each divided by the variance of its target.

A fit that knows no more than the target's mean is at 1. Records that do not state the variance
leave it to be worked out: shuffling does not change it, noise that is uniform between 0 and 1 has
1/12, and noise on an image adds its mean square.
"""

from matplotlib import pyplot as plt

NAMES = {
    "image": "the image",
    "noisy": "with noise",
    "shuffled": "its pixels shuffled",
    "shuffled-channels": "its channels shuffled",
    "noise": "noise alone",
}


def draw(records, claims):
    full, preview = records.suite("noise-impedance"), records.suite("noise-impedance-preview")
    suite = full if full.recorded == full.planned else preview
    runs = {run.case.variant: run for run in suite.runs if run.recorded}
    of_image = variance_of(runs["shuffled-channels"])
    variances = {
        "image": of_image,
        "noisy": of_image + 10 ** (-runs["noisy"].output("input").psnr_db / 10),
        "shuffled": of_image,
        "noise": 1 / 12,
    }
    figure, axes = plt.subplots()
    axes.axhline(1, color="soft", linewidth=0.8, linestyle="-")
    for variant, name in NAMES.items():
        run = runs[variant]
        variance = variance_of(run) or variances[variant]
        points = [(k, loss / variance) for k, loss in run.curve().points("loss", after=0)]
        axes.loglog(*zip(*points, strict=True), label=name)
    axes.set(xlabel="iteration", ylabel="loss / variance of the target", xlim=(1, run.iterations))
    axes.legend(loc="lower left")
    return figure


def variance_of(run):
    """The variance of a run's target as its record states it; None where it does not."""
    return run.record.metrics["final"].get("target_variance")
