"""How far the iterates of a long run lie apart over the last fifth of its iterations."""

from statistics import quantiles

from matplotlib import pyplot as plt

ORDINALS = ("first", "second", "third")


def draw(records, claims):
    runs = [run for run in records.suite("inpainting").runs if run.recorded]
    titles = [run.title for run in runs]
    runs.sort(key=lambda run: titles.index(run.title))  # an image's runs side by side
    rows, one = range(len(runs)), {title for title in titles if titles.count(title) == 1}
    names = [
        run.title if run.title in one else f"{run.title}, {ORDINALS[run.seed]} run" for run in runs
    ]
    levels = [run.stable.levels(run.measure) for run in runs]
    middles = [quantiles(found, n=2)[0] for found in levels]

    def less_middle(values):
        return [value - middle for value, middle in zip(values, middles, strict=True)]

    figure, axes = plt.subplots(figsize=(4.6, 1.1 + 0.4 * len(runs)))
    span = {"y": rows, "color": "accent"}
    low, high = less_middle(map(min, levels)), less_middle(map(max, levels))
    axes.hlines(xmin=low, xmax=high, label="lowest to highest", linewidth=1, **span)
    parts = [quantiles(found, n=20) for found in levels]
    low, high = less_middle(part[0] for part in parts), less_middle(part[-1] for part in parts)
    axes.hlines(xmin=low, xmax=high, label="nine of ten", linewidth=5, **span)
    last, average = (less_middle(run.output(output).get(run.measure) for run in runs)
                     for output in ("final", "average"))  # fmt: skip
    axes.plot(last, rows, "o", color="ink", label="the last iterate")
    hollow = {"color": "ink", "markerfacecolor": "paper"}
    axes.plot(average, rows, "D", **hollow, label="the sliding average")
    axes.set_xscale("symlog", linthresh=1)
    axes.set_xticks([-10, -3, -1, 0, 1], ["−10", "−3", "−1", "0", "1"])
    axes.set_yticks(rows, names)
    axes.set_xlabel("PSNR less the run's median, dB")
    axes.set_ylim(len(runs), -1)  # the first is at the top
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    figure.legend(loc="outside upper left", ncols=2)
    return figure
