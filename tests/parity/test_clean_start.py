"""Lead-in, silent start and continuing a clip, bit for bit, in the real host."""

import importlib

import pytest
import torch

from bed import vaes
from idlora_core.reference import Reference
from idlora_core.sigmas import ltx2_sigmas
from idlora_core.terms import Scales

SIZE = {"width": 64, "height": 64, "max_side": 64, "strength": 1.0}
CLIP = {"length": 9, "frame_rate": 25.0, **SIZE}
PICTURE = torch.rand(1, 64, 64, 3, generator=torch.Generator().manual_seed(3))


@pytest.fixture(autouse=True)
def inference():
    """As the host runs nodes."""
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def audio_vae(pack, checkpoint):
    return vaes.audio_vae(checkpoint)


@pytest.fixture(scope="module")
def video_vae(pack, checkpoint):
    return vaes.video_vae(checkpoint)


@pytest.fixture
def first_frame(video_vae, audio_vae):
    """First-Frame Condition: (changes of its inputs) -> LATENT."""

    def run(**changes) -> dict:
        inputs = {**CLIP, "image": PICTURE, **changes}
        return vaes.node("first_frame", "FirstFrameCondition").execute(video_vae, audio_vae, **inputs).args[0]

    return run


@pytest.fixture
def decode(video_vae, audio_vae):
    """AV Decode: LATENT -> (VIDEO, frames, AUDIO)."""

    def run(latent: dict):
        node = vaes.node("decode", "DecodeAV")
        return node.execute(latent, video_vae, audio_vae, tiling="off").args

    return run


@pytest.fixture
def our_sampler(pack, guider_module, model, clip):
    """Our sampler with a reference and two-way guidance, two steps."""
    host_sampling = importlib.import_module(f"{pack.__name__}.nodes.host.sampling")

    def run(latent: dict) -> dict:
        settings = guider_module.GuiderSettings(Scales(cfg=3.0), Scales(cfg=7.0, identity=4.0))
        guider = guider_module.identity_guider(model, *clip.conditioning, settings, Reference(clip.reference))
        return host_sampling.sample(guider, latent, ltx2_sigmas(2), "euler", seed=0)

    return run


@pytest.fixture
def hosts_sampler(model, clip):
    """The host's guider in its SamplerCustomAdvanced, two steps."""
    import comfy.samplers
    from comfy_extras.nodes_custom_sampler import Noise_RandomNoise, SamplerCustomAdvanced

    def run(latent: dict) -> dict:
        guider = comfy.samplers.CFGGuider(model)
        guider.set_conds(*clip.conditioning)
        guider.set_cfg(3.0)
        euler = comfy.samplers.sampler_object("euler")
        return SamplerCustomAdvanced.execute(
            Noise_RandomNoise(0), guider, euler, ltx2_sigmas(2), latent
        ).args[0]

    return run


@pytest.fixture(params=["our_sampler", "hosts_sampler"])
def sampler(request):
    return request.getfixturevalue(request.param)


def parts(latent: dict, key: str = "samples") -> tuple[torch.Tensor, torch.Tensor]:
    video, audio = latent[key].unbind()
    return video, audio


def assert_left_alone(after: torch.Tensor, before: torch.Tensor) -> None:
    """Equal but for the float noise of the host's Euler step, x + (x - denoised) / sigma * (0 - sigma)."""
    torch.testing.assert_close(after, before, rtol=0, atol=1e-6)


# What is off changes nothing.


def test_off_by_default(first_frame):
    latent = first_frame()
    spelled_out = first_frame(silent_start_seconds=0.0, lead_in_seconds=0.0, continue_from=None)
    video, audio = parts(latent)
    assert set(latent) == {"samples", "frame_rate", "noise_mask"}
    assert video.shape[2] == 2 and audio.shape[2] == 9
    assert not video[:, :, 1:].any() and not audio.any()
    assert parts(latent, "noise_mask")[0].flatten().tolist() == [0, 1]
    assert parts(latent, "noise_mask")[1].all()
    assert all(torch.equal(a, b) for a, b in zip(parts(latent), parts(spelled_out), strict=True))


def test_without_a_picture_nothing_is_masked(first_frame):
    assert "noise_mask" not in first_frame(image=None)


def test_the_first_frame_is_as_the_video_vae_encodes_one_picture(first_frame, video_vae):
    assert torch.equal(parts(first_frame())[0][:, :, :1], video_vae.encode(PICTURE))


# Silent start.


@pytest.mark.parametrize(("seconds", "silent"), [(0.01, 1), (0.1, 3), (0.3, 8), (0.36, 9)])
def test_silent_start_is_what_the_hosts_node_makes_of_silence(first_frame, audio_vae, seconds, silent):
    from comfy_extras.nodes_lt_audio import LTXVAudioVAEEncode

    silence = {"waveform": torch.zeros(1, 2, 88_200), "sample_rate": 44_100}
    expected = LTXVAudioVAEEncode.execute(silence, audio_vae).args[0]["samples"][:, :, :silent]
    latent = first_frame(silent_start_seconds=seconds)
    audio, mask = parts(latent)[1], parts(latent, "noise_mask")[1]
    assert expected.abs().max() > 0.1, "encoded silence is not zeros"
    torch.testing.assert_close(audio[:, :, :silent], expected, rtol=0, atol=1e-5)
    assert not audio[:, :, silent:].any()
    assert not mask[:, :, :silent].any() and mask[:, :, silent:].all()


def test_silent_start_needs_no_picture(first_frame):
    video_mask, audio_mask = parts(first_frame(image=None, silent_start_seconds=0.1), "noise_mask")
    assert video_mask.all()
    assert audio_mask[0, 0, :, 0].tolist() == [0, 0, 0, 1, 1, 1, 1, 1, 1]


def test_samplers_leave_the_silence_and_make_the_rest(first_frame, sampler):
    latent = first_frame(silent_start_seconds=0.1)
    before, after = parts(latent)[1], parts(sampler(latent))[1]
    assert_left_alone(after[:, :, :3], before[:, :, :3])
    assert (after[:, :, 3:].abs().amax(dim=(0, 1, 3)) > 0).all()


# Lead-in.


@pytest.mark.parametrize(
    ("length", "frame_rate", "seconds", "lead_in"),
    [(9, 25.0, 0.3, 8), (17, 24.0, 0.5, 16), (9, 29.97, 0.6, 24)],
)
def test_lead_in_counts(first_frame, decode, length, frame_rate, seconds, lead_in):
    latent = first_frame(length=length, frame_rate=frame_rate, lead_in_seconds=seconds)
    held = lead_in // 8 + 1
    assert latent["lead_in_frames"] == lead_in
    assert parts(latent)[0].shape[2] == (lead_in + length - 1) // 8 + 1
    assert parts(latent, "noise_mask")[0].flatten().tolist() == [0] * held + [1] * ((length - 1) // 8)

    _, images, audio = decode(latent)
    whole = {key: value for key, value in latent.items() if key != "lead_in_frames"}
    _, all_images, all_audio = decode(whole)
    rate = audio["sample_rate"]
    cut, kept = round(lead_in / frame_rate * rate), round(length / frame_rate * rate)
    print(
        f"{length} frames at {frame_rate} fps, lead-in {seconds} s: {all_images.shape[0]} generated, {lead_in} removed,"
        f" {images.shape[0]} kept; sound {all_audio['waveform'].shape[-1]} samples at {rate} Hz, {cut} removed,"
        f" {audio['waveform'].shape[-1]} kept"
    )
    assert all_images.shape[0] == lead_in + length and images.shape[0] == length
    assert torch.equal(images, all_images[lead_in:])
    assert audio["waveform"].shape[-1] == kept
    there = min(kept, all_audio["waveform"].shape[-1] - cut)
    assert torch.equal(audio["waveform"][..., :there], all_audio["waveform"][..., cut : cut + there])


def test_the_lead_in_is_a_still_clip_of_the_picture(first_frame, video_vae):
    held = parts(first_frame(lead_in_seconds=0.6))[0][:, :, :3]
    assert torch.equal(held, video_vae.encode(PICTURE.expand(17, -1, -1, -1)))


def test_samplers_hold_the_lead_in_and_make_the_rest(first_frame, sampler):
    latent = first_frame(lead_in_seconds=0.3)
    before, result = parts(latent)[0], sampler(latent)
    after = parts(result)[0]
    assert result["lead_in_frames"] == 8
    assert_left_alone(after[:, :, :2], before[:, :, :2])
    assert (after[:, :, 2:].abs().amax(dim=(0, 1, 3, 4)) > 0).all()


def test_strength_holds_for_the_whole_lead_in(first_frame):
    mask = parts(first_frame(lead_in_seconds=0.3, strength=0.75), "noise_mask")[0]
    assert mask.flatten().tolist() == [0.25, 0.25, 1.0]


def test_lead_in_without_a_picture_is_made_from_the_prompt(first_frame):
    latent = first_frame(image=None, lead_in_seconds=0.3)
    assert latent["lead_in_frames"] == 8 and "noise_mask" not in latent
    assert not parts(latent)[0].any()


def test_silence_counts_from_the_start_of_the_lead_in(first_frame):
    latent = first_frame(lead_in_seconds=0.32, silent_start_seconds=0.32)
    assert (parts(latent, "noise_mask")[1][0, 0, :, 0] == 0).sum() == 8


def test_the_lead_in_survives_the_hosts_separate_and_concat(first_frame, decode):
    from comfy_extras.nodes_lt import LTXVConcatAVLatent, LTXVSeparateAVLatent

    latent = first_frame(lead_in_seconds=0.3)
    joined = LTXVConcatAVLatent.execute(*LTXVSeparateAVLatent.execute(latent).args).args[0]
    assert joined["lead_in_frames"] == 8 and joined["frame_rate"] == 25.0
    assert torch.equal(decode(joined)[1], decode(latent)[1])


def test_the_hosts_own_decoder_keeps_the_lead_in(first_frame, video_vae):
    latent = first_frame(lead_in_seconds=0.3)
    assert video_vae.decode(parts(latent)[0]).shape[1] == 17


def test_a_latent_shorter_than_its_lead_in_is_refused(first_frame, decode):
    with pytest.raises(ValueError, match="first 16 frames are a lead-in, and holds 9 frames"):
        decode({**first_frame(), "lead_in_frames": 16})


# Continuing a clip.


def test_continues_from_the_last_frame(first_frame):
    frames = torch.rand(9, 64, 64, 3)
    continued = first_frame(image=None, continue_from=frames)
    from_picture = first_frame(image=frames[-1:])
    assert torch.equal(parts(continued)[0], parts(from_picture)[0])
    assert torch.equal(*(parts(latent, "noise_mask")[0] for latent in (continued, from_picture)))


def test_a_clip_can_be_continued_at_its_own_size(first_frame):
    frames = torch.rand(3, 64, 96, 3)
    continued = first_frame(image=None, continue_from=frames, width=0, height=0, max_side=96)
    assert parts(continued)[0].shape[-2:] == (2, 3)


REFUSED = {
    "picture and clip": ({"continue_from": torch.rand(9, 64, 64, 3)}, "got both image and continue_from"),
    "silence longer than the clip": (
        {"silent_start_seconds": 0.4},
        "Silent start is 0.4 s, and 0.36 s are generated",
    ),
    "negative silence": ({"silent_start_seconds": -1.0}, "Silent start is -1.0 s"),
    "negative lead-in": ({"lead_in_seconds": -1.0}, "Lead-in is -1.0 s"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_is_refused_with_one_clear_sentence(first_frame, case):
    changes, words = case
    with pytest.raises(ValueError, match=words):
        first_frame(**changes)


# The gap between reference and clip.


def test_the_gap_of_the_node_reaches_the_reference(audio_vae):
    node = vaes.node("reference", "EncodeReferenceAudio")
    audio = {"waveform": 0.1 * torch.randn(1, 1, 16_000), "sample_rate": 16_000}
    default = node.execute(audio, audio_vae, 5.0).args[0]
    assert torch.equal(default.bounds(), Reference(default.latent, default.grid).bounds())
    far = node.execute(audio, audio_vae, 5.0, reference_gap_seconds=1.0).args[0]
    torch.testing.assert_close(far.bounds(), default.bounds() - 0.96)
