"""The picture of the guidance terms, drawn from made sizes: every odd run gives one, and none loses a render."""

import math

import pytest
import torch

from idlora_core.term_sizes import CallSizes, Sizes
from idlora_core.terms import TERMS, Scales
from idlora_pack.nodes.pictures.guidance_plot import guidance_plot

SCALES = Scales(cfg=3.0, identity=4.0, stg=1.0, av_bimodal=3.0)


def all_of(size: float) -> Sizes:
    return {term.scale: size for term in TERMS}


@pytest.fixture(scope="module")
def drawn():
    """A plot of calls given as (size of all terms, terms that were reused)."""

    def draw(*calls) -> torch.Tensor:
        made = [
            CallSizes(1.0 - i / 10, all_of(size), all_of(size), frozenset(reused))
            for i, (size, reused) in enumerate(calls)
        ]
        return guidance_plot(made, SCALES, SCALES)

    return draw


@pytest.mark.parametrize(
    "calls",
    [
        [],
        [(0.3, ())],
        [(0.0, ()), (0.0, ())],
        [(math.nan, ()), (0.2, ()), (math.inf, ())],
        [(1e-30, ()), (1e-45, ())],
        [(1e30, ()), (3e38, ())],
        [(0.1, ())] * 1000,
    ],
    ids=["no call", "one call", "all zero", "no numbers", "tiny", "huge", "many calls"],
)
def test_every_run_gives_a_picture(drawn, calls):
    picture = drawn(*calls)
    assert picture.shape == (1, 576, 768, 3) and picture.dtype == torch.float32
    assert 0 <= picture.min() < 0.3 and picture.max() == 1


def test_sizes_are_heights(drawn):
    assert torch.equal(drawn((0.2, ()), (0.3, ())), drawn((0.2, ()), (0.3, ())))
    assert not torch.equal(drawn((0.2, ()), (0.3, ())), drawn((0.2, ()), (0.25, ())))


def test_reused_differences_are_hollow(drawn):
    computed = drawn((0.2, ()), (0.2, ()))
    reused = drawn((0.2, ()), (0.2, ("stg", "av_bimodal")))
    note_top = 530
    assert not torch.equal(computed[:, :note_top], reused[:, :note_top])
    assert reused[:, :note_top].mean() > computed[:, :note_top].mean(), "less ink"
    assert not torch.equal(computed[:, note_top:], reused[:, note_top:]), "the note says what hollow means"
