"""Who attends to whom in a scene."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from idlora_core import scene_masks as masks
from idlora_core.reference import Reference
from idlora_core.region import Box
from idlora_core.scene import Member, Scene
from idlora_core.scene_masks import VideoTokens
from idlora_core.turns import Turn

A, B = frozenset({0}), frozenset({1})


def voice(num_tokens, seed=0):
    return Reference(torch.randn(1, 8, num_tokens, 16, generator=torch.Generator().manual_seed(seed)))


LEFT, RIGHT = Box(0, 0, 0.5, 1), Box(0.5, 0, 1, 1)
SCENE = Scene(
    (Member("Anna", voice(3), LEFT), Member("Ben", voice(2, 1), RIGHT)),
    (Turn(0.0, 0.4, A, 0), Turn(0.4, 0.8, B, 1)),
)
TIMES = [0.1, 0.3, 0.5, 0.7]  # two tokens of each turn
LINES = [(2, 4), (4, 5)]
FRAMES = [(0.0, 0.4), (0.4, 0.8)]
VIDEO = VideoTokens([span for span in FRAMES for _ in range(8)], torch.arange(8).repeat(2), width=4, height=2)


def gate_of(scene, video=VIDEO):
    """The gate where there is one."""
    gate = masks.audio_to_video_gate(scene, video)
    assert gate is not None
    return gate


def rows(mask):
    return ["".join("x" if seen else "." for seen in row) for row in mask.tolist()]


def test_audio_self_attention():
    assert rows(masks.dense_mask(masks.audio_self_parts(SCENE, TIMES), 9)) == [
        *["xxx..xx.."] * 3,  # Anna's voice: itself and her turn
        *["...xx..xx"] * 2,  # Ben's
        *["xxx..xxxx"] * 2,  # her turn: her voice and the whole clip
        *["...xxxxxx"] * 2,
    ]


def test_text_of_audio():
    assert rows(masks.dense_mask(masks.audio_text_parts(SCENE, TIMES, LINES, 7), 7)) == [
        *["xxxx.xx"] * 3,
        *["xx..xxx"] * 2,
        *["xxxx.xx"] * 2,
        *["xx..xxx"] * 2,
    ]


def test_text_of_video_follows_its_frames():
    spans = [(0.0, 0.04), (0.04, 0.36), (0.36, 0.68), (0.9, 1.2)]
    assert rows(masks.dense_mask(masks.video_text_parts(SCENE, spans, LINES, 7), 7)) == [
        "xxxx.xx",
        "xxxx.xx",
        "xxxxxxx",  # frames of both turns
        "xx...xx",  # after the last one
    ]


def test_what_audio_sees():
    assert rows(masks.dense_mask(masks.video_to_audio_parts(SCENE, TIMES, VIDEO), 16)) == [
        *["x" * 16] * 5,
        *["xx..xx..xx..xx.."] * 2,
        *["..xx..xx..xx..xx"] * 2,
    ]


def test_listeners_hear_nothing():
    apart = replace(SCENE, turns=(Turn(0.0, 0.25, A, 0), Turn(0.55, 0.8, B, 1)))
    gate = gate_of(apart, VIDEO)
    assert gate.reshape(2, 2, 4).tolist() == [[[1, 1, 0, 0]] * 2, [[0, 0, 1, 1]] * 2]
    half = gate_of(replace(apart, region_strength=0.5), VIDEO)
    assert torch.equal(half, 0.5 + gate / 2)


def test_both_regions_are_open_where_turns_meet_within_a_tenth_of_a_second():
    assert masks.audio_to_video_gate(SCENE, VIDEO) is None  # 0.4 s frames, each within 0.1 s of both turns
    finer = replace(VIDEO, spans=[(0.1, 0.2)] * 8 + [(0.35, 0.45)] * 8)
    assert gate_of(SCENE, finer).reshape(2, 2, 4)[1].min() == 1


def test_nobody_speaks_then_all_regions_are_open():
    later = replace(VIDEO, spans=[(2.0, 2.3)] * 16)
    assert masks.audio_to_video_gate(SCENE, later) is None


def test_tokens_of_guides_have_no_region():
    guided = replace(
        VIDEO,
        spans=[*VIDEO.spans, (0.0, 0.1), (0.7, 0.8)],
        cells=torch.cat([VIDEO.cells, torch.tensor([-1, -1])]),
    )
    apart = replace(SCENE, turns=(Turn(0.0, 0.25, A, 0), Turn(0.55, 0.8, B, 1)))
    assert gate_of(apart, guided)[16:].tolist() == [1, 1]
    assert rows(masks.dense_mask(masks.video_to_audio_parts(SCENE, TIMES, guided), 18))[5].endswith("xx")


def test_what_two_regions_share_is_the_speakers():
    scene = replace(SCENE, members=(SCENE.members[0], replace(SCENE.members[1], region=Box(0.25, 0, 1, 1))))
    apart = replace(scene, turns=(Turn(0.0, 0.25, A, 0), Turn(0.55, 0.8, B, 1)))
    gate = gate_of(apart, VIDEO).reshape(2, 2, 4)
    assert gate[:, 0].tolist() == [[1, 1, 0, 0], [0, 1, 1, 1]]
    seen = rows(masks.dense_mask(masks.video_to_audio_parts(apart, TIMES, VIDEO), 16))
    assert seen[5] == "xx..xx..xx..xx.." and seen[8] == ".xxx.xxx.xxx.xxx"


def test_at_once_two_see_both_voices_both_lines_and_both_faces():
    both = replace(SCENE, turns=(Turn(0.0, 0.8, A | B, 0),))
    assert (
        rows(masks.dense_mask(masks.audio_self_parts(both, TIMES), 9))
        == ["xxx..xxxx"] * 3 + ["...xxxxxx"] * 2 + ["x" * 9] * 4
    )
    assert masks.audio_to_video_gate(both, VIDEO) is None


def test_a_speaker_without_a_voice_hears_the_clip_alone():
    scene = replace(SCENE, members=(SCENE.members[0], replace(SCENE.members[1], voice=None)))
    assert rows(masks.dense_mask(masks.audio_self_parts(scene, TIMES), 7))[-1] == "...xxxx"


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_parts_take_every_query_once(times):
    for parts, start in (
        (masks.audio_self_parts(SCENE, times), 0),
        (masks.audio_text_parts(SCENE, times, LINES, 7), 0),
        (masks.video_to_audio_parts(SCENE, times, VIDEO), 0),
    ):
        queries = torch.cat([part.queries for part in parts])
        assert sorted(queries.tolist()) == list(range(start, 5 + len(times)))


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_order_of_the_cast_changes_nothing_for_the_clip(order):
    members = tuple(SCENE.members[place] for place in order)
    turns = tuple(
        replace(turn, speakers=frozenset(order.index(p) for p in turn.speakers)) for turn in SCENE.turns
    )
    scene = Scene(members, turns)
    gate = gate_of(scene, replace(VIDEO, spans=[(0.1, 0.2)] * 16))
    assert gate.reshape(2, 2, 4).tolist() == [[[1, 1, 0, 0]] * 2] * 2
