"""Adam against torch's, its way back by one iterate, and the rule against loss spikes."""

import math

import pytest
import torch
from torch import Tensor

from dip.engine.optimizer import BETA_1, BETA_2, SETTLING, Adam, judge_spike

NO, YES = torch.tensor(False), torch.tensor(True)


def number(value: int) -> Tensor:
    return torch.tensor(value)


def made_adam(count: int = 20, remember: bool = True, keeps_moments: bool = False) -> Adam:
    """Make an Adam that has taken one update."""
    torch.manual_seed(0)
    values = torch.zeros(3, count)
    values[0] = torch.randn(count)
    adam = Adam(values, 0.01, 100, remember, keeps_moments)
    adam.update(torch.randn(count), number(1), NO)
    return adam


def test_adam_is_the_stock_adam() -> None:
    torch.manual_seed(0)
    values, stock = torch.zeros(3, 50), torch.randn(50, requires_grad=True)
    values[0] = stock.detach()
    ours = Adam(values, 0.01, 200, True, False)
    theirs = torch.optim.Adam([stock], lr=0.01, foreach=False)
    for k in range(200):
        gradient = torch.randn(50) * 10.0 ** (k % 7 - 5)
        ours.update(gradient, number(k + 1), NO)
        stock.grad = gradient.clone()
        theirs.step()
        torch.testing.assert_close(values[0], stock.detach(), rtol=1e-5, atol=1e-6)
    state = theirs.state[stock]
    torch.testing.assert_close(values[1], state["exp_avg"], rtol=1e-5, atol=1e-8)
    torch.testing.assert_close(values[2], state["exp_avg_sq"], rtol=1e-5, atol=1e-12)


def test_the_rule_against_spikes_does_not_move_a_calm_trajectory() -> None:
    fits = [made_adam(remember=False), made_adam(), made_adam(keeps_moments=True)]
    for k in range(2, 20):
        gradient = torch.randn(20)
        for adam in fits:
            adam.update(gradient, number(k), NO)
    assert torch.equal(fits[0].values, fits[1].values)
    assert torch.equal(fits[0].values, fits[2].values)


def test_adam_goes_back_to_the_iterate_before_and_repeats_its_step() -> None:
    adam, gradient = made_adam(), torch.randn(20)
    before = adam.values.clone()
    adam.update(gradient, number(2), NO)
    after = adam.values.clone()
    assert adam.previous is not None and torch.equal(adam.previous, before)
    adam.update(torch.full((20,), math.nan), number(3), YES)
    assert torch.equal(adam.values, before) and torch.equal(adam.previous, before)
    adam.update(gradient, number(2), NO)
    assert torch.equal(adam.values, after) and torch.equal(adam.previous, before)


def test_a_second_spike_goes_back_to_the_same_iterate() -> None:
    adam = made_adam()
    before = adam.values.clone()
    adam.update(torch.randn(20), number(2), NO)
    for _ in range(3):
        adam.update(torch.randn(20), number(3), YES)
        assert torch.equal(adam.values, before)


def test_with_its_moments_kept_adam_takes_the_spikes_gradient_into_them() -> None:
    adam = made_adam(keeps_moments=True)
    before = adam.values.clone()
    adam.update(torch.randn(20), number(2), NO)
    after, gradient = adam.values.clone(), 50 * torch.randn(20)
    adam.update(gradient, number(3), YES)
    parameters, mean, square = adam.values
    assert torch.equal(parameters, before[0])
    torch.testing.assert_close(mean, BETA_1 * after[1] + (1 - BETA_1) * gradient)
    torch.testing.assert_close(square, BETA_2 * after[2] + (1 - BETA_2) * gradient**2)
    assert adam.previous is not None and torch.equal(adam.previous, before)


def test_kept_moments_that_are_no_numbers_go_back_too() -> None:
    adam = made_adam(keeps_moments=True)
    before = adam.values.clone()
    adam.update(torch.randn(20), number(2), NO)
    after, gradient = adam.values.clone(), torch.ones(20)
    gradient[::2] = math.nan
    gradient[1] = math.inf
    adam.update(gradient, number(3), YES)
    bad = ~gradient.isfinite()
    assert torch.equal(adam.values[:, bad], before[:, bad])
    assert torch.equal(adam.values[0], before[0]) and adam.values.isfinite().all()
    assert not torch.equal(adam.values[1, ~bad], after[1, ~bad])


@pytest.mark.parametrize("keeps_moments", [False, True])
def test_after_the_last_output_everything_goes_back(keeps_moments: bool) -> None:
    adam = made_adam(keeps_moments=keeps_moments)
    before = adam.values.clone()
    adam.update(torch.randn(20), number(2), NO)
    after = adam.values.clone()
    adam.roll_back(NO)
    assert torch.equal(adam.values, after)
    adam.roll_back(YES)
    assert torch.equal(adam.values, before)


def test_without_memory_a_spike_stands_still() -> None:
    adam = made_adam(remember=False)
    before = adam.values.clone()
    adam.update(torch.randn(20), number(2), YES)
    adam.roll_back(YES)
    assert torch.equal(adam.values, before)


class Judge:
    """Judges one loss after the other, and keeps the running loss."""

    def __init__(self, factor: float = 2.0) -> None:
        self.running, self.factor = torch.tensor(math.inf, dtype=torch.float64), factor

    def __call__(self, iteration: int, loss: float) -> bool:
        return bool(judge_spike(torch.tensor(loss), self.running, number(iteration), self.factor))


def test_the_running_loss_begins_with_the_first_and_then_decays() -> None:
    judge = Judge()
    judge(0, math.nan)
    assert judge.running == math.inf
    judge(1, 1.0)
    assert judge.running == 1
    judge(2, 3.0)
    assert judge.running == pytest.approx(0.95 + 0.05 * 3)


def test_a_loss_of_just_the_factor_is_a_spike() -> None:
    losses = {2.0: True, 2 - 1e-6: False}
    for loss, wanted in losses.items():
        judge = Judge()
        judge(0, 1.0)
        assert judge(SETTLING, loss) is wanted


def test_while_the_fit_settles_only_what_is_not_finite_is_a_spike() -> None:
    judge = Judge()
    losses = (1.0, 5.0, math.nan, math.inf, 9.0)
    judged = [judge(iteration, loss) for iteration, loss in enumerate(losses)]
    assert judged == [False, False, True, True, False]
    assert judge(SETTLING, 9.0) and not judge(SETTLING, 1.0)


def test_the_last_iteration_of_settling_is_before_the_hundredth() -> None:
    judge = Judge()
    judge(0, 1.0)
    assert SETTLING == 100
    assert not judge(99, 5.0) and judge(100, 5.0)


def test_a_spike_raises_the_running_loss_by_no_more_than_its_limit() -> None:
    judge = Judge()
    judge(0, 1.0)
    for loss in (1e9, math.inf, math.nan):
        before = float(judge.running)
        assert judge(SETTLING, loss)
        assert float(judge.running) == pytest.approx(before * (0.95 + 0.05 * 2))


def test_a_lasting_change_is_accepted_in_the_end() -> None:
    judge = Judge()
    judged = [judge(SETTLING, loss) for loss in [1.0] + [10.0] * 60]
    assert judged[1] and not judged[-1]
