"""Where tokens lie in time."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from idlora_core.positions import AudioGrid, audio_latent, audio_tokens, latent_bounds, reference_bounds

GRID = AudioGrid()


def test_the_grid_has_25_latents_a_second():
    assert GRID.latents_per_second == 25.0
    assert GRID.seconds_per_latent == 0.04


def test_the_first_latent_covers_one_mel_frame_and_the_others_four():
    bounds = latent_bounds(3, GRID)[0, 0]
    torch.testing.assert_close(bounds, torch.tensor([[0.0, 0.01], [0.01, 0.05], [0.05, 0.09]]))


@given(st.integers(1, 800))
def test_a_reference_ends_one_latent_before_zero(num_tokens):
    bounds = reference_bounds(num_tokens, GRID)
    assert bounds.shape == (1, 1, num_tokens, 2)
    assert (bounds < 0).all()
    assert bounds[0, 0, -1, 1].item() == pytest.approx(-0.04, abs=1e-6)


@given(st.integers(2, 800))
def test_a_reference_is_the_target_grid_moved(num_tokens):
    moved = reference_bounds(num_tokens, GRID) - latent_bounds(num_tokens, GRID)
    assert (moved - moved[0, 0, 0, 0]).abs().max() < 1e-5


@pytest.mark.parametrize("gap", [0.01, 0.04, 0.5])
def test_the_gap_is_what_lies_between_reference_and_zero(gap):
    assert reference_bounds(50, GRID, gap)[0, 0, -1, 1].item() == pytest.approx(-gap, abs=1e-6)


def test_official_numerics_move_a_five_second_reference_by_up_to_a_token():
    moved = (reference_bounds(126, numerics="official") - reference_bounds(126)).abs().max().item()
    assert 0.01 < moved < 0.04


@pytest.mark.parametrize("gap", [0.0, -0.1, float("nan")])
def test_a_gap_that_would_overlap_the_clip_is_refused(gap):
    with pytest.raises(ValueError, match="above 0 s"):
        reference_bounds(10, GRID, gap)


def test_no_token_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        reference_bounds(0)


def test_tokens_and_latent_are_each_others_inverse():
    latent = torch.randn(2, 8, 5, 16)
    tokens = audio_tokens(latent)
    assert tokens.shape == (2, 5, 128)
    assert torch.equal(audio_latent(tokens), latent)
    assert torch.equal(tokens[0, 3], latent[0, :, 3].flatten())
