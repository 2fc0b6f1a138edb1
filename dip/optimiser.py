"""Adam on flat arrays, with a way back to the previous iterate."""

import torch
from torch import Tensor

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8
RUNNING_DECAY = 0.95  # of the running loss that a spike is measured against
SETTLING = 100  # iterations in which a loss may jump: Adam's first steps often triple it


class Adam:
    """Adam at a constant learning rate (Kingma and Ba, 2015), as torch.optim.Adam computes it.

    `values` is (3, n) float32: the parameters, and the running means of gradient and of its
    square. `previous` holds the same of the iterate before.
    """

    def __init__(self, values: Tensor, learning_rate: float, remember: bool) -> None:
        self.values, self.learning_rate = values, learning_rate
        self.previous = values.clone() if remember else None
        self.updates, self.previous_updates = 0, 0
        self._denominator = torch.empty_like(values[0])

    def update(self, gradient: Tensor) -> None:
        """Take one step along the (n,) gradient, after remembering where it starts."""
        if self.previous is not None:
            self.previous.copy_(self.values)
            self.previous_updates = self.updates
        self._take_in(gradient)
        parameters, mean, square = self.values
        torch.sqrt(square, out=self._denominator)
        self._denominator.div_((1 - BETA_2**self.updates) ** 0.5).add_(EPSILON)
        rate = self.learning_rate / (1 - BETA_1**self.updates)
        parameters.addcdiv_(mean, self._denominator, value=-rate)

    def _take_in(self, gradient: Tensor) -> None:
        """Move the running means towards a gradient and its square, and count the update."""
        self.updates += 1
        _, mean, square = self.values
        mean.lerp_(gradient, 1 - BETA_1)
        square.mul_(BETA_2).addcmul_(gradient, gradient, value=1 - BETA_2)

    def return_weights(self, gradient: Tensor) -> None:
        """Return the parameters to the iterate before; the means take in the (n,) gradient.

        A mean that is not finite then goes back too.
        """
        self._take_in(gradient)
        if self.previous is not None:
            means = torch.where(torch.isfinite(self.values[1:]), self.values[1:], self.previous[1:])
            self.values[1:] = means
            self.values[0].copy_(self.previous[0])

    def go_back(self) -> None:
        """Return parameters, means and count to the iterate before, as if no step had been taken."""
        if self.previous is not None:
            self.values.copy_(self.previous)
            self.updates = self.previous_updates


class SpikeWatch:
    """Tell the losses that jumped (supplement: go back to the previous iterate's weights).

    A loss is bad if it is not under `factor` times the running loss, so NaN is bad; in the first
    100 iterations only a loss that is not finite is. A bad loss raises the running loss by no more than `factor` times itself would, so that a lasting change
    is accepted in the end.
    """

    def __init__(self, factor: float | None) -> None:
        self.factor, self.running, self.count = factor, float("inf"), 0

    def is_bad(self, iteration: int, loss: float) -> bool:
        """Judge the loss of an iteration, and count it if it is bad."""
        if self.factor is None:
            return False
        limit = float("inf") if iteration < SETTLING else self.factor * self.running
        bad = not loss < limit
        self.count += bad
        if self.running == float("inf"):
            self.running = self.running if bad else loss
        else:
            limited = self.factor * self.running if bad else loss
            self.running = RUNNING_DECAY * self.running + (1 - RUNNING_DECAY) * limited
        return bad
