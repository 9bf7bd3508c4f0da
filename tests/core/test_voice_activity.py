"""Which frames of a recording are speech, and what is measured of each."""

import math

import pytest
import torch
import torchaudio
from hypothesis import given, settings
from hypothesis import strategies as st

from idlora_core.voice import activity
from idlora_core.voice.activity import spoken_frames
from idlora_core.voice.features import measure_frames
from idlora_core.voice.runs import runs, widened
from support import recordings
from tools.media import VOICE

RATE = 16_000


@pytest.fixture(scope="module")
def speech(recorded_speech):
    """(1, 1, 64000): a sentence from 0.4 s to 3.45 s, and room tone around it."""
    waveform, sample_rate = recordings.read(recorded_speech)
    assert sample_rate == RATE
    return waveform


def spoken(waveform, sample_rate=RATE):
    return spoken_frames(measure_frames(waveform, sample_rate))


def likeness(a, b):
    """Share of frames on which two masks agree."""
    length = min(a.numel(), b.numel())
    return (a[:length] == b[:length]).float().mean().item()


def test_a_recorded_sentence_is_found(speech):
    ((start, end),) = runs(spoken(speech))
    assert 35 <= start <= 45 and 340 <= end <= 355


def test_two_sentences_with_a_pause_are_found():
    waveform, sample_rate = recordings.read(VOICE)
    (first, second) = runs(spoken(waveform, sample_rate))
    assert first[0] == pytest.approx(30, abs=3)  # the file's 0.3 s of silence
    assert 20 <= second[0] - first[1] <= 50


@settings(max_examples=12)
@given(gain_db=st.floats(-38, 6))
def test_the_gain_does_not_matter(speech, gain_db):
    assert likeness(spoken(speech * 10 ** (gain_db / 20)), spoken(speech)) > 0.995


@pytest.mark.parametrize("sample_rate", [8_000, 11_025, 22_050, 44_056, 44_100, 48_000, 96_000])
def test_the_sample_rate_does_not_matter(speech, sample_rate):
    resampled = torchaudio.functional.resample(speech, RATE, sample_rate)
    assert likeness(spoken(resampled, sample_rate), spoken(speech)) > 0.98


@pytest.mark.parametrize("snr_db", [30, 20, 10])
def test_speech_is_found_in_noise(speech, snr_db):
    noisy = speech + recordings.noise(speech.shape[-1], recordings.rms(speech) * 10 ** (-snr_db / 20))
    assert likeness(spoken(noisy), spoken(speech)) > 0.93


def test_neither_channel_count_nor_a_click_matters(speech):
    clicked = speech.clone()
    clicked[..., 61_000] = 0.9
    assert likeness(spoken(clicked), spoken(speech)) > 0.99
    assert torch.equal(spoken(speech.expand(-1, 2, -1)), spoken(speech))


@pytest.mark.parametrize("gap_seconds", [0.1, 0.15, 0.3, 1.0])
def test_only_gaps_from_a_fifth_of_a_second_on_are_pauses(gap_seconds):
    vowel = recordings.voiced(120, 1.0, RATE)
    waveform = recordings.joined(vowel, recordings.silence(gap_seconds, RATE), vowel)
    assert len(runs(spoken(waveform))) == (1 if gap_seconds < 0.2 else 2)


@pytest.mark.parametrize("seconds", [0.01, 0.5, 3.0])
def test_where_nothing_stands_out_everything_is_taken_for_speech(seconds):
    assert spoken(recordings.voiced(150, seconds, RATE)).all()
    assert spoken(recordings.noise(round(seconds * RATE), 0.1)).float().mean() > 0.9


@settings(max_examples=25)
@given(f0_hz=st.floats(75, 380), sample_rate=st.sampled_from([8_000, 16_000, 44_100]))
def test_pitch_is_measured(f0_hz, sample_rate):
    frames = measure_frames(recordings.voiced(f0_hz, 0.5, sample_rate), sample_rate)
    inside = slice(5, -5)
    assert (frames.voicing[inside] > 0.9).all()
    assert frames.f0_hz[inside].median().item() == pytest.approx(f0_hz, rel=0.02)


def test_noise_has_no_pitch_and_no_held_tone():
    frames = measure_frames(recordings.noise(2 * RATE, 0.1), RATE)
    assert frames.is_voiced.float().mean() < 0.05
    assert (frames.sustained > 0.7).float().mean() < 0.02


def test_a_held_tone_is_told_from_speech(speech):
    held = measure_frames(recordings.voiced(150, 2.0, RATE), RATE)
    frames = measure_frames(speech, RATE)
    assert (held.sustained[5:-30] > 0.95).all()
    assert (frames.sustained[spoken_frames(frames)] > 0.7).float().mean() < 0.02


@pytest.mark.parametrize("sample_rate", [8_000, 11_025, 44_100])
def test_power_and_peak_are_those_of_the_samples(sample_rate):
    waveform = recordings.noise(sample_rate, 0.1).repeat(1, 2, 1)
    waveform[:, 1] *= 0.5
    frames = measure_frames(waveform, sample_rate)
    assert len(frames) == 100
    assert frames.power.mean().item() == pytest.approx(waveform.square().mean().item(), rel=0.01)
    assert frames.peak.max() == waveform.abs().max()


def test_flat_tops_are_counted_and_only_those(speech):
    assert measure_frames(speech, RATE).clipped.sum() == 0
    clipped = (3 * speech).clamp(-0.8, 0.8)
    on_top = (clipped.abs() == 0.8).sum().item()
    assert measure_frames(clipped, RATE).clipped.sum().item() == pytest.approx(on_top, rel=0.1)


def test_clipping_is_seen_beside_a_louder_part(speech):
    waveform = recordings.joined(speech, speech, speech, (3 * speech).clamp(-0.5, 0.5))
    assert measure_frames(waveform, RATE).clipped.sum() > 500


def test_chunks_leave_no_seam(speech):
    waveform = speech.repeat(1, 1, 4)
    whole, later = measure_frames(waveform, RATE), measure_frames(waveform[..., 3 * RATE :], RATE)
    for name in ("power", "peak", "level_db", "voicing", "sustained"):
        a, b = getattr(whole, name)[320:1500], getattr(later, name)[20:1200]
        assert torch.allclose(a, b, atol=1e-3), name


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(1, 8), st.integers(0, 4))
def test_runs_and_widening_are_those_of_the_mask(values, shortest, frames):
    mask = torch.tensor(values)
    rebuilt = torch.zeros_like(mask)
    for start, end in runs(mask):
        rebuilt[start:end] = True
    assert torch.equal(rebuilt, mask)
    kept = activity.without_short_runs(mask, shortest)
    assert all(end - start >= shortest for start, end in runs(kept))
    wide = widened(mask, frames)
    near = [any(values[max(i - frames, 0) : i + frames + 1]) for i in range(len(values))]
    assert wide.tolist() == near


def test_digital_silence_in_a_recording_is_no_speech(speech):
    waveform = recordings.joined(recordings.silence(30, RATE), speech)
    ((start, _),) = runs(spoken(waveform))
    assert start == pytest.approx(3040, abs=6)
    assert math.isfinite(measure_frames(waveform, RATE).level_db.min().item())
