"""F16, noisy: how the PSNR rises and falls, in the authors' result images and in our run.

A preview is never drawn on the axes of the published numbers.
"""

from matplotlib import pyplot as plt

PUBLISHED, PREVIEW = "denoising-f16.at-", "denoising-f16-preview"


def draw(records, claims):
    full = records.run("denoising-f16/F16_512")
    ours = full if full.recorded else records.run(f"{PREVIEW}/F16_512")
    figure, axes = plt.subplots(2, figsize=(4.6, 5.4)) if ours is not full else plt.subplots()
    above, below = axes if ours is not full else (axes, axes)
    points = [(int(id.removeprefix(PUBLISHED).partition(".")[0]), float(claims[id]))
              for id in claims if id.startswith(PUBLISHED)]  # fmt: skip
    above.plot(*zip(*points, strict=True), "o-", color="published", markerfacecolor="paper",
               label="the authors' images")  # fmt: skip
    curve = ours.curve()
    below.plot(*zip(*curve.points("psnr_db"), strict=True), label="ours, each iterate")
    below.plot(*zip(*curve.points("psnr_average_db"), strict=True), label="ours, average")
    if ours is not full:
        above.set_title("As published, 512×512")
        below.set_title(f"Ours, a {records.suite(PREVIEW).label}: not comparable")
    for one in {above, below}:
        one.set(ylabel="PSNR, dB", xlim=(0, None))
        one.legend(loc="lower right")
    below.set_xlabel("iteration")
    return figure
