"""Bad input at the graph: one clear sentence each, and the host goes on."""

import json
import struct

import pytest

from support.host_client import ExecutionFailed, PromptRefused
from support.small_graph import REFERENCE_NODE, small_graph

EMPTY_VIDEO = {
    "class_type": "EmptyLTXVLatentVideo",
    "inputs": {"width": 64, "height": 64, "length": 9, "batch_size": 1},
}
SILENCE = {"class_type": "EmptyAudio", "inputs": {"duration": 2.0, "sample_rate": 44100, "channels": 2}}
FOUR_CHANNELS = {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}}
TWO_PICTURES = {"class_type": "RepeatImageBatch", "inputs": {"image": ["face", 0], "amount": 2}}


def sigmas(text):
    return {"sigmas": {"class_type": "ManualSigmas", "inputs": {"sigmas": text}}}


def joint(video, audio):
    inputs = {"video_latent": [video, 0], "audio_latent": [audio, 0]}
    return {"class_type": "LTXVConcatAVLatent", "inputs": inputs}


# name: (changes of the graph, words of the sentence)
REFUSED = {
    "silent reference": ({"extra": {"voice": SILENCE}}, "is silent (peak -inf dBFS)"),
    "reference too short": (
        {"extra": {"voice": {**SILENCE, "inputs": {**SILENCE["inputs"], "duration": 0.0}}}},
        "Reference audio is empty",
    ),
    "video VAE in the audio socket": (
        {"reference": {"audio_vae": ["model", 2]}},
        "audio VAE socket got VideoVAE",
    ),
    "audio VAE in the video socket": (
        {"latent": {"video_vae": ["audio_vae", 0]}},
        "video VAE socket got AudioVAE",
    ),
    "audio VAE in the decoder's video socket": (
        {"decode": {"video_vae": ["audio_vae", 0]}},
        "video VAE socket got AudioVAE",
    ),
    "length of 120": (
        {"latent": {"length": 120}},
        "Length is 120 frames; LTX-2 makes 8n + 1 frames: use 113 or 121.",
    ),
    "width of 100": (
        {"latent": {"width": 100}},
        "width x height, is 100x64; both sides must be multiples of 32",
    ),
    "two pictures": (
        {"extra": {"two": TWO_PICTURES}, "latent": {"image": ["two", 0]}},
        "takes one picture, got a batch of 2",
    ),
    "empty prompt": ({"prompt": {"visual": "", "speech": " ", "sounds": ""}}, "The prompt is empty"),
    "video latent only": (
        {"extra": {"video": EMPTY_VIDEO}, "sample": {"latent": ["video", 0]}},
        "holds only one stream",
    ),
    "video latent only, decoded": (
        {"extra": {"video": EMPTY_VIDEO}, "decode": {"latent": ["video", 0]}},
        "holds only one stream",
    ),
    "wrong audio channels": (
        {
            "extra": {"video": EMPTY_VIDEO, "four": FOUR_CHANNELS, "joint": joint("video", "four")},
            "sample": {"latent": ["joint", 0]},
        },
        "The audio part of the latent has shape (1, 4, 8, 8)",
    ),
    "wrong video channels": (
        {
            "extra": {"four": FOUR_CHANNELS, "video": EMPTY_VIDEO, "joint": joint("four", "video")},
            "sample": {"latent": ["joint", 0]},
        },
        "The video part of the latent has shape (1, 4, 8, 8)",
    ),
    "NaN scale": ({"sample": {"audio_cfg": float("nan")}}, "Guidance scale 'cfg' is nan"),
    "scale of 1e9": (
        {"sample": {"identity_scale": 1e9}},
        "1000000000.0 bigger than max of 100.0: preset.identity_scale",
    ),
    "rescale of 2": ({"options": {"video_rescale": 2.0}}, "video_rescale"),
    "STG block that does not exist": (
        {"options": {"stg_block_indices": "29"}},
        "block 29 does not exist: this model has 4",
    ),
    "STG block that is no number": (
        {"options": {"stg_block_indices": "last"}},
        "STG block indices are 'last'",
    ),
    "STG blocks as long as a book": (
        {"options": {"stg_block_indices": "29, " * 1000}},
        "stg_block_indices holds 4000 characters, more than 200",
    ),
    "window the wrong way round": (
        {"options": {"identity_start_percent": 0.8, "identity_end_percent": 0.2}},
        "Identity guidance runs from 0.8 to 0.2",
    ),
    "STG window the wrong way round": (
        {"options": {"stg_start_percent": 0.8, "stg_end_percent": 0.2}},
        "STG runs from 0.8 to 0.2",
    ),
    "sigmas of length 1": (
        {"extra": sigmas("1.0"), "sample": {"sigmas": ["sigmas", 0]}},
        "SIGMAS has 1 value(s)",
    ),
    "rising sigmas": ({"extra": sigmas("0.0, 1.0"), "sample": {"sigmas": ["sigmas", 0]}}, "SIGMAS must fall"),
    "two references": (
        {
            "extra": {"second": REFERENCE_NODE},
            "sample": {"positive": ["second", 1], "negative": ["second", 2]},
        },
        "already carries a reference voice, from LTXV Reference Audio or LTXV Set Audio Ref Tokens",
    ),
    "LoRA of another size": ({"lora": {"lora_name": "other_size.safetensors"}}, "other_size.safetensors"),
    "ordinary video LoRA": ({"lora": {"lora_name": "video_only.safetensors"}}, "audio"),
    "LoRA header truncated": ({"lora": {"lora_name": "truncated.safetensors"}}, "truncated.safetensors"),
    "LoRA header of 2^60 bytes": (
        {"lora": {"lora_name": "huge_header.safetensors"}},
        "huge_header.safetensors",
    ),
    "pickle": ({"lora": {"lora_name": "pickle.pt"}}, "pickle"),
    "pickle under another name": ({"lora": {"lora_name": "renamed_pickle.safetensors"}}, "pickle"),
}


@pytest.fixture(scope="module")
def bad_files(studio):
    """Files in models/loras that are no ID-LoRA."""
    folder = studio.work_dir / "models" / "loras"
    folder.mkdir(parents=True, exist_ok=True)
    header = json.dumps({"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}).encode()
    (folder / "truncated.safetensors").write_bytes(struct.pack("<Q", len(header)) + header[:10])
    (folder / "huge_header.safetensors").write_bytes(struct.pack("<Q", 2**60) + header)
    (folder / "pickle.pt").write_bytes(b"PK\x03\x04" + bytes(64))
    (folder / "renamed_pickle.safetensors").write_bytes(b"\x80\x02}q\x00." + bytes(64))
    write_lora(folder / "video_only.safetensors", "attn1.to_q", width=64)
    write_lora(folder / "other_size.safetensors", "audio_attn1.to_q", width=48)
    return folder


def write_lora(path, layer, width):
    """One target of rank 2 in the official layout."""
    size = 2 * width * 4
    entries = {
        f"diffusion_model.transformer_blocks.0.{layer}.lora_{part}.weight": {
            "dtype": "F32",
            "shape": shape,
            "data_offsets": [start, start + size],
        }
        for part, shape, start in (("A", [2, width], 0), ("B", [width, 2], size))
    }
    header = json.dumps(entries).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(2 * size))


@pytest.fixture(scope="module")
def warm(studio, bad_files):
    """The host with everything loaded once, so that what a case takes is the case's own."""
    studio.run(small_graph())
    return studio


def message_and_seconds(host, graph):
    """What the person at the graph reads, and how long it took from the start of the run."""
    try:
        host.run(graph, timeout=120)
    except PromptRefused as refused:
        return str(refused), 0.0
    except ExecutionFailed as failed:
        times = {name: details["timestamp"] for name, details in failed.entry["status"]["messages"]}
        return str(failed), (times["execution_error"] - times["execution_start"]) / 1000
    raise AssertionError("the graph ran to its end")


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_with_one_clear_sentence(warm, name, record_property):
    changes, words = REFUSED[name]
    message, seconds = message_and_seconds(warm, small_graph(**changes))
    record_property("seconds", seconds)
    print(f"{name} ({seconds:.2f} s): {message}")
    assert words in message
    assert "Traceback" not in message and len(message) < 500


def test_the_host_goes_on_after_all_of_them(warm, render):
    assert render(small_graph(sample={"seed": 99})).num_frames == 9
