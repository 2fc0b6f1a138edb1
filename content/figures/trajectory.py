"""F16, noisy: how the PSNR rises and falls, in the authors' result images and in our run."""

from matplotlib import pyplot as plt

PUBLISHED = "denoising-f16.at-"


def draw(records, claims):
    figure, axes = plt.subplots()
    points = [(int(id.removeprefix(PUBLISHED).partition(".")[0]), float(claims[id]))
              for id in claims if id.startswith(PUBLISHED)]  # fmt: skip
    axes.plot(*zip(*points, strict=True), "o-", color="published", markerfacecolor="paper",
              label="the authors' images")  # fmt: skip
    curve = records.run("denoising-f16/F16_512").curve()
    axes.plot(*zip(*curve.points("psnr_db"), strict=True), label="ours, each iterate")
    axes.plot(*zip(*curve.points("psnr_average_db"), strict=True), label="ours, average")
    axes.set(xlabel="iteration", ylabel="PSNR, dB", xlim=(0, None))
    axes.legend(loc="lower right")
    return figure
