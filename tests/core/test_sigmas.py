"""Noise schedules."""

import pytest
import torch

from idlora_core.sigmas import DISTILLED_8_STEPS, checked_sigmas, ltx2_sigmas


@pytest.mark.parametrize("steps", [1, 2, 4, 8, 15, 30, 100])
def test_the_schedule_falls_from_one_to_zero(steps):
    sigmas = ltx2_sigmas(steps)
    assert sigmas.shape == (steps + 1,) and sigmas.dtype == torch.float32
    assert sigmas[0].item() == pytest.approx(1.0, abs=1e-6) and sigmas[-1] == 0.0
    assert (sigmas.diff() < 0).all()


@pytest.mark.parametrize("steps", [2, 8, 30])
def test_the_last_sigma_above_zero_is_the_terminal_one(steps):
    assert ltx2_sigmas(steps)[-2].item() == pytest.approx(0.1, abs=1e-6)


@pytest.mark.parametrize("steps", [0, -3, 10**9])
def test_absurd_step_counts_are_refused(steps):
    with pytest.raises(ValueError, match="Number of steps"):
        ltx2_sigmas(steps)


def test_the_distilled_list_is_a_schedule():
    assert len(checked_sigmas(torch.tensor(DISTILLED_8_STEPS))) == 9


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], "has 0 value"),
        ([1.0], "has 1 value"),
        ([0.0, 1.0], "must fall"),
        ([1.0, float("nan"), 0.0], "must fall"),
        ([14.6, 3.0, 0.0], "from at most 1"),
        ([1.0, -0.5], "to at least 0"),
    ],
)
def test_what_is_no_schedule_is_refused(values, words):
    with pytest.raises(ValueError, match=words):
        checked_sigmas(torch.tensor(values))
