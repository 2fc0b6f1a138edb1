"""Adam on flat arrays, and the rule against loss spikes, without waiting for the device.

Both are written as selections on the device's own scalars, so that a CUDA graph can hold them.
"""

import torch
from torch import Tensor

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8
RUNNING_DECAY = 0.95  # of the running loss that a spike is measured against
SETTLING = 100  # iterations in which a loss may rise: Adam's first steps often triple it


class Adam:
    """Adam at a constant learning rate (Kingma and Ba, 2015), with a rollback by one iterate.

    `values` is (3, n) float32: the parameters, and the running means of the gradient and of its
    square. `previous` holds the same of the iterate before; None without a rule against spikes.
    With `keeps_moments` a rollback returns the parameters alone, while the means take in the
    spike's gradient (what of them is not finite returns too); else the means return as well.
    """

    def __init__(
        self,
        values: Tensor,
        learning_rate: float,
        updates: int,
        remember: bool,
        keeps_moments: bool,
    ) -> None:
        self.values, self.keeps_moments = values, keeps_moments
        self.previous = values.clone() if remember else None
        self._moved = torch.empty_like(values)
        # Bias corrections of every update to come, in float64 until they are rounded.
        rows = [(1.0, 0.0)] + [
            ((1 - BETA_2**k) ** 0.5, -learning_rate / (1 - BETA_1**k))
            for k in range(1, updates + 2)
        ]
        self._corrections = torch.tensor(rows, dtype=torch.float32).to(values.device)

    def update(self, gradient: Tensor, number: Tensor, spike: Tensor) -> None:
        """Take update `number` along the (n,) gradient, or roll back where `spike` is true.

        `number`, counted from 1, is an integer scalar and `spike` a boolean one, on the device.
        """
        parameters, mean, square = self.values
        moved, new_mean, new_square = self._moved
        torch.lerp(mean, gradient, 1 - BETA_1, out=new_mean)
        torch.mul(square, BETA_2, out=new_square).addcmul_(gradient, gradient, value=1 - BETA_2)
        # With p the parameters: p + rate * mean / (sqrt(square) / scale + epsilon).
        scale, rate = self._corrections.index_select(0, number.view(1))[0]
        torch.sqrt(new_square, out=moved).div_(scale).add_(EPSILON)
        torch.div(new_mean, moved, out=moved).mul_(rate).add_(parameters)
        if self.previous is None:
            self.values.copy_(torch.where(spike, self.values, self._moved))
            return
        # A spike is this iterate's loss, so the step that led here is what is undone. `where` and
        # not a branch: the host never learns of it, and NaN in what is not chosen does no harm.
        torch.where(spike, self.previous[0], moved, out=moved)
        moments, before, undo = self._moved[1:], self.previous[1:], spike
        if self.keeps_moments:
            undo = spike & ~torch.isfinite(moments)
        torch.where(undo, before, moments, out=moments)
        torch.where(spike, self.previous, self.values, out=self.previous)
        self.values.copy_(self._moved)

    def roll_back(self, spike: Tensor) -> None:
        """Return everything to the iterate before where `spike` is true; take no step."""
        if self.previous is not None:
            torch.where(spike, self.previous, self.values, out=self.values)


def judge_spike(loss: Tensor, running: Tensor, iteration: Tensor, factor: float) -> Tensor:
    """Whether a loss is a spike, a boolean scalar on the device.

    The supplement returns to the previous iterate's weights then, and gives no threshold: the rule
    is ours. A loss is a spike if it is not under `factor` times the running loss, so NaN is; in the
    first 100 iterations only a loss that is not finite is. `running` takes the loss in: a spike
    raises it by no more than `factor` times itself would, so that a lasting change is accepted in
    the end.
    """
    value, limit = loss.to(running.dtype), factor * running
    spike = ~(value < torch.where(iteration < SETTLING, torch.inf, limit))
    then = RUNNING_DECAY * running + (1 - RUNNING_DECAY) * torch.where(spike, limit, value)
    begun = torch.where(spike, running, value)
    running.copy_(torch.where(torch.isinf(running), begun, then))
    return spike
