"""Measurements and warnings: each fires on a recording with its fault, none on clean speech."""

import pytest
import torch
import torchaudio
from hypothesis import given, settings
from hypothesis import strategies as st

from idlora_core.voice.doctor import NOTHING_HEARD
from idlora_core.voice.recording import SELECTIONS, prepare_recording
from support import recordings
from tools.media import VOICE

RATE = 16_000
WORDS = ("speech; 3-5 s are best", "Clipped", "Noise only", "music", "two speakers")


@pytest.fixture(scope="module")
def speech(recorded_speech):
    return recordings.read(recorded_speech)[0]


def sentence(speech):
    return speech[..., round(0.4 * RATE) : round(3.45 * RATE)]


def faults(waveform, sample_rate=RATE, **options):
    """Which of the five warnings a recording gets."""
    remarks = prepare_recording(waveform, sample_rate, **options).remarks
    found = [word for word in WORDS for remark in remarks if word in remark]
    assert len(found) == len(remarks)
    return found


SHORT, CLIPPED, NOISY, MUSIC, TWO = WORDS


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("sample_rate", [8_000, 16_000, 44_100, 48_000])
def test_clean_recorded_speech_has_no_fault(speech, selection, sample_rate):
    resampled = torchaudio.functional.resample(speech, RATE, sample_rate)
    assert faults(resampled, sample_rate, selection=selection) == []


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("max_seconds", [4.0, 5.0, 10.0])
def test_the_example_voice_has_no_fault(selection, max_seconds):
    waveform, sample_rate = recordings.read(VOICE)
    assert faults(waveform, sample_rate, selection=selection, max_seconds=max_seconds) == []


@settings(max_examples=60)
@given(
    start=st.floats(0, 2.9),
    length=st.floats(0.8, 4),
    gain_db=st.floats(-35, 3),
    max_seconds=st.floats(0.5, 6),
)
def test_parts_of_clean_speech_are_at_most_short(speech, start, length, gain_db, max_seconds):
    part = speech[..., round(start * RATE) :][..., : round(length * RATE)] * 10 ** (gain_db / 20)
    assert set(faults(part, max_seconds=max_seconds)) <= {SHORT}


@pytest.mark.parametrize("factor", [0.7, 0.8, 1.25, 1.5, 1.8])
def test_other_voices_are_at_most_short(speech, factor):
    voice = recordings.another_voice(speech, RATE, factor)
    assert faults(recordings.joined(voice, voice)) == []


@pytest.mark.parametrize("words_seconds", [0.6, 1.5, 2.5])
def test_too_little_speech_is_said_and_why(speech, words_seconds):
    waveform = recordings.joined(
        sentence(speech)[..., : round(words_seconds * RATE)], recordings.silence(3, RATE)
    )
    (remark,) = prepare_recording(waveform, RATE).remarks
    assert f"Only {words_seconds:.1f} s of speech" in remark and "use a longer recording" in remark
    (remark,) = prepare_recording(speech, RATE, max_seconds=2).remarks
    assert "raise max_seconds" in remark


@pytest.mark.parametrize("gain", [2.5, 4, 8])
@pytest.mark.parametrize("ceiling", [1.0, 0.5])
def test_clipped_speech_is_said_at_whatever_level(speech, gain, ceiling):
    clipped = (gain / 0.65 * speech).clamp(-1, 1) * ceiling
    assert faults(clipped) == [CLIPPED]
    assert faults(clipped.mul(32767).round().div(32768)) == [CLIPPED]  # as a file of 16 bits has it


def test_speech_up_to_full_scale_is_not_clipped(speech):
    assert faults(speech / speech.abs().max()) == []


def test_the_smooth_tops_of_a_low_voice_in_16_bits_are_not_clipping():
    """Three equal samples at 48 kHz, again and again, each peak a little different as a voice's are."""
    t = torch.arange(5 * 48_000) / 48_000
    swell = 0.3 + 0.2 * torch.sin(2 * torch.pi * 3 * t)
    waveform = (swell * recordings.voiced(90, 5, 48_000)).mul(32767).round().div(32768)
    assert prepare_recording(waveform, 48_000).diagnosis.clipped_share < 1e-4


def noisy(speech, snr_db):
    spoken = sentence(speech)
    return speech + recordings.noise(speech.shape[-1], recordings.rms(spoken) * 10 ** (-snr_db / 20))


@pytest.mark.parametrize("snr_db", [20, 30, 40])
def test_a_little_noise_is_not_worth_a_word(speech, snr_db):
    assert faults(noisy(speech, snr_db)) == []


@pytest.mark.parametrize("snr_db", [2, 5, 10])
def test_much_noise_is_said(speech, snr_db):
    assert NOISY in faults(noisy(speech, snr_db))


@pytest.mark.parametrize("snr_db", [5, 10, 15, 20, 25])
def test_the_estimate_is_that_of_the_noise_that_was_added(speech, snr_db):
    """Within 4 dB; it is of the speech band, which leaves out some of white noise and little of speech."""
    estimate = prepare_recording(noisy(speech, snr_db), RATE).diagnosis.snr_db
    assert snr_db - 1 < estimate < snr_db + 5


@pytest.mark.parametrize("rms", [0.1, 0.003])
def test_noise_alone_has_no_speech(rms):
    assert prepare_recording(recordings.noise(5 * RATE, rms), RATE).remarks == [f"{NOTHING_HEARD}."]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("has_drums", [True, False])
def test_music_is_said_and_nothing_else(seed, has_drums):
    assert faults(recordings.tune(8, RATE, seed, has_drums)) == [MUSIC]


def test_a_held_note_is_music():
    assert faults(recordings.voiced(220, 5, RATE)) == [MUSIC]


@pytest.mark.parametrize("factor", [1.8, 2.0])
@pytest.mark.parametrize("pause_seconds", [0.0, 0.4, 2.0])
def test_two_voices_are_said_with_their_pitches(speech, factor, pause_seconds):
    other = recordings.another_voice(sentence(speech), RATE, factor)
    waveform = recordings.joined(sentence(speech), recordings.silence(pause_seconds, RATE), other)
    (remark,) = prepare_recording(waveform, RATE, max_seconds=6).remarks
    assert remark.startswith("Perhaps two speakers (12") and "use a recording of one" in remark


@pytest.mark.parametrize("factor", [1.0, 1.1, 1.25])
def test_a_lively_voice_is_not_two(speech, factor):
    other = recordings.another_voice(sentence(speech), RATE, factor)
    assert faults(recordings.joined(sentence(speech), other), max_seconds=6) == []


def test_measurements_of_the_recorded_sentence(speech):
    diagnosis = prepare_recording(speech, RATE).diagnosis
    spoken = sentence(speech)
    assert diagnosis.level_dbfs == pytest.approx(
        20 * torch.log10(spoken.square().mean().sqrt()).item(), abs=0.3
    )
    assert diagnosis.speech_seconds == pytest.approx(3.05, abs=0.1)
    assert 0.88 < diagnosis.speech_share < 0.95
    assert diagnosis.snr_db > 30


@settings(max_examples=10)
@given(gain_db=st.floats(-30, 3))
def test_only_the_level_follows_the_gain(speech, gain_db):
    clean = prepare_recording(speech, RATE).diagnosis
    diagnosis = prepare_recording(speech * 10 ** (gain_db / 20), RATE).diagnosis
    assert diagnosis.level_dbfs == pytest.approx(clean.level_dbfs + gain_db, abs=0.1)
    assert diagnosis.snr_db == pytest.approx(clean.snr_db, abs=0.5)
    assert diagnosis.speech_seconds == pytest.approx(clean.speech_seconds, abs=0.05)
