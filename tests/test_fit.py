"""The fit: what it yields, that it is exact, that it can be taken up again, and its rules."""

import hashlib
import subprocess
import sys
from dataclasses import fields, replace
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
import torch
from made_tasks import downsample, inpainting_task, small, waves

from dip.engine.fit import Fit, Step
from dip.engine.monitor import AVERAGED, ITERATION, RUNNING_LOSS, UPDATES
from dip.engine.optimizer import SETTLING
from dip.engine.precision import set_precision
from dip.engine.step import EngineStep
from dip.errors import InputError
from dip.network.network import Network, check_repeatable
from dip.records.environment import bf16_supported
from dip.tasks.degradations import super_resolution

ROOT = Path(__file__).resolve().parent.parent
VARIANTS: list[dict[str, Any]] = [
    {},
    {"spike_factor": None},
    {"spike_factor": 0.95, "sigma_p": 0.5, "iterations": 114},
    {"spike_factor": 0.95, "sigma_p": 0.5, "iterations": 114, "spike_return": "weights"},
]


def psnr_db(squares: np.ndarray) -> float:
    return float(-10 * np.log10(squares.astype(np.float64).mean()))


def test_yields_every_iterate_from_the_first_output_to_the_last() -> None:
    steps = list(Fit(inpainting_task(), small(iterations=5), keep=(0, 3)))
    assert [step.iteration for step in steps] == [0, 1, 2, 3, 4, 5]
    assert [step.iteration for step in steps if step.output is not None] == [0, 3]


def test_loss_and_scores_are_those_of_the_output() -> None:
    task = inpainting_task(30, 32, 3)
    last = list(Fit(task, small(), keep=(4,)))[-1]
    assert last.output is not None and last.output.shape == (3, 30, 32)
    assert last.output.dtype == np.float32
    assert task.mask is not None and task.x is not None
    squares = (last.output - task.x) ** 2
    known = np.broadcast_to(task.mask, squares.shape) == 1
    assert last.loss == pytest.approx((squares * known).mean(), rel=1e-5)
    assert last.psnr_db == pytest.approx(psnr_db(squares), abs=1e-4)
    assert last.psnr_known_db == pytest.approx(psnr_db(squares[known]), abs=1e-4)
    assert last.psnr_unknown_db == pytest.approx(psnr_db(squares[~known]), abs=1e-4)


def test_without_truth_there_are_losses_and_no_scores() -> None:
    task = replace(inpainting_task(), x=None)
    steps = list(Fit(task, small()))
    assert all(step.psnr_db is None and step.psnr_average_db is None for step in steps)
    assert all(step.loss > 0 for step in steps)


def test_the_fit_finds_the_picture() -> None:
    steps = list(Fit(inpainting_task(), small(iterations=150, sigma_p=0.01)))
    assert steps[-1].psnr_db is not None and steps[0].psnr_db is not None
    assert steps[-1].psnr_db > steps[0].psnr_db + 8
    assert steps[-1].loss < steps[0].loss / 10


def test_es_wmv_stop_is_at_the_least_windowed_variance() -> None:
    run = Fit(inpainting_task(), small(iterations=120), keep=range(121))
    assert "es-wmv" not in run.stops()
    steps = list(run)
    assert all(step.windowed_variance is None for step in steps[:99])
    best = min(steps[99:], key=lambda step: step.windowed_variance)
    assert run.stops()["es-wmv"].iteration == best.iteration
    np.testing.assert_array_equal(run.stops()["es-wmv"].output, best.output)


def test_clean_output_feeds_z_itself_and_disturbs_nothing() -> None:
    disturbed, quiet = (Fit(inpainting_task(), small()) for _ in range(2))
    steps = []
    for step in disturbed:
        steps.append(step)
        disturbed.clean_output()
    assert steps == list(quiet)
    noiseless = Fit(inpainting_task(), small(sigma_p=0.0), keep=(0,))
    fresh = Fit(inpainting_task(), small()).clean_output()
    np.testing.assert_array_equal(fresh, next(iter(noiseless)).output)


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
@pytest.mark.parametrize(("before_end", "block"), [(13, 1), (6, 20)])
def test_taken_up_from_a_state_equals_uninterrupted_bit_for_bit(
    before_end: int, block: int, settings: dict[str, Any], tmp_path: Path
) -> None:
    experiment = small(**({"iterations": 14} | settings))
    at, last = experiment.iterations - before_end, experiment.iterations
    whole = Fit(inpainting_task(), experiment, keep=(last,))
    steps = list(whole)
    assert (steps[-1].spikes > 3) == ("sigma_p" in settings)
    first = Fit(inpainting_task(), experiment, keep=(last,), block=block)
    begun = list(islice(first, at))
    np.savez(tmp_path / "state.npz", **first.state())
    second = Fit(inpainting_task(), experiment, keep=(last,), block=block)
    with np.load(tmp_path / "state.npz") as state:
        second.restore(state)
    rest = list(second)
    assert [told(step) for step in begun + rest] == [told(step) for step in steps]
    assert same(second.state(), whole.state())
    assert second.stops()["oracle"].iteration == whole.stops()["oracle"].iteration


def same(one: dict[str, np.ndarray], two: dict[str, np.ndarray]) -> bool:
    """Tell whether two states are equal bit for bit."""
    assert one.keys() == two.keys()
    return all(one[name].tobytes() == two[name].tobytes() for name in one)


def told(step: Step) -> tuple[Any, ...]:
    output = None if step.output is None else step.output.tobytes()
    return (*(getattr(step, field.name) for field in fields(step)[:-1]), output)


def test_a_state_between_two_steps_is_exact_wherever_the_device_stands() -> None:
    task, experiment = inpainting_task(), small(iterations=20)
    whole = Fit(task, experiment, keep=(3, 12))
    steps = [told(step) for step in whole]
    asked = Fit(task, experiment, keep=(3, 12), block=5)
    for k, step in enumerate(asked):
        state = asked.state()
        assert state["counts"][ITERATION] == k + 1
        assert told(step) == steps[k]
        if k in (0, 4, 5, 13):
            other = Fit(task, experiment, keep=(3, 12), block=3)
            other.restore(state)
            assert [told(step) for step in other] == steps[k + 1 :]
            assert same(other.state(), whole.state())
    assert same(asked.state(), whole.state())
    assert np.array_equal(asked.clean_output(), whole.clean_output())
    assert asked.average is not None and np.array_equal(asked.average, whole.average)


@pytest.mark.parametrize("block", [2, 7, 20, 100])
def test_blocks_of_any_length_tell_the_same_steps(block: int) -> None:
    experiment = small(iterations=23)
    one, many = (
        Fit(inpainting_task(), experiment, keep=(0, 6, 7, 23), block=n) for n in (1, block)
    )
    assert [told(step) for step in many] == [told(step) for step in one]
    assert same(many.state(), one.state())


@pytest.mark.parametrize("block", [1, 4])
def test_what_is_asked_between_steps_is_of_the_step_told_last(block: int) -> None:
    fit = Fit(
        inpainting_task(), small(iterations=9, average_decay=0.7), keep=range(10), block=block
    )
    average = best = None
    for step in fit:
        average = step.output if average is None else 0.7 * average + 0.3 * step.output
        np.testing.assert_allclose(fit.average, average, rtol=1e-5)
        if best is None or step.psnr_db > best.psnr_db:
            best = step
        assert fit.stops()["oracle"].iteration == best.iteration
        np.testing.assert_array_equal(fit.stops()["oracle"].output, best.output)


def test_a_state_taken_up_in_the_middle_of_a_block_stands_there() -> None:
    experiment = small(iterations=12)
    fit = Fit(inpainting_task(), experiment, block=5)
    steps = [told(step) for step in islice(fit, 3)]
    state = fit.state()
    steps += [told(step) for step in islice(fit, 4)]
    fit.restore(state)
    again = [told(step) for step in fit]
    assert again[:4] == steps[3:]
    assert steps[:3] + again == [told(step) for step in Fit(inpainting_task(), experiment)]


def test_a_fit_multiplies_in_its_own_precision_whatever_was_begun_since() -> None:
    fit = iter(Fit(inpainting_task(), small(arithmetic="ieee")))
    torch.backends.cuda.matmul.allow_tf32 = True  # as a fit in tf32 on a GPU leaves it
    next(fit)
    assert not torch.backends.cuda.matmul.allow_tf32


def test_an_update_that_was_interrupted_is_not_built_upon() -> None:
    fit = Fit(inpainting_task(), small())
    state = fit.state()
    fit.step.is_torn = True  # as an interrupt leaves it that comes between two arrays
    with pytest.raises(InputError, match="interrupted within an update: restore a state"):
        next(iter(fit))
    fit.restore(state)
    next(iter(fit))


@pytest.mark.parametrize("block", [1, 2])
def test_interrupted_at_any_line_a_fit_goes_on_exactly_or_says_that_it_cannot(block: int) -> None:
    fit = Fit(inpainting_task(), small(iterations=2), block=block)
    begin, steps = fit.state(), [told(step) for step in fit]
    files = {code.co_filename for code in (Fit.state.__code__, EngineStep.run.__code__)}

    def run_until(last: int) -> list[int]:
        """Run until so many lines of these files were begun; the lines."""
        lines: list[int] = []

        def trace(frame: FrameType, event: str, _: Any) -> Any:
            lines.extend([hash((frame.f_code, frame.f_lineno))] * (event == "line"))
            if len(lines) == last:
                raise KeyboardInterrupt
            return trace

        sys.settrace(
            lambda frame, *rest: trace(frame, *rest) if frame.f_code.co_filename in files else None
        )
        try:
            fit.restore(begin)
            for _ in fit:
                fit.state()
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(None)
        return lines

    refused, lines = 0, run_until(-1)
    for line in set(lines):
        run_until(1 + lines.index(line))
        try:
            at = int(fit.state()["counts"][ITERATION])
            assert [told(step) for step in fit] == steps[at:]
        except InputError:
            refused += 1
    assert 10 < refused < len(set(lines)) * 2 / 3


def test_a_state_of_another_experiment_is_refused() -> None:
    state = Fit(inpainting_task(), small()).state()
    other = Fit(inpainting_task(), small(channels=(8, 8)))
    before = other.state()
    with pytest.raises(ValueError, match="does not fit the experiment: 'adam'"):
        other.restore(state)
    with pytest.raises(ValueError, match="does not fit the experiment: 'adam'"):
        other.restore({})
    assert same(other.state(), before)


@pytest.mark.parametrize("settings", [{"seed": 1}, {"learning_rate": 0.02}, {"image": "made/a"}])
def test_a_state_of_other_settings_is_refused_whatever_its_shapes(settings: dict[str, Any]) -> None:
    state = Fit(inpainting_task(), small(**settings)).state()
    fit = Fit(inpainting_task(), small(snapshots=(1,)))
    with pytest.raises(ValueError, match="of another experiment, or of another precision"):
        fit.restore(state)
    state = Fit(inpainting_task(), small()).state()
    fit.restore(state)  # what is reported of a run does not move it
    state["counts"][ITERATION] = 6
    with pytest.raises(ValueError, match="stands at iteration 6, the last one is 4"):
        fit.restore(state)
    del state["described"]  # as states were written before
    state["counts"][ITERATION] = 5
    fit.restore(state)
    assert not list(fit)


def test_what_is_no_task_experiment_or_count_is_told_in_a_sentence() -> None:
    task: Any = inpainting_task()
    wrong: list[tuple[Any, Any, dict[str, Any], str]] = [
        (task.x0, small(), {}, "task is a ndarray; expected a dip.Task"),
        (task, {}, {}, "experiment is a dict; expected a dip.Experiment"),
        (task, small(), {"keep": 3}, "keep is 3; expected a set of iterations"),
        (task, small(), {"threads": 1.5}, "threads is 1.5; expected an integer"),
        (task, small(), {"threads": 10**11}, "threads is too large, not below"),
        (task, small(), {"block": -1}, "block is -1; it must be at least 1"),
    ]
    for one, experiment, more, sentence in wrong:
        with pytest.raises(InputError, match=sentence):
            Fit(one, experiment, **more)


CHILD = """
import hashlib, sys
sys.path[:0] = ["tests", "."]
from made_tasks import inpainting_task, small
from dip.engine.fit import Fit
run = Fit(inpainting_task(64, 64), small(iterations=12), threads=2)
losses = [step.loss for step in run]
print(hashlib.sha256(run.state()["adam"].tobytes()).hexdigest(), losses[-1])
"""


@pytest.mark.slow
def test_two_fresh_processes_give_the_same_bits() -> None:
    told = {
        subprocess.run(
            [sys.executable, "-c", CHILD], cwd=ROOT, capture_output=True, check=True
        ).stdout
        for _ in range(2)
    }
    assert len(told) == 1 and len(told.pop()) > 64


@pytest.mark.parametrize(
    ("spike_return", "count", "more"), [("state", AVERAGED, 0), ("weights", UPDATES, 1)]
)
def test_a_spike_takes_theta_back_and_the_iteration_goes_on(
    spike_return: str, count: int, more: int
) -> None:
    run = Fit(inpainting_task(), small(iterations=SETTLING + 9, spike_return=spike_return))
    steps = iter(run)
    for _ in range(SETTLING):
        next(steps)
    good = run.step.network.values.clone()
    assert run.step.adam.previous is not None
    with torch.no_grad():
        run.step.network.values[0] += 3 * torch.randn_like(run.step.network.values[0])
        run.step.adam.previous.copy_(good)
    run.step.monitor.values[RUNNING_LOSS] = 1e-9
    counted = int(run.step.monitor.counts[count])
    spiked = next(steps)
    assert spiked.spikes == 1 and spiked.iteration == SETTLING
    assert torch.equal(run.step.network.values[0], good[0])
    assert torch.equal(run.step.network.values, good) == (spike_return == "state")
    assert run.step.monitor.counts[count] == counted + more
    assert next(steps).iteration == SETTLING + 1


@pytest.mark.parametrize(("spike_return", "part"), [("state", 0), ("state", ...), ("weights", ...)])
def test_nan_in_theta_is_taken_back_and_the_fit_goes_on(spike_return: str, part: Any) -> None:
    run = Fit(inpainting_task(), small(iterations=40, spike_return=spike_return))
    steps = iter(run)
    for _ in range(5):
        next(steps)
    run.step.network.values[part].fill_(float("nan"))
    assert next(steps).spikes == 1
    assert torch.isfinite(run.step.network.values).all()
    rest = list(steps)
    assert all(np.isfinite(step.loss) for step in rest)
    assert all(np.isfinite(step.psnr_average_db) for step in rest)


@pytest.mark.parametrize(
    ("height", "width", "settings"),
    [(35, 50, {}), (7, 9, {}), (21, 32, {"kernel_down": 5}), (5, 33, {})],
)
def test_any_side_can_be_fitted(height: int, width: int, settings: dict[str, Any]) -> None:
    steps = list(Fit(inpainting_task(height, width), small(**settings), keep=(4,)))
    assert steps[-1].output is not None and steps[-1].output.shape == (1, height, width)


def test_super_resolution_fits_through_d() -> None:
    x = waves(32, 64, 1)
    task = super_resolution(downsample(x, 4), 4, x)
    experiment = small(task="super-resolution", factor=4, mask=None, iterations=60, sigma_p=0.01)
    steps = list(Fit(task, experiment))
    assert steps[-1].loss < steps[0].loss / 3 and steps[-1].psnr_known_db is None


def test_precision_is_set_by_name_and_refused_where_it_cannot_be() -> None:
    assert set_precision("ieee", "cpu") is torch.float32
    assert torch.backends.cudnn.allow_tf32 is False
    with pytest.raises(InputError, match="did you mean 'bf16'"):
        set_precision("bf15", "cpu")
    with pytest.raises(InputError, match="needs a CUDA device"):
        set_precision("tf32", "cpu")
    with pytest.raises(InputError, match="not available on cpu"):
        Fit(inpainting_task(), small(arithmetic="tf32"))
    with pytest.raises(InputError, match="arithmetic is 'fp16', not one of"):
        small(arithmetic="fp16")


def test_bf16_is_refused_in_one_sentence_where_the_processor_has_none() -> None:
    if bf16_supported("cpu"):
        pytest.skip("this processor has bf16")
    with pytest.raises(InputError) as refusal:
        Fit(inpainting_task(), small(arithmetic="bf16"))
    text = str(refusal.value)
    assert "needs a processor with AVX-512-BF16 or AMX" in text
    assert "\n" not in text and ". " not in text


def test_bf16_is_run_where_the_processor_has_it() -> None:
    if not bf16_supported("cpu"):
        pytest.skip("this processor has no bf16")
    run = Fit(inpainting_task(), small(arithmetic="bf16"))
    assert run.precision == "bf16" and run.step.network.dtype == torch.bfloat16
    assert all(np.isfinite(step.loss) for step in run)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"align_corners": True}, "align_corners"),
        ({"align_corners": True, "upsampling": "nearest"}, "align_corners"),
        ({"kernel_up": 1}, "kernel_up = 1"),
        ({"kernel_up": 5, "upsampling": "nearest"}, "kernel_up = 5"),
        ({"kernel_skip": 5}, "kernel_skip = 5 over kernel_down = 3"),
        ({"kernel_skip": 5, "skip_channels": (0, 0)}, None),
        ({"kernel_up": 1, "upsampling": "nearest"}, None),
        ({}, None),
    ],
    ids=str,
)
def test_settings_whose_bits_cuda_gives_only_once_are_refused_there(
    settings: dict[str, Any], named: str | None
) -> None:
    check_repeatable(small(**settings), "cpu")
    if named is None:
        check_repeatable(small(**settings), "cuda")
        return
    with pytest.raises(InputError, match=f"with {named} the bits would not be the same twice"):
        check_repeatable(small(**settings), "cuda")


def test_hash_of_the_weights_does_not_depend_on_threads() -> None:
    digests, usual = set(), torch.get_num_threads()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        values = Network(small(), 6, 1, "cpu").values
        digests.add(hashlib.sha256(values.numpy().tobytes()).hexdigest())
    torch.set_num_threads(usual)
    assert len(digests) == 1
