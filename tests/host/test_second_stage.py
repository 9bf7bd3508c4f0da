"""Second Stage: what it makes, and that the sound comes out of a second sampling bit for bit.

The nodes run in this process on the small models, so that tensors can be compared; the graph at the end runs in a
ComfyUI of its own.
"""

import copy
import importlib
from types import SimpleNamespace

import av
import pytest
import torch

from bed import in_process
from bed.clip import made_clip
from bed.host_client import ExecutionFailed, output_files
from bed.small_graph import CHECKPOINT, small_graph
from idlora_core import frames
from idlora_core.sigmas import STAGE_2_SIGMAS
from idlora_core.terms import Scales

UPSCALER = "ltx-2.3-spatial-upscaler-x2-1.1.safetensors"
FRAMES, HEIGHT, WIDTH = 3, 2, 3
FRAME_RATE = 24.0
EXTRA_KEY = "of_another_pack"


@pytest.fixture(scope="module")
def host_modules(comfy_tree, small_models, tmp_path_factory):
    """The host's and this pack's modules in this process, the small models loaded by the host."""
    in_process.import_host(comfy_tree, tmp_path_factory.mktemp("in_process"), small_models)
    pack = in_process.import_pack().__name__
    import comfy.sd
    from comfy_extras.nodes_hunyuan import LatentUpscaleModelLoader

    path = str(small_models / "checkpoints" / CHECKPOINT)
    model, _, vae, _ = comfy.sd.load_checkpoint_guess_config(path, output_vae=True, output_clip=False)
    assert model is not None
    return SimpleNamespace(
        model=model,
        vae=vae,
        upscale_model=LatentUpscaleModelLoader.execute(UPSCALER)[0],
        clip=made_clip(model.model.diffusion_model),
        node=importlib.import_module(f"{pack}.nodes.second_stage").SecondStage,
        upscale=importlib.import_module(f"{pack}.nodes.host.upscale"),
        guider=importlib.import_module(f"{pack}.nodes.host.guider"),
        sampling=importlib.import_module(f"{pack}.nodes.host.sampling"),
    )


@pytest.fixture
def first(host_modules):
    """A finished latent of the first stage."""
    from comfy.nested_tensor import NestedTensor

    generator = torch.Generator().manual_seed(1)
    video = torch.randn(1, 128, FRAMES, HEIGHT, WIDTH, generator=generator)
    audio = torch.randn(1, 8, 18, 16, generator=generator)
    masks = NestedTensor((torch.ones(1, 1, FRAMES, 1, 1), torch.ones_like(audio)))
    samples = NestedTensor((video, audio))
    return {"samples": samples, "noise_mask": masks, "frame_rate": FRAME_RATE, EXTRA_KEY: 1}


@pytest.fixture
def picture():
    return torch.rand(1, 90, 70, 4, generator=torch.Generator().manual_seed(2))


def second_stage(host_modules, latent, image=None, strength=1.0, **changes):
    inputs = {"upscale_model": host_modules.upscale_model, "video_vae": host_modules.vae, **changes}
    return host_modules.node.execute(latent, strength=strength, image=image, **inputs)[0]


def test_picture_is_doubled_and_all_else_is_kept(host_modules, first, picture):
    second = second_stage(host_modules, first, picture)
    video, audio = second["samples"].unbind()
    assert video.shape == (1, 128, FRAMES, 2 * HEIGHT, 2 * WIDTH)
    assert torch.equal(audio, first["samples"].unbind()[1])
    assert second["frame_rate"] == FRAME_RATE and second[EXTRA_KEY] == 1


def test_the_first_frame_is_kept_and_the_sound_is_frozen(host_modules, first, picture):
    video_mask, audio_mask = second_stage(host_modules, first, picture, strength=0.75)["noise_mask"].unbind()
    assert video_mask.flatten().tolist() == [0.25, 1.0, 1.0]
    assert audio_mask.shape == (1, 8, 18, 16) and not audio_mask.any()


def test_the_first_frame_is_the_picture_at_twice_the_size(host_modules, first, picture):
    video, _ = second_stage(host_modules, first, picture)["samples"].unbind()
    fitted = frames.fitted_picture(picture, 64 * WIDTH, 64 * HEIGHT)
    assert fitted.shape == (1, 64 * HEIGHT, 64 * WIDTH, 3)
    assert torch.equal(video[:, :, :1], host_modules.vae.encode(fitted).to(video))


def test_a_lead_in_is_held_as_in_the_first_stage(host_modules, first, picture):
    second = second_stage(host_modules, {**first, "lead_in_frames": 8}, picture, strength=0.75)
    still = frames.fitted_picture(picture, 64 * WIDTH, 64 * HEIGHT).expand(9, -1, -1, -1)
    assert torch.equal(second["samples"].unbind()[0][:, :, :2], host_modules.vae.encode(still))
    assert second["noise_mask"].unbind()[0].flatten().tolist() == [0.25, 0.25, 1.0]
    assert second["lead_in_frames"] == 8


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_without_picture_or_strength_the_upscaled_frame_stays(host_modules, first, picture, strength):
    second = second_stage(host_modules, first, picture if strength == 0 else None, strength)
    upscaled = host_modules.upscale.upscaled_video(
        host_modules.upscale_model, host_modules.vae, first["samples"].unbind()[0]
    )
    assert torch.equal(second["samples"].unbind()[0], upscaled)
    assert (second["noise_mask"].unbind()[0] == 1).all()


def test_the_upscaled_picture_is_the_hosts(host_modules, first, picture):
    """Un-normalised by the VAE's statistics, through the network, normalised again."""
    video = first["samples"].unbind()[0]
    network = getattr(host_modules.upscale_model, "model", host_modules.upscale_model)
    statistics = host_modules.vae.first_stage_model.per_channel_statistics
    dtype = next(network.parameters()).dtype
    with torch.no_grad():
        expected = statistics.normalize(network(statistics.un_normalize(video.to(dtype)))).to(video)
    second = second_stage(host_modules, first, picture)["samples"].unbind()[0]
    assert torch.equal(second[:, :, 1:], expected[:, :, 1:])


def test_the_given_latent_is_not_changed(host_modules, first, picture):
    before = [tensor.clone() for tensor in (*first["samples"].unbind(), *first["noise_mask"].unbind())]
    second_stage(host_modules, first, picture)
    after = (*first["samples"].unbind(), *first["noise_mask"].unbind())
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert set(first) == {"samples", "noise_mask", "frame_rate", EXTRA_KEY}


# --- Bad input ---------------------------------------------------------------------------------------------


def altered(network, **attributes):
    """A shallow copy of an upscaler with other attributes."""
    changed = copy.copy(network)
    vars(changed).update(attributes)
    return changed


@pytest.fixture
def bad_inputs(host_modules, first, picture):
    network = getattr(host_modules.upscale_model, "model", host_modules.upscale_model)
    return {
        "video latent only": {"latent": {"samples": first["samples"].unbind()[0]}},
        "no upscale model": {"upscale_model": torch.nn.Linear(1, 1)},
        "temporal upscaler": {"upscale_model": altered(network, temporal_upsample=True)},
        "upscaler of 1.5": {"upscale_model": altered(network, spatial_scale=1.5)},
        "upscaler of another model": {"upscale_model": altered(network, in_channels=16)},
        "wrong VAE": {"video_vae": object()},
        "two pictures": {"image": torch.cat([picture, picture])},
    }


SENTENCES = {
    "video latent only": "The latent holds only one stream",
    "no upscale model": "The upscale model socket got Linear; connect Load Latent Upscale Model",
    "temporal upscaler": "The upscale model is temporal for 128 channels; Second Stage needs spatial x2",
    "upscaler of 1.5": "The upscale model is spatial x1.5 for 128 channels; Second Stage needs spatial x2",
    "upscaler of another model": "The upscale model is spatial x2 for 16 channels; Second Stage needs spatial x2",
    "wrong VAE": "The video VAE socket got NoneType; connect the VAE output",
    "two pictures": "takes one picture, got a batch of 2",
}


@pytest.mark.parametrize("name", SENTENCES)
def test_bad_input_is_refused_with_one_sentence(host_modules, first, picture, bad_inputs, name):
    inputs = {"latent": first, "image": picture, **bad_inputs[name]}
    with pytest.raises(ValueError, match="^[^\n]*$") as refused:
        second_stage(host_modules, **inputs)
    assert SENTENCES[name] in str(refused.value)


# --- The sound after the second sampling -------------------------------------------------------------------


def plain_guider(host_modules):
    """Ours with everything off, as in a second stage."""
    settings = host_modules.guider.GuiderSettings(video=Scales(), audio=Scales())
    conditioning = host_modules.clip.conditioning
    return host_modules.guider.identity_guider(host_modules.model, *conditioning, settings, None)


def sampled(host_modules, latent, sampler_name):
    sigmas = torch.tensor(STAGE_2_SIGMAS)
    return host_modules.sampling.sample(plain_guider(host_modules), latent, sigmas, sampler_name, 0)


@pytest.mark.parametrize("sampler_name", ["euler", "res_2s", "euler_ancestral", "heun", "dpmpp_2m", "uni_pc"])
def test_sound_and_first_frame_come_out_bit_for_bit(host_modules, first, picture, sampler_name):
    second = second_stage(host_modules, first, picture)
    video, audio = sampled(host_modules, second, sampler_name)["samples"].unbind()
    given_video, _ = second["samples"].unbind()
    assert torch.equal(audio, first["samples"].unbind()[1])
    assert torch.equal(video[:, :, :1], given_video[:, :, :1])
    assert not torch.equal(video[:, :, 1:], given_video[:, :, 1:])


def run_hosts_sampler(host_modules, guider, latent):
    from comfy_extras.nodes_custom_sampler import KSamplerSelect, RandomNoise, SamplerCustomAdvanced

    def run(node, **inputs):
        execute = getattr(node, "execute", None) or getattr(node(), node.FUNCTION)
        return execute(**inputs)

    return run(
        SamplerCustomAdvanced,
        noise=run(RandomNoise, noise_seed=0)[0],
        guider=guider,
        sampler=run(KSamplerSelect, sampler_name="euler")[0],
        sigmas=torch.tensor(STAGE_2_SIGMAS),
        latent_image=latent,
    )[0]["samples"].unbind()


def test_our_guider_in_the_hosts_sampler(host_modules, first, picture):
    guider = plain_guider(host_modules)
    _, audio = run_hosts_sampler(host_modules, guider, second_stage(host_modules, first, picture))
    assert torch.equal(audio, first["samples"].unbind()[1])


def test_the_hosts_guider_leaves_the_samplers_rounding(host_modules, first, picture, record_property):
    """x + (x - d) / s * (0 - s) is not d in float32: what the host's own nodes do with any masked latent."""
    import comfy.samplers

    guider = comfy.samplers.CFGGuider(host_modules.model)
    guider.set_conds(*host_modules.clip.conditioning)
    guider.set_cfg(1.0)
    _, audio = run_hosts_sampler(host_modules, guider, second_stage(host_modules, first, picture))
    difference = (audio - first["samples"].unbind()[1]).abs().max().item()
    record_property("difference", difference)
    assert difference < 1e-6


# --- In a graph --------------------------------------------------------------------------------------------


def two_stages(**second):
    """The small graph with a second stage; the sound of both stages is saved as it was decoded."""
    nodes = {
        "upscaler": {"class_type": "LatentUpscaleModelLoader", "inputs": {"model_name": UPSCALER}},
        "second": {
            "class_type": "LTXIDLoRA_SecondStage",
            "inputs": {
                "latent": ["sample", 0],
                "upscale_model": ["upscaler", 0],
                "video_vae": ["model", 2],
                "image": ["face", 0],
                "strength": 1.0,
                **second,
            },
        },
        "sigmas": {"class_type": "ManualSigmas", "inputs": {"sigmas": ", ".join(map(str, STAGE_2_SIGMAS))}},
    }
    graph = small_graph(nodes, decode={"latent": ["refine", 0]})
    off = {
        "video_cfg": 1.0,
        "audio_cfg": 1.0,
        "identity_scale": 1.0,
        "stg_scale": 0.0,
        "av_bimodal_scale": 1.0,
    }
    inputs = {**graph["sample"]["inputs"], **off, "latent": ["second", 0], "sigmas": ["sigmas", 0]}
    del inputs["reference"]
    graph["refine"] = {"class_type": "LTXIDLoRA_KSampler", "inputs": inputs}
    return graph


def test_both_stages_sound_the_same_in_the_host(studio, status_lines):
    graph = two_stages()
    del graph["save"]
    for name, latent in (("one", "sample"), ("two", "refine")):
        graph[f"decode_{name}"] = {
            "class_type": "LTXIDLoRA_DecodeAV",
            "inputs": {**graph["decode"]["inputs"], "latent": [latent, 0]},
        }
        graph[f"save_{name}"] = {
            "class_type": "SaveAudio",
            "inputs": {"audio": [f"decode_{name}", 2], "filename_prefix": f"audio/stage_{name}"},
        }
    del graph["decode"]
    files = output_files(studio.run(graph))
    one, two = (studio.output_dir / file["subfolder"] / file["filename"] for file in sorted(files, key=str))
    assert one != two and audio_samples(one) == audio_samples(two)
    assert "No voice" not in status_lines("refine")[0], "a kept sound needs none"


def audio_samples(path) -> bytes:
    with av.open(str(path)) as file:
        return b"".join(frame.to_ndarray().tobytes() for frame in file.decode(audio=0))


def test_the_clip_is_twice_as_large(render):
    video = render(two_stages())
    assert (video.width, video.height, video.num_frames, video.frame_rate) == (128, 128, 9, 25)


def test_a_wrong_vae_is_refused_in_the_host(studio):
    with pytest.raises(ExecutionFailed, match="video VAE socket got AudioVAE"):
        studio.run(two_stages(video_vae=["audio_vae", 0]))
