"""Scenes through /prompt: what the nodes give and say, which combinations run, and what is refused."""

import pytest
import torch
from comfy.ldm.lightricks.model import LTXVModel
from comfy.ops import disable_weight_init
from safetensors.torch import load_file, save_file

from support.host_client import ExecutionFailed, PromptRefused
from support.scene_graph import CAST, scene_graph
from support.small_graph import REFERENCE_NODE, small_graph

PROMPT = (
    "[VISUAL]: A cellar. Anna is the girl. Ben is the man."
    ' [SPEECH]: Anna says: "Oh!" Ben says: "What?" [SOUNDS]: Wind.'
)
OTHER_SCRIPT = {**CAST["script"], "inputs": {**CAST["script"]["inputs"], "script": "BEN: No.\nANNA: Yes."}}
THREE_LINES = {
    **CAST["script"],
    "inputs": {**CAST["script"]["inputs"], "script": "ANNA: A.\nBEN: B.\nANNA: C."},
}


def shown(source, slot):
    return {"class_type": "PreviewAny", "inputs": {"source": [source, slot]}}


def guide(frame_idx=8):
    """The host's guide: its frame stands behind the clip's tokens."""
    return {
        "parted": {"class_type": "LTXVSeparateAVLatent", "inputs": {"av_latent": ["latent", 0]}},
        "guide": {
            "class_type": "LTXVAddGuide",
            "inputs": {
                "positive": ["script", 0],
                "negative": ["negative", 0],
                "vae": ["model", 2],
                "latent": ["parted", 0],
                "image": ["face", 0],
                "frame_idx": frame_idx,
                "strength": 1.0,
            },
        },
        "joined": {
            "class_type": "LTXVConcatAVLatent",
            "inputs": {"video_latent": ["guide", 2], "audio_latent": ["parted", 1]},
        },
        "apart": {"class_type": "LTXVSeparateAVLatent", "inputs": {"av_latent": ["sample", 0]}},
        "cropped": {
            "class_type": "LTXVCropGuides",
            "inputs": {"positive": ["guide", 0], "negative": ["guide", 1], "latent": ["apart", 0]},
        },
        "whole": {
            "class_type": "LTXVConcatAVLatent",
            "inputs": {"video_latent": ["cropped", 2], "audio_latent": ["apart", 1]},
        },
    }


SECOND_STAGE = {
    "upscaler": {
        "class_type": "LatentUpscaleModelLoader",
        "inputs": {"model_name": "ltx-2.3-spatial-upscaler-x2-1.1.safetensors"},
    },
    "doubled": {
        "class_type": "LTXIDLoRA_SecondStage",
        "inputs": {
            "latent": ["sample", 0],
            "upscale_model": ["upscaler", 0],
            "video_vae": ["model", 2],
            "image": ["face", 0],
            "strength": 1.0,
        },
    },
    "second": {
        "class_type": "LTXIDLoRA_KSampler",
        "inputs": {**small_graph(sample={"steps": 1})["sample"]["inputs"]}
        | {"positive": ["script", 0], "latent": ["doubled", 0], "reference": ["script", 1]},
    },
}

# name: (changes of the graph)
RUNS = {
    "as it is": {},
    "fast, ten steps": {"options": {"speed": "fast"}, "sample": {"steps": 10}},
    "official numerics": {"options": {"numerics": "official"}},
    "masks of the training": {"options": {"hide_text_from_reference": True}},
    "a lead-in": {"latent": {"lead_in_seconds": 0.5}},
    "res_2s": {"sample": {"sampler_name": "res_2s"}},
    "words are not routed": {"script": {"route_words": False}},
    "somebody without a voice": {"ben": {"voice": None}},
    "a guide of the host": {
        "extra": guide(),
        "sample": {"positive": ["guide", 0], "negative": ["guide", 1], "latent": ["joined", 0]},
        "decode": {"latent": ["whole", 0]},
    },
    "a second stage": {"extra": SECOND_STAGE, "decode": {"latent": ["second", 0]}},
}


@pytest.mark.parametrize("name", RUNS)
def test_a_clip_of_two_people_comes_out(render, name):
    clip = render(scene_graph(**RUNS[name]))
    assert clip.num_frames == 33 and clip.audio_peak > 0


def test_the_nodes_say_who_speaks_when(studio, status_lines):
    # A script and a look of its own: a node that is cached says nothing.
    graph = scene_graph({"shown": shown("script", 2)}, script={"sounds": "Wind."}, anna={"look": "the girl"})
    entry = studio.run(graph)
    assert entry["outputs"]["shown"]["text"] == [PROMPT]
    assert entry["outputs"]["script"]["images"], "the time line is shown on the node"
    (script,), (ben,) = status_lines("script"), status_lines("ben")
    assert script.startswith("Anna 0.0-") and ", Ben " in script
    assert ben.startswith("Anna: voice of 1.0 s, with a region; Ben: voice of 1.")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"script": {"script": "ANNA: I have so much to say that no clip of one second can hold it.\nBEN: No."}}, "s too few: set length to"),
        ({"script": {"script": "[0-0.3] ANNA: Oh!\nBEN: What?"}}, "too short for a voice to settle"),
        ({"script": {"script": "ANNA + BEN: Run!"}}, "by several at once, which no ID-LoRA was trained for"),
        ({"script": {"script": "ANNA: Oh!"}}, "Ben never speaks."),
        ({"ben": {"voice": None}}, "Ben has no voice of their own: the model makes one up."),
        ({"ben": {"place": "centre"}}, "The regions of Anna and Ben overlap"),
    ],
)  # fmt: skip
def test_remarks(studio, status_lines, changes, said):
    graph = scene_graph(**changes)
    studio.run({name: node for name, node in graph.items() if name not in ("sample", "decode", "save")})
    assert said in status_lines("script")[-1]


def test_one_name_is_the_plain_graph(studio):
    """The same picture and the same sound, bit for bit, as with ID-LoRA Prompt and the voice itself."""
    words = {"script": "ANNA: Hello.", "visual": "A woman.", "sounds": "A quiet room."}
    scene = sampled(studio, scene_graph(script=words))
    plain = sampled(studio, small_graph(sample={"steps": 1}, latent={"length": 33}))
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(scene, plain, strict=True))


def sampled(studio, graph):
    """Picture and sound of the sampler's latent, by the host's own file of a latent."""
    kept = {
        "parts": {"class_type": "LTXVSeparateAVLatent", "inputs": {"av_latent": ["sample", 0]}},
        **{f"kept{slot}": {"class_type": "SaveLatent", "inputs": {"samples": ["parts", slot], "filename_prefix": "one"}} for slot in (0, 1)},
    }  # fmt: skip
    outputs = studio.run({**graph, **kept})["outputs"]
    files = [outputs[f"kept{slot}"]["latents"][0] for slot in (0, 1)]
    paths = [studio.output_dir / file["subfolder"] / file["filename"] for file in files]
    return [load_file(path)["latent_tensor"] for path in paths]


def crowd(number):
    """Cast members in a chain."""
    chain = {}
    for place in range(number):
        inputs = {"name": f"M{place}", "place": "anywhere", "look": ""}
        chain[f"m{place}"] = {
            "class_type": "LTXIDLoRA_CastMember",
            "inputs": inputs | ({"cast": [f"m{place - 1}", 0]} if place else {}),
        }
    return chain


MASK = {"mask": {"class_type": "SolidMask", "inputs": {"value": 1.0, "width": 100, "height": 80}}}
EMPTY_MASK = {"mask": {"class_type": "SolidMask", "inputs": {"value": 0.0, "width": 64, "height": 64}}}
CORES_REFERENCE = {
    "second": {**REFERENCE_NODE, "inputs": {**REFERENCE_NODE["inputs"], "positive": ["script", 0]}}
}

# name: (changes of the graph, words of the sentence)
REFUSED = {
    "no cast": ({"script": {"cast": None}}, "cast"),
    "empty script": ({"script": {"script": " \n"}}, "The script is empty"),
    "a name that is not in the cast": (
        {"script": {"script": "CARL: Hi."}},
        "spoken by CARL, who is not in the cast (Anna, Ben)",
    ),
    "words without a name": ({"script": {"script": "Hello there."}}, "'Hello there.' without a name"),
    "a name without words": ({"script": {"script": "ANNA:\nBEN: Hi."}}, "no words after ANNA"),
    "an end before its start": (
        {"script": {"script": "[0.9-0.2] ANNA: Hi."}},
        "The end must be after the start",
    ),
    "times that run backwards": (
        {"script": {"script": "[0.9-1.2] ANNA: Hi.\n[0.1-0.5] BEN: Hi."}},
        "before the line above it (0.9 s)",
    ),
    "times past the end": (
        {"script": {"script": "[1-9] ANNA: Hi."}},
        "past the end of the clip at 1.32 s",
    ),
    "no time left": ({"script": {"script": "ANNA: Hi.\n(pause 5)\nBEN: Hi."}}, "leaves no time for"),
    "ten speakers": (
        {"extra": crowd(10), "script": {"cast": ["m9", 0], "script": "M9: Hi."}},
        "The cast has 9 members; a scene can have 8",
    ),
    "two of one name": ({"ben": {"name": "ANNA"}}, "Two Cast Members are called ANNA"),
    "no name": ({"ben": {"name": "  "}}, "A Cast Member has no name"),
    "a region of another size than the picture": (
        {"extra": MASK, "ben": {"region": ["mask", 0]}, "script": {"image": ["face", 0]}},
        "The region of Ben is 100x80 and the picture 768x768",
    ),
    "an empty region": ({"extra": EMPTY_MASK, "ben": {"region": ["mask", 0]}}, "The region of Ben is empty"),
    "a box the wrong way round": (
        {"ben": {"place": "box", "place.left": 0.6, "place.top": 0.0, "place.right": 0.5, "place.bottom": 1.0}},
        "The box runs from 0.6, 0 to 0.5, 1",
    ),
    "a found face without faces": (
        {"ben": {"place": "found face", "place.face": 1}},
        "nothing is connected to faces",
    ),
    "core's reference and a scene": (
        {
            "extra": CORES_REFERENCE,
            "sample": {"positive": ["second", 1], "negative": ["second", 2]},
        },
        "already carries a reference voice, from LTXV Reference Audio",
    ),
    "a script as the voice of another": (
        {"extra": {"first": OTHER_SCRIPT}, "carl": {"voice": ["first", 1]}},
        "The voice of Carl is the reference of a Scene Script",
    ),
    "words of one script, voices of another": (
        {"extra": {"other": OTHER_SCRIPT}, "sample": {"reference": ["other", 1]}},
        "come from two scripts",
    ),
    "words of one script, more voices of another": (
        {"extra": {"other": THREE_LINES}, "sample": {"reference": ["other", 1]}},
        "come from two scripts",
    ),
    "words without their voices": ({"sample": {"reference": ["reference", 0]}}, "its reference is not connected"),
    "a length that no clip has": ({"script": {"length": 120}}, "use 113 or 121"),
}  # fmt: skip
CARL = {
    "carl": {
        "class_type": "LTXIDLoRA_CastMember",
        "inputs": {"name": "Carl", "place": "anywhere", "look": "", "cast": ["ben", 0]},
    }
}


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_with_one_sentence(studio, name):
    changes, words = REFUSED[name]
    changes = dict(changes)
    if "carl" in changes:
        third = {"carl": {**CARL["carl"], "inputs": {**CARL["carl"]["inputs"], **changes.pop("carl")}}}
        changes = {**changes, "extra": {**changes["extra"], **third}, "script": {"cast": ["carl", 0]}}
    with pytest.raises((PromptRefused, ExecutionFailed)) as refused:
        studio.run(scene_graph(**changes), timeout=120)
    message = str(refused.value)
    print(f"{name}: {message}")
    assert words in message and "Traceback" not in message and len(message) < 500


@pytest.fixture(scope="module")
def silent_model(studio):
    """A checkpoint of LTX-Video, which has no sound, in the host's models."""
    network = LTXVModel(
        num_layers=1,
        num_attention_heads=2,
        attention_head_dim=16,
        cross_attention_dim=32,
        caption_channels=4096,
        in_channels=128,
        dtype=torch.float32,
        operations=disable_weight_init,
    )
    weights = {f"model.diffusion_model.{k}": torch.zeros_like(v) for k, v in network.state_dict().items()}
    folder = studio.work_dir / "models" / "diffusion_models"
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / "silent.safetensors")
    return "silent.safetensors"


def test_a_model_without_sound_is_refused(studio, silent_model):
    loader = {"class_type": "UNETLoader", "inputs": {"unet_name": silent_model, "weight_dtype": "default"}}
    graph = scene_graph({"silent": loader}, sample={"model": ["silent", 0]})
    with pytest.raises(
        ExecutionFailed, match="needs an LTX-2 audio-video model; the connected model is LTXV"
    ):
        studio.run(graph, timeout=120)


def test_the_host_goes_on_after_all_of_them(render):
    assert render(scene_graph(sample={"seed": 99})).num_frames == 33
