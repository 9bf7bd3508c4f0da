"""Sizes of a clip."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from idlora_core.frames import (
    centre_crop_resize,
    checked_length,
    checked_size,
    fitted_size,
    num_audio_latents,
    num_video_latents,
)
from idlora_core.prompt import format_prompt
from idlora_core.sound import fitted_to_frames


@pytest.mark.parametrize("num_frames", [1, 9, 121, 497])
def test_lengths_of_8n_plus_1_pass(num_frames):
    assert checked_length(num_frames) == num_frames


@pytest.mark.parametrize(
    ("num_frames", "nearest"),
    [(120, "113 or 121"), (122, "121 or 129"), (2, "1 or 9"), (0, "1 or 9"), (-5, "1 or 9")],
)
def test_other_lengths_are_refused_with_the_two_nearest(num_frames, nearest):
    with pytest.raises(ValueError, match=f"use {nearest}"):
        checked_length(num_frames)


def test_latents_of_the_papers_clip():
    assert num_video_latents(121) == 16
    assert num_audio_latents(121, 25.0) == 121
    assert num_audio_latents(121, 24.0) == 127
    assert num_audio_latents(121, 24.0, "official") == 126


@pytest.mark.parametrize(
    ("picture", "max_side", "expected"),
    [
        ((768, 768), 512, (512, 512)),
        ((1920, 1080), 512, (512, 288)),
        ((1080, 1920), 512, (288, 512)),
        ((3000, 20), 512, (512, 32)),
    ],
)
def test_size_keeps_the_pictures_aspect(picture, max_side, expected):
    width, height = picture
    assert fitted_size(width, height, max_side) == expected


@given(st.integers(1, 8000), st.integers(1, 8000), st.integers(64, 2048))
def test_fitted_sizes_can_be_made(width, height, max_side):
    size = fitted_size(width, height, max_side)
    assert checked_size(*size) == size


@pytest.mark.parametrize("size", [(500, 512), (512, 0), (-32, 32)])
def test_sizes_that_cannot_be_made_are_refused(size):
    with pytest.raises(ValueError, match="multiples of 32"):
        checked_size(*size)


@given(st.integers(8, 300), st.integers(8, 300), st.sampled_from([32, 64, 96]), st.sampled_from([32, 64, 96]))
def test_crop_gives_the_size_asked_for(source_width, source_height, width, height):
    image = torch.rand(1, 3, source_height, source_width)
    assert centre_crop_resize(image, width, height).shape == (1, 3, height, width)


def test_crop_takes_the_centre():
    image = torch.zeros(1, 1, 32, 96)
    image[..., 32:64] = 1.0
    assert (centre_crop_resize(image, 32, 32) == 1.0).all()


def test_a_picture_of_the_right_size_is_untouched():
    image = torch.rand(1, 3, 64, 32)
    assert centre_crop_resize(image, 32, 64) is image


@pytest.mark.parametrize("samples", [1, 47_999, 48_000, 60_000])
def test_sound_is_as_long_as_the_picture(samples):
    waveform = torch.ones(1, 2, samples)
    fitted = fitted_to_frames(waveform, 24_000, 50, 25.0)
    assert fitted.shape == (1, 2, 48_000)
    assert fitted.sum() == 2 * min(samples, 48_000)


def test_prompt_has_three_tags():
    assert (
        format_prompt(" A man\nspeaks. ", "Hello.", "Room.")
        == "[VISUAL]: A man speaks. [SPEECH]: Hello. [SOUNDS]: Room."
    )


def test_an_empty_part_is_left_out_and_an_empty_prompt_refused():
    assert format_prompt("A man.", "", " ") == "[VISUAL]: A man."
    with pytest.raises(ValueError, match="prompt is empty"):
        format_prompt("", " ", "\n")
