"""A scene in the whole loop: what is bit-equal to a plain reference, what it costs, and what it hands on."""

import pytest
import torch

from idlora_core.reference import Reference
from idlora_core.region import PLACES
from idlora_core.scene import Member, Scene
from idlora_core.sigmas import ltx2_sigmas
from idlora_core.terms import Scales
from idlora_core.turns import Turn
from idlora_core.written_scene import written_scene
from idlora_pack.nodes.host.forward.step_cache import StepCache
from support.deviation import relative_l2
from support.scenes import ANNA, REGIONS, spoken_by, two_speakers, voice, with_lines

VIDEO = Scales(cfg=3.0, stg=1.0, av_bimodal=3.0)
AUDIO = Scales(cfg=7.0, identity=4.0, stg=1.0, av_bimodal=3.0)


def equal(ours, theirs):
    return all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("speed", ["exact", "fast"])
@pytest.mark.parametrize("numerics", ["host", "official"])
def test_one_name_in_the_script_is_todays_pack(guide, clip, numerics, speed):
    heard = Reference(clip.reference)
    cast = (Member("Anna", heard, PLACES["left"], "the woman"), Member("Ben", voice(22, 2), PLACES["right"]))
    written = written_scene(cast, "ANNA: Hi.\n(pause 0.1)\nAnna: Run!", "A cellar.", "", 17, 25.0)
    options = {"numerics": numerics, "speed": speed, "sigmas": ltx2_sigmas(3)}
    assert equal(guide(written.reference, **options), guide(heard, **options))


@pytest.mark.parametrize("speed", ["exact", "fast"])
@pytest.mark.parametrize("numerics", ["host", "official"])
def test_one_voice_through_the_split_code_is_todays_pack(guide, clip, numerics, speed):
    """CFG is off: with routed words the two prompts share no batch, and a batch of one rounds differently."""
    heard = Reference(clip.reference)
    alone = Scene((Member("Anna", heard, REGIONS[0]),), (Turn(0, 9, ANNA, 0),))
    whole = with_lines(clip, lines=((10, 32),))
    scales = {"video": VIDEO.replaced(cfg=1.0), "audio": AUDIO.replaced(cfg=1.0)}
    options = {"numerics": numerics, "speed": speed, "sigmas": ltx2_sigmas(2), **scales}
    assert equal(guide(alone, conditioning=whole, **options), guide(heard, **options))


def test_the_order_and_the_names_of_the_cast_change_nothing(guide):
    scene = two_speakers(REGIONS)
    anna, ben = scene.members
    renamed = [Member(name, m.voice, m.region) for name, m in zip("YX", (anna, ben), strict=True)]
    turned = tuple(
        Turn(t.start, t.end, frozenset(1 - place for place in t.speakers), t.line) for t in scene.turns
    )
    expected = guide(scene, sigmas=ltx2_sigmas(2))
    assert equal(guide(Scene(tuple(renamed), scene.turns), sigmas=ltx2_sigmas(2)), expected)
    reordered = guide(Scene((ben, anna), turned), sigmas=ltx2_sigmas(2))
    assert max(relative_l2(a, b) for a, b in zip(reordered, expected, strict=True)) < 1e-5


def test_several_voices_cost_no_more_predictions_than_one(guide, clip, block_runs):
    guide(Reference(clip.reference))
    alone = len(block_runs)
    guide(two_speakers(REGIONS), conditioning=with_lines(clip))
    assert len(block_runs) == 2 * alone


def test_who_speaks_without_a_voice_makes_no_pass(guide, clip, block_runs):
    guide(None)
    plain = len(block_runs)
    guide(two_speakers(REGIONS).without_voices())
    assert len(block_runs) == 2 * plain


def test_strengths_of_one_are_bit_equal(guide):
    as_given = two_speakers(strengths=(1.0, 1.0))
    assert equal(guide(as_given), guide(two_speakers()))


def test_a_strength_reaches_its_speakers_latents_only(guide):
    plain, changed = guide(two_speakers()), guide(two_speakers(strengths=(0.0, 1.0)))
    anna, ben = spoken_by(two_speakers())
    assert torch.equal(plain[0], changed[0])
    assert torch.equal(plain[1][:, :, ben], changed[1][:, :, ben])
    assert not torch.equal(plain[1][:, :, anna], changed[1][:, :, anna])


def test_a_strength_of_zero_is_no_identity_guidance_for_that_speaker(guide):
    off = Scales(cfg=7.0, stg=1.0, av_bimodal=3.0)
    silent, without = guide(two_speakers(strengths=(0.0, 0.0))), guide(two_speakers(), audio=off)
    assert max(relative_l2(a, b) for a, b in zip(silent, without, strict=True)) < 1e-6


@pytest.mark.parametrize("off", [{"stg": 0.0}, {"av_bimodal": 1.0}, {"identity": 1.0}, {"cfg": 1.0}])
def test_with_each_guidance_off(guide, clip, off):
    video, audio = VIDEO.replaced(**{k: v for k, v in off.items() if k != "identity"}), AUDIO.replaced(**off)
    out = guide(two_speakers(REGIONS), conditioning=with_lines(clip), video=video, audio=audio)
    assert all(part.isfinite().all() for part in out)


def test_the_shared_prefix_gives_the_numbers_of_whole_passes(guide, clip, monkeypatch):
    scene, words = two_speakers(REGIONS), with_lines(clip)
    shared = guide(scene, conditioning=words)
    monkeypatch.setattr(StepCache, "take", lambda *_: None)
    assert equal(shared, guide(scene, conditioning=words))


@pytest.mark.parametrize("regions", [(None, None), REGIONS])
def test_fast_moves_a_scene_no_further_than_one_voice(guide, clip, regions):
    """Each term is extrapolated on its own, so that turns do not meet."""
    sigmas, scene, words = ltx2_sigmas(15), two_speakers(regions), with_lines(clip)
    alone = [guide(Reference(clip.reference), sigmas, speed=speed) for speed in ("fast", "exact")]
    turns = [guide(scene, sigmas, conditioning=words, speed=speed) for speed in ("fast", "exact")]
    for stream, limit in enumerate((0.003, 0.012)):  # those of test_fast
        one, several = (relative_l2(fast[stream], exact[stream]) for fast, exact in (alone, turns))
        print(f"fast, {('video', 'audio')[stream]}: one voice {one:.5f}, scene {several:.5f}")
        assert 0 < several < max(limit, 1.5 * one)


def test_no_mask_is_handed_on_and_other_overrides_are_asked(guide, clip, model):
    calls = []

    def spy(attention, q, k, v, *args, mask=None, **kwargs):
        calls.append(mask)
        return attention(q, k, v, *args, mask=mask, **kwargs)

    spied = model.clone()
    spied.model_options["transformer_options"]["optimized_attention_override"] = spy
    scene, words = two_speakers(REGIONS), with_lines(clip)
    expected, before = guide(scene, conditioning=words), len(calls)
    assert before == 0 and equal(guide(scene, conditioning=words, on=spied), expected)
    assert calls and all(mask is None for mask in calls)


def test_the_model_is_not_written_to(guide, clip, model):
    network = model.model.diffusion_model
    attributes, options = set(vars(network)), dict(model.model_options["transformer_options"])
    weights = {name: weight.clone() for name, weight in network.state_dict().items()}
    guide(two_speakers(REGIONS), conditioning=with_lines(clip))
    assert set(vars(network)) == attributes and model.model_options["transformer_options"] == options
    assert all(torch.equal(weight, weights[name]) for name, weight in network.state_dict().items())


def test_a_finished_sound_is_kept_and_faces_stay_gated(guide, clip, block_runs):
    """A second stage: no voices, no identity pass, regions as before."""
    frozen = guide(two_speakers(REGIONS), keeps_sound=True)
    passes = len(block_runs)
    regions_only = guide(two_speakers(REGIONS).without_voices(), keeps_sound=True)
    assert equal(frozen, regions_only) and len(block_runs) == 2 * passes
    assert torch.equal(frozen[1], torch.zeros_like(clip.audio_noise))
    assert not torch.equal(frozen[0], guide(None, keeps_sound=True)[0])


def test_words_without_their_turns_are_refused(guide, clip):
    with pytest.raises(ValueError, match="its reference is not connected"):
        guide(Reference(clip.reference), conditioning=with_lines(clip))
    with pytest.raises(
        ValueError, match="\\(1 lines\\) and the reference \\(2 turns\\) come from two scripts"
    ):
        guide(two_speakers(), conditioning=with_lines(clip, lines=((3, 5),)))


def test_a_scene_and_the_hosts_reference_at_once_are_refused(guide, clip):
    positive, negative = clip.conditioning
    given = [[positive[0][0], {**positive[0][1], "ref_audio": {"tokens": torch.zeros(1, 3, 128)}}]]
    with pytest.raises(ValueError, match="already carries a reference voice"):
        guide(two_speakers(), conditioning=(given, negative))
