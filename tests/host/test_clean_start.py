"""Lead-in, silent start, reference gap and a continued clip in a running ComfyUI, from graph to file."""

import pytest

from bed.host_client import ExecutionFailed, PromptRefused
from bed.small_graph import small_graph
from bed.video import DIFFERENT, SAME

AAC_FRAME_SECONDS = 1024 / 16_000

HOSTS_SAMPLER = {
    "guider": {
        "class_type": "CFGGuider",
        "inputs": {
            "model": ["lora", 0],
            "positive": ["positive", 0],
            "negative": ["negative", 0],
            "cfg": 2.0,
        },
    },
    "noise": {"class_type": "RandomNoise", "inputs": {"noise_seed": 0}},
    "euler": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}},
    "sigmas": {"class_type": "ManualSigmas", "inputs": {"sigmas": "1.0, 0.5, 0.0"}},
    "sampled": {
        "class_type": "SamplerCustomAdvanced",
        "inputs": {
            "noise": ["noise", 0],
            "guider": ["guider", 0],
            "sampler": ["euler", 0],
            "sigmas": ["sigmas", 0],
            "latent_image": ["latent", 0],
        },
    },
    "apart": {"class_type": "LTXVSeparateAVLatent", "inputs": {"av_latent": ["sampled", 0]}},
    "joined": {
        "class_type": "LTXVConcatAVLatent",
        "inputs": {"video_latent": ["apart", 0], "audio_latent": ["apart", 1]},
    },
}


def assert_length(video, num_frames: int, frame_rate: float = 25.0) -> None:
    assert video.num_frames == num_frames
    assert abs(video.audio_seconds - num_frames / frame_rate) <= 2 * AAC_FRAME_SECONDS


@pytest.mark.parametrize(
    ("length", "frame_rate", "seconds"), [(9, 25.0, 0.01), (9, 25.0, 0.5), (17, 24.0, 1.0), (9, 29.97, 0.5)]
)
def test_a_lead_in_does_not_change_the_length(render, length, frame_rate, seconds):
    latent = {"length": length, "frame_rate": frame_rate, "lead_in_seconds": seconds}
    assert_length(render(small_graph(latent=latent)), length, frame_rate)


def test_a_lead_in_without_a_picture(render):
    assert_length(render(small_graph(latent={"lead_in_seconds": 0.3, "image": None})), 9)


def test_a_lead_in_through_the_hosts_sampler_separate_and_concat(render):
    graph = small_graph(HOSTS_SAMPLER, latent={"lead_in_seconds": 0.3}, decode={"latent": ["joined", 0]})
    assert_length(render(graph), 9)


def test_the_hosts_own_decoder_keeps_the_lead_in(render):
    theirs = {
        "pictures": {"class_type": "VAEDecode", "inputs": {"samples": ["apart", 0], "vae": ["model", 2]}},
        "sound": {
            "class_type": "LTXVAudioVAEDecode",
            "inputs": {"samples": ["apart", 1], "audio_vae": ["audio_vae", 0]},
        },
        "whole": {
            "class_type": "CreateVideo",
            "inputs": {"images": ["pictures", 0], "audio": ["sound", 0], "fps": 25.0},
        },
    }
    graph = small_graph(
        {**HOSTS_SAMPLER, **theirs}, latent={"lead_in_seconds": 0.3}, save={"video": ["whole", 0]}
    )
    assert render(graph).num_frames == 17


@pytest.mark.parametrize("image", [["face", 0], None], ids=["with a picture", "without a picture"])
def test_a_silent_start(render, image):
    video = render(small_graph(latent={"silent_start_seconds": 0.2, "image": image}))
    assert_length(video, 9)
    assert video.distance(render(small_graph(latent={"image": image}))) > SAME


def test_everything_at_once_with_official_numerics(render):
    latent = {
        "length": 17,
        "frame_rate": 24.0,
        "silent_start_seconds": 0.3,
        "lead_in_seconds": 0.5,
        "guidance": ["options", 0],
    }
    graph = small_graph(
        latent=latent, reference={"reference_gap_seconds": 0.5}, options={"numerics": "official"}
    )
    assert_length(render(graph), 17, 24.0)


def test_all_three_are_off_by_default(render):
    default = render(small_graph())
    spelled_out = render(
        small_graph(
            latent={"silent_start_seconds": 0.0, "lead_in_seconds": 0.0},
            reference={"reference_gap_seconds": 0.04},
        )
    )
    assert default.distance(spelled_out) < SAME
    assert render(small_graph(reference={"reference_gap_seconds": 0.5})).distance(default) > DIFFERENT


def test_a_clip_is_continued(render):
    """Two clips in one graph: the second starts from the frames that the first one's decoder gives."""
    first = small_graph()
    second = {
        "latent 2": {
            **first["latent"],
            "inputs": {k: v for k, v in first["latent"]["inputs"].items() if k != "image"}
            | {"width": 0, "height": 0, "continue_from": ["decode", 1]},
        },
        "sample 2": {
            **first["sample"],
            "inputs": {**first["sample"]["inputs"], "latent": ["latent 2", 0], "seed": 1},
        },
        "decode 2": {**first["decode"], "inputs": {**first["decode"]["inputs"], "latent": ["sample 2", 0]}},
    }
    video = render(small_graph(second, save={"video": ["decode 2", 0]}))
    assert (video.width, video.height) == (64, 64)
    assert_length(video, 9)


# name: (changes of the graph, words of the sentence)
REFUSED = {
    "image and continue_from": (
        {"latent": {"continue_from": ["face", 0]}},
        "First-Frame Condition got both image and continue_from",
    ),
    "silence longer than the clip": (
        {"latent": {"silent_start_seconds": 0.5}},
        "Silent start is 0.5 s, and 0.36 s are generated (9 frames at 25 fps). Give less, or 0 for none.",
    ),
    "negative lead-in": ({"latent": {"lead_in_seconds": -1.0}}, "lead_in_seconds"),
    "no gap": ({"reference": {"reference_gap_seconds": 0.0}}, "reference_gap_seconds"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_with_one_clear_sentence(studio, name):
    changes, words = REFUSED[name]
    with pytest.raises((ExecutionFailed, PromptRefused)) as refused:
        studio.run(small_graph(**changes))
    print(f"{name}: {refused.value}")
    assert words in str(refused.value) and "Traceback" not in str(refused.value)
