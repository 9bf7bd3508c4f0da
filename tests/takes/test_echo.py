"""Words of the reference that are heard again, on real speech."""

import pytest
import torch

from idlora_core.takes.echo import IS_ECHO, echo_likeness
from idlora_core.voice.detection import speech_frames

RATE = 16_000


def likeness(take, reference):
    return echo_likeness(take, RATE, reference, RATE, speech_frames(reference, RATE))


def with_words_of(source, take):
    """The take with 1.5 s of another recording in its middle."""
    mixed = take.clone()
    mixed[..., RATE : RATE + RATE * 3 // 2] = source[..., RATE : RATE + RATE * 3 // 2]
    return mixed


@pytest.fixture(scope="module")
def pairs(clips):
    """Every two clips of one speaker, a take and a reference of 3 s and more."""
    long = [clip for clip in clips if clip.sound.shape[-1] >= 3 * RATE]
    return [(a.sound, b.sound) for a in long for b in long if a is not b and a.speaker == b.speaker]


def test_a_copy_is_found_and_other_sentences_of_the_speaker_are_not(pairs, record_property):
    others = [value for take, voice in pairs if (value := likeness(take, voice)) is not None]
    copies = [
        value for take, voice in pairs if (value := likeness(with_words_of(voice, take), voice)) is not None
    ]
    found = sum(value >= IS_ECHO for value in copies) / len(copies)
    record_property("echo", (max(others), min(copies), found))
    print(
        f"{len(others)} other sentences at most {max(others):.2f}; {len(copies)} copies at least {min(copies):.2f},"
        f" found {found:.3f}"
    )
    assert max(others) < IS_ECHO and found >= 0.95


def test_what_is_too_short_is_not_compared(clips):
    assert likeness(clips[0].sound, torch.zeros(1, 1, RATE // 2)) is None
    assert likeness(torch.zeros(1, 1, 100), clips[0].sound) is None
