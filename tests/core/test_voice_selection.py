"""Which part of a recording is taken, and how its parts are joined."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from idlora_core.voice.activity import spoken_frames
from idlora_core.voice.features import measure_frames
from idlora_core.voice.recording import SELECTIONS, prepare_recording
from idlora_core.voice.runs import runs
from idlora_core.voice.waveform import prepare_waveform
from support import recordings
from support.allocations import cost
from tools.media import VOICE

RATE = 16_000
SENTENCE = slice(round(0.4 * RATE), round(3.45 * RATE))


@pytest.fixture(scope="module")
def speech(recorded_speech):
    return recordings.read(recorded_speech)[0]


def seconds(spans, sample_rate=RATE):
    return [(start / sample_rate, end / sample_rate) for start, end in spans]


parts = st.lists(
    st.tuples(st.sampled_from(["speech", "silence", "hiss", "tone"]), st.floats(0.1, 3.0)),
    min_size=1,
    max_size=6,
)


def made(pieces, speech):
    """A recording of pieces, with a word at its end so that it is never silent or too short."""
    sources = {
        "speech": lambda n: speech[..., SENTENCE][..., :n],
        "silence": lambda n: torch.zeros(1, 1, n),
        "hiss": lambda n: recordings.noise(n, 0.003),
        "tone": lambda n: recordings.voiced(200, n / RATE, RATE),
    }
    waves = [sources[kind](round(length * RATE)) for kind, length in pieces]
    return recordings.joined(*waves, speech[..., SENTENCE][..., : round(0.6 * RATE)])


@settings(max_examples=40)
@given(parts, st.floats(0.5, 8.0), st.sampled_from(SELECTIONS), st.booleans())
def test_spans_lie_in_the_recording_in_order_and_hold_no_more_than_asked(
    speech, pieces, max_seconds, selection, shorten_pauses
):
    waveform = made(pieces, speech)
    recording = prepare_recording(waveform, RATE, RATE, max_seconds, selection, shorten_pauses)
    edges = [0, *(edge for span in recording.spans for edge in span), waveform.shape[-1]]
    assert edges == sorted(edges) and all(start < end for start, end in recording.spans)
    taken = sum(end - start for start, end in recording.spans)
    assert 0.5 * RATE <= taken <= math.ceil(max_seconds * RATE)
    assert 0.5 * RATE <= recording.waveform.shape[-1] <= math.ceil(max_seconds * RATE)
    if not shorten_pauses:
        assert len(recording.spans) == 1


@settings(max_examples=10)
@given(gain_db=st.floats(-30, 3))
def test_the_gain_does_not_matter(speech, gain_db):
    waveform = recordings.joined(
        recordings.noise(3 * RATE, 0.002), speech, recordings.silence(2, RATE), speech
    )
    softer = prepare_recording(waveform * 10 ** (gain_db / 20), RATE).spans
    for a, b in zip(softer, prepare_recording(waveform, RATE).spans, strict=True):
        assert a == pytest.approx(b, abs=0.03 * RATE)


@pytest.mark.parametrize("sample_rate", [16_000, 22_050, 44_100])
@pytest.mark.parametrize("max_seconds", [1.0, 5.0])
def test_from_the_start_without_shortening_is_the_plain_route(speech, sample_rate, max_seconds):
    recording = prepare_recording(
        speech, sample_rate, RATE, max_seconds, selection="from the start", shorten_pauses=False
    )
    plain = prepare_waveform(speech, sample_rate, RATE, max_seconds)
    assert torch.equal(recording.waveform, plain)


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("sample_rate", [11_025, 16_000, 48_000])
def test_continuous_speech_is_left_bit_for_bit(speech, selection, sample_rate):
    sentence = speech[..., SENTENCE]
    recording = prepare_recording(sentence, sample_rate, selection=selection)
    ((start, end),) = recording.spans
    stretch = sentence[..., start:end]
    assert torch.equal(recording.waveform, prepare_waveform(stretch, sample_rate, spans=[(0, end - start)]))
    assert end - start >= sentence.shape[-1] - 0.2 * sample_rate


@pytest.mark.parametrize("pause_seconds", [0.25, 0.4, 0.8, 5.0, 60.0])
def test_only_long_pauses_are_shortened_and_to_a_natural_one(speech, pause_seconds):
    sentence = speech[..., SENTENCE]
    waveform = recordings.joined(sentence, recordings.silence(pause_seconds, RATE), sentence)
    recording = prepare_recording(waveform, RATE, max_seconds=30)
    assert len(recording.spans) == (1 if pause_seconds < 0.5 else 2)
    (first, second) = runs(spoken_frames(measure_frames(recording.waveform, RATE)))
    pause = (second[0] - first[1]) / 100
    assert pause == pytest.approx(pause_seconds if pause_seconds < 0.5 else 0.3, abs=0.08)


def test_a_pause_is_kept_whole_when_asked_to(speech):
    waveform = recordings.joined(speech, recordings.silence(2, RATE), speech)
    recording = prepare_recording(waveform, RATE, max_seconds=30, shorten_pauses=False)
    ((start, end),) = recording.spans
    assert torch.equal(recording.waveform[0, 0], waveform[0, 0, start:end])


def test_where_parts_meet_nothing_clicks(speech):
    """Room tone with much hum: cut without a fade, it jumps by more than the hum ever does."""
    t = torch.arange(9 * RATE) / RATE
    hum = 0.02 * torch.sin(2 * math.pi * 60 * t)
    waveform = recordings.joined(
        speech[..., SENTENCE], recordings.silence(1.503, RATE), speech[..., SENTENCE]
    )
    waveform = waveform + hum[: waveform.shape[-1]]
    recording = prepare_recording(waveform, RATE, max_seconds=30)
    (first, second) = recording.spans
    joint = first[1] - first[0]
    around = recording.waveform[0, 0, joint - 1500 : joint + 1500]
    steepest_hum = 2 * math.pi * 60 / RATE * 0.02
    cut = (waveform[0, 0, second[0]] - waveform[0, 0, first[1] - 1]).abs()
    assert cut > 3 * steepest_hum  # else this recording would prove nothing
    assert around.diff().abs().max() < 2 * steepest_hum


@pytest.mark.parametrize("beside", ["hiss", "silence", "music", "clipped"])
@pytest.mark.parametrize("is_speech_first", [True, False])
def test_the_best_part_is_the_clean_speech(speech, beside, is_speech_first):
    sentence = speech[..., SENTENCE]
    others = {
        "hiss": recordings.noise(6 * RATE, 0.03),
        "silence": recordings.silence(6, RATE),
        "music": recordings.tune(6, RATE),
        "clipped": (4 * torch.cat([sentence, sentence], dim=-1)).clamp(-0.9, 0.9),
    }
    pieces = [sentence, recordings.silence(0.4, RATE), others[beside]]
    waveform = recordings.joined(*(pieces if is_speech_first else reversed(pieces)))
    recording = prepare_recording(waveform, RATE, max_seconds=3.0)
    middle = (recording.spans[0][0] + recording.spans[-1][1]) / 2
    start = 0 if is_speech_first else waveform.shape[-1] - sentence.shape[-1]
    assert start < middle < start + sentence.shape[-1]


def test_the_best_part_begins_and_ends_in_pauses_where_it_can(speech):
    sentence, pause = speech[..., SENTENCE], recordings.silence(0.4, RATE)
    waveform = recordings.joined(*[sentence[..., : 2 * RATE], pause] * 4)
    ((start, end),) = prepare_recording(waveform, RATE, max_seconds=5.0).spans
    assert waveform[..., start : start + 160].abs().max() < 0.02
    assert waveform[..., end - 160 : end].abs().max() < 0.02
    assert end - start > 4 * RATE


def test_from_the_start_takes_the_first_words(speech):
    waveform = recordings.joined(recordings.silence(1, RATE), speech, speech)
    recording = prepare_recording(waveform, RATE, max_seconds=2.0, selection="from the start")
    assert recording.spans[0][0] / RATE == pytest.approx(1.0, abs=0.5)


def test_the_example_voice_keeps_whole_sentences_when_there_is_room():
    waveform, sample_rate = recordings.read(VOICE)
    ((start, end),) = seconds(prepare_recording(waveform, sample_rate, max_seconds=10).spans, sample_rate)
    assert start == pytest.approx(0.15, abs=0.05) and end == pytest.approx(6.25, abs=0.1)


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("max_seconds", [0.5, 5.0])
def test_a_single_word_is_long_enough(speech, selection, max_seconds):
    word = speech[..., SENTENCE][..., : round(0.2 * RATE)]
    waveform = recordings.joined(word, recordings.silence(3, RATE))
    recording = prepare_recording(waveform, RATE, max_seconds=max_seconds, selection=selection)
    assert recording.waveform.shape[-1] == 0.5 * RATE


def test_memory_does_not_grow_with_the_recording(speech):
    minute, three = speech.repeat(1, 1, 8), speech.repeat(1, 1, 24)
    before = cost(lambda: prepare_recording(minute, RATE)).peak_bytes
    assert (
        cost(lambda: prepare_recording(three, RATE)).peak_bytes - before < (three.nbytes - minute.nbytes) / 10
    )


def test_an_unknown_selection_is_refused(speech):
    with pytest.raises(ValueError, match="best part, from the start"):
        prepare_recording(speech, RATE, selection="the middle")


def test_levelling_is_off_unless_asked_for_and_tells_when_the_peak_stops_it(speech):
    assert prepare_recording(speech, RATE).gain_db is None
    soft = prepare_recording(0.1 * speech, RATE, level_loudness=True)
    assert soft.lufs == pytest.approx(-23, abs=0.1) and not soft.remarks
    assert soft.gain_db is not None
    assert soft.level_dbfs == pytest.approx(soft.diagnosis.level_dbfs + soft.gain_db)
    spiked = 0.1 * speech
    spiked[..., 20_000:20_003] = torch.tensor([0.6, 0.7, 0.6])
    stopped = prepare_recording(spiked, RATE, level_loudness=True)
    assert stopped.waveform.abs().max() <= 10 ** (-1 / 20) + 1e-4
    assert stopped.remarks == [f"Normalised to {stopped.lufs:.0f} LUFS; more gain would clip."]
