"""Against the host itself: its own reference route, and the model after we are gone."""

import comfy.model_management
import comfy.samplers
import pytest
import torch

from idlora_core.options import Numerics
from idlora_core.reference import Reference
from idlora_core.sigmas import ltx2_sigmas
from idlora_core.terms import Scales
from idlora_pack.nodes.host.guider import identity_guider
from idlora_pack.nodes.host.settings import GuiderSettings

OFF = Scales()
PAPER = (
    Scales(cfg=3.0, stg=1.0, av_bimodal=3.0),
    Scales(cfg=7.0, identity=4.0, stg=1.0, av_bimodal=3.0),
)


def identity(model, clip, video=OFF, audio=OFF, reference=True, numerics: Numerics = "host"):
    settings = GuiderSettings(video, audio, stg_block_indices="2", numerics=numerics)
    voice = Reference(clip.reference) if reference else None
    return identity_guider(model, *clip.conditioning, settings=settings, reference=voice)


def plain(model, clip, cfg=1.0, reference=False):
    """The host's own guider, with its own reference conditioning."""
    tokens = {"ref_audio": {"tokens": Reference(clip.reference).tokens}} if reference else {}
    guider = comfy.samplers.CFGGuider(model)
    guider.set_conds(
        *([[entry[0], {**entry[1], **tokens}] for entry in conds] for conds in clip.conditioning)
    )
    guider.set_cfg(cfg)
    return guider


def assert_equal(ours, theirs):
    """But for the first frame, which we give back exactly and the host with its sampler's rounding."""
    assert torch.equal(ours[0][:, :, 1:], theirs[0][:, :, 1:]) and torch.equal(ours[1], theirs[1])


def test_prediction_equals_the_hosts_reference_route(model, clip, denoise):
    ours = denoise(identity(model, clip), clip, ltx2_sigmas(2))
    assert_equal(ours, denoise(plain(model, clip, reference=True), clip, ltx2_sigmas(2)))


def test_what_the_mask_keeps_comes_back_bit_for_bit(model, clip, denoise):
    ours = denoise(identity(model, clip, *PAPER), clip, ltx2_sigmas(3))
    assert torch.equal(ours[0][:, :, :1], clip.clean_video[:, :, :1])


def test_a_mask_that_changes_by_step_is_left_to_the_host(model, clip, denoise):
    opened = model.clone()
    opened.set_model_denoise_mask_function(lambda sigma, mask, extra_options: torch.ones_like(mask))
    ours = denoise(identity(opened, clip), clip, ltx2_sigmas(2))
    assert not torch.equal(ours[0][:, :, :1], clip.clean_video[:, :, :1])


def test_the_reference_is_heard_by_the_model(model, clip, denoise):
    with_voice = denoise(identity(model, clip), clip, ltx2_sigmas(2))
    without = denoise(identity(model, clip, reference=False), clip, ltx2_sigmas(2))
    assert not torch.equal(with_voice[1], without[1])


def test_without_a_reference_identity_guidance_is_left_out(model, clip, denoise):
    asked = identity(model, clip, audio=Scales(identity=4.0), reference=False)
    assert_equal(denoise(asked, clip, ltx2_sigmas(2)), denoise(plain(model, clip), clip, ltx2_sigmas(2)))


def test_cfg_alone_equals_the_hosts_within_float_noise(model, clip, denoise):
    cfg = Scales(cfg=3.0)
    ours = denoise(identity(model, clip, cfg, cfg), clip, ltx2_sigmas(3))
    theirs = denoise(plain(model, clip, 3.0, reference=True), clip, ltx2_sigmas(3))
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("numerics", ["host", "official"])
def test_the_model_is_as_it_was_after_a_run(model, clip, denoise, numerics):
    before = denoise(plain(model, clip, 2.0), clip, ltx2_sigmas(2))
    denoise(identity(model, clip, *PAPER, numerics=numerics), clip, ltx2_sigmas(2))
    assert_equal(denoise(plain(model, clip, 2.0), clip, ltx2_sigmas(2)), before)


def test_the_model_is_as_it_was_after_an_interrupted_run(model, clip, denoise):
    def interrupt(*_):
        comfy.model_management.interrupt_current_processing()
        comfy.model_management.throw_exception_if_processing_interrupted()

    before = denoise(plain(model, clip, 2.0), clip, ltx2_sigmas(2))
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        denoise(identity(model, clip, *PAPER), clip, ltx2_sigmas(4), callback=interrupt)
    assert_equal(denoise(plain(model, clip, 2.0), clip, ltx2_sigmas(2)), before)


def test_the_model_object_and_its_options_are_not_written_to(model, clip, denoise):
    network = model.model.diffusion_model
    attributes, options = set(vars(network)), dict(model.model_options["transformer_options"])
    denoise(identity(model, clip, *PAPER, numerics="official"), clip, ltx2_sigmas(2))
    assert set(vars(network)) == attributes
    assert model.model_options["transformer_options"] == options
    assert not model.object_patches


def test_two_guiders_on_one_model_do_not_mix(model, clip, denoise):
    first = identity(model, clip, *PAPER)
    alone = denoise(first, clip, ltx2_sigmas(2))
    second = identity(model, clip, *PAPER, reference=False)
    denoise(second, clip, ltx2_sigmas(2))
    assert_equal(denoise(first, clip, ltx2_sigmas(2)), alone)
