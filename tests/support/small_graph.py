"""A one-stage graph in API format for the 4-block model, small enough to run dozens of times in a test."""

from copy import deepcopy
from typing import Any

from .host_client import ApiGraph

CHECKPOINT = "small_ltx23.safetensors"

GRAPH: ApiGraph = {
    "model": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": CHECKPOINT}},
    "audio_vae": {"class_type": "LTXVAudioVAELoader", "inputs": {"ckpt_name": CHECKPOINT}},
    "clip": {
        "class_type": "LTXAVTextEncoderLoader",
        "inputs": {
            "text_encoder": "gemma_3_12B_it_fp4_mixed.safetensors",
            "ckpt_name": CHECKPOINT,
            "device": "default",
        },
    },
    "lora": {
        "class_type": "LTXIDLoRA_Load",
        "inputs": {"model": ["model", 0], "lora_name": "small_id_lora.safetensors", "strength": 1.0},
    },
    "face": {"class_type": "LoadImage", "inputs": {"image": "idlora_portrait.png"}},
    "voice": {"class_type": "LoadAudio", "inputs": {"audio": "idlora_voice.flac"}},
    "reference": {
        "class_type": "LTXIDLoRA_EncodeReferenceAudio",
        "inputs": {"audio": ["voice", 0], "audio_vae": ["audio_vae", 0], "max_seconds": 1.0},
    },
    "latent": {
        "class_type": "LTXIDLoRA_FirstFrame",
        "inputs": {
            "video_vae": ["model", 2],
            "audio_vae": ["audio_vae", 0],
            "image": ["face", 0],
            "shape": "as the picture",
            "width": 64,
            "height": 64,
            "max_side": 64,
            "length": 9,
            "frame_rate": 25.0,
            "strength": 1.0,
        },
    },
    "prompt": {
        "class_type": "LTXIDLoRA_Prompt",
        "inputs": {"visual": "A woman.", "speech": "Hello.", "sounds": "A quiet room."},
    },
    "positive": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["clip", 0], "text": ["prompt", 0]}},
    "negative": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["clip", 0], "text": "noise"}},
    "options": {"class_type": "LTXIDLoRA_GuidanceOptions", "inputs": {"stg_block_indices": "2"}},
    "sample": {
        "class_type": "LTXIDLoRA_KSampler",
        "inputs": {
            "model": ["lora", 0],
            "positive": ["positive", 0],
            "negative": ["negative", 0],
            "latent": ["latent", 0],
            "reference": ["reference", 0],
            "guidance": ["options", 0],
            "seed": 0,
            "sampler_name": "euler",
            "preset": "custom",
            "preset.steps": 2,
            "preset.schedule": "ltx2",
            "preset.video_cfg": 3.0,
            "preset.audio_cfg": 7.0,
            "preset.identity_scale": 4.0,
            "preset.stg_scale": 1.0,
            "preset.av_bimodal_scale": 3.0,
        },
    },
    "decode": {
        "class_type": "LTXIDLoRA_DecodeAV",
        "inputs": {
            "latent": ["sample", 0],
            "video_vae": ["model", 2],
            "audio_vae": ["audio_vae", 0],
        },
    },
    "save": {
        "class_type": "SaveVideo",
        "inputs": {"video": ["decode", 0], "filename_prefix": "test/clip", "format": "auto", "codec": "auto"},
    },
}


REFERENCE_NODE = {
    "class_type": "LTXVReferenceAudio",
    "inputs": {
        "model": ["lora", 0],
        "positive": ["positive", 0],
        "negative": ["negative", 0],
        "reference_audio": ["voice", 0],
        "audio_vae": ["audio_vae", 0],
        "identity_guidance_scale": 3.0,
        "start_percent": 0.0,
        "end_percent": 1.0,
    },
}
"""The host's own reference, to be added to the graph."""


def small_graph(extra: ApiGraph | None = None, **changes: dict[str, Any]) -> ApiGraph:
    """The graph with inputs changed by node name (None removes one), and nodes added.

    small_graph(sample={"steps": 1, "reference": None}, extra={"sigmas": {...}})

    The values of the sampler's preset go by their own names, "steps" for "preset.steps".
    """
    graph = deepcopy(GRAPH) | deepcopy(extra or {})
    for name, inputs in changes.items():
        known = graph[name]["inputs"]
        own = {f"preset.{key}" if f"preset.{key}" in known else key: value for key, value in inputs.items()}
        graph[name]["inputs"] = {key: value for key, value in (known | own).items() if value is not None}
    return graph
