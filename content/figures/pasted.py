"""Text inpainting: PSNR as drawn, and with the known pixels pasted back.

Pasted back, only the hidden pixels have an error. Their share of the image is known from the
input, which has no other error either.
"""

from matplotlib import pyplot as plt

RUN = "text-inpainting-preview/kate"
OURS = {"average": "ours, average", "final": "ours, last output"}
FILLS = {
    "baseline.biharmonic": "smooth fill",
    "baseline.nearest-known-pixel": "nearest known pixel",
}


def draw(records, claims):
    hidden = records.run(RUN, "input")
    gain = hidden.psnr_db - hidden.psnr_unknown_db
    outputs = [records.run(RUN, selector) for selector in (*OURS, *FILLS)]
    rows, split = range(len(outputs)), len(OURS)
    drawn = [output.psnr_db for output in outputs]
    pasted = [output.psnr_unknown_db + gain for output in outputs]
    figure, axes = plt.subplots(figsize=(4.6, 2.6))
    axes.hlines(y=rows, xmin=drawn, xmax=pasted, color="hair", linewidth=2)
    axes.plot(
        drawn[:split], rows[:split], "o", color="ink", markerfacecolor="paper", label="as drawn"
    )
    axes.plot(pasted[:split], rows[:split], "o", color="accent", label="known pixels pasted back")
    axes.plot(pasted[split:], rows[split:], "o", color="baseline", label="a fill, which keeps them")
    axes.set_yticks(rows, [*OURS.values(), *FILLS.values()])
    axes.set(xlabel="PSNR, dB, all pixels", ylim=(-1, len(outputs)))
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    axes.set_title(f"{10 ** (-gain / 10):.0%} of the pixels are hidden")
    figure.legend(loc="outside upper left", ncols=2)
    return figure
