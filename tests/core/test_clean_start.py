"""The lead-in and the silent start: counts, and what is cut off."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from idlora_core.clean_start import (
    num_held_latents,
    num_lead_in_frames,
    num_silent_latents,
    without_lead_in,
)
from idlora_core.frames import checked_length, num_audio_latents, num_video_latents
from idlora_core.positions import latent_bounds, reference_bounds
from idlora_core.sound import fitted_to_frames

# lead-in seconds, frame rate: frames
LEAD_INS = [
    (0.0, 25.0, 0),
    (0.01, 25.0, 8),
    (0.32, 25.0, 8),
    (0.33, 25.0, 16),
    (0.5, 25.0, 16),
    (0.5, 24.0, 16),
    (1.0, 24.0, 24),
    (1.0, 29.97, 32),
    (2.0, 23.976, 48),
    (2.56, 25.0, 64),
]


@pytest.mark.parametrize(("seconds", "frame_rate", "num_frames"), LEAD_INS)
def test_lead_in_is_the_next_whole_number_of_latents(seconds, frame_rate, num_frames):
    assert num_lead_in_frames(seconds, frame_rate) == num_frames


@given(st.integers(0, 62), st.floats(0.0, 10.0), st.floats(1.0, 120.0))
def test_the_whole_is_8n_plus_1_and_no_longer_than_needed(n, seconds, frame_rate):
    lead_in = num_lead_in_frames(seconds, frame_rate)
    assert checked_length(8 * n + 1 + lead_in)
    assert lead_in - 8 < seconds * frame_rate <= lead_in + 1e-4


@pytest.mark.parametrize(("lead_in_frames", "latents"), [(0, 1), (8, 2), (16, 3), (64, 9)])
def test_held_latents_end_with_the_clips_first_frame(lead_in_frames, latents):
    assert num_held_latents(lead_in_frames) == latents == num_video_latents(lead_in_frames + 1)


@given(
    st.integers(1, 20),
    st.integers(0, 6),
    st.floats(1.0, 60.0),
    st.sampled_from([16_000, 24_000, 44_100, 48_000]),
)
def test_picture_and_sound_are_cut_in_step(n, k, frame_rate, sample_rate):
    lead_in, length = 8 * k, 8 * n + 1
    images = torch.arange(lead_in + length).view(-1, 1, 1, 1)
    samples = math.ceil((lead_in + length) / frame_rate * sample_rate) + 1
    waveform = torch.arange(samples).view(1, 1, -1)
    kept, sound = without_lead_in(images, waveform, sample_rate, lead_in, frame_rate)
    sound = fitted_to_frames(sound, sample_rate, kept.shape[0], frame_rate)
    assert kept.flatten().tolist() == list(range(lead_in, lead_in + length))
    assert sound[0, 0, 0] == round(lead_in / frame_rate * sample_rate)
    assert sound.shape[-1] == round(length / frame_rate * sample_rate)


def test_nothing_is_copied_and_no_lead_in_leaves_both_as_they_are():
    images, waveform = torch.rand(9, 2, 2, 3), torch.rand(1, 2, 100)
    kept, sound = without_lead_in(images, waveform, 100, 0, 9.0)
    assert kept.data_ptr() == images.data_ptr() and torch.equal(kept, images)
    assert sound.data_ptr() == waveform.data_ptr() and torch.equal(sound, waveform)


@pytest.mark.parametrize("lead_in_frames", [9, 16, -8])
def test_a_lead_in_that_leaves_nothing_is_refused(lead_in_frames):
    with pytest.raises(ValueError, match=f"first {lead_in_frames} frames are a lead-in, and holds 9"):
        without_lead_in(torch.rand(9, 2, 2, 3), torch.rand(1, 2, 100), 100, lead_in_frames, 25.0)


# silent seconds: latents of a clip of 4.84 s; the first is 10 ms long, the others 40 ms
SILENT = [
    (0.0, 0),
    (0.001, 1),
    (0.01, 1),
    (0.04, 1),
    (0.05, 2),
    (0.09, 3),
    (0.3, 8),
    (0.5, 13),
    (1.0, 25),
    (4.84, 121),
]


@pytest.mark.parametrize(("seconds", "latents"), SILENT)
def test_silent_latents(seconds, latents):
    assert num_silent_latents(seconds, 121, 25.0) == latents


@given(st.floats(0.01, 4.8))
def test_silent_latents_are_those_that_end_within_the_silence(seconds):
    ends = latent_bounds(num_audio_latents(121, 25.0))[0, 0, :, 1]
    assert num_silent_latents(seconds, 121, 25.0) == (ends <= seconds + 1e-6).sum()


def test_silence_counts_from_the_start_of_a_lead_in():
    assert num_silent_latents(5.0, 121 + 16, 25.0) == 125


@pytest.mark.parametrize("seconds", [-0.1, math.nan, math.inf, 1e9])
@pytest.mark.parametrize("count", [num_lead_in_frames, lambda s, rate: num_silent_latents(s, 121, rate)])
def test_what_is_no_time_is_refused(count, seconds):
    with pytest.raises(ValueError, match=r"use 0 to 10 s \(0 is off\)"):
        count(seconds, 25.0)


def test_more_silence_than_clip_is_refused():
    with pytest.raises(
        ValueError, match=r"Silent start is 6.0 s, and 4.84 s are generated \(121 frames at 25 fps\)"
    ):
        num_silent_latents(6.0, 121, 25.0)


@pytest.mark.parametrize("numerics", ["host", "official"])
@pytest.mark.parametrize("num_tokens", [1, 2, 126, 750])
def test_the_default_gap_is_the_trained_one_bit_for_bit(num_tokens, numerics):
    assert torch.equal(
        reference_bounds(num_tokens, gap_seconds=0.04, numerics=numerics),
        reference_bounds(num_tokens, numerics=numerics),
    )


@pytest.mark.parametrize("gap_seconds", [0.01, 0.04, 0.5, 5.0])
def test_the_reference_ends_the_gap_before_zero_and_keeps_its_length(gap_seconds):
    bounds = reference_bounds(126, gap_seconds=gap_seconds)
    assert bounds[0, 0, -1, 1].item() == pytest.approx(-gap_seconds, abs=1e-6)
    assert (bounds[0, 0, -1, 1] - bounds[0, 0, 0, 0]).item() == pytest.approx(5.01, abs=1e-5)
