"""`fast`: which predictions a call runs, what the others are extrapolated to, and when it steps aside."""

import pytest
import torch

from idlora_core.extrapolation import MEASURED_SAMPLERS, Extrapolation, whole_calls
from idlora_core.options import SPEEDS, checked_choice
from idlora_core.sigmas import DISTILLED_8_STEPS, ltx2_sigmas
from idlora_core.terms import TERMS, Prediction

WANTED: tuple[Prediction, ...] = ("cond", *(term.prediction for term in TERMS))
TIGHT = {"rtol": 1e-9, "atol": 1e-9}


def walked(sigmas, value, sampler="euler"):
    """Names run and v = (cond - other) / sigma used per call, where the true v of each term is value(sigma)."""
    rule, runs, used = Extrapolation(), [], []
    rule.begin(sigmas, sampler)
    for sigma in sigmas[:-1].tolist():
        cond = torch.tensor([0.5, -1.0])
        names = rule.to_run(WANTED, sigma)
        run = {name: cond - (name != "cond") * sigma * value(sigma) for name in names}
        completed = rule.completed(WANTED, run, sigma)
        runs.append(names)
        used.append({name: (cond - completed[name]) / sigma for name in WANTED[1:]})
    return runs, used


def constant(_):
    return torch.tensor([2.0, 3.0])


def linear(sigma):
    return torch.tensor([2.0, 3.0]) - sigma * torch.tensor([1.0, 4.0])


@pytest.mark.parametrize(
    ("sigmas", "runs"),
    [
        (ltx2_sigmas(30), {"uncond": 18, "no_reference": 11, "perturbed": 11, "uncoupled": 11}),
        (ltx2_sigmas(15), {"uncond": 11, "no_reference": 7, "perturbed": 7, "uncoupled": 7}),
        (torch.tensor(DISTILLED_8_STEPS), {"uncond": 5, "no_reference": 4, "perturbed": 4, "uncoupled": 5}),
    ],
)
def test_how_often_each_prediction_is_run(sigmas, runs):
    calls = whole_calls(WANTED, sigmas.tolist())
    assert {name: sum(name in call for call in calls) for name in WANTED[1:]} == runs
    assert all(call[0] == "cond" for call in calls) and calls[0] == WANTED == calls[-1]


@pytest.mark.parametrize("value", [constant, linear])
def test_the_integral_over_sigma_is_exact_where_a_difference_is_linear(value):
    """Up to each whole call, what an Euler run has summed is what `exact` has: held calls are given back."""
    sigmas = ltx2_sigmas(30).double()
    runs, used = walked(sigmas, value)
    steps = (sigmas[:-1] - sigmas[1:]).tolist()
    for name in WANTED[1:]:
        error = torch.zeros(2)
        for sigma, step, run, values in zip(sigmas[:-1].tolist(), steps, runs, used, strict=True):
            error = error + step * (values[name] - value(sigma))
            if name in run:
                torch.testing.assert_close(error, torch.zeros(2), rtol=0, atol=2e-6)


def test_a_call_that_is_computed_is_handed_on_bit_for_bit_where_nothing_is_owed():
    rule, cond, other = Extrapolation(), torch.randn(3), torch.randn(3)
    rule.begin([1.0, 0.5, 0.0], "euler")
    run = {"cond": cond, **dict.fromkeys(WANTED[1:], other)}
    assert rule.to_run(WANTED, 1.0) == WANTED
    assert all(torch.equal(given, run[name]) for name, given in rule.completed(WANTED, run, 1.0).items())


@pytest.mark.parametrize("sampler", ["euler_ancestral", "heun", "res_2s", "deis", "uni_pc", "sa_solver", ""])
def test_it_steps_aside_for_samplers_that_were_not_measured(sampler):
    assert sampler not in MEASURED_SAMPLERS
    runs, _ = walked(ltx2_sigmas(30), linear, sampler)
    assert runs == [WANTED] * 30


def test_it_steps_aside_where_calls_do_not_follow_the_schedule():
    rule, cond = Extrapolation(), torch.zeros(2)
    rule.begin(ltx2_sigmas(30), "euler")
    for sigma in (1.0, 0.999):  # a sampler that adds noise before each step raises sigma
        rule.completed(WANTED, dict.fromkeys(rule.to_run(WANTED, sigma), cond), sigma)
    assert rule.steps_aside and rule.to_run(WANTED, 0.99) == WANTED


def test_a_term_whose_window_begins_late_starts_with_a_whole_call():
    rule, cond, late = Extrapolation(), torch.zeros(2), 20
    sigmas = ltx2_sigmas(30)
    rule.begin(sigmas, "euler")
    for call, sigma in enumerate(sigmas[:-1].tolist()):
        wanted = ("cond", "perturbed") if call >= late else ("cond",)
        names = rule.to_run(wanted, sigma)
        assert ("perturbed" in names) or call != late
        rule.completed(wanted, dict.fromkeys(names, cond), sigma)


def test_precision_and_inputs_are_kept():
    rule = Extrapolation()
    rule.begin([1.0, 0.995, 0.99, 0.0], "euler")
    run = {name: torch.randn(4, dtype=torch.bfloat16) for name in WANTED}
    before = {name: tensor.clone() for name, tensor in run.items()}
    rule.completed(WANTED, {name: run[name] for name in rule.to_run(WANTED, 1.0)}, 1.0)
    given = rule.completed(WANTED, {name: run[name] for name in rule.to_run(WANTED, 0.995)}, 0.995)
    assert all(tensor.dtype == torch.bfloat16 for tensor in given.values())
    assert all(torch.equal(run[name], before[name]) for name in run)


def test_a_run_that_ended_leaves_nothing():
    rule = Extrapolation()
    rule.begin([1.0, 0.5, 0.0], "euler")
    rule.completed(WANTED, dict.fromkeys(WANTED, torch.zeros(2)), 1.0)
    rule.clear()
    assert not rule._kept and rule.to_run(WANTED, 0.5) == WANTED


def test_a_speed_that_does_not_exist_is_refused():
    assert checked_choice("speed", "fast", SPEEDS) == "fast"
    with pytest.raises(ValueError, match="choose one of exact, fast"):
        checked_choice("speed", "faster", SPEEDS)
