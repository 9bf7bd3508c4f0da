"""`speed: fast`: what it leaves out, what stays exact, and that it falls back where it cannot."""

import importlib

import pytest
import torch

from bed.deviation import relative_l2
from idlora_core.reference import Reference
from idlora_core.sigmas import ltx2_sigmas
from idlora_core.terms import Scales

IDENTITY = Scales(identity=4.0)
ONE_STEP = ltx2_sigmas(1)


@pytest.fixture
def forward_module(pack):
    return lambda name: importlib.import_module(f"{pack.__name__}.nodes.host.forward.{name}")


@pytest.fixture
def tokens_run(model):
    """Number of video tokens in each run of each block."""
    runs: list[int] = []
    blocks = model.model.diffusion_model.transformer_blocks
    handles = [
        block.register_forward_hook(lambda _, x, __: runs.append(x[0][0].shape[1])) for block in blocks
    ]
    yield runs
    for handle in handles:
        handle.remove()


def sampled(
    guider_module, model, clip, denoise, speed, audio=IDENTITY, video=None, sigmas=ONE_STEP, **settings
):
    settings = guider_module.GuiderSettings(video or Scales(), audio, "2", speed=speed, **settings)
    guider = guider_module.identity_guider(model, *clip.conditioning, settings, Reference(clip.reference))
    return denoise(guider, clip, sigmas), guider


def test_the_identity_pass_runs_one_video_token(guider_module, model, clip, denoise, tokens_run):
    sampled(guider_module, model, clip, denoise, "fast")
    whole = clip.video_noise[0, 0].numel()
    assert sorted(tokens_run) == [1] * 4 + [whole] * 4


@pytest.mark.parametrize("numerics", ["host", "official"])
def test_it_is_what_it_says(guider_module, model, clip, denoise, monkeypatch, forward_module, numerics):
    """The same as a whole pass whose video-to-audio attention hears `cond`."""
    fast, _ = sampled(guider_module, model, clip, denoise, "fast", numerics=numerics)
    for leaves_out in ("compute_audio_only", "carry_one_video_token"):
        monkeypatch.setattr(forward_module("video_kv"), leaves_out, lambda _: None)
    monkeypatch.setattr(forward_module("passes"), "FOR_VIDEO_ONLY", ())
    whole, _ = sampled(guider_module, model, clip, denoise, "fast", numerics=numerics)
    assert max(relative_l2(a, b) for a, b in zip(fast, whole, strict=True)) < 1e-5


def test_it_changes_the_sound_a_little_and_the_picture_not(guider_module, model, clip, denoise):
    fast, _ = sampled(guider_module, model, clip, denoise, "fast")
    exact, _ = sampled(guider_module, model, clip, denoise, "exact")
    assert torch.equal(fast[0], exact[0])
    assert 0 < relative_l2(fast[1], exact[1]) < 0.2


def test_identity_on_the_picture_needs_the_whole_pass(guider_module, model, clip, denoise, tokens_run):
    sampled(guider_module, model, clip, denoise, "fast", video=IDENTITY)
    assert 1 not in tokens_run


def test_every_second_step_takes_stg_and_coupling_from_the_one_before(
    guider_module, model, clip, denoise, tokens_run
):
    scales = Scales(stg=1.0, av_bimodal=3.0)
    sigmas = torch.tensor([1.0, 0.99, 0.98, 0.97, 0.5, 0.49, 0.0])
    fast, guider = sampled(guider_module, model, clip, denoise, "fast", scales, scales, sigmas)
    cond, perturbed_from_block_2, uncoupled = 4, 2, 4
    steps, that_compute = 6, 3
    assert len(tokens_run) == steps * cond + that_compute * (perturbed_from_block_2 + uncoupled)
    assert not guider.last._differences, "forgotten at the end of the run"
    exact, _ = sampled(guider_module, model, clip, denoise, "exact", scales, scales, sigmas)
    assert 0 < max(relative_l2(a, b) for a, b in zip(fast, exact, strict=True)) < 0.1


def test_steps_far_apart_compute_everything(guider_module, model, clip, denoise):
    scales, sigmas = Scales(stg=1.0, av_bimodal=3.0), torch.tensor([1.0, 0.9, 0.8, 0.0])
    fast, _ = sampled(guider_module, model, clip, denoise, "fast", scales, scales, sigmas)
    exact, _ = sampled(guider_module, model, clip, denoise, "exact", scales, scales, sigmas)
    assert all(torch.equal(a, b) for a, b in zip(fast, exact, strict=True))


def test_short_memory_runs_the_pass_whole(guider_module, model, clip, denoise, forward_module, monkeypatch):
    monkeypatch.setattr(forward_module("step_cache"), "free_bytes", lambda _: 0)
    fast, _ = sampled(guider_module, model, clip, denoise, "fast")
    exact, _ = sampled(guider_module, model, clip, denoise, "exact")
    assert all(torch.equal(a, b) for a, b in zip(fast, exact, strict=True))


def test_nothing_is_kept_after_a_run(guider_module, model, clip, denoise):
    _, guider = sampled(guider_module, model, clip, denoise, "fast", sigmas=ltx2_sigmas(2))
    cache = guider.forward.video_kv
    assert not cache._kept and not cache._givers


def test_with_everything_on(guider_module, model, clip, denoise):
    scales = Scales(cfg=7.0, identity=4.0, stg=1.0, av_bimodal=3.0)
    video = Scales(cfg=3.0, stg=1.0, av_bimodal=3.0)
    fast, _ = sampled(guider_module, model, clip, denoise, "fast", scales, video)
    exact, _ = sampled(guider_module, model, clip, denoise, "exact", scales, video)
    assert torch.equal(fast[0], exact[0]) and 0 < relative_l2(fast[1], exact[1]) < 0.2
