"""The small graph with a cast of two and a script in place of the voice and the prompt."""

from typing import Any

from .host_client import ApiGraph
from .small_graph import small_graph

SCRIPT = "ANNA: Oh!\nBEN: What?"
CAST: ApiGraph = {
    "anna": {
        "class_type": "LTXIDLoRA_CastMember",
        "inputs": {"name": "Anna", "voice": ["reference", 0], "place": "left", "look": "the woman"},
    },
    "second_voice": {"class_type": "LoadAudio", "inputs": {"audio": "idlora_voice_2.flac"}},
    "second_reference": {
        "class_type": "LTXIDLoRA_EncodeReferenceAudio",
        "inputs": {"audio": ["second_voice", 0], "audio_vae": ["audio_vae", 0], "max_seconds": 1.5},
    },
    "ben": {
        "class_type": "LTXIDLoRA_CastMember",
        "inputs": {
            "name": "Ben",
            "voice": ["second_reference", 0],
            "place": "right",
            "look": "the man",
            "cast": ["anna", 0],
        },
    },
    "script": {
        "class_type": "LTXIDLoRA_SceneScript",
        "inputs": {
            "cast": ["ben", 0],
            "clip": ["clip", 0],
            "visual": "A cellar.",
            "script": SCRIPT,
            "sounds": "Dripping water.",
            "length": 33,
            "frame_rate": 25.0,
        },
    },
}


def scene_graph(extra: ApiGraph | None = None, **changes: dict[str, Any]) -> ApiGraph:
    """Two people in 33 frames of 64 x 64; inputs changed and nodes added as in `small_graph`."""
    changes = {
        **changes,
        "latent": {"length": 33, **changes.get("latent", {})},
        "sample": {
            "steps": 1,
            "positive": ["script", 0],
            "reference": ["script", 1],
            **changes.get("sample", {}),
        },
    }
    return small_graph({**CAST, **(extra or {})}, **changes)
