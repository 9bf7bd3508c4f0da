"""From any recording to the waveform that is encoded."""

import math
from typing import cast

import av
import pytest
import torch
import torchaudio
from hypothesis import given, settings
from hypothesis import strategies as st

from idlora_core.reference import Reference
from idlora_core.voice.waveform import DOWNMIX, at_most_stereo, leading_silence, prepare_waveform
from support.allocations import cost


def tone(seconds: float, sample_rate: int, channels: int = 1, amplitude: float = 0.5) -> torch.Tensor:
    t = torch.arange(round(seconds * sample_rate)) / sample_rate
    return (amplitude * torch.sin(2 * math.pi * 220 * t)).repeat(1, channels, 1)


@pytest.mark.parametrize("sample_rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_any_recording_becomes_stereo_at_16_khz(sample_rate, channels):
    prepared = prepare_waveform(tone(1.0, sample_rate, channels), sample_rate)
    assert prepared.shape == (1, 2, 16_000) and prepared.dtype == torch.float32


def test_mono_is_doubled_and_resampled_straight():
    recording = tone(1.0, 44_100)
    expected = torchaudio.functional.resample(recording.repeat(1, 2, 1), 44_100, 16_000)
    assert torch.equal(prepare_waveform(recording, 44_100), expected)


def test_stereo_channels_stay_apart():
    left, right = tone(1.0, 16_000), tone(1.0, 16_000, amplitude=0.1)
    stereo = torch.cat([left, right], dim=1)
    assert torch.equal(prepare_waveform(stereo, 16_000), stereo)


LAYOUTS = {3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}


@pytest.mark.parametrize("num_channels", DOWNMIX)
def test_more_channels_are_downmixed_as_by_ffmpeg(num_channels):
    """A 5.1 recording has its voice in the centre: a plain mean would give it a sixth of its level."""
    recording = 0.2 * torch.randn(1, num_channels, 1600, generator=torch.Generator().manual_seed(0))
    interleaved = recording[0].T.reshape(1, -1).numpy()
    frame = av.AudioFrame.from_ndarray(interleaved, "flt", LAYOUTS[num_channels])
    frame.sample_rate = 16_000
    (stereo,) = av.AudioResampler("fltp", "stereo", 16_000).resample(frame)
    torch.testing.assert_close(at_most_stereo(recording)[0], torch.from_numpy(stereo.to_ndarray()))


def test_a_layout_that_is_not_usual_is_averaged():
    assert torch.equal(at_most_stereo(torch.ones(1, 16, 8)), torch.ones(1, 1, 8))


def test_a_rate_that_is_a_float_is_the_whole_number():
    recording = tone(1.0, 44_100)
    assert torch.equal(prepare_waveform(recording, cast(int, 44_100.0)), prepare_waveform(recording, 44_100))


def test_the_first_seconds_after_silence_are_taken():
    recording = torch.cat([torch.zeros(1, 1, 32_000), tone(3.0, 16_000)], dim=2)
    prepared = prepare_waveform(recording, 16_000, max_seconds=1.0)
    assert torch.equal(prepared[0, 0], recording[0, 0, 32_000:48_000])


@pytest.mark.parametrize("sample_rate", [8_000, 22_050, 48_000])
def test_leading_silence_is_found_within_one_frame(sample_rate):
    hiss = 1e-4 * torch.randn(1, 1, sample_rate, generator=torch.Generator().manual_seed(0))
    recording = torch.cat([hiss, tone(1.0, sample_rate)], dim=2)
    assert abs(leading_silence(recording, sample_rate) - sample_rate) <= sample_rate * 0.01


@settings(deadline=None, max_examples=20)
@given(st.integers(8_000, 192_000), st.floats(0.5, 6.0), st.floats(0.5, 5.0))
def test_length_never_exceeds_what_was_asked(sample_rate, seconds, max_seconds):
    prepared = prepare_waveform(tone(seconds + 0.01, sample_rate), sample_rate, max_seconds=max_seconds)
    assert prepared.shape[-1] <= math.ceil(max_seconds * 16_000)


def test_only_what_is_taken_of_ten_minutes_is_copied():
    minutes = torch.cat([torch.zeros(1, 1, 16_000 * 595), tone(5.0, 16_000)], dim=2)
    assert cost(lambda: prepare_waveform(minutes, 16_000)).peak_bytes < minutes.nbytes / 5


def test_finding_where_speech_begins_costs_a_few_mb_of_half_an_hour():
    recording = torch.cat([torch.zeros(1, 1, 48_000 * 1795), tone(5.0, 48_000)], dim=2)
    assert cost(lambda: leading_silence(recording, 48_000)).peak_bytes < recording.nbytes / 10


@pytest.mark.parametrize("seconds_of_silence", [0, 5, 9.99, 10, 25, 60])
def test_speech_is_found_wherever_the_chunks_end(seconds_of_silence):
    silence = round(seconds_of_silence * 16_000)
    recording = torch.cat([torch.zeros(1, 1, silence), tone(1.005, 16_000)], dim=2)
    assert leading_silence(recording, 16_000) == silence


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_dtypes_become_float32(dtype):
    recording = tone(1.0, 44_100).to(dtype)
    assert torch.equal(prepare_waveform(recording, 44_100), prepare_waveform(recording.float(), 44_100))


@pytest.mark.parametrize("sample_rate", [191_999, 44_056, 8_517])
def test_odd_rates_need_little_memory_and_keep_time(sample_rate):
    ratio = prepare_waveform(tone(2.0, sample_rate), sample_rate).shape[-1] / 32_000
    assert ratio == pytest.approx(1.0, abs=1e-4)
    ours = prepare_waveform(tone(2.0, sample_rate), sample_rate)[0, 0]
    expected = tone(2.0, 16_000)[0, 0]
    middle = slice(1_000, 31_000)
    assert (ours[middle] - expected[middle]).abs().max() < 0.01


BAD = {
    "batch of two": (torch.ones(2, 1, 16_000), 16_000, {}, "batch of 1"),
    "no batch": (torch.ones(1, 16_000), 16_000, {}, "batch of 1"),
    "empty": (torch.ones(1, 1, 0), 16_000, {}, "is empty"),
    "Inf": (torch.full((1, 1, 16_000), -math.inf), 16_000, {}, "not numbers"),
    "one NaN at the end": (
        torch.cat([tone(1.0, 16_000), torch.full((1, 1, 1), math.nan)], dim=2),
        16_000,
        {},
        "not numbers",
    ),
    "NaN": (torch.full((1, 1, 16_000), math.nan), 16_000, {}, "not numbers"),
    "digital silence": (torch.zeros(1, 1, 16_000), 16_000, {}, r"silent \(peak -inf dBFS\)"),
    "near silence": (tone(1.0, 16_000, amplitude=1e-4), 16_000, {}, r"silent \(peak -80 dBFS\)"),
    "too short": (tone(0.4, 16_000), 16_000, {}, "holds 0.40 s of sound"),
    "rate too low": (tone(1.0, 4_000), 4_000, {}, "at 4000 Hz; 8000 to 192000"),
    "rate too high": (torch.ones(1, 1, 400_000), 384_000, {}, "at 384000 Hz"),
    "sound only at the end": (
        torch.cat([torch.zeros(1, 1, 64_000), tone(0.3, 16_000)], dim=2),
        16_000,
        {},
        "0.30 s of sound",
    ),
    "max_seconds too small": (tone(1.0, 16_000), 16_000, {"max_seconds": 0.1}, "use 0.5 to 30 s"),
    "max_seconds too large": (tone(1.0, 16_000), 16_000, {"max_seconds": math.inf}, "max_seconds is inf"),
    "integer samples": (32768 * tone(1.0, 16_000), 16_000, {}, "peaks at 84 dBFS.*scale integer samples"),
    "far above full scale": (1e20 * tone(1.0, 16_000), 16_000, {}, "peaks at 394 dBFS"),
    "rate NaN": (tone(1.0, 16_000), math.nan, {}, "at nan Hz; 8000 to 192000"),
    "rate between whole numbers": (tone(1.0, 16_000), 16_000.5, {}, "at 16000.5 Hz"),
    "max_seconds NaN": (
        tone(1.0, 16_000),
        16_000,
        {"max_seconds": math.nan},
        "max_seconds is nan; use 0.5 to 30 s",
    ),
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD.keys())
def test_what_is_no_voice_is_refused(case):
    waveform, sample_rate, options, words = case
    with pytest.raises(ValueError, match=words):
        prepare_waveform(waveform, sample_rate, **options)


def test_reference_gives_tokens_and_bounds():
    reference = Reference(torch.randn(1, 8, 30, 16))
    assert reference.num_tokens == 30
    assert reference.tokens.shape == (1, 30, 128)
    assert reference.bounds().shape == (1, 1, 30, 2)
    assert (reference.bounds() < 0).all()


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_reference_latent_that_is_not_finite_is_refused(value):
    latent = torch.zeros(1, 8, 30, 16)
    latent[0, 3, 7, 2] = value
    with pytest.raises(ValueError, match="latent holds values that are not numbers"):
        Reference(latent)


@pytest.mark.parametrize("gap_seconds", [0.0, -1.0, 5.1, 1e9, 1e30, math.inf, math.nan])
def test_a_gap_that_cannot_be_is_refused_before_anything_is_drawn(gap_seconds):
    with pytest.raises(ValueError, match="must be above 0 s and at most 5 s"):
        Reference(torch.zeros(1, 8, 30, 16), gap_seconds=gap_seconds)
