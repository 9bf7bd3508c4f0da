"""The res_2s sampler without a host."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from idlora_core.res2s import LAST_SIGMA, coefficients, phi, sample_res_2s

TARGET = torch.tensor([[[0.3, -1.2, 2.0]]], dtype=torch.float64)


def constant(x, sigma):
    """A model that has seen one sample."""
    return TARGET.expand_as(x)


def gaussian(x, sigma):
    """The exact x0 of data that is normal with variance 4, under rectified flow."""
    sigma = sigma.view(-1, *[1] * (x.ndim - 1))
    return x * (1 - sigma) * 4 / ((1 - sigma) ** 2 * 4 + sigma**2)


def schedule(steps, start=0.9, end=0.05):
    return torch.logspace(math.log10(start), math.log10(end), steps + 1, dtype=torch.float64)


@given(st.floats(-5, -1e-6), st.integers(1, 2))
def test_phi_obeys_its_recurrence(z, order):
    assert phi(order, z) == pytest.approx((phi(order - 1, z) - 1 / math.factorial(order - 1)) / z, rel=1e-6)


@pytest.mark.parametrize("order", [0, 1, 2])
def test_phi_at_zero_and_across_the_change_of_formula(order):
    assert phi(order, 0.0) == 1 / math.factorial(order)
    assert phi(order, -0.1 - 1e-12) == pytest.approx(phi(order, -0.1 + 1e-12), rel=1e-11)


@given(st.floats(1e-4, 8))
def test_weights_add_up_to_a_first_order_step(h):
    a21, b1, b2 = coefficients(h)
    assert b1 + b2 == pytest.approx((1 - math.exp(-h)) / h, rel=1e-9)
    assert a21 == pytest.approx((1 - math.exp(-h / 2)) / h, rel=1e-9)


def test_a_constant_prediction_is_reached_exactly():
    x = torch.randn(1, 1, 3, dtype=torch.float64)
    assert torch.equal(sample_res_2s(constant, x, torch.tensor([1.0, 0.5, 0.0])), TARGET)


def test_without_noise_the_error_falls_with_the_square_of_the_step():
    x, errors = torch.ones(1, 1, 1, dtype=torch.float64), []
    for steps in (8, 16, 32):
        ended = sample_res_2s(gaussian, x, schedule(steps), eta=0.0)
        exact = sample_res_2s(gaussian, x, schedule(2048), eta=0.0)
        errors.append((ended - exact).abs().item())
    assert errors[0] / errors[1] > 3.5 and errors[1] / errors[2] > 3.5


@pytest.mark.parametrize("refine_anchor", [True, False])
def test_without_noise_the_anchor_stays(refine_anchor):
    x = torch.ones(1, 1, 4, dtype=torch.float64)
    ended = sample_res_2s(gaussian, x, schedule(12), eta=0.0, refine_anchor=refine_anchor)
    torch.testing.assert_close(ended, sample_res_2s(gaussian, x, schedule(12), eta=0.0), rtol=1e-12, atol=0)


def test_the_seed_decides_the_noise():
    def model(x, sigma, seed):
        return gaussian(x, sigma)

    x = torch.ones(1, 1, 64, dtype=torch.float64)
    one, again, other = (sample_res_2s(model, x, schedule(3), {"seed": seed}) for seed in (5, 5, 6))
    assert torch.equal(one, again) and not torch.equal(one, other)
    assert torch.isfinite(sample_res_2s(model, x, schedule(3), {"seed": 2**64 - 1})).all()


def test_predictions_and_callbacks_are_counted():
    sigmas_seen, steps = [], []

    def model(x, sigma):
        sigmas_seen.append(sigma.item())
        return gaussian(x, sigma)

    sample_res_2s(
        model,
        torch.ones(1, 1, 2),
        torch.tensor([1.0, 0.5, 0.0]),
        None,
        lambda state: steps.append(state["i"]),
    )
    expected = [1.0, 0.5**0.5, 0.5, (0.5 * LAST_SIGMA) ** 0.5, LAST_SIGMA]
    assert steps == [0, 1] and sigmas_seen == pytest.approx(expected, rel=1e-6)


def test_the_input_is_not_changed_and_the_dtype_is_kept():
    x = torch.ones(2, 1, 4)
    assert sample_res_2s(gaussian, x, torch.tensor([0.9, 0.4, 0.1])).dtype == torch.float32
    assert torch.equal(x, torch.ones(2, 1, 4))
