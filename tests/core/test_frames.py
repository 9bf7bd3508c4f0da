"""Sizes of a clip."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from idlora_core.frames import (
    SHAPES,
    centre_crop_resize,
    checked_frame_rate,
    checked_length,
    checked_size,
    clip_length,
    cropped_share,
    fitted_picture,
    fitted_size,
    length_for,
    num_audio_latents,
    num_video_latents,
    shaped_size,
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


@pytest.mark.parametrize("num_frames", [16_393, 10**30, math.inf])
def test_lengths_above_what_the_host_makes_are_refused(num_frames):
    with pytest.raises(ValueError, match="use at most 16377"):
        checked_length(num_frames)


@pytest.mark.parametrize("frame_rate", [0, 0.001, -25, 241, 1e30, math.inf, -math.inf, math.nan])
def test_what_is_no_frame_rate_is_refused(frame_rate):
    with pytest.raises(ValueError, match=r"^frame_rate is .*; use 1 to 240 frames per second"):
        checked_frame_rate(frame_rate)


@pytest.mark.parametrize("frame_rate", [1, 23.976, 25.0, 240.0])
def test_frame_rates_of_clips_pass(frame_rate):
    assert checked_frame_rate(frame_rate) == frame_rate


BAD_PICTURES = {
    "grey": (torch.ones(1, 8, 8, 1), "connect an RGB picture"),
    "grey with alpha": (torch.ones(1, 8, 8, 2), "connect an RGB picture"),
    "no height": (torch.ones(1, 0, 8, 3), "connect an RGB picture"),
    "no width": (torch.ones(1, 8, 0, 3), "connect an RGB picture"),
    "none": (torch.ones(0, 8, 8, 3), "connect an RGB picture"),
    "no batch": (torch.ones(8, 8, 3), "connect an RGB picture"),
    "NaN": (torch.full((1, 8, 8, 3), math.nan), "not numbers"),
    "Inf": (torch.full((1, 8, 8, 3), math.inf), "not numbers"),
    "two": (torch.ones(2, 8, 8, 3), "batch of 2"),
}


@pytest.mark.parametrize(("picture", "words"), BAD_PICTURES.values(), ids=BAD_PICTURES)
def test_what_is_no_picture_is_refused(picture, words):
    with pytest.raises(ValueError, match=words):
        fitted_picture(picture, 32, 32)


@pytest.mark.parametrize("max_side", [-512, 0, 1, 10**9, math.nan])
def test_a_side_that_cannot_be_made_is_refused(max_side):
    with pytest.raises(ValueError, match="max_side is .*; use 32 to 16384 pixels"):
        fitted_size(64, 64, max_side)


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


@pytest.mark.parametrize("size", [(500, 512), (512, 0), (-32, 32), (32, 32_000), (10**30, 32)])
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


@pytest.mark.parametrize(
    ("seconds", "frame_rate", "length"),
    [
        (4.8, 25.0, 121),
        (4.84, 25.0, 121),
        (4.85, 25.0, 129),
        (5.0, 24.0, 121),
        (0.04, 25.0, 1),
        (1.0, 25.0, 25),
    ],
)
def test_seconds_become_the_next_length_that_fits(seconds, frame_rate, length):
    assert clip_length(seconds, frame_rate) == length


@given(st.integers(0, 500), st.sampled_from([12.0, 23.976, 24.0, 25.0, 29.97, 30.0, 60.0]))
def test_a_lengths_own_seconds_give_that_length(n, frame_rate):
    assert length_for((8 * n + 1) / frame_rate, frame_rate) == 8 * n + 1


@pytest.mark.parametrize(
    ("seconds", "frame_rate", "words"),
    [
        (0.0, 25.0, "seconds is 0"),
        (math.nan, 25.0, "seconds is nan"),
        (5.0, 0.0, "frame_rate is 0"),
        (600.0, 60.0, "use at most 273 s"),
    ],
)
def test_seconds_that_no_clip_can_have_are_refused(seconds, frame_rate, words):
    with pytest.raises(ValueError, match=words):
        clip_length(seconds, frame_rate)


@pytest.mark.parametrize(
    ("shape", "picture", "size"),
    [
        ("as the picture", (1000, 500), (512, 256)),
        ("as the picture", None, (512, 512)),
        ("9:16", (1000, 500), (288, 512)),
        ("1:1", None, (512, 512)),
        ("16:9", (500, 1000), (512, 288)),
    ],
)
def test_a_shape_has_its_long_side_at_max_side(shape, picture, size):
    assert shaped_size(shape, picture, 512) == size


def test_an_unknown_shape_is_refused_with_those_that_there_are():
    with pytest.raises(ValueError, match="choose one of as the picture, 9:16, 1:1, 16:9"):
        shaped_size("4:3", None, 512)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("picture", [(640, 480), (512, 512), (300, 900)])
def test_the_cropped_share_is_what_the_crop_takes(shape, picture):
    """A picture whose pixels count 1: what is left of it, put back to its own scale, is the rest of the share."""
    width, height = shaped_size(shape, picture, 512)
    share, sides = cropped_share(picture, (width, height))
    ramp = torch.linspace(0, 1, picture[0]).expand(1, 1, picture[1], -1)
    if sides == "top and bottom":
        ramp = torch.linspace(0, 1, picture[1])[:, None].expand(1, 1, -1, picture[0])
    cut = centre_crop_resize(ramp, width, height)
    assert 1 - (cut.max() - cut.min()).item() == pytest.approx(share, abs=0.02)
