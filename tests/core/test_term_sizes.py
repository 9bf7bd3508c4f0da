"""Sizes of the guidance terms: what they are, that off is 0, and that recording them takes next to nothing."""

import math
from typing import Any

import pytest
import torch

from idlora_core.guidance import combine
from idlora_core.term_sizes import TermRecord, term_sizes
from idlora_core.terms import TERMS, Prediction, Scales

ON = {"cfg": 7.0, "identity": 4.0, "stg": 1.0, "av_bimodal": 3.0}


def predictions(seed=0, dtype=torch.float32) -> dict[Any, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    names = ("cond", *(term.prediction for term in TERMS))
    return {name: torch.randn(2, 3, 40, generator=generator).to(dtype) for name in names}


def naive(values, term, scale) -> float:
    """The same by hand, in double precision, number by number."""
    cond = values["cond"].double().flatten().tolist()
    other = values[term.prediction].double().flatten().tolist()
    added = [(scale - term.off) * (a - b) for a, b in zip(cond, other, strict=True)]
    return math.sqrt(sum(a * a for a in added)) / math.sqrt(sum(a * a for a in cond))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_sizes_are_those_of_a_naive_sum(dtype):
    values = predictions(dtype=dtype)
    expected = [naive(values, term, ON[term.scale]) for term in TERMS]
    torch.testing.assert_close(term_sizes(values, Scales(**ON)), torch.tensor(expected), rtol=1e-5, atol=0)


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.scale)
def test_a_term_that_is_off_or_was_not_run_has_size_0(term):
    values, place = predictions(), TERMS.index(term)
    off = term_sizes(values, Scales(**{**ON, term.scale: term.off}))
    without = {name: value for name, value in values.items() if name != term.prediction}
    not_run = term_sizes(without, Scales(**ON))
    assert torch.equal(off, not_run)
    assert off[place] == 0 and (off != 0).sum() == len(TERMS) - 1


def test_one_term_alone_is_as_large_as_the_change_of_the_result():
    values = predictions()
    scales = Scales(identity=4.0)
    moved = (combine(values, scales) - values["cond"]).norm() / values["cond"].norm()
    torch.testing.assert_close(term_sizes(values, scales).sum(), moved)


def test_another_packs_cfg_is_measured_by_what_it_changed():
    values = predictions()
    sizes = term_sizes(values, Scales(cfg=7.0), guided=values["cond"] * 1.5)
    torch.testing.assert_close(sizes, torch.tensor([0.5, 0.0, 0.0, 0.0]))


def test_a_prediction_of_zeros_gives_numbers():
    values = {name: torch.zeros(3) for name in predictions()}
    assert term_sizes(values, Scales(**ON)).tolist() == [0.0] * len(TERMS)


def test_inputs_are_not_changed():
    values = predictions()
    kept = {name: value.clone() for name, value in values.items()}
    term_sizes(values, Scales(**ON))
    assert all(torch.equal(values[name], kept[name]) for name in kept)


def test_a_record_gives_back_what_was_put_in():
    record = TermRecord()
    steps: list[tuple[float, list[Prediction]]] = [(1.0, []), (0.5, ["perturbed", "uncoupled"])]
    for sigma, reused in steps:
        record.begin(sigma, 5 - len(reused), reused)
        record.add(torch.tensor([1.0, 0.0, 2.0, 3.0]) * sigma)
        record.add(torch.tensor([4.0, 5.0, 6.0, 7.0]) * sigma)
    first, second = record.read()
    assert (first.sigma, first.reused) == (1.0, frozenset())
    assert first.video == {"cfg": 1.0, "identity": 0.0, "stg": 2.0, "av_bimodal": 3.0}
    assert second.audio == {"cfg": 2.0, "identity": 2.5, "stg": 3.0, "av_bimodal": 3.5}
    assert second.reused == {"stg", "av_bimodal"}


def test_an_empty_record_has_no_calls():
    assert TermRecord().read() == []


def test_a_record_keeps_eight_numbers_a_call():
    record, values = TermRecord(), predictions()
    for call in range(30):
        record.begin(1.0 - call / 30, 5, ())
        record.add(term_sizes(values, Scales(**ON)))
        record.add(term_sizes(values, Scales(**ON)))
    kept = {sizes.untyped_storage().data_ptr(): sizes.untyped_storage().nbytes() for sizes in record._sizes}
    assert sum(kept.values()) == 30 * 2 * len(TERMS) * 4
