"""Why the network draws smooth things first: a drawing of the two reasons, of no run.

Left: what one weight moves in a row of the image, if it stands before one, three or five
upsamplings. Right: the pulls of many places on a filter that all of them share. Where they have
the same structure the pulls add up; in noise they cancel but for their root.
"""

import numpy as np
from matplotlib import pyplot as plt

SCALES = {"one upsampling": 1, "three": 3, "five": 5}


def draw(records, claims):
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.4, 2.9))
    across = np.linspace(-1, 1, 401)
    for name, scale in reversed(SCALES.items()):
        reach = np.exp2(scale - max(SCALES.values()))
        left.plot(across, np.clip(1 - np.abs(across) / reach, 0, None), label=name)
    left.set(title="What one weight moves", xlabel="place in the image", ylabel="change")
    left.legend(title="before", loc="upper left")
    places = np.arange(65)
    right.plot(places, places, label="the same structure")
    right.plot(places, np.sqrt(places), label="noise")
    right.set(title="Pulls on a shared filter", xlabel="places that use it", ylabel="sum of pulls")
    right.legend(loc="upper left")
    for axes in (left, right):
        axes.set_xticks([])
        axes.set_yticks([])
    return figure
