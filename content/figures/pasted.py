"""Text inpainting: PSNR as drawn, and with the known pixels pasted back.

Pasted back, only the hidden pixels have an error. Their share of the image is known from the
input, which has no other error either.
"""

from matplotlib import pyplot as plt

RUN = "text-inpainting-preview/kate"
METHODS = {
    "average": ("ours, average", "accent"),
    "final": ("ours, last output", "accent"),
    "baseline.biharmonic": ("smooth fill", "baseline"),
    "baseline.nearest-known-pixel": ("nearest known pixel", "baseline"),
}


def draw(records, claims):
    hidden = records.run(RUN, "input")
    gain = hidden.psnr_db - hidden.psnr_unknown_db
    outputs = [records.run(RUN, selector) for selector in METHODS]
    rows = range(len(METHODS))
    drawn = [output.psnr_db for output in outputs]
    pasted = [output.psnr_unknown_db + gain for output in outputs]
    figure, axes = plt.subplots(figsize=(4.6, 2.6))
    axes.hlines(y=rows, xmin=drawn, xmax=pasted, color="hair", linewidth=2)
    axes.plot(drawn, rows, "o", color="ink", markerfacecolor="paper", label="as drawn")
    for row, (_, color) in enumerate(METHODS.values()):
        label = "known pixels pasted back" if row == 0 else None
        axes.plot(pasted[row], row, "o", color=color, label=label)
    axes.set_yticks(rows, [name for name, _ in METHODS.values()])
    axes.set(xlabel="PSNR, dB, all pixels", ylim=(-1, len(METHODS)))
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    axes.set_title(f"{10 ** (-gain / 10):.0%} of the pixels are hidden")
    figure.legend(loc="outside upper left", ncols=2)
    return figure
