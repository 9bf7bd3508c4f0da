"""Values that come to a widget by a link, where its own least and most do not hold, in a real host."""

from contextlib import suppress

import numpy as np
import pytest

from support import clips
from support.host_client import ApiGraph, HostError, PromptRefused, failure, output_files
from support.scene_graph import scene_graph
from support.small_graph import small_graph
from support.video import pictures

PRIMITIVES = {"INT": "PrimitiveInt", "FLOAT": "PrimitiveFloat", "STRING": "PrimitiveStringMultiline"}
VALUES: dict[str, tuple] = {
    "INT": (0, 1, -1, 9, 64, 2**31, 2**62, -(2**40), 10**6),
    "FLOAT": (0.0, 0.5, 1.0, -1.0, 25.0, 1e-9, 1e9, 1e30, -1e30, float("nan"), float("inf")),
    "STRING": ("", " ", "0", "2, 2", "1" * 5_000, "é\u202e語", "1," * 25_000, "[SPEECH]:", "nan", "-1"),
}
OWN_NODES = ("lora", "reference", "latent", "prompt", "sample", "decode", "keep", "takes", "score", "dataset")
SCENE_NODES = ("anna", "script")
BESIDE: ApiGraph = {  # nodes of ours that are no part of the small graph
    "takes": {"class_type": "LTXIDLoRA_Takes", "inputs": {"takes": 2, "first_seed": 0}},
    "seeds": {"class_type": "PreviewAny", "inputs": {"source": ["takes", 0]}},
    "score": {"class_type": "LTXIDLoRA_ScoreTake", "inputs": {"audio": ["reference", 1], "words": "Hello."}},
    "keep": {
        "class_type": "LTXIDLoRA_SaveVoice",
        "inputs": {"reference": ["reference", 0], "name": "Ada", "if_exists": "replace it"},
    },
    "dataset": {
        "class_type": "LTXIDLoRA_Dataset",
        "inputs": {
            "clips": "fuzz",
            "name": "fuzz",
            "consent": "Made up.",
            "video_vae": ["model", 2],
            "audio_vae": ["audio_vae", 0],
            "clip": ["clip", 0],
            "exports": "none",
            "width": 64,
            "height": 64,
            "length": 9,
        },
    },
}
SECONDS_TO_RENDER = 180  # a guard, on a busy machine too
ANY_NUMBER = ("seed", "first_seed")


@pytest.fixture(scope="module")
def widgets(host) -> list[tuple[str, str, str]]:
    """(node of the graph, widget, type) of all widgets of our nodes that a link can feed."""
    graph, found = scene_graph(BESIDE), []
    for node in (*OWN_NODES, *SCENE_NODES):
        given = host.object_info(graph[node]["class_type"])[graph[node]["class_type"]]["input"]
        inputs = {**given.get("required", {}), **given.get("optional", {})}
        found += [
            (node, name, kind[0])
            for name, kind in inputs.items()
            if kind[0] in PRIMITIVES and name not in ANY_NUMBER
        ]
    return sorted(found)


@pytest.fixture(scope="module", autouse=True)
def two_clips(host, recorded_speech) -> None:
    speech = clips.at_16_khz(recorded_speech)
    for name, sound in {"a": speech, "b": speech.flip(-1)}.items():
        clips.write_clip(host.input_dir / "fuzz" / f"{name}.mp4", sound)


@pytest.fixture(scope="module")
def good_pictures(host) -> np.ndarray:
    return rendered(host)


def rendered(host) -> np.ndarray:
    """(F, H, W, 3) of a clip, every node of it run again."""
    host.post("/free", {"free_memory": True})
    save = {"images": ["decode", 1], "filename_prefix": "fuzz/frame"}
    extra = {"frames": {"class_type": "SaveImage", "inputs": save}}
    files = output_files(host.run(small_graph(extra, sample={"steps": 1})))
    paths = [host.output_dir / file["subfolder"] / file["filename"] for file in files]
    return pictures(tuple(path for path in paths if path.suffix == ".png"))


def test_a_linked_value(host, widgets, good_pictures, case, chance, is_one_sentence):
    node, widget, kind = widgets[(case * 7) % len(widgets)] if case < len(widgets) else chance.choice(widgets)
    value = chance.choice(VALUES[kind])
    primitive = {"class_type": PRIMITIVES[kind], "inputs": {"value": value}}
    make = scene_graph if node in SCENE_NODES else small_graph
    graph = make({"linked": primitive, **BESIDE}, sample={"steps": 1})
    graph[node]["inputs"][widget] = ["linked", 0]
    with suppress(PromptRefused):  # by the host, at the primitive
        require_works_or_says_why(host, graph, widget, is_one_sentence)
    if case % 10 == 9:
        assert np.array_equal(rendered(host), good_pictures)


def require_works_or_says_why(host, graph: ApiGraph, widget: str, is_one_sentence) -> None:
    prompt_id = host.post_prompt(graph)
    try:
        entry = host.wait(prompt_id, SECONDS_TO_RENDER)
    except HostError:
        host.interrupt()
        host.wait(prompt_id, SECONDS_TO_RENDER)
        raise
    why = failure(entry)
    if why is None:
        return
    where, _, sentence = why.partition(": ")
    assert where.startswith("LTXIDLoRA_"), why
    assert is_one_sentence(sentence), why
    assert any(word in sentence.lower() for word in widget.split("_")), why
