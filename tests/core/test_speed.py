"""`fast`: which predictions a step takes from the one before."""

import pytest
import torch

from idlora_core.sigmas import ltx2_sigmas
from idlora_core.speed import MOST_SIGMA_CHANGE, LastDifferences, checked_speed
from idlora_core.terms import TERMS, Prediction

WANTED: tuple[Prediction, ...] = ("cond", *(term.prediction for term in TERMS))
KEPT: tuple[Prediction, ...] = ("perturbed", "uncoupled")


def walked(sigmas):
    """Predictions run at each sigma."""
    last, runs = LastDifferences(), []
    for sigma in sigmas:
        names = last.to_run(WANTED, sigma)
        last.completed(WANTED, {name: torch.ones(()) for name in names}, sigma)
        runs.append(names)
    return runs


def test_a_difference_is_used_once():
    without = tuple(name for name in WANTED if name not in KEPT)
    assert walked([1.0, 0.99, 0.98, 0.97]) == [WANTED, without, WANTED, without]


def test_steps_far_apart_share_nothing():
    far = MOST_SIGMA_CHANGE * 1.1
    assert walked([1.0, 1.0 - far, 1.0 - 2 * far]) == [WANTED] * 3


def test_of_the_papers_30_steps_12_reuse():
    runs = walked(ltx2_sigmas(30)[:-1].tolist())
    assert sum("perturbed" not in run for run in runs) == 12


def test_what_is_reused_is_the_difference():
    last = LastDifferences()
    first: dict[Prediction, torch.Tensor] = {name: torch.tensor(float(i)) for i, name in enumerate(WANTED)}
    assert last.completed(WANTED, first, 1.0) == first
    second: dict[Prediction, torch.Tensor] = {name: first[name] + 10 for name in last.to_run(WANTED, 0.99)}
    completed = last.completed(WANTED, second, 0.99)
    for name in KEPT:
        assert completed["cond"] - completed[name] == first["cond"] - first[name]
    assert tuple(completed) == WANTED


def test_a_speed_that_does_not_exist_is_refused():
    assert checked_speed("fast") == "fast"
    with pytest.raises(ValueError, match="choose one of exact, fast"):
        checked_speed("faster")
