"""What each guidance does to the forward pass, and that other packs' hooks go on working."""

import pytest
import torch

from idlora_core.reference import Reference
from idlora_core.sigmas import ltx2_sigmas
from idlora_core.terms import Scales

OFF = Scales()
ONE_STEP = ltx2_sigmas(1)
EVERYTHING = Scales(cfg=3.0, identity=4.0, stg=1.0, av_bimodal=3.0)


@pytest.fixture
def count_passes():
    """A clone of the model that records the conditionings of every forward pass."""

    def counted(model):
        passes: list[list[int]] = []
        clone = model.clone()

        def record(apply_model, args):
            passes.append(args["cond_or_uncond"])
            return apply_model(args["input"], args["timestep"], **args["c"])

        clone.set_model_unet_function_wrapper(record)
        return clone, passes

    return counted


def identity(guider_module, model, clip, video=OFF, audio=OFF, **options):
    settings = guider_module.GuiderSettings(video, audio, **{"stg_block_indices": "2", **options})
    return guider_module.identity_guider(model, *clip.conditioning, settings, Reference(clip.reference))


@pytest.mark.parametrize(
    ("scales", "predictions"),
    [
        ({}, 1),
        ({"cfg": 3.0}, 2),
        ({"identity": 4.0}, 2),
        ({"stg": 1.0}, 2),
        ({"av_bimodal": 3.0}, 2),
        ({"cfg": 3.0, "identity": 4.0, "stg": 1.0, "av_bimodal": 3.0}, 5),
    ],
)
def test_a_guidance_that_is_off_costs_no_pass(
    guider_module, model, clip, denoise, count_passes, scales, predictions
):
    counted, passes = count_passes(model)
    denoise(identity(guider_module, counted, clip, audio=Scales(**scales)), clip, ONE_STEP)
    assert sum(map(len, passes)) == predictions


def test_cond_and_uncond_share_a_batch(guider_module, model, clip, denoise, count_passes):
    counted, passes = count_passes(model)
    denoise(identity(guider_module, counted, clip, *[EVERYTHING] * 2), clip, ONE_STEP)
    assert sorted(len(p) for p in passes) == [1, 1, 1, 2]


def test_identity_leaves_the_picture_alone_unless_told(guider_module, model, clip, denoise):
    plain = denoise(identity(guider_module, model, clip), clip, ONE_STEP)
    on_audio = denoise(identity(guider_module, model, clip, audio=Scales(identity=4.0)), clip, ONE_STEP)
    on_both = denoise(
        identity(guider_module, model, clip, Scales(identity=4.0), Scales(identity=4.0)), clip, ONE_STEP
    )
    assert torch.equal(on_audio[0], plain[0]) and not torch.equal(on_audio[1], plain[1])
    assert not torch.equal(on_both[0], plain[0]) and torch.equal(on_both[1], on_audio[1])


def test_identity_acts_only_inside_its_window(guider_module, model, clip, denoise, count_passes):
    counted, passes = count_passes(model)
    guider = identity(
        guider_module, counted, clip, audio=Scales(identity=4.0), windows={"identity": (0.0, 0.5)}
    )
    sigmas = ltx2_sigmas(4)
    denoise(guider, clip, sigmas)
    boundary = model.get_model_object("model_sampling").percent_to_sigma(0.5)
    inside = int((sigmas[:-1] >= boundary).sum())
    assert 0 < inside < 4
    assert sum(map(len, passes)) == 4 + inside


def test_other_packs_block_patches_run_in_every_prediction(guider_module, model, clip, denoise):
    seen = []

    def patch(args, extra):
        seen.append(args["img"][0].shape[0])
        return extra["original_block"](args)

    patched = model.clone()
    for block in (0, 2):
        patched.set_model_patch_replace(patch, "dit", "double_block", block)
    ours = denoise(identity(guider_module, patched, clip, *[EVERYTHING] * 2), clip, ONE_STEP)
    assert sum(seen) == 5 + 4, "block 2 in all five, block 0 in all but `perturbed`, which starts behind it"
    expected = denoise(identity(guider_module, model, clip, *[EVERYTHING] * 2), clip, ONE_STEP)
    assert all(torch.equal(a, b) for a, b in zip(ours, expected, strict=True))


def test_other_packs_attention_override_runs_beside_stg(guider_module, model, clip, denoise):
    calls = []

    def override(attention, *args, **kwargs):
        calls.append(1)
        return attention(*args, **kwargs)

    patched = model.clone()
    patched.model_options["transformer_options"]["optimized_attention_override"] = override
    denoise(identity(guider_module, patched, clip, audio=Scales(stg=1.0)), clip, ONE_STEP)
    with_stg = len(calls)
    calls.clear()
    denoise(identity(guider_module, patched, clip), clip, ONE_STEP)
    from_block_2 = len(calls) // 2
    assert with_stg == len(calls) + from_block_2 - 2, "two self-attentions pass their values through"


def test_post_cfg_hooks_get_the_noisy_input_and_change_the_result(guider_module, model, clip, denoise):
    got = []

    def halve(args):
        got.append(args)
        return args["denoised"] * 0.5

    hooked = model.clone()
    hooked.set_model_sampler_post_cfg_function(halve)
    ours = denoise(identity(guider_module, hooked, clip, *[EVERYTHING] * 2), clip, ONE_STEP)
    plain = denoise(identity(guider_module, model, clip, *[EVERYTHING] * 2), clip, ONE_STEP)
    assert got[0].keys() >= {
        "denoised",
        "cond_denoised",
        "uncond_denoised",
        "input",
        "sigma",
        "cond",
        "uncond",
    }
    assert not torch.equal(got[0]["input"], got[0]["cond_denoised"])
    torch.testing.assert_close(ours[1], plain[1] * 0.5)


def test_pre_cfg_hooks_change_what_is_combined(guider_module, model, clip, denoise):
    hooked = model.clone()
    hooked.set_model_sampler_pre_cfg_function(lambda args: [args["conds_out"][1]] * 2)
    cfg = Scales(cfg=3.0)
    ours = denoise(identity(guider_module, hooked, clip, cfg, cfg), clip, ONE_STEP)
    uncond_only = Scales(cfg=0.0)
    expected = denoise(identity(guider_module, model, clip, uncond_only, uncond_only), clip, ONE_STEP)
    for a, b in zip(ours, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_another_cfg_function_is_asked_at_each_streams_scale(guider_module, model, clip, denoise):
    asked = []

    def linear(args):
        asked.append(args["cond_scale"])
        return args["uncond"] + (args["cond"] - args["uncond"]) * args["cond_scale"]

    hooked = model.clone()
    hooked.set_model_sampler_cfg_function(linear)
    video, audio = Scales(cfg=3.0, stg=1.0), Scales(cfg=7.0, stg=1.0)
    ours = denoise(identity(guider_module, hooked, clip, video, audio), clip, ONE_STEP)
    plain = denoise(identity(guider_module, model, clip, video, audio), clip, ONE_STEP)
    assert asked == [3.0, 7.0]
    for a, b in zip(ours, plain, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-3)


def test_every_prediction_has_an_identity_of_its_own(guider_module, model, clip, denoise):
    seen = []
    hooked = model.clone()

    def record(executor, model, conds, *args):
        seen.append([cond[0]["uuid"] for cond in conds])
        return executor(model, conds, *args)

    from comfy.patcher_extension import WrappersMP

    hooked.add_wrapper(WrappersMP.CALC_COND_BATCH, record)
    denoise(identity(guider_module, hooked, clip, *[EVERYTHING] * 2), clip, ltx2_sigmas(2))
    assert seen[0] == seen[1] and len(set(seen[0])) == 5


def test_inputs_are_not_changed(guider_module, model, clip, denoise):
    positive, negative = clip.conditioning
    kept = [dict(entry[1]) for entry in (*positive, *negative)]
    settings = guider_module.GuiderSettings(EVERYTHING, EVERYTHING, "2")
    reference = Reference(clip.reference.clone())
    guider = guider_module.identity_guider(model, positive, negative, settings, reference)
    denoise(guider, clip, ONE_STEP)
    assert [entry[1] for entry in (*positive, *negative)] == kept
    assert torch.equal(reference.latent, clip.reference)
