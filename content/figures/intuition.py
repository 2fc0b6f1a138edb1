"""Why the network draws smooth things first: a drawing of the two reasons, of no run.

Above: what one weight moves in a row of the image, if it stands before one, three or five
upsamplings. Below: the gradients of many places on a filter that all of them share. Where they
have the same structure the gradients add up; in noise they cancel but for their root.
"""

import numpy as np
from matplotlib import pyplot as plt

SCALES = {"one": 1, "three": 3, "five": 5}


def draw(records, claims):
    figure, (above, below) = plt.subplots(2, figsize=(4.6, 4.4))
    across = np.linspace(-1, 2, 601)
    for name, scale in reversed(SCALES.items()):
        reach = np.exp2(scale - max(SCALES.values()))
        above.plot(across, np.clip(1 - np.abs(across) / reach, 0, None), label=name)
    above.set(title="What one weight moves", xlabel="place in the image", ylabel="change")
    above.legend(title="upsamplings above it", loc="upper right")
    places = np.arange(65)
    below.plot(places, places, label="the same structure")
    below.plot(places, np.sqrt(places), label="noise")
    below.set(title="Gradients on a shared filter", xlabel="places that use it", ylabel="their sum")
    below.legend(loc="upper left")
    for axes in (above, below):
        axes.set_xticks([])
        axes.set_yticks([])
    return figure
