"""What of a scene reaches whom: voices, words and faces, block by block; against dense masks and ltx-core."""

from collections.abc import Sequence

import pytest
import torch

from idlora_core import scene_masks
from idlora_core.positions import audio_tokens, latent_bounds
from idlora_core.reference import Reference
from idlora_core.scene_masks import dense_mask
from idlora_core.terms import Scales
from idlora_pack.nodes.host.forward import scene as forward_scene
from support import oracle
from support.deviation import relative_l2
from support.scenes import (
    LINES,
    REGIONS,
    spoken_by,
    two_speakers,
    voice,
    with_blocks,
    with_lines,
    with_noise_in,
)

OFF = {"video": Scales(), "audio": Scales()}
ANNA_SPEAKS, BEN_SPEAKS = slice(0, 2), slice(2, 3)  # latent frames
ANNAS, BENS = slice(0, 1), slice(2, 3)  # columns of cells


@pytest.fixture(scope="module")
def one_block(checkpoint):
    return with_blocks(checkpoint, 1)


@pytest.fixture(scope="module")
def one_block_without_video_mixing(checkpoint):
    """Video tokens do not see each other, so that a change in one region stays there."""
    return with_blocks(checkpoint, 1, silent=("attn1",))


Streams = Sequence[torch.Tensor]


def moved(before: Streams, after: Streams, latents) -> float:
    """Relative change of the audio in some latents."""
    return relative_l2(after[1][:, :, latents], before[1][:, :, latents])


def test_a_voice_reaches_its_own_turns_only(guide, one_block):
    anna, ben = spoken_by(two_speakers())
    before, after = (guide(two_speakers(seeds=(seed, 2)), on=one_block, **OFF) for seed in (1, 5))
    assert moved(before, after, ben) == 0 and moved(before, after, anna) > 1e-3


@pytest.mark.parametrize("line, own, other", [(0, 0, 1), (1, 1, 0)])
def test_words_reach_their_own_turns_only(guide, clip, one_block, line, own, other):
    model = one_block.clone()
    # Picture and sound would carry them to each other's other times.
    model.model_options["transformer_options"] |= {"a2v_cross_attn": False, "v2a_cross_attn": False}
    before, after = (
        guide(two_speakers(), on=model, conditioning=with_lines(clip, changed=changed), **OFF)
        for changed in (None, line)
    )
    latents, frames = spoken_by(two_speakers()), (ANNA_SPEAKS, BEN_SPEAKS)
    # In the pause between the turns nobody reads either line.
    assert moved(before, after, latents[other]) == 0 and moved(before, after, latents[own]) > 1e-3
    assert torch.equal(before[0][:, :, frames[other]], after[0][:, :, frames[other]])
    assert not torch.equal(before[0][:, :, frames[own]], after[0][:, :, frames[own]])


def test_without_routing_every_turn_reads_every_word(guide, clip, one_block):
    plain = [guide(two_speakers(), on=one_block, conditioning=clip.conditioning, **OFF)]
    positive, negative = with_lines(clip, changed=0)
    unrouted = [[positive[0][0], {"frame_rate": 25.0}]]
    plain.append(guide(two_speakers(), on=one_block, conditioning=(unrouted, negative), **OFF))
    before, after = plain
    assert moved(before, after, spoken_by(two_speakers())[1]) > 1e-3


def test_the_negative_prompt_is_read_whole(guide, clip, one_block):
    cfg = {"video": Scales(cfg=3.0), "audio": Scales(cfg=3.0)}
    positive, negative = with_lines(clip)
    given = guide(two_speakers(), on=one_block, conditioning=(positive, negative), **cfg)
    with_ranges = [[negative[0][0], {**negative[0][1], "idlora_lines": LINES}]]
    again = guide(two_speakers(), on=one_block, conditioning=(positive, with_ranges), **cfg)
    assert all(torch.equal(a, b) for a, b in zip(given, again, strict=True))


def test_a_face_reaches_its_own_turns_only(guide, clip, one_block_without_video_mixing):
    before, after = (
        guide(two_speakers(REGIONS), on=one_block_without_video_mixing, given=given, **OFF)
        for given in (clip, with_noise_in(clip, ANNAS))
    )
    anna, ben = spoken_by(two_speakers())
    assert moved(before, after, ben) == 0 and moved(before, after, anna) > 1e-4


def test_a_listeners_face_does_not_hear(guide, one_block):
    before, after = (guide(two_speakers(REGIONS, seeds=(seed, 2)), on=one_block, **OFF) for seed in (1, 5))
    difference = (after[0] - before[0]).abs()
    assert difference[:, :, ANNA_SPEAKS, :, BENS].max() == 0
    assert difference[:, :, BEN_SPEAKS, :, ANNAS].max() == 0
    assert difference[:, :, 1:2, :, ANNAS].min() > 0, "her own face hears her"


def test_without_regions_every_face_hears(guide, one_block):
    before, after = (guide(two_speakers(seeds=(seed, 2)), on=one_block, **OFF) for seed in (1, 5))
    assert (after[0] - before[0]).abs()[:, :, 1:2, :, BENS].min() > 0


def bleed(runs: list[Streams], scene) -> float:
    before, after = runs
    anna, ben = spoken_by(scene)
    return moved(before, after, ben) / moved(before, after, anna)


def test_little_of_a_voice_bleeds_through_the_clip_and_naive_concatenation_binds_nothing(
    guide, record_property
):
    scene = two_speakers()
    voices = [guide(two_speakers(seeds=(seed, 2)), **OFF) for seed in (1, 5)]
    joined = [
        guide(Reference(torch.cat([voice(30, seed).latent, voice(22, 2).latent], dim=2)), **OFF)
        for seed in (1, 5)
    ]
    split, naive = bleed(voices, scene), bleed(joined, scene)
    record_property("bleed", (split, naive))
    print(f"bleed ratio: split by speaker {split:.3f}, naive concatenation {naive:.3f}")
    assert split < 0.2 < naive


def dense(split, attend, q, k, v, *args, **kwargs):
    """The same attention with a mask of minus infinity."""
    sees = torch.zeros(q.shape[1], k.shape[1], dtype=torch.bool)
    for queries, keys in split.parts or ((slice(None), slice(None)),):
        rows = torch.zeros(q.shape[1], 1, dtype=torch.bool)
        columns = torch.zeros(1, k.shape[1], dtype=torch.bool)
        rows[queries], columns[:, keys] = True, True
        sees |= rows & columns
    kwargs["mask"] = torch.where(sees, 0.0, -torch.inf)
    return attend(q, k, v, *args, **kwargs)


def test_parts_equal_dense_masks(guide, clip, monkeypatch):
    scene, words = two_speakers(REGIONS), with_lines(clip)
    in_parts = guide(scene, conditioning=words)
    monkeypatch.setattr(forward_scene, "in_parts", dense)
    masked = guide(scene, conditioning=words)
    assert max(relative_l2(a, b) for a, b in zip(in_parts, masked, strict=True)) < 1e-5


@torch.no_grad()
def test_voices_and_words_equal_ltx_core_with_its_masks(guide, clip, checkpoint):
    """Lightricks' transformer with the dense masks that the core writes: one prediction."""
    scene = two_speakers()
    authors = oracle.load_transformer(checkpoint)
    video = oracle.video_stream(clip.video_noise, clip.clean_video, clip.video_mask, 25.0)
    audio, count = oracle.audio_stream_of(clip.audio_noise, scene.tokens, scene.bounds("official"))
    (video_text, audio_text), _ = clip.split_texts
    seconds = latent_bounds(clip.audio_noise.shape[2]).mean(dim=-1).flatten().tolist()
    spans = [(start / 25, end / 25) for start, end in ((0, 1), (1, 9), (9, 17)) for _ in range(6)]
    num_text = video_text.shape[1]
    masks = {
        "self": dense_mask(scene_masks.audio_self_parts(scene, seconds), count + len(seconds)),
        "audio": dense_mask(scene_masks.audio_text_parts(scene, seconds, LINES, num_text), num_text),
        "video": dense_mask(scene_masks.video_text_parts(scene, spans, LINES, num_text), num_text),
    }
    sigma = torch.tensor(1.0)
    with oracle.training_masks(authors, count, count + len(seconds), from_video=True, text=False):
        expected = authors(
            oracle.masked(video.modality(video_text, sigma), text=masks["video"]),
            oracle.masked(audio.modality(audio_text, sigma), text=masks["audio"], own=masks["self"]),
            None,
        )
    ours = guide(scene, conditioning=with_lines(clip), numerics="official", **OFF)
    kept = clip.video_mask == 0
    ours_video = torch.where(kept, torch.zeros(()), ours[0]).flatten(2).mT
    theirs_video = torch.where(kept.flatten(2).mT, torch.zeros(()), expected[0])
    assert relative_l2(ours_video, theirs_video) < 1e-5
    assert relative_l2(audio_tokens(ours[1]), expected[1][:, count:]) < 1e-5
