"""Seconds, shapes and what the nodes say of them, in the running host."""

import pytest

from support.host_client import ExecutionFailed, PromptRefused
from support.small_graph import small_graph

CLIP = {"class_type": "LTXIDLoRA_ClipLength", "inputs": {"seconds": 0.5, "frame_rate": 25.0}}
LINKED = {"length": ["seconds", 0], "frame_rate": ["seconds", 1]}
NO_SIZE = {"width": None, "height": None}


def test_seconds_become_the_next_length_and_both_nodes_say_so(render, status_lines):
    video = render(small_graph({"seconds": CLIP}, latent=LINKED, sample={"steps": 1}))
    assert (video.num_frames, video.frame_rate) == (17, 25)
    assert status_lines("seconds") == ["17 frames: 0.68 s at 25 fps"]
    assert status_lines("latent") == ["64x64, 17 frames, 0.68 s at 25 fps"]


@pytest.mark.parametrize(
    ("shape", "size", "crop"),
    [
        ("as the picture", (128, 128), ""),
        ("9:16", (64, 128), "The crop takes 50 % of the picture, left and right. "),
        ("16:9", (128, 64), "The crop takes 50 % of the picture, top and bottom. "),
    ],
)
def test_a_shape_is_the_clips_and_the_crop_is_said(render, status_lines, shape, size, crop):
    graph = small_graph(latent={**NO_SIZE, "shape": shape, "max_side": 128}, sample={"steps": 1})
    video = render(graph)
    assert (video.width, video.height) == size
    assert status_lines("latent") == [f"{crop}{size[0]}x{size[1]}, 9 frames, 0.36 s at 25 fps"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"latent": {"length": 120}}, "Length is 120 frames; LTX-2 makes 8n + 1 frames: use 113 or 121."),
        ({"latent": {"width": 100}}, "width x height, is 100x64; both sides must be multiples of 32"),
        ({"prompt": {"visual": "", "speech": " ", "sounds": ""}}, "The prompt is empty."),
    ],
)
def test_what_needs_no_model_is_refused_before_anything_runs(studio, changes, sentence):
    with pytest.raises(PromptRefused) as refused:
        studio.run(small_graph(**changes))
    assert sentence in str(refused.value)


def test_a_length_that_is_linked_is_refused_when_it_is_known(studio):
    number = {"class_type": "PrimitiveInt", "inputs": {"value": 120}}
    with pytest.raises(ExecutionFailed, match="Length is 120 frames"):
        studio.run(small_graph({"number": number}, latent={"length": ["number", 0]}))


def test_the_sentence_of_an_error_is_on_the_node_with_a_warning_sign(studio, status_lines):
    silence = {"class_type": "EmptyAudio", "inputs": {"duration": 2.0, "sample_rate": 44100, "channels": 2}}
    with pytest.raises(ExecutionFailed):
        studio.run(small_graph({"voice": silence}))
    (line,) = status_lines("reference")
    assert line.startswith("\N{WARNING SIGN} Reference audio is silent")


def test_advice_is_marked_and_all_well_is_not(render, status_lines):
    render(small_graph(prompt={"length": 9, "speech": "Good morning, everyone."}, sample={"steps": 1}))
    assert status_lines("prompt")[-1].startswith("\N{WARNING SIGN} The line needs about")
    render(small_graph(prompt={"length": 121, "speech": "Good morning, everyone."}, sample={"steps": 1}))
    assert status_lines("prompt")[-1].startswith("about ")
