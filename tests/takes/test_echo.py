"""Words of the reference that are heard again, on real speech."""

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


def test_a_copy_is_found_and_other_sentences_of_the_speaker_are_not(clips, record_property):
    sounds = [
        clip.sound
        for clip in clips
        if clip.speaker in ("austen", "FEE083") and clip.sound.shape[-1] >= 3 * RATE
    ]
    pairs = list(zip(sounds, sounds[1:], strict=False))
    others = [value for a, b in pairs if (value := likeness(a, b)) is not None]
    copies = [likeness(with_words_of(b, a), b) for a, b in pairs]
    copies = [value for value in copies if value is not None]
    record_property("echo", (max(others), min(copies)))
    print(
        f"{len(others)} other sentences at most {max(others):.2f}, {len(copies)} copies at least {min(copies):.2f}"
    )
    assert max(others) < IS_ECHO <= sorted(copies)[len(copies) // 10]


def test_what_is_too_short_is_not_compared(clips):
    assert likeness(clips[0].sound, torch.zeros(1, 1, RATE // 2)) is None
    assert likeness(torch.zeros(1, 1, 100), clips[0].sound) is None
