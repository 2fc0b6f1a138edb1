"""The super-resolution operator d: a Lanczos-2 low-pass and decimation (supplement).

Away from the border d is one fixed separable convolution of 4 t taps, kept at every t-th pixel,
centred on blocks of t x t pixels; at the border the taps that fall outside are left out and the
rest scaled to sum to one, as image resizing does.
"""

import numpy as np
import numpy.typing as npt

from dip.errors import InputError

LOBES = 2


def lanczos_matrix(length: int, factor: int) -> npt.NDArray[np.float64]:
    """Give the (length / factor, length) matrix that filters and decimates one axis.

    Raises InputError if `factor` does not divide `length`.
    """
    if length % factor:
        raise InputError(f"a side of {length} pixels cannot be reduced {factor} times exactly")
    centres = (np.arange(length // factor) + 0.5) * factor - 0.5
    distance = (np.arange(length) - centres[:, None]) / factor
    weights = np.sinc(distance) * np.sinc(distance / LOBES) * (np.abs(distance) < LOBES)
    return np.asarray(weights / weights.sum(1, keepdims=True))
