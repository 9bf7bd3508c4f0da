"""The rule by which takes are ranked."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idlora_core.takes.ranking import Score, rank_takes

BAND = 0.03


def order(*scores, band=BAND):
    return [place.take for place in rank_takes(scores, band)]


def test_the_most_alike_voice_wins():
    assert order(Score(True, 0.6), Score(True, 0.8), Score(True, 0.7)) == [1, 2, 0]


def test_within_the_noise_band_the_earlier_seed_wins_and_the_tie_is_shown():
    places = rank_takes([Score(True, 0.78), Score(True, 0.80), Score(True, 0.60)], BAND)
    assert [(p.take, p.rank, p.is_tied) for p in places] == [(0, 1, True), (1, 1, True), (2, 3, False)]
    assert places[0].why == "tied within 0.03: by seed"


def test_a_take_without_speech_is_last_however_alike():
    places = rank_takes([Score(False, 0.99, 0.0), Score(True, 0.2, 0.9)], BAND)
    assert [p.take for p in places] == [1, 0] and places[1].why == "no speech"


def test_wrong_words_are_behind_and_the_best_is_taken_among_those_that_speak():
    scores = [Score(True, 0.9, 0.35), Score(True, 0.6, 0.2), Score(False, 0.9, 0.0), Score(True, 0.5, 0.3)]
    places = rank_takes(scores, BAND)
    assert [p.take for p in places][:2] == [1, 3] and places[0].why == "voice 0.60"
    assert next(p for p in places if p.take == 0).why == "35 % of the words wrong, the best take 20 %"


def test_without_a_voice_encoder_the_gate_alone_decides_then_the_seed():
    places = rank_takes([Score(True, None, 0.5), Score(True, None, 0.1), Score(True, None, 0.0)], BAND)
    assert [p.take for p in places] == [1, 2, 0] and places[0].why == "voice not measured: by seed"


def test_no_takes_are_refused():
    with pytest.raises(ValueError, match="no takes"):
        rank_takes([], BAND)


SCORES = st.builds(
    Score, st.booleans(), st.none() | st.floats(-1, 1), st.none() | st.floats(0, 2, allow_nan=False)
)


@given(st.lists(SCORES, min_size=1, max_size=8))
def test_every_take_has_one_place_and_none_that_passes_is_behind_one_that_does_not(scores):
    places = rank_takes(scores, BAND)
    assert sorted(p.take for p in places) == list(range(len(scores)))
    assert [p.rank for p in places] == sorted(p.rank for p in places) and places[0].rank == 1
    spoken = [scores[p.take].is_spoken for p in places]
    assert spoken == sorted(spoken, reverse=True) or any(scores[p.take].word_error_rate for p in places)


def test_shuffled_takes_with_clear_differences_rank_alike():
    values = [0.1, 0.3, 0.5, 0.7]
    for seed in range(20):
        shuffled = random.Random(seed).sample(values, 4)
        ranked = [shuffled[take] for take in order(*(Score(True, value) for value in shuffled))]
        assert ranked == sorted(values, reverse=True)
