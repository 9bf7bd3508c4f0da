"""Loudness by ITU-R BS.1770 and levelling to -23 LUFS."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from idlora_core.voice.loudness import integrated_lufs, normalising_gain_db
from idlora_core.voice.waveform import peak_dbfs
from support import recordings


def sine(frequency_hz: float, level_dbfs: float, sample_rate: int, seconds: float = 5.0) -> torch.Tensor:
    t = torch.arange(round(seconds * sample_rate)) / sample_rate
    return (10 ** (level_dbfs / 20) * torch.sin(2 * math.pi * frequency_hz * t)).repeat(1, 2, 1)


@pytest.mark.parametrize("level", [-23.0, -33.0])
def test_the_first_cases_of_ebu_tech_3341(level):
    """A stereo sine of 1 kHz at -23 dBFS is -23 LUFS, at -33 dBFS -33 LUFS, within 0.1."""
    assert integrated_lufs(sine(1000, level, 48_000), 48_000) == pytest.approx(level, abs=0.1)


@settings(max_examples=15)
@given(gain_db=st.floats(-30, 30))
def test_loudness_follows_the_gain(recorded_speech, gain_db):
    waveform, sample_rate = recordings.read(recorded_speech)
    expected = integrated_lufs(waveform, sample_rate) + gain_db
    louder = waveform * 10 ** (gain_db / 20)
    assert integrated_lufs(louder, sample_rate) == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize(
    "waveform", [torch.zeros(1, 2, 16_000), sine(1000, -90, 16_000), sine(1000, -10, 16_000, 0.2)]
)
def test_what_has_no_loudness_is_left_alone(waveform):
    assert integrated_lufs(waveform, 16_000) == -math.inf
    assert normalising_gain_db(waveform, 16_000) == 0


@settings(max_examples=15)
@given(gain_db=st.floats(-35, 20))
def test_levelling_reaches_the_target_or_the_peak(recorded_speech, gain_db):
    waveform, sample_rate = recordings.read(recorded_speech)
    waveform = waveform * 10 ** (gain_db / 20)
    levelled = waveform * 10 ** (normalising_gain_db(waveform, sample_rate) / 20)
    assert peak_dbfs(levelled) <= -0.99
    assert integrated_lufs(levelled, sample_rate) == pytest.approx(-23, abs=0.1)


def test_a_single_loud_sample_keeps_the_rest_soft():
    waveform = sine(1000, -40, 16_000)
    waveform[..., 100] = 0.5
    levelled = waveform * 10 ** (normalising_gain_db(waveform, 16_000) / 20)
    assert peak_dbfs(levelled) == pytest.approx(-1.0, abs=0.01)
    assert integrated_lufs(levelled, 16_000) < -30
