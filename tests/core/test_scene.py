"""A scene: whose voice each moment has, and the interface that it shares with a plain reference."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from idlora_core.families import LTX_2_3, UNKNOWN
from idlora_core.positions import latent_bounds
from idlora_core.reference import Reference
from idlora_core.region import PLACES
from idlora_core.scene import MAX_MEMBERS, Member, Scene, with_member
from idlora_core.turns import Turn

A, B = frozenset({0}), frozenset({1})


def voice(num_tokens, seed=0):
    return Reference(torch.randn(1, 8, num_tokens, 16, generator=torch.Generator().manual_seed(seed)))


ANNAS, BENS = voice(20), voice(30, 1)
ANNA, BEN = Member("Anna", ANNAS), Member("Ben", BENS)
TURNS = (Turn(0.0, 1.0, A, 0), Turn(1.2, 2.0, B, 1), Turn(2.5, 3.0, A | B, 2))
SCENE = Scene((ANNA, BEN), TURNS)


def middles(num_latents):
    return latent_bounds(num_latents).mean(dim=-1).flatten().tolist()


def test_it_has_the_interface_of_a_reference():
    assert SCENE.num_tokens == 50 and SCENE.tokens.shape == (1, 50, 128)
    assert torch.equal(SCENE.tokens, torch.cat([ANNAS.tokens, BENS.tokens], dim=1))
    assert torch.equal(SCENE.bounds(), torch.cat([ANNAS.bounds(), BENS.bounds()], dim=2))
    assert torch.equal(SCENE.bounds("official")[:, :, 20:], BENS.bounds("official"))


def test_voices_in_a_queue_do_not_overlap():
    bounds = replace(SCENE, placement="queue").bounds()[0, 0]
    anna, ben = bounds[:20], bounds[20:]
    assert anna[-1, 1] == pytest.approx(-0.04)
    assert ben[-1, 1] == pytest.approx(anna[0, 0] - 0.04)


def test_who_has_no_voice_or_no_turn_has_no_tokens():
    silent = Scene(
        (ANNA, Member("Cat", voice(9)), replace(BEN, voice=None)), (Turn(0, 1, frozenset({0, 2}), 0),)
    )
    assert silent.voice_ranges == {0: range(20)}
    empty = Scene((Member("Anna"),), (Turn(0, 1, A, 0),))
    assert empty.tokens.shape == (1, 0, 128) and empty.bounds().shape == (1, 1, 0, 2)


@pytest.mark.parametrize(
    "seconds, speakers",
    [
        (0.0, A),
        (0.999, A),
        (1.0, A),  # a pause: the nearer turn
        (1.1, A),  # as near to both: the earlier
        (1.11, B),
        (1.2, B),
        (2.2, B),
        (2.3, A | B),
        (2.7, A | B),
        (9.0, A | B),
    ],
)
def test_whose_voice(seconds, speakers):
    assert SCENE.speakers_at([seconds]) == [speakers]


@given(
    st.lists(st.floats(0.05, 2), min_size=1, max_size=6),
    st.lists(st.floats(0, 0.5), min_size=6, max_size=6),
    st.lists(st.sampled_from([A, B]), min_size=6, max_size=6),
    st.integers(1, 300),
)
def test_every_token_has_a_voice_and_turns_have_their_own(lengths, gaps, speakers, num_latents):
    turns, start = [], 0.0
    for line, (length, gap, who) in enumerate(zip(lengths, gaps, speakers, strict=False)):
        turns.append(Turn(start + gap, start + gap + length, who, line))
        start += gap + length
    times = middles(num_latents)
    found = Scene((ANNA, BEN), tuple(turns)).speakers_at(times)
    assert all(len(places) == 1 for places in found)
    for time, places in zip(times, found, strict=True):
        inside = [turn.speakers for turn in turns if turn.start <= time < turn.end]
        assert not inside or inside == [places]


def test_a_lead_in_moves_the_turns():
    later = SCENE.with_lead_in(0.32)
    times = middles(100)
    assert later.speakers_at([time + 0.32 for time in times]) == SCENE.speakers_at(times)


def test_spans_meet_the_turns_they_share_time_with():
    spans = [(0.9, 1.0), (1.0, 1.2), (1.0, 1.21), (0.9, 1.3), (2.0, 2.4)]
    lines = [[turn.line for turn in turns] for turns in SCENE.turns_over(spans)]
    assert lines == [[0], [], [1], [0, 1], []]
    assert [[t.line for t in turns] for turns in SCENE.turns_over(spans, 0.11)] == [
        [0],
        [0, 1],
        [0, 1],
        [0, 1],
        [1, 2],
    ]


def test_strengths_of_those_who_speak_are_averaged():
    scene = Scene((replace(ANNA, strength=2.0), BEN), TURNS)
    strengths = scene.strengths_at([0.5, 1.5, 2.7])
    assert strengths is not None and strengths.tolist() == [2.0, 1.0, 1.5]
    assert SCENE.strengths_at([0.5]) is None


ALONE = Scene((ANNA, BEN), TURNS[:1])


@pytest.mark.parametrize(
    "scene, expected",
    [
        (ALONE, ANNA.voice),
        (SCENE, None),
        (replace(ALONE, members=(replace(ANNA, region=PLACES["left"]), BEN)), ANNA.voice),
        (replace(ALONE, members=(ANNA, replace(BEN, region=PLACES["left"]))), ANNA.voice),
        (replace(ALONE, members=(replace(ANNA, strength=0.5), BEN)), None),
        (ALONE.without_voices(), None),
    ],
)
def test_one_name_is_a_plain_reference(scene, expected):
    assert scene.only_reference is expected


@pytest.mark.parametrize(
    "cast, name, message",
    [
        ((), " ", "has no name"),
        ((), "An:na", "which a script cannot have in a name"),
        ((), "A" * 61, "has 61 characters; use at most 60"),
        ((ANNA,), "anna", "Two Cast Members are called anna"),
        (tuple(Member(f"M{n}") for n in range(MAX_MEMBERS)), "Zoe", f"a scene can have {MAX_MEMBERS}"),
    ],
)
def test_casts_that_cannot_be(cast, name, message):
    with pytest.raises(ValueError, match=message):
        with_member(cast, Member(name))


@pytest.mark.parametrize("strength", [-0.1, 4.1, math.nan, math.inf])
def test_strengths_that_cannot_be(strength):
    with pytest.raises(ValueError, match="identity_strength is .*; use 0 to 4"):
        with_member((), Member("Anna", strength=strength))


def test_the_audio_vae_is_that_of_the_voices():
    known = replace(ANNA, voice=replace(ANNAS, audio_vae=LTX_2_3))
    assert SCENE.audio_vae is UNKNOWN
    assert replace(SCENE, members=(known, BEN)).audio_vae is LTX_2_3
