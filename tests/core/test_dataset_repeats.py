"""The same sound, again: re-encoded, quieter, noisier, filtered, shifted, and what is only alike.

Measured on the sentence (4.0 s) and the example voice, 16 kHz: copies 0.88 and more, the sentence in pieces of 0.4 s in
another order 0.65, other sound at most 0.27.
"""

import pytest
import torch
import torchaudio

from dev_setup.versions import ROOT
from idlora_core.dataset.repeats import SAME, fingerprint, likeness, pcm_digest
from support import clips, recordings

RATE = 16_000


def at_16_khz(path):
    waveform, rate = recordings.read(path)
    return torchaudio.functional.resample(waveform[0, 0], rate, RATE)


@pytest.fixture(scope="module")
def sentence(recorded_speech):
    return at_16_khz(recorded_speech)


@pytest.fixture(scope="module")
def other():
    return at_16_khz(ROOT / "workflows" / "assets" / "idlora_voice.flac")


def noisy(sound, snr_db):
    noise = recordings.noise(sound.numel(), 1.0)[0, 0]
    return sound + noise * sound.square().mean().sqrt() * 10 ** (-snr_db / 20)


COPIES = {
    "quieter": lambda sound: 0.1 * sound,
    "noise 25 dB below": lambda sound: noisy(sound, 25),
    "8 kHz and back": lambda sound: torchaudio.functional.resample(
        torchaudio.functional.resample(sound, RATE, 8000), 8000, RATE
    ),
    "a telephone": lambda sound: torchaudio.functional.highpass_biquad(sound, RATE, 300.0),
    "cut 0.78 s later": lambda sound: sound[round(0.78 * RATE) :],
    "in a longer clip": lambda sound: torch.cat([torch.zeros(3 * RATE + 123), sound]),
}


@pytest.mark.parametrize("change", COPIES.values(), ids=list(COPIES))
def test_a_copy_is_told(sentence, change):
    assert likeness(fingerprint(sentence), fingerprint(change(sentence))) > SAME


@pytest.mark.parametrize("milliseconds", range(765, 786, 4))
def test_a_copy_is_told_wherever_it_was_cut(sentence, milliseconds):
    later = sentence[round(milliseconds * RATE / 1000) :]
    assert likeness(fingerprint(sentence), fingerprint(noisy(later, 25))) > SAME + 0.05


def test_the_same_words_in_another_order_are_not_a_copy(sentence):
    orders = [clips.reordered(sentence[None, None], seed)[0, 0] for seed in range(6)]
    assert max(likeness(fingerprint(sentence), fingerprint(order)) for order in orders) < SAME - 0.1


def test_other_sound_is_not_a_copy(sentence, other):
    faster = recordings.another_voice(sentence[None, None], RATE, 1.2)[0, 0]
    tone = recordings.voiced(130.0, 4.0, RATE)[0, 0]
    noise = recordings.noise(4 * RATE, 0.1)[0, 0]
    prints = [fingerprint(sound) for sound in (sentence, other, faster, tone, noise)]
    alike = [likeness(a, b) for n, a in enumerate(prints) for b in prints[:n]]
    assert max(alike) < 0.4


def test_it_is_symmetric_and_too_short_is_not_alike(sentence, other):
    a, b = fingerprint(sentence), fingerprint(other)
    assert likeness(a, b) == pytest.approx(likeness(b, a))
    assert likeness(a, a) == pytest.approx(1.0)
    assert likeness(a, a[:, :100]) == 0.0


def test_the_digest_is_of_the_samples(sentence):
    assert pcm_digest(sentence) == pcm_digest(sentence.clone()) != pcm_digest(sentence * 0.9)
