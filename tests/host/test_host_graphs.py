"""Our nodes inside graphs of the host's own nodes, and the host's inside ours."""

import pytest

from support.small_graph import small_graph
from support.video import SAME

HOSTS_WITHOUT_LTX_WINDOWS = ("0.20.1", "0.24.1")
SAMPLERS_OWN = ("latent", "seed", "sampler_name", "preset.steps", "preset.schedule")


def hosts_latent():
    return {
        "video": {
            "class_type": "EmptyLTXVLatentVideo",
            "inputs": {"width": 64, "height": 64, "length": 9, "batch_size": 1},
        },
        "sound": {
            "class_type": "LTXVEmptyLatentAudio",
            "inputs": {"frames_number": 9, "frame_rate": 25, "batch_size": 1, "audio_vae": ["audio_vae", 0]},
        },
        "joint": {
            "class_type": "LTXVConcatAVLatent",
            "inputs": {"video_latent": ["video", 0], "audio_latent": ["sound", 0]},
        },
    }


def hosts_sampler(guider):
    return {
        "guider": guider,
        "noise": {"class_type": "RandomNoise", "inputs": {"noise_seed": 0}},
        "sampler": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}},
        "schedule": {
            "class_type": "LTXVScheduler",
            "inputs": {"steps": 2, "max_shift": 2.05, "base_shift": 0.95, "stretch": True, "terminal": 0.1},
        },
        "sampled": {
            "class_type": "SamplerCustomAdvanced",
            "inputs": {
                "noise": ["noise", 0],
                "guider": ["guider", 0],
                "sampler": ["sampler", 0],
                "sigmas": ["schedule", 0],
                "latent_image": ["latent", 0],
            },
        },
    }


def identity_guider():
    sample = small_graph()["sample"]["inputs"]
    inputs = {name: value for name, value in sample.items() if name not in SAMPLERS_OWN}
    return {"class_type": "LTXIDLoRA_Guider", "inputs": inputs}


def test_our_sampler_takes_a_latent_of_the_host(render):
    video = render(small_graph(hosts_latent(), sample={"latent": ["joint", 0]}, decode={"frame_rate": 12.0}))
    assert video.num_frames == 9 and video.frame_rate == 12


def test_our_guider_in_the_hosts_sampler_equals_our_sampler(render):
    """The host's schedule is ltx2 with 4096 tokens, the paper's and ours: both files are the same."""
    ours = render(small_graph())
    theirs = render(small_graph(hosts_sampler(identity_guider()), decode={"latent": ["sampled", 0]}))
    assert ours.distance(theirs) < SAME


def test_our_decoder_takes_a_latent_of_the_hosts_sampler(render):
    guider = {
        "class_type": "CFGGuider",
        "inputs": {
            "model": ["model", 0],
            "positive": ["positive", 0],
            "negative": ["negative", 0],
            "cfg": 2.0,
        },
    }
    video = render(small_graph(hosts_sampler(guider), decode={"latent": ["sampled", 0]}))
    assert video.num_frames == 9 and video.frame_rate == 25, (
        "the frame rate passes through the host's sampler"
    )


def conditioning_at(frame_rate):
    return {
        "rate": {
            "class_type": "LTXVConditioning",
            "inputs": {"positive": ["positive", 0], "negative": ["negative", 0], "frame_rate": frame_rate},
        }
    }


RATED = {"positive": ["rate", 0], "negative": ["rate", 1]}


def test_the_hosts_frame_rate_node_is_heeded_where_the_latent_knows_none(render):
    nodes, played_at_25 = hosts_latent() | conditioning_at(12.5), {"frame_rate": 25.0}
    sample = {"latent": ["joint", 0], **RATED}
    assert render(small_graph(nodes, sample=sample)).frame_rate == 12.5, "and the video plays at it"
    heeded = render(small_graph(nodes, sample=sample, decode=played_at_25))
    plain = render(small_graph(hosts_latent(), sample={"latent": ["joint", 0]}, decode=played_at_25))
    assert heeded.distance(plain) > SAME


def test_the_latents_frame_rate_goes_before_the_conditionings_and_the_status_says_so(render, status_lines):
    video = render(small_graph(conditioning_at(12.5), sample={**RATED, "seed": 301}))
    assert status_lines("sample")[0].startswith(
        "\N{WARNING SIGN} Frame rate 25 (latent) is used, not 12.5 (positive, negative)."
    )
    assert video.distance(render(small_graph(sample={"seed": 301}))) < SAME


def test_the_guider_says_when_its_frame_rate_and_the_conditionings_differ(render, status_lines):
    guider = identity_guider()
    guider["inputs"] |= {**RATED, "frame_rate": 25.0}
    nodes = hosts_sampler(guider) | conditioning_at(12.5)
    render(small_graph(nodes, decode={"latent": ["sampled", 0]}))
    assert status_lines("guider")[0].startswith(
        "\N{WARNING SIGN} Frame rate 25 (set here) is used, not 12.5 (positive, negative)."
    )


def test_the_schedule_can_be_connected(render):
    sigmas = {"sigmas": {"class_type": "ManualSigmas", "inputs": {"sigmas": "1.0, 0.5, 0.0"}}}
    assert render(small_graph(sigmas, sample={"sigmas": ["sigmas", 0]})).num_frames == 9


def test_the_distilled_list_runs(render):
    assert (
        render(
            small_graph(sample={"schedule": "distilled 8 steps", "video_cfg": 1.0, "audio_cfg": 1.0})
        ).num_frames
        == 9
    )


@pytest.mark.parametrize(
    "sampler_name", ["euler_ancestral", "dpmpp_2m", "heun", "uni_pc", "lcm", "res_multistep"]
)
def test_samplers_of_the_host(render, sampler_name):
    assert render(small_graph(sample={"sampler_name": sampler_name})).num_frames == 9


def test_context_windows_of_the_host(render, studio, host_version):
    if "LTXVContextWindows" not in studio.object_info():
        assert host_version in HOSTS_WITHOUT_LTX_WINDOWS
        return
    windows = {
        "windows": {
            "class_type": "LTXVContextWindows",
            "inputs": {
                "model": ["lora", 0],
                "context_length": 25,
                "context_overlap": 8,
                "context_schedule": "standard_static",
                "context_stride": 1,
                "closed_loop": False,
                "fuse_method": "pyramid",
                "freenoise": True,
                "split_conds_to_windows": False,
                "retain_first_frame": False,
            },
        }
    }
    video = render(small_graph(windows, latent={"length": 49}, sample={"model": ["windows", 0], "steps": 1}))
    assert video.num_frames == 49
