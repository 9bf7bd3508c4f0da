"""Plan and combine: what runs, what it weighs, and that off is off."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from idlora_core.guidance import Guidance, combine, plan
from idlora_core.terms import TERMS, Scales, change_of

PAPER_AUDIO = Scales(cfg=7.0, identity=4.0, stg=1.0, av_bimodal=3.0)
PAPER_VIDEO = Scales(cfg=3.0, stg=1.0, av_bimodal=3.0)
OFF = Scales()
ON = {"cfg": 3.0, "identity": 4.0, "stg": 1.0, "av_bimodal": 3.0}


def predictions(seed=0, dtype=torch.float32) -> dict[Any, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    names = ("cond", *(term.prediction for term in TERMS))
    return {name: torch.randn(2, 3, 4, generator=generator).to(dtype) for name in names}


def test_paper_needs_five_predictions():
    assert plan(Guidance(PAPER_VIDEO, PAPER_AUDIO), 1.0) == (
        "cond",
        "uncond",
        "no_reference",
        "perturbed",
        "uncoupled",
    )


def test_everything_off_needs_one_prediction_and_changes_nothing():
    assert plan(Guidance(OFF, OFF), 0.5) == ("cond",)
    values = predictions()
    assert torch.equal(combine(values, OFF), values["cond"])


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.scale)
@pytest.mark.parametrize("stream", ["video", "audio"])
def test_each_scale_drives_exactly_its_prediction(term, stream):
    scales = Scales(**{term.scale: ON[term.scale]})
    guidance = Guidance(scales, OFF) if stream == "video" else Guidance(OFF, scales)
    assert plan(guidance, 0.5) == ("cond", term.prediction)


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.scale)
def test_a_scale_that_is_off_leaves_its_prediction_unread(term):
    on = {**ON, term.scale: term.off}
    values = predictions()
    without = {name: value for name, value in values.items() if name != term.prediction}
    assert torch.equal(combine(values, Scales(**on)), combine(without, Scales(**on)))


def test_identity_follows_equation_5():
    values = predictions()
    expected = values["no_reference"] + 4.0 * (values["cond"] - values["no_reference"])
    torch.testing.assert_close(combine(values, Scales(identity=4.0)), expected)


def test_no_reference_is_not_planned_without_a_reference():
    guidance = Guidance(OFF, Scales(identity=4.0))
    assert plan(guidance, 0.5, has_reference=False) == ("cond",)


@pytest.mark.parametrize(
    ("sigma", "acts"), [(0.95, False), (0.9, True), (0.5, True), (0.3, True), (0.2, False)]
)
@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.scale)
def test_a_term_acts_inside_its_sigma_window(term, sigma, acts):
    guidance = Guidance(OFF, Scales(**ON), windows={term.scale: (0.9, 0.3)})
    planned = plan(guidance, sigma)
    assert (term.prediction in planned) is acts
    assert len(planned) == len(TERMS) + acts, "the other terms act everywhere"


def test_sum_is_in_float32_and_returns_the_dtype_it_got():
    values = predictions(dtype=torch.bfloat16)
    result = combine(values, PAPER_AUDIO)
    exact = combine({name: value.float() for name, value in values.items()}, PAPER_AUDIO)
    assert result.dtype == torch.bfloat16
    assert torch.equal(result, exact.to(torch.bfloat16))


def test_inputs_are_not_changed():
    values = predictions()
    kept = {name: value.clone() for name, value in values.items()}
    combine(values, Scales(cfg=7.0, identity=4.0, stg=1.0, av_bimodal=3.0, rescale=0.7))
    assert all(torch.equal(values[name], kept[name]) for name in kept)


def test_full_rescale_restores_the_standard_deviation_of_cond():
    values = predictions()
    result = combine(values, Scales(cfg=7.0, rescale=1.0))
    torch.testing.assert_close(result.std(), values["cond"].std())


def test_another_packs_cfg_takes_the_place_of_ours_only():
    values = predictions()
    other = torch.full_like(values["cond"], 5.0)
    assert torch.equal(combine(values, Scales(cfg=3.0), guided=other), other)
    expected = other + 1.0 * (values["cond"] - values["perturbed"])
    assert torch.equal(combine(values, Scales(cfg=3.0, stg=1.0), guided=other), expected)


@given(st.sampled_from(TERMS), st.floats(0.0, 100.0))
def test_terms_add_up_independently(term, scale):
    values = predictions()
    alone = combine(values, Scales(**{term.scale: scale}))
    difference = values["cond"] - values[term.prediction]
    torch.testing.assert_close(alone, values["cond"] + (scale - term.off) * difference, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0, 1e9])
@pytest.mark.parametrize("name", ["cfg", "identity", "stg", "av_bimodal", "rescale"])
def test_absurd_scales_are_refused(name, value):
    with pytest.raises(ValueError, match=f"'{name}' is .*give a number from 0 to"):
        Scales(**{name: value})


def test_the_table_says_what_each_prediction_changes():
    changed = {name: vars(change_of(name)) for name in predictions()}
    assert changed.pop("cond") == dict.fromkeys(changed["uncond"], False)
    for name, change in changed.items():
        assert sum(change.values()) == 1, name


def test_a_scale_of_no_term_is_refused():
    with pytest.raises(TypeError, match="called nothing_such"):
        Scales(nothing_such=2.0)
