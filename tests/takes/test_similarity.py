"""Voice similarity with Resemblyzer's real weights: who is who, at any level, and the right take of four."""

import random
from collections import defaultdict

import numpy
import pytest
import torch

from idlora_core.takes.ranking import Score, rank_takes
from idlora_core.takes.voice_encoder import NOISE_BAND, encoder_of

RATE = 16_000
TRIALS = 1000


@pytest.fixture(scope="module")
def encoder(assets):
    content = torch.load(assets / "metrics" / "pretrained.pt", map_location="cpu", weights_only=True)
    return encoder_of(content, "pretrained.pt")


@pytest.fixture(scope="module")
def similarities(encoder, clips):
    """(K, K) of all clips."""
    vectors = torch.stack([encoder.embed(clip.sound, RATE).vector for clip in clips])
    return vectors @ vectors.T


def equal_error_rate(same, other):
    """Where as many of the same are below a threshold as of the others above: rate and threshold."""
    thresholds = numpy.linspace(0, 1, 2001)
    missed = (numpy.asarray(same)[:, None] < thresholds).mean(axis=0)
    accepted = (numpy.asarray(other)[:, None] >= thresholds).mean(axis=0)
    best = numpy.abs(missed - accepted).argmin()
    return (missed[best] + accepted[best]) / 2, thresholds[best]


def test_equal_error_rate(clips, similarities, record_property):
    same, other = [], []
    for i, a in enumerate(clips):
        for j, b in enumerate(clips[:i]):
            if a.speaker.startswith("arctic") and b.speaker.startswith("arctic"):
                continue  # nobody knows whether they are one man
            (same if a.speaker == b.speaker else other).append(similarities[i, j].item())
    rate, threshold = equal_error_rate(same, other)
    record_property("EER", (rate, threshold, len(clips), len(same), len(other)))
    print(
        f"{len(clips)} clips, {len(same)} pairs of one speaker (mean {numpy.mean(same):.3f}), {len(other)} of two"
        f" (mean {numpy.mean(other):.3f}): EER {100 * rate:.1f} % at {threshold:.3f}"
    )
    assert rate <= 0.09


@pytest.mark.parametrize("gain_db", [-12, 12])
def test_level_does_not_matter(encoder, clips, gain_db, record_property):
    changes = []
    for clip in clips[::6]:
        voice, copy = encoder.embed(clip.sound, RATE), encoder.embed(clip.sound * 10 ** (gain_db / 20), RATE)
        other = encoder.embed(clips[-1].sound, RATE)
        changes += [1 - voice.similarity(copy), abs(voice.similarity(other) - copy.similarity(other))]
    record_property(f"{gain_db} dB", max(changes))
    print(f"{gain_db} dB move a similarity by {max(changes):.1e} at most")
    assert max(changes) <= 0.01


def test_the_right_take_of_four(clips, similarities, record_property):
    """One take of the reference's speaker among three of others, in any order of the seeds, by the rule."""
    chance = random.Random(0)
    of_speaker = defaultdict(list)
    for number, clip in enumerate(clips):
        of_speaker[clip.speaker].append(number)
    known = sorted(speaker for speaker, numbers in of_speaker.items() if len(numbers) > 1)
    right = 0
    for _ in range(TRIALS):
        speaker = chance.choice(known)
        reference, take = chance.sample(of_speaker[speaker], 2)
        others = chance.sample(sorted(of_speaker.keys() - {speaker}), 3)
        takes = [take, *(chance.choice(of_speaker[other]) for other in others)]
        chance.shuffle(takes)
        scores = [Score(True, similarities[reference, number].item()) for number in takes]
        right += takes[rank_takes(scores, NOISE_BAND)[0].take] == take
    record_property("right take", right / TRIALS)
    print(f"the right take of four: {right} of {TRIALS}")
    assert right >= 0.94 * TRIALS


def test_scores_of_one_readers_clips_differ_by_the_noise_band(clips, similarities, record_property):
    """What the rule calls a tie: of eight clips of one reader in one room each is the reference of the others."""
    numbers = [number for number, clip in enumerate(clips) if clip.speaker == "dickens"]
    scores = [[similarities[i, j].item() for j in numbers if j != i] for i in numbers]
    differences = [a - b for row in scores for a in row for b in row if a is not b]
    mean, deviation = numpy.mean(scores), numpy.sqrt(numpy.mean(numpy.square(differences)))
    record_property("one reader", (mean, deviation))
    print(f"one reader: mean {mean:.3f}, standard deviation of a difference {deviation:.3f}")
    assert len(numbers) == 8 and deviation == pytest.approx(NOISE_BAND, abs=0.008)


def test_silence_has_no_voice(encoder):
    with pytest.raises(ValueError, match="silent"):
        encoder.embed(torch.zeros(1, 1, RATE), RATE)
